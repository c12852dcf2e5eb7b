"""The same requests at recorded ComfyUI servers and at the engine: only named differences."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from comfy_widgets.engine import Engine

from .wire import Binary, Socket, entry, lab_progress, recorded, submit

TIMEOUT = 60
CHECKPOINT = "procedural-scenes-64.safetensors"
NAMED = {
    "embedded_engine",  # the engine says what it is
    "comfy_package_versions",  # it has no packages of ComfyUI,
    "folders",  # no files,
    "search_aliases",  # no other names for its nodes
    "essentials_category",
    "preview_output",  # and what a job of a recording had shown depends on what ran before it
    "workflow_id",
}
"""Keys that may be on one side only, or have other values."""
OTHERS = (
    "/global_subgraphs", "/node_replacements", "/extensions", "/i18n", "/workflow_templates",
    "/internal/folder_paths", "/settings", "/userdata", "/internal/logs",
)  # fmt: skip
"""Where only the status is compared: what the lists name differs."""
NOT_HERE = {"/assets", "/"}
"""ComfyUI serves its front end there."""
OF_FILES = ("/view_metadata", "/v2/userdata")
"""What these answer depends on the files that a server has."""


def shape(value: Any) -> Any:
    """Reduce JSON to its keys and types. A number is a number; lists and what is null say nothing."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items() if key not in NAMED}
    if value is None or isinstance(value, list):
        return None
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def agree(ours: Any, theirs: Any) -> bool:
    """Tell whether two shapes have the same keys, and types where both are known."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(agree(ours[key], theirs[key]) for key in ours)
    return None in (ours, theirs) or ours == theirs


def engine_for(request: pytest.FixtureRequest, version: str) -> Engine:
    running: Engine = request.getfixturevalue("engine" if version == "0.33.0" else "older_engine")
    return running


class Replay:
    """Sends the requests of a recording to a server, with the ids that this server gives."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ids: dict[str, str] = {}

    def _here(self, text: str) -> str:
        text = re.sub(r"(127\.0\.0\.1|localhost):81\d\d", self._url.removeprefix("http://"), text)
        for theirs, ours in self._ids.items():
            text = text.replace(theirs, ours)
        return text

    def __call__(self, event: dict[str, Any]) -> requests.Response:
        asked = event["request"]
        data = asked["raw"].encode() if "raw" in asked else None
        if "json" in asked:
            body = json.loads(self._here(json.dumps(asked["json"])))
            prompt = body.get("prompt") if isinstance(body, dict) else None
            for node in prompt.values() if isinstance(prompt, dict) else ():
                if isinstance(node, dict) and "ckpt_name" in node.get("inputs", {}):
                    node["inputs"]["ckpt_name"] = CHECKPOINT
            data = json.dumps(body).encode()
        headers = json.loads(self._here(json.dumps(asked.get("headers", {}))))
        path = self._here(event["path"])
        answer = requests.request(event["method"], self._url + path, data=data, headers=headers, timeout=TIMEOUT)
        theirs = event["response"].get("json")
        if path == "/prompt" and answer.status_code == 200 and isinstance(theirs, dict) and "prompt_id" in theirs:
            self._ids[theirs["prompt_id"]] = answer.json()["prompt_id"]
            entry(self._url, answer.json()["prompt_id"])
        return answer


def exchanges(scenario: str, version: str) -> Iterator[tuple[str, dict[str, Any]]]:
    note = ""
    for event in recorded(scenario, version):
        note = event["text"] if event["kind"] == "note" else note
        if event["kind"] == "http" and "files" not in event["request"]:
            yield note, event


@pytest.mark.parametrize(
    ("version", "scenario"),
    [
        ("0.8.0", "08-rest"),
        ("0.33.0", "08-rest"),
        ("0.33.0", "23-prompt-ids-and-extra-data"),
        ("0.33.0", "26-other-routes"),
    ],
)
def test_routes_answer_as_recorded(traces: Path, version: str, scenario: str) -> None:
    with Engine(custom_nodes=[Path(__file__).with_name("lab_nodes.py")], version=version) as fresh:
        _compare(Replay(fresh.url), version, scenario)


def _compare(replay: Replay, version: str, scenario: str) -> None:
    skipped_notes = ("the widget of ImageCompare", "progress text (binary")  # nodes that the engine does not have
    compared = 0
    for note, event in exchanges(scenario, version):
        path = event["path"].partition("?")[0]
        if path in NOT_HERE or path.startswith(OF_FILES) or note.startswith(skipped_notes):
            continue
        ours, theirs = replay(event), event["response"]
        where = f"{event['method']} {event['path']} ({note})"
        assert ours.status_code == theirs["status"], where
        if "json" in theirs and not path.startswith((*OTHERS, "/history")):
            assert agree(shape(ours.json()), shape(theirs["json"])), where
        if "X-Content-Type-Options" in theirs["headers"]:
            assert ours.headers["X-Content-Type-Options"] == "nosniff", where
        compared += 1
    assert compared > 20


