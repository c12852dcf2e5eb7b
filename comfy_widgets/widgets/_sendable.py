"""What can be sent to the browser: Jupyter refuses a whole message for half an emoji or a NaN anywhere in it."""

from __future__ import annotations

import math
from typing import Any


def sendable(value: Any) -> Any:
    """Return a message with all that Jupyter can send as it is; half an emoji becomes its escape, NaN becomes None.

    Parameters
    ----------
    value : object
        Dicts, lists, texts, numbers; whatever else is in it stays.

    Returns
    -------
    object
        A message of the same shape.

    Examples
    --------
    >>> sendable({"cfg": float("nan"), "seeds": (1, 2)})
    {'cfg': None, 'seeds': [1, 2]}
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {sendable(key): sendable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [sendable(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
