"""Writing a placed scene as SVG.

Cards and wires must be readable on a white and on a dark page, and the image stands in an ``<img>`` that knows
nothing of the notebook's theme: so the cards are opaque with dark text, and all that lies on the page itself has middle
tones. There are no ids, styles or scripts: several images on one page do not disturb each other, and every viewer
shows it.
"""

from __future__ import annotations

import colorsys
import zlib
from itertools import pairwise

from .card import FONT, Card
from .scene import Frame, Scene, Wire
from .text import BOLD, escape, fit, width

# Strong enough on white, light enough on black.
_COLORS = {
    "MODEL": "#8f74d2",
    "CLIP": "#c79a1b",
    "VAE": "#dd5a5a",
    "CONDITIONING": "#e07f2e",
    "LATENT": "#d05fb0",
    "IMAGE": "#3d8fdd",
    "MASK": "#2f9e6e",
    "CONTROL_NET": "#3aa6a0",
    "CLIP_VISION": "#7f9f3b",
    "STRING": "#7c8a4e",
    "INT": "#6f8598",
    "FLOAT": "#6f8598",
    "BOOLEAN": "#6f8598",
    "COMBO": "#6f8598",
    "": "#8b949e",
    "*": "#8b949e",
}
_CARD, _NOTE, _OFF = "#fcfcfd", "#fff8dc", "#d9dee4"
# Cards inside a subgraph are a little bluer, so that a whole and an inside are told apart at a glance.
_INSIDE = {_CARD: "#f0f5ff", _NOTE: "#fdf3cf", _OFF: "#cfd8e4"}
_EDGE, _INK, _DIM, _PAGE = "#aab2bd", "#1f2730", "#5c6773", "#8b949e"
_FAMILY = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
_SHOWN_WIDTH = 1000.0
_SMALLEST = 10.5
_MARGIN = 16.0


def color_of(type_name: str) -> str:
    """Return the colour of a socket type: a known one, else one that always stays the same for it."""
    first = type_name.split(",")[0].strip().upper()
    if first in _COLORS:
        return _COLORS[first]
    hue = zlib.crc32(first.encode("utf-8", "backslashreplace")) % 360 / 360
    red, green, blue = colorsys.hls_to_rgb(hue, 0.53, 0.42)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def to_svg(scenes: list[Scene], *, headings: bool = True) -> str:
    """Return one SVG of scenes whose boxes have places, one below the other, each with its title."""
    if not scenes[0].boxes:
        return _document(320, 60, [_text(16, 35, "An empty workflow", 14, _PAGE)])
    bounds = [_bounds(scene) for scene in scenes]
    width = max(right - left for left, _, right, _ in bounds)
    parts: list[str] = []
    top = 0.0
    for scene, (left, upper, right, lower) in zip(scenes, bounds, strict=True):
        # An author's wide graph is shown smaller, so its letters are drawn larger: as much is shown as then fits.
        font = max(FONT, _SMALLEST * width / _SHOWN_WIDTH) if scene.by_author else FONT
        if scene.title and headings:
            top += 2.4 * font
            parts.append(_text(_MARGIN, top, scene.title, 1.15 * font, _PAGE, bold=True))
            top += 0.6 * font
        painter = _Painter(scene, font)
        legend, legend_height = painter.legend(left + _MARGIN, lower + font, right - left - 2 * _MARGIN)
        parts.append(f'<g transform="translate({_n(-left)} {_n(top - upper)})">')
        parts += [painter.frame(frame) for frame in scene.frames]
        parts += [painter.wire(wire) for wire in scene.wires]
        parts += [painter.card(card) for card in painter.cards.values()]
        parts += [*legend, "</g>"]
        top += lower - upper + legend_height
    return _document(width, top, parts)


def _bounds(scene: Scene) -> tuple[float, float, float, float]:
    areas = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in scene.boxes]
    areas += [(frame.x, frame.y, frame.x + frame.width, frame.y + frame.height) for frame in scene.frames]
    areas += [(x, y, x, y) for wire in scene.wires for x, y in wire.via]
    left, top = min(a[0] for a in areas) - _MARGIN, min(a[1] for a in areas) - _MARGIN
    return left, top, max(a[2] for a in areas) + _MARGIN, max(a[3] for a in areas) + _MARGIN


def _document(width: float, height: float, parts: list[str]) -> str:
    shown = min(width, 1.25 * _SHOWN_WIDTH)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(shown)}" height="{_n(height * shown / width)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" font-family="{_FAMILY}" role="img" '
        f'style="max-width:100%;height:auto">\n' + "\n".join(part for part in parts if part) + "\n</svg>"
    )


