"""A damaged or foreign file is an error in words."""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets import ComfyClient
from comfy_widgets.cassettes import Cassette, CassettePlayer
from comfy_widgets.errors import CassetteError, ExecutionFailed

from .conftest import prompt


def write(path: Path, document: Any, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cassette.json", document if isinstance(document, (str, bytes)) else json.dumps(document))
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def good_document(cassette_path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(cassette_path) as archive:
        document: dict[str, Any] = json.loads(archive.read("cassette.json"))
    return document


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match=r"There is no file '.*missing\.cassette'"):
        ComfyClient(f"cassette:{tmp_path / 'missing.cassette'}")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="is a folder"):
        Cassette(tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_what_is_no_zip_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.cassette"
    path.write_bytes(content)
    with pytest.raises(CassetteError, match="is no cassette, or only a part of one"):
        Cassette(path)


def test_another_zip_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(CassetteError, match="is no cassette: it is a zip file without"):
        Cassette(tmp_path / "x.zip")


@pytest.mark.parametrize("document", ["", "{", "[]", "null", "[" * 100_000, {"format": "other"}, b"\xff\xfe\x00"])
def test_another_document(tmp_path: Path, document: Any) -> None:
    with pytest.raises(CassetteError):
        Cassette(write(tmp_path / "x.cassette", document))


def test_a_newer_version_is_named(tmp_path: Path, cassette_path: Path) -> None:
    document = {**good_document(cassette_path), "version": 2}
    with pytest.raises(CassetteError, match="of version 2, and this comfy_widgets reads version 1"):
        Cassette(write(tmp_path / "x.cassette", document))


@pytest.mark.parametrize("field", ["runs", "files", "object_info"])
@pytest.mark.parametrize("value", [None, 3, "x", [3], [{}], {"a": 1}])
def test_a_field_of_another_kind(tmp_path: Path, cassette_path: Path, field: str, value: Any) -> None:
    document = good_document(cassette_path)
    document[field] = value
    try:
        cassette = Cassette(write(tmp_path / "x.cassette", document))
        with CassettePlayer(cassette):
            pass
    except CassetteError as error:
        assert "x.cassette" in str(error)


def test_a_file_that_is_missing_or_is_another(tmp_path: Path, cassette_path: Path) -> None:
    document = good_document(cassette_path)
    sha = document["files"][0]["sha"]
    with pytest.raises(CassetteError, match="is damaged: it lacks the file"):
        CassettePlayer(write(tmp_path / "a.cassette", document))
    with pytest.raises(CassetteError, match="is not what was recorded"):
        Cassette(write(tmp_path / "b.cassette", document, **{f"files/{sha}": b"another"})).content(sha)


def test_any_damage_is_told_in_words(tmp_path: Path, cassette_path: Path) -> None:
    whole = cassette_path.read_bytes()
    chance = random.Random(7)
    for number in range(60):
        damaged = bytearray(whole)
        if number % 3 == 0:
            del damaged[chance.randrange(len(damaged)) :]
        else:
            for _ in range(1 + number % 5):
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        path = tmp_path / f"{number}.cassette"
        path.write_bytes(damaged)
        try:
            cassette = Cassette(path)
            cassette.files()
            cassette.nearest(prompt(1, 3.0))
        except CassetteError as error:
            assert path.name in str(error)


def test_a_bomb_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.cassette"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("cassette.json", "w") as member:
        for _ in range(80):
            member.write(bytes(1 << 20))
    with pytest.raises(CassetteError, match="unpacks to more than a cassette may hold"):
        Cassette(path)


@pytest.mark.parametrize(
    "entry",
    [
        5,
        None,
        "x",
        [],
        [0.1],
        ["a", "executing", "3"],
        [0.1, 5, "3"],
        [0.1, "executing"],
        [0.1, "progress", "3", "a", 2],
    ],
)
def test_a_timeline_that_cannot_be_played_is_told_when_it_is_read(
    tmp_path: Path, cassette_path: Path, entry: Any
) -> None:
    document = good_document(cassette_path)
    document["runs"][0]["timeline"].insert(1, entry)
    with pytest.raises(CassetteError, match="an entry of a timeline is"):
        Cassette(write(tmp_path / "x.cassette", document))


def test_a_value_that_is_nested_deeply_is_opened_or_told(tmp_path: Path, cassette_path: Path) -> None:
    document = good_document(cassette_path)
    deep: Any = 1
    for _ in range(500):
        deep = [deep]
    document["runs"][0]["prompt"]["3"]["inputs"]["seed"] = deep
    # Before Python 3.12 it is too deep.
    try:
        assert len(Cassette(write(tmp_path / "x.cassette", document)).runs) == len(document["runs"])
    except CassetteError as error:
        assert "is damaged" in str(error)


def test_outputs_that_are_no_files_have_no_images(tmp_path: Path, cassette_path: Path) -> None:
    document = good_document(cassette_path)
    document["runs"][0]["outputs"] = {"9": {"images": [None, 5, "x", []]}}
    cassette = Cassette(write(tmp_path / "x.cassette", document))
    assert cassette.images(cassette.runs[0]) == []


def test_a_run_whose_preview_is_missing_fails_and_does_not_hang(tmp_path: Path, cassette_path: Path) -> None:
    with zipfile.ZipFile(cassette_path) as archive:
        document = json.loads(archive.read("cassette.json"))
        files = {name: archive.read(name) for name in archive.namelist() if name != "cassette.json"}
    run = document["runs"][0]
    run["timeline"].insert(0, [0.0, "preview", next(iter(run["prompt"])), "nothing"])
    path = write(tmp_path / "x.cassette", document, **files)
    with (
        CassettePlayer(path, speed="instant") as player,
        ComfyClient(player.url) as client,
        pytest.raises(ExecutionFailed, match="it lacks the file nothing"),
    ):
        client.run(run["prompt"], timeout=60)
