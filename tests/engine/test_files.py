"""/view, the uploads, and the files that are written."""

from __future__ import annotations

import io
import json
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from comfy_widgets.engine._files import expand_prefix
from comfy_widgets.engine._png import encode_png

from .wire import entry, lab_images, png_chunks, run, submit, view

TIMEOUT = 60


def png(colour: Any = (255, 0, 0), mode: str = "RGB", size: tuple[int, int] = (12, 8)) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def upload(url: str, name: str, content: bytes, route: str = "image", **fields: str) -> requests.Response:
    return requests.post(f"{url}/upload/{route}", files={"image": (name, content)}, data=fields, timeout=TIMEOUT)


def get(url: str, query: str, **headers: str) -> requests.Response:
    return requests.get(f"{url}/view?{query}", headers=headers, timeout=TIMEOUT)


@pytest.fixture(scope="module")
def stored(engine: Any) -> str:
    """The name of a picture in the input folder, with alpha."""
    name = f"in_{uuid.uuid4().hex[:8]}.png"
    assert upload(engine.url, name, png((255, 0, 0, 128), "RGBA")).json() == {
        "name": name, "subfolder": "", "type": "input",
    }  # fmt: skip
    return name


class TestView:
    def test_the_file_itself(self, url: str, stored: str) -> None:
        answer = get(url, f"filename={stored}&type=input")
        assert answer.content == png((255, 0, 0, 128), "RGBA")
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Content-Disposition"] == f'filename="{stored}"'
        assert answer.headers["Accept-Ranges"] == "bytes"

    def test_part_of_it_and_not_again(self, url: str, stored: str) -> None:
        whole = get(url, f"filename={stored}&type=input")
        part = get(url, f"filename={stored}&type=input", Range="bytes=4-11")
        assert (part.status_code, part.content) == (206, whole.content[4:12])
        again = {"If-None-Match": whole.headers["Etag"]}
        assert get(url, f"filename={stored}&type=input", **again).status_code == 304
        head = requests.head(f"{url}/view?filename={stored}&type=input", timeout=TIMEOUT)
        assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(whole.content)))

    @pytest.mark.parametrize(
        ("preview", "kind"),
        [("webp;90", "webp"), ("webp%3B90", "webp"), ("jpeg;50", "jpeg"), ("webp", "webp"), ("gif;10", "webp")],
    )
    def test_previews(self, url: str, stored: str, preview: str, kind: str) -> None:
        answer = get(url, f"filename={stored}&type=input&preview={preview}")
        assert answer.headers["Content-Type"] == f"image/{kind}"
        picture = Image.open(io.BytesIO(answer.content))
        assert (picture.format, picture.size) == (kind.upper(), (12, 8))

    def test_channels(self, url: str, stored: str) -> None:
        def first_pixel(channel: str) -> Any:
            content = get(url, f"filename={stored}&type=input&channel={channel}").content
            return Image.open(io.BytesIO(content)).getpixel((0, 0))

        assert first_pixel("rgb") == (255, 0, 0)
        assert first_pixel("a") == (0, 0, 0, 128)
        assert first_pixel("rgba") == (255, 0, 0, 128)

    def test_the_folder_in_the_name_wins_and_directories_are_dropped(self, url: str, stored: str) -> None:
        assert get(url, f"filename={stored} [input]&type=output").status_code == 200
        assert get(url, f"filename=a%2Fb%2F{stored}&type=input").status_code == 200

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ("", 404),
            ("filename=", 400),
            ("filename=no_such_file.png", 404),
            ("filename=no_such_file.png&type=temp", 404),
            ("filename={}&type=nonsense", 400),
            ("filename=../../etc/passwd", 400),
            ("filename=..%2F..%2Fx", 400),
            ("filename=a..png", 400),
            ("filename=%2Fetc%2Fpasswd", 400),
            ("filename={}&type=input&subfolder=../..", 403),
            ("filename={}&type=input&subfolder=%2Fetc", 403),
            ("filename={}&type=input&subfolder=none", 404),
        ],
    )
    def test_refusals(self, url: str, stored: str, query: str, status: int) -> None:
        answer = get(url, query.format(stored))
        assert (answer.status_code, answer.content) == (status, b"")

    def test_a_preview_of_something_else_is_500(self, url: str) -> None:
        upload(url, "words.png", b"no picture")
        assert get(url, "filename=words.png&type=input").content == b"no picture"
        assert get(url, "filename=words.png&type=input&preview=webp").status_code == 500

    def test_what_a_browser_would_run_is_sent_as_bytes(self, url: str) -> None:
        upload(url, "page.html", b"<script>1</script>")
        assert get(url, "filename=page.html&type=input").headers["Content-Type"] == "application/octet-stream"


