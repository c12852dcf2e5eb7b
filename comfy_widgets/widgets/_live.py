"""Traits that are computed when they are read, and announced to observers when they have changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from traitlets import HasTraits, TraitType


class LiveTrait(TraitType[Any, Any]):
    """A read-only trait whose value is computed when it is read.

    So it is right at any moment, also before its observers were called, which happens in `announce`.

    Parameters
    ----------
    default : object
        What observers take for the value before the first announcement.
    read : callable
        Takes the object, and returns the value.
    help : str
        What the value is.
    """

    def __init__(self, default: Any, read: Callable[[Any], Any], *, help: str) -> None:
        super().__init__(default_value=default, read_only=True, help=help)
        self._read = read

    def get(self, obj: HasTraits, cls: type[Any] | None = None) -> Any:
        """Return the value as it is now."""
        return self._read(obj)


def announce(obj: HasTraits, name: str) -> None:
    """Tell the observers of a `LiveTrait` if its value has changed since they were told."""
    obj.set_trait(name, getattr(obj, name))
