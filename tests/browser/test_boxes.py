"""Widgets of this package inside the boxes of ipywidgets: each gets a share of the width unasked."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .notebook import Notebook
from .panel import PATIENCE

MAKE = """
import ipywidgets
from PIL import Image
from comfy_widgets import ComfyClient, ComfyPanel, ImageGrid, JobProgress, LivePreview, example
client = ComfyClient()
job = client.submit(example().with_params(steps=2, width=64, height=64))
def panel(): return ComfyPanel(example(), client)
def parts(): return [LivePreview(job), ImageGrid([Image.new("RGB", (64, 64), "teal")]), JobProgress(job)]
centred = ipywidgets.Layout(align_items="center")
"""
BOXES = [
    ("ipywidgets.HBox([panel(), panel()])", 2),
    ("ipywidgets.Box([panel(), panel()])", 2),
    ("ipywidgets.VBox([panel(), panel()], layout=centred)", 1),
    ("ipywidgets.Stack([panel(), panel()], selected_index=0)", 1),
    ("ipywidgets.Tab([panel()], titles=['one'])", 1),
    ("ipywidgets.Accordion([panel()], selected_index=0)", 1),
    ("ipywidgets.GridBox([panel(), panel()], layout={'grid_template_columns': '1fr 1fr'})", 2),
    ("ipywidgets.HBox(parts())", 3),
    ("ipywidgets.VBox([ipywidgets.HBox(parts()), ipywidgets.HBox(parts())])", 3),
    ("ipywidgets.HBox([panel().form, ipywidgets.VBox(parts())])", 2),
    ("ipywidgets.HBox([ipywidgets.VBox([ipywidgets.HBox(parts())]), panel()])", 6),
    ("ipywidgets.Stack([ipywidgets.HBox([panel(), panel()])], selected_index=0)", 2),
    ("ipywidgets.VBox([ipywidgets.HBox([parts()[2]])], layout=centred)", 1),
    ("ipywidgets.TwoByTwoLayout(top_left=panel(), top_right=parts()[0], bottom_left=panel().stage)", 2),
    ("ipywidgets.AppLayout(header=parts()[2], center=panel())", 1),
    ("ipywidgets.HBox([ComfyPanel(example(), client, layout={'width': '400px'}), panel()])", 0),
]
WIDTHS = """(output) => {
  const visible = [...output.querySelectorAll(".comfy-widgets")].filter((host) => host.offsetParent !== null);
  const places = visible.map((host) => host.getBoundingClientRect());
  const plain = places.map(({ left, right, top, width }) => ({ left, right, top, width }));
  return { room: output.clientWidth, places: plain };
}"""

pytestmark = pytest.mark.timeout(300)


def test_each_gets_a_share_of_the_width(notebook: Notebook) -> None:
    notebook.open([MAKE, *(box for box, _ in BOXES)])
    notebook.run(0)
    for number, (box, columns) in enumerate(BOXES, 1):
        notebook.run(number)
        output = notebook.output(number).locator(".jp-OutputArea-output").last
        expect(output.locator(".comfy-widgets").first).to_be_attached(timeout=PATIENCE)
        seen = output.evaluate(WIDTHS)
        places = seen["places"]
        if columns:
            for place in places:
                assert place["width"] > 0.85 * seen["room"] / columns, f"{box}: {seen}"
        else:
            first, second = places
            assert first["width"] == pytest.approx(400, abs=6), f"{box}: {seen}"
            assert second["width"] > 0.8 * (seen["room"] - 400), f"{box}: {seen}"
        for one in places:
            for other in places:
                if one is not other and one["top"] == other["top"]:
                    assert one["right"] <= other["left"] + 1 or other["right"] <= one["left"] + 1, f"{box}: {seen}"
        assert max(place["right"] for place in places) <= output.evaluate("o => o.getBoundingClientRect().right") + 1, (
            box
        )
