"""What a run leaves, whatever that is: shown by what it is, and in words where it cannot be shown."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from comfy_widgets import ComfyClient, ComfyPanel
from comfy_widgets.testing import Gate, ScriptedServer, standard_run, text_to_image

from .conftest import Show
from .panel import Panel
from .test_access import FAINT, problems

HTML = "<img src=x onerror=alert(1)>"
# Each part that is not wholly to be seen in the panel without scrolling.
HIDDEN = """(root) => [...root.querySelectorAll("figure, pre, figcaption")]
  .filter((part) => {
    const { top, bottom, left, right } = part.getBoundingClientRect();
    for (let at = part.parentElement; at !== null; at = at.parentElement) {
      const room = at.getBoundingClientRect();
      const clips = getComputedStyle(at).overflow !== "visible";
      if (clips && (top < room.top - 1 || bottom > room.bottom + 1 || left < room.left - 1 || right > room.right + 1))
        return true;
    }
    return false;
  })
  .map((part) => part.outerHTML.slice(0, 100))"""

IS_FAINT = """(image) => {
  for (let at = image; at !== null; at = at.parentElement ?? at.getRootNode().host ?? null)
    if (getComputedStyle(at).opacity !== "1") return true;
  return false;
}"""

# Keeps a weak reference to each tile that there ever was, and counts those that are gone from the page but still held.
REMEMBER = """() => {
  const { shadowRoot } = document.querySelector(".comfy-widgets");
  const seen = new WeakSet();
  window.tiles = [];
  new MutationObserver(() => {
    for (const tile of shadowRoot.querySelectorAll(".tile")) {
      if (!seen.has(tile)) window.tiles.push(new WeakRef(tile));
      seen.add(tile);
    }
  }).observe(shadowRoot, { subtree: true, childList: true });
}"""
KEPT = "() => window.tiles.filter((tile) => tile.deref()?.isConnected === false).length"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[ComfyClient]:
    with ComfyClient(server.url) as client:
        yield client


def image(color: str = "teal") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), color).save(stream, "PNG")
    return stream.getvalue()


def second_of_silence() -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16_000))
    return stream.getvalue()


def output(server: ScriptedServer, kind: str) -> dict[str, Any]:
    """Return what a node gives."""
    put = server.files.put
    sounds = [put(f"sound_{number}.wav", second_of_silence(), folder="output") for number in range(3)]
    if kind == "text":
        return {"text": [HTML, "line\n" * 200]}
    if kind == "3D":
        return {"3d": [put("mesh.glb", b"glTF", folder="output")]}
    if kind == "sound":
        return {"audio": sounds[:1]}
    if kind == "sounds":
        return {"audio": sounds}
    if kind == "image and sound":
        return {"images": [put("one.png", image(), folder="output")], "audio": sounds[:1], "text": [HTML]}
    return {
        "images": [put(f"{color}.png", image(color), folder="output") for color in ("red", "blue")],
        "audio": sounds,
    }


@pytest.mark.parametrize("width", [1100, 360])
@pytest.mark.parametrize("kind", ["text", "3D", "sound", "sounds", "image and sound", "images and sounds"])
def test_all_of_it_is_seen(show: Show, server: ScriptedServer, client: ComfyClient, kind: str, width: int) -> None:
    server.script = standard_run(outputs={"9": output(server, kind)}, previews=False)
    page = show(ComfyPanel(text_to_image(), client), width=width)
    one = Panel(page)
    one.run_button.click()
    one.expect_status("Done")
    outcome = one.root.locator(".outcome")
    expect(outcome.locator("audio")).to_have_count({"sound": 1, "image and sound": 1}.get(kind, 3 * ("sounds" in kind)))
    expect(outcome.get_by_text("No images")).to_have_count(0)
    if "image" not in kind:
        height = one.root.locator(".stage").evaluate_all("found => found.map((stage) => stage.clientHeight)")
        assert sum(height) < 300, "an empty place for images"
    if kind in ("text", "image and sound"):
        expect(outcome.get_by_text(HTML)).to_be_visible()
    if kind == "3D":
        expect(outcome.get_by_text("Also made: mesh.glb.")).to_be_visible()
    # How players stand is told by a feature that comes after them.
    page.wait_for_function(f"(root) => ({HIDDEN})(root).length === 0", arg=one.root.element_handle())
    assert problems(page) == []
    assert page.evaluate(FAINT) == []


def test_one_image_beside_a_sound_is_as_wide_as_its_place(
    show: Show, server: ScriptedServer, client: ComfyClient
) -> None:
    server.script = standard_run(outputs={"9": output(server, "image and sound")})
    one = Panel(show(ComfyPanel(text_to_image(), client)))
    one.run_button.click()
    one.expect_status("Done")
    expect(one.root.locator("audio")).to_have_css("width", re.compile(r"[3-9]\d\d"))
    tile, sound = one.root.locator("button.tile").bounding_box(), one.root.locator("audio").bounding_box()
    assert tile is not None and sound is not None
    assert tile["width"] == pytest.approx(sound["width"], abs=1)
    assert sound["y"] >= tile["y"] + tile["height"]


@pytest.mark.parametrize("is_all", [True, False])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "the server does not have it any more"),
        (b"", "the server sent an empty file"),
        (f"<p>{HTML}</p>".encode(), "what the server sent is no image"),
    ],
)
def test_files_that_cannot_be_shown_are_named(
    show: Show, server: ScriptedServer, client: ComfyClient, content: bytes | None, reason: str, is_all: bool
) -> None:
    name = f"{HTML.replace('/', '')}.png"
    broken = {"filename": name, "subfolder": "", "type": "output"}
    if content is not None:
        broken = server.files.put(name, content, folder="output")
    good = [] if is_all else [server.files.put("good.png", image(), folder="output")]
    server.script = standard_run(outputs={"9": {"images": [*good, broken]}})
    one = Panel(show(ComfyPanel(text_to_image(), client), width=600, theme="dark"))
    one.run_button.click()
    one.expect_status("Done")
    expect(one.pictures).to_have_count(len(good))
    expect(one.root.get_by_text(f"{name} cannot be shown: {reason}.")).to_be_visible()


@pytest.mark.parametrize(("name", "theme"), [("clip.mp4", "light"), ("sound.flac", "dark")])
def test_what_the_browser_cannot_play_is_told(
    show: Show, server: ScriptedServer, client: ComfyClient, name: str, theme: str
) -> None:
    key = "video" if name == "clip.mp4" else "audio"
    server.script = standard_run(outputs={"9": {key: [server.files.put(name, b"nothing of that", folder="output")]}})
    page = show(ComfyPanel(text_to_image(), client), theme=theme)
    one = Panel(page)
    one.run_button.click()
    one.expect_status("Done")
    expect(one.root.locator(".outcome").get_by_text(f"This browser cannot play {name}")).to_be_visible()
    assert problems(page) == []
    assert page.evaluate(FAINT) == []
    # What comes next is shown.
    server.play(standard_run())
    one.run_button.click()
    expect(one.root.locator(".outcome").get_by_text("This browser cannot play")).to_have_count(0)
    expect(one.pictures).to_have_count(1)


def test_a_failed_run_leaves_the_image_of_the_run_before_in_full_colour(
    show: Show, server: ScriptedServer, client: ComfyClient
) -> None:
    one = Panel(show(ComfyPanel(text_to_image(), client)))
    one.run_button.click()
    one.expect_status("Done")
    expect(one.root.get_by_text("From the run before")).to_have_count(0)
    server.play(standard_run(fail_at="3"))
    one.run_button.click()
    one.expect_status("Failed")
    expect(one.alert).to_contain_text("KSampler")
    expect(one.root.get_by_text("From the run before")).to_be_visible()
    expect(one.pictures).to_have_count(1)
    one.root.page.wait_for_function(f"(image) => !({IS_FAINT})(image)", arg=one.pictures.element_handle())


def test_the_first_preview_takes_the_place_of_the_images_before(
    show: Show, server: ScriptedServer, client: ComfyClient
) -> None:
    panel = ComfyPanel(text_to_image(), client)
    one = Panel(show(panel))
    for _ in range(3):
        gate = Gate()
        server.play(standard_run(gate=gate, gate_after="binary"))
        job = panel.run()
        gate.wait_reached()
        expect(one.root.locator("canvas[data-frames]")).to_be_visible()
        expect(one.pictures).to_have_count(0)
        gate.open()
        job.wait(60)
        expect(one.pictures).to_have_count(1)


def test_images_of_earlier_runs_are_let_go(show: Show, server: ScriptedServer, client: ComfyClient) -> None:
    files = [server.files.put(f"{index}.png", image(), folder="output") for index in range(4)]
    panel = ComfyPanel(text_to_image(), client)
    page = show(panel)
    one = Panel(page)
    one.expect_status("Ready")
    page.evaluate(REMEMBER)
    # Without previews in between, images take the place of others; and a place that was gone gets a new tile.
    for count in [4, 1] * 6:
        server.play(standard_run(outputs={"9": {"images": files[:count]}}, previews=False))
        panel.run().wait(60)
        expect(one.pictures).to_have_count(count)
    page.context.new_cdp_session(page).send("HeapProfiler.collectGarbage")
    assert page.evaluate("() => window.tiles.length") >= 19
    assert page.evaluate(KEPT) < 8
