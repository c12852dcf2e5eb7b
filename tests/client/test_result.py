"""What a result gives, and what a server may not do to the one who saves it."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from comfy_widgets._grid import make_grid
from comfy_widgets.client import Result
from comfy_widgets.client._decoding import decode
from comfy_widgets.client._media import Media, Memory
from comfy_widgets.errors import ComfyError, FileGone
from comfy_widgets.protocol import File


def png(color: str = "red", size: tuple[int, int] = (8, 6)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG")
    return stream.getvalue()


def result(outputs: Mapping[str, Any], files: Mapping[str, bytes], **more: Any) -> Result:
    def fetch(file: File) -> bytes:
        if file.filename not in files:
            raise FileGone(f"{file.filename} is gone", file=file)
        return files[file.filename]

    return Result("id", {}, "completed", outputs, 1.0, (), fetch, **more)


def item(name: str, type: str = "output", subfolder: str = "") -> dict[str, str]:
    return {"filename": name, "subfolder": subfolder, "type": type}


def test_saved_pictures_go_before_previewed_ones_and_videos_are_no_pictures() -> None:
    outputs = {
        "8": {"images": [item("p.png", "temp")]},
        "9": {"images": [item("a.png"), item("b.png"), item("c.mp4")], "animated": [True]},
        "10": {"text": ["a caption"], "images": [item("a.png")]},
    }
    found = result(outputs, {"a.png": png("red"), "b.png": png("blue")})
    assert [file.filename for file in found.image_files] == ["a.png", "b.png"]
    assert [file.filename for file in found.files] == ["p.png", "a.png", "b.png", "c.mp4"]
    assert [image.getpixel((0, 0)) for image in found.images] == [(255, 0, 0), (0, 0, 255)]
    assert found.texts == ("a caption",)
    assert len(found) == 2
    assert found.grid(cols=2).width > 16


def test_previewed_pictures_stand_in_where_nothing_was_saved() -> None:
    found = result({"8": {"images": [item("p.png", "temp")]}}, {"p.png": png()})
    assert len(found.images) == 1


def test_an_image_that_is_gone_costs_only_itself() -> None:
    outputs = {"9": {"images": [item("a.png"), item("gone.png")]}}
    found = result(outputs, {"a.png": png()})
    with pytest.warns(UserWarning, match=r"gone\.png could not be opened"):
        assert len(found.images) == 1
    assert "gone.png" in found.warnings[0]
    with pytest.raises(FileGone, match=r"gone\.png"):
        _ = result({"9": {"images": [item("gone.png")]}}, {}).images


def test_streamed_pictures_are_pictures_and_are_saved(tmp_path: Path) -> None:
    found = result({}, {}, streamed=(png("green"),))
    assert found.images[0].getpixel((0, 0)) == (0, 128, 0)
    assert [path.read_bytes() for path in found.save(tmp_path)] == [png("green")]


def test_saving_keeps_bytes_and_never_overwrites_unasked(tmp_path: Path) -> None:
    first = result({"9": {"images": [item("a.png", subfolder="sub\\deep")]}}, {"a.png": png("red")})
    second = result({"9": {"images": [item("a.png", subfolder="sub\\deep")]}}, {"a.png": png("blue")})
    assert first.save(tmp_path) == [tmp_path / "sub" / "deep" / "a.png"]
    assert first.save(tmp_path) == [tmp_path / "sub" / "deep" / "a.png"]
    assert second.save(tmp_path) == [tmp_path / "sub" / "deep" / "a (1).png"]
    assert second.save(tmp_path, overwrite=True) == [tmp_path / "sub" / "deep" / "a.png"]
    assert (tmp_path / "sub" / "deep" / "a.png").read_bytes() == png("blue")


@given(
    st.text(st.sampled_from("ab./\\:~$ "), max_size=12),
    st.text(st.sampled_from("ab./\\:~$ "), min_size=1, max_size=12),
)
def test_no_name_leads_out_of_the_directory(folder: str, name: str) -> None:
    with TemporaryDirectory() as directory:
        root = Path(directory) / "results"
        (path,) = result({"9": {"images": [item(name, subfolder=folder)]}}, {name: b"x"}).save(root, everything=True)
        assert path.resolve().is_relative_to(root.resolve())


def test_a_bomb_and_a_broken_picture_are_clear_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ComfyError, match="cannot be opened as an image"):
        decode(b"not a picture", "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(ComfyError, match="too large"):
        decode(png(size=(64, 64)), "x.png")


def test_no_program_is_run_for_a_file_of_a_server() -> None:
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    with pytest.raises(ComfyError, match="cannot be opened as an image"):
        decode(postscript, "x.png")
    for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "TGA", "PPM", "DDS", "ICO"):
        stream = io.BytesIO()
        Image.new("RGB", (16, 16), "red").save(stream, form)
        assert decode(stream.getvalue(), f"x.{form}").size == (16, 16)


def test_a_result_shows_itself_small() -> None:
    found = result({"9": {"images": [item("a.png")]}}, {"a.png": png(size=(2000, 2000))})
    bundle = found._repr_mimebundle_()
    assert Image.open(io.BytesIO(bundle["image/jpeg"])).width <= 1024
    assert ", 1 image>" in bundle["text/plain"]


def test_memory_has_a_bound_and_the_rest_goes_to_disk() -> None:
    from concurrent.futures import ThreadPoolExecutor

    contents = {f"{n}.png": bytes([n]) * 1000 for n in range(8)}
    memory = Memory(budget=3000)
    with ThreadPoolExecutor(4) as pool:
        media = Media(lambda file: contents[file.filename], pool, memory)
        files = [File(name) for name in contents]
        for file in files:
            media.prefetch(file)
        assert [media.content(file) for file in files] == list(contents.values())
        assert memory._used <= 3000


@pytest.mark.parametrize(("quickly", "most"), [(1000.0, 2), (0.0, 6)])
def test_many_files_are_fetched_at_once_only_where_each_takes_a_while(
    monkeypatch: pytest.MonkeyPatch, quickly: float, most: int
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.setattr("comfy_widgets.client._media._QUICKLY", quickly)
    first = threading.Barrier(6)
    lock, under_way, later = threading.Lock(), 0, [0]

    def fetch(file: File) -> bytes:
        nonlocal under_way
        with lock:
            under_way += 1
            if int(file.filename) >= 6:
                later.append(under_way)
        if int(file.filename) < 6:
            # Nothing is known of the server yet.
            first.wait(30)
        else:
            time.sleep(0.002)
        with lock:
            under_way -= 1
        return b"content"

    with ThreadPoolExecutor(16) as pool:
        media = Media(fetch, pool, Memory())
        files = [File(str(number)) for number in range(60)]
        for file in files:
            media.prefetch(file)
        assert [media.content(file) for file in files] == [b"content"] * len(files)
    assert max(later[-40:]) <= most
    assert most == 2 or max(later) > 2


def test_a_full_disk_costs_no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    memory = Memory(budget=0)
    monkeypatch.setattr(Path, "write_bytes", full)
    assert memory.keep(b"content") == b"content"
    monkeypatch.setattr("tempfile.TemporaryDirectory", full)
    assert Memory(budget=0).keep(b"content") == b"content"


def test_a_failed_fetch_is_tried_again_when_somebody_wants_the_file() -> None:
    from concurrent.futures import ThreadPoolExecutor

    answers = [FileGone("not yet", file=File("a.png")), b"here"]

    def fetch(_: File) -> bytes:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with ThreadPoolExecutor(1) as pool:
        media = Media(fetch, pool, Memory())
        media.prefetch(File("a.png")).exception()
        assert media.content(File("a.png")) == b"here"


class TestGrid:
    def test_pictures_stand_in_rows_of_cols(self) -> None:
        colors = ["red", "lime", "blue", "white", "black"]
        sheet = make_grid([Image.new("RGB", (10, 10), color) for color in colors], cols=2, gap=2)
        assert sheet.size == (2 * 10 + 3 * 2, 3 * 10 + 4 * 2)
        assert sheet.getpixel((5, 5)) == (255, 0, 0)
        assert sheet.getpixel((17, 5)) == (0, 255, 0)
        assert sheet.getpixel((5, 17)) == (0, 0, 255)

    def test_sizes_and_modes_may_differ(self) -> None:
        pictures = [Image.new("RGBA", (20, 10), (0, 0, 0, 0)), Image.new("L", (5, 20)), Image.new("P", (8, 8))]
        sheet = make_grid(pictures, cols=3, background="white")
        assert sheet.mode == "RGB"
        assert sheet.getpixel((5, 10)) == (255, 255, 255)

    def test_labels_stand_below_and_are_cut_to_the_width(self) -> None:
        picture = Image.new("RGB", (200, 100), "white")
        plain, labelled = make_grid([picture]), make_grid([picture], labels=["a very long label " * 20])
        assert labelled.height > plain.height
        assert labelled.width == plain.width
        below = labelled.crop((0, plain.height - 2, labelled.width, labelled.height))
        assert below.getcolors() is None or len(below.getcolors() or ()) > 1

    @pytest.mark.parametrize("label", ["", "half \ud83d", "a\nb", "x" * 5_000_000, "\u0301" * 2000])
    def test_any_text_is_a_label(self, label: str) -> None:
        start = time.thread_time()
        assert make_grid([Image.new("RGB", (64, 64))], labels=[label]).width >= 64
        assert time.thread_time() - start < 2

    def test_bad_input_says_what_is_wrong(self) -> None:
        picture = Image.new("RGB", (4, 4))
        with pytest.raises(ValueError, match="at least one image"):
            make_grid([])
        with pytest.raises(ValueError, match="cols is 0"):
            make_grid([picture], cols=0)
        with pytest.raises(ValueError, match="1 images, but 2 labels"):
            make_grid([picture], labels=["a", "b"])
