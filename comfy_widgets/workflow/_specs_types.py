"""The shape of a node definition: what `/object_info` says of a class, as typed values.

Plain data only; `specs_parse` fills it and `specs.NodeSpecs` is the way in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

Section: TypeAlias = Literal["required", "optional"]

#: How a person sets an input. ``socket`` means: not at all, it is linked. ``choices`` is a pick of several.
Kind: TypeAlias = Literal[
    "int", "float", "seed", "string", "text", "bool", "choice", "choices", "image", "color", "json", "socket"
]

#: What happens to a value once its prompt is queued (ComfyUI's "control after generate").
ControlMode: TypeAlias = Literal["fixed", "increment", "decrement", "randomize", "increment-wrap"]


@dataclass(frozen=True)
class Variant:
    """One option of a dynamic combo and the inputs that it brings along."""

    key: Any
    inputs: tuple[InputSpec, ...]


@dataclass(frozen=True)
class DynamicCombo:
    """A choice that decides which further inputs (``parent.name``) the node has."""

    variants: tuple[Variant, ...]

    def variant(self, key: object) -> Variant | None:
        """The variant chosen by `key`, or None."""
        return next((variant for variant in self.variants if variant.key == key), None)


@dataclass(frozen=True)
class Autogrow:
    """Sockets that multiply as they are connected: ``images.image0``, ``images.image1``, ..."""

    template: tuple[InputSpec, ...]
    prefix: str
    names: tuple[str, ...]
    min: int
    max: int

    @property
    def limit(self) -> int:
        """The greatest number of rows."""
        return min(self.max, len(self.names)) if self.names else self.max

    def row(self, group: str, index: int) -> list[tuple[str, InputSpec]]:
        """The full name and the specification of each socket in row `index` of the input called `group`."""
        if len(self.template) == 1:
            suffix = self.names[index] if self.names else f"{self.prefix}{index}"
            return [(f"{group}.{suffix}", self.template[0])]
        return [(f"{group}.{spec.name}{index}", spec) for spec in self.template]


@dataclass(frozen=True)
class MatchType:
    """A socket whose type is that of whatever is connected; equal `template_id` means equal type."""

    template_id: str
    allowed_types: str


@dataclass(frozen=True)
class DynamicSlot:
    """A socket that brings further inputs along once it is connected."""

    slot_type: str
    inputs: tuple[InputSpec, ...]


@dataclass(frozen=True)
class DynamicGroup:
    """Rows of like inputs, ``name.row.field``, that a person adds and removes."""

    template: tuple[InputSpec, ...]
    min: int
    max: int


Dynamic: TypeAlias = DynamicCombo | Autogrow | MatchType | DynamicSlot | DynamicGroup


@dataclass(frozen=True)
class InputSpec:
    """One input of a node class.

    Attributes
    ----------
    name : str
        The key in a prompt's ``inputs``. It may contain dots (dynamic inputs).
    section : {"required", "optional"}
    type : str
        ComfyUI's type name. ``"COMBO"`` for both forms of a list of options, ``"*"`` where the definition is
        unreadable, ``"A,B"`` for a union.
    kind : str
        The control that fits, ``"socket"`` if the input can only be linked.
    is_widget : bool
        Whether the editor shows a widget, which then takes a place in ``widgets_values``.
    label, tooltip : str
        For people. The label falls back to the name.
    default : Any
        As declared, or None. See `initial` for what a fresh node holds.
    min, max, step : int or float, optional
        Bounds are inclusive and may exceed 2**53 (seeds). The server enforces the bounds, not the step.
    round : float or False, optional
        What the editor rounds a float to; False for not at all; None where nothing is said.
    choices : tuple, optional
        The options of a combo. Empty if the server has none; None if this is no combo or its options are remote.
    multiline, dynamic_prompts : bool
        A text area; ``{a|b}`` is a random choice made before sending.
    control_after_generate : str, optional
        The mode a fresh node starts in, None if the value is not controlled. By the editor's rule an INT called
        ``seed`` or ``noise_seed`` is controlled even where the definition is silent.
    multiselect : bool
        The value is a list of options.
    upload : str, optional
        ``"image"``, ``"animated_image"``, ``"video"``, ``"audio"``, ``"mesh"`` or ``"file"``: a file may be uploaded.
    remote : Mapping, optional
        Where the options come from, for combos that ask another route.
    force_input, lazy, advanced, hidden : bool
        Socket even though the type has a widget; evaluated on demand; shown on request only; never shown.
    dynamic : Dynamic, optional
        What a V3 dynamic input unfolds into.
    options : Mapping
        The options as the server sent them, unknown keys included.

    Examples
    --------
    >>> seed = NodeSpecs(client.object_info())["KSampler"].input("seed")
    >>> seed.kind, seed.max == 2**64 - 1
    ('seed', True)
    """

    name: str
    section: Section
    type: str
    kind: Kind
    is_widget: bool
    label: str
    tooltip: str = ""
    default: Any = None
    min: int | float | None = None
    max: int | float | None = None
    step: int | float | None = None
    round: float | Literal[False] | None = None
    choices: tuple[Any, ...] | None = None
    multiline: bool = False
    dynamic_prompts: bool = False
    control_after_generate: ControlMode | None = None
    multiselect: bool = False
    upload: str | None = None
    remote: Mapping[str, Any] | None = None
    force_input: bool = False
    lazy: bool = False
    advanced: bool = False
    hidden: bool = False
    dynamic: Dynamic | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def required(self) -> bool:
        """Whether the server refuses a prompt without this input.

        Examples
        --------
        >>> NodeSpecs(client.object_info())["KSampler"].input("model").required
        True
        """
        return self.section == "required"

    @property
    def types(self) -> tuple[str, ...]:
        """The members of a union, upper case left as it is.

        Examples
        --------
        >>> NodeSpecs(client.object_info())["KSampler"].input("model").types
        ('MODEL',)
        """
        return tuple(part.strip() for part in self.type.split(","))

    @property
    def initial(self) -> Any:
        """The value of a freshly added node: the declared default, else what the editor starts with.

        Examples
        --------
        >>> NodeSpecs(client.object_info())["KSampler"].input("steps").initial
        20
        """
        if self.default is not None:
            return self.default
        if self.multiselect:
            return []
        if self.choices is not None:
            return self.choices[0] if self.choices else None
        return {"int": 0, "seed": 0, "float": 0.0, "bool": False, "string": "", "text": ""}.get(self.kind)

    def problem(self, value: object) -> str | None:
        """What is wrong with `value` for this input, as the end of a sentence ("... must be at most 100"), or None.

        Only what the definition itself says is judged: type, bounds and options. Options that are fetched elsewhere and
        files that may just have been uploaded are let through.

        Parameters
        ----------
        value : object

        Returns
        -------
        str or None

        Examples
        --------
        >>> NodeSpecs(client.object_info())["KSampler"].input("steps").problem(0)
        'must be at least 1'
        """
        if self.kind in ("int", "seed", "float"):
            return self._number_problem(value)
        if self.kind == "bool":
            return None if isinstance(value, bool) else "must be true or false"
        if self.kind in ("string", "text"):
            return None if isinstance(value, str) else "must be text"
        if self.kind == "choice" and self.choices is not None and self.upload is None and value not in self.choices:
            return (
                f"must be one of the {len(self.choices)} options" if self.choices else "has no options on this server"
            )
        return None

    def _number_problem(self, value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return "must be a number"
        if not math.isfinite(value):
            return "must be a finite number"
        if self.kind != "float" and value != int(value):
            return "must be a whole number"
        if self.min is not None and value < self.min:
            return f"must be at least {self.min}"
        if self.max is not None and value > self.max:
            return f"must be at most {self.max}"
        return None

    @property
    def control_positions(self) -> int:
        """How many places its "control after generate" takes: the mode, for a combo also a filter text."""
        if self.control_after_generate is None:
            return 0
        return 2 if self.choices is not None or self.remote is not None else 1


@dataclass(frozen=True)
class OutputSpec:
    """One output of a node class.

    `type` is ``"COMBO"`` for an output declared as a list of options and ``"*"`` for one that follows a matched input,
    whose template `match` then names.
    """

    name: str
    type: str
    is_list: bool = False
    tooltip: str = ""
    match: str | None = None


@dataclass(frozen=True)
class Layout:
    """What the editor makes of a definition without dynamic inputs.

    Attributes
    ----------
    widgets : tuple of (name, InputSpec, place)
        Each with its place in ``widgets_values``.
    sockets : tuple of (name, type, match)
        Sockets with the same `match` have one type.
    positions : tuple of str or None
        Which widget each place belongs to; None for one that is never sent.
    output_types : tuple of str
    names, socket_names : frozenset of str
        All inputs; those without a widget.
    """

    widgets: tuple[tuple[str, InputSpec, int], ...]
    sockets: tuple[tuple[str, str, str | None], ...]
    positions: tuple[str | None, ...]
    output_types: tuple[str, ...]
    names: frozenset[str]
    socket_names: frozenset[str]


@dataclass(frozen=True)
class NodeSpec:
    """One node class of a server.

    Attributes
    ----------
    class_type : str
        Its name in a prompt.
    display_name, description, category : str
        What the editor shows: the title, the help, and the place in the menu.
    inputs : tuple of InputSpec
        In the order in which the editor shows them: required, then optional.
    outputs : tuple of OutputSpec
        In the order of the numbers in links, from 0.
    hidden : tuple of str
        Inputs that the server fills in itself; they are never sent.
    output_node : bool
        Whether it gives results; a prompt needs at least one such node.
    deprecated, experimental : bool
        What its author says of it.
    api_node : bool
        Whether it asks a paid service of comfy.org or its partners.
    python_module : str
        Where it comes from, such as ``"nodes"`` or ``"custom_nodes.my_pack"``.
    raw : Mapping
        The definition as the server sent it.

    Examples
    --------
    >>> sampler = NodeSpecs(client.object_info())["KSampler"]
    >>> [output.type for output in sampler.outputs]
    ['LATENT']
    """

    class_type: str
    display_name: str
    description: str
    category: str
    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...]
    hidden: tuple[str, ...] = ()
    output_node: bool = False
    deprecated: bool = False
    experimental: bool = False
    api_node: bool = False
    python_module: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def layout(self) -> Layout | None:
        """Where the editor puts the inputs, if that is the same for all nodes of the class; else None."""
        positions: list[str | None] = []
        widgets: list[tuple[str, InputSpec, int]] = []
        sockets: list[tuple[str, str, str | None]] = []
        for spec in self.inputs:
            match = spec.dynamic if isinstance(spec.dynamic, MatchType) else None
            if (spec.dynamic is not None and match is None) or (spec.remote or {}).get("refresh_button"):
                return None
            if spec.is_widget:
                widgets.append((spec.name, spec, len(positions)))
                positions += [spec.name, *[None] * spec.control_positions]
            elif match is not None:
                sockets.append((spec.name, match.allowed_types, match.template_id))
            else:
                sockets.append((spec.name, spec.type, None))
        types = tuple(output.type for output in self.outputs)
        socket_names = frozenset(name for name, *_ in sockets)
        names = socket_names.union(name for name, *_ in widgets)
        return Layout(tuple(widgets), tuple(sockets), tuple(positions), types, names, socket_names)

    def input(self, name: str) -> InputSpec | None:
        """The specification of the input called `name`; dynamic inputs are found by their dotted names.

        Parameters
        ----------
        name : str

        Returns
        -------
        InputSpec or None
            None if there is no such input.

        Examples
        --------
        >>> NodeSpecs(client.object_info())["KSampler"].input("nothing") is None
        True
        """
        for spec in self.inputs:
            if spec.name == name:
                return spec
            if spec.dynamic is not None and name.startswith(f"{spec.name}."):
                return _inner_input(spec, name)
        return None


def _inner_input(parent: InputSpec, name: str) -> InputSpec | None:
    """Find dotted `name` among what `parent` unfolds into, over all variants (the first that has it)."""
    dynamic = parent.dynamic
    rest = name[len(parent.name) + 1 :]
    inner: tuple[InputSpec, ...] = ()
    if isinstance(dynamic, DynamicCombo):
        inner = tuple(spec for variant in dynamic.variants for spec in variant.inputs)
    elif isinstance(dynamic, DynamicSlot):
        inner = dynamic.inputs
    elif isinstance(dynamic, DynamicGroup):
        inner, rest = dynamic.template, rest.partition(".")[2]
    elif isinstance(dynamic, Autogrow):
        if len(dynamic.template) == 1:
            return dynamic.template[0]
        inner, rest = dynamic.template, rest.rstrip("0123456789")
    for spec in inner:
        if spec.name == rest:
            return spec
        if spec.dynamic is not None and rest.startswith(f"{spec.name}."):
            return _inner_input(spec, rest)
    return None
