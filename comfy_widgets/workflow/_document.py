"""The Workflow document: a value that knows how to become what a server runs."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from .._writing import json_bytes, replace_file
from ..protocol import WorkflowError
from ..protocol.requests import refuse_unsendable
from ._changes import Add, Bypass, Change, Remove, Rewire
from ._choice import Choose
from ._compare import differences, fingerprint
from ._editing import find_node, inputs_of_new, link_to
from ._editor import Editor
from ._lora import plan_lora
from ._node import Node, nodes_of
from ._param import Params
from ._prompt import ObjectInfo, Prompt, copied
from ._source import Fetch, load_forms
from ._state import State

if TYPE_CHECKING:
    from ._check import Problem
    from ._draw import Drawing
    from ._missing import Missing


@dataclass(frozen=True, eq=False, repr=False)
class Workflow:
    """A ComfyUI workflow, in whichever form it came.

    It is a value: every method that changes something returns a new workflow and leaves this one alone. Make one with
    `Workflow.load`.

    A file may hold both forms. `prompt` is then exactly what ran, and `ui` what its author wants you to open;
    parameters and runs come from the second, and `reproduce` gives the first.

    Attributes
    ----------
    source : str
        Where it came from: a file's name, a URL, ``"a dict"``.

    Examples
    --------
    >>> from comfy_widgets import example
    >>> workflow = example()
    >>> workflow
    <Workflow of 7 nodes in API format, from text_to_image.json>
    >>> another = workflow.with_params(seed=7, positive="a lighthouse at dusk", steps=12)
    >>> another["KSampler"].inputs["seed"]
    7
    >>> workflow.diff(workflow.with_params(seed=7))
    ['KSampler.seed 42 → 7']
    """

    _state: State = field(default_factory=State)
    source: str = "a dict"

    # -- coming in -------------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, source: Any, *, object_info: ObjectInfo | None = None, fetch: Fetch | None = None) -> Workflow:
        """Load a workflow from whatever holds one.

        Parameters
        ----------
        source : str, Path, dict, bytes, file or PIL image
            A path, an http(s) URL, JSON text, the content of a file, an open file, an image, or parsed JSON: API
            format, the editor's format, or a history entry. What is inside is detected, not guessed from a name. Or
            ``"template:flux_dev"``, an official template, out of its package where ``fetch`` is not given.
        object_info : Mapping, optional
            A server's node definitions, to `bind` at once.
        fetch : callable, optional
            Takes a URL and returns bytes, instead of a plain bounded download; ``client.fetch`` gets a server's
            templates.

        Returns
        -------
        Workflow

        Raises
        ------
        WorkflowError
            If there is no workflow in it, in words.

        Examples
        --------
        >>> Workflow.load({"1": {"class_type": "PreviewAny", "inputs": {"source": "hello"}}})
        <Workflow of 1 node in API format, from a dict>
        """
        if isinstance(source, cls):
            return source if object_info is None else source.bind(object_info)
        try:
            forms, what = load_forms(source, fetch)
            editor = Editor(copied(forms.ui)) if forms.ui is not None else None
        except RecursionError:
            raise WorkflowError("The source is nested too deeply to be a workflow.") from None
        loaded = cls(State(prompt=forms.prompt, editor=editor, told=forms.notes), what)
        return loaded if object_info is None else loaded.bind(object_info)

    def bind(self, object_info: ObjectInfo) -> Workflow:
        """Return the workflow together with a server's node definitions.

        Every method then uses them where it is given none. They are no part of the value: they change neither equality
        nor what is saved.

        Parameters
        ----------
        object_info : Mapping
            As `ComfyClient.object_info` returns it.

        Returns
        -------
        Workflow

        Raises
        ------
        WorkflowError
            If a value was set before that does not fit, or has no input.

        Examples
        --------
        >>> workflow = example("text_to_image_ui").bind(client.object_info())
        >>> workflow.params()["steps"].max
        10000
        """
        return replace(self, _state=self._state.using(object_info))

    # -- the two forms ---------------------------------------------------------------------------------------------

    @property
    def form(self) -> Literal["api", "ui"]:
        """Which form runs and is saved: the editor's, ``"ui"``, if the workflow came with it, else ``"api"``.

        Examples
        --------
        >>> example("text_to_image_ui").form
        'ui'
        """
        return "api" if self._state.editor is None else "ui"

    @property
    def prompt(self) -> Prompt | None:
        """The API form, if the workflow came with one: a copy, made anew at each access, that may be changed.

        Beside an editor's form it is what ran, untouched by `with_params`; alone it has the values that were set.

        Examples
        --------
        >>> example().prompt["3"]["class_type"]
        'KSampler'
        """
        if self._state.prompt is None:
            return None
        return copied(self._state.prompt) if self.form == "ui" else self._state.settled().current()

    @property
    def ui(self) -> dict[str, Any] | None:
        """The editor's form, if the workflow came with one: a copy, made anew at each access, that may be changed.

        It is untouched by `with_params`; `to_ui` has the values that were set.

        Examples
        --------
        >>> example().ui is None
        True
        """
        return copied(self._state.editor.ui) if self._state.editor is not None else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say about the forms: how they differ, and what the conversion had to decide.

        Examples
        --------
        >>> example().notes
        ()
        """
        return self._state.notes()

    def to_prompt(self, object_info: ObjectInfo | None = None) -> Prompt:
        """Return what a server would run: a fresh prompt in API format with the values that were set.

        What the editor decides when it queues a prompt is decided here, anew at each call unless the workflow is
        settled: a seed that was set to ``"random"``, one of each ``{red|green}`` in a text that was typed in the editor
        or set here, and ``%KSampler.seed%`` or ``%date:yyyy-MM-dd%`` in file names. A workflow that came in API format,
        and in which nothing was set, is returned exactly as it came.

        Parameters
        ----------
        object_info : Mapping, optional
            A server's node definitions; those it was bound to by default.

        Returns
        -------
        dict
            ``{node id: {"class_type": str, "inputs": dict, "_meta": dict}}``.

        Raises
        ------
        WorkflowError
            If the workflow is in the editor's format and no definitions are known, if it cannot be converted, or if a
            number in it is NaN.

        Examples
        --------
        >>> example().with_params(seed=7).to_prompt()["3"]["inputs"]["seed"]
        7
        """
        prompt = self._state.using(object_info).sent()
        refuse_unsendable(prompt)
        return prompt

    def settle(self, rng: random.Random | None = None) -> Workflow:
        """Return the workflow with everything decided that is decided anew for each run.

        Two runs of it are the same. `drawn` tells what was decided.

        Parameters
        ----------
        rng : random.Random, optional
            Where random values come from; ``random.Random(1)`` makes them repeatable.

        Returns
        -------
        Workflow
            This one if it is settled already.

        Examples
        --------
        >>> import random
        >>> workflow = example().with_params(seed="random", positive="a {red|green} hill")
        >>> workflow.settle(random.Random(1)).drawn
        {'positive': 'a green hill', 'seed': 2184332056155545}
        """
        return replace(self, _state=self._state.settled(rng))

    @property
    def drawn(self) -> dict[str, Any]:
        """What was decided for the run of a settled workflow, by names of parameters: random seeds, choices, dates.

        Examples
        --------
        >>> example().settle().drawn
        {}
        """
        return self._state.drawn()

    def to_ui(self, object_info: ObjectInfo | None = None) -> dict[str, Any] | None:
        """Return the editor's form with the values that were set, or None if the workflow has none.

        Sent along as ``extra_pnginfo = {"workflow": ...}`` it makes results open in ComfyUI as they were made.

        Parameters
        ----------
        object_info : Mapping, optional
            A server's node definitions; those it was bound to by default.

        Returns
        -------
        dict or None

        Raises
        ------
        WorkflowError
            If a value was set that has no place in that form.

        Examples
        --------
        >>> workflow = example("text_to_image_ui", client.object_info())
        >>> sorted(workflow.with_params(seed=7).to_ui())[:3]
        ['config', 'extra', 'groups']
        """
        return self._state.using(object_info).settled().ui()

    def reproduce(self) -> Workflow:
        """Return the workflow that exactly ran when the file was made.

        Returns
        -------
        Workflow
            In API format.

        Raises
        ------
        WorkflowError
            If the file did not say.

        Examples
        --------
        >>> example().reproduce() == example()
        True
        """
        if self._state.prompt is None:
            raise WorkflowError(f"{self.source} holds only the editor's form, not the prompt that ran.")
        return replace(self, _state=State(prompt=self._state.prompt, specs=self._state.specs))

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        form: Literal["api", "ui"] | None = None,
        object_info: ObjectInfo | None = None,
    ) -> Path:
        """Write the workflow as JSON. A file that is there is replaced once the new one is complete.

        Parameters
        ----------
        path : str or path
        form : {"api", "ui"}, optional
            API format or the editor's; by default the one that is run.
        object_info : Mapping, optional
            A server's node definitions, where a form must be converted.

        Returns
        -------
        Path

        Raises
        ------
        WorkflowError
            If the workflow does not have that form and cannot be converted to it.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> path = example().save(f"{tempfile.mkdtemp()}/workflow.json")
        >>> Workflow.load(path) == example()
        True
        """
        # What is random is drawn: a file must run everywhere.
        state = self._state.using(object_info).settled()
        document = state.ui() if (form or self.form) == "ui" else state.current()
        if document is None:
            raise WorkflowError(
                "The workflow has no editor's form that could be saved. The editor opens API format too."
            )
        target = Path(path)
        replace_file(target, json_bytes(document))
        return target

    # -- parameters ------------------------------------------------------------------------------------------------

    def params(self, object_info: ObjectInfo | None = None) -> Params:
        """Return what can be set, by name, the most wanted first.

        Where the author chose inputs, with `expose` or in ComfyUI's App mode, those come first and alone are primary.

        Parameters
        ----------
        object_info : Mapping, optional
            A server's node definitions: bounds, choices and help come from there. Without them, kinds are guessed.

        Returns
        -------
        Params
            A mapping of names to `Param`.

        Raises
        ------
        WorkflowError
            If the workflow is in the editor's format and no definitions are known, or if it cannot be converted.

        Examples
        --------
        >>> list(example().params())[:3]
        ['positive', 'negative', 'seed']
        """
        return self._state.using(object_info).params()

    def expose(self, wanted: Choose, /, object_info: ObjectInfo | None = None) -> Workflow:
        """Return the workflow with a choice of what others see of it; it is saved with the workflow.

        Parameters
        ----------
        wanted : iterable of str, or Mapping
            Names to show, in this order: ``["positive", "seed"]``; a node's title stands for all that it has. A mapping
            also renames, ``{"quality": "steps"}``, sets bounds, label, group or choices, ``{"steps": {"max": 50}}``,
            and hides, ``{"cfg": False}``. An empty list takes the choice back. In the editor's format it is written
            for App mode as well, so that the form is an app in ComfyUI; names and bounds are known here alone.
        object_info : Mapping, optional
            A server's node definitions; those it was bound to by default.

        Returns
        -------
        Workflow

        Raises
        ------
        WorkflowError
            If there is no such parameter.

        Examples
        --------
        >>> simple = example().expose({"positive": None, "quality": "steps"})
        >>> [param.name for param in simple.params().primary]
        ['positive', 'quality']
        """
        return replace(self, _state=self._state.using(object_info).exposing(wanted))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Ids of the nodes whose outputs the author chose to show, in App mode; empty where nothing was chosen.

        Examples
        --------
        >>> example().outputs
        ()
        """
        return self._state.outputs()

    def with_params(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> Workflow:
        """Return a workflow with other values.

        Another choice of a dynamic combo (`Param.dynamic`) brings the inputs that stand behind it: those it shares with
        the choice before keep what fits, new ones get their defaults, the others go.

        Parameters
        ----------
        values : Mapping, optional
            Values by name, for names that are no Python identifiers: ``{"KSampler 2.steps": 30}``.
        **named : object
            Values by name: ``seed=7``. For an image, a PIL image, a path or bytes may be given.

        Returns
        -------
        Workflow

        Raises
        ------
        UnknownParam
            If there is no such parameter, with the nearest names.
        WorkflowError
            If a value does not fit. While no definitions are known, names and values of a workflow in the editor's
            format are checked as soon as they are.

        Examples
        --------
        >>> workflow = example().with_params(seed=7, steps=12)
        >>> workflow.params()["steps"].value
        12
        """
        wanted = {**(values or {}), **named}
        return replace(self, _state=self._state.with_values(wanted)) if wanted else self

    def set_image(self, name: str, image: Any, /) -> Workflow:
        """Return a workflow that brings an image of yours along; it is uploaded when the workflow is sent.

        Parameters
        ----------
        name : str
            A parameter (``"image"``) or a node's title (``"Load Image"``).
        image : PIL image, path or bytes

        Returns
        -------
        Workflow

        Raises
        ------
        WorkflowError
            If there is no such parameter, or it is no image that ComfyUI reads.

        Examples
        --------
        >>> from PIL import Image
        >>> workflow = Workflow.load({"1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}}})
        >>> len(workflow.set_image("image", Image.new("RGB", (64, 64))).uploads)
        1
        """
        params = self.params()
        of_node = [p for p in params.values() if p.kind == "image" and name in (p.node_title, p.node_id, p.class_type)]
        param = of_node[0] if len(of_node) == 1 and name not in params else params.find(name)
        return self.with_params({param.name: Path(image) if isinstance(image, str) else image})

    @property
    def uploads(self) -> Mapping[str, bytes]:
        """The images to upload before the workflow runs: names as they stand in the prompt, and contents of files.

        Examples
        --------
        >>> dict(example().uploads)
        {}
        """
        return MappingProxyType(self._state.uploads())

    def check(self, object_info: ObjectInfo | None = None) -> list[Problem]:
        """Compare the workflow with a server's definitions before anything is sent.

        Parameters
        ----------
        object_info : Mapping, optional
            A server's node definitions; those it was bound to by default.

        Returns
        -------
        list of Problem
            Everything that is wrong, errors first; empty if the server will take it. What the file holds and no input
            takes is a warning.

        Raises
        ------
        WorkflowError
            If no definitions are known.

        Examples
        --------
        >>> example().check(client.object_info())
        []
        """
        from ._check import check_prompt

        state = self._state.using(object_info)
        if state.specs is None:
            raise WorkflowError("The check needs the server's definitions: workflow.check(client.object_info()).")
        return check_prompt(
            state.settled().current(),
            state.specs,
            state.uploads(),
            models=state.models(),
            notes=state.conversion_notes(),
        )

    def missing(self, object_info: ObjectInfo | None = None) -> Missing:
        """Return the models and node packs that a server lacks, with what the file says of where to get them.

        Parameters
        ----------
        object_info : Mapping, optional
            A server's node definitions; those it was bound to by default.

        Returns
        -------
        Missing
            False if nothing is missing; ``print`` it for one list to copy.

        Raises
        ------
        WorkflowError
            If no definitions are known.

        Examples
        --------
        >>> print(example().missing(client.object_info()))
        Nothing is missing.
        """
        from ._missing import find_missing

        state = self._state.using(object_info)
        return find_missing(state.current(), state.known(), state.models())

    # -- looking ---------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Node]:
        """Iterate over the nodes, in the order in which the work flows."""
        return nodes_of(self._state.current(), self._state.specs)

    def __getitem__(self, id_or_title: str | int) -> Node:
        """Return a node by its id, its title, or its class if only one node is of that class."""
        prompt, specs = self._state.current(), self._state.specs
        node_id = find_node(prompt, id_or_title, specs)
        return next(node for node in nodes_of(prompt, specs) if node.id == node_id)

    def find(self, *, class_type: str | None = None, title: str | None = None) -> list[Node]:
        """Return the nodes of a class, or with a title, or both.

        Parameters
        ----------
        class_type : str, optional
            The whole name of a class.
        title : str, optional
            A part of a title, in any case.

        Returns
        -------
        list of Node
            In flow order; empty if there is none.

        Examples
        --------
        >>> [node.title for node in example().find(class_type="CLIPTextEncode")]
        ['CLIP Text Encode (Prompt)', 'CLIP Text Encode (Prompt) 2']
        """
        return [
            node
            for node in self
            if class_type in (None, node.class_type) and (title is None or title.lower() in node.title.lower())
        ]

    def diff(self, other: Workflow, *, labels: bool = False) -> list[str]:
        """Say in words what would turn this workflow into another.

        Parameters
        ----------
        other : Workflow
        labels : bool
            Call inputs as a form does, with their nodes only where several have the same label.

        Returns
        -------
        list of str
            Empty if nothing differs.

        Raises
        ------
        WorkflowError
            If `other` is no workflow, or one of them cannot be converted.

        Examples
        --------
        >>> example().diff(example().with_params(steps=30))
        ['KSampler.steps 20 → 30']
        >>> example().diff(example().with_params(steps=30), labels=True)
        ['Steps 20 → 30']
        """
        if not isinstance(other, Workflow):
            raise WorkflowError(f"A workflow is compared with another workflow, not with a {type(other).__name__}.")
        params = other.params().values() if labels else None
        return differences(self._state.current(), other._state.current(), self._state.specs, params)

    @property
    def hash(self) -> str:
        """A hash of what the workflow does: of classes, values and connections.

        Ids, titles, the order in the file and the difference between 1 and 1.0 do not enter, so it stays the same when
        the workflow is saved, run, and loaded from the result; but for what is decided anew for each run.

        Examples
        --------
        >>> example().hash == example().with_params(seed=7).with_params(seed=42).hash
        True
        """
        return fingerprint(self._state.current())

    def to_svg(self) -> str:
        """Draw the graph: where its author put the nodes if that is known, in layers from left to right otherwise.

        What the subgraphs of an editor's form have inside is drawn below. A notebook shows each of them on a click.

        Returns
        -------
        str
            An SVG document without scripts.

        Examples
        --------
        >>> example().to_svg()[:4]
        '<svg'
        """
        from ._draw import draw

        return draw(*self._state.drawing(), self._state.specs)

    def to_mermaid(self) -> str:
        """Write the graph as a Mermaid flowchart, which GitHub and JupyterLab draw.

        Returns
        -------
        str

        Examples
        --------
        >>> example().to_mermaid().splitlines()[0]
        'flowchart LR'
        """
        from ._draw import mermaid

        return mermaid(*self._state.drawing(), self._state.specs)

    def to_drawing(self, object_info: ObjectInfo | None = None) -> Drawing:
        """Lay out the nodes that run, for who draws the graph and changes it while it runs.

        Parameters
        ----------
        object_info : Mapping, optional
            A server's node definitions; those it was bound to by default.

        Returns
        -------
        Drawing
            The work flows from left to right, and subgraphs are opened.

        Raises
        ------
        WorkflowError
            It is in the editor's format, and no definitions are known.

        Examples
        --------
        >>> sorted(node.id for node in example().to_drawing().nodes)[0]
        '3'
        """
        from ._draw import drawing_of

        state = self._state.using(object_info)
        return drawing_of(state.current(), state.specs)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from ._draw import shown

        try:
            return {**shown(*self._state.drawing(), self._state.specs), "text/plain": repr(self)}
        except WorkflowError as error:
            # The last value of a cell must show something, whatever the file holds.
            return {"text/plain": f"{self!r}\n{error}"}

    # -- another graph ---------------------------------------------------------------------------------------------

    def add(self, class_type: str, /, title: str | None = None, **inputs: Any) -> Workflow:
        """Return a workflow with one more node.

        Parameters
        ----------
        class_type : str
        title : str, optional
            By which the node can be named afterwards.
        **inputs : object
            Values, and connections as a pair of a node and an output: ``model=("Load Checkpoint", 0)`` or
            ``model=("Load Checkpoint", "MODEL")``.

        Returns
        -------
        Workflow
            In the form that it was in: in the editor's, the node is drawn right of what feeds it.

        Raises
        ------
        WorkflowError
            If the server has no such class, or there is no such node or output to connect to.

        Examples
        --------
        >>> workflow = example().add("PreviewImage", "Preview", images=("VAE Decode", 0))
        >>> workflow["Preview"].inputs["images"]
        ['8', 0]
        """
        state = self._state
        given = inputs_of_new(state.current(), class_type, inputs, state.specs)
        return self._changed(Add(state.free_id(given.values()), class_type, given, title))

    def remove(self, node: str, /) -> Workflow:
        """Return a workflow without a node, and without the links that lead to it.

        Parameters
        ----------
        node : str
            Its id or title.

        Returns
        -------
        Workflow
            In the form that it was in.

        Raises
        ------
        WorkflowError
            If there is no such node.

        Examples
        --------
        >>> len(list(example().remove("Save Image")))
        6
        """
        return self._changed(Remove(self._id_of(node)))

    def rewire(self, node: str, input_name: str, to: tuple[str, int | str] | None, /) -> Workflow:
        """Return a workflow in which an input is connected to another output.

        Parameters
        ----------
        node : str
            The id or title of the node that has the input.
        input_name : str
        to : tuple of str and (int or str), or None
            A node and its output, by number or name; None takes the link away.

        Returns
        -------
        Workflow
            In the form that it was in.

        Raises
        ------
        WorkflowError
            If there is no such node, input or output.

        Examples
        --------
        >>> swapped = example().rewire("KSampler", "positive", ("CLIP Text Encode (Prompt) 2", 0))
        >>> swapped["KSampler"].inputs["positive"]
        ['7', 0]
        """
        link = link_to(self._state.current(), to, self._state.specs)
        return self._changed(Rewire(self._id_of(node), input_name, link))

    def bypass(self, node: str, /) -> Workflow:
        """Return a workflow in which what would enter a node goes on to its consumers instead.

        It needs the types of the sockets: `bind` the workflow first.

        Parameters
        ----------
        node : str
            Its id or title.

        Returns
        -------
        Workflow
            In the form that it was in.

        Raises
        ------
        WorkflowError
            If there is no such node, or its definition is not known.

        Examples
        --------
        >>> workflow = example(object_info=client.object_info())
        >>> workflow.bypass("KSampler")["VAE Decode"].inputs["samples"]
        ['5', 0]
        """
        return self._changed(Bypass(self._id_of(node)))

    def insert_lora(self, name: str, strength: float = 1.0, *, strength_clip: float | None = None) -> Workflow:
        """Return a workflow with one more LoRA on its model, behind those that it has.

        It needs the server's definitions: `bind` the workflow first. Where the loader also gives the CLIP, the LoRA is
        put on both.

        Parameters
        ----------
        name : str
            As the server lists it; the file's name is enough where it means one file.
        strength : float
            1.0 by default.
        strength_clip : float, optional
            For the text encoder, if it differs.

        Returns
        -------
        Workflow
            In the form that it was in.

        Raises
        ------
        WorkflowError
            If the server has no such LoRA, or the workflow no model to put it on.

        Examples
        --------
        >>> workflow = example(object_info=client.object_info())
        >>> lora = client.object_info()["LoraLoader"]["input"]["required"]["lora_name"][0][0]  # doctest: +SKIP
        >>> workflow.insert_lora(lora, 0.8).params()["strength_model"].value                   # doctest: +SKIP
        0.8
        """
        state = self._state
        plan = plan_lora(state.current(), name, strength, strength_clip, state.known())
        node_id = state.free_id(plan.inputs.values())
        added = Add(node_id, plan.class_type, plan.inputs)
        rewired = [Rewire(place[0], place[1], [node_id, slot]) for place, slot in plan.consumers]
        return self._changed(added, *rewired)

    def _id_of(self, node: str | int) -> str:
        return find_node(self._state.current(), node, self._state.specs)

    def _changed(self, *changes: Change) -> Workflow:
        return replace(self, _state=self._state.changed(list(changes)))

    # -- the value -------------------------------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Workflow):
            return NotImplemented
        return self._state.content() == other._state.content()

    def __repr__(self) -> str:
        editor = self._state.editor
        form = "API format" if editor is None else "the editor's format"
        count = len(self._state.prompt or {}) if editor is None else len(editor.ui["nodes"])
        source = self.source[:1].lower() + self.source[1:] if self.source.startswith("The ") else self.source
        return f"<Workflow of {count} node{'s' * (count != 1)} in {form}, from {source}>"
