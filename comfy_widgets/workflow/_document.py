"""The Workflow document: a value that knows how to become what a server runs."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from ..protocol import WorkflowError
from ..protocol.requests import refuse_unsendable
from . import _choice as choice
from ._compare import differences
from ._editor import Editor
from ._param import Params
from ._params import make_params
from ._prompt import ObjectInfo, Place, Prompt, wrap
from ._reshape import Reshape
from ._source import Fetch, load_forms
from ._specs import NodeSpecs
from ._uploads import is_picture, picture_upload

if TYPE_CHECKING:
    from ._check import Problem

_NEEDS_DEFINITIONS = (
    "This workflow is in the editor's format, which says what is what only together with the server's node "
    "definitions: pass them, or bind them once with workflow = workflow.bind(client.object_info())."
)


@dataclass(frozen=True, eq=False, repr=False)
class Workflow(Reshape):
    """A ComfyUI workflow, in whichever form it came.

    It is a value: every method that changes something returns a new workflow and leaves this one alone. Make one with
    `Workflow.load`.

    A file may hold both forms. `prompt` is then exactly what ran, and `ui` what its author wants you to open;
    parameters and runs come from the second, and `reproduce` gives the first.
    """

    _prompt: Prompt | None = None
    _editor: Editor | None = None
    _specs: NodeSpecs | None = None
    # Values that were set, over whichever form is run.
    _edits: Mapping[Place, Any] = field(default_factory=dict)
    # The same by name, for as long as no definitions are known that tell what the names mean.
    _pending: Mapping[str, Any] = field(default_factory=dict)
    _pictures: Mapping[str, bytes] = field(default_factory=dict)
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
            editor = Editor(copy.deepcopy(forms.ui)) if forms.ui is not None else None
        except RecursionError:
            raise WorkflowError("The source is nested too deeply to be a workflow.") from None
        loaded = cls(_prompt=forms.prompt, _editor=editor, source=what)
        return loaded if object_info is None else loaded.bind(object_info)

    def bind(self, object_info: ObjectInfo) -> Workflow:
        """Return the workflow together with a server's node definitions.

        Every method then uses them where it is given none. They are no part of the value: they change neither equality
        nor what is saved.
        """
        bound = replace(self, _specs=NodeSpecs.of(object_info), _pending={})
        return bound.with_params(self._pending)

    # -- the two forms ---------------------------------------------------------------------------------------------

    @property
    def prompt(self) -> Prompt | None:
        """The API form, if the workflow came with one. A copy.

        Beside an editor's form it is what ran, untouched by `with_params`; alone it has the values that were set.
        """
        if self._prompt is None:
            return None
        return copy.deepcopy(self._prompt) if self._editor is not None else self._edited(self._prompt, self._specs)

    @property
    def ui(self) -> dict[str, Any] | None:
        """The editor's form, if the workflow came with one. A copy, untouched by `with_params`; see `to_ui`."""
        return copy.deepcopy(self._editor.ui) if self._editor is not None else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say about the forms: how they differ, and what the conversion had to decide."""
        if self._editor is None:
            return ()
        if self._specs is None:
            both = "The file holds both what its author opens, which is used, and what ran; they may differ."
            return (both,) if self._prompt is not None else ()
        converted, told = self._editor.convert(self._specs)
        if self._prompt is None:
            return told
        changes = differences(self._prompt, converted, self._specs.object_info)
        return (*told, *(f"What ran differs from what its author opens: {change}" for change in changes))

    def to_prompt(self, object_info: ObjectInfo | None = None) -> Prompt:
        """Return what a server would run: a fresh prompt in API format with the values that were set.

        Raises
        ------
        WorkflowError
            If the workflow is in the editor's format and no definitions are known, if it cannot be converted, or if a
            number in it is NaN.
        """
        prompt = self._current(object_info)
        refuse_unsendable(prompt)
        return prompt

    def to_ui(self, object_info: ObjectInfo | None = None) -> dict[str, Any] | None:
        """Return the editor's form with the values that were set, or None if the workflow has none.

        Sent along as ``extra_pnginfo = {"workflow": ...}`` it makes results open in ComfyUI as they were made.

        Raises
        ------
        WorkflowError
            If a value was set that has no place in that form.
        """
        if self._editor is None or not (self._edits or self._pending):
            return self.ui
        specs = self._known(object_info)
        if specs is None:
            raise WorkflowError(_NEEDS_DEFINITIONS)
        return self._editor.with_values(self._all_edits(self._base(specs), specs), specs)

    def _picture(self) -> tuple[dict[str, Any] | None, Prompt | None]:
        if self._editor is None:
            return None, self._current()
        try:
            return self.to_ui(), None
        except WorkflowError:
            # A value without a place in the editor's form is not shown, but the graph is the same.
            return self._editor.ui, None

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

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        form: Literal["api", "ui"] | None = None,
        object_info: ObjectInfo | None = None,
    ) -> Path:
        """Write the workflow as JSON.

        Parameters
        ----------
        path : path
        form : {"api", "ui"}, optional
            API format or the editor's; by default the one that is run.
        object_info : Mapping, optional
            A server's node definitions, where a form must be converted.
        """
        as_ui = self._editor is not None if form is None else form == "ui"
        document = self.to_ui(object_info) if as_ui else self._current(object_info)
        if document is None:
            raise WorkflowError(
                "The workflow has no editor's form that could be saved. The editor opens API format too."
            )
        target = Path(path)
        target.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return target

    def _known(self, object_info: ObjectInfo | None) -> NodeSpecs | None:
        return self._specs if object_info is None else NodeSpecs.of(object_info)

    def _base(self, specs: NodeSpecs | None) -> Prompt:
        """The prompt before edits. Not to be changed."""
        if self._editor is not None and specs is not None:
            return self._editor.convert(specs)[0]
        if self._prompt is None:
            raise WorkflowError(_NEEDS_DEFINITIONS)
        return self._prompt

    def _current(self, object_info: ObjectInfo | None = None) -> Prompt:
        specs = self._known(object_info)
        return self._edited(self._base(specs), specs)

    def _all_edits(self, base: Prompt, specs: NodeSpecs | None) -> dict[Place, Any]:
        if not self._pending:
            return dict(self._edits)
        resolved = replace(self, _specs=specs, _pending={}).with_params(self._pending)
        return dict(resolved._edits)

    def _edited(self, base: Prompt, specs: NodeSpecs | None) -> Prompt:
        prompt = copy.deepcopy(base)
        for (node_id, input_name), value in self._all_edits(base, specs).items():
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
        specs = self._known(object_info)
        prompt = self._edited(self._base(specs), specs)
        return choice.apply_choice(make_params(prompt, specs), self._choice())

    def _choice(self) -> tuple[choice.Shown, ...]:
        if self._editor is not None:
            return choice.from_ui(self._editor.ui)
        return choice.from_prompt(self._prompt or {})

    def expose(self, wanted: choice.Choose, /, object_info: ObjectInfo | None = None) -> Workflow:
        """Return the workflow with a choice of what others see of it; it is saved with the workflow.

        Parameters
        ----------
        wanted : iterable of str, or Mapping
            Names to show, in this order: ``["positive", "seed"]``; a node's title stands for all that it has. A mapping
            also renames, ``{"quality": "steps"}``, sets bounds, label, group or choices, ``{"steps": {"max": 50}}``,
            and hides, ``{"cfg": False}``. An empty list takes the choice back.

        Raises
        ------
        WorkflowError
            If there is no such parameter.
        """
        specs = self._known(object_info)
        made = make_params(self._edited(self._base(specs), specs), specs)
        shown = choice.choose(choice.apply_choice(made, self._choice()), wanted)
        editor = Editor(choice.into_ui(self._editor.ui, shown)) if self._editor is not None else None
        prompt = choice.into_prompt(self._prompt, shown) if self._prompt is not None else None
        return replace(self, _editor=editor, _prompt=prompt)

    def with_params(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> Workflow:
        """Return a workflow with other values.

        Parameters
        ----------
        values : Mapping, optional
            Values by name, for names that are no Python identifiers: ``{"KSampler 2.steps": 30}``.
        **named
            Values by name: ``seed=7``. A picture may be given for an image: a PIL image, a path or bytes.

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
        pictures = dict(self._pictures)
        for name, value in wanted.items():
            if is_picture(value):
                wanted[name], data = picture_upload(value)
                pictures[wanted[name]] = data
        if self._prompt is None and self._specs is None:
            return replace(self, _pending={**self._pending, **wanted}, _pictures=pictures)
        params = self.params()
        edits = dict(self._edits)
        for name, value in wanted.items():
            param = params.find(name)
            if isinstance(value, str) and value in pictures and param.kind != "image":
                raise param.error(f"takes no picture, but a {param.kind}.")
            edits[param.place] = param.check(value)
        return replace(self, _edits=edits, _pictures=pictures)

    def set_image(self, name: str, picture: Any, /) -> Workflow:
        """Return a workflow that brings a picture of yours along; it is uploaded when the workflow is sent.

        Parameters
        ----------
        name : str
            A parameter (``"image"``) or a node's title (``"Load Image"``).
        picture : PIL image, path or bytes
        """
        params = self.params()
        of_node = [p for p in params.values() if p.kind == "image" and name in (p.node_title, p.node_id, p.class_type)]
        param = of_node[0] if len(of_node) == 1 and name not in params else params.find(name)
        return self.with_params({param.name: Path(picture) if isinstance(picture, str) else picture})

    @property
    def uploads(self) -> Mapping[str, bytes]:
        """The pictures to upload before the workflow runs: file names as they stand in the prompt, and their bytes."""
        values = [*self._edits.values(), *self._pending.values()]
        values += [value for node in (self._prompt or {}).values() for value in node["inputs"].values()]
        return MappingProxyType({name: data for name, data in self._pictures.items() if name in values})

    def check(self, object_info: ObjectInfo | None = None) -> list[Problem]:
        """Compare the workflow with a server's definitions before anything is sent.

        Returns
        -------
        list of Problem
            Everything that is wrong, errors first; empty if the server will take it.
        """
        from ._check import check_prompt

        specs = self._known(object_info)
        if specs is None:
            raise WorkflowError("The check needs the server's definitions: workflow.check(client.object_info()).")
        return check_prompt(self._current(object_info), specs, self.uploads)

    def _rebuilt(self, prompt: Prompt) -> Workflow:
        # A choice of the author's goes along.
        if self._editor is not None:
            prompt = choice.into_prompt(prompt, self._choice())
        return Workflow(_prompt=prompt, _specs=self._specs, _pictures=self._pictures, source=self.source)

    # -- the value -------------------------------------------------------------------------------------------------

    @property
    def _definitions(self) -> NodeSpecs | None:
        return self._specs

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Workflow):
            return NotImplemented
        return self._content() == other._content()

    def _content(self) -> tuple[Any, ...]:
        if self._editor is None:
            return (self.prompt, dict(self._pending))
        return (self._prompt, self._editor.ui, dict(self._edits), dict(self._pending))

    def __repr__(self) -> str:
        form = "the editor's format" if self._editor is not None else "API format"
        count = len(self._editor.ui["nodes"]) if self._editor is not None else len(self._prompt or {})
        source = self.source[:1].lower() + self.source[1:] if self.source.startswith("The ") else self.source
        return f"<Workflow of {count} nodes in {form}, from {source}>"
