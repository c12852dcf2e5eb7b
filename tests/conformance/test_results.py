"""Statements 53 to 58: files and other results."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import ComfyClient, File
from comfy_widgets.errors import FileGone, ServerError
from comfy_widgets.testing import Gate, Reply, Request, ScriptedServer, Stage, image, standard_run, text_to_image

from .helpers import PROMPT, conformance, until

Connect = Callable[..., ComfyClient]


def outputs_of(server: ScriptedServer, connect: Connect, outputs: dict[str, Any]) -> Any:
    """The result of a run whose output node gives this."""
    server.play(standard_run(outputs={"9": outputs}))
    return connect(server.url).run(PROMPT, timeout=30)


@conformance(53)
def test_history_has_the_last_word(server: ScriptedServer, connect: Connect) -> None:
    early = server.files.put("early.png", image("early"), folder="output")
    final = server.files.put("final.png", image("final"), folder="output")
    gate = Gate()

    def play(stage: Stage) -> None:
        stage.start()
        stage.executed("9", {"images": [early]})
        stage.executed("8", None)
        gate.pass_through(stage.check)
        stage.outputs["9"] = {"images": [final]}
        stage.success()

    server.play(play)
    client = connect(server.url)
    # What is sent before it listens, it learns at the end only.
    client.wait_connected(20)
    job = client.submit(PROMPT)
    gate.wait_reached()
    until(lambda: job.outputs, "the early output")
    assert job.outputs["9"] == {"images": [early]}
    gate.open()
    result = job.result(30)
    assert [file.filename for file in result.files] == ["final.png"]
    assert result.images[0].tobytes() == Image.open(io.BytesIO(image("final"))).tobytes()


@conformance(54)
def test_what_is_a_file_and_what_is_not(server: ScriptedServer, connect: Connect) -> None:
    def item(name: str, **more: Any) -> dict[str, Any]:
        return {**server.files.put(name, image(name), folder="output"), **more}

    result = outputs_of(
        server,
        connect,
        {
            "images": [item("a.png"), item("b.png", id="asset", metadata={"width": 1})],
            "a_images": [item("c.png")],
            "gifs": [item("d.mp4", format="video/h264-mp4", frame_rate=8.0)],
            "animated": [True, False],
            "text": ["some text", "a.png"],
            "result": ["3d/model.glb", {"position": {"x": 1}}, "temp/bg.png"],
            "tags": [["x", 1], None, 3, {"filename": 5}, {"filename": ""}, {"name": "e.png"}],
            "single": {"filename": "no_list.png"},
            "string": "f.png",
        },
    )
    assert [file.filename for file in result.files] == ["a.png", "b.png", "c.png", "d.mp4"]
    assert result.texts == ("some text", "a.png")
    assert len(result.images) == 3
    assert result.files[3].extra["frame_rate"] == 8.0
    assert result.outputs["9"]["result"][0] == "3d/model.glb"


@conformance(54)
def test_text_that_is_a_bare_string(server: ScriptedServer, connect: Connect) -> None:
    assert outputs_of(server, connect, {"text": "bare"}).texts == ("bare",)


@conformance(55)
@pytest.mark.parametrize(
    ("subfolder", "filename"),
    [
        ("", "plain.png"),
        ("a/b c", "ü & ?.png"),
        ("win\\dows", "100%.png"),
        ("", "+=#.png"),
    ],
)
@pytest.mark.parametrize("folder", ["output", "temp", "input"])
def test_view_is_asked_as_reported(
    server: ScriptedServer, connect: Connect, subfolder: str, filename: str, folder: str
) -> None:
    item = server.files.put(filename, image(filename), subfolder, folder)
    result = outputs_of(server, connect, {"images": [item]})
    (file,) = result.files
    assert (file.filename, file.subfolder, file.type) == (filename, subfolder, folder)
    assert result.bytes(file) == image(filename)
    for request in server.traffic.select("GET", "/view"):
        assert isinstance(request, Request)
        assert request.query == item


@conformance(55)
@pytest.mark.parametrize(("named", "filename", "subfolder"), [("a/b/x.png", "x.png", "a/b"), ("x.png", "x.png", "")])
def test_no_directory_in_filename(
    server: ScriptedServer, connect: Connect, named: str, filename: str, subfolder: str
) -> None:
    # A server cuts the directory off, and gives another file of that name without a word.
    server.files.put(filename, image("right"), subfolder, "output")
    server.files.put(filename, image("right" if not subfolder else "wrong"), "", "output")
    client = connect(server.url)
    for file in ({"filename": named}, File(named)):
        assert client.view(file) == image("right")
    for request in server.traffic.select("GET", "/view"):
        assert isinstance(request, Request)
        assert (request.query["filename"], request.query["subfolder"]) == (filename, subfolder)


@conformance(56)
def test_a_file_that_is_gone_fails_no_job(server: ScriptedServer, connect: Connect, tmp_path: Path) -> None:
    kept = server.files.put("kept.png", image("kept"), folder="output")
    gone = {"filename": "gone.png", "subfolder": "", "type": "output"}
    wiped = {"filename": "wiped.png", "subfolder": "", "type": "temp"}
    server.play(standard_run(outputs={"9": {"images": [gone, kept, wiped]}}))
    job = connect(server.url).submit(PROMPT)
    assert job.wait(30).status == "completed"
    result = job.result()
    assert len(result.images) == 1
    by_name = {file.filename: file for file in result.files}
    assert result.bytes(by_name["kept.png"]) == image("kept")
    for name, why in (("gone.png", "deleted"), ("wiped.png", "temporary")):
        with pytest.raises(FileGone, match=why) as caught:
            result.bytes(by_name[name])
        assert caught.value.file == by_name[name]
        assert name in str(caught.value)


@conformance(56)
def test_a_file_that_only_failed_is_not_left_out(server: ScriptedServer, connect: Connect) -> None:
    failing = [True]
    server.on("GET", "/view", lambda request: Reply(502) if failing and "_00002_" in request.target else None)
    job = connect(server.url).submit(text_to_image(batch_size=2))
    result = job.result(30)
    with pytest.raises(ServerError):
        _ = result.images
    failing.clear()
    assert len(result.images) == 2


@conformance(57)
def test_uploads_use_the_name_that_the_server_gives(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    first = client.upload_image(image(1), "Größe ✓ 図.png", subfolder="mine")
    assert (first.filename, first.subfolder, first.type) == ("Größe ✓ 図.png", "mine", "input")
    second = client.upload_image(image(2), "Größe ✓ 図.png", subfolder="mine")
    assert second.filename == "Größe ✓ 図 (1).png"
    assert client.view(first) == image(1)
    assert client.view(second) == image(2)
    client.upload_image(image(3), "Größe ✓ 図.png", subfolder="mine", overwrite=True)
    assert client.view(first) == image(3)


@conformance(57)
def test_overwrite_is_written_in_lower_case(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    client.upload_image(image(1), "a.png")
    client.upload_image(image(1), "a.png", overwrite=True)
    without, with_it = server.traffic.select("POST", "/upload/image")
    assert b"overwrite" not in without.body
    assert b"True" not in with_it.body
    assert b'name="overwrite"\r\n\r\ntrue\r\n' in with_it.body


@conformance(57)
@pytest.mark.parametrize("kind", ["path", "bytes", "file", "image"])
def test_all_that_can_be_uploaded(server: ScriptedServer, connect: Connect, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "naïve.png"
    path.write_bytes(image("x"))
    client = connect(server.url)
    sources: dict[str, Any] = {
        "path": path,
        "bytes": image("x"),
        "file": io.BytesIO(image("x")),
        "image": Image.open(path),
    }
    given = None if kind == "path" else "naïve.png"
    file = client.upload_image(sources[kind], given)
    assert file.filename == "naïve.png"
    stored = Image.open(io.BytesIO(client.view(file)))
    assert stored.tobytes() == Image.open(path).tobytes()


@conformance(58)
@pytest.mark.parametrize(
    ("key", "item", "kind"),
    [
        ("images", {"filename": "a.png"}, "image"),
        ("images", {"filename": "a.mp4"}, "video"),
        ("images", {"filename": "a.WEBM", "format": "image/webp"}, "video"),
        ("images", {"filename": "a.svg"}, "image"),
        ("gifs", {"filename": "a.gif"}, "image"),
        ("gifs", {"filename": "noext", "format": "video/h264-mp4"}, "video"),
        ("audio", {"filename": "a.flac"}, "audio"),
        ("audio", {"filename": "noext"}, "audio"),
        ("3d", {"filename": "a.glb"}, "3d"),
        ("3d", {"filename": "noext"}, "3d"),
        ("video", {"filename": "noext"}, "video"),
        ("images", {"filename": "noext"}, "image"),
        ("a_images", {"filename": "noext"}, "other"),
        ("latents", {"filename": "a.latent"}, "other"),
        ("files", {"filename": "a.txt"}, "text"),
    ],
)
def test_the_kind_of_media(server: ScriptedServer, connect: Connect, key: str, item: dict[str, str], kind: str) -> None:
    server.files.put(item["filename"], image("x"), folder="output")
    (file,) = outputs_of(server, connect, {key: [{**item, "subfolder": "", "type": "output"}]}).files
    assert file.kind == kind
