"""Screenshots of the widgets in their states, at several widths, light and dark: ``make shots``.

All of them, or those named as in ``python -m scripts.shots panel grid``, land in ``shots/``, to be looked at; those
that the documentation shows are copied to ``docs/``.
"""

from __future__ import annotations

import base64
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import comm
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect, sync_playwright

from comfy_widgets import (
    ComfyClient,
    ComfyPanel,
    DiffusionSteps,
    DrawingCanvas,
    Engine,
    Fleet,
    FleetView,
    Graph,
    ImageCompare,
    ImageGrid,
    JobProgress,
    Lesson,
    LivePreview,
    NoiseExplorer,
    ReplaySlider,
    ScheduleEditor,
    WorkflowForm,
    WorkflowGraph,
    example,
    record,
)
from comfy_widgets import sweep as start_sweep
from comfy_widgets.teaching import choose
from comfy_widgets.testing import ScriptedServer, standard_run, text_to_image
from comfy_widgets.widgets import SweepGrid
from scripts.environment import chromium
from scripts.shell import ROOT
from tests.browser.direct import Direct
from tests.browser.notebook import launch_arguments
from tests.browser.test_drop import DROP

# The first is the width of the pictures in the documentation: as wide as a panel gets.
WIDTHS = (1120, 900, 600, 400)
THEMES = ("light", "dark")
PATIENCE = 60_000
PROMPT = "a sailing boat on a lake, mountains, sunset"
IN_DOCS = (
    "panel",
    "form",
    "grid",
    "grid-axes",
    "lightbox",
    "compare",
    "film",
    "mask",
    "drop",
    "history",
    "progress",
    "preview",
    "graph",
    "sweep",
    "fleet",
)
TEACHING = ("lesson", "steps", "noise", "schedule", "replay", "drawing")
Shot = tuple[str, Any, tuple[int, ...], Callable[[Page], None]]


def done(page: Page) -> None:
    """Wait until a panel's run is done and its images are there."""
    expect(page.locator(".status").first).to_have_text("Done", timeout=PATIENCE)
    page.locator(".grid img").first.wait_for(timeout=PATIENCE)


def ready(page: Page) -> None:
    """Wait until something is drawn."""
    page.locator(".root > *").first.wait_for(timeout=PATIENCE)


def selected(page: Page) -> None:
    """Select two images; another view of the panel may have done that."""
    bar = page.get_by_role("toolbar", name="Selected images")
    for number in (1, 2):
        box = page.get_by_role("checkbox", name="Select").nth(number)
        box.wait_for(timeout=PATIENCE)
        box.check()
    expect(bar).to_contain_text("2 selected")


def opened(page: Page) -> None:
    """Open an image, with what is known of it."""
    done(page)
    page.locator("button.tile").first.click()
    page.get_by_role("dialog").wait_for(timeout=PATIENCE)
    page.keyboard.press("i")
    page.locator(".story dl").wait_for(timeout=PATIENCE)


def unrolled(page: Page) -> None:
    """Open the filmstrip in the middle."""
    page.get_by_role("button", name="Filmstrip").click(timeout=PATIENCE)
    page.locator(".film img").wait_for(timeout=PATIENCE)
    page.get_by_role("slider", name="Image of the film").fill("8")