class TestUpload:
    def test_names(self, url: str) -> None:
        name = f"ünï ✓ {uuid.uuid4().hex[:6]}.png"
        red, blue = png("red"), png("blue")
        stem = name.removesuffix(".png")
        assert upload(url, name, red).json()["name"] == name
        assert upload(url, name, red).json()["name"] == name
        assert upload(url, name, blue).json()["name"] == f"{stem} (1).png"
        assert upload(url, name, blue, overwrite="True").json()["name"] == f"{stem} (1).png"
        assert upload(url, name, blue, overwrite="true").json()["name"] == name
        assert view(url, {"filename": name, "type": "input"}) == blue

    @pytest.mark.parametrize("kind", ["input", "temp", "output"])
    def test_places(self, url: str, kind: str) -> None:
        answer = upload(url, "placed.png", png(), type=kind, subfolder="a/b", overwrite="1").json()
        assert answer == {"name": "placed.png", "subfolder": "a/b", "type": kind}
        assert view(url, {"filename": "placed.png", "subfolder": "a/b", "type": kind}) == png()

    def test_refusals(self, url: str) -> None:
        assert upload(url, "x.png", png(), subfolder="../../evil").status_code == 400
        assert upload(url, "../../x.png", png()).status_code == 400
        assert upload(url, "x.png", png(), type="nonsense").status_code == 500
        nothing = {"other": ("x.png", png())}
        assert requests.post(f"{url}/upload/image", files=nothing, timeout=TIMEOUT).status_code == 400
        words = requests.post(f"{url}/upload/image", files={"image": (None, "words")}, timeout=TIMEOUT)
        assert words.status_code == 500

    def test_a_mask(self, url: str) -> None:
        upload(url, "original.png", png((10, 20, 30)), overwrite="1")
        reference = json.dumps({"filename": "original.png", "subfolder": "", "type": "input"})
        mask = png((0, 0, 0, 77), "RGBA")
        assert upload(url, "mask.png", mask, "mask", original_ref=reference, overwrite="1").status_code == 200
        stored = view(url, {"filename": "mask.png", "type": "input"})
        assert Image.open(io.BytesIO(stored)).getpixel((3, 3)) == (10, 20, 30, 77)
        lost = json.dumps({"filename": "gone.png", "type": "input"})
        assert upload(url, "mask2.png", mask, "mask", original_ref=lost).status_code == 200
        assert get(url, "filename=mask2.png&type=input").status_code == 404
        assert upload(url, "mask3.png", mask, "mask").status_code == 500


