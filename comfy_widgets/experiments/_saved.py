"""An experiment's definition as JSON, so that another process can go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..protocol import WorkflowError
from ..workflow import NodeSpecs, Workflow, image_upload, is_image
from ._axes import Axis, Lora, Option, Swap
from ._bind import bind
from ._errors import ExperimentError
from ._space import WORKFLOWS, Space
from ._store import Store


def definition_of(space: Space, store: Store) -> dict[str, Any]:
    """Return workflows and axes as JSON; images that they bring along are kept in the store."""
    workflows = [
        {
            "name": base.name,
            "workflow": _document(base.workflow),
            "images": _images(base.workflow, store),
            "dated": [[*place, text] for place, text in base.dated.items()],
        }
        for base in space.bases
    ]
    axes = [axis for axis in space.axes if len(space.bases) == 1 or axis.name != WORKFLOWS]
    return {
        "workflows": workflows,
        "axes": [
            {
                "name": axis.name,
                "options": [
                    {
                        "value": option.value,
                        "label": option.label,
                        "settings": {name: _encoded(value, store) for name, value in option.settings.items()},
                    }
                    for option in axis.options
                ],
            }
            for axis in axes
        ],
    }


def space_of(definition: Mapping[str, Any], object_info: Mapping[str, Any], store: Store) -> Space:
    """Return the space that a definition tells of.

    Raises
    ------
    ExperimentError
        The definition cannot be read.
    WorkflowError
        The server does not take it any more.
    """
    specs = NodeSpecs.of(object_info)
    try:
        axes = [
            Axis(
                axis["name"],
                tuple(
                    Option(
                        option["value"],
                        option["label"],
                        {name: _decoded(value, store) for name, value in option["settings"].items()},
                    )
                    for option in axis["options"]
                ),
            )
            for axis in definition["axes"]
        ]
        bases = []
        for entry in definition["workflows"]:
            images = {name: _decoded(value, store) for name, value in entry["images"].items()}
            document = Workflow.load(entry["workflow"], object_info=object_info).with_params(images)
            dated = {(node_id, input_name): text for node_id, input_name, text in entry["dated"]}
            bases.append(bind(document, entry["name"], axes, {}, specs, dated))
    except WorkflowError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ExperimentError(f"The sweep in {store.folder} cannot be read ({error!r}).") from error
    return Space.of(bases, axes, specs)


def files_in(definition: Any) -> list[str]:
    """Return the names of the store's files that a definition needs."""
    if isinstance(definition, Mapping):
        if set(definition) == {"file"}:
            return [str(definition["file"])]
        return [name for value in definition.values() for name in files_in(value)]
    if isinstance(definition, list):
        return [name for value in definition for name in files_in(value)]
    return []


def _document(workflow: Workflow) -> Any:
    try:
        ui = workflow.to_ui()
    except WorkflowError:
        # A value without a place in the editor's form.
        ui = None
    return ui if ui is not None else workflow.to_prompt()


def _images(workflow: Workflow, store: Store) -> dict[str, Any]:
    uploads = workflow.uploads
    params = workflow.params().values() if uploads else ()
    return {
        param.name: _encoded(uploads[param.value], store)
        for param in params
        if isinstance(param.value, str) and param.value in uploads
    }


def _encoded(value: Any, store: Store) -> Any:
    if isinstance(value, Swap):
        return {"replace": value.needle, "with": value.text}
    if isinstance(value, Lora):
        return {"loras": list(value.names), "strengths": list(value.strengths), "node": value.node}
    if is_image(value):
        name, content = image_upload(value)
        return {"file": store.put_file(content, name).path.name}
    return {"value": value}


def _decoded(value: Mapping[str, Any], store: Store) -> Any:
    if "replace" in value:
        return Swap(value["replace"], value["with"])
    if "loras" in value:
        return Lora(tuple(value["loras"]), tuple(value["strengths"]), value["node"])
    if "file" in value:
        path = store.files / str(value["file"])
        # The database may be a stranger's: nothing outside of the store is read.
        if path.parent != store.files:
            raise ExperimentError(f"The store names a file outside of itself: {value['file']!r}.")
        return path
    return value["value"]
