"""Loading: every shape of JSON and every way to hand it over; a clear error for all else."""

from __future__ import annotations

import io
import json
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow import Workflow, example

from .catalog import INFO, text_to_image

PROMPT = text_to_image()
UI = {
    "version": 0.4,
    "nodes": [{"id": 1, "type": "LoadImage", "pos": [0, 0], "size": [200, 100], "widgets_values": ["x.png", "image"]}],
    "links": [],
}


def saved(tmp_path: Path, content: str | bytes, name: str = "flow.txt") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("how", ["dict", "text", "bytes", "path", "str path", "file", "text file", "stream"])
def test_every_way_to_hand_it_over(how: str, tmp_path: Path) -> None:
    text = json.dumps(PROMPT)
    path = saved(tmp_path, text)
    with path.open("rb") as file, path.open() as text_file:
        sources: dict[str, Any] = {
            "dict": PROMPT,
            "text": "\n " + text,
            "bytes": text.encode(),
            "path": path,
            "str path": str(path),
            "file": file,
            "text file": text_file,
            "stream": io.BytesIO(text.encode()),
        }
        workflow = Workflow.load(sources[how])
    assert workflow.prompt == PROMPT
    assert workflow.ui is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_of_editors(encoding: str, tmp_path: Path) -> None:
    prompt = {"1": {"class_type": "CLIPTextEncode", "inputs": {"text": "Möwe 海"}}}
    path = saved(tmp_path, json.dumps(prompt, ensure_ascii=False).encode(encoding))
    assert Workflow.load(path)["1"].inputs["text"] == "Möwe 海"


HISTORY = {
    "prompt": [3, "6f0e", PROMPT, {"client_id": "c", "extra_pnginfo": {"workflow": UI}}, ["9"]],
    "outputs": {"9": {"images": []}},
    "status": {"status_str": "success", "completed": True, "messages": []},
}


@pytest.mark.parametrize(
    ("document", "has_ui"),
    [
        ({"prompt": PROMPT}, False),
        ({"prompt": PROMPT, "client_id": "c", "extra_data": {"extra_pnginfo": {"workflow": UI}}}, True),
        ({"output": PROMPT, "workflow": UI}, True),
        ({"prompt": json.dumps(PROMPT), "workflow": json.dumps(UI)}, True),
        (HISTORY, True),
        ({"6f0e": HISTORY}, True),
        ({"id": "6f0e", "status": "completed", "workflow": {"prompt": PROMPT, "extra_data": {}}}, False),
    ],
)
def test_what_is_wrapped_around_it(document: dict[str, Any], has_ui: bool) -> None:
    workflow = Workflow.load(document)
    assert workflow.prompt == PROMPT
    assert workflow.ui == (UI if has_ui else None)


def test_a_pil_image_as_it_was_opened(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", json.dumps(PROMPT))
    path = tmp_path / "picture.png"
    Image.new("RGB", (4, 4)).save(path, pnginfo=info)
    with Image.open(path) as picture:
        assert Workflow.load(picture).prompt == PROMPT


def test_a_pil_image_that_was_changed_has_none() -> None:
    with pytest.raises(WorkflowError, match="carries no workflow"):
        Workflow.load(Image.new("RGB", (4, 4)))


def test_a_url_goes_through_the_fetch_that_was_given() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return json.dumps(PROMPT).encode()

    assert Workflow.load("https://example.org/flow.json", fetch=fetch).prompt == PROMPT
    assert asked == ["https://example.org/flow.json"]


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = {"/flow.json": (200, json.dumps(PROMPT).encode()), "/page": (200, b"<html></html>")}
        status, body = known.get(self.path, (404, b"no such thing"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


def test_a_url_without_a_fetch_of_ones_own() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert Workflow.load(f"{url}/flow.json").prompt == PROMPT
        with pytest.raises(WorkflowError, match="/page is a web page"):
            Workflow.load(f"{url}/page")
        with pytest.raises(WorkflowError, match="could not be fetched: Not Found"):
            Workflow.load(f"{url}/nothing")
        server.shutdown()
    with pytest.raises(WorkflowError, match="could not be fetched"):
        Workflow.load(f"{url}/flow.json")


def test_what_the_server_added_is_taken_off() -> None:
    ran = text_to_image()
    ran["4"]["is_changed"] = [math.nan]
    ran["4"]["_loop_body"] = True
    loaded = Workflow.load(json.dumps(ran))
    assert loaded.to_prompt() == PROMPT


def test_ids_as_numbers() -> None:
    numbered = {
        1: {"class_type": "EmptyLatentImage", "inputs": {"width": 8}},
        2: {"class_type": "VAEDecode", "inputs": {"samples": [1, 0]}},
    }
    assert Workflow.load(numbered).to_prompt()["2"]["inputs"]["samples"] == ["1", 0]


def test_a_literal_list_travels_wrapped() -> None:
    prompt = {"1": {"class_type": "Points", "inputs": {"points": [1, 2, 3], "pair": [512, 768], "link": ["gone", 0]}}}
    workflow = Workflow.load(prompt)
    inputs = workflow.to_prompt()["1"]["inputs"]
    assert inputs == {"points": {"__value__": [1, 2, 3]}, "pair": {"__value__": [512, 768]}, "link": ["gone", 0]}
    assert workflow["1"].inputs["points"] == [1, 2, 3]
    assert Workflow.load(workflow.to_prompt()) == workflow


def test_a_bare_nan_loads_but_does_not_run() -> None:
    workflow = Workflow.load('{"1": {"class_type": "KSampler", "inputs": {"cfg": NaN, "steps": 3}}}')
    assert workflow.params()["steps"].value == 3
    with pytest.raises(WorkflowError, match=r"KSampler .*: cfg is nan, which cannot be sent"):
        workflow.to_prompt()
    assert workflow.with_params(cfg=2).to_prompt()["1"]["inputs"]["cfg"] == 2


def test_nothing_that_is_handed_out_changes_the_workflow() -> None:
    source = text_to_image()
    workflow = Workflow.load(source)
    source["3"]["inputs"]["seed"] = -1
    for copy in (workflow.prompt, workflow.to_prompt()):
        assert copy is not None
        copy["3"]["inputs"]["seed"] = -1
        copy["3"]["inputs"]["model"][0] = "9"
    assert workflow.to_prompt() == PROMPT


JUNK = [
    ("{}", "it is empty"),
    ("[1, 2]", "it is a list"),
    ('{"name": "x", "version": 1}', "an object with 'name', 'version'"),
    ('{"1": {"inputs": {}}}', "neither nodes nor class_type"),
    ('{"1": {"class_type": "A", "inputs": [1]}}', r"inputs of node '1' \(A\) are not an object"),
    ('{"1": ', "no valid JSON: .* line 1, column"),
    ("{" * 100_000, "no valid JSON|too deeply"),
    ('{"a":' * 50_000, "no valid JSON|too deeply"),
    ("[" * 100_000 + "]" * 100_000, "too deeply"),
    ('{"a":' * 300 + "1" + "}" * 300, "too deeply"),
    ('{"prompt": ' * 20 + "{}" + "}" * 20, "holds no ComfyUI workflow"),
    ('{"1": {"class_type": "A", "inputs": {"x": 1' + "0" * 5000 + "}}}", "cannot be read as JSON"),
]


@pytest.mark.parametrize(("content", "says"), JUNK, ids=[says[:20] for _, says in JUNK])
def test_json_that_is_no_workflow(content: str, says: str, tmp_path: Path) -> None:
    for source in (content, content.encode(), saved(tmp_path, content)):
        with pytest.raises(WorkflowError, match=says):
            Workflow.load(source)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "is a web page"),
        (b"\0\1\2" * 1000, "neither JSON nor a kind of file"),
        (b"hello", "neither JSON"),
        (b"PK\3\4" + bytes(100), "neither JSON"),
        (b"\xff\xfe\xff\xff{", "cannot be read as JSON"),
    ],
)
def test_files_that_are_something_else(content: bytes, says: str) -> None:
    with pytest.raises(WorkflowError, match=says):
        Workflow.load(content)


