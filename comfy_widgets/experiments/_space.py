"""The space of an experiment: workflows and axes, and what each combination is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from os import PathLike
from typing import Any

from ..protocol import WorkflowError
from ..workflow import NodeSpecs, Workflow, is_link
from ._axes import Axis, Option, Replace, Swap, Together
from ._bind import Base, Prompt, bind, parse_axes
from ._sample import Indices

WORKFLOWS = "workflow"
"""The name of the axis that several workflows make."""
_ALL_CHECKED = 1000


class Values(dict[str, Any]):
    """The values of a cell by axis; also as attributes: ``cell.cfg``."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"The experiment has no axis {name!r}; it has {', '.join(self)}.") from None


@dataclass(frozen=True)
class Space:
    """Workflows with axes bound to them.

    Attributes
    ----------
    bases : tuple of Base
        One for each workflow.
    axes : tuple of Axis
        Of several workflows the first axis is which one.
    specs : NodeSpecs
        The server's definitions.
    accepts : callable or None
        Raises `WorkflowError` for a prompt that no server of a fleet can run.
    """

    bases: tuple[Base, ...]
    axes: tuple[Axis, ...]
    specs: NodeSpecs
    accepts: Callable[[Prompt], object] | None = None

    @classmethod
    def make(cls, workflow: Any, given: Mapping[str, Any], object_info: Mapping[str, Any]) -> Space:
        """Bind what people wrote.

        Parameters
        ----------
        workflow : Workflow, path, dict, ... or several of them
            Several as a list, or as a mapping of names.
        given : Mapping
            Axes and single values by parameter name.
        object_info : Mapping
            The server's definitions.

        Raises
        ------
        WorkflowError
        """
        axes, fixed = parse_axes(given)
        specs = NodeSpecs.of(object_info)
        named = _workflows(workflow)
        bases = []
        for name, document in named.items():
            try:
                bases.append(bind(document, name, axes, fixed, specs))
            except WorkflowError as error:
                if len(named) > 1:
                    error.args = (f"Workflow {name!r}: {error}", *error.args[1:])
                raise
        return cls.of(bases, axes, specs)

    @classmethod
    def of(
        cls,
        bases: Sequence[Base],
        axes: Sequence[Axis],
        specs: NodeSpecs,
        accepts: Callable[[Prompt], object] | None = None,
    ) -> Space:
        """Make a space of parts that are bound."""
        if len(bases) > 1:
            if any(axis.name == WORKFLOWS for axis in axes):
                raise WorkflowError(
                    "With several workflows, 'workflow' is an axis already; call the other one otherwise."
                )
            axes = [Axis(WORKFLOWS, tuple(Option(base.name, base.name) for base in bases)), *axes]
        return cls(tuple(bases), tuple(axes), specs, accepts)

    @property
    def sizes(self) -> list[int]:
        """How many values each axis has."""
        return [len(axis) for axis in self.axes]

    def split(self, indices: Indices) -> tuple[Base, Indices]:
        """Return the workflow of a combination, and its indices on the other axes."""
        return (self.bases[indices[0]], indices[1:]) if len(self.bases) > 1 else (self.bases[0], indices)

    def values(self, indices: Indices) -> Values:
        """Return the values of a combination by axis."""
        return Values({a.name: a.options[i].value for a, i in zip(self.axes, indices, strict=True)})

    def labels(self, indices: Indices) -> dict[str, str]:
        """Return the labels of a combination by axis."""
        return {a.name: a.options[i].label for a, i in zip(self.axes, indices, strict=True)}

    def prompt(self, indices: Indices) -> Prompt:
        """Return what is run for a combination; not to be changed."""
        base, rest = self.split(indices)
        return base.prompt_of(rest)

    def workflow(self, indices: Indices) -> Workflow:
        """Return the workflow of a combination."""
        base, rest = self.split(indices)
        return base.workflow_of(rest)

    def key(self, indices: Indices) -> str:
        """Return the hash of what is run for a combination."""
        base, rest = self.split(indices)
        return base.key_of(rest)

    def check(self, cells: Sequence[Indices]) -> None:
        """Check cells against the server's definitions: all of them, of very many each value once.

        Raises
        ------
        WorkflowError
            The first problem, with the cell that has it where not all have.
        """
        chosen = cells if len(cells) <= _ALL_CHECKED else self._each_value_once(cells)
        for indices in chosen:
            for problem in self.workflow(indices).check():
                if problem.severity == "error":
                    raise WorkflowError(
                        self._located(indices, problem.message),
                        node_id=problem.node_id,
                        node_title=problem.node_title,
                        class_type=problem.class_type,
                        input_name=problem.input_name,
                    )

        # Which server has what depends on several values at once: of these all cells are asked about.
        if self.accepts is None:
            return
        for indices in cells:
            try:
                self.accepts(self.prompt(indices))
            except WorkflowError as error:
                error.args = (self._located(indices, str(error)), *error.args[1:])
                raise

    def _located(self, indices: Indices, message: str) -> str:
        where = ", ".join(f"{name} {label}" for name, label in self.labels(indices).items())
        return f"The cell with {where}: {message}" if where else message

    def _each_value_once(self, cells: Sequence[Indices]) -> list[Indices]:
        met: set[tuple[int, int]] = set()
        chosen = []
        for indices in cells:
            new = set(enumerate(indices)) - met
            if new:
                met |= new
                chosen.append(indices)
        return chosen

    def extended(self, name: str, values: Iterable[Any]) -> Space:
        """Return a space with more values on an axis; the indices of the others stay.

        Raises
        ------
        WorkflowError
            There is no such axis, or a value does not fit.
        """
        at = next((index for index, axis in enumerate(self.axes) if axis.name == name), None)
        if at is None or (name == WORKFLOWS and len(self.bases) > 1):
            names = ", ".join(axis.name for axis in self.axes if axis.name != WORKFLOWS) or "none"
            raise WorkflowError(f"The experiment has no axis {name!r} that could get more values; it has: {names}.")
        more = parse_axes({name: self._like(self.axes[at], values)})[0][0].options
        labels = {option.label for option in self.axes[at].options}
        options = (*self.axes[at].options, *(option for option in more if option.label not in labels))
        axes = [*self.axes]
        axes[at] = Axis(name, options)
        if len(self.bases) > 1:
            axes = axes[1:]
        bases = [bind(base.workflow, base.name, axes, {}, self.specs, base.dated) for base in self.bases]
        return Space.of(bases, axes, self.specs, self.accepts)

    @staticmethod
    def _like(axis: Axis, values: Any) -> Any:
        """Take plain texts for an axis that replaces: its needle is known."""
        if isinstance(values, (Together, Replace)):
            return values
        swaps = [s for option in axis.options for s in option.settings.items() if isinstance(s[1], Swap)]
        if len(axis.options) == len(swaps) and swaps:
            of, swap = swaps[0]
            return Replace(swap.needle, (values,) if isinstance(values, str) else tuple(values), of)
        return [values] if isinstance(values, (str, bytes, int, float)) else values


