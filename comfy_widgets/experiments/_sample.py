"""Which combinations of a large space are run: at random, as a Latin square would, or along a Sobol sequence."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

from ..protocol import WorkflowError
from ._axes import MAX_VALUES

Indices = tuple[int, ...]
# Primitive polynomials and first direction numbers of the dimensions after the first, by Joe and Kuo (2008).
_SOBOL = (
    (1, 0, (1,)),
    (2, 1, (1, 3)),
    (3, 1, (1, 3, 1)),
    (3, 2, (1, 1, 1)),
    (4, 1, (1, 1, 3, 3)),
    (4, 4, (1, 3, 5, 13)),
    (5, 2, (1, 1, 5, 5, 17)),
    (5, 4, (1, 1, 5, 5, 5)),
    (5, 7, (1, 1, 7, 11, 19)),
)
_BITS = 30


@dataclass(frozen=True)
class Sample:
    """A way to choose cells; made by `latin` and `sobol`."""

    count: int
    choose: Callable[[Sequence[int]], list[Indices]]


def latin(count: int, *, seed: int = 0) -> Sample:
    """Choose cells so that every value of every axis comes as often as any other (a Latin hypercube).

    Parameters
    ----------
    count : int
        How many cells.
    seed : int
        Another seed chooses other cells; the same seed the same ones, so that a sweep can be resumed.

    Returns
    -------
    Sample
        For ``sweep(..., sample=latin(40))``.

    Examples
    --------
    >>> len(latin(8).choose([4, 4, 4]))
    8
    """
    _check_count(count)

    def choose(sizes: Sequence[int]) -> list[Indices]:
        chance = random.Random(seed)
        columns = [[row * size // count for row in range(count)] for size in sizes]
        best: list[Indices] = []
        # Two rows may agree by chance; another shuffle mostly has none that do.
        for _ in range(50):
            for column in columns:
                chance.shuffle(column)
            found = list(dict.fromkeys(zip(*columns, strict=True)))
            best = max(best, found, key=len)
            if len(best) == count:
                break
        return _filled(best, sizes, count, chance)

    return Sample(count, choose)


def sobol(count: int, *, seed: int = 0) -> Sample:
    """Choose cells along a Sobol sequence, which fills the space evenly however many cells are taken.

    Parameters
    ----------
    count : int
        How many cells.
    seed : int
        Shifts the sequence; the same seed gives the same cells.

    Returns
    -------
    Sample
        For ``sweep(..., sample=sobol(64))``.

    Raises
    ------
    WorkflowError
        When it is used with more than ten axes.

    Examples
    --------
    >>> len(sobol(16).choose([8, 8]))
    16
    """
    _check_count(count)

    def choose(sizes: Sequence[int]) -> list[Indices]:
        if len(sizes) > len(_SOBOL) + 1:
            raise WorkflowError(f"A Sobol sequence is for at most {len(_SOBOL) + 1} axes, not {len(sizes)}; use latin.")
        chance = random.Random(seed)
        shift = [chance.getrandbits(_BITS) if seed else 0 for _ in sizes]
        found: dict[Indices, None] = {}
        for number in range(64 * count):
            point = tuple(
                ((_sobol_bits(number, axis) ^ shift[axis]) * size) >> _BITS for axis, size in enumerate(sizes)
            )
            found.setdefault(point)
            if len(found) == count:
                break
        return _filled(list(found), sizes, count, chance)

    return Sample(count, choose)


def _sobol_bits(number: int, axis: int) -> int:
    gray, bits = number ^ (number >> 1), 0
    for place, direction in enumerate(_directions(axis)):
        if gray >> place & 1:
            bits ^= direction
    return bits


@cache
def _directions(axis: int) -> list[int]:
    if axis == 0:
        return [1 << (_BITS - 1 - place) for place in range(_BITS)]
    degree, polynomial, first = _SOBOL[axis - 1]
    numbers = [value << (_BITS - 1 - place) for place, value in enumerate(first)]
    for place in range(degree, _BITS):
        value = numbers[place - degree] ^ (numbers[place - degree] >> degree)
        for power in range(1, degree):
            if polynomial >> (degree - 1 - power) & 1:
                value ^= numbers[place - power]
        numbers.append(value)
    return numbers


def combinations(sizes: Sequence[int], sample: int | Sample | None) -> list[Indices]:
    """List the cells of a space as tuples of indices, one for each axis.

    Raises
    ------
    WorkflowError
        There would be too many, or ``sample`` is none.
    """
    total = math.prod(sizes)
    if sample is None:
        if total > MAX_VALUES:
            raise WorkflowError(
                f"That would be {total:,} cells. Give fewer values, or choose among them: sample=200, "
                "sample=latin(200) or sample=sobol(200)."
            )
        return list(product(*map(range, sizes)))
    if isinstance(sample, bool) or not isinstance(sample, (int, Sample)):
        raise WorkflowError(f"sample is a number of cells, latin(...) or sobol(...), not {sample!r}.")
    count = sample if isinstance(sample, int) else sample.count
    _check_count(count)
    if count >= total:
        return combinations(sizes, None)
    if isinstance(sample, Sample):
        return sample.choose(sizes)
    return [_unranked(rank, sizes) for rank in random.Random(0).sample(range(total), count)]


def _filled(found: list[Indices], sizes: Sequence[int], count: int, chance: random.Random) -> list[Indices]:
    """Add cells at random where a scheme gave the same one twice."""
    total = math.prod(sizes)
    seen = dict.fromkeys(found)
    while len(seen) < min(count, total):
        seen.setdefault(_unranked(chance.randrange(total), sizes))
    return list(seen)


def _unranked(rank: int, sizes: Sequence[int]) -> Indices:
    indices = []
    for size in reversed(sizes):
        rank, index = divmod(rank, size)
        indices.append(index)
    return tuple(reversed(indices))


def _check_count(count: int) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise WorkflowError(f"A sample is at least one cell, not {count!r}.")
    if count > MAX_VALUES:
        raise WorkflowError(f"A sample is at most {MAX_VALUES:,} cells, not {count:,}.")