@pytest.mark.parametrize("fill", [b"\xab", b"{", b"[", b'"', b" "])
def test_fifty_megabytes_of_garbage(fill: bytes, tmp_path: Path) -> None:
    with pytest.raises(WorkflowError):
        Workflow.load(saved(tmp_path, fill * (50 * 2**20)))


def test_a_file_that_is_not_there_names_what_is(tmp_path: Path) -> None:
    saved(tmp_path, "{}", "workflow.json")
    with pytest.raises(WorkflowError, match=r"no file .*workflw\.json.* Did you mean 'workflow\.json'\?"):
        Workflow.load(tmp_path / "workflw.json")
    with pytest.raises(WorkflowError, match="is a folder"):
        Workflow.load(tmp_path)
    with pytest.raises(WorkflowError, match="cannot be opened"):
        Workflow.load("name\0with zero")


@pytest.mark.parametrize("source", [3, None, object(), 1.5])
def test_things_that_hold_no_workflow(source: object) -> None:
    with pytest.raises(WorkflowError, match="cannot be loaded from"):
        Workflow.load(source)


def test_a_workflow_loads_as_itself() -> None:
    workflow = example()
    assert Workflow.load(workflow) is workflow


# -- both forms --------------------------------------------------------------------------------------------------------


def both() -> Workflow:
    ran = example().with_params(seed=1, steps=5).to_prompt()
    return Workflow.load({"prompt": ran, "workflow": example("text_to_image_ui").ui})


def test_the_form_shows_what_the_author_opens_and_reproduce_what_ran() -> None:
    workflow = both().bind(INFO)
    assert workflow.params()["seed"].value == 42
    assert workflow.to_prompt()["3"]["inputs"]["steps"] == 20
    assert workflow.reproduce().to_prompt()["3"]["inputs"]["steps"] == 5
    assert any("KSampler.steps 5 → 20" in note for note in workflow.notes)


def test_the_editors_form_needs_definitions_and_says_so() -> None:
    workflow = example("text_to_image_ui")
    for ask in (workflow.params, workflow.to_prompt):
        with pytest.raises(WorkflowError, match="node definitions: pass them"):
            ask()
    assert workflow.to_prompt(INFO) == example().to_prompt()
    with pytest.raises(WorkflowError, match="only the editor's form"):
        workflow.reproduce()


def test_the_two_examples_are_the_same_workflow() -> None:
    api, ui = example(), example("text_to_image_ui").bind(INFO)
    assert api.diff(ui) == []
    assert api.hash == ui.hash
    # The model is the one of the embedded engine, which another server lacks.
    assert {problem.input_name for problem in api.check(INFO)} <= {"ckpt_name"}
    with pytest.raises(WorkflowError, match="no example 'x'"):
        example("x")
