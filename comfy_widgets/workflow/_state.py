"""What a workflow is: its two forms, the definitions they are read with, and the values that were set.

`State` is an immutable value without a public face of its own; `Workflow` is the handle that people hold.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from ..protocol import WorkflowError
from ._app import app_outputs, has_app, read_app, write_app
from ._changes import Change, draw_all
from ._choice import Choose, Shown, apply_choice, choose, from_prompt, from_ui, into_prompt, into_ui
from ._compare import differences
from ._dynamic import set_inputs
from ._editing import free_id
from ._editor import Editor
from ._missing import ModelFile, models_of
from ._param import RANDOM, Param, Params
from ._params import make_params
from ._prompt import ObjectInfo, Place, Prompt, copied, is_link, unwrap
from ._specs import NodeSpecs
from ._ui_scope import NotDrawn, next_node_id
from ._uploads import image_upload, is_image

if TYPE_CHECKING:
    from ._convert import Note, RunTexts

_NEEDS_DEFINITIONS = (
    "This workflow is in the editor's format, which says what is what only together with the server's node "
    "definitions: pass them, or bind them once with workflow = workflow.bind(client.object_info())."
)


@dataclass(frozen=True)
class Draw:
    """What is settled for one run: where its random values come from, and its time."""

    seed: int
    now: datetime

    @classmethod
    def make(cls, rng: random.Random) -> Draw:
        """Make one for a run that is about to be sent."""
        return cls(rng.getrandbits(64), datetime.now())

    def number(self, param: Param) -> int:
        """Return the value of a random seed: one that the editor, which calculates in JavaScript, can show exactly."""
        low, high = max(0, int(param.min or 0)), 2**53 - 1
        if param.max is not None:
            high = max(low, min(high, int(param.max)))
        return random.Random(f"{self.seed}:{param.node_id}:{param.input_name}").randint(low, high)


@dataclass(frozen=True)
class State:
    """A workflow without its public methods.

    Attributes
    ----------
    prompt : dict or None
        The API form that the file holds. Not to be changed.
    editor : Editor or None
        The editor's form that the file holds; where there is one, it is what runs.
    specs : NodeSpecs or None
        A server's definitions, once they are known.
    edits : Mapping
        Values that were set, by place, over whichever form runs.
    pending : Mapping
        Values that were set, by name, for as long as no definitions tell what the names mean.
    images : Mapping
        Contents of images that were given as values, by the names that stand in the prompt.
    draw : Draw or None
        What is settled for one run, once it is.
    told : tuple of str
        What there was to say about the source: entries that were left out, the wrapper it was in.
    """

    prompt: Prompt | None = None
    editor: Editor | None = None
    specs: NodeSpecs | None = None
    edits: Mapping[Place, Any] = field(default_factory=dict)
    pending: Mapping[str, Any] = field(default_factory=dict)
    images: Mapping[str, bytes] = field(default_factory=dict)
    draw: Draw | None = None
    told: tuple[str, ...] = ()

    def using(self, object_info: ObjectInfo | None) -> State:
        """Return the state with these definitions, or as it is if none are given."""
        if object_info is None:
            return self
        bound = replace(self, specs=NodeSpecs.of(object_info), pending={})
        return bound.with_values(self.pending)

    def known(self) -> NodeSpecs:
        """Return the definitions.

        Raises
        ------
        WorkflowError
            If there are none.
        """
        if self.specs is None:
            raise WorkflowError(_NEEDS_DEFINITIONS)
        return self.specs

    # -- the prompt ------------------------------------------------------------------------------------------------

    def base(self) -> Prompt:
        """Return the prompt before any value was set. Not to be changed."""
        if self.editor is not None and self.specs is not None:
            return self.editor.convert(self.specs).prompt
        if self.prompt is None:
            raise WorkflowError(_NEEDS_DEFINITIONS)
        return self.prompt

    def current(self) -> Prompt:
        """Return a fresh prompt with the values that were set, and with texts as their author wrote them."""
        prompt, edits = copied(self.base()), self._all_edits()
        for node_id, input_name in edits:
            if node_id not in prompt:
                raise WorkflowError(
                    f"{input_name} was set on node {node_id!r}, which this form of the workflow does not have.",
                    node_id=node_id,
                    input_name=input_name,
                )
        set_inputs(prompt, edits, self.specs)
        return prompt

    # -- another graph ---------------------------------------------------------------------------------------------

    def free_id(self, links: Iterable[Any] = ()) -> str:
        """Return an id for a new node: in the innermost subgraph that holds all it is linked to."""
        if self.editor is None or self.specs is None:
            return free_id(self.base())
        paths = [link[0].split(":")[:-1] for link in links if is_link(link)]
        common = takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))
        return ":".join([*(parts[0] for parts in common), str(next_node_id(self.editor.ui))])

    def changed(self, changes: list[Change]) -> State:
        """Return a workflow with another graph: drawn where the editor's form can hold it, else in API format."""
        if self.editor is not None and self.specs is not None:
            try:
                return self._drawn_anew(self.editor, self.specs, changes)
            except NotDrawn as error:
                note = f"The editor's form could not hold a change ({error}): it is an API workflow from there on."
                return replace(self._without_editor(changes), told=(*self.told, note))
        return self._without_editor(changes)

    def _drawn_anew(self, editor: Editor, specs: NodeSpecs, changes: list[Change]) -> State:
        ui = copied(editor.ui)
        draw_all(ui, changes, editor.widgets(specs).raw_id, specs)
        fresh = Editor(ui)
        prompt = fresh.convert(specs).prompt
        if not all(change.holds(prompt) for change in changes):
            raise NotDrawn("it would be sent otherwise than it is drawn")
        edits = {place: value for place, value in self._all_edits().items() if place[0] in prompt}
        return replace(self, prompt=None, editor=fresh, edits=edits, pending={})

    def _without_editor(self, changes: list[Change]) -> State:
        prompt = self.current()
        if self.editor is not None:
            prompt = into_prompt(prompt, self._choice(self._make_params(prompt)))
        for change in changes:
            prompt = change.in_prompt(prompt, self.specs)
        return State(prompt=prompt, specs=self.specs, images=self.images, told=self.told)

    def _all_edits(self) -> Mapping[Place, Any]:
        # Without definitions the names may mean something in what ran, which is then the base.
        edits = replace(self, pending={}).with_values(self.pending).edits if self.pending else self.edits
        if self.draw is None or RANDOM not in edits.values():
            return edits
        made = self._make_params(self.base())
        params = {param.place: param for param in (*made.values(), *made.single)}
        return {
            place: self.draw.number(params[place]) if value == RANDOM and params[place].takes_random else value
            for place, value in edits.items()
        }

    # -- one run ---------------------------------------------------------------------------------------------------

    def settled(self, rng: random.Random | None = None) -> State:
        """Return the state with everything decided that is decided anew for each run."""
        return self if self.draw is not None else replace(self, draw=Draw.make(rng or random.Random()))

    def sent(self) -> Prompt:
        """Return a fresh prompt as it goes to a server: nothing random in it, its texts expanded."""
        if self.draw is None:
            return self.settled().sent()
        prompt, edited = self.current(), self._all_edits().keys()
        if not edited and (self.editor is None or self.specs is None):
            # What came as a server's prompt, and was not touched, is sent as it is.
            return prompt
        return self._run_texts().expand(prompt, edited=edited, seed=self.draw.seed, now=self.draw.now)

    def drawn(self) -> dict[str, Any]:
        """Return what was decided for this run, by the names of parameters."""
        if self.draw is None or (self.editor is not None and self.specs is None and self.prompt is None):
            return {}
        asked = replace(self, draw=None)
        before, sent = asked.current(), self.sent()
        decided = {
            (node_id, name)
            for node_id, node in sent.items()
            for name, value in node["inputs"].items()
            if before[node_id]["inputs"].get(name) != value
        }
        if not decided:
            return {}
        return {
            param.name: unwrap(sent[param.node_id]["inputs"][param.input_name])
            for param in asked.params().values()
            if param.place in decided
        }

    def _run_texts(self) -> RunTexts:
        from ._convert import RunTexts

        if self.editor is not None and self.specs is not None:
            return self.editor.convert(self.specs).texts
        return RunTexts()

    # -- the editor's form -----------------------------------------------------------------------------------------

    def ui(self) -> dict[str, Any] | None:
        """Return a copy of the editor's form with the values that were set."""
        if self.editor is None:
            return None
        if not (self.edits or self.pending):
            return copied(self.editor.ui)
        return self.editor.with_values(self._all_edits(), self.known())

    def drawing(self) -> tuple[dict[str, Any] | None, Prompt | None]:
        """Return what is drawn: the editor's form where there is one, else the prompt."""
        if self.editor is None:
            return None, self.current()
        if not (self.edits or self.pending):
            return self.editor.ui, None
        try:
            return self.ui(), None
        except WorkflowError:
            # A value without a place in the editor's form is not shown, but the graph is the same.
            return self.editor.ui, None

    def notes(self) -> tuple[str, ...]:
        """Return what there is to say about the source, the two forms and the conversion."""
        if self.editor is None:
            return self.told
        if self.specs is None:
            both = "The file holds both what its author opens, which is used, and what ran; they may differ."
            return (*self.told, both) if self.prompt is not None else self.told
        converted = self.editor.convert(self.specs)
        told = (*self.told, *map(str, converted.notes), *self._app(self._make_params(self.current()))[1])
        if self.prompt is None:
            return told
        changes = differences(self.prompt, converted.prompt, self.specs)
        return (*told, *(f"What ran differs from what its author opens: {change}" for change in changes))

    def conversion_notes(self) -> tuple[Note, ...]:
        """Return what the conversion of the editor's form had to say."""
        return self.editor.convert(self.specs).notes if self.editor is not None and self.specs is not None else ()

    def models(self) -> dict[str, ModelFile]:
        """Return what the file says of its models, by name."""
        return models_of(self.editor.ui) if self.editor is not None else {}

    # -- parameters ------------------------------------------------------------------------------------------------

    def params(self) -> Params:
        """Return what can be set, as the author chose to show it."""
        made = self._make_params(self.current())
        return apply_choice(made, self._choice(made))

    def _make_params(self, prompt: Prompt) -> Params:
        if self.editor is None or self.specs is None:
            return make_params(prompt, self.specs)
        widgets = self.editor.widgets(self.specs)
        return make_params(prompt, self.specs, widgets.shown, widgets.shared, widgets.controls)

    def exposing(self, wanted: Choose) -> State:
        """Return the state with another choice of what is shown."""
        shown = choose(self.params(), wanted)
        editor = self.editor
        if editor is not None:
            ui = into_ui(editor.ui, shown)
            if self.specs is not None:
                only_hides = bool(shown) and all(entry.hidden for entry in shown)
                before = self._choice(self._make_params(self.current())) if only_hides else ()
                hidden = {entry.place for entry in shown}
                kept = [entry for entry in before if entry.place not in hidden] if has_app(ui) else []
                ui = write_app(ui, editor.widgets(self.specs), [*shown, *kept], self._results(self.specs))
            editor = Editor(ui)
        prompt = into_prompt(self.prompt, shown) if self.prompt is not None else None
        return replace(self, editor=editor, prompt=prompt)

    def _results(self, specs: NodeSpecs) -> list[str]:
        """Return the nodes that give a result."""
        known = {node_id: specs.get(node["class_type"]) for node_id, node in self.base().items()}
        return [node_id for node_id, spec in known.items() if spec is not None and spec.output_node]

    def _choice(self, made: Params) -> Iterable[Shown]:
        """Return what is chosen to be shown of the parameters that there are."""
        if self.editor is None:
            return from_prompt(self.prompt or {})
        ours = from_ui(self.editor.ui)
        if self.specs is None or not has_app(self.editor.ui):
            return ours
        # Which inputs, and in which order, is App mode's to say; names and bounds are ours.
        by_place = {entry.place: entry for entry in ours}
        shown = [by_place.pop(entry.place, entry) for entry in self._app(made)[0]]
        return [
            *(entry for entry in shown if not entry.hidden),
            *(entry for entry in by_place.values() if entry.hidden),
        ]

    def _app(self, made: Params) -> tuple[list[Shown], list[str]]:
        if self.editor is None or self.specs is None:
            return [], []
        return read_app(self.editor.ui, self.editor.widgets(self.specs), made)

    def outputs(self) -> tuple[str, ...]:
        """Return the nodes whose outputs the author chose to show."""
        return app_outputs(self.editor.ui, self.base()) if self.editor is not None else ()

    def with_values(self, values: Mapping[str, Any]) -> State:
        """Return the state with other values, checked as soon as it is known what they are for."""
        if not values:
            return self
        wanted, images = dict(values), dict(self.images)
        for name, value in wanted.items():
            if is_image(value):
                wanted[name], data = image_upload(value)
                images[wanted[name]] = data
        if self.prompt is None and self.specs is None:
            return replace(self, pending={**self.pending, **wanted}, images=images)
        state = replace(self, images=images)
        while True:
            params = state.params()
            # What is chosen first decides which other parameters there are.
            choice = next((name for name in wanted if getattr(params.get(name), "dynamic", False)), None)
            if choice is None:
                return state._with(params, wanted)
            state = state._with(params, {choice: wanted.pop(choice)})

    def _with(self, params: Params, values: Mapping[str, Any]) -> State:
        edits = dict(self.edits)
        for name, value in values.items():
            param = params.find(name)
            if isinstance(value, str) and value in self.images and param.kind != "image":
                raise param.error(f"takes no image, but a {param.kind}.")
            checked = param.check(value)
            edits.update(dict.fromkeys((param.place, *param.others), checked))
        return replace(self, edits=edits)

    def uploads(self) -> dict[str, bytes]:
        """Return the images that some value names."""
        values = [*self.edits.values(), *self.pending.values()]
        values += [value for node in (self.prompt or {}).values() for value in node["inputs"].values()]
        return {name: data for name, data in self.images.items() if name in values}

    def content(self) -> tuple[Any, ...]:
        """Return what makes two workflows equal."""
        if self.editor is None:
            return (self.current(), dict(self.pending))
        return (self.prompt, self.editor.ui, dict(self.edits), dict(self.pending))
