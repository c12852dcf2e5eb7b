"""The checkpoints: looks of their own, and one that fills in what a mask leaves open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from comfy_widgets.engine._model.checkpoints import CHECKPOINTS, Checkpoint, Cond, Latent, decode, empty, encode
from comfy_widgets.engine._model.names import CHECKPOINT_NAMES
from comfy_widgets.engine._model.render import render
from comfy_widgets.engine._model.sampling import Guide, Start, sample
from comfy_widgets.engine._model.scenes import Dice, draw_scenes
from comfy_widgets.engine._model.styles import STYLES
from comfy_widgets.engine._model.vocabulary import understand

PLAIN, INK, POSTER, INPAINTING = CHECKPOINT_NAMES


def drawn(name: str, text: str, latent: Latent | None = None, seed: int = 5) -> Any:
    model = Checkpoint(name)
    guide = Guide(model, [Cond(understand(text))], [], 4.0)
    begin = empty(192, 192, 1) if latent is None else latent
    levels = model.levels("normal", 16)
    return decode(sample(guide, begin, Start(seed), "euler", levels, lambda step: None)[0])[0]


def colourfulness(image: Any) -> float:
    return float((image.max(axis=2) - image.min(axis=2)).mean())


def test_each_look_is_its_own() -> None:
    plain, ink, poster = (drawn(name, "a red balloon over blue mountains at sunset") for name in (PLAIN, INK, POSTER))
    assert colourfulness(ink) < 0.1 < colourfulness(plain) < colourfulness(poster)
    for one, other in ((plain, ink), (plain, poster), (ink, poster)):
        assert np.sqrt(((one - other) ** 2).mean()) > 0.05


@pytest.mark.parametrize("style", sorted(STYLES))
@pytest.mark.parametrize("size", [(1, 1), (8, 24), (64, 64)])
def test_looks_keep_shape_range_and_mirror_images(style: str, size: tuple[int, int]) -> None:
    scenes = draw_scenes(6, Dice(3))
    images = STYLES[style](render(scenes, *size))
    assert (images.shape, images.dtype) == ((6, 3, *size), np.float32)
    assert images.min() >= 0
    assert images.max() <= 1
    assert np.allclose(STYLES[style](render(scenes.mirrored(), *size)), images[..., ::-1], atol=1e-6)


def test_a_poster_has_few_colours() -> None:
    images = STYLES["poster"](render(draw_scenes(4, Dice(4)), 128, 128))
    assert len(np.unique(np.rint(images * 12))) < 13


class TestInpainting:
    def filled(self, name: str, seed: int) -> tuple[Any, Any, Any]:
        """An image whose middle was left open, what was made of it, and where."""
        image = STYLES["painted"](render(draw_scenes(1, Dice(seed)), 192, 192)).transpose(0, 2, 3, 1)
        mask = np.zeros((1, 192, 192), np.float32)
        mask[:, 64:128, 64:128] = 1
        blank = np.where(mask[..., None] > 0, np.float32(0.5), image)
        return image[0], drawn(name, "", replace(encode(blank), mask=mask), seed), mask[0] > 0

    def test_what_surrounds_the_mask_stays(self) -> None:
        image, made, where = self.filled(INPAINTING, 1)
        assert np.abs(made - image)[~where].mean() < 0.05

    def test_it_fits_better_than_a_model_that_does_not_look_around(self) -> None:
        misses = {}
        for name in (PLAIN, INPAINTING):
            errors = []
            for seed in range(8):
                image, made, where = self.filled(name, seed)
                errors.append(float(np.sqrt(((made - image)[where] ** 2).mean())))
            misses[name] = float(np.mean(errors))
        assert misses[INPAINTING] < 0.8 * misses[PLAIN]

    def test_without_a_mask_it_is_the_plain_one(self) -> None:
        assert CHECKPOINTS[INPAINTING].style == CHECKPOINTS[PLAIN].style
        assert np.array_equal(drawn(INPAINTING, "a boat"), drawn(PLAIN, "a boat"))
