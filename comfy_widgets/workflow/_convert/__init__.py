"""UI workflows become API prompts, as ComfyUI's own front end makes them.

    prompt = to_api_prompt(workflow, client.object_info())
    conversion = convert(workflow, client.object_info())
    for note in conversion.report: ...

The stages, a module each: `document` reads the file, `graph` looks up what each node is (`live` deals out its values,
`groups` reads old group nodes, `extensions` is what single classes have beyond their definitions), `frames` unfolds
subgraph instances, `resolve` follows links, `emit` writes the prompt. `run_texts` is what is written anew for each run,
`control` what happens to a seed afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from comfy_widgets.protocol import WorkflowError

from .._specs import NodeSpecs
from .control import next_value
from .document import read_document
from .emit import Emitter
from .frames import expand
from .graph import Graph
from .replace import replace_classes
from .report import Conversion, Note, NoteKind, Report
from .run_texts import Prompt, RunTexts
from .texts import expand_dynamic_prompt, has_choices

__all__ = [
    "Conversion",
    "Note",
    "NoteKind",
    "RunTexts",
    "convert",
    "expand_dynamic_prompt",
    "next_value",
    "replace_classes",
    "to_api_prompt",
]


def to_api_prompt(workflow: Mapping[str, Any], object_info: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Convert a UI workflow to an API prompt; `convert` with its defaults, without the report.

    Parameters
    ----------
    workflow : Mapping
        A workflow as ComfyUI's editor saves it, schema 0.4 or 1, as parsed JSON. It is not changed.
    object_info : Mapping
        The server's `/object_info`, or a `NodeSpecs` of it.

    Returns
    -------
    dict of dict
        API format: ``class_type`` and ``inputs`` by the id of the node.

    Raises
    ------
    WorkflowError
        If the workflow cannot be converted; the message names the node and says why.

    Examples
    --------
    >>> saved = example("text_to_image_ui").ui
    >>> prompt = to_api_prompt(saved, client.object_info())
    >>> sorted({node["class_type"] for node in prompt.values()})[:2]
    ['CLIPTextEncode', 'CheckpointLoaderSimple']
    """
    return convert(workflow, object_info).prompt


def convert(
    workflow: Mapping[str, Any],
    object_info: Mapping[str, Any],
    *,
    strict_frontend: bool = False,
    expand_texts: bool = True,
    dynamic_prompts_seed: int | None = 0,
    now: datetime | None = None,
) -> Conversion:
    """Convert a UI workflow to an API prompt, and tell what there is to say about it.

    Parameters
    ----------
    workflow : Mapping
        A workflow as ComfyUI's editor saves it, schema 0.4 or 1, as parsed JSON. It is not changed.
    object_info : Mapping
        The server's `/object_info`, or a `NodeSpecs` of it (then what was parsed is shared).
    strict_frontend : bool
        The front end loses some values that the user sees (a primitive behind a Reroute or on a subgraph), sends nulls
        that the server refuses, and refuses some workflows that make sense. By default the conversion does what the
        user sees and reports the difference; with True it does as the front end does, but for old group nodes.
    expand_texts : bool
        The front end rewrites some texts each time it queues a prompt: it picks one of ``{a|b}`` and fills in the
        tokens of file names. By default the conversion does so once. With False the prompt has the texts as their
        author wrote them, for a form, and `Conversion.texts` expands them for each run.
    dynamic_prompts_seed : int or None
        The pick of one of ``{a|b}`` follows from this seed, so that a conversion can be repeated; None leaves texts
        that hold choices as they are.
    now : datetime, optional
        The time for ``%date:...%`` in file name prefixes; the present by default.

    Returns
    -------
    Conversion
        The prompt and the report.

    Raises
    ------
    WorkflowError
        If the workflow cannot be converted; the message names the node and says why.
    """
    report = Report()
    try:
        graph = Graph(read_document(workflow, report), NodeSpecs.of(object_info), report)
        emitter = Emitter(graph, expand(graph), strict=strict_frontend)
        emitter.emit()
        prompt = emitter.prompt
        if emitter.has_unknown:
            prompt = replace_classes(prompt, graph.specs, report)
    except RecursionError as error:
        raise WorkflowError("The workflow holds a value that is nested too deeply to be read.") from error
    texts = emitter.run_texts()
    if expand_texts:
        _note_choices(prompt, texts, dynamic_prompts_seed, report)
        prompt = texts.expand(prompt, seed=dynamic_prompts_seed, choices=dynamic_prompts_seed is not None, now=now)
    return Conversion(prompt, tuple(report.notes), texts)


def _note_choices(prompt: Prompt, texts: RunTexts, seed: int | None, report: Report) -> None:
    told = "They are sent as they are." if seed is None else f"One was picked with seed {seed}."
    places = [(node_id, name) for node_id, name in texts.dynamic or () if has_choices(prompt[node_id]["inputs"][name])]
    for node_id, name in sorted(places):
        title = prompt[node_id]["_meta"]["title"]
        report.add("random-choice", f'The {name} of "{title}" holds choices. {told}', (node_id, title), name)
