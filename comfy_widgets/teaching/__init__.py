"""Teaching diffusion: cassettes, lessons with a prediction before each run, widgets that show what a sampler does.

Everything runs on the embedded engine, offline, and on any ComfyUI.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._record import record as record

# Imported when first used: whoever records a cassette needs no widgets.
_HOMES = {
    "record": "_record",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOMES)
