"""Where cells run: two at a time on one server, or wherever a fleet has room."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..client import ComfyClient
from ..protocol import ComfyError
from ._cell import Cell
from ._schedule import Line, spread

if TYPE_CHECKING:
    from ..client import Job
    from ._carrier import Carrier
    from ._task import Task

logger = logging.getLogger(__name__)

WINDOW = 2
"""One prompt runs and one waits: fewer leave the server idle, more make it slow for everybody else."""

Claim = Callable[[str, str], object]
"""Notes, before a cell is sent, under which id and to which server."""


class Client(Protocol):
    """What runs cells: a `ComfyClient`, or anything that answers like one."""

    @property
    def url(self) -> str: ...

    def submit(self, workflow: Any, /, *, prompt_id: str | None = None, **values: Any) -> Job: ...

    def attach(self, prompt_id: str) -> Job: ...

    def queue(self) -> Any: ...

    def object_info(self) -> dict[str, Any]: ...


class Places(Protocol):
    """Decides which cell is sent when and where.

    Cells wait here until there is room for them; then they are started, each by a call of what was given for that.
    """

    @property
    def moves(self) -> bool:
        """Whether another server may take what one has lost."""

    @property
    def capacity(self) -> int:
        """How many cells may be out at a time."""

    @property
    def waiting(self) -> int:
        """How many wait."""

    def put(self, cells: Sequence[Cell], *, front: bool = False) -> None:
        """Let cells wait."""

    def dispatch(self) -> None:
        """Start what there is room for."""

    def pause(self, paused: bool) -> None:
        """Start nothing, until told otherwise."""

    def withdraw(self) -> list[Cell]:
        """Take back all cells that wait."""

    def leave(self, cell: Cell) -> None:
        """Its room is free again."""

    def submit(self, cell: Cell, prompt_id: str, claim: Claim) -> Job:
        """Send a cell that was started."""

    def adopt(self, cell: Cell, prompt_id: str, server: str) -> Job | None:
        """Find a cell again that was sent to a server before; None where that does not answer."""


class OneServer:
    """Two cells at a time on one server.

    Parameters
    ----------
    client : Client
    start : callable
        Called with a cell for which there is room.
    name : str
        Of the experiment.
    """

    def __init__(self, client: Client, start: Callable[[Cell], object], name: str = "sweep") -> None:
        self.name = name
        self._client = client
        self._start = start
        self._lock = threading.Lock()
        self._todo: deque[Cell] = deque()
        self._out: set[Cell] = set()
        self._paused = True
        self.moves: bool = False

    @property
    def capacity(self) -> int:
        return WINDOW

    @property
    def waiting(self) -> int:
        return len(self._todo)

    def put(self, cells: Iterable[Cell], *, front: bool = False) -> None:
        with self._lock:
            if front:
                self._todo.extendleft(reversed(list(cells)))
            else:
                self._todo.extend(cells)

    def dispatch(self) -> None:
        while True:
            with self._lock:
                if self._paused or not self._todo or len(self._out) >= self.capacity:
                    return
                cell = self._todo.popleft()
                self._out.add(cell)
            self._start(cell)

    def pause(self, paused: bool) -> None:
        self._paused = paused

    def withdraw(self) -> list[Cell]:
        with self._lock:
            cells = list(self._todo)
            self._todo.clear()
        return cells

    def leave(self, cell: Cell) -> None:
        with self._lock:
            self._out.discard(cell)

    def submit(self, cell: Cell, prompt_id: str, claim: Claim) -> Job:
        claim(prompt_id, self._client.url)
        return self._client.submit(cell.workflow, prompt_id=prompt_id)

    def adopt(self, cell: Cell, prompt_id: str, server: str) -> Job | None:
        if server == self._client.url:
            return self._client.attach(prompt_id)
        return attach_elsewhere(server, prompt_id)


def attach_elsewhere(server: str, prompt_id: str) -> Job | None:
    """Return a job for a prompt on a server of which nobody has a client; None where it does not answer."""
    elsewhere = ComfyClient(server, journal=False)
    try:
        elsewhere.queue()
    except ComfyError as error:
        logger.warning("%s does not answer (%s); what it was to run is run again.", server, error)
        elsewhere.close()
        return None
    return elsewhere.attach(prompt_id)


class FleetPlaces:
    """Wherever a fleet has room.

    Parameters
    ----------
    carrier : Carrier
    line : Line
        The turn that all cells share.
    start : callable
        Called with a cell for which there is room.
    """

    def __init__(self, carrier: Carrier, line: Line, start: Callable[[Cell], object]) -> None:
        self._carrier = carrier
        self._line = line
        self._start = start
        self._out: dict[Cell, Task] = {}
        self._cells: dict[Task, Cell] = {}
        self.moves: bool = True
        line.paused = True

    @property
    def capacity(self) -> int:
        return spread(self._carrier.scheduler.places.values())

    @property
    def waiting(self) -> int:
        return len(self._line)

    def put(self, cells: Sequence[Cell], *, front: bool = False) -> None:
        tasks = []
        for cell in cells:
            label = f"{self._line.name} {cell.number}".strip()
            task = self._carrier.desk.task(self._line, cell.prompt, start=self._begin, label=label)
            self._cells[task] = cell
            tasks.append(task)
        self._carrier.desk.put(self._line, tasks, front=front)

    def _begin(self, task: Task) -> None:
        cell = self._cells.pop(task)
        self._out[cell] = task
        self._start(cell)

    def dispatch(self) -> None:
        self._carrier.dispatch()

    def pause(self, paused: bool) -> None:
        self._line.paused = paused

    def withdraw(self) -> list[Cell]:
        return [self._cells.pop(task) for task in self._carrier.desk.withdraw(self._line)]

    def leave(self, cell: Cell) -> None:
        task = self._out.pop(cell, None)
        if task is not None:
            self._carrier.desk.abandon(task)

    def submit(self, cell: Cell, prompt_id: str, claim: Claim) -> Job:
        return self._send(cell, prompt_id, claim, attach=False)

    def adopt(self, cell: Cell, prompt_id: str, server: str) -> Job | None:
        if self._carrier.redirect(self._out[cell], server):
            return self._send(cell, prompt_id, None, attach=True)
        # Of a server that does not answer nothing can be had.
        return None if server in self._carrier.members else attach_elsewhere(server, prompt_id)

    def _send(self, cell: Cell, prompt_id: str, claim: Claim | None, *, attach: bool) -> Job:
        task = self._out[cell]
        task.document, task.claim = cell.workflow, claim
        return self._carrier.carry(task, prompt_id, attach=attach)
