"""Why do two images differ? In words, in numbers, and, with a server, by which of the changes."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ..client import Result
from ..protocol import ComfyError
from ..workflow import Workflow, is_link
from ._cell import Cell
from ._images import FoundImage

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 128
_SAME = 0.01
"""A mean difference below this is none that anybody sees."""


@dataclass(frozen=True)
class Explanation:
    """What differs between two images.

    Attributes
    ----------
    changes : list of str
        What differs in the workflows, in words.
    difference : float or None
        How much the images differ: the mean over all pixels, 0 to 1. None where one has no image.
    causes : list of str or None
        Which of the changes make the difference; None where no server was asked, or the workflows have other nodes.
    runs : int
        How many prompts that took.

    Examples
    --------
    >>> explain(example(), example().with_params(steps=9)).changes
    ['KSampler.steps 20 → 9']
    """

    changes: list[str]
    difference: float | None
    causes: list[str] | None = None
    runs: int = 0

    def __str__(self) -> str:
        if not self.changes:
            return "The two have the same workflow."
        seen = f"The images differ by {self.difference:.0%}. " if self.difference is not None else ""
        if self.causes is None:
            return f"{seen}Different are: {'; '.join(self.changes)}."
        if not self.causes:
            return f"{seen}None of the changes makes a difference: {'; '.join(self.changes)}."
        return f"{seen}What makes it: {'; '.join(self.causes)} ({len(self.changes)} changes, {self.runs} runs)."

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(str(self))}</p>"


def explain(one: Any, other: Any, *, client: Any = None) -> Explanation:
    """Say why two images differ.

    Parameters
    ----------
    one, other : Cell, FoundImage, Result, Workflow, path or dict
        Two cells of a sweep, two files, two results, two workflows.
    client : ComfyClient, optional
        A server on which it is found out which of the changes make the difference, by halves: at most ``log2(n) + 1``
        prompts for n changed values.

    Returns
    -------
    Explanation

    Raises
    ------
    WorkflowError
        One of them holds no workflow.

    Examples
    --------
    >>> from comfy_widgets import example
    >>> from comfy_widgets.experiments import explain
    >>> str(explain(example(), example().with_params(cfg=2, steps=9)))
    'Different are: KSampler.steps 20 → 9; KSampler.cfg 7.0 → 2.'
    """
    first, first_image = _parts(one)
    second, second_image = _parts(other)
    if client is not None:
        first, second = first.bind(client.object_info()), second.bind(client.object_info())
    changes = first.diff(second)
    values = changed_values(first, second)
    if client is not None and values is not None and values:
        return _Search(client, first, second, values, changes).explanation(first_image, second_image)
    return Explanation(changes, _difference(first_image, second_image))


def changed_values(one: Workflow, other: Workflow) -> dict[tuple[str, str], Any] | None:
    """Return the values of another workflow that differ, by node and input; None where nodes or links differ."""
    before, after = one.to_prompt(), other.to_prompt()
    if before.keys() != after.keys():
        return None
    values: dict[tuple[str, str], Any] = {}
    for node_id, node in before.items():
        mine, theirs = node["inputs"], after[node_id]["inputs"]
        if node["class_type"] != after[node_id]["class_type"] or mine.keys() != theirs.keys():
            return None
        for name, value in theirs.items():
            if mine[name] == value:
                continue
            if is_link(value) or is_link(mine[name]):
                return None
            values[node_id, name] = value
    return values


class _Search:
    """Halves the changes until the one is left that makes the difference."""

    def __init__(
        self, client: Any, one: Workflow, other: Workflow, values: Mapping[tuple[str, str], Any], changes: list[str]
    ) -> None:
        self._client = client
        self._one = one
        self._other = other
        self._values = dict(values)
        self._changes = changes
        self._runs = 0

    def explanation(self, first: Image | None, second: Image | None) -> Explanation:
        # Images at hand cost no prompt.
        first = first if first is not None else self._run({})
        second = second if second is not None else self._run(self._values)
        difference = _difference(first, second)
        if difference is None or difference < _SAME:
            return Explanation(self._changes, difference, [], self._runs)
        left = list(self._values)
        while len(left) > 1:
            half = left[: len(left) // 2]
            image = self._run({place: self._values[place] for place in half})
            left = half if _nearer(image, second, first) else left[len(left) // 2 :]
        image = self._run({place: self._values[place] for place in left})
        if not _nearer(image, second, first):
            # No single one: only together they make it.
            left = list(self._values)
        return Explanation(self._changes, difference, self._words(left), self._runs)

    def _run(self, values: Mapping[tuple[str, str], Any]) -> Image:
        workflow = self._one.with_params({f"{node_id}.{name}": value for (node_id, name), value in values.items()})
        self._runs += 1
        images: list[Image] = self._client.run(workflow).images
        if not images:
            raise ComfyError("The workflow makes no image that could be compared.")
        return images[0]

    def _words(self, places: list[tuple[str, str]]) -> list[str]:
        changed = self._one.with_params({f"{node}.{name}": self._values[node, name] for node, name in places})
        return self._one.diff(changed)


def _parts(given: Any) -> tuple[Workflow, Image | None]:
    """The workflow and the image of whatever was given."""
    if isinstance(given, (Cell, FoundImage)):
        return given.workflow, given.image
    if isinstance(given, Result):
        return Workflow.load(dict(given.prompt)), next(iter(given.images), None)
    workflow = Workflow.load(given)
    if workflow.prompt is not None and workflow.ui is not None:
        workflow = workflow.reproduce()
    if isinstance(given, (str, os.PathLike)):
        return workflow, _image(Path(given))
    return workflow, None


def _image(path: Path) -> Image | None:
    from PIL import Image as Pillow

    try:
        image: Image = Pillow.open(path)
        image.load()
    except (OSError, ValueError):
        # A file of JSON has none.
        return None
    return image


def _difference(one: Image | None, other: Image | None) -> float | None:
    from PIL import ImageChops, ImageStat

    if one is None or other is None:
        return None
    mine, theirs = (image.convert("RGB").resize((_SIDE, _SIDE)) for image in (one, other))
    return fmean(ImageStat.Stat(ImageChops.difference(mine, theirs)).mean) / 255


def _nearer(image: Image, one: Image, other: Image) -> bool:
    """Whether an image is more like one than like another."""
    near, far = _difference(image, one), _difference(image, other)
    assert near is not None and far is not None
    return near < far
