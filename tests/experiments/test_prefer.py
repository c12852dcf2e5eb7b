"""Which do you like: pairs of a sweep's images, and what is learned of the answers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from comfy_widgets import ComfyClient, prefer
from comfy_widgets.errors import ComfyError
from comfy_widgets.experiments import Experiment, ExperimentError, Preferences, sweep
from comfy_widgets.testing import text_to_image


@pytest.fixture
def make(client: ComfyClient, tmp_path: Path) -> Iterator[Callable[..., Experiment]]:
    runs: list[Experiment] = []

    def make(**axes: object) -> Experiment:
        runs.append(sweep(text_to_image(), axes, client=client, folder=tmp_path / "store").wait(60))
        return runs[-1]

    yield make
    for run in runs:
        run.close()


def answer(likes: Preferences, better: Callable[[int, int], bool]) -> None:
    assert likes.pair is not None
    left, right = likes.pair
    likes.choose("left" if better(left.number, right.number) else "right")


def test_it_finds_the_best_in_few_answers_and_says_when_it_is_sure(make: Callable[..., Experiment]) -> None:
    likes = prefer(make(seed=range(8)))
    assert likes.best is None and not likes.sure and str(likes) == "Nothing was compared yet."
    order = [3, 6, 0, 1, 7, 4, 2, 5]
    for _ in range(60):
        answer(likes, lambda one, other: order.index(one) < order.index(other))
        if likes.sure:
            break
    assert likes.sure and likes.confidence >= 0.9
    assert likes.best is not None and likes.best.number == 3
    assert str(likes).startswith("Sure (9") and str(likes).endswith("seed 3 is liked best.")
    # All pairs would be 28 answers, and each has to be repeated before anybody is sure of it.
    assert len(likes) <= 40
    worth = [value for _, value in likes]
    assert worth == sorted(worth, reverse=True) and likes.ranking[0][0].number == 3


def test_each_is_seen_before_any_is_called_the_best(make: Callable[..., Experiment]) -> None:
    likes = prefer(make(seed=range(7)))
    seen: set[int] = set()
    for _ in range(4):
        assert likes.pair is not None and not likes.sure
        seen.update(cell.number for cell in likes.pair)
        answer(likes, lambda one, other: one < other)
    assert seen == set(range(7))


def test_answers_are_kept_and_can_be_taken_back(make: Callable[..., Experiment]) -> None:
    run = make(seed=range(3))
    likes = prefer(run)
    likes.choose("left", (run[2], run[0]))
    likes.choose("same", (run[2], run[1]))
    again = prefer(run)
    assert len(again) == 2 and again.best is not None and again.best.number == 2
    again.undo()
    again.undo()
    again.undo()
    assert len(again) == 0 == len(prefer(run)) and again.best is None


def test_equal_ones_are_worth_the_same(make: Callable[..., Experiment]) -> None:
    run = make(seed=range(2))
    likes = prefer(run)
    for _ in range(9):
        likes.choose("same")
    assert [value for _, value in likes] == pytest.approx([0, 0])
    assert likes.confidence == pytest.approx(0.5) and not likes.sure


def test_what_was_rejected_is_not_asked_for(make: Callable[..., Experiment]) -> None:
    run = make(seed=range(3))
    run[1].reject()
    likes = prefer(run)
    assert [cell.number for cell in likes.cells] == [0, 2]
    assert likes.pair is not None and {cell.number for cell in likes.pair} == {0, 2}


def test_the_strengths_are_those_of_the_model(make: Callable[..., Experiment]) -> None:
    run = make(seed=range(3))
    likes = prefer(run)
    shares = {(0, 1): 7, (1, 2): 6, (0, 2): 8}
    for (one, other), wins in shares.items():
        for number in range(10):
            likes.choose("left" if number < wins else "right", (run[one], run[other]))
    worth = {cell.number: value for cell, value in likes}
    # Where the likelihood is highest its slope is 0; half a win and half a loss against 1 are part of it.
    from math import exp

    for cell in range(3):
        expected = 1 / (1 + exp(-worth[cell]))
        won = 0.5
        for (one, other), wins in shares.items():
            if cell in (one, other):
                expected += 10 / (1 + exp(worth[other if cell == one else one] - worth[cell]))
                won += wins if cell == one else 10 - wins
        assert expected == pytest.approx(won, abs=1e-3)


def test_bad_input_is_told(make: Callable[..., Experiment]) -> None:
    run = make(seed=[1])
    likes = prefer(run)
    assert likes.pair is None
    with pytest.raises(ExperimentError, match="not two images"):
        likes.choose("left")
    with pytest.raises(ValueError, match="'left', 'right' or 'same'"):
        likes.choose("both")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'left', 'right' or 'same'"):
        likes.choose([])  # type: ignore[arg-type]
    for pair in (5, (1, 2), (run[0],), "ab"):
        with pytest.raises(ValueError, match="must be two cells"):
            likes.choose("left", pair)  # type: ignore[arg-type]
    assert len(likes) == 0
    with pytest.raises(TypeError, match="takes what sweep"):
        prefer("run")  # type: ignore[arg-type]
    for content in (
        "no json",
        "[]",
        json.dumps({"preferences": [[1]]}),
        json.dumps({"preferences": [["a", "b", 10**400]]}),
    ):
        (run.folder / "preferences.json").write_text(content)
        with pytest.raises(ComfyError, match=r"preferences\.json holds no preferences"):
            prefer(run)
        assert (run.folder / "preferences.json").read_text() == content


def test_sides_do_not_tell_which_is_expected_to_win(make: Callable[..., Experiment]) -> None:
    likes = prefer(make(seed=range(4)))
    sides = []
    for _ in range(20):
        assert likes.pair is not None
        sides.append(min(cell.number for cell in likes.pair) == likes.pair[0].number)
        answer(likes, lambda one, other: one < other)
    assert any(sides) and not all(sides)
    assert any(one != other for one, other in itertools.pairwise(sides))
