"""Names of a package that are imported when they are first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any


def import_name(package: str, homes: Mapping[str, str], name: str) -> Any:
    """Return what a package's ``__getattr__`` is asked for, and let the package have it from now on.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : dict
        Name -> the module of the package that has it.
    name : str
        What is asked for.

    Raises
    ------
    AttributeError
        The package has no such name.
    """
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value = getattr(import_module(f".{homes[name]}", package), name)
    setattr(sys.modules[package], name, value)
    return value
