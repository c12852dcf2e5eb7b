"""Building a workflow in Python, one call a node.

    g = Graph(client.object_info())
    model, clip, vae = g.CheckpointLoaderSimple(ckpt_name="v1-5.safetensors")
    positive = g.CLIPTextEncode(text="a lighthouse", clip=clip)
    ...
    g.SaveImage(images=images, filename_prefix="lighthouse")
    workflow = g.workflow()

Outputs connect by being passed. Names, types and values are checked at the call, where the mistake is.
"""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._writing import replace_file
from ..protocol import WorkflowError
from ._convert.resolve import compatible
from ._param import Param, did_you_mean
from ._params import facts_of
from ._prompt import ObjectInfo, Prompt, wrap
from ._specs import Autogrow, DynamicCombo, InputSpec, NodeSpec, NodeSpecs, is_widget_type

if TYPE_CHECKING:
    import os

    from ._document import Workflow

# A node that is being made has no value that could be left as it is.
_NONE_YET = object()


@dataclass(frozen=True)
class Output:
    """One output of a node in a graph: pass it to another node to connect them."""

    graph: Graph
    node_id: str
    slot: int
    name: str
    type: str

    def __iter__(self) -> Iterator[Any]:
        raise WorkflowError(f"{self!r} is a single output: write image = ..., not image, = ... or a, b = ...")

    def __repr__(self) -> str:
        return f"<{self.type} {self.name!r} of {self.graph.title(self.node_id)}>"


class Outputs(tuple[Output, ...]):
    """What a node with several outputs gives, or with none: unpack it, or take an output by its name."""

    node_id: str

    def __getattr__(self, name: str) -> Output:
        for output in self:
            if output.name.lower() == name.lower():
                return output
        names = [output.name.lower() for output in self]
        raise AttributeError(f"There is no output {name!r}.{did_you_mean(name, names)} It has: {', '.join(names)}.")

    def __dir__(self) -> list[str]:
        return [output.name.lower() for output in self if output.name.isidentifier()]


class Graph:
    """A workflow under construction.

    Each node class of the server is a method, completed by Tab: ``g.KSampler(model=..., seed=7)``. Classes whose names
    are no Python names are reached as ``g["Image Blend"](...)``. Inputs that are left out get their defaults.

    Parameters
    ----------
    object_info : Mapping
        A server's node definitions.

    Examples
    --------
    >>> g = Graph(client.object_info())
    >>> latent = g.EmptyLatentImage(width=64, height=64)
    >>> latent
    <LATENT 'LATENT' of Empty Latent Image>
    """

    def __init__(self, object_info: ObjectInfo) -> None:
        self._specs = NodeSpecs.of(object_info)
        self._prompt: Prompt = {}

    def __getitem__(self, class_type: str) -> NodeMaker:
        if class_type not in self._specs:
            raise WorkflowError(f"The server has no node class {class_type!r}.{did_you_mean(class_type, self._specs)}")
        return NodeMaker(self, self._specs[class_type])

    def __getattr__(self, class_type: str) -> NodeMaker:
        if class_type.startswith("_"):
            raise AttributeError(class_type)
        try:
            return self[class_type]
        except WorkflowError as error:
            raise AttributeError(str(error)) from None

    def __dir__(self) -> Iterable[str]:
        return [*object.__dir__(self), *(name for name in self._specs if name.isidentifier())]

    def title(self, node_id: str) -> str:
        """Return the title of a node that was made.

        Parameters
        ----------
        node_id : str
            As in `Output.node_id`.

        Returns
        -------
        str

        Examples
        --------
        >>> g = Graph(client.object_info())
        >>> g.title(g.EmptyLatentImage(_title="Small").node_id)
        'Small'
        """
        return str(self._prompt[node_id]["_meta"]["title"])

    def workflow(self) -> Workflow:
        """Return what was built so far. Building may go on; the workflow does not change with it.

        Returns
        -------
        Workflow
            Bound to the definitions of the graph.

        Raises
        ------
        WorkflowError
            If there are no nodes yet.

        Examples
        --------
        >>> g = Graph(client.object_info())
        >>> latent = g.EmptyLatentImage()
        >>> g.workflow()
        <Workflow of 1 node in API format, from a dict>
        """
        from ._document import Workflow

        if not self._prompt:
            raise WorkflowError("The graph has no nodes yet.")
        return Workflow.load(self._prompt).bind(self._specs)

    def write_stubs(self, path: str | os.PathLike[str]) -> None:
        """Write a ``.pyi`` file from which an editor completes the nodes of this server.

        Each socket type becomes a class, so that a MODEL where a CLIP belongs is marked while it is written.

        Parameters
        ----------
        path : str or path
            A file that is there is replaced.

        Raises
        ------
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> Graph(client.object_info()).write_stubs(f"{tempfile.mkdtemp()}/nodes.pyi")
        """
        from pathlib import Path

        from ._stubs import stubs

        replace_file(Path(path), stubs(self._specs).encode("utf-8", "replace"))

    def _add(self, spec: NodeSpec, title: str, inputs: dict[str, Any]) -> str:
        node_id = str(len(self._prompt) + 1)
        self._prompt[node_id] = {"class_type": spec.class_type, "inputs": inputs, "_meta": {"title": title}}
        return node_id

    def __repr__(self) -> str:
        return f"<Graph of {len(self._prompt)} nodes; the server has {len(self._specs)} classes>"


