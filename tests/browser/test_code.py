"""How the front end comes into a page: at once, again after a reload, and not at all without a kernel."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient
from playwright.sync_api import expect

from comfy_widgets.engine import Engine

from .notebook import Notebook
from .panel import PATIENCE, Panel

SHOW = """
from comfy_widgets import ComfyClient, ComfyPanel, example
panel = ComfyPanel(example(), client=ComfyClient(), title="Boats")
panel
"""
WAIT = """
import pathlib, time
while not pathlib.Path("go").exists():
    time.sleep(0.05)
"""
# Another release of the package beside the first one: its front end says "Further settings".
ANOTHER_VERSION = """
import pathlib, re, shutil, sys, tempfile
import comfy_widgets
where = pathlib.Path(tempfile.mkdtemp())
shutil.copytree(pathlib.Path(comfy_widgets.__file__).parent, where / "comfy_widgets")
changed = 0
for file in (where / "comfy_widgets" / "static").glob("*.js"):
    text = file.read_text()
    new = text.replace("More settings", "Further settings")
    if file.name == "start.js":
        new = re.sub(r'"[0-9a-f]{16}"', '"another-build"', new)
    changed += new != text
    file.write_text(new)
assert changed == 2, changed
for name in [name for name in sys.modules if name.partition(".")[0] == "comfy_widgets"]:
    del sys.modules[name]
sys.path.insert(0, str(where))
"""

pytestmark = pytest.mark.timeout(300)


def test_a_panel_lives_in_a_cell_that_goes_on(notebook: Notebook) -> None:
    notebook.open([f"{SHOW.strip()[: -len('panel')]}display(panel)\npanel.run().wait()\n{WAIT}"])
    notebook.start(0)
    panel = Panel(notebook.page)
    panel.expect_status("Done")
    expect(panel.pictures).to_have_count(1)
    (notebook.host.folder / "go").touch()
    expect(notebook.cell(0).locator(".jp-InputPrompt")).not_to_contain_text("*", timeout=PATIENCE)
    (notebook.host.folder / "go").unlink()


def test_after_a_reload_panels_wait_for_a_busy_kernel_and_then_are_back(notebook: Notebook) -> None:
    notebook.open([SHOW, "panel", WAIT])
    notebook.run(0)
    notebook.run(1)
    one, other = Panel(notebook.page, 0), Panel(notebook.page, 1)
    one.fill(steps="4")
    one.run_button.click()
    one.expect_status("Done")
    notebook.save()
    notebook.start(2)
    notebook.reload()
    (notebook.host.folder / "go").touch()
    one.expect_status("Done")
    expect(one.field("Steps")).to_have_value("4")
    expect(one.pictures).to_have_count(1)
    other.run_button.click()
    for panel in (one, other):
        panel.expect_status("Done")
    (notebook.host.folder / "go").unlink()


def test_two_versions_live_in_one_page(notebook: Notebook) -> None:
    notebook.open([SHOW, ANOTHER_VERSION, SHOW])
    old, new = Panel(notebook.page, 0), Panel(notebook.page, 1)
    for index, panel in ((0, old), (2, new)):
        notebook.run(index)
        panel.fill(steps="4")
        panel.run_button.click()
        panel.expect_status("Done")
        notebook.run(1)
    expect(old.root.get_by_text("More settings")).to_be_visible()
    expect(new.root.get_by_text("Further settings")).to_be_visible()
    for panel in (old, new):
        panel.pictures.click()
        large = panel.root.get_by_role("dialog")
        expect(large).to_be_visible()
        large.get_by_role("button", name="Close").click()
        expect(large).to_be_hidden()


def test_a_saved_notebook_without_its_kernel_says_what_to_do(notebook: Notebook, engine: Engine) -> None:
    source = SHOW.replace("ComfyClient()", f"ComfyClient({engine.url!r})")
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    document.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    NotebookClient(document, kernel_name="python3", store_widget_state=True).execute()
    file = notebook.host.folder / "executed.ipynb"
    nbformat.write(document, file)
    notebook.open(file, "saved.ipynb")
    notebook.trust()
    expect(notebook.output(0)).to_contain_text("Boats: waiting for the kernel")
    notebook.shot("saved-without-kernel", notebook.output(0))
