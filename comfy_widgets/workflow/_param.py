"""One input of a workflow that a person may set, and the ordered mapping of all of them."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, cast

from ..protocol import WorkflowError
from ._prompt import Place

RANDOM = "random"
"""The value of a seed that is drawn anew for each run."""


class UnknownParam(WorkflowError, KeyError):
    """No parameter of that name. Also a KeyError, because `Params` is a mapping.

    Examples
    --------
    >>> from comfy_widgets import example
    >>> example().with_params(sed=7)
    Traceback (most recent call last):
    ...
    comfy_widgets.workflow._param.UnknownParam: The workflow has no parameter 'sed'. Did you mean 'seed'?
    """

    # KeyError would print the repr of the message.
    def __str__(self) -> str:
        return Exception.__str__(self)


@dataclass(frozen=True)
class Param:
    """One input that a person may set: where it is, what it is called, and which values it takes.

    Attributes
    ----------
    name : str
        Stable and unique: ``"seed"``, ``"positive"``, ``"KSampler 2.steps"``.
    label : str
        What a form shows.
    node_id, node_title, class_type, input_name : str
        Where the value stands in the prompt.
    kind : str
        ``"int"``, ``"float"``, ``"text"`` (several lines), ``"string"``, ``"choice"``, ``"bool"``, ``"seed"``,
        ``"image"``, ``"file"`` (a video, audio or a mesh in the server's input folder) or ``"json"``.
    value, default : object
        The value in the workflow, and the default of the node's definition.
    min, max, step : int or float or None
        Inclusive bounds. The step is a hint for a form, no rule.
    choices : tuple or None
        The values of a ``"choice"`` or ``"image"``, or the items of a ``"json"`` list, where they are known.
    tooltip, group : str
        The help text; the heading in a form, usually the node's title.
    primary : bool
        Shown at once; the rest stands under "More".
    dynamic : bool
        Its value decides which further parameters there are, ``"model.resolution"`` behind ``"model"``: ComfyUI's
        dynamic combo.
    guessed : bool
        Made without the server's definitions: the kind is a guess from the value.
    control_after_generate : str or None
        What the editor's file says that becomes of a number after each run: ``"fixed"``, ``"increment"``,
        ``"decrement"`` or ``"randomize"``. None where it says nothing, as always in API format.
    others : tuple of (str, str)
        Further places that are set together with this one: boxes that held the same text for the same purpose.
    options : Mapping
        The remaining options of the definition, such as ``display``, ``label_on`` or ``image_upload``.

    Examples
    --------
    >>> from comfy_widgets import example
    >>> steps = example().params()["steps"]
    >>> steps.kind, steps.value, steps.min, steps.max
    ('int', 20, 1, 10000)
    """

    name: str
    label: str
    node_id: str
    node_title: str
    class_type: str
    input_name: str
    kind: str
    value: Any
    default: Any = None
    min: int | float | None = None
    max: int | float | None = None
    step: int | float | None = None
    choices: tuple[Any, ...] | None = None
    tooltip: str = ""
    group: str = ""
    primary: bool = False
    dynamic: bool = False
    guessed: bool = False
    control_after_generate: str | None = None
    others: tuple[Place, ...] = ()
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False, compare=False)

    @property
    def place(self) -> Place:
        """The node's id and the input's name.

        Examples
        --------
        >>> example().params()["seed"].place
        ('3', 'seed')
        """
        return (self.node_id, self.input_name)

    def check(self, value: Any) -> Any:
        """Return `value` as the server wants it.

        Integers stay exact up to 2**64-1 and may be given as decimal text, which is how they come from a browser. A
        seed may be ``"random"`` (or None): it is drawn anew for each run. What stands in the workflow is always let
        through: the server judges it.

        Parameters
        ----------
        value : object
            What a person gave.

        Returns
        -------
        object

        Raises
        ------
        WorkflowError
            If the value has the wrong type, is out of bounds or is not among the choices.

        Examples
        --------
        >>> example().params()["steps"].check("30")
        30
        """
        if type(value).__module__ == "numpy" and hasattr(value, "item"):
            # A seed out of an array is as good as one that was typed.
            value = value.item()
        if type(value) is type(self.value) and value == self.value:
            # What nobody touched is for the server to judge.
            return value
        if self.takes_random and (value is None or (isinstance(value, str) and value.strip().lower() == RANDOM)):
            return RANDOM
        return _CHECKS[self.kind](self, value)

    @property
    def takes_random(self) -> bool:
        """Whether ``"random"`` is a value: for seeds.

        Examples
        --------
        >>> example().params()["seed"].takes_random
        True
        """
        return self.kind == "seed" or (self.kind in ("int", "float") and "seed" in self.input_name)

    def error(self, why: str) -> WorkflowError:
        """Make an error that names this input.

        Parameters
        ----------
        why : str
            The rest of the sentence.

        Returns
        -------
        WorkflowError

        Examples
        --------
        >>> str(example().params()["seed"].error("is odd."))
        'KSampler: seed is odd.'
        """
        return WorkflowError(
            f"{self.node_title}: {self.input_name} {why}",
            node_id=self.node_id,
            node_title=self.node_title,
            class_type=self.class_type,
            input_name=self.input_name,
        )

    def _bounded(self, value: int | float) -> int | float:
        if self.min is not None and value < self.min:
            hint = f' Give "{RANDOM}" for a new one at each run.' if self.takes_random else ""
            raise self.error(f"is {value}, below its minimum of {self.min}.{hint}")
        if self.max is not None and value > self.max:
            raise self.error(f"is {value}, above its maximum of {self.max}.")
        return value

    def _check_int(self, value: Any) -> int | float:
        number = value
        if isinstance(value, str):
            if value == str(self.value):
                return cast("int | float", self.value)
            try:
                number = int(value)
            except ValueError:
                raise self.error(f"wants a whole number, not {_short(value)}.") from None
        elif self.guessed and self.kind == "int" and isinstance(value, float):
            # Without definitions, an 8 in the file may well be the 8.0 of a decimal number.
            return self._check_float(value)
        elif isinstance(value, float) and value.is_integer():
            number = int(value)
        if isinstance(number, bool) or not isinstance(number, int):
            raise self.error(f"wants a whole number, not {_short(value)}.")
        return self._bounded(number)

    def _check_float(self, value: Any) -> int | float:
        number = value
        if isinstance(number, str):
            try:
                number = float(number)
            except ValueError:
                raise self.error(f"wants a number, not {_short(value)}.") from None
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
            raise self.error(f"wants a number, not {_short(value)}.")
        return self._bounded(number)

    def _check_text(self, value: Any) -> Any:
        if self.guessed and self.kind == "string" and isinstance(value, (int, float)):
            # Without definitions, a text in the file may well stand for a number.
            return self._check_json(value)
        if not isinstance(value, str):
            raise self.error(f"wants text, not {_short(value)}.")
        return value

    def _check_bool(self, value: Any) -> bool:
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        raise self.error(f"wants True or False, not {_short(value)}.")

    def _check_choice(self, value: Any) -> Any:
        # Options that another route serves, or that a page fills in, are unknown here; the server judges them.
        return self._one_of(value) if self.choices and not self._is_remote else self._check_json(value)

    @property
    def _is_remote(self) -> bool:
        """Whether the choices are those of a moment: a route of the server lists them anew each time."""
        return bool(self.options.get("remote"))

    def _one_of(self, value: Any) -> Any:
        choices = self.choices or ()
        for choice in choices:
            # 1 == True and 1 == 1.0 in Python, but they are different choices in JSON.
            if choice == value and isinstance(choice, bool) == isinstance(value, bool):
                return choice
        for choice in choices:
            if isinstance(value, str) and not isinstance(choice, str) and str(choice) == value:
                return choice
        raise self.error(f"is {_short(value)}, {not_among(value, choices)}")

    def _check_file(self, value: Any) -> str:
        # The list does not decide: the server takes any file in its input folder, also one uploaded a second ago.
        if not isinstance(value, str):
            what = "image" if self.kind == "image" else "file"
            raise self.error(f"wants the name of a {what} on the server, not {_short(value)}.")
        return value

    def _check_json(self, value: Any) -> Any:
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise self.error(f"wants a JSON value, not {_short(value)}.") from None
        if self.choices and self.kind == "json" and not self._is_remote:
            return [self._one_of(item) for item in (value if isinstance(value, (list, tuple)) else [value])]
        return value


_CHECKS: dict[str, Callable[[Param, Any], Any]] = {
    "int": Param._check_int,
    "seed": Param._check_int,
    "float": Param._check_float,
    "text": Param._check_text,
    "string": Param._check_text,
    "bool": Param._check_bool,
    "choice": Param._check_choice,
    "image": Param._check_file,
    "file": Param._check_file,
    "json": Param._check_json,
}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def in_words(name: str) -> str:
    """Make ``filename_prefix`` read ``Filename prefix``; leave a label that was written for people."""
    if name != name.lower() or " " in name:
        return name
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def nearest(word: object, words: Iterable[Any], count: int = 3, cutoff: float = 0.6) -> list[str]:
    """Return the names most like `word`, ignoring case and the endings of model files.

    Parameters
    ----------
    word : object
        What was written.
    words : iterable
        What could have been meant.
    count : int
        How many names at most; 3 by default.
    cutoff : float
        How near a name must be, from 0 to 1; 0.6 by default. Above it, parts of names do not count.

    Returns
    -------
    list of str
        The nearest first.

    Examples
    --------
    >>> nearest("eular", ["dpmpp_2m", "euler_ancestral", "euler"])
    ['euler']
    """
    by_lower: dict[str, str] = {}
    for known in words:
        by_lower.setdefault(stem(str(known)), str(known))
    lower = stem(str(word))
    close = difflib.get_close_matches(lower, by_lower, n=count, cutoff=cutoff)
    # A part of a long name ("v1-5" for "v1-5-pruned-emaonly.safetensors") is too unlike for difflib.
    if len(lower) >= 3 and cutoff <= 0.6:
        parts = [name for name in by_lower if lower in name or (len(name) >= 3 and name in lower)]
        close += [name for name in parts if name not in close]
    return [by_lower[name] for name in close[:count]]


def stem(name: str) -> str:
    """Drop what many names have in common, so that it does not count as likeness."""
    return re.sub(r"\.(safetensors|sft|ckpt|pth?|bin|gguf)$", "", name.lower())


def did_you_mean(word: object, words: Iterable[Any], cutoff: float = 0.6) -> str:
    """Return ``" Did you mean 'steps'?"``, or nothing where no name is near.

    Parameters
    ----------
    word : object
        What was written.
    words : iterable
        What could have been meant.
    cutoff : float
        How near a name must be, from 0 to 1; 0.6 by default.

    Returns
    -------
    str
        With a space before it, to end a sentence.

    Examples
    --------
    >>> did_you_mean("stpes", ["steps", "seed"])
    " Did you mean 'steps'?"
    """
    close = nearest(word, words, cutoff=cutoff)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def not_among(value: object, choices: Iterable[Any]) -> str:
    """Say that a value is not in a list, with the nearest ones, or with the whole list if it is short."""
    known = list(choices)
    if not known:
        return "but the server has nothing to choose from there."
    if hint := did_you_mean(value, known):
        return f"which is not in the list.{hint}"
    listed = ", ".join(_short(choice) for choice in known[:8])
    more = f" and {len(known) - 8} more" if len(known) > 8 else ""
    return f"which is not in the list: {listed}{more}."


class Params(Mapping[str, Param]):
    """The parameters of a workflow by name, the most wanted first.

    Besides its own name a parameter answers to ``"Node title.input"``, ``"node id.input"``, ``"class.input"`` and, if
    only one node has such an input, to ``"input"``. By these names, inputs that are set together are set alone.

    Parameters
    ----------
    params : iterable of Param
    single : iterable of Param, optional
        Inputs that some of `params` stand for too.

    Examples
    --------
    >>> params = example().params()
    >>> params["seed"].value, params["3.seed"].name
    (42, 'seed')
    """

    def __init__(self, params: Iterable[Param], single: Iterable[Param] = ()) -> None:
        self._params = {param.name: param for param in params}
        self.single: tuple[Param, ...] = tuple(single)

    def __getitem__(self, name: str) -> Param:
        return self.find(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def __len__(self) -> int:
        return len(self._params)

    def __contains__(self, name: object) -> bool:
        return name in self._params

    @property
    def primary(self) -> tuple[Param, ...]:
        """Those that a form shows at once.

        Examples
        --------
        >>> [param.name for param in example().params().primary][:3]
        ['positive', 'negative', 'seed']
        """
        return tuple(param for param in self._params.values() if param.primary)

    @property
    def more(self) -> dict[str, tuple[Param, ...]]:
        """The rest, by group.

        Examples
        --------
        >>> list(example().params().more)
        ['Save Image']
        """
        groups: dict[str, list[Param]] = {}
        for param in self._params.values():
            if not param.primary:
                groups.setdefault(param.group, []).append(param)
        return {group: tuple(members) for group, members in groups.items()}

    def find(self, name: str) -> Param:
        """Return the parameter that `name` means.

        Parameters
        ----------
        name : str

        Returns
        -------
        Param

        Raises
        ------
        UnknownParam
            If there is none, with the nearest names, or if several answer to it.

        Examples
        --------
        >>> example().params().find("KSampler.steps").name
        'steps'
        """
        if name in self._params:
            return self._params[name]
        # Nearest meaning first: a node's title is more than its class, which is more than the bare input.
        for alias in _ALIASES:
            found = [param for param in (*self._params.values(), *self.single) if alias(param) == name]
            if len(found) == 1:
                # Who names one box means that box alone.
                return replace(found[0], others=()) if found[0].others else found[0]
            if found:
                names = ", ".join(repr(param.name) for param in found[:6])
                raise UnknownParam(f"{name!r} could be any of {names}. Use one of these names.")
        hint = did_you_mean(name, self._params) or did_you_mean(name, {p.input_name for p in self._params.values()})
        meant = _ELSEWHERE.get(name)
        if not hint and meant in self._params:
            hint = f" Did you mean {meant!r}?"
        if not hint:
            shown = ", ".join(param.name for param in self.primary) or ", ".join(self._params)
            hint = f" There are: {shown}." if shown else " It has none at all."
        raise UnknownParam(f"The workflow has no parameter {name!r}.{hint}")

    def __repr__(self) -> str:
        lines = []
        for param in self._params.values():
            bounds = f"  [{param.min} .. {param.max}]" if param.min is not None and param.max is not None else ""
            lines.append(f"{param.name} = {_short(param.value)}  ({param.kind}){bounds}")
        return "\n".join(lines) or "no parameters"


# What other programs call the same.
_ELSEWHERE = {
    "prompt": "positive",
    "model": "ckpt_name",
    "checkpoint": "ckpt_name",
    "guidance_scale": "cfg",
    "num_inference_steps": "steps",
    "strength": "denoise",
}

_ALIASES: tuple[Callable[[Param], str], ...] = (
    lambda param: f"{param.node_title}.{param.input_name}",
    lambda param: f"{param.node_id}.{param.input_name}",
    lambda param: f"{param.class_type}.{param.input_name}",
    lambda param: param.input_name,
)
