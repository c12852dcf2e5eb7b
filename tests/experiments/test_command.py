"""``comfy-widgets sweep``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from comfy_widgets.cli import main
from comfy_widgets.experiments import parse_axis
from comfy_widgets.testing import ScriptedServer, text_to_image


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    path = tmp_path / "flow.json"
    path.write_text(json.dumps(text_to_image()))
    return path


def test_a_sweep_and_its_resumption(
    server: ScriptedServer, flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["sweep", str(flow), "-p", "seed=0..3", "-p", "cfg=2,5,8", "-p", "steps=1", "--url", server.url]
    assert main([*words, "-o", str(tmp_path / "out")]) == 0
    assert len(server.posted) == 12
    assert f"12 of 12 cells are in {tmp_path / 'out'}" in capsys.readouterr().out
    resumed = ["sweep", "--resume", str(tmp_path / "out"), "--url", server.url, "--export", str(tmp_path / "images")]
    assert main(resumed) == 0 and len(server.posted) == 12
    assert len(list((tmp_path / "images").glob("*.png"))) == 12


def test_what_failed_is_told(
    server: ScriptedServer, flow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from comfy_widgets.testing import standard_run

    server.play(standard_run(fail_at="3"))
    assert main(["sweep", str(flow), "-p", "seed=0..1", "-o", str(tmp_path / "out"), "--url", server.url]) == 1
    told = capsys.readouterr()
    assert "seed=0: KSampler" in told.err and "1 of 2 cells" in told.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Name a workflow file"),
        (["{flow}", "--resume", "x"], "Name a workflow file"),
        (["nothing.json"], "no file 'nothing.json'"),
        (["--resume", "nothing"], "no experiment in"),
        (["{flow}", "-p", "seed"], "is no axis"),
        (["{flow}", "-p", "sed=1,2"], "Did you mean 'seed'"),
        (["{flow}", "-p", "seed=0..200"], "only with --yes"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    server: ScriptedServer,
    flow: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", *(word.format(flow=flow) for word in words), "--url", server.url]) == 1
    assert told in capsys.readouterr().err
    assert server.posted == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("seed=0..3", [0, 1, 2, 3]),
        ("seed=3..1", [3, 2, 1]),
        ("steps=10..30..10", [10, 20, 30]),
        ("cfg=2,5.5,8", [2, 5.5, 8]),
        ("cfg=7", 7),
        ("sampler_name=euler,heun", ["euler", "heun"]),
        ("sampler_name=euler", "euler"),
        ("positive=a cat, a dog", "a cat, a dog"),
        ('positive=["a cat", "a dog"]', ["a cat", "a dog"]),
        ("positive=", ""),
    ],
)
def test_values_are_written_as_people_do(text: str, value: object) -> None:
    assert parse_axis(text) == (text.partition("=")[0], value)


@pytest.mark.parametrize("text", ["seed", "=3", "seed=0..99999999", "seed=1..5..0"])
def test_what_is_no_axis_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="seed"):
        parse_axis(text)
