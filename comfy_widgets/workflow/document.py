"""The Workflow document: a value that knows how to become what a server runs."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..protocol.errors import WorkflowError
from .param import Params, did_you_mean
from .params import make_params
from .prompt import ObjectInfo, Place, Prompt, flow_order, normalise, refuse_nan, unique_titles, unwrap, wrap
from .source import Fetch, load_forms
from .specs import NodeSpecs

if TYPE_CHECKING:
    from .check import Problem

_NEEDS_DEFINITIONS = (
    "This workflow is in the editor's format, which says what is what only together with the server's node "
    "definitions: pass them, as in workflow.{call}, or bind them once, as in "
    "workflow = workflow.bind(client.object_info())."
)


@dataclass(frozen=True)
class Node:
    """One node of a workflow, to look at.

    Attributes
    ----------
    inputs : Mapping
        Values by name; a link is ``[node id, slot]``.
    """

    id: str
    title: str
    class_type: str
    inputs: Mapping[str, Any]


class _Editor:
    """The editor's form of a workflow, with the last prompt it was converted to.

    All values that were derived from one loaded document share it, so that a form which asks for parameters at every
    key press converts once.
    """

    def __init__(self, ui: dict[str, Any]) -> None:
        self.ui = ui
        self._last: tuple[ObjectInfo, Prompt] | None = None

    def prompt(self, object_info: ObjectInfo) -> Prompt:
        if self._last is None or self._last[0] is not object_info:
            from .convert import to_api_prompt

            self._last = (object_info, normalise(to_api_prompt(self.ui, object_info)))
        return self._last[1]


@dataclass(frozen=True, eq=False, repr=False)
class Workflow:
    """A ComfyUI workflow, in whichever form it came.

    It is a value: every method that changes something returns a new workflow and leaves this one alone. Make one with
    `Workflow.load`.

    A file may hold both forms. `prompt` is then exactly what ran, and `ui` what its author wants you to open;
    parameters and runs come from the second, and `reproduce` gives the first.
    """

    _prompt: Prompt | None = None
    _editor: _Editor | None = None
    _specs: NodeSpecs | None = None
    # Values that were set, over whichever form is run.
    _edits: Mapping[Place, Any] = field(default_factory=dict)
    # The same by name, for as long as no definitions are known that tell what the names mean.
    _pending: Mapping[str, Any] = field(default_factory=dict)
    source: str = "a dict"

    # -- coming in -------------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, source: Any, *, object_info: ObjectInfo | None = None, fetch: Fetch | None = None) -> Workflow:
        """Load a workflow from whatever holds one.

        Parameters
        ----------
        source : str, Path, dict, bytes, file or PIL image
            A path, an http(s) URL, JSON text, the content of a file, an open file, a picture, or parsed JSON: API
            format, the editor's format, or a history entry. What is inside is detected, not guessed from a name.
        object_info : Mapping, optional
            A server's node definitions, to `bind` at once.
        fetch : callable, optional
            Gets the bytes behind a URL, instead of a plain bounded download.

        Raises
        ------
        WorkflowError
            If there is no workflow in it, in words.
        """
        if isinstance(source, cls):
            return source if object_info is None else source.bind(object_info)
        try:
            forms, what = load_forms(source, fetch)
        except RecursionError:
            raise WorkflowError("The source is nested too deeply to be a workflow.") from None
        editor = _Editor(copy.deepcopy(forms.ui)) if forms.ui is not None else None
        loaded = cls(_prompt=forms.prompt, _editor=editor, source=what)
        return loaded if object_info is None else loaded.bind(object_info)

    def bind(self, object_info: ObjectInfo) -> Workflow:
        """Return the workflow together with a server's node definitions.

        Every method then uses them where it is given none. They are no part of the value: they change neither equality
        nor what is saved.
        """
        specs = NodeSpecs.of(object_info)
        bound = replace(self, _specs=specs, _pending={})
        return bound.with_params(self._pending) if self._pending else bound

    # -- the two forms ---------------------------------------------------------------------------------------------

    @property
    def prompt(self) -> Prompt | None:
        """The API form, if the workflow came with one. A copy.

        Beside an editor's form it is what ran, untouched by `with_params`; alone it has the values that were set.
        """
        if self._prompt is None:
            return None
        return copy.deepcopy(self._prompt) if self._editor is not None else self._edited(self._prompt)

    @property
    def ui(self) -> dict[str, Any] | None:
        """The editor's form, if the workflow came with one. A copy."""
        return copy.deepcopy(self._editor.ui) if self._editor is not None else None

    def to_prompt(self, object_info: ObjectInfo | None = None) -> Prompt:
        """Return what a server would run: a fresh prompt in API format with the values that were set.

        Raises
        ------
        WorkflowError
            If the workflow is in the editor's format and no definitions are known, if it cannot be converted, or if a
            number in it is NaN.
        """
        prompt = self._edited(self._base(object_info, "to_prompt(client.object_info())"), object_info)
        refuse_nan(prompt)
        return prompt

    def reproduce(self) -> Workflow:
        """Return the workflow that exactly ran when the file was made.

        Raises
        ------
        WorkflowError
            If the file did not say.
        """
        if self._prompt is None:
            raise WorkflowError(f"{self.source} holds only the editor's form, not the prompt that ran.")
        return Workflow(_prompt=self._prompt, _specs=self._specs, source=self.source)

    def _base(self, object_info: ObjectInfo | None, call: str) -> Prompt:
        specs = self._known(object_info)
        if self._editor is not None and specs is not None:
            return self._editor.prompt(specs.object_info)
        if self._prompt is None:
            raise WorkflowError(_NEEDS_DEFINITIONS.format(call=call))
        return self._prompt

    def _known(self, object_info: ObjectInfo | None) -> NodeSpecs | None:
        return self._specs if object_info is None else NodeSpecs.of(object_info)

    def _edited(self, base: Prompt, object_info: ObjectInfo | None = None) -> Prompt:
        edits = dict(self._edits)
        if self._pending:
            edits.update(self._resolve(make_params(base, self._known(object_info)), self._pending))
        prompt = copy.deepcopy(base)
        for (node_id, input_name), value in edits.items():
            if node_id not in prompt:
                raise WorkflowError(
                    f"{input_name} was set on node {node_id!r}, which this form of the workflow does not have.",
                    node_id=node_id,
                    input_name=input_name,
                )
            prompt[node_id]["inputs"][input_name] = wrap(copy.deepcopy(value))
        return prompt

    # -- parameters ------------------------------------------------------------------------------------------------

    def params(self, object_info: ObjectInfo | None = None) -> Params:
        """Return what can be set, by name, the most wanted first.

        Parameters
        ----------
        object_info : Mapping, optional
            A server's node definitions: bounds, choices and help come from there. Without them, kinds are guessed.
        """
        prompt = self._edited(self._base(object_info, "params(client.object_info())"), object_info)
        return make_params(prompt, self._known(object_info))

    def with_params(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> Workflow:
        """Return a workflow with other values.

        Parameters
        ----------
        values : Mapping, optional
            Values by name, for names that are no Python identifiers: ``{"KSampler 2.steps": 30}``.
        **named
            Values by name: ``seed=7``.

        Raises
        ------
        UnknownParam
            If there is no such parameter, with the nearest names.
        WorkflowError
            If a value does not fit. While no definitions are known, names and values of a workflow in the editor's
            format are checked as soon as they are.
        """
        wanted = {**(values or {}), **named}
        if not wanted:
            return self
        if self._prompt is None and self._specs is None:
            return replace(self, _pending={**self._pending, **wanted})
        return replace(self, _edits={**self._edits, **self._resolve(self.params(), wanted)})

    @staticmethod
    def _resolve(params: Params, values: Mapping[str, Any]) -> dict[Place, Any]:
        edits: dict[Place, Any] = {}
        for name, value in values.items():
            param = params.find(name)
            edits[param.place] = param.check(value)
        return edits

    def check(self, object_info: ObjectInfo | None = None) -> list[Problem]:
        """Compare the workflow with a server's definitions before anything is sent.

        Returns
        -------
        list of Problem
            Everything that is wrong, errors first; empty if the server will take it.
        """
        from .check import check_prompt

        specs = self._known(object_info)
        if specs is None:
            raise WorkflowError("The check needs the server's definitions: workflow.check(client.object_info()).")
        base = self._base(object_info, "check(client.object_info())")
        return check_prompt(self._edited(base, object_info), specs)

    # -- looking ---------------------------------------------------------------------------------------------------

    def __getitem__(self, id_or_title: str | int) -> Node:
        """Return a node by its id or title.

        Of several nodes with one title, the first is ``"KSampler"``, the next ``"KSampler 2"``.
        """
        wanted = str(id_or_title)
        nodes = {node.id: node for node in self}
        if wanted in nodes:
            return nodes[wanted]
        for node in nodes.values():
            if wanted == node.title:
                return node
        alike = [node for node in nodes.values() if wanted == node.class_type]
        if len(alike) == 1:
            return alike[0]
        titles = [node.title for node in nodes.values()]
        raise WorkflowError(f"The workflow has no node {wanted!r}.{did_you_mean(wanted, titles)}")

    def __iter__(self) -> Iterator[Node]:
        """Iterate over the nodes, in the order in which the work flows."""
        prompt = self._edited(self._base(None, "bind(client.object_info())"))
        titles = unique_titles(prompt, self._specs.object_info if self._specs is not None else None)
        for node_id in flow_order(prompt):
            node = prompt[node_id]
            inputs = {name: unwrap(value) for name, value in node["inputs"].items()}
            yield Node(node_id, titles[node_id], node["class_type"], MappingProxyType(inputs))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Workflow):
            return NotImplemented
        return self._content() == other._content()

    def _content(self) -> tuple[Any, ...]:
        if self._editor is None:
            return (self.prompt, None, {}, dict(self._pending))
        return (self._prompt, self._editor.ui, dict(self._edits), dict(self._pending))
