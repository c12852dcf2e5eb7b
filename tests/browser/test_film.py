"""The film of a run: played, moved through and saved as a person does it."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from comfy_widgets import ComfyClient, ComfyPanel, example
from comfy_widgets.engine import Engine

from .conftest import Show
from .panel import PATIENCE

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def client(engine: Engine) -> Any:
    with ComfyClient(engine.url) as client:
        yield client


def test_the_previews_of_the_last_run_are_moved_through_played_and_saved(show: Show, client: ComfyClient) -> None:
    panel = ComfyPanel(example().with_params(steps=8, width=128, height=128), client)
    panel.run().result(60)
    page = show(panel)
    film = page.get_by_role("region", name="Filmstrip")
    film.get_by_role("button", name="Filmstrip").click()
    slider = film.get_by_role("slider", name="Image of the film")
    last = int(slider.get_attribute("max") or 0)
    # A slow machine may not see each preview; the first and the last image there are in any case.
    assert last >= 1
    expect(film.get_by_role("img", name=f"Image 1 of {last + 1}")).to_be_visible(timeout=PATIENCE)
    slider.focus()
    page.keyboard.press("End")
    expect(film.get_by_role("img", name=f"Image {last + 1} of {last + 1}")).to_be_visible()
    film.get_by_role("combobox", name="Images a second").select_option("24")
    # From the end it plays from the beginning, and ends at the end.
    film.get_by_role("button", name="Play").click()
    expect(slider).to_have_js_property("value", str(last))
    expect(film.get_by_role("button", name="Play")).to_be_visible(timeout=PATIENCE)
    for form in ("GIF", "WebP"):
        with page.expect_download(timeout=PATIENCE) as download:
            film.get_by_role("button", name=f"Save {form}").click()
        with Image.open(download.value.path()) as image:
            assert image.format == form.upper()
            assert getattr(image, "n_frames", 1) >= 2
    # The next run has a film of its own, one that the server has kept none.
    panel.params.seed = 5
    panel.run().result(60)
    expect(film.get_by_role("img", name="Image 1 of")).to_be_visible(timeout=PATIENCE)
