"""The check of a timeout that a person gave."""

from __future__ import annotations

import math


def check_timeout(timeout: float | None) -> None:
    """Refuse what is no time to wait.

    Parameters
    ----------
    timeout : float or None
        Seconds; None waits for ever.

    Raises
    ------
    TypeError
        It is no number.
    ValueError
        It is not a number: a wait for that would never end.
    """
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout is {timeout!r}, but must be a number of seconds, or None.")
    if math.isnan(timeout):
        raise ValueError("timeout is nan, but must be a number of seconds, or None.")
