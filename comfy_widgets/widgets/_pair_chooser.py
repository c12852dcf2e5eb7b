"""`PairChooser`: two images side by side, of which one is chosen."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ._base import Handler, Widget
from ._pump import pump

if TYPE_CHECKING:
    from ..experiments import Cell, Preferences
    from ._schema import PairChosen, PairShown

_MIMES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif"}
_CHOICES: tuple[Literal["left"], Literal["right"], Literal["same"]] = ("left", "right", "same")
_MOST_BYTES = 12 << 20
_SIDE = 1024


class PairChooser(Widget):
    """Two images of a sweep side by side: the arrow keys choose, and the next two come.

    Their values are hidden, so that only the images count, until somebody asks for them.

    Parameters
    ----------
    preferences : Preferences
        What `comfy_widgets.prefer` returned.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    preferences : Preferences
        What it asks for, and what was learned.

    Examples
    --------
    >>> from comfy_widgets import prefer
    >>> chooser = PairChooser(prefer(run))
    >>> chooser.preferences.sure
    False
    """

    _bundle: ClassVar[str] = "prefer"

    def __init__(self, preferences: Preferences, *, layout: Any = None) -> None:
        self.preferences: Preferences = preferences
        super().__init__(layout=layout)
        self._feed = _PairFeed(self)

    def close(self) -> None:
        """End the widget in the browser. What was answered is kept.

        Examples
        --------
        >>> from comfy_widgets import prefer
        >>> PairChooser(prefer(run)).close()
        """
        if hasattr(self, "_feed"):
            self._feed.stop()
        super().close()

    def _message_handlers(self) -> Mapping[str, Handler]:
        return {**super()._message_handlers(), "chosen": self._on_chosen}

    def _on_hello(self, message: Any, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._feed.repeat()

    def _on_chosen(self, message: PairChosen, buffers: list[memoryview]) -> None:
        choice, pair = message["choice"], self._feed.pair
        if choice == "undo":
            self.preferences.undo()
        elif message["turn"] == self._feed.turn and pair is not None and choice in _CHOICES:
            # Of an earlier turn it is the second press of a key, for two that nobody has seen yet.
            self.preferences.choose(choice, pair)


class _PairFeed:
    """Sends what is to be compared, from the pump's thread; two that are shown stay until an answer comes."""

    def __init__(self, widget: PairChooser) -> None:
        self._widget = widget
        self.pair: tuple[Cell, Cell] | None = None
        self.turn = -1
        self._due = True
        self._stopped = False
        self._stops = [
            widget.preferences.on_change(self._on_answer),
            widget.preferences.run.on_change(self._on_cell),
        ]
        pump.wake(self)

    @property
    def ending(self) -> bool:
        """Whether the browser does not know yet what to show."""
        return self._due

    def repeat(self) -> None:
        """Send it again, to a page that has missed it."""
        self._due = True
        pump.wake(self)

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped = True
        for stop in self._stops:
            stop()
        pump.drop(self)

    def _on_answer(self) -> None:
        self.pair = None
        self.repeat()

    def _on_cell(self, cell: Cell | None) -> None:
        # Where two are shown, another image waits for its turn.
        if self.pair is None and cell is not None and cell.files and not self._stopped:
            self.repeat()

    def flush(self) -> float | None:
        """Tell the browser what to show."""
        if self._stopped or not self._due:
            return None
        self._due = False
        preferences = self._widget.preferences
        if self.pair is None:
            self.pair = preferences.pair
        self.turn = len(preferences)
        images = [_image(cell) for cell in self.pair or ()]
        message: PairShown = {
            "kind": "pair",
            "turn": self.turn,
            "words": [", ".join(f"{name} {label}" for name, label in cell.labels.items()) for cell in self.pair or ()],
            "mimes": [mime for mime, _ in images],
            "told": str(preferences),
            "sure": preferences.sure,
        }
        self._widget.send(message, [content for _, content in images])
        return None


def _image(cell: Cell) -> tuple[str, bytes]:
    """The first image of a cell as a browser shows it."""
    file = next(file for file in cell.files if file.kind == "image")
    mime = _MIMES.get(file.path.suffix.lower())
    if mime is not None and file.path.stat().st_size <= _MOST_BYTES:
        return mime, file.path.read_bytes()
    image = cell.image
    assert image is not None
    image.thumbnail((_SIDE, _SIDE))
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "WEBP", quality=90)
    return "image/webp", stream.getvalue()
