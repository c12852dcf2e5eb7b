"""The command line, as it is typed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from comfy_widgets import Engine, Workflow, example
from comfy_widgets._writing import json_bytes
from comfy_widgets.cli import main
from comfy_widgets.testing import Gate, NodeError, Reply, ScriptedServer, Stage, standard_run


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as running:
        yield running


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    path = tmp_path / "flow.json"
    path.write_text(json.dumps(example().with_params(width=64, height=64, steps=2).to_prompt()))
    return path


def test_run_saves_what_the_workflow_makes(
    engine: Engine, flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", str(flow), "--url", engine.url, "-o", str(tmp_path / "out"), "-p", "seed=18446744073709551615"]
    assert main([*words, "-p", "positive=a cat"]) == 0
    (path,) = map(Path, capsys.readouterr().out.split())
    assert Image.open(path).size == (64, 64)
    params = Workflow.load(path).params()
    assert params["seed"].value == 18446744073709551615
    assert params["positive"].value == "a cat"


@pytest.mark.parametrize("text", ["42", "true", "null", '{"a": 1}'])
def test_a_prompt_may_look_like_json(engine: Engine, flow: Path, tmp_path: Path, text: str) -> None:
    out = tmp_path / "out"
    assert main(["run", str(flow), "--url", engine.url, "-o", str(out), "-p", f"positive={text}"]) == 0
    (path,) = out.iterdir()
    assert Workflow.load(path).params()["positive"].value == text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "FLOW", "-o", "/dev/null/out"], "Not a directory"),
        (["run", "missing.json"], "no file 'missing.json'"),
        (["run", "FLOW", "-p", "seed"], "NAME=VALUE"),
        (["run", "FLOW", "-p", "sead=1"], "seed"),
        (["run", "FLOW", "-p", "steps=0"], "steps"),
        (["run", "FLOW", "--url", "127.0.0.1:8188"], "http://"),
        (["run", "FLOW", "--url", "http://127.0.0.1:9"], "No server answers"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_1(
    engine: Engine, flow: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    typed = [str(flow) if word == "FLOW" else word for word in words]
    assert main(typed if "--url" in typed else [*typed, "--url", engine.url]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert "Traceback" not in captured.err


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    path = tmp_path / "deep.json"
    path.write_text("[" * 200_000)
    return path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "FLOW", "-p", "positive=" + "[" * 100_000, "--url", "URL"], "positive is nested too deeply"),
        (["run", "FLOW", "-p", "nothing=" + '{"a":' * 100_000, "--url", "URL"], "nothing is nested too deeply"),
        (["run", "FLOW", "--timeout", "nan"], "no number of seconds above 0"),
        (["run", "FLOW", "--timeout", "inf"], "no number of seconds above 0"),
        (["run", "FLOW", "--timeout", "-1"], "no number of seconds above 0"),
        (["run", "FLOW", "--timeout", "soon"], "--timeout"),
        (["run"], "workflow"),
        (["fly"], "fly"),
        (["run", "FLOW", "--colour"], "--colour"),
        (["engine", "--port", "99999"], "'99999' is no port"),
        (["engine", "--port", "-1"], "--port"),
        (["engine", "--port", "9" * 5000], "no port"),
        (["convert", "UI", "--object-info", "DEEP"], "nested too deeply"),
        (["convert", "UI", "--object-info", "LIST"], "holds no node classes"),
        (["convert", "UI", "--object-info", "EMPTY"], "holds no node classes"),
        (["convert", "UI", "--object-info", "FLOW"], "holds no node classes"),
        (["convert", "UI", "--object-info", "FOLDER"], "cannot be read as JSON"),
        (["convert", "UI", "--object-info", "BINARY"], "cannot be read as JSON"),
        (["convert", "UI", "--object-info", "nowhere.json"], "No such file"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_exit_code_2(
    engine: Engine,
    flow: Path,
    deep: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    contents = {
        "LIST": b"[]",
        "EMPTY": b"{}",
        "BINARY": b"\xff\xfe\x00",
        "UI": json_bytes(example("text_to_image_ui").ui),
    }
    places = {"FLOW": str(flow), "DEEP": str(deep), "FOLDER": str(tmp_path), "URL": engine.url}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        places[name] = str(tmp_path / name)
    assert main([places.get(word, word) for word in words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err


def test_a_folder_is_no_workflow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("run", "convert"):
        assert main([command, str(tmp_path)]) == 1
        assert "is a folder; name a workflow file in it" in capsys.readouterr().err


HOSTILE = "\x1b]0;owned\x07 \x1b[2J half \ud83d \u202eback\r\nnext\tline"


def test_no_text_of_a_server_is_obeyed_by_the_terminal(
    flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ScriptedServer() as server:
        server.play(standard_run(outputs={"9": {"text": [HOSTILE]}}))
        assert main(["run", str(flow), "--url", server.url, "-o", str(tmp_path)]) == 0
        shown = capsys.readouterr().out
        assert "\\x1b]0;owned\\x07 \\x1b[2J half \\ud83d \\u202eback\nnext\tline" in shown

        def fail(stage: Stage) -> None:
            stage.start()
            raise NodeError("9", HOSTILE + "x" * 200_000)

        server.play(fail)
        assert main(["run", str(flow), "--url", server.url, "-o", str(tmp_path), "-p", "seed=5"]) == 1
        said = capsys.readouterr().err
        assert not set(said) & set("\x1b\x07\r\ud83d\u202e")
        assert "characters left out" in said
        assert len(said) < 20_000


def test_titles_of_nodes_do_not_move_the_progress_bar(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = example().to_prompt()
    for node in prompt.values():
        node["_meta"] = {"title": HOSTILE}
    path = tmp_path / "hostile.json"
    path.write_bytes(json_bytes(prompt))
    gate, write = Gate(), sys.stderr.write

    def watched(text: str) -> int:
        if "owned" in text:
            gate.open()
        return write(text)

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "write", watched)
    with ScriptedServer() as server:
        # Progress of a short run may be told of at its end only: this one waits until a title was drawn.
        server.play(standard_run(gate=gate, gate_after="progress"))
        assert main(["run", str(path), "--url", server.url, "-o", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    assert "x1b]0;owned" in said
    assert not set(said.replace("\r\x1b[K", "")) & set("\x1b\x07\r\n\ud83d\u202e")


def test_convert_writes_the_api_format(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "ui.json", tmp_path / "api.json"
    source.write_text(json.dumps(example("text_to_image_ui").ui))
    assert main(["convert", str(source), "-o", str(target), "--url", engine.url]) == 0
    prompt = json.loads(target.read_text())
    assert {node["class_type"] for node in prompt.values()} == {
        node["class_type"] for node in example().to_prompt().values()
    }
    assert main(["convert", str(target)]) == 0
    assert json.loads(capsys.readouterr().out) == prompt


def test_doctor_tells_what_is_there(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--url", engine.url])
    out = capsys.readouterr().out
    assert "embedded engine, small procedural model" in out
    assert "the websocket connects" in out
    main(["doctor", "--url", "http://127.0.0.1:9"])
    assert "No server answers" in capsys.readouterr().out


@pytest.mark.parametrize(("version", "newer"), [("0.33.0", False), ("0.3.64", False), ("0.34.1", True), ("?", False)])
def test_doctor_tells_of_a_server_that_is_newer_than_what_was_tried(
    version: str, newer: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with ScriptedServer() as server:
        server.on("GET", "/system_stats", Reply.json({"system": {"comfyui_version": version}, "devices": []}))
        main(["doctor", "--url", server.url])
    assert ("newer    than ComfyUI 0.33.0" in capsys.readouterr().out) == newer


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(command in out for command in ("demo", "engine", "run", "convert", "doctor"))


def test_the_bare_command_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    said = capsys.readouterr().err
    assert all(
        command in said for command in ("demo", "engine", "run", "sweep", "fleet", "convert", "replay", "doctor")
    )


def test_demo_makes_images_and_a_notebook_that_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["demo", "-o", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("*.png"))) == 4
    out = capsys.readouterr().out
    assert "no large model" in out
    assert f"jupyter lab {tmp_path / 'demo.ipynb'}" in out
    assert "UklGR" in (tmp_path / "demo.html").read_text(encoding="utf-8")  # WebP, in base64
    made = nbformat.read(tmp_path / "demo.ipynb", as_version=4)
    nbformat.validate(made)
    monkeypatch.setenv("COMFYUI_URL", engine.url)
    NotebookClient(made, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert all(cell.execution_count for cell in made.cells if cell.cell_type == "code")
    (tmp_path / "demo.ipynb").write_text("mine now")
    assert main(["demo", "-o", str(tmp_path), "--no-open"]) == 0
    assert (tmp_path / "demo.ipynb").read_text() == "mine now"
    assert "To go on" not in capsys.readouterr().out


def test_demo_names_a_page_where_jupyter_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comfy_widgets._demo.find_spec", lambda name: None)
    assert main(["demo", "-o", str(tmp_path)]) == 0
    assert not (tmp_path / "demo.ipynb").exists()
    assert (tmp_path / "demo.html").resolve().as_uri() in capsys.readouterr().out
