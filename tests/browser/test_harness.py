"""The ground on which the other tests stand: a stranger's widgets work, and an error on the console is noticed."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from .host import Host
from .notebook import Notebook

BUTTON = """
import ipywidgets
button = ipywidgets.Button(description="press me")
button.on_click(lambda button: setattr(button, "description", "pressed"))
button
"""


def test_a_click_reaches_python_and_the_answer_the_page(notebook: Notebook) -> None:
    notebook.open([BUTTON, "print(button.description)"])
    notebook.run(0)
    notebook.page.get_by_role("button", name="press me").click()
    expect(notebook.page.get_by_role("button", name="pressed")).to_be_visible()
    notebook.run(1)
    expect(notebook.output(1)).to_have_text("pressed")


def test_a_click_reaches_python_in_notebook_7(page_on: Callable[[Host], Notebook], notebook7: Host) -> None:
    notebook = page_on(notebook7)
    notebook.open([BUTTON])
    notebook.run(0)
    notebook.page.get_by_role("button", name="press me").click()
    expect(notebook.page.get_by_role("button", name="pressed")).to_be_visible()


def test_an_error_on_the_console_is_noticed(notebook: Notebook) -> None:
    notebook.open(["1 + 1"])
    assert notebook.errors == []
    notebook.page.evaluate("console.error('nobody expects this')")
    assert "nobody expects this" in notebook.errors.pop()


def test_themes_change_the_page(notebook: Notebook) -> None:
    notebook.open(["1 + 1"])

    def background() -> str:
        return str(notebook.page.evaluate("getComputedStyle(document.body).getPropertyValue('--jp-layout-color0')"))

    light = background()
    with notebook.theme("dark"):
        assert background() != light
    assert background() == light