def painted(page: Page) -> None:
    """Paint a mask."""
    page.get_by_role("button", name="Paint a mask").click(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Use the mask")).to_have_attribute("aria-disabled", "false")
    page.get_by_role("slider", name="Size").fill("70")
    box = page.get_by_role("img", name="Mask:").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    for x, y in ((0.6, 0.45), (0.4, 0.5), (0.65, 0.6), (0.45, 0.68)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
    page.mouse.up()


def drop(page: Page, content: bytes, name: str) -> None:
    """Drop an image that somebody made."""
    page.locator(".refusal").wait_for(state="attached", timeout=PATIENCE)
    page.locator("section.panel").evaluate(DROP, [base64.b64encode(content).decode(), name, "image/png"])
    page.get_by_text("was made with other values").wait_for(timeout=PATIENCE)


def remembered(page: Page) -> None:
    """Open the runs that a folder keeps, and show one of them."""
    page.get_by_role("button", name="History").click(timeout=PATIENCE)
    page.locator(".history img").nth(4).wait_for(timeout=PATIENCE)
    page.locator(".history .open").nth(2).click()
    page.locator(".before").wait_for(timeout=PATIENCE)


def compared(page: Page) -> None:
    """Wait until two images are compared."""
    page.locator(".comparison img").nth(1).wait_for(timeout=PATIENCE)


def side_by_side(page: Page) -> None:
    """Put two images side by side."""
    compared(page)
    page.get_by_role("button", name="Side by side").click()


def subtracted(page: Page) -> None:
    """Show the difference of two images."""
    compared(page)
    page.get_by_role("button", name="Difference").click()
    page.get_by_role("status").wait_for(timeout=PATIENCE)


def drawn(page: Page) -> None:
    """Open the workflow of an image."""
    opened(page)
    page.keyboard.press("w")
    page.get_by_role("img", name="The workflow of").wait_for(timeout=PATIENCE)


def filled(page: Page) -> None:
    """Wait until all cells of a sweep have images."""
    expect(page.locator(".cell.completed img")).to_have_count(12, timeout=PATIENCE)


def at_work(page: Page) -> None:
    """Wait until servers of a fleet work."""
    page.locator('.lane [data-outcome="running"]').first.wait_for(timeout=PATIENCE)


def story(page: Page) -> None:
    """Open the times and the graph of a panel's run, and select a node."""
    done(page)
    page.get_by_role("button", name="Nodes").click()
    page.get_by_role("button", name="Graph").click()
    page.get_by_role("button", name="KSampler:").first.click(timeout=PATIENCE)
    page.get_by_role("region", name="KSampler").wait_for()


def times(page: Page) -> None:
    """Open the times of the nodes under a bar."""
    page.get_by_text("Nodes", exact=True).click()
    page.locator(".timeline li").first.wait_for(timeout=PATIENCE)


def graph_drawn(page: Page) -> None:
    """Wait until a graph is drawn."""
    page.locator(".card").first.wait_for(timeout=PATIENCE)


def widgets(client: ComfyClient, folder: Path) -> Iterator[Shot]:
    """Yield a name, a widget, the widths at which it is shown, and what to wait for."""
    workflow = example().with_params(positive=PROMPT, batch_size=4, seed=7)
    panel = ComfyPanel(workflow, client)
    panel.run().result(60)
    yield "panel", panel, WIDTHS, done
    yield "panel-idle", ComfyPanel(example(), client), WIDTHS, ready
    queued = ComfyPanel(example().with_params(steps=2000), client)
    jobs = [queued.run() for _ in range(3)]
    yield "panel-queue", queued, (1120, 600), lambda page: page.get_by_role("progressbar").first.wait_for()
    for job in reversed(jobs):
        job.cancel()
    many = ComfyPanel(example().with_params(batch_size=40, width=128, height=128, steps=4), client)
    many.run().result(60)
    yield "panel-many", many, (1120, 600), done
    refused = ComfyPanel(example().with_params(width=16384, height=16384), client)
    refused.run().wait(60)
    yield "panel-failed", refused, (1120, 400), lambda page: page.get_by_role("alert").first.wait_for()
    yield "form", WorkflowForm(workflow, client), (900, 400), ready
    job = client.submit(example().with_params(positive=PROMPT, steps=2000), previews="auto")
    preview, progress = LivePreview(job), JobProgress(job)
    next(event for event in job.events() if job.progress.fraction > 0.6)
    yield "preview", preview, (400,), lambda page: page.locator("canvas[data-frames]").first.wait_for()
    yield "progress", progress, (600,), ready
    yield "progress-nodes", progress, (600, 400), times
    yield "graph", WorkflowGraph(job=job), WIDTHS, graph_drawn
    job.cancel()
    yield "panel-nodes", panel, WIDTHS, story
    failed = client.submit(example().with_params(width=16384, height=16384)).wait(60)
    yield "graph-failed", WorkflowGraph(job=failed), (900,), graph_drawn
    images = panel.images
    yield "grid", ImageGrid(images, labels=[f"seed {seed}" for seed in range(7, 11)]), (900, 400), ready
    scales, seeds = [1, 4, 8, 12], range(3)
    results = [
        client.run(example(), steps=6, width=256, height=256, seed=seed, cfg=cfg) for seed in seeds for cfg in scales
    ]
    table = ImageGrid([result.images[0] for result in results], x={"cfg": scales}, y={"seed": seeds})
    yield "grid-axes", table, (900, 400), ready
    first, second = (client.run(workflow, batch_size=1, steps=steps) for steps in (6, 12))
    yield "compare", ImageCompare(first, second), (900, 400), compared
    yield "compare-side", ImageCompare(first, second), (900, 400), side_by_side
    yield "compare-difference", ImageCompare(first, second), (900,), subtracted
    yield "history", with_history(client, folder.with_name("runs")), WIDTHS, remembered
    filmed = ComfyPanel(workflow.with_params(batch_size=1), client)
    filmed.run().result(60)
    yield "film", filmed, WIDTHS, unrolled
    boat = client.upload_image(first.images[0], "boat.png", overwrite=True)
    graph = Graph(client.object_info())
    loaded: Any = graph.LoadImage(image=boat.filename)
    graph.SaveImage(images=graph.MaskToImage(mask=loaded[1]), filename_prefix="mask")
    yield "mask", ComfyPanel(graph.workflow(), client), WIDTHS, painted
    theirs = first.bytes(first.image_files[0])
    yield "drop", ComfyPanel(example(), client), WIDTHS, lambda page: drop(page, theirs, "boat.png")
    yield "panel-selected", panel, WIDTHS, selected
    yield "lightbox", panel, WIDTHS, opened
    yield "workflow-of-image", panel, (1120, 400), drawn
    run = start_sweep(example().with_params(steps=8), seed=range(4), cfg=[1, 4, 12], client=client, folder=folder)
    run.wait(120)
    yield "sweep", SweepGrid(run), (600, 1120), filled
    run.close()
    yield from servers(folder.with_name("fleet"))
    yield from teaching(client, folder)


def with_history(client: ComfyClient, folder: Path) -> ComfyPanel:
    """Return a panel whose folder keeps runs of an earlier one."""
    earlier = ComfyPanel(example().with_params(width=256, height=256, steps=8), client, history=folder)
    prompts = (PROMPT, "a lighthouse on a cliff", "a red balloon over a field", "a cat on a sofa at night")
    for number, prompt in enumerate(prompts * 2):
        earlier.params.update({"positive": prompt, "seed": number, "cfg": (4, 7)[number % 2]})
        earlier.run().result(60)
    while len(earlier.history or ()) < 2 * len(prompts):
        time.sleep(0.05)
    assert earlier.history is not None
    earlier.history.star(3, [0])
    earlier.close()
    return ComfyPanel(example().with_params(width=256, height=256, steps=8, seed=3), client, history=folder)


def servers(folder: Path) -> Iterator[Shot]:
    """Yield the servers of a fleet in the middle of a sweep; one of them is drained."""
    with ExitStack() as stack:
        scripts = [standard_run(previews=False, pause=seconds) for seconds in (0.15, 0.2, 0.4)]
        some = [stack.enter_context(ScriptedServer(script=script)) for script in scripts]
        fleet = stack.enter_context(Fleet(some))
        run = start_sweep(text_to_image(steps=5), seed=range(300), client=fleet, folder=folder, confirm=True)
        some[0].wait_for(lambda: len(some[2].posted) > 5, 60)
        fleet.drain(some[2])
        some[0].wait_for(lambda: len(some[0].posted) > 25, 60)
        yield "fleet", FleetView(fleet), (900, 400), at_work
        run.cancel()
        run.close()


def teaching(client: ComfyClient, folder: Path) -> Iterator[Shot]:
    """Yield the widgets that teach."""
    small = example().with_params(positive=PROMPT, width=256, height=256, steps=12)
    job = client.submit(small, seed=7, cfg=1).wait()
    steps = DiffusionSteps(job)
    steps.step = 8
    yield "steps", steps, (800, 420), ready
    images = [client.run(small, seed=seed, steps=8).images[0] for seed in range(4)]
    options = dict(zip(("A", "B", "C", "D"), images, strict=True))
    panel = ComfyPanel(small.with_params(seed=2, steps=8), client)
    question = choose(
        "Which image will come?",
        options,
        answer="C",
        reason="The seed decides about the noise, and the noise about the composition.",
    )
    note = "The seed is the number that all noise is drawn from. Here it is 2."
    lesson = Lesson(panel, title="Seeds", notes=note, predict=question)
    yield "lesson-asks", lesson.box.children[0], (800, 420), ready
    lesson.predict("B")
    panel.run().result(60)
    lesson.wait(60)
    yield "lesson", lesson.box.children[0], (800, 420), ready
    yield "noise", NoiseExplorer(images[0], sigma=0.1), (480,), ready
    yield "schedule", ScheduleEditor("karras", steps=10), (640, 420), ready
    yield "drawing", DrawingCanvas(sketch()), (480,), ready
    path = folder.parent / "shots.cassette"
    with record(path, client, title="Seeds and guidance"):
        for seed in range(3):
            for cfg in (1, 4, 12):
                client.run(small, seed=seed, cfg=cfg)
    yield "replay", ReplaySlider(path), (480,), ready


def sketch() -> Image.Image:
    """Return a sketch with an orange sky, a sun, a mountain and water."""
    image = Image.new("RGB", (256, 256), "#f2a65a")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 150, 256, 256), fill="#2a6f6f")
    draw.ellipse((150, 40, 210, 100), fill="#fff2b0")
    draw.polygon([(20, 150), (90, 60), (160, 150)], fill="#5b3f6b")
    return image


