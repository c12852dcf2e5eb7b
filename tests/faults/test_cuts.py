"""A run of about 40 messages, cut after each of them in every manner: the result arrives and nothing is sent twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from comfy_widgets.testing import FaultProxy, Manner

from .harness import disturbed, failures


@pytest.fixture(scope="module")
def undisturbed() -> tuple[dict[str, Any], int]:
    """The outcome of the run without a fault, and the number of messages that bring it."""
    seen: list[FaultProxy] = []
    outcome, problems = disturbed(seen.append)
    assert problems == []
    return outcome, sum(message.sender == "server" for message in seen[0].messages)


def cut(proxy: FaultProxy, after: int, manner: Manner, midway: bool = False) -> None:
    proxy.cut_websocket(after_messages=after, manner=manner, midway=midway)


def test_the_run_has_about_forty_messages(undisturbed: tuple[dict[str, Any], int]) -> None:
    outcome, count = undisturbed
    assert 40 <= count <= 50
    assert len(outcome["images"]) == 2
    assert outcome["images"][0] != outcome["images"][1]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("manner", ["close", "eof", "reset", "silent", "deaf"])
def test_the_run_ends_while_the_client_is_away(undisturbed: tuple[dict[str, Any], int], manner: Manner) -> None:
    outcome, count = undisturbed
    cases = [(f"{manner} after {n}", partial(cut, after=n, manner=manner)) for n in range(count + 1)]
    assert failures(cases, outcome, wait_for_return=False) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("manner", ["close", "eof", "reset", "silent"])
def test_the_run_goes_on_when_the_client_is_back(undisturbed: tuple[dict[str, Any], int], manner: Manner) -> None:
    outcome, count = undisturbed
    cases = [(f"{manner} after {n}", partial(cut, after=n, manner=manner)) for n in range(count + 1)]
    assert failures(cases, outcome, wait_for_return=True) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("manner", "every"), [("eof", 1), ("reset", 1), ("silent", 9)])
def test_cut_in_the_middle_of_a_message(undisturbed: tuple[dict[str, Any], int], manner: Manner, every: int) -> None:
    # A frame that stops half way is waited for until the socket's time-out: that takes a while each time.
    outcome, count = undisturbed
    cases = [(f"{manner} in {n}", partial(cut, after=n, manner=manner, midway=True)) for n in range(0, count, every)]
    assert failures(cases, outcome, wait_for_return=False) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("manner", ["close", "reset"])
def test_every_connection_is_cut_after_a_few_messages(undisturbed: tuple[dict[str, Any], int], manner: Manner) -> None:
    outcome, _ = undisturbed

    def again_and_again(after: int) -> Callable[[FaultProxy], object]:
        return lambda proxy: proxy.cut_websocket(after_messages=after, manner=manner, times=None)

    cases = [(f"{manner} after every {n}", again_and_again(n)) for n in range(5)]
    assert failures(cases, outcome, wait_for_return=False) == []


@pytest.mark.parametrize("change", ["drop_messages", "garble_messages", "truncate_messages"])
def test_each_message_is_spoilt(undisturbed: tuple[dict[str, Any], int], change: str) -> None:
    outcome, count = undisturbed

    def spoil(nth: int) -> Callable[[FaultProxy], object]:
        return lambda proxy: getattr(proxy, change)(nth=nth)

    cases = [(f"{change} {n}", spoil(n)) for n in range(1, count + 1)]
    assert failures(cases, outcome, wait_for_return=False) == []