class _Painter:
    def __init__(self, scene: Scene, font: float) -> None:
        self.scene = scene
        self.font = font
        self.unit = font / FONT
        self.cards = {box.id: Card(box, font, slots=not scene.down, shrink=scene.by_author) for box in scene.boxes}

    def card(self, card: Card) -> str:
        box, unit = card.box, self.unit
        fill, ink = (_OFF, _DIM) if box.mode else (_NOTE if box.note else _CARD, _INK)
        fill = _INSIDE[fill] if self.scene.title else fill
        dash = f' stroke-dasharray="{_n(5 * unit)} {_n(3 * unit)}"' if box.mode else ""
        parts = [
            f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(card.height)}" '
            f'rx="{_n(5 * unit)}" fill="{fill}" stroke="{_EDGE}" stroke-width="{_n(unit)}"{dash}/>'
        ]
        if not box.note:
            parts.append(
                f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(min(5 * unit, box.width))}" '
                f'height="{_n(card.height)}" rx="{_n(2.5 * unit)}" fill="{color_of(box.type)}"/>'
            )
        x = box.x + card.left
        for number, text in enumerate(card.title):
            parts.append(_text(x, box.y + card.title_y(number), text, card.font, ink, bold=True))
        for line in card.lines:
            y = box.y + line.y
            name = f'<tspan fill="{_DIM}">{escape(line.name)}</tspan>' if line.name else ""
            space = " " if line.name and line.value else ""
            if name or line.value:
                parts.append(
                    f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(card.small)}" fill="{ink}">'
                    f"{name}{space}{escape(line.value)}</text>"
                )
            parts.append(_text(box.x + box.width - 10 * unit, y, line.right, card.small, _DIM, anchor="end"))
        for sockets, is_input in ((box.inputs, True), (box.outputs, False)):
            for index, socket in enumerate(sockets):
                dot_x, dot_y = self.point(card, index, is_input=is_input)
                parts.append(self._dot(dot_x, dot_y, socket.type, f' stroke="{_CARD}" stroke-width="{_n(unit)}"'))
        return "\n".join(part for part in parts if part)

    def _dot(self, x: float, y: float, type_name: str, more: str = "") -> str:
        return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(4 * self.unit)}" fill="{color_of(type_name)}"{more}/>'

    def point(self, card: Card, slot: int, *, is_input: bool) -> tuple[float, float]:
        """Return where a socket is."""
        box = card.box
        count = max(1, len(box.inputs if is_input else box.outputs))
        if self.scene.down:
            step = min(34 * self.unit, box.width / (count + 1))
            x = box.x + box.width / 2 + (slot - (count - 1) / 2) * step
            return x, box.y if is_input else box.y + card.height
        return box.x if is_input else box.x + box.width, box.y + card.slot_y(slot, count)

    def wire(self, wire: Wire) -> str:
        start = self.point(self.cards[wire.origin.id], wire.origin_slot, is_input=False)
        end = self.point(self.cards[wire.target.id], wire.target_slot, is_input=True)
        path = f"M{_n(start[0])} {_n(start[1])}"
        for number, ((x0, y0), (x1, y1)) in enumerate(pairwise([start, *wire.via, end])):
            if wire.via and number % 2:
                path += f"L{_n(x1)} {_n(y1)}"
            elif self.scene.down:
                bend = max(abs(y1 - y0) / 2, 12 * self.unit)
                path += f"C{_n(x0)} {_n(y0 + bend)} {_n(x1)} {_n(y1 - bend)} {_n(x1)} {_n(y1)}"
            else:
                bend = max(abs(x1 - x0) / 2, 24 * self.unit)
                path += f"C{_n(x0 + bend)} {_n(y0)} {_n(x1 - bend)} {_n(y1)} {_n(x1)} {_n(y1)}"
        color = color_of(wire.type)
        return f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{_n(2 * self.unit)}" opacity="0.85"/>'

    def frame(self, frame: Frame) -> str:
        rect = (
            f'<rect x="{_n(frame.x)}" y="{_n(frame.y)}" width="{_n(frame.width)}" height="{_n(frame.height)}" '
            f'rx="{_n(6 * self.unit)}" fill="{_PAGE}" fill-opacity="0.12" stroke="{_PAGE}" stroke-opacity="0.45" '
            f'stroke-width="{_n(self.unit)}"/>'
        )
        size = self.font * 0.92
        title = fit(frame.title, max(0.0, frame.width - 12 * self.unit) / (size * BOLD))
        # Where frames nest, the outer title goes above its edge, out of the inner one's way.
        outer = any(
            other is not frame and frame.x <= other.x <= frame.x + frame.width and 0 <= other.y - frame.y < 2.6 * size
            for other in self.scene.frames
        )
        y = frame.y - size * 0.35 if outer else frame.y + size * 1.1
        return rect + _text(frame.x + 7 * self.unit, y, title, size, _PAGE, bold=True)

    def legend(self, x: float, y: float, room: float) -> tuple[list[str], float]:
        """Return the dots that say which colour is which type, and the height they take."""
        types = list(dict.fromkeys(wire.type for wire in self.scene.wires if wire.type not in ("", "*")))
        small, parts = self.font * 0.88, []
        at, line = x, y
        for name in types:
            length = width(name) * small + 30 * self.unit
            if at > x and at + length > x + room:
                at, line = x, line + self.font * 1.5
            parts.append(self._dot(at + 4 * self.unit, line - small * 0.33, name))
            parts.append(_text(at + 12 * self.unit, line, name, small, _PAGE))
            at += length
        return parts, line - y + self.font * 1.6 if types else 0.0


def _text(x: float, y: float, text: str, size: float, fill: str, *, bold: bool = False, anchor: str = "start") -> str:
    if not text:
        return ""
    weight = ' font-weight="600"' if bold else ""
    side = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" fill="{fill}"{weight}{side}>{escape(text)}</text>'


def _n(number: float) -> str:
    rounded = round(number, 1)
    whole = int(rounded)
    return str(whole) if whole == rounded else str(rounded)
