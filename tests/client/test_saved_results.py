"""What a server may call its files, and what happens to them, to the others, and to what was there before."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import make_grid
from comfy_widgets.client import ComfyClient, Result
from comfy_widgets.errors import ComfyError, ExecutionFailed, FileGone, HTTPError, ServerError, ServerUnreachable
from comfy_widgets.protocol import File
from comfy_widgets.testing import NodeError, ScriptedServer, Stage, text_to_image

from .test_result import item, png, result


def images(*items: Mapping[str, Any]) -> dict[str, Any]:
    return {"9": {"images": list(items)}}


def names(saved: list[Path], root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in saved]


def anything(outputs: Mapping[str, Any], content: bytes = b"x") -> Result:
    """A result whose server has every file."""
    return Result("id", {}, "completed", outputs, 1.0, (), lambda _: content)  # type: ignore[arg-type]


class TestNames:
    def test_a_folder_of_its_own_and_media_only(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        bad = [item("numpy.py"), item(".bashrc"), item("00-x.py", subfolder=".ipython/profile_default/startup")]
        bad += [item("Makefile"), item("page.html"), item("run.exe"), item("a.png.lnk")]
        found = anything(images(item("a.png"), item("v.mp4"), item("note.txt"), *bad))
        with pytest.warns(UserWarning, match=r"Not saved, as no media: numpy\.py, \.bashrc.*everything=True"):
            saved = found.save()
        assert names(saved, Path("output")) == ["a.png", "v.mp4", "note.txt"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["output"]

    def test_everything_when_asked_but_nothing_hidden(self, tmp_path: Path) -> None:
        found = anything(images(item("numpy.py"), item(".bashrc"), item("00-x.py", subfolder=".ipython/startup")))
        saved = found.save(tmp_path, everything=True)
        assert names(saved, tmp_path) == ["numpy.py", "bashrc", "ipython/startup/00-x.py"]

    @pytest.mark.parametrize(
        ("filename", "subfolder"),
        [
            ("n" * 300 + ".png", ""),
            ("海" * 300 + ".png", "空" * 300),
            ("a.png", "/".join(f"folder{n}" for n in range(500))),
            ("a" + "." * 300 + "png.png", ""),
            ("x." + "p" * 300 + ".png", "s" * 3000),
            ("\ud83d.png", "\udc00"),
            ("\x00\x1b[2J.png", "\r\n"),
            ("\u202egnp.png", ""),
            ("CON.png", "aux"),
            ("com1.png", "LPT9.folder"),
            ("a.png ", "trailing. "),
            ("....png", "...."),
            ("C:\\windows\\a.png", "\\\\host\\share"),
            ("/etc/cron.d/a.png", "/etc"),
            ("._00001_.png", "~"),
        ],
    )
    def test_whatever_the_name_the_file_is_saved(self, tmp_path: Path, filename: str, subfolder: str) -> None:
        (path,) = anything(images(item(filename, subfolder=subfolder))).save(tmp_path / "out")
        inside = path.relative_to(tmp_path / "out")
        assert path.read_bytes() == b"x"
        assert path.suffix == ".png"
        assert not any(part.startswith(".") or part.endswith((" ", ".")) for part in inside.parts)
        assert str(inside).isprintable()
        assert all(len(part.encode()) <= 255 for part in inside.parts)

    def test_a_file_and_a_folder_of_one_name(self, tmp_path: Path) -> None:
        for order in (1, -1):
            root = tmp_path / str(order)
            pair = [item("s.png"), item("a.png", subfolder="s.png")][::order]
            saved = anything(images(*pair)).save(root)
            assert sorted(path.read_bytes() for path in saved) == [b"x", b"x"]
            assert len({*saved}) == 2

    @pytest.mark.parametrize("overwrite", [True, False])
    def test_equal_names_lose_nothing(self, tmp_path: Path, overwrite: bool) -> None:
        contents = {"output": b"1", "temp": b"2", "input": b"3"}
        outputs = images(*(item("a.png", type) for type in contents), item("A.png"), item("a.png", subfolder="."))
        found = Result("id", {}, "completed", outputs, 1.0, (), lambda f: contents[f.type] + f.filename.encode())  # type: ignore[arg-type]
        (tmp_path / "a.png").write_bytes(b"old")
        saved = found.save(tmp_path, overwrite=overwrite)
        assert len({str(path).casefold() for path in saved}) >= 4
        assert {path.read_bytes() for path in saved} == {b"1a.png", b"2a.png", b"3a.png", b"1A.png"}
        assert (tmp_path / "a.png").read_bytes() == (b"1a.png" if overwrite else b"old")

    def test_a_failed_write_leaves_what_was_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a.png").write_bytes(b"old")
        (tmp_path / "a.png.part").write_bytes(b"a user's own")
        monkeypatch.setattr(Path, "replace", _no_space)
        with pytest.raises(OSError, match="No space left"):
            anything(images(item("a.png"))).save(tmp_path, overwrite=True)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
            "a.png": b"old",
            "a.png.part": b"a user's own",
        }


def _no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")


class TestOneBadFile:
    def test_it_costs_only_itself_when_saving(self, tmp_path: Path) -> None:
        def fetch(file: File) -> bytes:
            if file.filename == "bad.png":
                raise ServerError("the server answered 400")
            return b"x"

        found = Result("id", {}, "completed", images(item("bad.png"), item("a.png")), 1.0, (), fetch)  # type: ignore[arg-type]
        with pytest.warns(UserWarning, match=r"bad\.png could not be saved: the server answered 400"):
            assert names(found.save(tmp_path), tmp_path) == ["a.png"]
        assert len(found.warnings) == 1
        with pytest.warns(UserWarning):
            found.save(tmp_path)
        assert len(found.warnings) == 1

    def test_what_may_go_well_in_a_moment_is_raised_after_the_others_are_saved(self, tmp_path: Path) -> None:
        failing = [True]

        def fetch(file: File) -> bytes:
            if file.filename == "busy.png" and failing:
                raise HTTPError("the server answered 502", status=502)
            return png()

        found = Result("id", {}, "completed", images(item("busy.png"), item("a.png")), 1.0, (), fetch)  # type: ignore[arg-type]
        with pytest.raises(HTTPError):
            found.save(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
        with pytest.raises(HTTPError):
            _ = found.images
        failing.clear()
        assert names(found.save(tmp_path), tmp_path) == ["busy.png", "a.png"]
        assert len(found.images) == 2

    def test_the_warning_names_the_line_of_the_caller(self) -> None:
        found = result(images(item("a.png"), item("b.exr")), {"a.png": png(), "b.exr": b"?"})
        with pytest.warns(UserWarning) as caught:
            len(found)
        (ours,) = [warning for warning in caught if warning.category is UserWarning]
        assert ours.filename == __file__

    def test_an_image_that_pillow_cannot_read_costs_only_itself(self) -> None:
        outputs = images(item("a.png"), item("b.exr"), item("../c.png"), item("d.png"))
        contents = {"a.png": png("red"), "b.exr": b"v/1\x01", "d.png": png("blue")}
        found = result(outputs, contents)
        with pytest.warns(UserWarning, match=r"b\.exr, \.\./c\.png could not be opened"):
            assert len(found.images) == len(found) == len(list(found)) == 2
        assert found.grid(labels=["a", "b", "c", "d"]).width > 16
        assert found.grid(labels=["a", "d"]).width > 16

    def test_the_first_reason_is_told_where_none_can_be_had(self, tmp_path: Path) -> None:
        found = result(images(item("a.exr"), item("b.exr")), {"a.exr": b"v/1", "b.exr": b"v/1"})
        for ask in (lambda: found.images, found.grid, lambda: list(found)):
            with pytest.raises(ComfyError, match=r"a\.exr cannot be opened"):
                ask()
        with pytest.raises(FileGone):
            result(images(item("a.png")), {}).save(tmp_path)

    def test_it_is_told_where_a_result_shows_itself(self) -> None:
        bundle = result(images(item("a.png"), item("b.exr")), {"a.png": png(), "b.exr": b"?"})._repr_mimebundle_()
        assert "image/jpeg" in bundle
        assert "b.exr cannot be opened" in bundle["text/plain"]
        assert "image/jpeg" not in result(images(item("b.exr")), {"b.exr": b"?"})._repr_mimebundle_()


class TestValue:
    def test_a_result_is_copied_and_compared(self) -> None:
        found = result(images(item("a.png")), {"a.png": png()}, streamed=(png("blue"),))
        for twin in (copy.copy(found), copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
            assert twin == found
            assert hash(twin) == hash(found)
            assert [image.tobytes() for image in twin] == [image.tobytes() for image in found]
            assert twin.files == found.files
        deep = copy.deepcopy(found)
        deep.outputs["9"]["images"].clear()
        assert found.files

    def test_files_go_along_into_another_process(self, tmp_path: Path) -> None:
        found = result(images(item("a.png"), item("gone.png")), {"a.png": png("red")})
        (tmp_path / "result").write_bytes(pickle.dumps(found))
        program = (
            "import pickle, sys, pathlib\n"
            f"result = pickle.loads(pathlib.Path({str(tmp_path / 'result')!r}).read_bytes())\n"
            "print(result.images[0].getpixel((0, 0)))\n"
            "try: result.bytes(result.files[1])\n"
            "except Exception as error: print(type(error).__name__, error)\n"
        )
        out = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=60, check=True
        )
        assert out.stdout.splitlines() == [
            "(255, 0, 0)",
            "FileGone gone.png could not be had when the result was copied.",
        ]

    def test_a_lost_server_is_asked_once(self) -> None:
        asked = []

        def fetch(file: File) -> bytes:
            asked.append(file)
            raise ServerUnreachable("nothing answers")

        found = Result("id", {}, "completed", images(*(item(f"{n}.png") for n in range(9))), None, (), fetch)  # type: ignore[arg-type]
        assert pickle.loads(pickle.dumps(found)) == found
        assert len(asked) == 1

    def test_the_result_of_a_job_is_one_too(self, client: ComfyClient) -> None:
        found = client.run(text_to_image(batch_size=2))
        twins = [copy.copy(found), copy.deepcopy(found), pickle.loads(pickle.dumps(found))]
        client.close()
        for twin in twins:
            assert twin == found
            assert twin.prompt == found.prompt
            assert [image.tobytes() for image in twin] == [image.tobytes() for image in found]

    def test_an_error_goes_into_another_process_too(self, server: ScriptedServer, client: ComfyClient) -> None:
        def fail(stage: Stage) -> None:
            stage.start()
            stage.executed("9", {"images": [server.files.put("early.png", png(), folder="output")]})
            raise NodeError("3")

        server.play(fail)
        with pytest.raises(ExecutionFailed) as caught:
            client.run(text_to_image())
        error = pickle.loads(pickle.dumps(caught.value))
        assert str(error) == str(caught.value)
        assert error.result == caught.value.result
        assert len(error.result.images) == 1


class TestBounds:
    def test_a_wide_and_a_high_image(self) -> None:
        contents = {"wide.png": png(size=(20_000, 1)), "high.png": png(size=(1, 20_000))}
        found = result(images(item("wide.png"), item("high.png")), contents)
        with Image.open(io.BytesIO(found._repr_mimebundle_()["image/jpeg"])) as sheet:
            assert sheet.width <= 1024
        grid = make_grid(found.images)
        assert grid.width * grid.height < 110_000_000

    def test_many_images_are_shown_in_part_and_one_at_a_time(self) -> None:
        asked: list[str] = []

        def fetch(file: File) -> bytes:
            asked.append(file.filename)
            return png(size=(300, 300))

        found = Result("id", {}, "completed", images(*(item(f"{n}.png") for n in range(100))), None, (), fetch)  # type: ignore[arg-type]
        bundle = found._repr_mimebundle_()
        assert "The first 64 of 100 images are shown." in bundle["text/plain"]
        assert len(asked) == 64
        assert "images" not in vars(found)

    def test_the_pixels_of_all_images_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("comfy_widgets.client._result.MAX_PIXELS", 100)
        found = result(images(*(item(f"{n}.png") for n in range(4))), {f"{n}.png": png() for n in range(4)})
        with pytest.warns(UserWarning, match=r"2\.png, 3\.png could not be opened: .*\.open\(\) gives one at a time"):
            assert len(found.images) == 2
        assert found.open(3).size == (8, 6)

    def test_long_texts_are_cut_and_colours_taken_out(self) -> None:
        text = "\x1b[31m" + "x" * 5_000_000
        found = result({"9": {"text": [text] * 3}}, {})
        shown = found._repr_mimebundle_()["text/plain"]
        assert "\x1b" not in shown
        assert "characters left out" in shown
        assert len(shown) < 50_000
        assert found.texts[0] == text


def test_words_count_right() -> None:
    assert repr(result(images(item("a.png")), {})).endswith(", 1 image>")
    assert repr(result({"9": {"images": [item("a.png"), item("b.png"), item("v.mp4")], "text": ["t"]}}, {})).endswith(
        ", 2 images, 1 other file, 1 text>"
    )
