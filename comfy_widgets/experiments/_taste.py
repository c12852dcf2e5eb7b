"""A model of taste: how much each of several things is liked, learned from pairs of which one was chosen.

The model is that of Bradley and Terry (1952): ``i`` is chosen over ``j`` with the probability ``p_i / (p_i + p_j)``.
The strengths are found by the MM iterations of D. R. Hunter, "MM algorithms for generalized Bradley-Terry models",
Annals of Statistics 32 (2004), 384 to 406. Half a win and half a loss against a thing of strength 1 keep those finite
that were always, or never, chosen.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

_PRIOR = 0.5
_ROUNDS = 500
_CLOSE = 1e-6


@dataclass(frozen=True)
class Answer:
    """One comparison.

    Attributes
    ----------
    one, other : str
        What was compared.
    share : float
        1 where the one was chosen, 0 where the other was, 0.5 where they were found equal.
    """

    one: str
    other: str
    share: float


@dataclass(frozen=True)
class Taste:
    """What is known about each thing.

    Attributes
    ----------
    worth : dict of float
        The logarithm of its strength; 0 where nothing is known.
    doubt : dict of float
        The standard deviation of that.
    seen : dict of int
        In how many comparisons it was.
    """

    worth: Mapping[str, float]
    doubt: Mapping[str, float]
    seen: Mapping[str, int]

    def beats(self, one: str, other: str) -> float:
        """Return how likely it is that the one is worth more than the other."""
        spread = math.hypot(self.doubt[one], self.doubt[other])
        return 0.5 * (1 + math.erf((self.worth[one] - self.worth[other]) / spread / math.sqrt(2)))

    @property
    def best(self) -> str:
        """What is worth most; the first of several that are worth the same."""
        return max(self.worth, key=lambda name: self.worth[name])

    @property
    def confidence(self) -> float:
        """How likely it is that the best is worth more than the strongest of the others, 0 to 1."""
        best = self.best
        return min((self.beats(best, name) for name in self.worth if name != best), default=1.0)


def learn(things: Sequence[str], answers: Iterable[Answer]) -> Taste:
    """Fit the model.

    Parameters
    ----------
    things : sequence of str
        What is to be told apart; answers about others are left out.
    answers : iterable of Answer

    Returns
    -------
    Taste
    """
    known = set(things)
    wins: dict[str, float] = dict.fromkeys(things, _PRIOR)
    met: dict[str, dict[str, int]] = {name: {} for name in things}
    for answer in answers:
        if {answer.one, answer.other} <= known and answer.one != answer.other:
            wins[answer.one] += answer.share
            wins[answer.other] += 1 - answer.share
            met[answer.one][answer.other] = met[answer.one].get(answer.other, 0) + 1
            met[answer.other][answer.one] = met[answer.other].get(answer.one, 0) + 1
    strength: dict[str, float] = dict.fromkeys(things, 1.0)
    for _ in range(_ROUNDS):
        largest = 0.0
        for name, others in met.items():
            if not others:
                continue
            mine = strength[name]
            bound = 2 * _PRIOR / (mine + 1) + sum(count / (mine + strength[other]) for other, count in others.items())
            strength[name] = wins[name] / bound
            largest = max(largest, abs(math.log(strength[name] / mine)))
        if largest < _CLOSE:
            break
    doubt = {}
    for name, others in met.items():
        # What the answers tell of it, the others being as they are: the curvature of the likelihood.
        told = 2 * _PRIOR * _spread(strength[name], 1.0)
        told += sum(count * _spread(strength[name], strength[other]) for other, count in others.items())
        doubt[name] = 1 / math.sqrt(told)
    worth = {name: math.log(value) for name, value in strength.items()}
    return Taste(worth, doubt, {name: sum(others.values()) for name, others in met.items()})


def _spread(one: float, other: float) -> float:
    share = one / (one + other)
    return share * (1 - share)


def next_pair(taste: Taste, asked: Mapping[Hashable, int]) -> tuple[str, str] | None:
    """Return the two whose comparison helps most to find the best.

    Each is shown once first. Then the one that may be best is put against the one that may yet be better than it.

    Parameters
    ----------
    taste : Taste
    asked : mapping of int
        How often each pair, a frozenset of two names, was asked for.

    Returns
    -------
    tuple of str, or None
        None where there are not two.
    """
    names = list(taste.worth)
    if len(names) < 2:
        return None
    new = [name for name in names if not taste.seen[name]]
    if len(new) >= 2:
        return new[0], new[1]

    def hope(name: str) -> float:
        return taste.worth[name] + taste.doubt[name]

    one = new[0] if new else max(names, key=hope)

    def gain(name: str) -> tuple[float, float]:
        times = asked.get(frozenset((one, name)), 0)
        return hope(name) - 0.5 * times, -taste.seen[name]

    return one, max((name for name in names if name != one), key=gain)
