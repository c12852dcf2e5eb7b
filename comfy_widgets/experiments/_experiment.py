"""`Experiment`: a sweep that runs, and what it has given so far."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..protocol import ComfyError, WorkflowError
from ._cell import Cell
from ._errors import ExperimentError
from ._order import Order, Price
from ._runner import Client, Runner, Status
from ._sample import Indices
from ._saved import definition_of
from ._space import Space, new_combinations, shape_of
from ._store import Store
from ._timings import Timings
from ._waiting import awaiting, wait

if TYPE_CHECKING:
    from PIL.Image import Image

    from ._ask import Asking
    from ._table import Marginals, Table

ASK_ABOVE = 200
"""More cells than this are started only with a word of consent."""


class Experiment(Sequence[Cell]):
    """A sweep: its cells in the order of its axes; made by `sweep`.

    Attributes
    ----------
    name : str
    price : Price
        What was known before anything ran: cells, seconds, share from the cache.
    store : Store
        Where it is kept.

    Examples
    --------
    >>> run = sweep(example(), seed=range(4), cfg=[2, 5, 8])      # doctest: +SKIP
    >>> run.wait().grid(x="cfg", y="seed")                        # doctest: +SKIP
    """

    def __init__(
        self,
        name: str,
        space: Space,
        cells: Sequence[Indices],
        client: Client,
        store: Store,
        timings: Timings,
        *,
        asking: Asking | None = None,
        number: int | None = None,
    ) -> None:
        self.name = name
        self.store = store
        self._space = space
        self._client: Any = client
        self._timings = timings
        self._asking = asking
        self._listeners: dict[int, Callable[[Cell | None], object]] = {}
        self._cells: list[Cell] = []
        self._runner = Runner(client, store, timings, self._changed, self._more)
        self._number = number
        self.price: Price = self._take_in(cells)

    def _take_in(self, indices: Sequence[Indices]) -> Price:
        """Make cells, settle those whose results are there, and hand over the others in the best order."""
        made = [
            Cell(number, one, self._space.key(one), self._space, self.store)
            for number, one in enumerate(indices, len(self._cells))
        ]
        results = self.store.results(cell.key for cell in made)
        for cell in made:
            result = results.get(cell.key)
            # What failed may have been mended since.
            if result is not None and result.status == "completed":
                cell.settle(result, stored=True)
        self._cells.extend(made)
        order = Order(self._space, self._timings)
        todo = sorted((cell for cell in made if cell.status == "pending"), key=lambda cell: order.key(cell.indices))
        self._number = self.store.save_run(
            self.name,
            shape_of(self._space),
            definition_of(self._space, self.store),
            [(cell.key, cell.indices, cell.labels) for cell in self._cells],
            self._number,
        )
        self._runner.add(todo)
        if self._asking is not None:
            one = order.price([tuple(0 for _ in self._space.axes)], 0, self._warm)
            count = self._asking.count
            return Price(count, 0, one.seconds * count if one.seconds is not None else None, one.cached)
        return order.price([cell.indices for cell in todo], len(made) - len(todo), self._warm if todo else None)

    @property
    def _warm(self) -> Mapping[str, Any] | None:
        """The prompt that the server ran last, where it tells."""
        try:
            page = self._client.history_page(1)
        except (ComfyError, AttributeError):
            return None
        return page[-1].prompt if page else None

    # What it is

    @property
    def cells(self) -> list[Cell]:
        """All cells, in the order of the axes."""
        return list(self._cells)

    @property
    def axes(self) -> dict[str, list[Any]]:
        """The values of each axis."""
        return {axis.name: [option.value for option in axis.options] for axis in self._space.axes}

    @property
    def labels(self) -> dict[str, list[str]]:
        """The same as texts, as they stand over columns and rows."""
        return {axis.name: [option.label for option in axis.options] for axis in self._space.axes}

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return self.store.folder

    @property
    def status(self) -> Status:
        """ "ready" (it waits for `start`), "running", "paused", "completed" or "cancelled"."""
        return self._runner.status

    @property
    def error(self) -> ExperimentError | None:
        """Why it paused by itself."""
        return self._runner.error

    @property
    def counts(self) -> dict[str, int]:
        """How many cells are in which state."""
        counts = dict.fromkeys(("completed", "in_progress", "pending", "failed", "cancelled"), 0)
        for cell in self._cells:
            counts[str(cell.status)] = counts.get(str(cell.status), 0) + 1
        return {status: count for status, count in counts.items() if count}

    @property
    def _counted(self) -> str:
        return ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in self.counts.items()) or "no cell"

    def __len__(self) -> int:
        return max(len(self._cells), self._asking.count if self._asking is not None else 0)

    def __getitem__(self, index: Any) -> Any:
        return self._cells[index]

    def find(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> list[Cell]:
        """Return the cells with these values or labels: ``run.find(cfg=5)``."""
        wanted = {**(values or {}), **named}
        for name in wanted:
            self._axis(name)
        return [
            cell
            for cell in self._cells
            if all(value == cell.values[name] or value == cell.labels[name] for name, value in wanted.items())
        ]

    def _axis(self, name: str) -> int:
        from ..workflow import did_you_mean

        names = [axis.name for axis in self._space.axes]
        if name not in names:
            hint = did_you_mean(name, names) or f" It has: {', '.join(names) or 'none'}."
            raise WorkflowError(f"The experiment has no axis {name!r}.{hint}")
        return names.index(name)

    # Running

    def start(self) -> Experiment:
        """Begin, where it was to be asked for first; or go on after a pause. Returns at once."""
        self._runner.start()
        return self

    resume = start

    def pause(self, *, now: bool = False) -> Experiment:
        """Send nothing more; `resume` goes on.

        Parameters
        ----------
        now : bool
            Stop the cells that run, too; they run again later. Otherwise they end.
        """
        self._runner.pause(now=now)
        return self

    def cancel(self) -> Experiment:
        """End it: cells that run are stopped, and those that wait are given up. What is finished is kept."""
        self._runner.cancel()
        return self

    def add(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> Experiment:
        """Give an axis more values: ``run.add(cfg=11)`` or ``run.add(cfg=[11, 14])``.

        What is there stays and is not run again. With a sample, the new values are combined with all the others.

        Raises
        ------
        WorkflowError
            There is no such axis, or a value does not fit.
        """
        wanted = {**(values or {}), **named}
        space, fresh = self._space, []
        sizes = space.sizes
        for name, value in wanted.items():
            space = space.extended(name, value)
        rests = {
            tuple(i for axis, i in enumerate(cell.indices) if axis not in self._grown(space)) for cell in self._cells
        }
        fresh = new_combinations(sizes, space.sizes, rests, self._grown(space))
        space.check(fresh)
        # Cells know their place by index, and earlier indices mean the same in the larger space.
        self._space = space
        self._take_in(fresh)
        self._changed(None)
        return self

    def _grown(self, space: Space) -> set[int]:
        return {axis for axis, (old, new) in enumerate(zip(self._space.sizes, space.sizes, strict=True)) if new > old}

    def run_again(self, cells: Cell | Iterable[Cell]) -> Experiment:
        """Run cells once more, before those that wait, and replace their results.

        The same prompt gives the same images; it is for cells that failed, or after a model's file has changed.
        """
        listed = [cells] if isinstance(cells, Cell) else list(cells)
        again = [cell for cell in listed if cell.status != "in_progress"]
        for cell in again:
            cell.reset()
            self._changed(cell)
        self._runner.add(again, front=True, force=True)
        return self

    # Waiting

    def done(self) -> bool:
        """Whether it has ended."""
        return self.status in ("completed", "cancelled") and self._runner.idle

    def wait(self, timeout: float | None = None) -> Experiment:
        """Wait until all cells have ended.

        An interrupt (Ctrl-C, the notebook's stop button) pauses it, stops the cells that run, and is raised again;
        `resume` goes on.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Raises
        ------
        TimeoutError
            It has not ended in time; it goes on.
        ExperimentError
            It has not been started, or has paused by itself: the disk is full, the server does not answer.
        """
        try:
            wait(self._over, self._runner.condition, timeout, lambda: self._counted)
        except KeyboardInterrupt:
            self.pause(now=True)
            raise
        return self

    def _over(self) -> bool:
        """Whether there is nothing to wait for; raises where that is no end."""
        if self.done():
            return True
        if self.status == "ready":
            raise ExperimentError(
                f"The experiment has not been started, for it is large: {self.price}. Start it with .start(), or with "
                "sweep(..., confirm=True)."
            )
        if self.status == "paused" and self.error is not None and self._runner.idle:
            raise self.error
        return False

    def __await__(self) -> Generator[Any, None, Experiment]:
        try:
            yield from awaiting(self._over, self.on_change)
        except asyncio.CancelledError:
            self.pause(now=True)
            raise
        return self

    def on_change(self, callback: Callable[[Cell | None], object]) -> Callable[[], None]:
        """Call ``callback`` with each cell whose state changes, and with None when the experiment's does.

        It is called in the client's thread of listeners and must not wait.

        Returns
        -------
        callable
            Call it to stop.
        """
        mark = id(callback) ^ time.monotonic_ns()
        self._listeners[mark] = callback
        return lambda: self._listeners.pop(mark, None) and None

    def _changed(self, cell: Cell | None) -> None:
        if cell is not None and self._asking is not None:
            self._asking.changed(cell)
        for callback in list(self._listeners.values()):
            callback(cell)

    def _more(self) -> Cell | None:
        """Another cell, from whoever is asked for them."""
        if self._asking is None or len(self._cells) >= self._asking.count:
            return None
        indices = self._asking.next(len(self._cells))
        if indices is None:
            return None
        cell = Cell(len(self._cells), indices, self._space.key(indices), self._space, self.store)
        self._cells.append(cell)
        return cell

    # Looking

    def grid(self, x: str | None = None, y: str | None = None, **fixed: Any) -> Image:
        """Draw two axes as columns and rows of one PIL image, with their labels; see `sheet` for all cells.

        Parameters
        ----------
        x, y : str, optional
            Axes of the columns and the rows; by default the two with most values.
        **fixed
            Values of the other axes; the first of each by default.
        """
        from ._sheet import draw_grid

        return draw_grid(self, x, y, fixed)

    def sheet(self, *, cell: int = 256, max_side: int = 8192) -> list[Image]:
        """Draw all cells on PIL images, in pages that are not too large.

        Parameters
        ----------
        cell : int
            Pixels of an image's longer side.
        max_side : int
            Most pixels of a page's side.
        """
        from ._sheet import draw_sheets

        return draw_sheets(self, cell, max_side)

    def table(self) -> Table:
        """Return a table of all cells: values, state, seconds, rating; it shows itself in a notebook."""
        from ._table import Table

        return Table(self)

    def frame(self) -> Any:
        """Return the table as a pandas data frame, or a polars one where only polars is installed.

        Raises
        ------
        ImportError
            Neither is installed.
        """
        from ._table import frame

        return frame(self)

    def marginals(self, score: Callable[[Any], float] | None = None) -> Marginals:
        """Say how much each axis matters, the one that matters most first.

        Parameters
        ----------
        score : callable, optional
            Takes a PIL image and gives a number; how much the scores of an axis' values differ is then told. Without
            it, how much the images themselves differ.
        """
        from ._table import marginals

        return marginals(self, score)

    def export(self, folder: str | Path) -> list[Path]:
        """Write all files under names that tell their values, with a table beside them.

        Returns
        -------
        list of Path
        """
        from ._export import export

        return export(self, folder)

    def close(self) -> None:
        """Pause, and close the store."""
        self.pause(now=True)
        self.store.close()

    def __repr__(self) -> str:
        axes = " x ".join(f"{axis.name} {len(axis)}" for axis in self._space.axes) or "one cell"
        return f"<Experiment {self.name!r}: {axes}; {self.status}; {self._counted}>"
