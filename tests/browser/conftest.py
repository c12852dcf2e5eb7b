"""One JupyterLab, one Notebook 7 and one Chromium for all tests here; one page and one kernel for each.

They end with this package, because while Playwright runs, no other test could use `asyncio.run`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any, Protocol

import comm
import pytest
from ipywidgets.widgets.widget import _instances
from playwright.sync_api import Browser, Page, sync_playwright

from comfy_widgets.engine import Engine
from scripts.environment import NO_CHROMIUM, find_chromium

from .direct import Direct
from .host import Host, running_host
from .notebook import SHOTS, Notebook, launch_arguments


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.fail(NO_CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=launch_arguments(), headless=True)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def engine() -> Iterator[Engine]:
    """The server that ``ComfyClient()`` finds in the notebooks."""
    with Engine() as engine:
        yield engine


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Host]:
    with running_host("lab", tmp_path_factory.mktemp("lab"), {"COMFYUI_URL": engine.url}) as host:
        yield host


@pytest.fixture(scope="package")
def notebook7(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Host]:
    with running_host("notebook", tmp_path_factory.mktemp("notebook"), {"COMFYUI_URL": engine.url}) as host:
        yield host


@pytest.fixture(scope="package")
def direct() -> Iterator[Direct]:
    with Direct().running() as direct:
        yield direct


class Show(Protocol):
    """Shows a widget in a page of its own."""

    def __call__(
        self, widget: Any, *, width: int = 1100, theme: str = "light", viewport: tuple[int, int] = (1400, 1200)
    ) -> Page: ...


@pytest.fixture
def show(
    browser: Browser, direct: Direct, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Show]:
    """Give every widget of the test a way into bare pages; in the end their consoles must be free of errors."""
    monkeypatch.setattr(comm, "create_comm", direct.comm)
    before = set(_instances)
    pages: list[Page] = []
    errors: list[str] = []

    def make(widget: Any, *, width: int = 1100, theme: str = "light", viewport: tuple[int, int] = (1400, 1200)) -> Page:
        page = browser.new_page(viewport={"width": viewport[0], "height": viewport[1]})
        page.set_default_timeout(30_000)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(direct.url(widget, width, theme))
        pages.append(page)
        return page

    yield make
    for number, page in enumerate(pages):
        if request.node.stash.get(FAILED, False):
            SHOTS.mkdir(exist_ok=True)
            page.screenshot(path=SHOTS / f"failed-{request.node.name}-{number}.png")
        page.close()
    for key in set(_instances) - before:
        if key in _instances:  # a panel closes its parts
            _instances[key].close()
    assert not errors, "the browser's console has errors:\n" + "\n".join(errors)


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def page_on(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[[Host], Notebook]]:
    """Make pages, each with a kernel of its own; in the end their consoles must be free of errors."""
    notebooks: list[Notebook] = []

    def make(host: Host) -> Notebook:
        page = browser.new_page(viewport={"width": 1280, "height": 1500})
        page.set_default_timeout(30_000)
        notebooks.append(Notebook(host, page))
        return notebooks[-1]

    yield make
    for number, notebook in enumerate(notebooks):
        if request.node.stash.get(FAILED, False):
            SHOTS.mkdir(exist_ok=True)
            notebook.page.screenshot(path=SHOTS / f"failed-{request.node.name}-{number}.png")
        notebook.close()
    errors = [error for notebook in notebooks for error in notebook.errors]
    assert not errors, "the browser's console has errors:\n" + "\n".join(errors)


@pytest.fixture
def notebook(page_on: Callable[[Host], Notebook], lab: Host) -> Notebook:
    """A page in JupyterLab."""
    return page_on(lab)
