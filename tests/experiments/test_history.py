"""The history of runs: found again in another kernel, searched, starred and forgotten."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import Experiment, File, Result
from comfy_widgets.client import JobStatus
from comfy_widgets.errors import ExperimentError, FileGone
from comfy_widgets.experiments import RunHistory


def png(color: str, size: tuple[int, int] = (64, 48)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG")
    return stream.getvalue()


def result_of(prompt_id: str, contents: dict[str, bytes], **fields: Any) -> Result:
    """A result with these files; a name may have a subfolder."""
    names = [name.rpartition("/") for name in contents]
    items = [{"filename": file, "subfolder": folder, "type": "output"} for folder, _, file in names]

    def fetch(file: File) -> bytes:
        name = f"{file.subfolder}/{file.filename}" if file.subfolder else file.filename
        if name not in contents:
            raise FileGone("It is gone.", file=file)
        return contents[name]

    given: dict[str, Any] = {"elapsed": 1.5, "warnings": (), "fetch": fetch, **fields}
    outputs = given.pop("outputs", {"9": {"images": items}})
    return Result(prompt_id, {"9": {"class_type": "SaveImage", "inputs": {}}}, JobStatus.COMPLETED, outputs, **given)


def keep(history: RunHistory, prompt_id: str, color: str = "red", **fields: Any) -> None:
    details = [("Positive prompt", f"A {color} Cat", ""), ("CFG", "7.0", ""), ("Seed", str(2**64 - 1), "")]
    given: dict[str, Any] = {"title": "Cats", "started": 1000.0, "finished": 1002.0, "details": details, "count": 1}
    given["values"] = {"positive": f"A {color} Cat", "cfg": 7.0, "seed": 2**64 - 1}
    result = result_of(prompt_id, {"cat.png": png(color)})
    history.add(fields.pop("result", result), **{**given, **fields})


@pytest.fixture
def history(tmp_path: Path) -> Iterator[RunHistory]:
    with closing(RunHistory(tmp_path / "runs")) as made:
        yield made


def test_a_run_is_there_again_with_all_that_is_known_of_it(history: RunHistory) -> None:
    contents = {"a.png": png("red"), "sub/a.png": png("blue"), "clip.mp4": b"video"}
    result = result_of("p1", contents, streamed=(png("lime"),))
    keep(history, "p1", result=result, server="A GPU", error="")
    with closing(RunHistory(history.folder)) as other:
        (run,) = other
        assert (run.number, run.title, run.status, run.seconds, run.server) == (1, "Cats", "completed", 1.5, "A GPU")
        assert (run.started, run.finished, run.prompt_id) == (1000.0, 1002.0, "p1")
        assert run.values == {"positive": "A red Cat", "cfg": 7.0, "seed": 2**64 - 1}
        assert run.details[1] == ("CFG", "7.0", "")
        assert run.result == result and run.result.prompt == result.prompt
        assert [image.getpixel((0, 0)) for image in run.images] == [(255, 0, 0), (0, 0, 255), (0, 255, 0)]
        assert [run.result.bytes(file) for file in run.result.files] == list(contents.values())
        cover = other.covers([run])[1]
        assert Image.open(io.BytesIO(cover)).size == (64, 48) and run.cover == cover


def test_it_is_a_sequence_with_the_newest_first(history: RunHistory) -> None:
    for number in (0, 2, 1, 3, 4):
        keep(history, f"p{number}", started=float(number))
    assert len(history) == 5 and history[0].prompt_id == "p4" and history[-1].prompt_id == "p0"
    assert [run.prompt_id for run in history[1:3]] == ["p3", "p2"]
    assert [run.prompt_id for run in history[::-2]] == ["p0", "p2", "p4"]
    assert [run.prompt_id for run in history.page(3, 60)] == ["p1", "p0"]
    assert history[9:] == [] and repr(history).startswith("<RunHistory of 5 runs in ")
    with pytest.raises(IndexError):
        history[5]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["p2", "p1", "p0"]),
        ("RED", ["p0"]),
        ("cat 100", ["p2"]),
        ("cat 200", []),
        ("cat red", ["p0"]),
        ('"cfg 7"', ["p2", "p1", "p0"]),
        ('"7 cfg"', []),
        ("été", ["p2"]),
        ("100%", ["p2"]),
        ("_", []),
        ('"', ["p2", "p1", "p0"]),
        ("18446744073709551615", ["p2", "p1", "p0"]),
    ],
)
def test_it_is_searched_by_words(history: RunHistory, text: str, found: list[str]) -> None:
    for number, color in enumerate(["red", "blue", "100% Été"]):
        keep(
            history,
            f"p{number}",
            "red",
            details=[("Prompt", f"a {color} CAT", ""), ("CFG", "7.0", ""), ("Seed", str(2**64 - 1), "")],
        )
    assert [run.prompt_id for run in history.search(text)] == found
    assert history.count(text) == len(found)


def test_a_run_is_kept_once(history: RunHistory) -> None:
    keep(history, "p1", title="first")
    keep(history, "p1", title="again")
    assert [run.title for run in history] == ["first"]
    assert len(history[0].images) == 1


def test_a_run_is_shown_as_its_images(history: RunHistory) -> None:
    keep(history, "p1", count=2)
    assert repr(history[0]) == "<PastRun 1 of Cats: completed, 2 images, 'A red Cat'>"
    bundle = history[0]._repr_mimebundle_()
    assert bundle == history[0].result._repr_mimebundle_() and "image/jpeg" in bundle


def test_stars_stay(history: RunHistory) -> None:
    keep(history, "p1")
    keep(history, "p2")
    history.star(history[1].number, [0])
    with closing(RunHistory(history.folder)) as other:
        assert [run.prompt_id for run in other.search(starred=True)] == ["p1"] and other[1].starred == (0,)
        assert other.search("dog", starred=True) == []


def test_what_is_forgotten_leaves_what_others_need(history: RunHistory) -> None:
    same = png("red")
    keep(history, "p1", result=result_of("p1", {"a.png": same, "b.png": png("blue")}))
    keep(history, "p2", result=result_of("p2", {"a.png": same}))
    files = history.folder / "files"
    assert len(list(files.iterdir())) == 2
    run = history[1]
    history.remove(run.number)
    assert len(list(files.iterdir())) == 1 and history[0].images[0].size == (64, 48) and history[0].cover
    with pytest.raises(ExperimentError, match=r"Run 1 is not in .*runs any more"):
        _ = run.result
    history.remove(history[0].number)
    history.remove(99)
    assert len(history) == 0 and list(files.iterdir()) == []
    keep(history, "p3")
    # A number that somebody has written down never means another run.
    assert history[0].number == 3


def test_a_file_that_another_kernel_removes_meanwhile_is_kept(history: RunHistory) -> None:
    keep(history, "p1")
    again = result_of("p2", {"cat.png": png("red"), "dog.png": png("blue")})
    fetch = again.fetch

    def forget(file: File) -> bytes:
        if file.filename == "dog.png":
            # The cat stands in the folder, and no row names it yet.
            with closing(RunHistory(history.folder)) as other:
                other.remove(1)
        return fetch(file)

    keep(history, "p2", result=replace(again, fetch=forget))
    assert [run.prompt_id for run in history] == ["p2"] and len(history[0].images) == 2


def test_an_input_of_a_sweep_stays(history: RunHistory) -> None:
    keep(history, "p1")
    (file,) = (history.folder / "files").iterdir()
    with closing(sqlite3.connect(history.folder / "experiment.db")) as database, database:
        database.execute("INSERT INTO run VALUES (1, 's', 's', 1.0, ?)", (f'{{"file": "{file.name}"}}',))
    history.remove(1)
    assert file.is_file()


def test_a_sweep_and_a_history_share_a_folder(run_sweep: Callable[..., Experiment], tmp_path: Path) -> None:
    run = run_sweep(seed=range(2)).wait(30)
    with closing(RunHistory(tmp_path / "store")) as history:
        keep(history, "p1")
        history.remove(1)
    assert [len(cell.files) for cell in run.cells] == [1, 1]
    assert all(file.path.is_file() for cell in run.cells for file in cell.files)
    assert run_sweep(seed=range(2)).price.stored == 2


def test_a_file_that_is_gone_is_told_of(history: RunHistory) -> None:
    keep(history, "p1")
    for file in (history.folder / "files").iterdir():
        file.unlink()
    with pytest.raises(FileGone, match=r"cat\.png is not in the folder of the history any more"):
        _ = history[0].images


def test_a_file_that_the_server_has_lost_is_left_out(history: RunHistory) -> None:
    outputs = {"9": {"images": [{"filename": name, "type": "output"} for name in ("gone.png", "a.png")]}}
    keep(history, "p1", result=result_of("p1", {"a.png": png("red")}, outputs=outputs))
    assert [image.size for image in history[0].images] == [(64, 48)]


def test_nothing_is_kept_of_a_run_whose_files_cannot_be_written(history: RunHistory) -> None:
    keep(history, "p1")
    files = history.folder / "files"
    files.rename(history.folder / "elsewhere")
    with pytest.raises(ExperimentError, match=r"The history in .*runs cannot be written"):
        keep(history, "p2", "blue")
    (history.folder / "elsewhere").rename(files)
    keep(history, "p3", "blue")
    assert [run.prompt_id for run in history] == ["p3", "p1"]


def test_a_failed_run_says_why(history: RunHistory) -> None:
    failed = replace(result_of("p1", {}), status=JobStatus.FAILED, outputs={})
    keep(history, "p1", result=failed, error="KSampler: out of memory", count=0)
    run = history.search("memory")[0]
    assert (run.status, run.error, run.count, run.cover) == ("failed", "KSampler: out of memory", 0, None)


def test_a_folder_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(ExperimentError, match="cannot be written"):
        RunHistory(tmp_path / "file")


def test_half_an_emoji_can_be_kept_and_searched(history: RunHistory) -> None:
    keep(history, "p1", details=[("Prompt", "a \ud83d cat", "")])
    assert [run.prompt_id for run in history.search("cat")] == ["p1"]
