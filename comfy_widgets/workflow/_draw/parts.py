"""A workflow's graph as places and lines, for who draws it and changes it while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from .._prompt import Prompt
from .._specs import NodeSpecs
from .layout import arrange
from .scene import Box, Wire, scene_of_prompt
from .svg import color_of
from .text import fit

CARD = (172.0, 48.0)
_MARGIN = 12.0
_TITLE_ROOM = 10.4
"""The width of a title on its card, in units of its size."""


@dataclass(frozen=True)
class DrawnNode:
    """A node's card. Lengths are in units of the drawing.

    Attributes
    ----------
    id : str
        Its id in the prompt.
    title, class_type : str
        The title that people know it by, and its class.
    x, y, width, height : float
        The place of its card.
    color : str
        The colour of its type, ``"#rrggbb"``.
    short : str
        The title, cut to what fits on the card.

    Examples
    --------
    >>> [node.title for node in example().to_drawing().nodes][-1]
    'Save Image'
    """

    id: str
    title: str
    class_type: str
    x: float
    y: float
    width: float
    height: float
    color: str
    short: str


@dataclass(frozen=True)
class DrawnWire:
    """A link between two nodes.

    Attributes
    ----------
    path : str
        The way that it takes, as SVG writes a path.
    color : str
        The colour of its type, ``"#rrggbb"``.
    origin, target : str
        The ids of the nodes at its ends.

    Examples
    --------
    >>> len(example().to_drawing().wires) > 5
    True
    """

    path: str
    color: str
    origin: str
    target: str


@dataclass(frozen=True)
class Drawing:
    """A graph with all places known.

    Attributes
    ----------
    width, height : float
        The size of the whole, in units of the drawing: a card is 172 of them wide.
    nodes : tuple of DrawnNode
    wires : tuple of DrawnWire

    Examples
    --------
    >>> drawing = example().to_drawing()
    >>> drawing.width > drawing.height
    True
    """

    width: float
    height: float
    nodes: tuple[DrawnNode, ...]
    wires: tuple[DrawnWire, ...]


def drawing_of(prompt: Prompt, specs: NodeSpecs | None) -> Drawing:
    """Return the drawing of a prompt, its nodes in the order in which the work flows."""
    scene = arrange(scene_of_prompt(prompt, specs), CARD)
    if not scene.boxes:
        return Drawing(0.0, 0.0, (), ())
    points = [(box.x, box.y) for box in scene.boxes] + [point for wire in scene.wires for point in wire.via]
    left, top = min(x for x, _ in points) - _MARGIN, min(y for _, y in points) - _MARGIN
    for box in scene.boxes:
        box.x, box.y = round(box.x - left, 1), round(box.y - top, 1)
    for wire in scene.wires:
        wire.via = [(x - left, y - top) for x, y in wire.via]
    ends = [(box.x + box.width, box.y + box.height) for box in scene.boxes]
    ends += [point for wire in scene.wires for point in wire.via]
    nodes = tuple(_node(box, str(prompt[box.id].get("class_type", ""))) for box in scene.boxes)
    wires = tuple(DrawnWire(_path(wire), color_of(wire.type), wire.origin.id, wire.target.id) for wire in scene.wires)
    width, height = max(x for x, _ in ends) + _MARGIN, max(y for _, y in ends) + _MARGIN
    return Drawing(round(width, 1), round(height, 1), nodes, wires)


def _node(box: Box, class_type: str) -> DrawnNode:
    color, short = color_of(box.type), fit(box.title, _TITLE_ROOM)
    return DrawnNode(box.id, box.title, class_type, box.x, box.y, box.width, box.height, color, short)


def _path(wire: Wire) -> str:
    start = wire.origin.x + wire.origin.width, _slot_y(wire.origin, wire.origin_slot, len(wire.origin.outputs))
    end = wire.target.x, _slot_y(wire.target, wire.target_slot, len(wire.target.inputs))
    path = f"M{start[0]:.0f} {start[1]:.0f}"
    for number, ((x0, y0), (x1, y1)) in enumerate(pairwise([start, *wire.via, end])):
        bend = max(abs(x1 - x0) / 2, 24)
        straight = wire.via and number % 2
        path += (
            f"L{x1:.0f} {y1:.0f}"
            if straight
            else f"C{x0 + bend:.0f} {y0:.0f} {x1 - bend:.0f} {y1:.0f} {x1:.0f} {y1:.0f}"
        )
    return path


def _slot_y(box: Box, slot: int, count: int) -> float:
    return box.y + box.height * (slot + 1) / (max(count, 1) + 1)
