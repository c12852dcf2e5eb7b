"""What "control after generate" does to a value once its prompt is queued.

The front end does this, the server knows nothing of it: a client that wants a new seed for each run asks here. A value
whose input is linked is not controlled.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from typing import Any

from .._specs_types import InputSpec

#: The front end's numbers are JavaScript's; it keeps its seeds within this bound.
_NUMBER_LIMIT = 2**50

_NUMBER_MODES = frozenset({"fixed", "increment", "decrement", "randomize"})


def next_value(spec: InputSpec, mode: str | bool, value: Any, rng: random.Random, *, filter_text: str = "") -> Any:
    """The value for the next run.

    Parameters
    ----------
    spec : InputSpec
        An INT, a FLOAT or a combo; anything else keeps its value.
    mode : str or bool
        ``"fixed"``, ``"increment"``, ``"decrement"``, ``"randomize"``, or for combos also ``"increment-wrap"``. Files
        of older front ends have True and False for ``"randomize"`` and ``"fixed"``. Any other mode is ``"fixed"``.
    value : Any
        The value of the run that was queued.
    rng : random.Random
    filter_text : str
        For combos: only options that contain the text (case ignored) or match ``/regex/``.
    """
    if spec.choices is not None:
        return _next_choice(_filtered(spec.choices, filter_text), _mode(mode), value, rng)
    if spec.kind in ("int", "seed", "float") and isinstance(value, (int, float)) and not isinstance(value, bool):
        return _next_number(spec, _mode(mode), value, rng)
    return value


def control_mode(saved: object) -> str | None:
    """The mode of a number that a file has: one of the four words, or the True and False of older front ends."""
    if isinstance(saved, bool):
        return _mode(saved)
    return saved if isinstance(saved, str) and saved in _NUMBER_MODES else None


def _mode(mode: str | bool) -> str:
    if isinstance(mode, bool):
        return "randomize" if mode else "fixed"
    return mode


def _next_number(spec: InputSpec, mode: str, value: float, rng: random.Random) -> int | float:
    # Where the definition is silent the front end's widgets run from 0 to 2048.
    low = max(spec.min if spec.min is not None else 0, -_NUMBER_LIMIT)
    high = min(spec.max if spec.max is not None else 2048, _NUMBER_LIMIT)
    step = abs(spec.step or (0.5 if spec.kind == "float" else 1))
    if mode == "increment":
        value += step
    elif mode == "decrement":
        value -= step
    elif mode == "randomize":
        value = low + step * rng.randint(0, max(0, math.ceil((high - low) / step) - 1))
    else:
        return value
    return min(max(value, low), high)


def _next_choice(options: Sequence[Any], mode: str, value: Any, rng: random.Random) -> Any:
    if not options:
        return value
    index = options.index(value) if value in options else -1
    if mode == "increment":
        return options[min(index + 1, len(options) - 1)]
    if mode == "increment-wrap":
        return options[(index + 1) % len(options)]
    if mode == "decrement":
        return options[max(index - 1, 0)]
    if mode == "randomize":
        return rng.choice(options)
    return value


def _filtered(options: Sequence[Any], text: str) -> Sequence[Any]:
    if not text:
        return options
    if len(text) > 2 and text.startswith("/") and text.endswith("/"):
        try:
            pattern = re.compile(text[1:-1])
        except re.error:
            return options
        return [option for option in options if pattern.search(str(option))]
    return [option for option in options if text.lower() in str(option).lower()]
