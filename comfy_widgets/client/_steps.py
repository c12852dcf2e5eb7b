"""The pace of a node that counts steps: how long the rest will take, and how sure that is."""

from __future__ import annotations

import math
from typing import NamedTuple


class Steps(NamedTuple):
    """What was seen of a node's steps; Welford's running mean and variance of the seconds a step takes.

    Attributes
    ----------
    at, value : float
        When it told of a step last, and of which.
    timed : float
        Steps that were timed.
    mean, spread : float
        Seconds a step, and the sum of squared deviations from that.
    """

    at: float
    value: float
    timed: float = 0.0
    mean: float = 0.0
    spread: float = 0.0

    def then(self, value: float, now: float) -> Steps:
        """After the node told of another step."""
        taken = value - self.value
        if taken <= 0 or now <= self.at:
            return self
        # Several steps told of at once count as so many of their mean length.
        seconds = (now - self.at) / taken
        timed = self.timed + taken
        deviation = seconds - self.mean
        mean = self.mean + deviation * taken / timed
        return Steps(now, value, timed, mean, self.spread + taken * deviation * (seconds - mean))

    def left(self, steps: float) -> tuple[float, float]:
        """Seconds for so many more steps, and one standard deviation of them.

        Two things are unsure: each step to come, and the mean itself, which is from few steps at first.
        """
        variance = self.spread / (self.timed - 1) if self.timed > 1 else self.mean**2
        return steps * self.mean, math.sqrt(variance * (steps + steps**2 / max(1.0, self.timed)))
