"""The words about a run that the browser shows as they are."""

from __future__ import annotations

import math

import pytest

from comfy_widgets.widgets._run_state import pace, time_left


@pytest.mark.parametrize(
    ("seconds", "error", "words"),
    [
        (None, None, ""),
        (math.inf, None, ""),
        (0.4, None, "about 1 s left"),
        (8.2, None, "about 8 s left"),
        (33, None, "about 35 s left"),
        (170, None, "about 3 min left"),
        (7200, None, "about 2.0 h left"),
        (40, 6, "about 40 s left, ± 6 s"),
        (400, 120, "about 7 min left, ± 2 min"),
        (40, 0.5, "about 40 s left"),
        (400, 10, "about 7 min left"),
    ],
)
def test_the_time_left_is_no_more_exact_than_it_is_known(
    seconds: float | None, error: float | None, words: str
) -> None:
    assert time_left(seconds, error) == words


def test_the_pace_is_told_as_people_count_it() -> None:
    assert [pace(rate) for rate in (None, 0.25, 3.14)] == ["", "4.0 s/it", "3.1 it/s"]
