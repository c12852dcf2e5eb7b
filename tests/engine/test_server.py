"""Sockets, guards, and everything there is to read."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
import requests
import websocket
from hypothesis import given
from hypothesis import strategies as st

from comfy_widgets.engine._serve.guard import foreign_origin

from .wire import Socket, entry, lab_images, lab_progress, submit, text_to_image

TIMEOUT = 60


def get(url: str, path: str, **more: Any) -> requests.Response:
    return requests.get(url + path, timeout=TIMEOUT, **more)


class TestSockets:
    def test_the_first_word_is_the_status_with_the_own_id(self, url: str) -> None:
        ws = websocket.create_connection(url.replace("http", "ws") + "/api/ws", timeout=TIMEOUT)
        first = json.loads(ws.recv())
        assert first["type"] == "status"
        assert first["data"]["status"]["exec_info"]["queue_remaining"] == 0
        # The id that the server made up works as a client_id.
        prompt_id = submit(url, lab_images(), first["data"]["sid"])
        while json.loads(ws.recv())["type"] != "execution_start":
            pass
        entry(url, prompt_id)
        ws.close()

    def test_coming_back_in_the_middle(self, url: str, socket: Socket) -> None:
        prompt_id = submit(url, lab_progress(100_000, rate=100), socket.client_id)
        socket.until_type("progress")
        socket.ws.shutdown()
        back = Socket(url, socket.client_id)
        first, second = back.receive(), back.receive()
        assert first["data"]["sid"] == socket.client_id
        assert second == {"type": "executing", "data": {"node": "1"}}
        requests.post(f"{url}/interrupt", json={"prompt_id": prompt_id}, timeout=TIMEOUT)
        back.until_end(prompt_id)
        back.close()

    def test_the_newest_socket_of_an_id_is_told_also_after_the_old_one_closed(self, url: str) -> None:
        old = Socket(url)
        old.until_type("feature_flags")
        new = Socket(url, old.client_id)
        new.until_type("feature_flags")
        old.close()
        new.until_end(submit(url, lab_images(), new.client_id))
        new.close()

    def test_pings_are_answered(self, socket: Socket) -> None:
        socket.ws.ping(b"hello")
        opcode, data = socket.ws.recv_data(control_frame=True)
        assert (opcode, data) == (websocket.ABNF.OPCODE_PONG, b"hello")

    def test_a_message_of_more_than_4_mib_ends_the_connection(self, socket: Socket) -> None:
        with pytest.raises((OSError, websocket.WebSocketException)):
            socket.ws.send("x" * (5 * 1024 * 1024))
            while socket.ws.recv_data()[0] != websocket.ABNF.OPCODE_CLOSE:
                pass
            raise websocket.WebSocketException("closed properly")

    def test_junk_is_ignored(self, url: str, socket: Socket) -> None:
        for junk in ("{", "[]", '{"type": "x"}', '"\\ud800"'):
            socket.ws.send(junk)
        socket.ws.send_binary(b"\x00\x01")
        socket.until_end(submit(url, lab_images(), socket.client_id))

    def test_a_plain_get_is_400(self, url: str) -> None:
        assert get(url, "/ws").status_code == 400


class TestGuard:
    @pytest.mark.parametrize("path", ["/system_stats", "/api/prompt", "/ws", "/view?filename=x"])
    def test_other_origins_get_403(self, url: str, path: str) -> None:
        for headers in ({"Origin": "http://localhost:8888"}, {"Origin": "https://evil.example"}):
            answer = get(url, path, headers=headers)
            assert (answer.status_code, answer.content) == (403, b"")
        assert get(url, path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403

    def test_the_own_origin_and_none_are_fine(self, url: str) -> None:
        for headers in ({"Origin": url}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-origin"}, {}):
            assert get(url, "/system_stats", headers=headers).status_code == 200

    def test_websockets_too(self, url: str) -> None:
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            websocket.create_connection(url.replace("http", "ws") + "/ws", origin="http://localhost:8888")
        assert refused.value.status_code == 403

    @pytest.mark.parametrize(
        ("host", "origin", "foreign"),
        [
            ("127.0.0.1:8188", "http://127.0.0.1:8188", False),
            ("127.0.0.1:8188", "http://127.0.0.1:8189", True),
            ("127.0.0.1:8188", "http://127.0.0.1", False),
            ("localhost:8188", "http://127.0.0.1:8188", True),
            ("[::1]:8188", "http://[::1]:8188", False),
            ("192.168.1.5:8188", "https://evil.example", False),
            ("127.0.0.1:8188", "http://127.0.0.1:99999999", True),
            (None, "http://a", False),
            ("127.0.0.1", None, False),
        ],
    )
    def test_which_origins_are_foreign(self, host: str | None, origin: str | None, foreign: bool) -> None:
        assert foreign_origin(host, origin) is foreign

    @given(st.text(), st.text())
    def test_no_header_makes_it_fail(self, host: str, origin: str) -> None:
        assert foreign_origin(host, origin) in (True, False)


class TestThingsToRead:
    def test_it_names_itself(self, url: str) -> None:
        stats = get(url, "/system_stats").json()
        assert stats["system"]["embedded_engine"] is True
        assert stats["system"]["comfyui_version"].startswith("0.33.0")
        assert stats["devices"][0]["name"] == "embedded engine, small procedural model (CPU)"
        assert stats["system"]["ram_total"] > stats["system"]["ram_free"] > 0
        assert get(url, "/features").json()["supports_preview_metadata"] is True
        assert "comfy_widgets" in get(url, "/").text

    def test_a_single_node_is_described_too(self, url: str) -> None:
        ours = get(url, "/object_info").json()
        assert len([name for name, info in ours.items() if info["python_module"] == "nodes"]) > 100
        assert get(url, "/api/object_info/KSampler").json() == {"KSampler": ours["KSampler"]}
        assert get(url, "/object_info/NoSuchNode").json() == {}

    def test_every_choice_of_the_sampler_works(self, url: str) -> None:
        inputs = get(url, "/object_info/KSampler").json()["KSampler"]["input"]["required"]
        ids = []
        for sampler in inputs["sampler_name"][0]:
            for scheduler in inputs["scheduler"][0]:
                ids.append(submit(url, text_to_image(sampler_name=sampler, scheduler=scheduler, size=16), "x"))
        assert all(entry(url, prompt_id)["status"]["completed"] for prompt_id in ids)

    def test_models(self, url: str) -> None:
        assert "checkpoints" in get(url, "/models").json()
        assert get(url, "/models/checkpoints").json()[0] == "procedural-scenes-64.safetensors"
        assert "northern-winter.safetensors" in get(url, "/models/loras").json()
        assert get(url, "/embeddings").json() == []
        assert get(url, "/templates/index.json").status_code == 200
        assert get(url, "/templates/none.json").status_code == 404
        missing = get(url, "/models/nonsense")
        assert (missing.status_code, missing.content) == (404, b"")

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/no_such_path", 404),
            ("GET", "/prompt/", 404),
            ("GET", "/API/prompt", 404),
            ("GET", "/interrupt", 404),
            ("GET", "/jobs", 404),
            ("GET", "/api/internal/logs", 404),
            ("POST", "/system_stats", 405),
            ("POST", "/queue", 500),
            ("POST", "/free", 500),
            ("POST", "/history", 500),
            ("OPTIONS", "/prompt", 200),
        ],
    )
    def test_other_ways(self, url: str, method: str, path: str, status: int) -> None:
        answer = requests.request(method, url + path, timeout=TIMEOUT)
        assert answer.status_code == status
        if status == 404:
            assert (answer.content, answer.headers["Content-Type"]) == (b"", "application/octet-stream")

    def test_logs(self, url: str) -> None:
        prompt_id = submit(url, text_to_image(text="an unheard-of thingumajig", size=16, seed=5), "x")
        entry(url, prompt_id)
        end = time.monotonic() + TIMEOUT
        while prompt_id not in (said := "".join(e["m"] for e in get(url, "/internal/logs/raw").json()["entries"])):
            assert time.monotonic() < end
        assert 'does not know "unheard", "thingumajig"' in said
        assert prompt_id in get(url, "/internal/logs").json()

    def test_lists_for_loaders(self, url: str) -> None:
        submit_id = submit(url, lab_images(), "x")
        name = entry(url, submit_id)["outputs"]["2"]["images"][0]["filename"]
        assert f"{name} [output]" in get(url, "/internal/files/output").json()
        assert get(url, "/internal/files/nonsense").status_code == 400


class TestUserData:
    def test_files(self, url: str) -> None:
        folder = f"workflows-{uuid.uuid4().hex[:6]}"
        assert get(url, f"/userdata?dir={folder}").status_code == 404
        assert get(url, "/userdata").status_code == 400
        path = f"{url}/userdata/{folder}%2Flab.json"
        stored = requests.post(f"{path}?full_info=true", data=b'{"a": 1}', timeout=TIMEOUT).json()
        assert (stored["path"], stored["size"]) == (f"{folder}/lab.json", 8)
        assert requests.post(f"{path}?overwrite=false", data=b"{}", timeout=TIMEOUT).status_code == 409
        assert get(url, f"/userdata?dir={folder}").json() == ["lab.json"]
        assert get(url, f"/userdata?dir={folder}&split=true").json() == [["lab.json", "lab.json"]]
        assert get(url, f"/userdata?dir={folder}&full_info=true").json()[0]["path"] == "lab.json"
        assert get(url, f"/v2/userdata?path={folder}").json()[0]["path"] == f"{folder}/lab.json"
        assert requests.get(path, timeout=TIMEOUT).json() == {"a": 1}
        moved = requests.post(f"{path}/move/{folder}%2Fnew.json", timeout=TIMEOUT)
        assert moved.json() == f"{folder}/new.json"
        assert requests.delete(path, timeout=TIMEOUT).status_code == 404
        assert requests.delete(f"{url}/userdata/{folder}%2Fnew.json", timeout=TIMEOUT).status_code == 204

    @pytest.mark.parametrize("path", ["/userdata/..%2F..%2Fx", "/userdata?dir=..%2F..", "/v2/userdata?path=..%2F.."])
    def test_nothing_outside(self, url: str, path: str) -> None:
        assert get(url, path).status_code == 403

    def test_settings(self, url: str) -> None:
        assert get(url, "/settings/Lab.None").json() is None
        requests.post(f"{url}/settings/Lab.One", json="hello", timeout=TIMEOUT)
        requests.post(f"{url}/settings", json={"Lab.Two": [2]}, timeout=TIMEOUT)
        assert get(url, "/settings").json().items() >= {"Lab.One": "hello", "Lab.Two": [2]}.items()
        assert get(url, "/users").json() == {"storage": "server", "migrated": True}


def facts(section: Any) -> Any:
    """Reduce inputs to what a client relies on: types, bounds, defaults; not texts, not lists of choices."""
    if section is None:
        return None
    reduced = {}
    for name, spec in section.items():
        if isinstance(spec, str):
            reduced[name] = spec
            continue
        options = {key: value for key, value in (spec[1] if len(spec) > 1 else {}).items() if key != "tooltip"}
        reduced[name] = ["choice" if isinstance(spec[0], list) else spec[0], options]
    return reduced
