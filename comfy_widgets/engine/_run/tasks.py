"""The tasks of nodes whose function is ``async def``: they go on while other nodes run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from .. import _context as context

_POLL = 0.05
"""Seconds between looks at whether the user has interrupted."""


@dataclass(frozen=True)
class _Ending:
    """What a coroutine returned or raised. SystemExit, raised in a task, would end the loop and name no node."""

    value: Any = None
    error: BaseException | None = None


Task = asyncio.Task[_Ending]


class Tasks:
    """The event loop of one run, made when the first asynchronous function is called.

    It turns between nodes and while nothing else can run; a function that is not ``async`` holds it up, as in ComfyUI.

    Parameters
    ----------
    check_interrupted : callable
        Raises `Interrupted` when the run shall stop.
    """

    def __init__(self, check_interrupted: Callable[[], None]) -> None:
        self._check_interrupted = check_interrupted
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, node_id: str, index: int, coroutine: Coroutine[Any, Any, Any]) -> Task:
        """Start the call of a node with this index, from 0; it runs until it waits for the first time."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        task = self._loop.create_task(_ending_of(node_id, index, coroutine))
        self.turn()
        return task

    def turn(self) -> None:
        """Let every task go on until it waits again."""
        if self._loop is not None:
            self._loop.run_until_complete(asyncio.sleep(0))

    def wait(self, answers: Iterable[Any], *, until: str = asyncio.ALL_COMPLETED) -> None:
        """Wait until one or all of the tasks among answers have ended.

        Raises
        ------
        Interrupted
            The user has interrupted the run.
        """
        running = {answer for answer in answers if not has_ended(answer)}
        while running:
            assert self._loop is not None
            self._check_interrupted()
            done, left = self._loop.run_until_complete(asyncio.wait(running, timeout=_POLL, return_when=until))
            running = left if until == asyncio.ALL_COMPLETED or not done else set()

    def close(self) -> None:
        """Cancel what still runs, and let it clean up."""
        loop = self._loop
        if loop is None:
            return
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        try:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True) if left else asyncio.sleep(0))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()


def has_ended(answer: object) -> bool:
    """Tell whether an answer of a call is there, and no task that still runs."""
    return not isinstance(answer, asyncio.Task) or answer.done()


def results(answers: Collection[Any]) -> list[Any]:
    """Return the answers, in place of tasks that have ended what they returned; raise what one of them raised."""
    endings = [answer.result() if isinstance(answer, asyncio.Task) else _Ending(answer) for answer in answers]
    for ending in endings:
        if ending.error is not None:
            raise ending.error
    return [ending.value for ending in endings]


async def _ending_of(node_id: str, index: int, coroutine: Coroutine[Any, Any, Any]) -> _Ending:
    context.enter_task(node_id, index)
    try:
        return _Ending(await coroutine)
    except BaseException as error:
        return _Ending(error=error)
