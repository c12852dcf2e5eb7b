"""The scripted server is a believable ComfyUI, and does what a test tells it."""

from __future__ import annotations

import io
import json
import struct
import threading
from typing import Any

import pytest
import requests
import websocket
from PIL import Image

from comfy_widgets.testing import Gate, Reply, Request, ScriptedServer, Stage, dead_worker, standard_run, text_to_image

from .bare import BareClient, messages_until, types


def test_a_run_is_told_in_comfyui_s_order(server: ScriptedServer, direct: BareClient) -> None:
    ws = direct.connect()
    server.wait_for(lambda: server.takes_metadata(direct.client_id))
    prompt_id = direct.submit(text_to_image(steps=2))
    messages = messages_until(ws)
    assert types(messages)[:6] == [
        "status",
        "feature_flags",
        "status",
        "status",
        "execution_start",
        "execution_cached",
    ]
    assert types(messages)[-5:] == ["executed", "progress_state", "execution_success", "status", "executing"]
    assert types(messages).count("binary") == 2
    # A step, to a client that sent the flag: progress_state, preview with metadata, progress.
    first = types(messages).index("binary")
    assert types(messages)[first - 1 : first + 2] == ["progress_state", "binary", "progress"]
    assert struct.unpack(">I", messages[first][:4]) == (4,)
    entry = direct.history(prompt_id)
    assert entry["status"]["status_str"] == "success"
    assert entry["prompt"][3]["client_id"] == direct.client_id
    executed = next(m for m in messages if not isinstance(m, bytes) and m["type"] == "executed")
    assert entry["outputs"]["9"] == executed["data"]["output"]


def test_images_depend_on_nothing_but_the_prompt(direct: BareClient) -> None:
    def image(seed: int) -> bytes:
        ws = direct.connect()
        prompt_id = direct.submit(text_to_image(seed=seed))
        messages_until(ws)
        ws.close()
        item = direct.history(prompt_id)["outputs"]["9"]["images"][0]
        return direct.get("/view", params=item).content

    assert image(1) == image(1) != image(2)
    assert Image.open(io.BytesIO(image(1))).format == "PNG"


def test_previews_have_no_metadata_without_the_flag_or_with_a_late_one(direct: BareClient) -> None:
    ws = direct.connect(flags=False)
    ws.send(json.dumps({"type": "hello"}))
    ws.send(json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}}))
    direct.submit(text_to_image(steps=1))
    messages = messages_until(ws)
    binary = next(message for message in messages if isinstance(message, bytes))
    assert struct.unpack(">II", binary[:8]) == (1, 1)
    assert "feature_flags" not in types(messages)


def test_a_prompt_without_client_id_is_broadcast_in_part(server: ScriptedServer, direct: BareClient) -> None:
    ws = direct.connect()
    server.wait_connected(direct.client_id)
    reply = direct.post("/prompt", {"prompt": text_to_image(steps=1)})
    assert reply.status_code == 200
    ws.settimeout(20)
    seen = []
    while seen.count("status") < 4:  # connect, queued, started, done
        opcode, data = ws.recv_data()
        seen.append("binary" if opcode == 2 else json.loads(data)["type"])
    assert set(seen) == {"status", "feature_flags", "progress_state", "progress", "binary"}


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({}, 400, "no_prompt"),
        ({"prompt": {}}, 400, "prompt_no_outputs"),
        ({"prompt": {"1": {"class_type": "Nonsense", "inputs": {}}}}, 400, "invalid_prompt"),
        ({"prompt": text_to_image(), "partial_execution_targets": ["77"]}, 400, "prompt_no_outputs"),
    ],
)
def test_what_is_no_prompt_is_refused(direct: BareClient, body: Any, status: int, kind: str) -> None:
    reply = direct.post("/prompt", body)
    assert (reply.status_code, reply.json()["error"]["type"]) == (status, kind)


def test_a_body_that_is_no_json_is_an_error_in_plain_text(direct: BareClient) -> None:
    reply = direct.http.post(f"{direct.url}/prompt", data=b"{", timeout=20)
    assert reply.status_code == 500
    assert reply.headers["Content-Type"].startswith("text/plain")


def test_routes_with_and_without_api(direct: BareClient) -> None:
    for path in ("/queue", "/api/queue", "/system_stats", "/api/features", "/object_info/KSampler"):
        assert requests.get(direct.url + path, timeout=20).status_code == 200, path
    assert requests.get(direct.url + "/nothing", timeout=20).status_code == 404
    assert requests.post(direct.url + "/api/system_stats", timeout=20).status_code == 405
    assert requests.get(direct.url + "/api/jobs", timeout=20).status_code == 404


