"""In which order cells run, and what they will cost: a server keeps what it made for the last prompt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..workflow import is_link
from ._sample import Indices
from ._space import Space
from ._timings import OVERHEAD, Kind, Prompt, Timings, model_of, weigh


@dataclass(frozen=True)
class Price:
    """What is known before anything runs.

    Attributes
    ----------
    cells : int
        All cells.
    stored : int
        Those whose results are in the store already.
    seconds : float or None
        What the others will take; None where the server's speed is not known yet.
    cached : float
        Share of their work that the server's cache saves, 0 to 1.

    Examples
    --------
    >>> print(Price(cells=12, stored=4, seconds=90, cached=0.25))
    12 cells, 4 of them done before, about 2 min, 25% of the work saved by the server's cache
    """

    cells: int
    stored: int = 0
    seconds: float | None = None
    cached: float = 0.0

    def __str__(self) -> str:
        parts = [f"{self.cells:,} {'cell' if self.cells == 1 else 'cells'}"]
        if self.stored:
            parts.append(f"{self.stored:,} of them done before")
        if self.stored < self.cells:
            time = (
                f"about {in_words(self.seconds)}" if self.seconds is not None else "time not known yet on this server"
            )
            parts += [time, f"{self.cached:.0%} of the work saved by the server's cache"]
        return ", ".join(parts)


def in_words(seconds: float) -> str:
    """Say how long something takes.

    Parameters
    ----------
    seconds : float
        At least 0.

    Returns
    -------
    str
        Rounded to what matters.

    Examples
    --------
    >>> in_words(9), in_words(240), in_words(7800)
    ('9 s', '4 min', '2 h 10 min')
    """
    if seconds < 1:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def downstream(prompt: Prompt) -> dict[str, frozenset[str]]:
    """Return for each node those that have to run again when it changes, itself among them."""
    consumers: dict[str, list[str]] = {node_id: [] for node_id in prompt}
    for node_id, node in prompt.items():
        for value in node["inputs"].values():
            if is_link(value) and value[0] in prompt:
                consumers[value[0]].append(node_id)
    found = {}
    for start in prompt:
        reached, stack = {start}, [start]
        while stack:
            for node_id in consumers[stack.pop()]:
                if node_id not in reached:
                    reached.add(node_id)
                    stack.append(node_id)
        found[start] = frozenset(reached)
    return found


def signatures(prompt: Prompt) -> dict[str, str]:
    """Return a digest of each node and all above it, by which a server knows its results again."""
    found: dict[str, str] = {}
    open_ids: set[str] = set()

    def sign(node_id: str) -> str:
        if node_id not in found and node_id in prompt and node_id not in open_ids:
            open_ids.add(node_id)
            inputs = {
                name: [sign(value[0]), value[1]] if is_link(value) else value
                for name, value in prompt[node_id]["inputs"].items()
            }
            text = json.dumps([prompt[node_id]["class_type"], inputs], sort_keys=True, default=repr)
            found[node_id] = hashlib.sha256(text.encode()).hexdigest()
        return found.get(node_id, "")

    for node_id in prompt:
        sign(node_id)
    return found


class Order:
    """The order of the cells of a space: the axis that costs most changes least often.

    Parameters
    ----------
    space : Space
    timings : Timings
    """

    def __init__(self, space: Space, timings: Timings) -> None:
        self._space = space
        self._timings = timings
        offset = len(space.axes) - len(space.bases[0].edits)
        # For each workflow and node: the axes that change what it gives.
        self._axes_of: dict[str, dict[str, tuple[int, ...]]] = {}
        costs = [0.0] * len(space.axes)
        for base in space.bases:
            below = downstream(base.prompt)
            weights, _ = weigh(base.prompt, timings.seconds)
            by_node: dict[str, set[int]] = {node_id: set() for node_id in base.prompt}
            for axis, options in enumerate(base.edits, offset):
                touched = {edit.node_id for edits in options for edit in edits}
                reached = frozenset().union(*(below[node_id] for node_id in touched))
                costs[axis] += sum(weights[node_id] for node_id in reached)
                for node_id in reached:
                    by_node[node_id].add(axis)
            self._axes_of[base.name] = {node_id: tuple(sorted(axes)) for node_id, axes in by_node.items()}
        if offset:
            costs[0] = float("inf")
        self.costs = {axis.name: cost for axis, cost in zip(space.axes, costs, strict=True)}
        self._outermost_first = sorted(range(len(costs)), key=lambda axis: -costs[axis])

    def key(self, indices: Indices) -> tuple[int, ...]:
        """Sort key of a cell."""
        return tuple(indices[axis] for axis in self._outermost_first)

    def sorted(self, cells: Sequence[Indices]) -> list[Indices]:
        """Return cells in the order in which they are to run."""
        return sorted(cells, key=self.key)

    def price(self, todo: Sequence[Indices], stored: int = 0, warm: Prompt | None = None) -> Price:
        """Say what cells will cost in the order in which they are given.

        Parameters
        ----------
        todo : sequence
        stored : int
            How many more cells need not be run.
        warm : Mapping, optional
            The prompt that the server ran last; it has the results of that.
        """
        total = saved = seconds = 0.0
        known = True
        before: dict[str, tuple[int, ...]] = {}
        model, last = model_of(warm) if warm else "", ""
        ready = set(signatures(warm).values()) if warm else set()
        weighing = _Weighing(self._timings)
        for indices in todo:
            base, _ = self._space.split(indices)
            axes_of = self._axes_of[base.name]
            prompt = self._space.prompt(indices)
            weights, in_seconds = weighing.of(prompt)
            known = known and in_seconds
            now = {node_id: tuple(indices[axis] for axis in axes) for node_id, axes in axes_of.items()}
            if not last:
                same = {node_id for node_id, digest in signatures(prompt).items() if digest in ready}
            else:
                same = {n for n in now if base.name == last and before.get(n) == now[n]}
            work = sum(weights.values())
            reused = sum(weights[node_id] for node_id in same)
            total += work
            saved += reused
            if in_seconds:
                seconds += work - reused + self._timings_of_a_cell()
                loads = model_of(prompt)
                seconds += self._timings.loading(loads) if loads != model else 0.0
                model = loads
            before, last = now, base.name
        return Price(len(todo) + stored, stored, seconds if known else None, saved / total if total else 0.0)

    def _timings_of_a_cell(self) -> float:
        """Seconds of a cell in which no node works."""
        return (self._timings.seconds(Kind(OVERHEAD)) or 0.0) + (self._timings.seconds(Kind("between")) or 0.0)


class _Weighing:
    """Remembers what kinds cost: thousands of cells have a few dozen of them."""

    def __init__(self, timings: Timings) -> None:
        self._known: dict[Kind, float | None] = {}
        self._ask: Callable[[Kind], float | None] = timings.seconds

    def of(self, prompt: Prompt) -> tuple[dict[str, float], bool]:
        return weigh(prompt, self._seconds)

    def _seconds(self, kind: Kind) -> float | None:
        if kind not in self._known:
            self._known[kind] = self._ask(kind)
        return self._known[kind]