class TestSavedFiles:
    def test_they_carry_the_prompt_and_every_extra_key(self, url: str) -> None:
        graph = lab_images()
        extra = {"workflow": {"note": "ünïcode ✓"}, "lab": [1, 2]}
        ended = entry(url, submit(url, graph, "x", extra_data={"extra_pnginfo": extra}))
        chunks = png_chunks(view(url, ended["outputs"]["2"]["images"][0]))
        texts = {text.split(b"\0")[0].decode(): text.split(b"\0")[1] for kind, text in chunks if kind == b"tEXt"}
        assert {key: json.loads(text) for key, text in texts.items()} == {"prompt": graph, **extra}
        assert all(text.isascii() for text in texts.values())

    def test_names_count_on_and_go_into_subfolders(self, url: str) -> None:
        mark = uuid.uuid4().hex[:6]
        graph = lab_images(count=2)
        graph["2"]["inputs"]["filename_prefix"] = f"sub/%year%/{mark}-%width%x%height%"
        first = run(url, graph)["outputs"]["2"]["images"]
        folder = f"sub/{time.localtime().tm_year}"
        assert first == [
            {"filename": f"{mark}-16x16_0000{n}_.png", "subfolder": folder, "type": "output"} for n in (1, 2)
        ]
        graph["1"]["inputs"]["seed"] += 1
        assert run(url, graph)["outputs"]["2"]["images"][0]["filename"] == f"{mark}-16x16_00003_.png"

    def test_a_prefix_that_leads_out_is_an_error_of_the_node(self, url: str) -> None:
        graph = lab_images()
        graph["2"]["inputs"]["filename_prefix"] = "../../evil"
        error = run(url, graph)["status"]["messages"][-1][1]
        assert (error["node_id"], error["exception_type"]) == ("2", "ValueError")
        assert "'../../evil' leads out of the output folder" in error["exception_message"]

    def test_unknown_place_holders_stay(self) -> None:
        assert expand_prefix("%date:yyyy%-%nothing%-%height%", 3, 4) == "%date:yyyy%-%nothing%-4"

    def test_the_output_folder_is_the_one_asked_for(self, url: str, tmp_path: Path) -> None:
        from comfy_widgets.engine import Engine

        with Engine(output_dir=tmp_path, custom_nodes=[Path(__file__).with_name("lab_nodes.py")]) as engine:
            item = run(engine.url, lab_images())["outputs"]["2"]["images"][0]
        assert (tmp_path / item["filename"]).is_file()


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (64, 48)])
def test_png_keeps_every_pixel(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    content = encode_png(pixels, {"key": {"a": "ß"}})
    with Image.open(io.BytesIO(content)) as picture:
        assert np.array_equal(np.asarray(picture), pixels)
    assert dict(png_chunks(content))[b"tEXt"] == b'key\0{"a": "\\u00df"}'


class TestImageNodes:
    def chain(self, url: str, **scale: Any) -> Image.Image:
        content = io.BytesIO()
        picture = Image.new("RGB", (40, 20), (200, 100, 0))
        picture.paste((0, 0, 0), (0, 0, 10, 20))
        picture.save(content, "PNG")
        upload(url, "chain.png", content.getvalue(), overwrite="1")
        values = {"upscale_method": "nearest-exact", "width": 20, "height": 10, "crop": "disabled", **scale}
        graph = {
            "1": {"class_type": "LoadImage", "inputs": {"image": "chain.png [input]"}},
            "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
            "3": {"class_type": "ImageScale", "inputs": {"image": ["2", 0], **values}},
            "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
        }
        ended = run(url, graph)
        return Image.open(io.BytesIO(view(url, ended["outputs"]["4"]["images"][0])))

    def test_load_invert_scale(self, url: str) -> None:
        picture = self.chain(url)
        assert picture.size == (20, 10)
        assert (picture.getpixel((0, 5)), picture.getpixel((12, 5))) == ((255, 255, 255), (55, 155, 255))

    @pytest.mark.parametrize(("width", "height", "size"), [(0, 10, (20, 10)), (80, 0, (80, 40)), (0, 0, (40, 20))])
    def test_a_side_of_zero_follows_the_other(self, url: str, width: int, height: int, size: tuple[int, int]) -> None:
        assert self.chain(url, width=width, height=height).size == size

    def test_cropping_keeps_the_middle(self, url: str) -> None:
        picture = self.chain(url, width=20, height=20, crop="center")
        assert picture.getcolors() == [(400, (55, 155, 255))]

    @pytest.mark.parametrize("method", ["bilinear", "area", "bicubic", "lanczos"])
    def test_every_method_scales(self, url: str, method: str) -> None:
        assert self.chain(url, upscale_method=method, width=64, height=64).size == (64, 64)
