"""The cells of an experiment: made from a space, found in the store, and more of them when an axis grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..client import JobStatus
from ..protocol import WorkflowError
from ..workflow import did_you_mean
from ._cell import Cell
from ._order import Order, Price
from ._sample import Indices
from ._saved import definition_of
from ._space import Space, new_combinations, shape_of
from ._store import Store
from ._timings import Timings


class CellList:
    """All cells of an experiment, in the order of its axes.

    Parameters
    ----------
    name : str
    space : Space
    store : Store
    timings : Timings
    number : int, optional
        The run in the store that this is.
    """

    def __init__(self, name: str, space: Space, store: Store, timings: Timings, number: int | None = None) -> None:
        self.space = space
        self.all: list[Cell] = []
        self._name = name
        self._store = store
        self._timings = timings
        self._number = number

    def take_in(self, indices: Sequence[Indices], warm: Mapping[str, Any] | None) -> tuple[list[Cell], Price]:
        """Make cells, and settle those whose results are in the store.

        Parameters
        ----------
        indices : sequence of tuple
        warm : Mapping, optional
            The prompt that the server ran last.

        Returns
        -------
        list of Cell
            The others, in the order that costs least.
        Price
        """
        made = [self._make(number, one) for number, one in enumerate(indices, len(self.all))]
        results = self._store.results(cell.key for cell in made)
        for cell in made:
            result = results.get(cell.key)
            # What failed may have been mended since.
            if result is not None and result.status == JobStatus.COMPLETED:
                cell.settle(result, stored=True)
        self.all.extend(made)
        order = Order(self.space, self._timings)
        todo = sorted((cell for cell in made if cell.status == "pending"), key=lambda cell: order.key(cell.indices))
        self.save()
        return todo, order.price([cell.indices for cell in todo], len(made) - len(todo), warm if todo else None)

    def price_of_one(self, warm: Mapping[str, Any] | None) -> Price:
        """Return what a single cell costs, where it is not known yet which will be asked for."""
        return Order(self.space, self._timings).price([tuple(0 for _ in self.space.axes)], 0, warm)

    def append(self, indices: Indices) -> Cell:
        """Make one more cell."""
        cell = self._make(len(self.all), indices)
        self.all.append(cell)
        return cell

    def _make(self, number: int, indices: Indices) -> Cell:
        return Cell(number, indices, self.space.key(indices), self.space, self._store)

    def save(self) -> None:
        """Keep in the store what is asked for, so that another process can go on with it."""
        self._number = self._store.save_run(
            self._name,
            shape_of(self.space),
            definition_of(self.space, self._store),
            [(cell.key, cell.indices, cell.labels) for cell in self.all],
            self._number,
        )

    def grow(self, values: Mapping[str, Any]) -> list[Indices]:
        """Give axes more values, and return the combinations that are new.

        Cells know their place by index, and earlier indices mean the same in the larger space.

        Raises
        ------
        WorkflowError
            There is no such axis, or a value does not fit; nothing has changed then.
        """
        space, sizes = self.space, self.space.sizes
        for name, value in values.items():
            space = space.extended(name, value)
        grown = {axis for axis, (old, new) in enumerate(zip(sizes, space.sizes, strict=True)) if new > old}
        rests = {tuple(i for axis, i in enumerate(cell.indices) if axis not in grown) for cell in self.all}
        fresh = new_combinations(sizes, space.sizes, rests, grown)
        space.check(fresh)
        self.space = space
        return fresh

    def find(self, values: Mapping[str, Any]) -> list[Cell]:
        """Return the cells with these values or labels.

        Raises
        ------
        WorkflowError
            There is no such axis.
        """
        names = [axis.name for axis in self.space.axes]
        for name in values:
            if name not in names:
                hint = did_you_mean(name, names) or f" It has: {', '.join(names) or 'none'}."
                raise WorkflowError(f"The experiment has no axis {name!r}.{hint}")
        return [
            cell
            for cell in self.all
            if all(value in (cell.values[name], cell.labels[name]) for name, value in values.items())
        ]
