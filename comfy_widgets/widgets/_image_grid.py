"""`ImageGrid`: images beside each other, as they come or as the grid of an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ._base import Handler, Widget
from ._images import Missing, Shown, all_encoded, encoded, marked, original, original_message, shown
from ._lazy_images import ImagesTrait, LazyImages
from ._live import LiveTrait, announce
from ._run_state import idle
from ._stories import Origin, differences, facts, story
from ._wanted import send_wanted

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..client import Result
    from ._schema import GridAxes, Images, Select, Star, SweepAxis, WantDifferences, WantImages, WantOriginal, WantStory

Axis = Sequence[Any] | Mapping[str, Sequence[Any]]
"""Values for columns or rows; with a name, as in ``{"cfg": [2, 5, 8]}``."""

_FIRST, _BATCH = 60, 500
"""Images in the first message, which are seen at once, and in each of the others."""


class ImageGrid(Widget):
    """Images in a grid; a click shows one large, and they can be selected, starred, copied and saved.

    Parameters
    ----------
    images : Result, or iterable of PIL images, optional
        The images of a result go to the browser byte for byte.
    labels : sequence of str, optional
        A caption for each image.
    x, y : sequence, or Mapping of str to sequence, optional
        What stands over the columns and beside the rows of an experiment, whose images come row by row. With a name:
        ``x={"cfg": [2, 5, 8]}``. With `x` alone there are as many rows as the images fill, with `y` alone as many
        columns.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    images : sequence of PIL images
        What it shows; may be set, also to a `Result`, and linked. Setting it takes the labels away, and the axes where
        there are more or fewer images than before.
    labels : tuple of str
        The captions; may be set, one for each image. Empty where there are none.
    selected, starred : list of PIL images
        The images that are selected and starred in the browser; read-only, to be observed.

    Raises
    ------
    ValueError
        There are not as many labels as images, or the images do not fill the rows and columns.

    Examples
    --------
    >>> from PIL import Image
    >>> from comfy_widgets import ImageGrid
    >>> grid = ImageGrid([Image.new("RGB", (64, 64), color) for color in ("red", "blue")], labels=["one", "two"])
    >>> grid.images = client.run(example(), steps=2)
    >>> len(grid.images)
    1

    An experiment, with heads over its columns and beside its rows:

    >>> shades = [Image.new("RGB", (64, 64), (red, 0, blue)) for blue in (0, 255) for red in (0, 128, 255)]
    >>> grid = ImageGrid(shades, x={"red": [0, 128, 255]}, y={"blue": [0, 255]})
    """

    _bundle: ClassVar[str] = "grid"

    _run = traitlets.Dict().tag(sync=True)
    _marks = traitlets.Dict().tag(sync=True)
    _axes = traitlets.Dict().tag(sync=True)

    images: ImagesTrait = ImagesTrait(help="What it shows; may be set, also to a Result, and linked.")
    labels: traitlets.Tuple = traitlets.Tuple(help="A caption for each image; empty where there are none.")
    selected: LiveTrait = LiveTrait([], lambda grid: grid._marked("selected"), help="Selected images; read-only.")
    starred: LiveTrait = LiveTrait([], lambda grid: grid._marked("starred"), help="Starred images; read-only.")

    def __init__(
        self,
        images: Result | Iterable[Image] = (),
        labels: Sequence[str] | None = None,
        *,
        x: Axis | None = None,
        y: Axis | None = None,
        layout: Any = None,
    ) -> None:
        self._shown: list[Shown] = []
        self._version = 0
        self._is_quiet = True
        super().__init__(_run=idle(), _marks={"selected": [], "starred": []}, _axes=_no_axes(), layout=layout)
        self.images = images
        if x is not None or y is not None:
            self._axes = {**_axes(x, y, len(self._shown))}
            self._name_places()
        if labels is not None:
            self.labels = tuple(labels)
        self._is_quiet = False
        self._show()

    def _about(self) -> str:
        count = len(self._shown)
        return f"of {count} image{'s' * (count != 1)}"

    @traitlets.validate("labels")
    def _check_labels(self, proposal: Any) -> tuple[str, ...]:
        labels = tuple(map(str, proposal["value"]))
        if labels and len(labels) != len(self._shown):
            raise ValueError(f"There are {len(self._shown)} images, but {len(labels)} labels; give one for each.")
        return labels

    @traitlets.observe("labels")
    def _on_labels(self, _: object) -> None:
        labels = self.labels or [""] * len(self._shown)
        self._shown = [replace(image, label=text) for image, text in zip(self._shown, labels, strict=True)]
        self._show()

    @traitlets.observe("images")
    def _on_images(self, _: object) -> None:
        images, before = self.images, len(self._shown)
        if isinstance(images, LazyImages):
            found = shown(images.result, later=True) if images.result is not None else ()
            self._shown = [one for one in found if not isinstance(one, Missing)]
        else:
            self._shown = [*all_encoded(images)]
        self._version += 1
        self._set_marks({"selected": [], "starred": []})
        if len(self._shown) != before:
            self._axes = {**_no_axes()}
        self._name_places()
        if self.labels:
            self.labels = ()
        else:
            self._show()

    def _name_places(self) -> None:
        """Tell each image by its row and column, for those who do not see the heads."""
        columns, rows = self._axes["x"], self._axes["y"]
        if columns is None or rows is None:
            return
        width = len(columns["labels"])
        self._shown = [
            replace(image, place=f"{_label(columns, index % width)} · {_label(rows, index // width)}")
            for index, image in enumerate(self._shown)
        ]

    def _show(self) -> None:
        if self._is_quiet:
            return
        width, height = self._shown[0].size or (1, 1) if self._shown else (1, 1)
        state = idle({"width": width, "height": height, "count": len(self._shown)})
        state["run"] = self._version
        self.set_trait("_run", state)
        total = len(self._shown)
        # In parts: a browser that draws thousands at once stops for seconds.
        starts = [0, *range(_FIRST, total, _BATCH)]
        for start, end in pairwise([*starts, total]) if total or self._version > 1 else ():
            part = self._shown[start:end]
            items = [image.item(start + index) for index, image in enumerate(part)]
            message: Images = {"kind": "images", "run": self._version, "total": total, "items": items}
            self.send(message, [b"" if image.later else image.content for image in part])

    # What the browser says

    def _message_handlers(self) -> Mapping[str, Handler]:
        return {
            **super()._message_handlers(),
            "images": self._on_images_wanted,
            "original": self._on_original,
            "select": self._on_select,
            "star": self._on_star,
            "story": self._on_story,
            "differences": self._on_differences,
        }

    def _on_hello(self, message: Any, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._show()

    def _on_images_wanted(self, message: WantImages, buffers: list[memoryview]) -> None:
        send_wanted(
            message,
            lambda: (self._shown, len(self._shown)) if message["run"] == self._version else None,
            self.send,
        )

    def _on_original(self, message: WantOriginal, buffers: list[memoryview]) -> None:
        whole = self._whole((message["run"], message["index"]))
        if whole is not None:
            self.send(original_message(message, whole), [whole.content])

    def _on_select(self, message: Select, buffers: list[memoryview]) -> None:
        self._mark("selected", message)

    def _on_star(self, message: Star, buffers: list[memoryview]) -> None:
        self._mark("starred", message)

    def _on_story(self, message: WantStory, buffers: list[memoryview]) -> None:
        origin = self._origin((message["run"], message["index"]))
        if origin is not None:
            self.send(*story(message["run"], message["index"], origin))

    def _on_differences(self, message: WantDifferences, buffers: list[memoryview]) -> None:
        origins = self._origin(message["a"]), self._origin(message["b"])
        self.send(differences(message, origins))

    def _mark(self, name: str, message: Select | Star) -> None:
        if message["run"] == self._version:
            places = [(self._version, index) for index in marked(message["images"], len(self._shown))]
            self._set_marks({**self._marks, name: places})

    def _set_marks(self, marks: dict[str, Any]) -> None:
        self._marks = marks
        for name in ("selected", "starred"):
            announce(self, name)

    def _marked(self, name: str) -> list[Any]:
        return [self._opened(index) for _, index in self._marks.get(name, ())]

    def _opened(self, index: int) -> Image:
        images = self.images
        return images.at(self._shown[index].source) if isinstance(images, LazyImages) else images[index]

    def _whole(self, place: tuple[int, int]) -> Shown | None:
        """Return an image at its full size."""
        images, (version, index) = self.images, place
        if version != self._version or not 0 <= index < len(self._shown):
            return None
        image = self._shown[index]
        if image.whole:
            return image
        if not isinstance(images, LazyImages):
            whole: Shown | None = encoded(images[index])
        else:
            whole = original(images.result, image.source) if images.result is not None else None
        return replace(whole, label=image.label, place=image.place) if whole is not None else None

    def _origin(self, place: tuple[int, int]) -> Origin | None:
        """Return where an image comes from."""
        image = self._whole(place)
        if image is None:
            return None
        images = self.images
        result = images.result if isinstance(images, LazyImages) else None
        return Origin(image.content, image.caption, result, facts(result, image.size, image.name if result else ""))


def _no_axes() -> GridAxes:
    return {"x": None, "y": None}


def _axes(x: Axis | None, y: Axis | None, count: int) -> GridAxes:
    columns, rows = _axis("x", x), _axis("y", y)
    if columns is None and rows is not None:
        columns = {"name": "", "labels": [""] * max(1, count // len(rows["labels"]))}
    if rows is None and columns is not None:
        rows = {"name": "", "labels": [""] * max(1, count // len(columns["labels"]))}
    if columns is None or rows is None:
        return _no_axes()
    wide, high = len(columns["labels"]), len(rows["labels"])
    if wide * high != count:
        raise ValueError(
            f"{count} images do not fill {high} rows of {wide} columns; give {wide * high} images, row by row."
        )
    return {"x": columns, "y": rows}


def _axis(argument: str, axis: Axis | None) -> SweepAxis | None:
    if axis is None:
        return None
    if isinstance(axis, Mapping) and len(axis) != 1:
        raise ValueError(f"{argument} names {len(axis)} axes; give one, such as {argument}={{'cfg': [2, 5, 8]}}.")
    name, values = next(iter(axis.items())) if isinstance(axis, Mapping) else ("", axis)
    labels = [str(value) for value in values] if isinstance(values, Iterable) else []
    if not labels or isinstance(values, str):
        raise ValueError(f"{argument} is {values!r}, but must be a list of at least one value.")
    return {"name": str(name), "labels": labels}


def _label(axis: SweepAxis, index: int) -> str:
    return f"{axis['name']} {axis['labels'][index]}".strip()
