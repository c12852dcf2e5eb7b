"""Which server runs what, and when: the decisions of a fleet, as plain state without any I/O.

Work waits in lines. Each person and each sweep has a line of its own, and lines take turns. The work of a sweep comes
in the order that suits a server's cache, so it is cut into contiguous blocks, one a server; who is done early takes the
far half of the longest block. Somebody else tells what happens (`leave`, `again`, `set_up`, ...) and asks what is next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Need = tuple[str, ...]
"""What a prompt needs of a server: a node class, or a class, an input and one of its choices."""


@dataclass(eq=False)
class Line:
    """Work of one person or one sweep.

    Attributes
    ----------
    name : str
        What people know it by.
    sweep : bool
        Whether it is cut into blocks, and lets the single runs of others go before what waits on a server.
    paused : bool
        Whether nothing new of it is to be started.
    turn : int
        When it was served last, in turns.
    loose : deque
        Work that any server may take, before the blocks.
    blocks : dict
        Contiguous parts of the order, by server.
    """

    name: str = ""
    sweep: bool = False
    paused: bool = False
    turn: int = 0
    loose: deque[Work] = field(default_factory=deque)
    blocks: dict[str, deque[Work]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.loose) + sum(map(len, self.blocks.values()))

    def __bool__(self) -> bool:
        return True

    @property
    def waiting(self) -> list[Work]:
        """All that has not been started."""
        return [*self.loose, *(work for block in self.blocks.values() for work in block)]


@dataclass(eq=False)
class Work:
    """A prompt that is to run on some server.

    Attributes
    ----------
    line : Line
        Whose it is.
    needs : frozenset
        What a server must have.
    model : str
        The files that it loads, in words.
    size : float
        Megapixels of what it makes.
    payload : object
        What it is to whoever asks.
    server : str
        Where it is; empty while it waits.
    running : bool
        Whether the server has begun it.
    overtaken : bool
        Whether a single run went before it on its server.
    tries : int
        How often it was lost.
    avoid : set of str
        Servers that lost it.
    held : set of str
        Servers of which it is not known yet whether they still have it; they are not to get it once more.
    """

    line: Line
    needs: frozenset[Need] = frozenset()
    model: str = ""
    size: float = 0.0
    payload: Any = None
    server: str = ""
    running: bool = False
    overtaken: bool = False
    tries: int = 0
    avoid: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Place:
    """A server, seen by who decides.

    Attributes
    ----------
    name : str
        Its address.
    lacks : frozenset
        What other servers of the fleet have, and this one has not.
    window : int
        How many prompts are on it at a time.
    up, drained : bool
        Whether it answers; whether it gets nothing more.
    strangers : int
        How many prompts of other programs run or wait there.
    model : str
        What it loaded last.
    barred : dict of float
        By model, from which size on its memory did not suffice.
    out : list of Work
        What is there, in the order in which it went.
    """

    name: str
    lacks: frozenset[Need] = frozenset()
    window: int = 2
    up: bool = True
    drained: bool = False
    strangers: int = 0
    model: str = ""
    barred: dict[str, float] = field(default_factory=dict)
    out: list[Work] = field(default_factory=list)

    def able(self, work: Work) -> bool:
        """Tell whether it has all that the work needs, and did not run out of memory with its like."""
        return self.lacks.isdisjoint(work.needs) and work.size < self.barred.get(work.model, float("inf"))

    @property
    def loaded(self) -> str:
        """What it will have loaded when it comes to what is sent now."""
        return self.out[-1].model if self.out else self.model

    @property
    def load(self) -> int:
        """Prompts that run or wait there, whoever they belong to."""
        return len(self.out) + self.strangers

    @property
    def takes(self) -> bool:
        """Whether work may be sent there at all."""
        return self.up and not self.drained

    @property
    def free(self) -> bool:
        """Whether it takes one more. While strangers wait there it is not idle anyway, and one of ours is enough."""
        return self.takes and len(self.out) < (min(self.window, 1) if self.strangers else self.window)

    @property
    def overtakable(self) -> bool:
        """Whether a single run may go before what waits: once before a cell of a sweep, never before strangers."""
        waiting = [work for work in self.out if not work.running]
        return (
            self.takes
            and not self.strangers
            and len(self.out) == self.window
            and bool(waiting)
            and all(work.line.sweep and not work.overtaken for work in waiting)
        )


@dataclass(frozen=True)
class Start:
    """A decision: this work goes to this server now, in front of what waits there or not."""

    work: Work
    server: str
    front: bool = False


class Scheduler:
    """The state of a fleet. It is not safe for several threads: whoever uses it holds a lock.

    Attributes
    ----------
    places : dict of Place
        By address.
    """

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self._lines: list[Line] = []
        self._turn = 0

    @property
    def waiting(self) -> int:
        """How much work waits in all lines."""
        return sum(map(len, self._lines))

    # Servers

    def able(self, work: Work) -> list[Place]:
        """Return the servers that can run it, whether they answer now or not."""
        return [place for place in self.places.values() if place.able(work)]

    def set_up(self, server: str, up: bool) -> list[Work]:
        """Take note that a server answers again, or no more; return what was there and now has to go elsewhere."""
        place = self.places[server]
        place.up = up
        return [] if up else list(place.out)

    def remove(self, server: str) -> list[Work]:
        """Forget a server; return what is there."""
        place = self.places.pop(server)
        for line in self._lines:
            line.loose.extendleft(reversed(line.blocks.pop(server, ())))
        return place.out

    def bar(self, work: Work) -> None:
        """Its server ran out of memory with it: nothing as large with the same model goes there any more."""
        place = self.places.get(work.server)
        if place is not None:
            place.barred[work.model] = min(work.size, place.barred.get(work.model, float("inf")))

    # Work

    def put(self, line: Line, works: Sequence[Work], *, front: bool = False) -> None:
        """Let work wait; that of a sweep is cut into blocks, unless it goes to the front."""
        if line not in self._lines:
            self._lines.append(line)
        if line.sweep and not front:
            self._cut(line, works)
        elif front:
            line.loose.extendleft(reversed(works))
        else:
            line.loose.extend(works)

    def withdraw(self, line: Line, wanted: Callable[[Work], bool] = lambda _: True) -> list[Work]:
        """Take back what waits in a line; a line without work is forgotten."""
        taken = [work for work in line.waiting if wanted(work)]
        for waiting in (line.loose, *line.blocks.values()):
            _drop(waiting, taken)
        if not len(line) and line in self._lines:
            self._lines.remove(line)
        return taken

    def place_out(self, work: Work, server: str) -> None:
        """Take note that work is on a server, also where nobody asked for it here."""
        work.server, work.running, work.overtaken = server, False, False
        place = self.places.get(server)
        if place is not None:
            place.out.append(work)

    def leave(self, work: Work) -> None:
        """Its server has it no more, however it ended."""
        place = self.places.get(work.server)
        if place is not None and work in place.out:
            place.out.remove(work)
            if work.running:
                place.model = work.model
        work.server, work.running = "", False

    def again(self, work: Work, *, lost: bool) -> None:
        """Its server did not do it: it waits again, before all others of its line."""
        if lost:
            work.tries += 1
        if work.server:
            work.avoid.add(work.server)
        self.leave(work)
        self.put(work.line, [work], front=True)

    def stranded(self) -> list[Work]:
        """Return what waits although no server can run it any more, and let it wait no longer."""
        found: list[Work] = []
        for line in [*self._lines]:
            found += self.withdraw(line, lambda work: not self.able(work))
        return found

    # Decisions

    def next(self) -> Start | None:
        """Decide what is started next, and take note of it; None while nothing can be."""
        free = sorted((place for place in self.places.values() if place.free), key=lambda place: place.load)
        for line in sorted(self._lines, key=lambda line: line.turn):
            start = self._loose(line, free) or (None if line.paused else self._block(line, free))
            if start is not None:
                self._turn += 1
                line.turn = self._turn
                if start.front:
                    for work in self.places[start.server].out:
                        work.overtaken = work.overtaken or not work.running
                self.place_out(start.work, start.server)
                if not len(line):
                    self._lines.remove(line)
                return start
        return None

    def _loose(self, line: Line, free: Sequence[Place]) -> Start | None:
        for work in line.loose:
            # What was begun before the pause is finished, also where that takes another server.
            if line.paused and not work.avoid:
                continue
            able = [place for place in free if place.able(work) and place.name not in work.held]
            if able:
                # Another server than the one that lost it, the one with least to do, the one that has its model loaded.
                place = min(able, key=lambda p: (p.name in work.avoid, p.load, p.loaded != work.model))
                line.loose.remove(work)
                return Start(work, place.name)
            if not line.sweep:
                for place in self.places.values():
                    if place.overtakable and place.able(work) and place.name not in work.held:
                        line.loose.remove(work)
                        return Start(work, place.name, front=True)
        return None

    def _block(self, line: Line, free: Sequence[Place]) -> Start | None:
        for place in free:
            block = line.blocks.setdefault(place.name, deque())
            if not any(place.able(work) for work in block):
                block.extend(self._steal(line, place))
            for work in block:
                if place.able(work):
                    block.remove(work)
                    return Start(work, place.name)
        return None

    def _steal(self, line: Line, thief: Place) -> list[Work]:
        """Take the far half of the longest block of what this server can run."""
        best: list[Work] = []
        for name, block in line.blocks.items():
            fit = [work for work in block if thief.able(work)] if name != thief.name else []
            # Of a server that takes nothing, all may go; yet others will help, so it is halved like any.
            if len(fit) > len(best):
                best = fit
        taken = best[len(best) // 2 :]
        for block in line.blocks.values():
            if taken and taken[0] in block:
                _drop(block, taken)
        return taken

    def _cut(self, line: Line, works: Sequence[Work]) -> None:
        """Cut work into contiguous blocks, those first that fewest servers can run, so that all have as much to do."""
        groups: dict[tuple[str, ...], list[Work]] = {}
        for work in works:
            able = tuple(p.name for p in self.able(work) if p.takes) or tuple(p.name for p in self.able(work))
            groups.setdefault(able, []).append(work)
        for able, group in sorted(groups.items(), key=lambda item: len(item[0])):
            if not able:
                line.loose.extend(group)
                continue
            models = [work.model for work in group]
            ordered = sorted(able, key=lambda name: _middle(models, self.places[name].loaded))
            sizes = _level([len(line.blocks.get(name, ())) for name in ordered], len(group))
            start = 0
            for name, size in zip(ordered, sizes, strict=True):
                line.blocks.setdefault(name, deque()).extend(group[start : start + size])
                start += size


def _drop(waiting: deque[Work], taken: Sequence[Work]) -> None:
    gone = set(taken)
    kept = [work for work in waiting if work not in gone]
    waiting.clear()
    waiting.extend(kept)


def _middle(models: Sequence[str], model: str) -> float:
    """Return where the work for a model is in the order; in the middle where there is none."""
    at = [index for index, one in enumerate(models) if one == model] or range(len(models))
    return sum(at) / len(at)


def _level(loads: Sequence[int], count: int) -> list[int]:
    """Return how many of `count` each gets, so that all have as much as can be."""
    levels = [*loads]
    for _ in range(count):
        levels[levels.index(min(levels))] += 1
    return [after - before for after, before in zip(levels, loads, strict=True)]


def spread(places: Iterable[Place]) -> int:
    """Return how many prompts these servers take at a time."""
    return sum(place.window for place in places if place.takes)