class NodeMaker:
    """A node class of a server: call it to add a node to the graph."""

    def __init__(self, graph: Graph, spec: NodeSpec) -> None:
        self._graph = graph
        self._spec = spec
        self.__name__: str = spec.class_type
        self.__doc__ = _doc(spec)
        self.__signature__: inspect.Signature = _signature(spec)

    def __call__(self, *, _title: str | None = None, **inputs: Any) -> Output | Outputs:
        """Add a node, titled `_title`, and return its output, or its outputs if it has several or none."""
        spec = self._spec
        title = _title or spec.display_name
        checked = _Inputs(self._graph, spec, title).check(inputs)
        node_id = self._graph._add(spec, title, checked)
        outputs = Outputs(
            Output(self._graph, node_id, slot, output.name, output.type) for slot, output in enumerate(spec.outputs)
        )
        outputs.node_id = node_id
        return outputs[0] if len(outputs) == 1 else outputs

    def __repr__(self) -> str:
        return f"{self.__name__}{self.__signature__}"


class _Inputs:
    """Checks the inputs of one call and fills in what was left out."""

    def __init__(self, graph: Graph, spec: NodeSpec, title: str) -> None:
        self.graph = graph
        self.spec = spec
        self.title = title

    def check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        given = self._spread(given)
        for name in given:
            if self.spec.input(name) is None:
                known = [known.name for known in self.spec.inputs]
                hint = did_you_mean(name, known) or f" It has: {', '.join(known)}."
                raise self._error(f"there is no input {name!r}.{hint}", name)
        checked: dict[str, Any] = {}
        for spec in self.spec.inputs:
            self._fill(spec, spec.name, given, checked)
        for name in [name for name in given if name not in checked]:
            spread = self.spec.input(name)
            if spread is not None:
                checked[name] = self._value(spread, name, given[name])
        return checked

    def _spread(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Let a list of outputs stand for the rows of an input that grows."""
        spread: dict[str, Any] = {}
        for name, value in given.items():
            spec = self.spec.input(name)
            if spec is not None and isinstance(spec.dynamic, Autogrow) and isinstance(value, (list, tuple)):
                if len(value) > spec.dynamic.limit:
                    raise self._error(f"{name} takes at most {spec.dynamic.limit} connections, not {len(value)}.", name)
                for index, item in enumerate(value):
                    spread[spec.dynamic.row(name, index)[0][0]] = item
            else:
                spread[name] = value
        return spread

    def _fill(self, spec: InputSpec, name: str, given: Mapping[str, Any], checked: dict[str, Any]) -> None:
        if name in given:
            checked[name] = self._value(spec, name, given[name])
        elif spec.is_widget and spec.required:
            checked[name] = wrap(self._default(spec, name))
        elif spec.required and not isinstance(spec.dynamic, Autogrow):
            raise self._error(
                f"{name} is missing; connect {'any output' if spec.type == '*' else 'an output of type ' + spec.type}.",
                name,
            )
        if isinstance(spec.dynamic, DynamicCombo) and name in checked:
            chosen = spec.dynamic.variant(checked[name])
            for inner in chosen.inputs if chosen is not None else ():
                self._fill(inner, f"{name}.{inner.name}", given, checked)

    def _default(self, spec: InputSpec, name: str) -> Any:
        if spec.choices == () and spec.kind in ("choice", "image"):
            raise self._error(f"{name} is missing, and the server has nothing to choose from there.", name)
        return spec.initial

    def _value(self, spec: InputSpec, name: str, value: Any) -> Any:
        if isinstance(value, Output):
            if value.graph is not self.graph:
                raise self._error(f"{name} is connected to a node of another graph.", name)
            allowed = str(getattr(spec.dynamic, "allowed_types", spec.type))
            if not compatible(value.type, allowed):
                raise self._error(f"{name} wants {allowed}, but {value!r} is {value.type}.", name)
            return [value.node_id, value.slot]
        if isinstance(value, Outputs):
            fitting = [output.name.lower() for output in value if compatible(output.type, spec.type)]
            which = f" Take one of: {', '.join(fitting)}." if fitting else ""
            raise self._error(f"{name} was given all {len(value)} outputs of a node at once.{which}", name)
        if not spec.is_widget and not is_widget_type(spec.type) and spec.type != "*":
            raise self._error(
                f"{name} is a connection and wants an output of type {spec.type}, not {value!r:.40}.", name
            )
        param = Param(name, name, "", self.title, self.spec.class_type, name, value=_NONE_YET, **facts_of(spec))
        return wrap(param.check(value) if spec.is_widget else value)

    def _error(self, what: str, input_name: str) -> WorkflowError:
        return WorkflowError(
            f"{self.title}: {what}",
            node_title=self.title,
            class_type=self.spec.class_type,
            input_name=input_name,
        )


def _signature(spec: NodeSpec) -> inspect.Signature:
    parameters = [
        inspect.Parameter(known.name, inspect.Parameter.KEYWORD_ONLY, default=_shown_default(known))
        for known in spec.inputs
        if known.name.isidentifier() and not keyword.iskeyword(known.name)
    ]
    return inspect.Signature(parameters)


def _shown_default(spec: InputSpec) -> Any:
    if not spec.required:
        return None
    return spec.initial if spec.is_widget and spec.choices != () else inspect.Parameter.empty


def _doc(spec: NodeSpec) -> str:
    lines = [spec.description or spec.display_name, "", "Parameters", "----------"]
    for known in spec.inputs:
        lines.append(f"{known.name} : {known.type}{'' if known.required else ', optional'}")
        if known.tooltip:
            lines.append(f"    {known.tooltip}")
    if spec.outputs:
        lines += ["", "Returns", "-------", ", ".join(f"{output.name} : {output.type}" for output in spec.outputs)]
    return "\n".join(lines)