def take(browser: Browser, direct: Direct, shot: Shot, folder: Path) -> None:
    """Take one widget at all its widths, light and dark."""
    name, widget, sizes, wait = shot
    for width in sizes:
        for theme in THEMES:
            page = browser.new_page(viewport={"width": width + 16, "height": 1000}, device_scale_factor=1.5)
            page.goto(direct.url(widget, width, theme))
            wait(page)
            page.wait_for_load_state("networkidle")
            path = folder / f"{name}-{width}-{theme}.png"
            over = page.locator("dialog[open]")
            (over if over.count() else page.locator("main")).screenshot(path=path)
            if name in (*IN_DOCS, *TEACHING) and width == sizes[0]:
                _small(path, ROOT / "docs" / f"{name}-{theme}.png")
            print(path.relative_to(ROOT))
            page.close()


def _small(path: Path, target: Path) -> None:
    """Keep a copy of few kilobytes: 256 colours are enough for these, where some of them are greys for the words."""
    with Image.open(path) as image:
        full = image.convert("RGB")
    colors = full.quantize(224).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette(colors[: 3 * 224] + [grey for level in range(32) for grey in [level * 255 // 31] * 3])
    full.quantize(palette=palette, dither=Image.Dither.NONE).save(target, optimize=True)


def main() -> int:
    """Take all of them."""
    folder = ROOT / "shots"
    folder.mkdir(exist_ok=True)
    with (
        sync_playwright() as playwright,
        Direct().running() as direct,
        Engine() as engine,
        TemporaryDirectory() as kept,
    ):
        comm.create_comm = direct.comm
        browser = playwright.chromium.launch(executable_path=chromium(), args=launch_arguments(), headless=True)
        with ComfyClient(engine.url) as client:
            for shot in widgets(client, Path(kept) / "sweep"):
                if not sys.argv[1:] or shot[0] in sys.argv[1:]:
                    take(browser, direct, shot, folder)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