def test_queue_interrupt_and_delete(server: ScriptedServer, direct: BareClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    ws = direct.connect()
    running, pending, other = direct.submit(), direct.submit(), direct.submit()
    gate.wait_reached()
    queue = direct.get("/queue").json()
    assert [item[1] for item in queue["queue_running"]] == [running]
    assert {item[1] for item in queue["queue_pending"]} == {pending, other}
    direct.post("/queue", {"delete": [pending]})
    direct.post("/interrupt", {"prompt_id": other})  # does not run: no effect
    direct.post("/interrupt", {"prompt_id": running})
    messages = messages_until(ws)
    assert "execution_interrupted" in types(messages)
    messages_until(ws)  # the third one's run
    status = direct.history(running)["status"]
    assert (status["status_str"], status["messages"][-1][0]) == ("error", "execution_interrupted")
    assert direct.history(pending) == {}
    assert direct.history(other)["status"]["completed"]


def test_front_goes_first(server: ScriptedServer, direct: BareClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    ws = direct.connect()
    direct.submit()
    gate.wait_reached()
    direct.submit()
    fronted = direct.submit(front=True)
    gate.open()
    messages_until(ws)
    start = next(m for m in messages_until(ws) if not isinstance(m, bytes) and m["type"] == "execution_start")
    assert start["data"]["prompt_id"] == fronted


def test_a_node_fails_and_what_came_before_stays(server: ScriptedServer, direct: BareClient) -> None:
    prompt = text_to_image()
    prompt["10"] = {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}
    server.play(standard_run(fail_at="10"))
    ws = direct.connect()
    prompt_id = direct.submit(prompt)
    error = next(m for m in messages_until(ws) if not isinstance(m, bytes) and m["type"] == "execution_error")
    assert (error["data"]["node_id"], error["data"]["node_type"]) == ("10", "PreviewImage")
    entry = direct.history(prompt_id)
    assert entry["status"]["messages"][-1][0] == "execution_error"
    assert list(entry["outputs"]) == ["9"]


def test_history_may_come_after_success(server: ScriptedServer, direct: BareClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="execution_success"))
    ws = direct.connect()
    prompt_id = direct.submit()
    messages_until(ws, end="execution_success")
    assert direct.history(prompt_id) == {}
    gate.open()
    messages_until(ws)
    assert direct.history(prompt_id)["status"]["completed"]


def test_messages_may_come_before_the_reply(server: ScriptedServer, direct: BareClient) -> None:
    finished = threading.Event()

    def late(request: Request) -> Reply:
        reply = server.default(request)
        finished.wait(20)
        return reply

    server.on("POST", "/prompt", late)
    ws = direct.connect()
    posting = threading.Thread(target=direct.submit)
    posting.start()
    assert types(messages_until(ws))[-1] == "executing"
    assert posting.is_alive()
    finished.set()
    posting.join(20)
    assert not posting.is_alive()


def test_a_script_of_ones_own(server: ScriptedServer, direct: BareClient) -> None:
    def play(stage: Stage) -> None:
        stage.start(cached=["9"])
        stage.block("3", "not today")
        stage.progress_text("9", "half way")
        stage.send("nobody_knows_this", value=1)
        stage.executed("9", {"text": ["done"]})
        stage.success()

    server.play(play)
    ws = direct.connect()
    prompt_id = direct.submit()
    messages = messages_until(ws)
    assert types(messages)[4:] == [
        "execution_start",
        "execution_cached",
        "execution_error",
        "binary",
        "nobody_knows_this",
        "executed",
        "execution_success",
        "status",
        "executing",
    ]
    assert direct.history(prompt_id)["outputs"] == {"9": {"text": ["done"]}}


def test_a_script_that_fails_is_told_at_the_end() -> None:
    def play(stage: Stage) -> None:
        raise KeyError("a slip in the script")

    with pytest.raises(RuntimeError, match="script") as caught, ScriptedServer(script=play) as server:
        client = BareClient(server.url)
        client.submit()
        server.wait_for(lambda: server.state.running is not None)
        client.close()
    assert isinstance(caught.value.__cause__, KeyError)


def test_handlers_change_and_limit_answers(server: ScriptedServer, direct: BareClient) -> None:
    server.on("GET", "/queue", Reply.text("<html>log in</html>", content_type="text/html"), times=1)
    server.remove("GET", "/features")
    assert direct.get("/queue").text == "<html>log in</html>"
    assert direct.get("/queue").json()["queue_running"] == []
    assert direct.get("/features").status_code == 404
    server.on("GET", "/ws", Reply(403))
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        direct.connect()


def test_a_reconnect_tells_the_running_node(server: ScriptedServer, direct: BareClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate, gate_after="executing"))
    first = direct.connect()
    direct.submit()
    gate.wait_reached()
    first.close()
    server.wait_for(lambda: server.traffic.open_websockets() == 0)
    again = direct.connect()
    status, executing = json.loads(again.recv()), json.loads(again.recv())
    assert status["data"]["sid"] == direct.client_id
    assert executing == {"type": "executing", "data": {"node": "4"}}
    gate.open()
    messages_until(again)


