"""Axes as people write them: ``seed=range(4)``, ``together(...)``, ``replace(...)``, ``lora(...)``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePath
from typing import Any

from ..protocol import WorkflowError
from ..workflow import is_image

MAX_VALUES = 100_000
"""More values than this on one axis are a mistake, such as a counter without end."""


@dataclass(frozen=True)
class Swap:
    """A part of a prompt that is to be replaced: a value of an axis that `replace` made."""

    needle: str
    text: str


@dataclass(frozen=True)
class Option:
    """One value of an axis.

    Attributes
    ----------
    value : object
        What stands in a table: a number, a text, True or False.
    label : str
        What stands over a column.
    settings : dict
        Parameter names and what they are set to; a `Swap` changes a part of a prompt.
    """

    value: Any
    label: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Axis:
    """A name and the values it takes.

    Attributes
    ----------
    name : str
    options : tuple of Option
    """

    name: str
    options: tuple[Option, ...]

    def __len__(self) -> int:
        return len(self.options)


@dataclass(frozen=True)
class Together:
    """Several parameters that change together; see `together`."""

    columns: Mapping[str, Any]


@dataclass(frozen=True)
class Replace:
    """A word of a prompt that changes; see `replace`."""

    needle: str
    texts: tuple[str, ...]
    of: str | None = None


@dataclass(frozen=True)
class Lora:
    """LoRAs and their strengths; see `lora`."""

    names: tuple[str, ...]
    strengths: tuple[float, ...]
    node: str | None = None

    @property
    def pairs(self) -> list[tuple[str, float]]:
        """Every name at every strength."""
        return [(name, strength) for name in self.names for strength in self.strengths]


def together(values: Mapping[str, Any] | None = None, /, **columns: Any) -> Together:
    """Change several parameters together, as one axis.

    Parameters
    ----------
    values : Mapping, optional
        The same as keywords, for names that are no Python identifiers.
    **columns : iterable or Replace
        As many values for each parameter.

    Returns
    -------
    Together
        Give it to `sweep` under any name.

    Raises
    ------
    WorkflowError
        There are not as many values for each parameter.

    Examples
    --------
    >>> size = together(width=[512, 768], height=[768, 512])
    >>> sorted(size.columns)
    ['height', 'width']
    """
    given = {**(values or {}), **columns}
    if not given:
        raise WorkflowError("together() needs parameters: together(width=[512, 768], height=[768, 512]).")
    listed = {
        name: column if isinstance(column, Replace) else listed_values(name, column) for name, column in given.items()
    }
    counts = {name: len(column.texts if isinstance(column, Replace) else column) for name, column in listed.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise WorkflowError(f"together() needs as many values for each parameter, but {told}.")
    return Together(listed)


def replace(needle: str, texts: Iterable[str], *, of: str | None = None) -> Replace:
    """Search for a text in a prompt and replace it.

    Parameters
    ----------
    needle : str
        What to search for; every place where it stands is replaced. It must be there.
    texts : iterable of str
        What to put there, one after the other. The needle itself may be among them.
    of : str, optional
        The parameter; by default the name under which this is given to `sweep`. With it, several words of one prompt
        can be axes of their own.

    Returns
    -------
    Replace

    Raises
    ------
    WorkflowError
        The needle is empty, or a text is none.

    Examples
    --------
    >>> animal = replace("cat", ["cat", "dog"], of="positive")
    >>> animal.texts
    ('cat', 'dog')
    """
    if not isinstance(needle, str) or not needle:
        raise WorkflowError("replace() needs a text to search for: replace('cat', ['cat', 'dog']).")
    listed = [texts] if isinstance(texts, str) else listed_values("replace", texts)
    for text in listed:
        if not isinstance(text, str):
            raise WorkflowError(f"replace({needle!r}) takes texts, not {text!r}.")
    return Replace(needle, tuple(listed), of)


def lora(
    name: str | Iterable[str], strength: float | Iterable[float] = (0.0, 0.5, 1.0), *, node: str | None = None
) -> Lora:
    """Vary LoRAs and their strengths, as one axis.

    Where the workflow has a LoRA loader, that one is set; where it has none, one is put behind the model's loader.

    Parameters
    ----------
    name : str or iterable of str
        One LoRA, or several, such as the epochs of a training. The file name's extension may be left out.
    strength : float or iterable of float
        Of the model and the text encoder alike. Default 0, 0.5 and 1.
    node : str, optional
        The title or id of the loader, where the workflow has several.

    Returns
    -------
    Lora
        Give it to `sweep` under any name.

    Raises
    ------
    WorkflowError
        A name is no text, or a strength no number.

    Examples
    --------
    >>> lora(["epoch-4", "epoch-8"], [0.5, 1]).pairs
    [('epoch-4', 0.5), ('epoch-4', 1.0), ('epoch-8', 0.5), ('epoch-8', 1.0)]
    """
    names = [name] if isinstance(name, str) else listed_values("lora", name)
    strengths = [strength] if isinstance(strength, (int, float)) else listed_values("strength", strength)
    for one in names:
        if not isinstance(one, str) or not one:
            raise WorkflowError(f"lora() takes the names of LoRA files, not {one!r}.")
    for number in strengths:
        if isinstance(number, bool) or not hasattr(number, "__float__"):
            raise WorkflowError(f"lora() takes numbers as strengths, not {number!r}.")
    return Lora(tuple(names), tuple(float(number) for number in strengths), node)


def is_axis(given: Any) -> bool:
    """Whether something given for a parameter is several values, and not one."""
    if isinstance(given, (str, bytes, bytearray, memoryview)) or is_image(given):
        return False
    return isinstance(given, Iterable)


def listed_values(name: str, given: Any) -> list[Any]:
    """List the values of an axis, each once.

    Raises
    ------
    WorkflowError
        There are none, or without end.
    """
    if given is None:
        raise WorkflowError(
            f"{name}=None names no values. List them, for example {name}=[...], or leave {name} out to keep what the "
            "workflow has."
        )
    if not is_axis(given):
        raise WorkflowError(f"{name} needs a list of values, not {given!r}.")
    items = sorted(given, key=repr) if isinstance(given, (set, frozenset)) else list(islice(given, MAX_VALUES + 1))
    if not items:
        raise WorkflowError(f"{name} has no values, so there would be no cell at all.")
    if len(items) > MAX_VALUES:
        raise WorkflowError(f"{name} has more than {MAX_VALUES} values; does the list never end?")
    plain = [item.item() if type(item).__module__ == "numpy" and hasattr(item, "item") else item for item in items]
    if any(item is None for item in plain):
        raise WorkflowError(f"{name} has None among its values, which is no value.")
    return plain


def label_of(value: Any, number: int) -> str:
    """Return a short text for a value; pictures of memory are numbered from 1."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, PurePath):
        return value.name
    if is_image(value):
        name = getattr(value, "filename", "")
        return PurePath(name).name if isinstance(name, str) and name else f"image {number}"
    return str(value)
