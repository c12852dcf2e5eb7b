"""What stands on a node's card, line by line."""

from __future__ import annotations

from dataclasses import dataclass

from .scene import Box
from .text import BOLD, fit, plain_lines, width, wrap

FONT = 12.5
"""The size of a title, at which all other measures are meant; `Card.unit` scales them."""

_SMALL = 0.88
_STEP = 1.36
_TITLE_STEP = 1.2
_TITLE_ROOM = 0.62
_PAD = 0.5


@dataclass(frozen=True)
class Line:
    """A line of small text: a name, its value, and something at the right edge. `y` counts from the card's top."""

    y: float
    name: str = ""
    value: str = ""
    right: str = ""


class Card:
    """The content of a box, as much as fits into the size it was given.

    Parameters
    ----------
    box : Box
        Its size is the most that the card takes.
    font : float
        The size of the title.
    slots : bool
        Whether the names of inputs and outputs are to be shown, if there is room.
    shrink : bool
        Whether the card may be lower than its box.
    """

    def __init__(self, box: Box, font: float, *, slots: bool, shrink: bool) -> None:
        self.box = box
        self.font = font
        self.unit = font / FONT
        self.small = font * _SMALL
        self.left = 13 * self.unit
        self.room = max(box.width - self.left - 8 * self.unit, 1)
        title = f"{box.title} ({box.mode})" if box.mode else box.title
        two = box.height >= font * (_TITLE_ROOM + 2 * _TITLE_STEP)
        self.title = wrap(title, self.room / (font * BOLD), 2 if two and shrink else 1)
        top = font * (_TITLE_ROOM + _TITLE_STEP * len(self.title))
        rows = max(0, int((box.height - top) / (font * _STEP) + 0.15))
        sockets = max(len(box.inputs), len(box.outputs))
        self.slots = slots and 0 < sockets <= rows
        texts = self._sockets(sockets) if self.slots else []
        texts += self._values(rows - len(texts))
        self.lines = [
            Line(top + font * (_STEP * index + 0.92), name, value, right)
            for index, (name, value, right) in enumerate(texts)
        ]
        used = top + font * (_STEP * len(texts) + (_PAD if texts else _PAD / 2))
        self.height = max(min(used, box.height) if shrink else box.height, font * 1.75)

    def title_y(self, number: int) -> float:
        """Return where a line of the title stands."""
        return self.font * (1.38 + _TITLE_STEP * number)

    def slot_y(self, slot: int, count: int) -> float:
        """Return where the dot of a slot is: beside its name, or at even distances."""
        if self.slots:
            return self.lines[slot].y - self.font * 0.3
        return self.height * (slot + 1) / (count + 1)

    def _sockets(self, count: int) -> list[tuple[str, str, str]]:
        inputs = [socket.name for socket in self.box.inputs] + [""] * count
        outputs = [socket.name for socket in self.box.outputs] + [""] * count
        units = self.room / self.small
        texts = []
        for given, made in zip(inputs[:count], outputs[:count], strict=True):
            left = fit(given, units * (0.58 if made else 1))
            texts.append((left, "", fit(made, units - width(left) - (1 if left else 0))))
        return texts

    def _values(self, rows: int) -> list[tuple[str, str, str]]:
        units = self.room / self.small
        if rows <= 0:
            return []
        if self.box.note:
            wrapped = [line for text in plain_lines(self.box.note) for line in wrap(text, units, rows)]
            return [("", line, "") for line in wrapped[:rows]]
        values = [(name, value) for name, value in self.box.values if value]
        if len(values) == 1:
            # A single long text, such as a prompt, may use the whole card.
            name, value = values[0]
            lines = wrap(f"{name} {value}" if name else value, units, rows)
            if name and lines[0].startswith(f"{name} "):
                return [(name, lines[0][len(name) + 1 :], ""), *(("", line, "") for line in lines[1:])]
            return [("", line, "") for line in lines]
        texts = []
        for name, value in values[:rows]:
            label = fit(name, units * 0.6)
            texts.append((label, fit(value, units - width(label) - (0.4 if label else 0)), ""))
        return texts
