"""How an experiment shows itself in a notebook: by whatever the package's face has put here.

This room knows no widgets; the face, which knows all rooms, brings the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

Shown = Literal["experiment", "preferences", "images"]

_factories: dict[str, Callable[[Any], Any]] = {}


def use_view(factory: Callable[[Any], Any], of: Shown = "experiment") -> None:
    """Have experiments displayed by what ``factory`` makes of them.

    Parameters
    ----------
    factory : callable
        Takes an experiment, and returns an object that displays itself.
    of : str
        ``"experiment"`` by default; ``"preferences"`` for what `prefer` returns, ``"images"`` for what `images` does.

    Examples
    --------
    >>> from comfy_widgets import SweepGrid
    >>> use_view(SweepGrid)
    """
    _factories[of] = factory


def make_view(shown: Any, of: Shown = "experiment") -> Any:
    """Return what displays an experiment, or None where nobody has said."""
    factory = _factories.get(of)
    return factory(shown) if factory is not None else None