def _workflows(given: Any) -> dict[str, Workflow]:
    """One workflow or several, by name."""
    if isinstance(given, (list, tuple)):
        loaded = [Workflow.load(one) for one in given]
        names: dict[str, Workflow] = {}
        for number, document in enumerate(loaded, 1):
            name = _name(document)
            names[name if name not in names and name != "a dict" else f"{name} {number}"] = document
        if not names:
            raise WorkflowError("There is no workflow in the list.")
        return names
    if isinstance(given, Mapping) and given and all(_is_document(value) for value in given.values()):
        return {str(name): Workflow.load(value) for name, value in given.items()}
    document = Workflow.load(given)
    return {_name(document): document}


def _is_document(value: Any) -> bool:
    return isinstance(value, (Workflow, PathLike))


def _name(workflow: Workflow) -> str:
    name = workflow.source.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]
    return name.removesuffix(".json")


def shape_of(space: Space) -> str:
    """Return a hash of how the nodes of the workflows are connected, whatever their values are."""
    shapes = [
        sorted(
            [node["class_type"], sorted(name for name, value in node["inputs"].items() if is_link(value))]
            for node in base.prompt.values()
        )
        for base in space.bases
    ]
    return hashlib.sha256(json.dumps(sorted(shapes)).encode()).hexdigest()[:16]


def new_combinations(
    old: Sequence[int], new: Sequence[int], rests: set[tuple[int, ...]], grown: set[int]
) -> list[Indices]:
    """List the combinations that have at least one new index, with the other axes as they were combined before."""
    at = sorted(grown)
    made = []
    for rest in sorted(rests):
        for chosen in product(*(range(new[axis]) for axis in at)):
            if all(index < old[axis] for axis, index in zip(at, chosen, strict=True)):
                continue
            values, others = dict(zip(at, chosen, strict=True)), iter(rest)
            made.append(tuple(values[axis] if axis in values else next(others) for axis in range(len(new))))
    return made
