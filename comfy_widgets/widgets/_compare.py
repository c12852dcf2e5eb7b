"""`ImageCompare`: two images looked at together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets
from traitlets import HasTraits, TraitError, TraitType

from ..client import Result
from ..errors import ComfyError
from ._assets import part_files
from ._base import Widget
from ._images import Shown, single
from ._run_state import idle
from ._stories import Origin, words

if TYPE_CHECKING:
    from ._schema import Images


class ImageTrait(TraitType[Any, Any]):
    """A trait that takes one image of any kind."""

    info_text = "an image: a PIL image, a file, its bytes, an array, or a Result with one image"

    def validate(self, obj: HasTraits, value: Any) -> Any:
        """Return the value, if an image can be made of it."""
        try:
            obj._take(self.name, value)  # type: ignore[attr-defined]
        except (ComfyError, ValueError, OSError) as error:
            raise TraitError(f"{self.name} cannot be shown: {error}") from None
        return value


class ImageCompare(Widget):
    """Two images compared: a slider between them, side by side with one zoom for both, in turn, or their difference.

    Under them stands in words what differs between their workflows, where they have some. Images of different sizes
    are fitted to each other, and that is told.

    Parameters
    ----------
    a, b : PIL image, str, Path, bytes, array or Result
        The two images. A str or Path is a file; an array has shape (height, width), (height, width, 3) or
        (height, width, 4), with floats from 0 to 1 or bytes; of a result the first image is taken.
    labels : sequence of two str, optional
        What stands under them; by default the file's name and the size.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    a, b : object
        The two images; may be set and linked.
    labels : tuple of str
        What stands under them; may be set. Empty for the files' names and sizes.
    differences : list of str
        What differs between the workflows of the two; empty where nothing does, or where none are known.

    Raises
    ------
    TraitError
        One of the two is no image, or cannot be read.

    Examples
    --------
    >>> from comfy_widgets import ImageCompare, example
    >>> compare = ImageCompare(client.run(example(), steps=2), client.run(example(), steps=4))
    >>> compare.differences
    ['Steps 2 → 4']
    """

    _bundle: ClassVar[str] = "compare"

    _run = traitlets.Dict().tag(sync=True)
    _words = traitlets.Dict().tag(sync=True)

    a: ImageTrait = ImageTrait(help="The first image; may be set.")
    b: ImageTrait = ImageTrait(help="The second image; may be set.")
    labels: traitlets.Tuple = traitlets.Tuple(help="What stands under the two; empty for names and sizes.")

    def __init__(self, a: Any, b: Any, labels: Sequence[str] = (), *, layout: Any = None) -> None:
        self._origins: dict[str, Origin] = {}
        self._sides: dict[str, Shown] = {}
        self._version = 0
        super().__init__(_run=idle(), _words={"lines": [], "unknown": ""}, layout=layout)
        # Unasked, too: the cell that goes on to work would not answer before its end.
        self._send_code(part_files("comparison", present=self._bundle))
        self.a, self.b = a, b
        self.labels = tuple(labels)
        self._show()

    @property
    def differences(self) -> list[str]:
        """What differs between the workflows of the two."""
        return list(self._words["lines"])

    def _about(self) -> str:
        captions = self.labels or [side.caption for side in self._sides.values()]
        return f"of {' and '.join(map(repr, captions))}" if captions else ""

    @traitlets.validate("labels")
    def _check_labels(self, proposal: Any) -> tuple[str, ...]:
        labels = tuple(map(str, proposal["value"]))
        if len(labels) not in (0, 2):
            raise TraitError(f"There are {len(labels)} labels for two images; give two, or none.")
        return labels

    def _take(self, name: str, value: Any) -> None:
        side, source = single(value)
        result = value if isinstance(value, Result) else None
        self._sides[name], self._origins[name] = side, Origin(source, side.caption, result)

    @traitlets.observe("a", "b", "labels")
    def _on_change(self, _: object) -> None:
        if len(self._sides) == 2:
            self._show()

    def _show(self) -> None:
        sides = [self._sides["a"], self._sides["b"]]
        if self.labels:
            sides = [replace(side, label=label) for side, label in zip(sides, self.labels, strict=True)]
        self._version += 1
        lines, unknown = words(self._origins["a"], self._origins["b"])
        self._words = {"lines": lines, "unknown": unknown}
        state = idle()
        state["run"] = self._version
        self._run = {**state}
        items = [side.item(index) for index, side in enumerate(sides)]
        message: Images = {"kind": "images", "run": self._version, "total": 2, "items": items}
        self.send(message, [side.content for side in sides])

    def _on_hello(self, message: Any, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._show()
