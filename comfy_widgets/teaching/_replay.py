"""`ReplaySlider`: a recorded sweep, looked through with sliders."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ..cassettes import Cassette
from ..errors import CassetteError
from ._base import TeachingWidget, number, webp

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 512
MAX_IMAGES = 600


class ReplaySlider(TeachingWidget):
    """All runs of a cassette behind sliders, one for each value that was varied; the image follows at once.

    Parameters
    ----------
    cassette : Cassette, str or Path
        With runs of one workflow; two values at least must differ.
    labels : dict, optional
        Names to show in place of those of the inputs: ``{"cfg": "Guidance"}``.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    value : dict
        The value of each input that was varied; may be set, observed and linked.
    cassette : Cassette
        What it shows.

    Raises
    ------
    CassetteError
        The file is no cassette, or nothing was varied in it, or it has more than 600 runs.

    Examples
    --------
    >>> from comfy_widgets import ReplaySlider, record
    >>> with record("seeds.cassette", client):
    ...     for seed in range(3):
    ...         _ = client.run(example(), width=64, height=64, steps=1, seed=seed)
    >>> slider = ReplaySlider("seeds.cassette")
    >>> slider.value = {"seed": 2}
    >>> slider.image.size
    (64, 64)
    """

    _bundle: ClassVar[str] = "replay"

    value: traitlets.Dict = traitlets.Dict(help="The value of each input that was varied.")

    def __init__(
        self, cassette: Cassette | str | Path, *, labels: Mapping[str, str] | None = None, layout: Any = None
    ) -> None:
        self.cassette: Cassette = cassette if isinstance(cassette, Cassette) else Cassette(cassette)
        self._axes = self.cassette.varied()
        if not self._axes:
            raise CassetteError(f"{str(self.cassette.path)!r} has nothing to slide: no value differs between its runs.")
        if len(self.cassette.runs) > MAX_IMAGES:
            raise CassetteError(f"{str(self.cassette.path)!r} has more than {MAX_IMAGES} runs, too many for a browser.")
        self._names = _short_names(list(self._axes))
        self._images = {self._place(run.prompt): self.cassette.images(run)[:1] for run in self.cassette.runs}
        first = next(iter(self._images))
        shown = labels or {}
        axes = [
            {"label": shown.get(name, name), "values": [_words(value) for value in values]}
            for name, values in zip(self._names, self._axes.values(), strict=True)
        ]
        missing = [] if self._is_whole() else [_key(place) for place in self._all_places() if place not in self._images]
        state = {"title": self.cassette.title, "axes": axes, "at": list(first), "missing": missing}
        super().__init__(state, layout=layout)
        self._put_pictures({_key(place): _small(images[0]) for place, images in self._images.items() if images})
        self.value = self._value_at(first)

    @property
    def image(self) -> Image | None:
        """The image that is shown; None where nothing was recorded for these values."""
        from PIL import Image

        images = self._images.get(self._at())
        return Image.open(io.BytesIO(images[0])) if images else None

    @traitlets.validate("value")
    def _validate(self, proposal: Any) -> dict[str, Any]:
        at = dict(zip(self._names, self._at(), strict=True))
        for name, value in dict(proposal["value"]).items():
            if name not in at:
                raise ValueError(f"{name!r} was not varied; there are {', '.join(self._names)}.")
            known = list(self._axes.values())[self._names.index(name)]
            if value not in known:
                raise ValueError(f"{name} {_words(value)} was not recorded; there are {', '.join(map(_words, known))}.")
            at[name] = known.index(value)
        return self._value_at(tuple(at.values()))

    @traitlets.observe("value")
    def _on_value(self, _: object) -> None:
        at = [known.index(self.value[name]) for name, known in zip(self._names, self._axes.values(), strict=True)]
        if self._state.get("at") != at:
            self._set_state(at=at)

    def _changes(self) -> Mapping[str, Callable[[Any], object]]:
        return {"at": self._take}

    def _take(self, value: Any) -> None:
        sizes = [len(known) for known in self._axes.values()]
        indices = [int(number(index, 0, size - 1)) for index, size in zip(value, sizes, strict=True)]
        self.value = self._value_at(tuple(indices))

    def _at(self) -> tuple[int, ...]:
        return tuple(self._state["at"])

    def _value_at(self, place: Sequence[int]) -> dict[str, Any]:
        known = zip(self._names, self._axes.values(), place, strict=True)
        return {name: values[index] for name, values, index in known}

    def _place(self, prompt: Mapping[str, Any]) -> tuple[int, ...]:
        """Return where a run stands on each axis."""
        found = []
        for (node, name), values in self._axes.items():
            value = prompt.get(node, {}).get("inputs", {}).get(name)
            found.append(values.index(value) if value in values else 0)
        return tuple(found)

    def _is_whole(self) -> bool:
        count = 1
        for values in self._axes.values():
            count *= len(values)
        return count == len(self._images) or count > 100_000

    def _all_places(self) -> list[tuple[int, ...]]:
        from itertools import product

        return list(product(*(range(len(values)) for values in self._axes.values())))


def _key(place: Sequence[int]) -> str:
    return ",".join(map(str, place))


def _words(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _short_names(places: list[tuple[str, str]]) -> list[str]:
    """Return the names of inputs, with their node where two are alike."""
    names = [name for _, name in places]
    return [name if names.count(name) == 1 else f"{name} ({node})" for node, name in places]


def _small(content: bytes) -> bytes:
    """Return an image as it is, or smaller where it is large."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        return content if max(image.size) <= _SIDE and image.format == "WEBP" else webp(image, _SIDE)
