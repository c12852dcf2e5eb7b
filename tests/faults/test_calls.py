"""Each HTTP call of a run loses its reply, or gets a wrong one: the result arrives and nothing is sent twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from comfy_widgets.testing import FaultProxy, Manner

from .harness import disturbed, failures

# A run makes about this many calls, the handshake of the websocket among them; disturbed ones make a few more.
CALLS = range(1, 9)


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    seen: list[FaultProxy] = []
    outcome, problems = disturbed(seen.append)
    assert problems == []
    assert 4 <= len(seen[0].requests) <= len(CALLS)
    return outcome


@pytest.mark.timeout(300)
@pytest.mark.parametrize("manner", ["close", "reset", "silent"])
def test_the_reply_of_each_call_is_lost(undisturbed: dict[str, Any], manner: Manner) -> None:
    def lose(nth: int) -> Callable[[FaultProxy], object]:
        return lambda proxy: proxy.lose_reply("*", "/*", nth=nth, manner=manner)

    assert failures([(f"call {n}, {manner}", lose(n)) for n in CALLS], undisturbed, wait_for_return=False) == []


@pytest.mark.parametrize("manner", ["close", "reset"])
@pytest.mark.parametrize("after_bytes", [0, 20])
def test_the_reply_of_each_call_breaks_off(undisturbed: dict[str, Any], manner: Manner, after_bytes: int) -> None:
    def cut(nth: int) -> Callable[[FaultProxy], object]:
        return lambda proxy: proxy.cut_reply("*", "/*", after_bytes=after_bytes, nth=nth, manner=manner)

    assert failures([(f"call {n}", cut(n)) for n in CALLS], undisturbed, wait_for_return=False) == []


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_each_call_is_done_and_fails_all_the_same(undisturbed: dict[str, Any], status: int) -> None:
    def fail(nth: int) -> Callable[[FaultProxy], object]:
        return lambda proxy: proxy.fail("*", "/*", status=status, nth=nth, reaches_server=True)

    assert failures([(f"call {n}, {status}", fail(n)) for n in CALLS], undisturbed, wait_for_return=False) == []


@pytest.mark.parametrize("path", ["/history/*", "/queue", "/ws"])
@pytest.mark.parametrize("times", [1, 3])
def test_questions_fail_a_few_times(undisturbed: dict[str, Any], path: str, times: int) -> None:
    def answer(proxy: FaultProxy, status: int, body: str) -> None:
        proxy.answer("GET", path, status=status, body=body, times=times)

    cases: list[tuple[str, Callable[[FaultProxy], object]]] = [
        ("an error", partial(answer, status=500, body="500 Internal Server Error")),
        ("a gateway's page", partial(answer, status=502, body="<html>Bad gateway</html>")),
        ("a login page", partial(answer, status=200, body="<html>Log in</html>")),
        ("nothing", partial(answer, status=200, body="")),
    ]
    assert failures(cases, undisturbed, wait_for_return=False) == []


@pytest.mark.parametrize("status", [500, 502, 503])
def test_each_file_fails_once(undisturbed: dict[str, Any], status: int) -> None:
    def fail(nth: int) -> Callable[[FaultProxy], object]:
        return lambda proxy: proxy.fail("GET", "/view", status=status, nth=nth)

    assert failures([(f"file {n}", fail(n)) for n in (1, 2)], undisturbed, wait_for_return=False) == []


def test_an_outage_in_the_middle(undisturbed: dict[str, Any]) -> None:
    def outage(proxy: FaultProxy) -> None:
        def strike() -> None:
            proxy.wait_for(lambda: len(proxy.messages) >= 10)
            with proxy.refusing():
                ended.wait(1.5)

        ended = threading.Event()
        threading.Thread(target=strike, daemon=True).start()

    assert failures([("outage", outage)], undisturbed, wait_for_return=False) == []
