"""The images of a result as a sequence that opens each when it is looked at, and a trait that holds images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from traitlets import HasTraits, TraitError, TraitType

from ..client import Result
from ..errors import FileGone

if TYPE_CHECKING:
    from PIL.Image import Image


class LazyImages(Sequence["Image"]):
    """The images of a result, each opened when it is looked at.

    Hundreds of opened images would fill the kernel's memory; here only those are open that somebody holds. It equals
    a list of the same images.

    Parameters
    ----------
    result : Result or None
        None for no images.
    """

    def __init__(self, result: Result | None = None) -> None:
        self.result = result
        self._open: WeakValueDictionary[int, Image] = WeakValueDictionary()

    @cached_property
    def _indices(self) -> list[int]:
        """Those that are still on the server."""
        result = self.result
        if result is None:
            return []
        there = []
        for index, file in enumerate(result.image_files):
            try:
                result.bytes(file)
            except FileGone:
                continue
            there.append(index)
        files = len(result.image_files)
        return [*there, *range(files, files + len(result.streamed))]

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return self.at(self._indices[index])

    def at(self, source: int) -> Image:
        """Open one image, counted over all of the result, also those that are gone.

        Parameters
        ----------
        source : int

        Returns
        -------
        PIL.Image.Image
        """
        image = self._open.get(source)
        if image is None:
            image = self._open[source] = self._opened(source)
        return image

    def _opened(self, index: int) -> Image:
        assert self.result is not None
        files = self.result.image_files
        if index < len(files):
            return self.result.open(files[index])
        return self.result.images[index - len(files) - len(self.result.streamed)]

    def __iter__(self) -> Iterator[Image]:
        return (self[index] for index in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LazyImages):
            return self.result is other.result
        return list(self) == other if isinstance(other, list) and len(other) == len(self) else False

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<{len(self)} image{'s' * (len(self) != 1)}>"


class ImagesTrait(TraitType[Any, Any]):
    """A trait that takes a result, or PIL images."""

    default_value: Any = ()
    info_text = "a Result, or PIL images"

    def validate(self, obj: HasTraits, value: Any) -> Any:
        """Return a sequence of images."""
        if isinstance(value, LazyImages):
            return value
        if isinstance(value, Result):
            return LazyImages(value)
        try:
            images = list(value)
        except TypeError:
            raise TraitError(f"images is {value!r}, but must be a Result or PIL images.") from None
        for image in images:
            if not hasattr(image, "save"):
                raise TraitError(f"images holds {image!r}, which is no PIL image.")
        return images