def test_the_end_of_an_old_socket_makes_the_new_one_deaf(server: ScriptedServer, direct: BareClient) -> None:
    old, new = direct.connect(), direct.connect()
    direct.submit()
    assert types(messages_until(new))[-1] == "executing"
    old.close()
    server.wait_for(lambda: server.traffic.open_websockets() == 1)
    direct.submit()
    new.ping("still there?")
    assert new.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"still there?")
    new.settimeout(0.2)
    with pytest.raises(websocket.WebSocketTimeoutException):
        new.recv()


def test_a_dead_worker_ignores_interrupts(server: ScriptedServer, direct: BareClient) -> None:
    server.script = dead_worker
    ws = direct.connect()
    dead, behind = direct.submit(), direct.submit()
    messages_until(ws, end="execution_cached")
    direct.post("/interrupt", {})
    queue = direct.get("/queue").json()
    assert [item[1] for item in queue["queue_running"]] == [dead]
    assert [item[1] for item in queue["queue_pending"]] == [behind]


def test_a_restart_forgets_everything_but_the_output_files(server: ScriptedServer, direct: BareClient) -> None:
    ws = direct.connect()
    prompt_id = direct.submit()
    messages_until(ws)
    item = direct.history(prompt_id)["outputs"]["9"]["images"][0]
    url = server.url
    server.kill()
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        ws.recv()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/queue", timeout=20)
    server.start()
    assert server.url == url
    assert direct.history(prompt_id) == {}
    assert direct.get("/view", params=item).status_code == 200
    assert direct.post("/prompt", {"prompt": text_to_image()}).json()["number"] == 0


def test_uploads_keep_names_and_never_overwrite_silently(direct: BareClient) -> None:
    def upload(content: bytes, **fields: str) -> dict[str, str]:
        return direct.post("/upload/image", files={"image": ("ü.png", content)}, data=fields).json()

    assert upload(b"one") == {"name": "ü.png", "subfolder": "", "type": "input"}
    assert upload(b"one")["name"] == "ü.png"
    assert upload(b"two")["name"] == "ü (1).png"
    assert upload(b"three", overwrite="true")["name"] == "ü.png"
    stored = direct.get("/view", params={"filename": "ü.png", "type": "input"})
    assert stored.content == b"three"
    part = direct.get("/view", params={"filename": "ü.png", "type": "input"}, headers={"Range": "bytes=2-"})
    assert (part.status_code, part.content) == (206, b"ree")


def test_jobs_api_where_it_is(direct: BareClient, server: ScriptedServer) -> None:
    server.jobs_api = "cancel"
    gate = Gate()
    server.play(standard_run(gate=gate))
    ws = direct.connect()
    running, pending = direct.submit(), direct.submit()
    gate.wait_reached()
    assert direct.get(f"/jobs/{running}").json()["status"] == "in_progress"
    assert direct.get(f"/jobs/{pending}").json()["status"] == "pending"
    assert direct.post(f"/jobs/{pending}/cancel").json() == {"cancelled": True}
    assert direct.post(f"/jobs/{running}/cancel").json() == {"cancelled": True}
    messages_until(ws)
    assert direct.get(f"/jobs/{running}").json()["status"] == "cancelled"
    assert direct.get(f"/jobs/{pending}").status_code == 404


def test_a_path_before_every_route() -> None:
    with ScriptedServer(prefix="/comfy") as server:
        client = BareClient(server.url)
        ws = client.connect()
        client.submit()
        assert types(messages_until(ws))[-1] == "executing"
        assert requests.get(server.url.removesuffix("/comfy") + "/queue", timeout=20).status_code == 404
        client.close()
