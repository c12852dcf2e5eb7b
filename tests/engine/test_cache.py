"""What runs again and what does not."""

from __future__ import annotations

import io
from typing import Any

import requests
from PIL import Image

from .wire import lab_images, png_chunks, run, text_to_image, view

TIMEOUT = 60


def cached(ended: dict[str, Any]) -> set[str]:
    nodes: list[str] = dict(ended["status"]["messages"])["execution_cached"]["nodes"]
    return set(nodes)


def test_the_same_prompt_gives_the_same_files_again(url: str) -> None:
    graph = lab_images()
    first, again = run(url, graph), run(url, graph)
    assert cached(first) == set()
    assert cached(again) == {"1", "2"}
    assert again["outputs"] == first["outputs"]
    assert again["meta"] == {"2": {"node_id": "2", "display_node": "2", "parent_node": None, "real_node_id": "2"}}


def test_a_changed_input_runs_what_depends_on_it(url: str) -> None:
    graph = text_to_image(seed=11)
    run(url, graph)
    graph["6"]["inputs"]["text"] = "a green boat"
    assert cached(run(url, graph)) == {"4", "5", "7"}


def test_ids_do_not_matter_but_results_of_the_prompt_before_the_last_are_forgotten(url: str) -> None:
    graph = lab_images()
    run(url, graph)
    renamed = {"10": graph["1"], "20": {**graph["2"], "inputs": {**graph["2"]["inputs"], "images": ["10", 0]}}}
    assert cached(run(url, renamed)) == {"10", "20"}
    run(url, lab_images())
    assert cached(run(url, graph)) == set()


def test_twins_share_one_file(url: str) -> None:
    graph = lab_images()
    graph["3"] = graph["2"]
    outputs = run(url, graph)["outputs"]
    assert outputs["2"] == outputs["3"]


def test_free_memory_forgets_and_unload_models_does_not(url: str) -> None:
    graph = lab_images()
    run(url, graph)
    requests.post(f"{url}/free", json={"unload_models": True}, timeout=TIMEOUT)
    assert cached(run(url, graph)) == {"1", "2"}
    answer = requests.post(f"{url}/free", json={"free_memory": True}, timeout=TIMEOUT)
    assert (answer.status_code, answer.content) == (200, b"")
    # It works after the current prompt, which may be this one.
    run(url, graph)
    run(url, lab_images())
    assert cached(run(url, graph)) == set()


def test_what_says_that_it_always_changes_always_runs_and_says_so_in_the_file(url: str) -> None:
    graph = {
        "1": {"class_type": "LabAlways", "inputs": {"size": 16}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "always"}},
    }
    first, again = run(url, graph), run(url, graph)
    assert cached(again) == set()
    item = again["outputs"]["2"]["images"][0]
    assert item != first["outputs"]["2"]["images"][0]
    assert b'"is_changed": [NaN]' in dict(png_chunks(view(url, item)))[b"tEXt"]
    assert "is_changed" not in again["prompt"][2]["1"]


def test_the_results_before_a_failure_are_kept(url: str) -> None:
    inputs = {"message": "x", "kind": "ValueError", "after_seconds": 0, "enabled": True, "image": ["1", 0]}
    graph = {**lab_images(), "3": {"class_type": "LabFail", "inputs": inputs}}
    graph["4"] = {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}}
    run(url, graph)
    assert cached(run(url, graph)) == {"1", "2"}


def test_an_uploaded_file_with_new_content_is_read_again(url: str) -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "changing.png"}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    shades = []
    for shade in (10, 200):
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8), (shade, shade, shade)).save(buffer, "PNG")
        files = {"image": ("changing.png", buffer.getvalue())}
        requests.post(f"{url}/upload/image", files=files, data={"overwrite": "true"}, timeout=TIMEOUT)
        item = run(url, graph)["outputs"]["2"]["images"][0]
        shades.append(Image.open(io.BytesIO(view(url, item))).getpixel((0, 0)))
    assert shades == [(10, 10, 10), (200, 200, 200)]
