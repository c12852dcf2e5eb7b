"""The one thread of the widgets: there only while something runs, and never the one who loses the last word."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from comfy_widgets.widgets._pump import Pump

PATIENCE = 30.0


class Source:
    """Says how often it was flushed; has more to tell until it is told that it has not."""

    def __init__(self, flushes: int, during: Callable[[], None] = lambda: None) -> None:
        self.flushes = 0
        self.left = flushes
        self.during = during
        self.ending = False
        self.more = True
        self.changed = threading.Condition()

    def flush(self) -> float | None:
        self.during()
        with self.changed:
            self.flushes += 1
            self.left -= 1
            self.changed.notify_all()
            return 0.0 if self.left > 0 and self.more else None

    def wait(self, flushes: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.flushes >= flushes, PATIENCE)


@pytest.fixture
def pump() -> Iterator[Pump]:
    pump = Pump(rate=200)
    yield pump
    pump.stop()


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def test_the_thread_is_there_only_while_something_runs(pump: Pump) -> None:
    assert not pump.running
    before = {thread for thread in threading.enumerate() if thread.name == "comfy-widgets-pump"}
    source = Source(3)
    pump.wake(source)
    source.wait(3)
    assert pump.drain(PATIENCE)
    deadline = threading.Event()
    while pump.running:
        deadline.wait(0.01)
    assert source.flushes == 3
    # It says so a moment before it has ended; and the package's own pump may still have to do for an earlier test.
    for thread in set(threading.enumerate()) - before:
        if thread.name == "comfy-widgets-pump":
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_it_starts_again(pump: Pump) -> None:
    for _ in range(50):
        source = Source(1)
        pump.wake(source)
        source.wait(1)
    assert names().count("comfy-widgets-pump") <= 1


def test_two_sources_share_one_thread(pump: Pump) -> None:
    one, other = Source(1000), Source(1000)
    pump.wake(one)
    pump.wake(other)
    one.wait(3)
    other.wait(3)
    assert names().count("comfy-widgets-pump") == 1


def test_a_source_that_is_woken_during_its_last_flush_is_flushed_again(pump: Pump) -> None:
    in_flush, go_on = threading.Event(), threading.Event()

    def during() -> None:
        in_flush.set()
        assert go_on.wait(PATIENCE)

    source = Source(1, during)
    pump.wake(source)
    assert in_flush.wait(PATIENCE)
    pump.wake(source)
    go_on.set()
    source.wait(2)


def test_after_drop_there_is_no_flush(pump: Pump) -> None:
    source = Source(100_000)
    pump.wake(source)
    source.wait(2)
    pump.drop(source)
    flushes = source.flushes
    other = Source(5)
    pump.wake(other)
    other.wait(5)
    assert source.flushes == flushes


def test_a_source_may_drop_itself(pump: Pump) -> None:
    source = Source(100, lambda: pump.drop(source))
    pump.wake(source)
    source.wait(1)
    other = Source(5)
    pump.wake(other)
    other.wait(5)
    assert source.flushes == 1


def test_a_broken_source_does_not_silence_the_others(pump: Pump, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("broken widget")

    pump.wake(Source(5, fail))
    good = Source(5)
    pump.wake(good)
    good.wait(5)
    assert "broken widget" in caplog.text


def test_drain_waits_for_what_has_ended_and_for_nothing_else(pump: Pump) -> None:
    running, ending = Source(100_000), Source(20)
    ending.ending = True
    pump.wake(running)
    pump.wake(ending)
    assert pump.drain(PATIENCE)
    assert ending.flushes == 20
    stuck = Source(100_000)
    stuck.ending = True
    pump.wake(stuck)
    assert not pump.drain(0.05)


def test_the_first_leaves_at_once_and_a_flood_is_held_to_the_rate() -> None:
    pump = Pump(rate=20)
    source = Source(100_000)
    source.more = False
    started = time.monotonic()
    pump.wake(source)
    source.wait(1)
    # Without a rate it would be thousands.
    while time.monotonic() - started < 0.5:
        pump.wake(source)
        time.sleep(0.0005)
    pump.stop()
    assert 2 <= source.flushes <= 2 + 20 * (time.monotonic() - started)


def test_it_stops_at_once_also_while_a_source_is_flushed_that_has_more_to_tell() -> None:
    pump = Pump(rate=1 / 600)
    stopping = threading.Thread(target=pump.stop)

    def stop_meanwhile() -> None:
        stopping.start()
        time.sleep(0.1)

    source = Source(2, stop_meanwhile)
    pump.wake(source)
    source.wait(1)
    stopping.join(PATIENCE)
    assert not pump.running
