"""How an experiment shows itself in a notebook: by whatever the package's face has put here.

This room knows no widgets; the face, which knows all rooms, brings the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_factory: Callable[[Any], Any] | None = None


def use_view(factory: Callable[[Any], Any]) -> None:
    """Have experiments displayed by what ``factory`` makes of them.

    Parameters
    ----------
    factory : callable
        Takes an experiment, and returns an object that displays itself.

    Examples
    --------
    >>> from comfy_widgets import SweepGrid
    >>> use_view(SweepGrid)
    """
    global _factory
    _factory = factory


def make_view(experiment: Any) -> Any:
    """Return what displays an experiment, or None where nobody has said."""
    return _factory(experiment) if _factory is not None else None
