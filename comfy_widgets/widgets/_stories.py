"""How an image came about, and what differs between two: what the browser asks about the images that it shows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._writing import json_bytes, utf8_bytes
from ..errors import ComfyError
from ._images import size_words

if TYPE_CHECKING:
    from ..client import Result
    from ..workflow import Param, Workflow
    from ._schema import Detail, Differences, Story, WantDifferences

logger = logging.getLogger(__name__)

MAX_LINES = 60
"""Differences that are told."""


@dataclass(frozen=True)
class Origin:
    """Where an image comes from.

    Attributes
    ----------
    source : bytes or PIL image
        The image, which may carry its workflow.
    caption : str
        Its name and size.
    result : Result or None
        What it is a part of.
    details : sequence of Detail
        What is known of it beside its workflow.
    usable : bool
        Whether there is a form that takes its values.
    """

    source: Any
    caption: str
    result: Result | None = None
    details: Sequence[Detail] = ()
    usable: bool = False

    def workflow(self) -> Workflow | None:
        """Return the workflow that stands in the image, as the editor shows it; else the prompt that ran."""
        try:
            return _load(self.source)
        except ComfyError as error:
            logger.debug("no workflow in %s: %s", self.caption, error)
        if self.result is None or not self.result.prompt:
            return None
        try:
            return _load(dict(self.result.prompt))
        except ComfyError as error:
            logger.info("the prompt of %s cannot be read: %s", self.caption, error)
            return None


def _load(source: Any) -> Workflow:
    # Only here: a panel that nobody asks about its images reads no files.
    from ..workflow import Workflow

    return Workflow.load(source)


def details_of(params: Mapping[str, Param], values: Mapping[str, Any]) -> list[Detail]:
    """Return values with their labels, in the order of the parameters."""
    return [
        {"label": param.label, "value": str(values[name]), "group": param.group}
        for name, param in params.items()
        if name in values
    ]


def facts(result: Result | None, size: tuple[int, int] | None, name: str, server: str = "") -> list[Detail]:
    """Return what is known of an image beside the values that it was made with."""
    seconds = result.elapsed if result is not None else None
    told = [
        ("Size", size_words(*size) if size is not None else ""),
        ("Time", f"{seconds:.1f} s" if seconds is not None else ""),
        ("File", name),
        ("Server", server),
        ("Prompt id", result.prompt_id if result is not None else ""),
    ]
    return [{"label": label, "value": value, "group": ""} for label, value in told if value]


def story(run: int, index: int, origin: Origin) -> tuple[Story, list[bytes]]:
    """Return how an image came about, with the drawing of its workflow and its JSON."""
    workflow = origin.workflow()
    items = list(origin.details)
    drawing, document = b"", b""
    if workflow is not None:
        try:
            drawing = utf8_bytes(workflow.to_svg())
            document = json_bytes(workflow.ui or workflow.prompt or {})
        except ComfyError as error:
            logger.info("the workflow of %s cannot be drawn: %s", origin.caption, error)
        if not origin.usable:
            items = [*_values(workflow), *items]
    message: Story = {"kind": "story", "run": run, "index": index, "items": items, "usable": origin.usable}
    return message, [drawing, document]


def _values(workflow: Workflow) -> list[Detail]:
    try:
        params = workflow.params()
    except ComfyError:
        return []
    shown = {name: param for name, param in params.items() if param.primary} or dict(params.items())
    return details_of(shown, {name: param.value for name, param in shown.items()})


def differences(message: WantDifferences, origins: tuple[Origin | None, Origin | None]) -> Differences:
    """Return in words what differs between the workflows of two images."""
    lines, unknown = words(*origins)
    return {**message, "lines": lines, "unknown": unknown}


def words(first: Origin | None, second: Origin | None) -> tuple[list[str], str]:
    """Return what differs between the workflows of two images, and why that cannot be told where it cannot."""
    if first is None or second is None:
        return [], "One of the two images is gone."
    # What ran is compared: the editor's own form may need definitions that are not at hand.
    before, after = _prompt_of(first), _prompt_of(second)
    if before is None or after is None:
        if before is after:
            return [], "No workflow is known of these two."
        missing = [one.caption for one, found in ((first, before), (second, after)) if found is None]
        return [], f"No workflow is known of {' and '.join(missing)}."
    try:
        lines = before.diff(after, labels=True)
    except ComfyError as error:
        return [], str(error)
    more = len(lines) - MAX_LINES
    return ([*lines[:MAX_LINES], f"{more} more"] if more > 0 else lines), ""


def _prompt_of(origin: Origin) -> Workflow | None:
    if origin.result is not None and origin.result.prompt:
        try:
            return _load(dict(origin.result.prompt))
        except ComfyError:
            pass
    workflow = origin.workflow()
    return _load(workflow.prompt) if workflow is not None and workflow.prompt is not None else workflow
