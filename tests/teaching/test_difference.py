"""How far two images are apart, and the server of the lessons."""

from __future__ import annotations

import pytest
from PIL import Image

from comfy_widgets.teaching import difference, lesson_client
from comfy_widgets.testing import ScriptedServer


def test_the_difference_counts_all_pixels_and_colours() -> None:
    black = Image.new("RGB", (8, 8))
    half = black.copy()
    half.paste("white", (0, 0, 4, 8))
    assert difference(black, half) == pytest.approx(0.5**0.5)
    assert difference(black, Image.new("RGB", (8, 8), "#ff0000")) == pytest.approx((1 / 3) ** 0.5)
    assert difference(Image.new("L", (8, 8), 255), Image.new("RGBA", (8, 8), "white")) == 0.0
    with pytest.raises(ValueError, match="8x8 and 4x8 pixels"):
        difference(black, Image.new("RGB", (4, 8)))


def test_the_lessons_use_the_server_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer() as server:
        monkeypatch.setenv("COMFYUI_URL", server.url)
        with lesson_client() as client:
            assert client.url == server.url