@pytest.mark.parametrize("version", ["0.33.0", "0.8.0"])
def test_kinds_of_models_are_those_of_comfyui(request: pytest.FixtureRequest, traces: Path, version: str) -> None:
    url = engine_for(request, version).url
    theirs = next(event["response"]["json"] for _, event in exchanges("08-rest", version) if event["path"] == "/models")
    kinds = requests.get(f"{url}/models", timeout=TIMEOUT).json()
    assert kinds == theirs
    for kind in kinds:
        assert requests.get(f"{url}/models/{kind}", timeout=TIMEOUT).status_code == 200
    assert requests.get(f"{url}/models/checkpoints", timeout=TIMEOUT).json()[0] == CHECKPOINT


def test_features_and_versions_differ(engine: Engine, older_engine: Engine) -> None:
    newest, older = (requests.get(f"{each.url}/features", timeout=TIMEOUT).json() for each in (engine, older_engine))
    assert newest.keys() - older.keys() == {"supports_model_type_tags", "node_replacements", "assets"}
    for each, version in ((engine, "0.33.0"), (older_engine, "0.8.0")):
        system = requests.get(f"{each.url}/system_stats", timeout=TIMEOUT).json()["system"]
        assert system["comfyui_version"].startswith(version)
        assert system["embedded_engine"] is True


def steps_told(url: str, prompt: dict[str, Any]) -> list[int]:
    socket = Socket(url)
    messages = socket.until_end(submit(url, prompt, socket.client_id))
    socket.close()
    return [
        message["data"]["value"]
        for message in messages
        if not isinstance(message, Binary) and message["type"] == "progress"
    ]


class TestProgress:
    """ComfyUI 0.33 leaves out steps without a preview that come fast; 0.8.0 tells all."""

    def test_fast_steps_are_left_out_by_the_newest(self, engine: Engine, older_engine: Engine) -> None:
        prompt = lab_progress(200, rate=10_000)
        assert steps_told(older_engine.url, prompt) == list(range(1, 201))
        told = steps_told(engine.url, prompt)
        assert (told[0], told[-1]) == (1, 200)
        assert len(told) < 150

    def test_steps_with_a_preview_and_slow_ones_are_told(self, engine: Engine) -> None:
        assert steps_told(engine.url, lab_progress(30, rate=10_000, preview_every=1)) == list(range(1, 31))
        assert steps_told(engine.url, lab_progress(4, rate=4)) == [1, 2, 3, 4]


class TestOnlyNewest:
    def test_old_ids_are_taken_by_the_older_alone(self, engine: Engine, older_engine: Engine) -> None:
        body = {"prompt": lab_progress(1), "prompt_id": "MINE"}
        refused = requests.post(f"{engine.url}/prompt", json=body, timeout=TIMEOUT)
        assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid_prompt_id")
        assert requests.post(f"{older_engine.url}/prompt", json=body, timeout=TIMEOUT).json()["prompt_id"] == "MINE"

    def test_an_interrupted_job_is_cancelled_or_failed(self, engine: Engine, older_engine: Engine) -> None:
        for each, status in ((engine, "cancelled"), (older_engine, "failed")):
            prompt_id = submit(each.url, lab_progress(10_000, rate=20), "nobody")
            deadline = time.monotonic() + TIMEOUT
            while not requests.get(f"{each.url}/queue", timeout=TIMEOUT).json()["queue_running"]:
                assert time.monotonic() < deadline
            requests.post(f"{each.url}/interrupt", json={"prompt_id": prompt_id}, timeout=TIMEOUT)
            entry(each.url, prompt_id)
            job = requests.get(f"{each.url}/api/jobs/{prompt_id}", timeout=TIMEOUT).json()
            assert job["status"] == status

    def test_assets_are_disabled_or_unknown(self, engine: Engine, older_engine: Engine) -> None:
        answer = requests.get(f"{engine.url}/api/assets", timeout=TIMEOUT)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_DISABLED")
        assert requests.get(f"{older_engine.url}/api/assets", timeout=TIMEOUT).status_code == 404

    def test_what_a_browser_would_run_comes_as_an_attachment(self, engine: Engine) -> None:
        picture = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
        files = {"image": ("picture.svg", picture, "image/svg+xml")}
        requests.post(f"{engine.url}/upload/image", files=files, timeout=TIMEOUT)
        query = {"filename": "picture.svg", "type": "input"}
        plain = requests.get(f"{engine.url}/view", params=query, timeout=TIMEOUT)
        assert plain.headers["Content-Type"] == "application/octet-stream"
        assert plain.headers["Content-Disposition"] == 'attachment; filename="picture.svg"'
        assert (plain.headers["Vary"], plain.headers["Cache-Control"]) == ("Sec-Fetch-Dest", "no-store")
        shown = requests.get(f"{engine.url}/view", params=query, headers={"Sec-Fetch-Dest": "image"}, timeout=TIMEOUT)
        assert shown.headers["Content-Type"] == "image/svg+xml"

    def test_a_client_follows_the_log(self, engine: Engine) -> None:
        socket = Socket(engine.url)
        socket.until_type("feature_flags")
        body = {"enabled": True, "clientId": socket.client_id}
        assert requests.patch(f"{engine.url}/internal/logs/subscribe", json=body, timeout=TIMEOUT).status_code == 200
        prompt_id = submit(engine.url, lab_progress(1))
        while prompt_id not in (line := socket.until_type("logs")["entries"][0]["m"]):
            pass
        assert "success" in line
        socket.close()
