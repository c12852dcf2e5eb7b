"""What holds for every test: it sees nothing of the user's own servers and journals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COMFYUI_URL", raising=False)
        patch.setenv("COMFY_WIDGETS_STATE", str(tmp_path_factory.mktemp("state")))
        yield
