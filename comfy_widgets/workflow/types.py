"""When an output may be connected to an input."""

from __future__ import annotations


def compatible(given: str, wanted: str) -> bool:
    """Tell whether a socket of one type takes a link of another.

    ``"*"`` goes with everything; ``"A,B"`` is either; case does not matter.
    """
    if "*" in (given, wanted) or not given or not wanted:
        return True
    return bool(set(given.upper().replace(" ", "").split(",")) & set(wanted.upper().replace(" ", "").split(",")))
