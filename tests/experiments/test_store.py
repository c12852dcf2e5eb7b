"""The store: never stale, never overwritten, and whole after whatever happens."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import ComfyClient, Workflow
from comfy_widgets.errors import ExperimentError
from comfy_widgets.experiments import Experiment, Store, lora, replace, resume, together
from comfy_widgets.experiments._schema import APPLICATION, VERSION
from comfy_widgets.testing import ScriptedServer, node_info
from comfy_widgets.workflow import fingerprint

Sweep = Callable[..., Experiment]


def test_an_added_value_runs_only_what_is_new(run_sweep: Sweep, server: ScriptedServer) -> None:
    run_sweep(seed=range(3), cfg=[2, 5]).wait(30)
    run = run_sweep(seed=range(4), cfg=[2, 5]).wait(30)
    assert run.price.stored == 6 and len(server.posted) == 8
    assert [cell.stored for cell in run] == [True] * 6 + [False] * 2


def axis_kinds(server: ScriptedServer) -> dict[str, Any]:
    server.object_info["LoraLoader"] = node_info(
        "LoraLoader",
        "Load LoRA",
        {
            "model": ["MODEL", {}],
            "clip": ["CLIP", {}],
            "lora_name": [["ink.safetensors"], {}],
            "strength_model": ["FLOAT", {"default": 1.0}],
            "strength_clip": ["FLOAT", {"default": 1.0}],
        },
        ("MODEL", "CLIP"),
    )
    return {
        "number": {"seed": range(2)},
        "choice": {"sampler_name": ["euler", "heun"]},
        "text": {"positive": replace("cat", ["cat", "dog"])},
        "together": {"size": together(width=[64, 128], height=[128, 64])},
        "lora": {"style": lora("ink", [0.5, 1])},
        "model": {"ckpt_name": ["model.safetensors", "other.safetensors"]},
    }


@pytest.mark.parametrize("kind", ["number", "choice", "text", "together", "lora", "model"])
def test_a_changed_base_reuses_nothing(run_sweep: Sweep, server: ScriptedServer, workflow: Workflow, kind: str) -> None:
    axes = axis_kinds(server)[kind]
    run_sweep(**axes).wait(30)
    again = run_sweep(**axes).wait(30)
    assert len(server.posted) == 2 and again.price.stored == 2
    # What was sent is what the results are kept under.
    assert {fingerprint(body["prompt"]) for body in server.posted} == {cell.key for cell in again}
    changed = run_sweep(workflow.with_params(negative="rain"), **axes).wait(30)
    assert changed.price.stored == 0 and len(server.posted) == 4


def test_what_is_drawn_for_a_run_is_drawn_once(run_sweep: Sweep, server: ScriptedServer, workflow: Workflow) -> None:
    chance = workflow.with_params(
        {
            "seed": "random",
            "negative": "a {dark|light|grey} sky",
            "SaveImage.filename_prefix": "%date:hhmmss% %KSampler.cfg%",
        }
    )
    axes = {"cfg": [2, 5], "positive": ["a {red|green|blue|black} cat"]}
    run = run_sweep(chance, **axes).wait(30)
    bodies = [body["prompt"] for body in server.posted]
    assert len({body["3"]["inputs"]["seed"] for body in bodies}) == 1
    assert len({body["6"]["inputs"]["text"] for body in bodies}) == 1 and "{" not in bodies[0]["6"]["inputs"]["text"]
    assert len({body["7"]["inputs"]["text"] for body in bodies}) == 1 and "{" not in bodies[0]["7"]["inputs"]["text"]
    prefixes = sorted(body["9"]["inputs"]["filename_prefix"].split()[1] for body in bodies)
    assert prefixes == ["2", "5"] and "%" not in bodies[0]["9"]["inputs"]["filename_prefix"]
    # The date is another one by now, and the cells are the same.
    assert run_sweep(chance, **axes).wait(30).price.stored == 2
    run.close()
    again = resume(run.folder, client=run._client).wait(30)
    assert again.price.stored == 2 and len(server.posted) == 2
    again.close()


def test_an_image_of_the_same_name_is_another_image(run_sweep: Sweep, server: ScriptedServer, tmp_path: Path) -> None:
    of_image = Workflow.load(
        {
            "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
            "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        }
    )
    path = tmp_path / "input.png"
    for colour in ("red", "blue", "red"):
        Image.new("RGB", (8, 8), colour).save(path)
        run_sweep(of_image, image=[path]).wait(30)
    assert len(server.posted) == 2


def test_results_are_files_named_by_their_content_and_plain_sqlite(run_sweep: Sweep) -> None:
    run = run_sweep(seed=range(2)).wait(30)
    files = [file for cell in run for file in cell.files]
    assert all(file.path.is_file() and file.path.stem == file.sha256 for file in files)
    with closing(sqlite3.connect(run.folder / "experiment.db")) as database:
        rows = database.execute(
            "SELECT json_extract(cell.labels, '$.seed'), result.status, file.extension FROM cell "
            "JOIN result USING (key) JOIN file USING (key) ORDER BY cell.number"
        ).fetchall()
        assert rows == [("0", "completed", "png"), ("1", "completed", "png")]
        assert database.execute("SELECT count(*) FROM claim").fetchone() == (0,)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_is_gone_or_cut_is_made_again(run_sweep: Sweep, server: ScriptedServer) -> None:
    run = run_sweep(seed=range(3)).wait(30)
    run[0].files[0].path.unlink()
    run[1].files[0].path.write_bytes(b"cut")
    again = run_sweep(seed=range(3)).wait(30)
    assert again.price.stored == 1 and len(server.posted) == 5
    assert all(cell.image is not None for cell in again)


def test_another_workflow_needs_another_folder(run_sweep: Sweep, server: ScriptedServer, workflow: Workflow) -> None:
    run_sweep(name="cats", seed=[1]).wait(30)
    other = workflow.remove("SaveImage").add("PreviewImage", images=("VAEDecode", 0))
    with pytest.raises(ExperimentError, match="keeps the experiment 'cats' of another workflow"):
        run_sweep(other, seed=[1])
    assert len(server.posted) == 1


@pytest.mark.parametrize(
    "content", [b"this is no database at all, but a text of somebody's own", b"SQLite format 3\0" * 9]
)
def test_what_is_no_database_is_left_alone(run_sweep: Sweep, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "experiment.db").write_bytes(content)
    with pytest.raises(ExperimentError, match="left as it is"):
        run_sweep(seed=[1])
    assert (tmp_path / "store" / "experiment.db").read_bytes() == content


def test_a_database_of_another_program_is_left_alone(run_sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    path = tmp_path / "store" / "experiment.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE cell (recipe TEXT)")
        database.commit()
    before = path.read_bytes()
    with pytest.raises(ExperimentError, match="belongs to another program"):
        run_sweep(seed=[1])
    assert path.read_bytes() == before


def test_a_damaged_database_is_told_and_left_alone(run_sweep: Sweep, tmp_path: Path) -> None:
    run = run_sweep(seed=range(30)).wait(60)
    run.close()
    path = run.folder / "experiment.db"
    content = bytearray(path.read_bytes())
    content[4096:20480] = b"\xff" * 16384
    path.write_bytes(content)
    with pytest.raises(ExperimentError, match="left as it"):
        run_sweep(seed=range(30))
    assert path.read_bytes() == content


def test_a_newer_schema_is_refused_and_an_older_one_migrated(run_sweep: Sweep, server: ScriptedServer) -> None:
    run = run_sweep(seed=range(2)).wait(30)
    run.close()
    path = run.folder / "experiment.db"
    with closing(sqlite3.connect(path)) as database:
        # As version 1 left it: nobody could rate, and no folder was indexed and no history kept yet.
        for table in ("rating", "image_lora", "image", "history"):
            database.execute(f"DROP TABLE {table}")
        database.execute("DROP INDEX file_by_sha256")
        database.execute("PRAGMA user_version = 1")
    migrated = run_sweep(seed=range(2)).wait(30)
    migrated[0].rate(4)
    assert migrated[0].rating.stars == 4 and len(server.posted) == 2
    migrated.close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(ExperimentError, match="a newer version"):
        run_sweep(seed=range(2))


def test_a_folder_that_cannot_be_written_is_told_before_anything_runs(
    run_sweep: Sweep, server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "a\0b"):
        with pytest.raises(ExperimentError, match="cannot be written"):
            run_sweep(seed=[1], folder=folder)
    assert server.posted == []


def test_resuming_needs_an_experiment(tmp_path: Path, client: ComfyClient) -> None:
    with pytest.raises(ExperimentError, match="no experiment in"):
        resume(tmp_path / "nothing", client=client)
    assert not (tmp_path / "nothing").exists()
    Store(tmp_path / "empty").close()
    with pytest.raises(ExperimentError, match="no sweep that could be resumed"):
        resume(tmp_path / "empty", client=client)


@contextmanager
def nearly_full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: writing then fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_loses_nothing_that_was_finished(run_sweep: Sweep, server: ScriptedServer) -> None:
    with nearly_full_disk(200_000):
        run = run_sweep(seed=range(40))
        with pytest.raises(ExperimentError, match="Make room, then resume"):
            run.wait(60)
    finished = run.counts["completed"]
    assert run.status == "paused" and 0 < finished < 40
    run.resume().wait(60)
    seeds = [body["prompt"]["3"]["inputs"]["seed"] for body in server.posted]
    assert run.counts == {"completed": 40} and sorted(seeds) == list(range(40))
    assert all(cell.image is not None for cell in run)


def test_ratings_stay_with_the_result(run_sweep: Sweep) -> None:
    run = run_sweep(seed=range(2)).wait(30)
    run[0].rate(5, note="the one")
    run[1].reject()
    again = run_sweep(seed=[1, 0]).wait(30)
    assert (again[1].rating.stars, again[1].rating.note, again[0].rating.rejected) == (5, "the one", True)
    again[1].rate(0)
    assert run[0].rating.stars == 0
    with pytest.raises(ValueError, match="from 0 to 5"):
        run[0].rate(6)
