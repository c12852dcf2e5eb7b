"""Files are written whole or not at all, and never over another unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfy_widgets import Workflow
from comfy_widgets._writing import add_file, json_bytes, replace_file, replacing
from comfy_widgets.workflow import example


def test_half_an_emoji_is_saved_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    example().save(path)
    prompt = example().to_prompt()
    node = next(iter(prompt.values()))
    node["_meta"] = {"title": "half \ud83d and whole 🖼"}
    Workflow.load(prompt).save(path)
    assert Workflow.load(path) == Workflow.load(prompt)
    assert "whole 🖼" in path.read_text(encoding="utf-8")


@given(
    st.recursive(
        st.text(st.characters(exclude_categories=())), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_text_of_json_comes_back(value: object) -> None:
    assert json.loads(json_bytes(value).decode("utf-8")) == value


def test_a_file_stays_where_the_new_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), replacing(path) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_a_link_and_the_rights_of_a_file_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    replace_file(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_new_file_never_takes_a_name_that_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert [add_file(path, content).name for content in (b"1", b"2", b"1", b"2", b"3")] == [
        "a.png",
        "a (1).png",
        "a.png",
        "a (1).png",
        "a (2).png",
    ]
    (tmp_path / "folder.png").mkdir()
    assert add_file(tmp_path / "folder.png", b"x").name == "folder (1).png"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "a (1).png",
        "a (2).png",
        "a.png",
        "folder (1).png",
        "folder.png",
    ]
