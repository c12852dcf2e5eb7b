"""Pictures on their way to the page and into the notebook; pictures that go up."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image

from comfy_widgets import ComfyClient, ComfyPanel, ImageGrid, WorkflowError
from comfy_widgets.engine import Engine
from comfy_widgets.testing import Script, ScriptedServer, node_info, standard_run, text_to_image
from comfy_widgets.widgets import _images as images
from comfy_widgets.widgets import _small as small_images
from comfy_widgets.widgets._pump import worker

from .conftest import page_of
from .page import Page


def picture(width: int = 8, height: int = 8, form: str = "PNG", color: str = "red") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), color).save(stream, form)
    return stream.getvalue()


def test_a_very_large_picture_goes_as_a_stand_in_and_whole_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, client: ComfyClient, panel: ComfyPanel, page: Page
) -> None:
    monkeypatch.setattr(images, "MAX_IMAGE_BYTES", 10)
    result = panel.run().result(60)
    page.wait_phase("done")
    message, small = page.images()[0]
    assert not message["whole"]
    assert message["mime"] == "image/webp"
    assert small != result.bytes(0)
    page.say("original", run=message["run"], index=0)
    answer, (whole,) = page.custom("original")[0]
    assert (answer["mime"], whole) == ("image/png", result.bytes(0))


def test_the_type_is_read_from_the_bytes() -> None:
    forms = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif", "TIFF": None}
    assert {form: images.mime_of(picture(form=form)) for form in forms} == forms


def test_the_sheet_is_small_and_says_what_it_is(client: ComfyClient) -> None:
    result = client.run(text_to_image(batch_size=5))
    made = small_images.sheet(images.image_contents(result))
    assert made is not None
    content = base64.b64decode(made[0])
    # The page looks for the mark in the first 72 bytes; see js/src/host/record.ts.
    assert b"comfy-widgets-record" in content[:72]
    with Image.open(io.BytesIO(content)) as sheet:
        assert sheet.format == "JPEG"
        assert sheet.size == made[1]
        assert sheet.width <= 1000


def test_a_sheet_of_large_images_stays_small_whatever_they_show() -> None:
    stream = io.BytesIO()
    Image.effect_noise((1024, 1024), 80).convert("RGB").save(stream, "JPEG", quality=60)
    made = small_images.sheet([stream.getvalue()] * 16)
    assert made is not None
    assert len(made[0]) < 280_000
    assert made[1][0] >= 400
    large = small_images.sheet([stream.getvalue()] * 16, small_images.FULL_SIZE)
    assert large is not None
    assert large[1][0] > 3000


def test_a_file_from_the_page_is_uploaded_in_parts(engine: Engine) -> None:
    prompt = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    with ComfyClient(engine.url) as client:
        panel = ComfyPanel(prompt, client)
        page = page_of(panel)
        content = picture(40, 30)
        half = len(content) // 2
        for part, data in enumerate((content[:half], content[half:])):
            assert panel.params.image == "example.png"
            page.say("upload", (data,), page="here", n=3, field="image", name="my boat.png", part=part, parts=2)
        assert panel.params.image == "my boat.png"
        assert page.state["_values"]["acks"] == {"here": 3}
        assert client.view({"filename": "my boat.png", "subfolder": "", "type": "input"}) == content
        page.say("thumbnail", field="image")
        message, (small,) = page.custom("thumbnail")[0]
        assert message["value"] == "my boat.png"
        with Image.open(io.BytesIO(small)) as thumbnail:
            assert thumbnail.size == (40, 30)
        panel.run().result(60)
        page.wait_phase("done")
        assert panel.images[0].size == (40, 30)


def test_a_picture_from_python_is_uploaded_too(engine: Engine) -> None:
    prompt = {"1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}}}
    with ComfyClient(engine.url) as client:
        panel = ComfyPanel(prompt, client)
        panel.params.image = Image.new("RGB", (21, 12))
        name = panel.params.image
        assert page_of(panel).state["_values"]["values"]["image"] == name
        with Image.open(io.BytesIO(client.view({"filename": name, "subfolder": "", "type": "input"}))) as there:
            assert there.size == (21, 12)
        with pytest.raises(WorkflowError, match="image"):
            panel.params.image = 5


def test_an_upload_that_fails_is_told_at_its_field(
    server: ScriptedServer, make_panel: Callable[..., ComfyPanel]
) -> None:
    prompt = {"1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}}}
    page = page_of(make_panel(prompt))
    server.kill()
    page.say("upload", (picture(),), page="here", n=1, field="image", name="a.png", part=0, parts=1)
    assert page.state["_values"]["errors"]["image"]
    assert page.state["_values"]["values"]["image"] == "example.png"


def test_a_picture_that_no_browser_shows_is_turned_into_one_that_it_does() -> None:
    grid = ImageGrid([Image.new("I;16", (20, 10))])
    message, content = page_of(grid).images()[0]
    assert message["mime"] == "image/png"
    with Image.open(io.BytesIO(content)) as shown:
        assert shown.size == (20, 10)


def test_of_many_pictures_those_far_below_are_made_small_when_somebody_scrolls_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = [Image.new("RGB", (600, 300), (number, 0, 0)) for number in range(200)]
    many[150] = Image.new("RGBA", (600, 300), (0, 0, 0, 0))
    encoded = []
    monkeypatch.setattr(images, "encoded", lambda image, real=images.encoded: encoded.append(image) or real(image))
    monkeypatch.setattr(images, "MAX_TOTAL_BYTES", 5000)
    grid = ImageGrid(many, labels=[str(number) for number in range(200)])
    page = page_of(grid)
    assert {message["index"] for message, _ in page.images()} == set(range(200))
    assert sent_whole(page) == set(range(images.FIRST)) and 0 < len(encoded) < 20
    page.say("images", run=1, indices=[150, 199, 200, None])
    page.wait_for(lambda: sent_whole(page) == {*range(images.FIRST), 150, 199})
    found = {message["index"]: (message, content) for message, content in page.images() if content}
    assert [found[index][0]["mime"] for index in (150, 199)] == ["image/webp", "image/jpeg"]
    small = Image.open(io.BytesIO(found[199][1]))
    assert max(small.size) <= images._TILE_SIZE and found[199][0]["caption"] == "199"
    page.say("original", run=1, index=199)
    message, (content,) = page.custom("original")[-1]
    with Image.open(io.BytesIO(content)) as whole:
        assert (whole.size, whole.getpixel((5, 5)), message["caption"]) == ((600, 300), (199, 0, 0), "199")
    page.say("select", run=1, images=[199])
    assert grid.selected == [many[199]]
    # Of pictures that are there no more, nothing comes.
    grid.images = many[:3]
    count = len(page.images())
    page.say("images", run=1, indices=[2])
    worker.wait()
    assert len(page.images()) == count


def test_all_of_a_run_stays_within_its_allowance(monkeypatch: pytest.MonkeyPatch, client: ComfyClient) -> None:
    result = client.run(text_to_image(batch_size=6))
    size = len(result.bytes(0))
    monkeypatch.setattr(images, "MAX_TOTAL_BYTES", 2 * size + size // 2)
    sent = [one for one in images.shown(result) if isinstance(one, images.Shown)]
    assert [image.whole for image in sent][:2] == [True, True]
    assert not sent[-1].whole
    assert len(sent) == 6


def large_run(server: ScriptedServer, count: int = 100, **contents: bytes) -> None:
    """A run of so many images, some with contents of their own, by "image_<index>"."""
    files = [
        server.files.put(f"{index:03}.png", contents.get(f"image_{index}", picture(64, 64)), folder="output")
        for index in range(count)
    ]
    server.play(made(images=files))


def sent_whole(page: Page) -> set[int]:
    return {message["index"] for message, content in page.images() if content}


def test_images_far_below_are_made_small_when_somebody_scrolls_there(
    monkeypatch: pytest.MonkeyPatch, server: ScriptedServer, panel: ComfyPanel, page: Page
) -> None:
    monkeypatch.setattr(images, "MAX_TOTAL_BYTES", 0)
    large_run(server)
    result = panel.run().result(60)
    page.wait_phase("done")
    page.wait_for(lambda: {message["index"] for message, _ in page.images()} == set(range(100)))
    assert sent_whole(page) == set(range(images.FIRST))
    # Each is known by its name and size, and is there in Python.
    last, content = page.images()[-1]
    assert (last["name"], content, len(panel.images)) == (
        "099.png",
        b"",
        100,
    ) and "64 \N{MULTIPLICATION SIGN} 64" in last["caption"]
    page.say("images", run=1, indices=[99, 70, 100, -1, "x"])
    page.wait_for(lambda: sent_whole(page) == {*range(images.FIRST), 70, 99})
    assert Image.open(io.BytesIO(page.images()[-1][1])).size == (64, 64)
    page.say("original", run=1, index=80)
    page.wait_for(lambda: page.custom("original")[-1][1] == (result.bytes(80),))
    page.say("select", run=1, images=[90])
    assert panel.selected[0].size == (64, 64)
    page.say("images", run=7, indices=[1])
    page.say("hello")
    page.wait_for(lambda: sum(message["index"] == 99 for message, _ in page.images()) == 3)


@pytest.mark.parametrize("mode", ["P", "1", "LA", "I;16", "RGBA"])
def test_images_of_every_kind_are_made_small(
    monkeypatch: pytest.MonkeyPatch, server: ScriptedServer, panel: ComfyPanel, page: Page, mode: str
) -> None:
    monkeypatch.setattr(images, "MAX_TOTAL_BYTES", 0)
    grey = Image.linear_gradient("L").resize((1024, 1024))
    one = grey.convert("I").point(lambda value: value * 257).convert("I;16") if mode == "I;16" else grey.convert(mode)
    stream = io.BytesIO()
    one.save(stream, "PNG")
    large_run(server, image_0=stream.getvalue(), image_90=stream.getvalue())
    panel.run().result(60)
    page.wait_for(lambda: len({message["index"] for message, _ in page.images()}) == 100)
    page.say("images", run=1, indices=[90])
    page.wait_for(lambda: 90 in sent_whole(page))
    for index in (0, 90):
        (content,) = [content for message, content in page.images() if message["index"] == index and content]
        small = Image.open(io.BytesIO(content)).convert("L")
        assert 128 <= small.width <= images._TILE_SIZE
        assert [small.getpixel((0, small.height * part // 4)) for part in (1, 2, 3)] == pytest.approx(
            [64, 128, 191], abs=191 if mode == "1" else 6
        )
    assert page.run["warnings"] == []


def test_what_fits_is_sent_at_once_however_many(server: ScriptedServer, panel: ComfyPanel, page: Page) -> None:
    large_run(server)
    panel.run().result(60)
    page.wait_for(lambda: sent_whole(page) == set(range(100)))


def test_a_picture_that_proves_broken_when_it_is_looked_at_is_told_of(
    monkeypatch: pytest.MonkeyPatch, server: ScriptedServer, panel: ComfyPanel, page: Page
) -> None:
    monkeypatch.setattr(images, "MAX_TOTAL_BYTES", 0)
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 90).convert("RGBA").save(stream, "PNG")
    large_run(server, image_90=stream.getvalue()[:2000], image_91=stream.getvalue())
    panel.run().result(60)
    page.wait_for(lambda: len({message["index"] for message, _ in page.images()}) == 100)
    page.say("images", run=1, indices=[90, 91])
    page.wait_for(lambda: 91 in sent_whole(page))
    assert [message["mime"] for message, content in page.images() if message["index"] == 91 and content] == [
        "image/webp"
    ]
    page.wait_for(lambda: page.run["warnings"] == ["090.png cannot be shown: it cannot be read."])
    assert 90 not in sent_whole(page)


def made(**outputs: list[object]) -> Script:
    """A run whose last node gives this."""
    return standard_run(outputs={"9": outputs})


def test_a_film_goes_to_the_page_and_a_file_of_another_kind_is_named(
    server: ScriptedServer, panel: ComfyPanel, page: Page
) -> None:
    film = server.files.put("clip.mp4", b"film", folder="output")
    server.play(made(images=[film], animated=[True], mesh=[server.files.put("boat.glb", b"mesh", folder="output")]))
    panel.run().wait(60)
    run = page.wait_phase("done")
    message, content = page.images()[0]
    assert (message["mime"], message["name"], content) == ("video/mp4", "clip.mp4", b"film")
    assert run["summary"].startswith("1 video")
    assert "boat.glb" in run["texts"][0]


@pytest.mark.parametrize(
    ("heights", "words"), [((8, 8), "2 images · 8 \N{MULTIPLICATION SIGN} 8 · "), ((8, 16), "2 images · ")]
)
def test_the_size_is_told_where_all_pictures_have_it(
    server: ScriptedServer, panel: ComfyPanel, page: Page, heights: tuple[int, ...], words: str
) -> None:
    server.play(made(images=[server.files.add("x", picture(8, height)) for height in heights]))
    panel.run().wait(60)
    summary = page.wait_phase("done")["summary"]
    assert summary.startswith(words)
    assert summary.removeprefix(words).endswith(" s")
    assert "·" not in summary.removeprefix(words)


def test_what_is_no_picture_is_told_at_its_field_and_not_uploaded(server: ScriptedServer, client: ComfyClient) -> None:
    prompt = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    panel = ComfyPanel(prompt, client)
    page = page_of(panel)
    page.say("upload", (b"no picture",), page="here", n=1, field="image", name="boat.png", part=0, parts=1)
    assert "no image format" in page.state["_values"]["errors"]["image"]
    assert panel.params.image == "example.png"
    assert server.count("POST", "/upload/image") == 0


def test_a_film_goes_up_like_a_picture() -> None:
    with ScriptedServer() as server, ComfyClient(server.url) as client:
        films = {"file": ["COMBO", {"options": [], "video_upload": True}]}
        server.object_info["LoadVideo"] = node_info("LoadVideo", "Load Video", films, ("IMAGE",))
        panel = ComfyPanel(
            {
                "1": {"class_type": "LoadVideo", "inputs": {"file": "theirs.mp4"}},
                "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
            },
            client,
        )
        page = page_of(panel)
        (field,) = page.state["_form"]["fields"]
        assert (field["kind"], field["accept"], field["primary"]) == ("image", "video/*", True)
        page.say("upload", (b"film",), page="here", n=1, field="file", name="ours.mp4", part=0, parts=1)
        assert panel.params.file == "ours.mp4"
        assert page.state["_values"]["errors"] == {}
        assert server.files.get("ours.mp4", folder="input") == b"film"
        page.say("thumbnail", field="file")
        assert page.custom("thumbnail") == []
