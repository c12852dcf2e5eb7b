"""Requests and options that make no sense get an answer in words, and harm nobody."""

from __future__ import annotations

import http.client
import socket as sockets
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests

from comfy_widgets.engine import Engine, EngineError

from .wire import lab_images, run, text_to_image

TIMEOUT = 90


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Start the engine with options with which it cannot."""
    program = [sys.executable, "-m", "comfy_widgets.engine", *arguments]
    return subprocess.run(program, capture_output=True, text=True, timeout=TIMEOUT, check=False)


class TestOptions:
    def test_a_taken_port_is_told_in_one_line(self) -> None:
        with sockets.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = command("--port", str(port))
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.strip().splitlines() == [
                f"Port {port} on 127.0.0.1 is taken: another server, maybe a ComfyUI, listens there. "
                "Choose another with --port, or --port 0 for any free one."
            ]
            with pytest.raises(EngineError, match=f"Port {port} on 127.0.0.1 is taken") as caught:
                Engine(port=port)
            assert len(str(caught.value).splitlines()) == 2

    @pytest.mark.parametrize("port", ["80000", "-1", "eighty", "1e9", ""])
    def test_no_port_is_told_in_one_line(self, port: str) -> None:
        done = command(f"--port={port}")
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "is no port" in done.stderr

    @pytest.mark.parametrize("option", ["--base-directory", "--output-directory"])
    def test_a_folder_that_cannot_be_made_is_told_in_one_line(self, tmp_path: Path, option: str) -> None:
        (tmp_path / "file").write_text("no folder")
        done = command("--port", "0", option, str(tmp_path / "file" / "inside"))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.count("\n") == 1
        assert f"The folder {tmp_path}" in done.stderr
        assert "cannot be made" in done.stderr


def with_host(url: str, host: str, path: str = "/system_stats") -> int:
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


class TestHost:
    """A page whose name was made to lead to this machine must not reach the engine (DNS rebinding)."""

    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:{port}", "192.168.1.5:{port}", "localhost.evil.example"]
    )
    @pytest.mark.parametrize("path", ["/system_stats", "/ws", "/prompt"])
    def test_a_foreign_name_is_refused(self, url: str, host: str, path: str) -> None:
        assert with_host(url, host.format(port=urlsplit(url).port), path) == 403

    @pytest.mark.parametrize(
        "host", ["127.0.0.1:{port}", "localhost:{port}", "localhost", "[::1]:{port}", "me.localhost"]
    )
    def test_this_machine_is_not(self, url: str, host: str) -> None:
        assert with_host(url, host.format(port=urlsplit(url).port)) == 200


class TestRequests:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/view?filename=a.png&subfolder=%00"),
            ("GET", "/view?filename=a%00.png"),
            ("GET", "/view?filename=a.png&type=%00"),
            ("GET", "/userdata?dir=%00"),
            ("GET", "/v2/userdata?path=%00"),
            *((method, f"/userdata/%00{rest}") for method in ("GET", "POST", "DELETE") for rest in ("", "a")),
            ("POST", "/userdata/a/move/%00"),
            *(("GET", f"/{route}/%00") for route in ("models", "history", "object_info", "settings", "templates")),
            *(("GET", f"/api/{route}/%00") for route in ("jobs", "view_metadata", "comfy_widgets/steps", "view")),
            ("GET", "/internal/files/%00"),
        ],
    )
    def test_a_null_character_is_a_bad_request(self, url: str, method: str, path: str) -> None:
        answer = requests.request(method, url + path, timeout=TIMEOUT)
        assert answer.status_code == 400
        assert "null character" in answer.text

    @pytest.mark.parametrize("name", ["a" * 300, "ü" * 200, "a/" + "b" * 5000])
    def test_a_name_that_no_file_can_have_is_a_bad_request(self, url: str, name: str) -> None:
        quoted = quote(name, safe="")
        for method, path in [
            ("GET", f"/view?filename={quoted}"),
            ("GET", f"/view?filename=a.png&subfolder={quoted}"),
            *((method, f"/userdata/{quoted}") for method in ("GET", "POST", "DELETE")),
        ]:
            answer = requests.request(method, url + path, timeout=TIMEOUT)
            assert answer.status_code in (400, 404), (method, path[:40], answer.text)
        for fields in ({"subfolder": name}, {"subfolder": "taken.png"}):
            upload = {"image": ("taken.png", b"x")}
            requests.post(f"{url}/upload/image", files=upload, timeout=TIMEOUT)
            answer = requests.post(f"{url}/upload/image", files=upload, data=fields, timeout=TIMEOUT)
            assert answer.status_code == 400 and "No file can be there" in answer.text

    @pytest.mark.parametrize("route", ["/upload/image", "/upload/mask"])
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"data": b"no form"},
            {"json": {"image": "x"}},
            {"data": b"no form", "headers": {"Content-Type": "multipart/form-data"}},
            {"data": b"--a\r\nno part", "headers": {"Content-Type": "multipart/form-data; boundary=a"}},
        ],
    )
    def test_an_upload_without_a_form_is_a_bad_request(self, url: str, route: str, options: dict[str, Any]) -> None:
        answer = requests.post(url + route, timeout=TIMEOUT, **options)
        assert answer.status_code == 400
        assert "form" in answer.text

    @pytest.mark.parametrize("name", ["x" * 300 + ".png", "ä" * 200 + ".png"])
    def test_a_name_that_no_file_can_have(self, url: str, name: str) -> None:
        answer = requests.post(f"{url}/upload/image", files={"image": (name, b"x")}, timeout=TIMEOUT)
        assert answer.status_code == 400

    @pytest.mark.parametrize("prefix", ["a\0b", "x" * 400, "folder/" + "x" * 400])
    def test_a_prefix_that_no_file_can_have_is_the_nodes_error(self, url: str, prefix: str) -> None:
        graph = lab_images()
        graph["2"]["inputs"]["filename_prefix"] = prefix
        error = run(url, graph)["status"]["messages"][-1][1]
        assert error["node_id"] == "2"
        assert "No file can have the filename_prefix" in error["exception_message"]

    def test_what_cannot_be_read_is_one_line_in_the_log(self, url: str) -> None:
        answer = requests.post(f"{url}/queue", data=b"[]", timeout=TIMEOUT)
        assert (answer.status_code, answer.text.partition("\n")[0]) == (500, "500 Internal Server Error")
        entries = requests.get(f"{url}/internal/logs/raw", timeout=TIMEOUT).json()["entries"]
        told = [entry["m"] for entry in entries if "/queue could not be answered" in entry["m"]]
        assert told
        assert "Traceback" not in told[-1]

    def test_a_chain_of_3000_nodes_runs(self, url: str) -> None:
        size = {"width": 8, "height": 8, "batch_size": 1, "color": 0}
        graph: dict[str, Any] = {"0": {"class_type": "EmptyImage", "inputs": size}}
        for number in range(1, 3000):
            graph[str(number)] = {"class_type": "ImageInvert", "inputs": {"image": [str(number - 1), 0]}}
        graph["end"] = {"class_type": "PreviewImage", "inputs": {"images": ["2999", 0]}}
        ended = run(url, graph)
        assert ended["status"]["completed"]
        assert list(ended["outputs"]) == ["end"]

    def test_a_circle_of_3000_nodes_is_refused(self, url: str) -> None:
        graph: dict[str, Any] = {
            str(number): {"class_type": "ImageInvert", "inputs": {"image": [str((number + 1) % 3000), 0]}}
            for number in range(3000)
        }
        graph["end"] = {"class_type": "PreviewImage", "inputs": {"images": ["0", 0]}}
        answer = requests.post(f"{url}/prompt", json={"prompt": graph}, timeout=TIMEOUT)
        assert answer.status_code == 400
        assert answer.json()["node_errors"]["7"]["errors"][0]["type"] == "dependency_cycle"
        assert run(url, text_to_image(steps=1))["status"]["completed"]
