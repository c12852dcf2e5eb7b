"""`Experiment`: a sweep that runs, and what it has given so far."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._timeouts import check_timeout
from ..protocol import ComfyError
from ._cell import Cell
from ._cells import CellList
from ._display import make_view
from ._errors import ExperimentError
from ._order import Price
from ._places import Client
from ._runner import Runner, Status
from ._sample import Indices
from ._saved import definition_of
from ._snapshot import state_of
from ._space import Space
from ._store import Store
from ._timings import Timings
from ._waiting import awaiting, wait

if TYPE_CHECKING:
    from PIL.Image import Image

    from ._ask import Asking
    from ._table import Marginals, Table

logger = logging.getLogger(__name__)

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
    >>> sweep(example(), seed=range(4), cfg=[2, 5, 8]).wait().grid()      # doctest: +SKIP
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
        self._client: Any = client
        self._timings = timings
        self._asking = asking
        self._listeners: dict[int, Callable[[Cell | None], object]] = {}
        self._view: Any = None
        self._runner = Runner(client, store, timings, self._changed, self._more, name)
        self._list = CellList(name, space, store, timings, number)
        self.price: Price = self._take_in(cells)

    def _take_in(self, indices: Sequence[Indices]) -> Price:
        """Make cells, and hand over those that have to run in the best order."""
        todo, price = self._list.take_in(indices, self._warm)
        if price.seconds is not None:
            # Several servers share the work.
            price = replace(price, seconds=price.seconds / max(1, len(getattr(self._client, "servers", ()))))
        self._runner.add(todo)
        if self._asking is not None:
            one, count = self._list.price_of_one(self._warm), self._asking.count
            return Price(count, 0, one.seconds * count if one.seconds is not None else None, one.cached)
        return price

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
        return list(self._list.all)

    @property
    def axes(self) -> dict[str, list[Any]]:
        """The values of each axis."""
        return {axis.name: [option.value for option in axis.options] for axis in self._list.space.axes}

    @property
    def labels(self) -> dict[str, list[str]]:
        """The same as texts, as they stand over columns and rows."""
        return {axis.name: [option.label for option in axis.options] for axis in self._list.space.axes}

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
        for cell in self._list.all:
            counts[str(cell.status)] = counts.get(str(cell.status), 0) + 1
        return {status: count for status, count in counts.items() if count}

    @property
    def _counted(self) -> str:
        return ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in self.counts.items()) or "no cell"

    def __len__(self) -> int:
        return max(len(self._list.all), self._asking.count if self._asking is not None else 0)

    def __getitem__(self, index: Any) -> Any:
        return self._list.all[index]

    def find(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> list[Cell]:
        """Return the cells with these values or labels: ``run.find(cfg=5)``.

        Parameters
        ----------
        values : dict, optional
            Axes by name, where a name is no Python name.
        **named : object
            Axes by name: a value, or several in a list.

        Returns
        -------
        list of Cell
            In the order of the experiment.

        Examples
        --------
        >>> [cell.values for cell in run.find(seed=1)]
        [{'seed': 1}]
        """
        return self._list.find({**(values or {}), **named})

    # Running

    def start(self) -> Experiment:
        """Begin, where it was to be asked for first; or go on after a pause. Returns at once.

        Returns
        -------
        Experiment
            Itself, so that calls can be chained.

        Examples
        --------
        >>> run.resume().wait(60).done()
        True
        """
        self._runner.start()
        return self

    resume = start

    def pause(self, *, now: bool = False) -> Experiment:
        """Send nothing more; `resume` goes on.

        Parameters
        ----------
        now : bool
            Stop the cells that run, too; they run again later. Otherwise they end.

        Returns
        -------
        Experiment
            Itself, so that calls can be chained.

        Examples
        --------
        >>> run.pause(now=True).resume()  # doctest: +SKIP
        """
        self._runner.pause(now=now)
        return self

    def cancel(self) -> Experiment:
        """End it: cells that run are stopped, and those that wait are given up. What is finished is kept.

        Returns
        -------
        Experiment
            Itself, so that calls can be chained.

        Examples
        --------
        >>> run.cancel().done()  # doctest: +SKIP
        True
        """
        self._runner.cancel()
        return self

    def add(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> Experiment:
        """Give an axis more values: ``run.add(cfg=11)`` or ``run.add(cfg=[11, 14])``.

        What is there stays and is not run again. With a sample, the new values are combined with all the others.

        Parameters
        ----------
        values : dict, optional
            Axes by name, where a name is no Python name.
        **named : object
            Axes by name: a value, or several in a list.

        Returns
        -------
        Experiment
            Itself, so that calls can be chained.

        Raises
        ------
        WorkflowError
            There is no such axis, or a value does not fit.

        Examples
        --------
        >>> len(run.add(seed=2).wait(60).find(seed=2))
        1
        """
        self._take_in(self._list.grow({**(values or {}), **named}))
        return self

    def run_again(self, cells: Cell | Iterable[Cell]) -> Experiment:
        """Run cells once more, before those that wait, and replace their results.

        The same prompt gives the same images; it is for cells that failed, or after a model's file has changed.

        Parameters
        ----------
        cells : Cell or iterable of Cell
            Of this experiment.

        Returns
        -------
        Experiment
            Itself, so that calls can be chained.

        Examples
        --------
        >>> run.run_again(run.find(seed=0)).wait(60).done()
        True
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
        """Whether it has ended.

        Returns
        -------
        bool
            False while cells wait or run.

        Examples
        --------
        >>> run.wait(60).done()
        True
        """
        return self.status in ("completed", "cancelled") and self._runner.idle

    def wait(self, timeout: float | None = None) -> Experiment:
        """Wait until all cells have ended.

        An interrupt (Ctrl-C, the notebook's stop button) pauses it, stops the cells that run, and is raised again;
        `resume` goes on.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Returns
        -------
        Experiment
            Itself, so that calls can be chained.

        Raises
        ------
        TimeoutError
            It has not ended in time; it goes on.
        ExperimentError
            It has not been started, or has paused by itself: the disk is full, the server does not answer.

        Examples
        --------
        >>> run.wait(60).done()
        True
        """
        check_timeout(timeout)
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

        Parameters
        ----------
        callback : callable
            Takes a `Cell` or None; what it returns is not used.

        Returns
        -------
        callable
            Call it to stop.

        Examples
        --------
        >>> stop = run.on_change(print)
        >>> stop()
        """
        mark = id(callback) ^ time.monotonic_ns()
        self._listeners[mark] = callback
        return lambda: self._listeners.pop(mark, None) and None

    def _changed(self, cell: Cell | None) -> None:
        if cell is not None and self._asking is not None:
            self._asking.changed(cell)
        for callback in list(self._listeners.values()):
            try:
                callback(cell)
            except Exception:
                # Whoever looks on must not cost anybody a result.
                logger.exception("a listener of the experiment failed")

    def _more(self) -> Cell | None:
        """Another cell, from whoever is asked for them."""
        if self._asking is None or len(self._list.all) >= self._asking.count:
            return None
        return self._list.append(self._asking.next(len(self._list.all)))

    # Looking

    def grid(self, x: str | None = None, y: str | None = None, **fixed: Any) -> Image:
        """Draw two axes as columns and rows of one PIL image, with their labels; see `sheet` for all cells.

        Parameters
        ----------
        x, y : str, optional
            Axes of the columns and the rows; by default the two with most values.
        **fixed
            Values of the other axes; the first of each by default.

        Returns
        -------
        PIL.Image.Image
            With a caption for each row and column.

        Examples
        --------
        >>> run.grid(x="seed").mode
        'RGB'
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

        Returns
        -------
        list of PIL.Image.Image
            The pages.

        Examples
        --------
        >>> len(run.sheet(cell=64))
        1
        """
        from ._sheet import draw_sheets

        return draw_sheets(self, cell, max_side)

    def table(self) -> Table:
        """Return a table of all cells: values, state, seconds, rating; it shows itself in a notebook.

        Returns
        -------
        Table
            It shows itself in a notebook.

        Examples
        --------
        >>> table = run.table()
        """
        from ._table import Table

        return Table(self)

    def frame(self) -> Any:
        """Return the table as a pandas data frame, or a polars one where only polars is installed.

        Returns
        -------
        DataFrame
            A row for each cell.

        Raises
        ------
        ImportError
            Neither is installed.

        Examples
        --------
        >>> run.frame()  # doctest: +SKIP
        """
        return self.table().to_frame()

    def marginals(self, score: Callable[[Any], float] | None = None) -> Marginals:
        """Say how much each axis matters, the one that matters most first.

        Parameters
        ----------
        score : callable, optional
            Takes a PIL image and gives a number; how much the scores of an axis' values differ is then told. Without
            it, how much the images themselves differ.

        Returns
        -------
        Marginals
            A table that shows itself in a notebook.

        Examples
        --------
        >>> run.marginals()  # doctest: +SKIP
        """
        from ._table import marginals

        return marginals(self, score)

    def plot(self, x: str | None = None, by: str | None = None, *, score: Callable[[Any], float] | None = None) -> Any:
        """Draw what an axis does, with a line for each value of another one; needs matplotlib.

        Parameters
        ----------
        x : str, optional
            The axis to the right; by default the one of most numbers.
        by : str, optional
            The axis of the lines; by default the shortest of the others. Cells that differ in nothing but other axes
            are dots around their mean.
        score : callable, optional
            Takes a PIL image and gives a number. Without it the stars are drawn, or the seconds where nothing is rated.

        Returns
        -------
        matplotlib.figure.Figure
            It shows itself in a notebook; ``savefig`` writes it to a file.

        Raises
        ------
        ImportError
            matplotlib is not installed.
        ExperimentError
            There is no such axis, or nothing to draw yet.

        Examples
        --------
        >>> figure = run.plot("seed", score=lambda image: image.convert("L").getextrema()[1])
        >>> figure.axes[0].get_xlabel()
        'seed'
        """
        from ._plot import plot

        return plot(self, x, by, score)

    def export(self, folder: str | Path) -> list[Path]:
        """Write all files under names that tell their values, with a table beside them.

        Parameters
        ----------
        folder : str or Path
            Made where it does not exist.

        Returns
        -------
        list of Path
            The files that were written.

        Examples
        --------
        >>> files = run.export(folder / "exported")
        >>> all(file.exists() for file in files)
        True
        """
        from ._export import export

        return export(self, folder)

    def save(self, path: str | Path) -> Path:
        """Write one page of HTML that shows grid, table and workflow without a server or a network.

        `resume` takes it too, and goes on with the sweep.

        Parameters
        ----------
        path : str or Path
            The file to write, below 5 MB however many cells there are.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ExperimentError
            It cannot be written.

        Examples
        --------
        >>> run.save(folder / "sweep.html").name
        'sweep.html'
        """
        from ._page import save_page

        footer = f"comfy_widgets {version('comfy_widgets')}, {datetime.now():%Y-%m-%d %H:%M}, {self._server}"
        return save_page(self, path, self.snapshot(), definition_of(self._list.space, self.store), footer)

    @property
    def _server(self) -> str:
        try:
            return str(self._client.description)
        except (ComfyError, AttributeError):
            return "no server"

    def snapshot(self, left: str = "") -> dict[str, Any]:
        """Return what a view has to know beside the cells, as JSON.

        Parameters
        ----------
        left : str
            Time left, in words.

        Returns
        -------
        dict
            Names, values and labels of the axes, and how far the experiment is.

        Examples
        --------
        >>> shown = run.snapshot()
        """
        error = str(self.error) if self.error is not None and self.status == "paused" else ""
        return state_of(self, status=self.status, total=len(self), price=str(self.price), error=error, left=left)

    def close(self) -> None:
        """Pause, and close the store.

        Examples
        --------
        >>> run.close()  # doctest: +SKIP
        """
        self.pause(now=True)
        self.store.close()

    def __repr__(self) -> str:
        axes = " x ".join(f"{axis.name} {len(axis)}" for axis in self._list.space.axes) or "one cell"
        return f"<Experiment {self.name!r}: {axes}; {self.status}; {self._counted}>"

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        # One for all its displays: a widget can be shown at several places.
        self._view = self._view or make_view(self)
        shown = self._view if self._view is not None else {"text/plain": repr(self)}
        display(shown, raw=self._view is None)  # type: ignore[no-untyped-call]
