"""The command line, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from comfy_widgets import Engine, Workflow, example
from comfy_widgets.cli import main


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


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(command in out for command in ("demo", "engine", "run", "convert", "doctor"))


def test_demo_makes_pictures_without_any_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "-o", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("*.png"))) == 4
    assert "no large model" in capsys.readouterr().out
