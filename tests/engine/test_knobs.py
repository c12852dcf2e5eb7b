"""Does the model teach the truth: does each knob do what a course says that it does?"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from comfy_widgets.engine._model.checkpoints import LATENT_SCALE, Latent, encode
from comfy_widgets.engine._model.render import render
from comfy_widgets.engine._model.scenes import FIGURES, Dice, draw_scenes

from .test_model import has, in_mood, sample, scenes_of, share

PROMPT = "a red balloon over blue mountains, sunset"


def rms(one: Any, other: Any) -> float:
    """Return the root mean square difference of latents, in units of a picture's values 0..1."""
    return float(np.sqrt(np.mean((one - other) ** 2)) / LATENT_SCALE)


def sketch() -> Any:
    """Return what a learner may draw: a sky, a meadow and a red disc."""
    picture = np.empty((1, 256, 256, 3), np.float32)
    picture[:, :128], picture[:, 128:] = (0.9, 0.6, 0.3), (0.2, 0.5, 0.2)
    rows, columns = np.mgrid[:256, :256]
    picture[0][(rows - 70) ** 2 + (columns - 150) ** 2 < 40**2] = (0.8, 0.1, 0.1)
    return picture


def painted() -> Any:
    """Return a scene of the same world, but none of the stored ones."""
    return render(draw_scenes(1, Dice(991)), 256, 256).transpose(0, 2, 3, 1)


class TestDenoise:
    @pytest.mark.parametrize("picture", [sketch, painted])
    @pytest.mark.parametrize("side", [128, 256])
    def test_it_goes_from_the_input_to_the_prompt(self, picture: Callable[[], Any], side: int) -> None:
        begin = encode(np.ascontiguousarray(picture()[:, :: 256 // side, :: 256 // side]))
        ends = [sample("night", latent=begin, denoise=amount, seed=2, steps=20) for amount in (0.05, 0.3, 0.6, 0.9)]
        changes = [rms(end.samples, begin.samples) for end in ends]
        assert changes[0] < 0.05
        assert all(before <= after + 0.01 for before, after in pairwise(changes))
        assert changes[1] > 2 * changes[0]
        assert in_mood("night")(scenes_of(ends[-1])).all()

    def test_in_between_the_light_of_the_input_remains(self) -> None:
        begin = encode(sketch())
        mixed, obeyed = (sample("a house", latent=begin, denoise=amount, seed=2) for amount in (0.3, 1.0))
        slow = [light_of(latent) for latent in (begin, mixed, obeyed)]
        assert rms(slow[1], slow[0]) < 0.6 * rms(slow[2], slow[0])


def light_of(latent: Latent) -> Any:
    """Return the picture in 4 x 4 cells."""
    cells = latent.samples
    return cells.reshape(len(cells), 3, 4, cells.shape[2] // 4, 4, cells.shape[3] // 4).mean(axis=(3, 5))


class TestSteps:
    def test_more_steps_sharpen_one_composition(self) -> None:
        ends = {steps: sample(PROMPT, seed=5, steps=steps, cfg=1.0, batch=8).samples for steps in (1, 4, 8, 50)}
        errors = [rms(ends[steps], ends[50]) for steps in (1, 4, 8)]
        assert errors[0] > errors[1] > errors[2]
        sharp = [float(np.abs(np.diff(ends[steps], axis=3)).mean()) for steps in (1, 4, 50)]
        assert sharp[0] < sharp[1] <= sharp[2] * 1.05

    def test_samplers_agree_at_many_steps_and_differ_at_few(self) -> None:
        def apart(steps: int) -> float:
            names = ("euler", "heun", "dpmpp_2m", "lms")
            ends = [sample(PROMPT, seed=5, steps=steps, cfg=1.0, batch=6, sampler=name).samples for name in names]
            return float(
                np.median([[rms(one, end) for one, end in zip(ends[0], other, strict=True)] for other in ends[1:]])
            )

        assert apart(60) < apart(5) / 3


class TestWords:
    @pytest.mark.parametrize(("word", "other"), [("red", "green"), ("balloon", "rocket"), ("blue", "purple")])
    def test_one_changed_word_keeps_the_composition(self, word: str, other: str) -> None:
        seeds = range(8)
        before = [sample(PROMPT, seed=seed).samples for seed in seeds]
        after = [sample(PROMPT.replace(word, other), seed=seed).samples for seed in seeds]
        changed = np.median([rms(one, two) for one, two in zip(before, after, strict=True)])
        by_seed = np.median([rms(one, two) for one, two in pairwise(before)])
        assert changed < 0.75 * by_seed

    def test_another_time_of_day_keeps_the_places_of_things(self) -> None:
        places = []
        for text in (PROMPT, PROMPT.replace("sunset", "morning")):
            scenes = scenes_of(sample(text, batch=24))
            places.append(np.where(scenes.flipped, -1, 1) * scenes.x[:, FIGURES.index("balloon")])
        same, by_chance = (np.mean(np.abs(places[0] - np.roll(places[1], shift)) < 0.02) for shift in (0, 1))
        assert same > 0.3 > 2 * by_chance

    @pytest.mark.parametrize(("text", "shows"), [("(boat:{})", has("boat")), ("(night:{})", in_mood("night"))])
    def test_weights_act_continuously(self, text: str, shows: Callable[[Any], Any]) -> None:
        shares = [share(text.format(weight), shows, cfg=2.0) for weight in (0, 0.3, 0.6, 1.0, 1.5)]
        assert all(low <= high + 0.05 for low, high in pairwise(shares))
        assert shares[0] < 0.4
        assert shares[-1] > 0.8
        assert len(set(shares)) >= 4

    def test_adjectives_have_weights_of_their_own(self) -> None:
        def red(weight: float) -> float:
            scenes = scenes_of(sample(f"a (red:{weight}) balloon", batch=48, cfg=1.5))
            return float(np.mean(scenes.colour[:, FIGURES.index("balloon")] == 0))

        assert red(0) < red(0.6) < red(1.5)

    def test_a_slightly_heavier_word_keeps_the_picture(self) -> None:
        plain, heavier = (sample(f"a (balloon:{weight}) at noon", seed=3).samples for weight in (1.0, 1.05))
        assert rms(plain, heavier) < 0.03

    def test_negatives_act(self) -> None:
        assert share("hills", has("tree"), "trees") < share("hills", has("tree")) / 2


class TestGuidance:
    def test_it_goes_from_ignoring_to_obeying(self) -> None:
        shares = [share("a house", has("house"), cfg=cfg, steps=16) for cfg in (0.0, 1.0, 2.0, 7.0)]
        assert shares == sorted(shares)
        assert shares[0] < 0.5 < shares[1] < 0.8 < shares[2] < shares[3]

    def test_too_much_of_it_shows(self) -> None:
        # The light of the prompt is carried too far: night is black, and colours leave the range of a picture.
        dark = [float(sample("night", cfg=cfg, seed=4).samples.mean()) for cfg in (4.0, 12.0, 40.0)]
        assert dark[0] > dark[1] > dark[2]


def test_no_output_is_a_stored_scene() -> None:
    ends = sample(PROMPT, batch=16)
    stored = scenes_of(ends)
    nearest = (render(stored, 16, 16) - 0.5) * LATENT_SCALE
    assert min(rms(one, two) for one, two in zip(ends.samples, nearest, strict=True)) > 0.02
