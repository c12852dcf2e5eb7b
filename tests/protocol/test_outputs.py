"""What is read from the outputs of nodes, in the shapes that node packs give them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comfy_widgets.protocol import File, files_of, images_of, texts_of


def named(output: Any) -> list[tuple[str, str, str]]:
    return [(file.subfolder, file.filename, file.type) for file in files_of({"9": output})]


@pytest.mark.parametrize(
    ("output", "files"),
    [
        ({"images": {"filename": "a.png"}}, [("", "a.png", "output")]),
        ({"images": [[{"filename": "a.png"}], [[{"filename": "b.png", "type": "temp"}]]]}, None),
        ({"images": "a.png"}, [("", "a.png", "output")]),
        ({"images": ["sub/deep/a.png", "b.webp [temp]"]}, [("sub/deep", "a.png", "output"), ("", "b.webp", "temp")]),
        ({"video": "clip.mp4"}, [("", "clip.mp4", "output")]),
        ({"result": ["3d/mesh.glb"]}, [("3d", "mesh.glb", "output")]),
        (
            {"result": ["mesh.glb", {"position": {"x": 1}}, "temp/bg.png"]},
            [("", "mesh.glb", "output"), ("", "bg.png", "temp")],
        ),
    ],
)
def test_files_in_any_shape(output: Any, files: list[tuple[str, str, str]] | None) -> None:
    assert named(output) == (files or [("", "a.png", "output"), ("", "b.png", "temp")])
    assert texts_of({"9": output}) == ()


@pytest.mark.parametrize(
    ("output", "texts"),
    [
        ({"text": "bare"}, ("bare",)),
        ({"text": [1, 2.5, True, "a", None]}, ("1", "2.5", "True", "a")),
        ({"text": [["a", ["b"]], "c"]}, ("a", "b", "c")),
        ({"text": 7}, ("7",)),
        ({"tags": ["cat, dog"]}, ("cat, dog",)),
        ({"string": "s"}, ("s",)),
        ({"value": [0.5]}, ("0.5",)),
        ({"result": ["just words"]}, ("just words",)),
        ({"text": [{"a": 1}]}, ('text: [{"a": 1}]',)),
        ({"bbox": [[1, 2], [3, 4]]}, ("bbox: 1, 2, 3, 4",)),
        ({"images": ["no file"], "note": "n"}, ("images: no file", "note: n")),
        ({"images": ["https://example.org/a.png"]}, ("images: https://example.org/a.png",)),
        ({"text": ["a.png"]}, ("a.png",)),
        ({"string": ["a.png"]}, ("a.png",)),
    ],
)
def test_whatever_a_node_gave_is_told(output: Any, texts: tuple[str, ...]) -> None:
    assert texts_of({"9": output}) == texts
    assert files_of({"9": output}) == ()


@pytest.mark.parametrize("output", [{}, None, [], {"animated": [True]}, {"images": []}, {"text": [None]}, "x", 3])
def test_nothing_is_nothing(output: Any) -> None:
    assert texts_of({"9": output}) == ()
    assert files_of({"9": output}) == ()


def test_what_a_node_tells_besides_is_left_alone() -> None:
    outputs = {"9": {"images": [{"filename": "a.png"}], "animated": [True], "ids": [4], "string": "b.png"}}
    assert files_of(outputs) == (File("a.png"),)
    assert texts_of(outputs) == ()


def test_an_input_that_is_shown_again_is_no_image_of_the_run() -> None:
    outputs = {"9": {"images": [{"filename": "a.png", "type": "input"}, {"filename": "b.exr"}]}}
    assert [file.filename for file in images_of(outputs)] == ["b.exr"]


def test_depth_and_length_are_bounded() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    assert len(texts_of({"9": {"text": deep}})) == 1
    (text,) = texts_of({"9": {"pixels": ["ab"] * 10**5}})
    assert "characters left out" in text
    assert len(text) < 3000


@pytest.mark.parametrize(
    ("name", "is_media"),
    [
        ("a.PNG", True),
        ("v.webm", True),
        ("notes.txt", True),
        ("mesh.glb", True),
        ("numpy.py", False),
        (".bashrc", False),
        ("Makefile", False),
        ("page.html", False),
        ("a.png.exe", False),
        ("", False),
    ],
)
def test_what_is_media_by_its_name(name: str, is_media: bool) -> None:
    assert File(name, key="images").is_media is is_media


def test_outputs_survive_json() -> None:
    outputs = {"9": {"images": [{"filename": "\ud83d.png", "subfolder": "\x00"}], "text": ["\ud83d"]}}
    again = json.loads(json.dumps(outputs))
    assert files_of(again)[0].filename == "\ud83d.png"
    assert texts_of(again) == ("\ud83d",)
