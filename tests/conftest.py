"""What holds for every test: it sees nothing of the user's own servers and journals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

# How long an example takes says more about the machine, and what else it does, than about the code.
settings.register_profile("comfy_widgets", deadline=None)
settings.load_profile("comfy_widgets")

SLOW = (
    "tests/browser/",
    "tests/test_packaging.py",
    "tests/test_demo.py",
    "tests/test_notebooks.py",
    "tests/test_lessons.py",
)
"""Begun first where tests run side by side, so that no process is left alone with them in the end."""


@pytest.fixture(scope="session", autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COMFYUI_URL", raising=False)
        patch.setenv("COMFY_WIDGETS_STATE", str(tmp_path_factory.mktemp("state")))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(
        key=lambda item: next((rank for rank, path in enumerate(SLOW) if item.nodeid.startswith(path)), len(SLOW))
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file in one process, and all that drive a browser: they share JupyterLab and Chromium."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if nodeid.startswith("tests/browser/") else nodeid.partition("::")[0]

    config.option.loadscopereorder = False
    return ByFile(config, log)
