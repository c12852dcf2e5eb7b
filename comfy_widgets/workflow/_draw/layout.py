"""Placing the boxes of a graph in layers, so that the work flows one way.

The classic recipe (Sugiyama, Tagawa, Toda 1981): a layer for each node, points where a long wire passes the layers
between, an order in each layer that lets few wires cross, then coordinates. A graph that would be too wide for a
notebook flows downwards, where there is room.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .scene import Box, Scene

WIDTH = 214.0
TITLE = 26.0
ROW = 17.0
_PAD = 8.0
_WIDEST = 1260.0
_LAYER_GAP = {False: 46.0, True: 46.0}
_SIDE_GAP = 20.0
_PASS_GAP = 9.0
_PASS = 4.0
_ROWS = 6
_SWEEPS = 8
_MOST_BESIDE = 5
_MOST_DETOURS = 5000


@dataclass(eq=False)
class _Item:
    """A box, or a point where a wire passes a layer."""

    box: Box | None
    layer: int
    length: float = 0.0
    at: float = 0.0
    before: list[_Item] = field(default_factory=list)
    after: list[_Item] = field(default_factory=list)


def arrange(scene: Scene, card: tuple[float, float] | None = None) -> Scene:
    """Fill in positions, sizes and ways; the scene is changed and returned.

    With `card`, the width and height of every box, the work always flows to the right.
    """
    layers = _layers(scene)
    scene.down = (
        card is None
        and (max(layers.values(), default=0) + 1) * (WIDTH + _LAYER_GAP[False]) - _LAYER_GAP[False] > _WIDEST
    )
    for box in scene.boxes:
        if card is not None:
            box.width, box.height = card
            continue
        box.width = WIDTH
        sockets = 0 if scene.down else max(len(box.inputs), len(box.outputs))
        count = sockets + _value_rows(box)
        box.height = TITLE + ROW * count + (_PAD if count else 0)
    if scene.down:
        layers = _narrow(scene, layers)
    rows, ways = _items(scene, layers)
    _order(rows)
    _spread(rows)
    _place(scene, rows, ways)
    scene.placed = True
    return scene


def _value_rows(box: Box) -> int:
    if len(box.values) != 1:
        return min(len(box.values), _ROWS)
    # A single long text, such as a prompt, gets some lines.
    name, value = box.values[0]
    return min(4, 1 + (len(name) + len(value)) // 27)


def _layers(scene: Scene) -> dict[str, int]:
    """Give each box the number of its layer; wires that close a cycle do not count."""
    sources: dict[str, list[str]] = {box.id: [] for box in scene.boxes}
    targets: dict[str, list[str]] = {box.id: [] for box in scene.boxes}
    # The boxes come in flow order, so a wire against that order closes a cycle.
    index = {box.id: number for number, box in enumerate(scene.boxes)}
    ordered = scene.wires and all(index[wire.origin.id] < index[wire.target.id] for wire in scene.wires)
    if not ordered:
        index = _topological(scene)
    for wire in scene.wires:
        if index[wire.origin.id] < index[wire.target.id]:
            sources[wire.target.id].append(wire.origin.id)
            targets[wire.origin.id].append(wire.target.id)
    layers: dict[str, int] = {}
    for box_id in sorted(index, key=index.__getitem__):
        layers[box_id] = max((layers[source] + 1 for source in sources[box_id]), default=0)
    # What only gives (loaders, constants) stands right before its first consumer, not far off at the start.
    for box_id in sorted(index, key=index.__getitem__, reverse=True):
        if not sources[box_id] and targets[box_id]:
            layers[box_id] = min(layers[target] for target in targets[box_id]) - 1
    return layers


def _topological(scene: Scene) -> dict[str, int]:
    waiting: dict[str, set[str]] = {box.id: set() for box in scene.boxes}
    targets: dict[str, set[str]] = {box.id: set() for box in scene.boxes}
    for wire in scene.wires:
        if wire.origin is not wire.target:
            waiting[wire.target.id].add(wire.origin.id)
            targets[wire.origin.id].add(wire.target.id)
    free = [box_id for box_id, needs in waiting.items() if not needs]
    order: dict[str, int] = {}
    while waiting:
        # In a cycle nobody is free; then the one that waits for the fewest goes first.
        node_id = free.pop() if free else min(waiting, key=lambda box_id: len(waiting[box_id]))
        del waiting[node_id]
        order[node_id] = len(order)
        for target in targets[node_id]:
            if target in waiting:
                waiting[target].discard(node_id)
                if not waiting[target]:
                    free.append(target)
    return order


def _narrow(scene: Scene, layers: dict[str, int]) -> dict[str, int]:
    """Break layers that are too broad into several."""
    rows: dict[int, list[Box]] = {}
    for box in scene.boxes:
        rows.setdefault(layers[box.id], []).append(box)
    broken: dict[str, int] = {}
    next_layer = 0
    for layer in sorted(rows):
        boxes = rows[layer]
        parts = -(-len(boxes) // _MOST_BESIDE)
        for number, box in enumerate(boxes):
            broken[box.id] = next_layer + number * parts // len(boxes)
        next_layer += parts
    return broken


def _items(scene: Scene, layers: dict[str, int]) -> tuple[list[list[_Item]], dict[int, list[_Item]]]:
    rows: list[list[_Item]] = [[] for _ in range(max(layers.values(), default=0) + 1)]
    by_box: dict[str, _Item] = {}
    for box in scene.boxes:
        item = by_box[box.id] = _Item(box, layers[box.id], box.width if scene.down else box.height)
        rows[item.layer].append(item)
    shared: dict[tuple[str, int, int], _Item] = {}
    ways: dict[int, list[_Item]] = {}
    # Nobody reads a graph with this many passes, and ordering them would take minutes: their wires go straight.
    detours = sum(max(0, layers[wire.target.id] - layers[wire.origin.id] - 1) for wire in scene.wires) < _MOST_DETOURS
    for number, wire in enumerate(scene.wires):
        last, target = by_box[wire.origin.id], by_box[wire.target.id]
        way = ways[number] = []
        for layer in range(last.layer + 1, target.layer) if detours else ():
            # The wires from one output run together as far as they can.
            key = (wire.origin.id, wire.origin_slot, layer)
            if key not in shared:
                shared[key] = _Item(None, layer, _PASS)
                rows[layer].append(shared[key])
                _join(last, shared[key])
            last = shared[key]
            way.append(last)
        if last.layer < target.layer:
            _join(last, target)
    return rows, ways


def _join(before: _Item, after: _Item) -> None:
    before.after.append(after)
    after.before.append(before)


def _order(rows: list[list[_Item]]) -> None:
    """Sort each layer by where its neighbours are, to and fro, until few wires cross."""
    for row in rows:
        for number, item in enumerate(row):
            item.at = number
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for row in rows if forward else reversed(rows):
            keys = {}
            for item in row:
                near = item.before if forward else item.after
                keys[id(item)] = sum(other.at for other in near) / len(near) if near else item.at
            row.sort(key=lambda item: keys[id(item)])
            for number, item in enumerate(row):
                item.at = number


def _spread(rows: list[list[_Item]]) -> None:
    """Turn orders into coordinates: each item as near to its neighbours as those beside it allow."""
    for row in rows:
        places = _push(row, [0.0] * len(row))
        for item, place in zip(row, places, strict=True):
            item.at = place - (places[0] + places[-1]) / 2
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 else reversed(rows):
            wanted = []
            for item in row:
                near = (*item.before, *item.after)
                wanted.append(sum(other.at for other in near) / len(near) if near else item.at)
            low = _push(row, wanted)
            high = [-at for at in reversed(_push(row[::-1], [-want for want in reversed(wanted)]))]
            for item, left, right in zip(row, low, high, strict=True):
                item.at = (left + right) / 2


def _gap(one: _Item, other: _Item) -> float:
    return _SIDE_GAP if one.box is not None and other.box is not None else _PASS_GAP


def _push(row: list[_Item], wanted: list[float]) -> list[float]:
    places: list[float] = []
    for item, want in zip(row, wanted, strict=True):
        if places:
            before = row[len(places) - 1]
            want = max(want, places[-1] + (before.length + item.length) / 2 + _gap(before, item))
        places.append(want)
    return places


def _place(scene: Scene, rows: list[list[_Item]], ways: dict[int, list[_Item]]) -> None:
    along = 0.0
    spans: dict[int, tuple[float, float]] = {}
    for number, row in enumerate(rows):
        boxes = [item.box for item in row if item.box is not None]
        depth = max((box.height if scene.down else box.width for box in boxes), default=0)
        spans[number] = (along, along + depth)
        for item in row:
            if item.box is not None:
                box = item.box
                across = item.at - item.length / 2
                box.x, box.y = (across, along) if scene.down else (along, across)
        along += depth + _LAYER_GAP[scene.down]
    for number, wire in enumerate(scene.wires):
        # A wire passes the whole depth of a layer straight on, so that it stays out from under the cards.
        passes = [(item.at, edge) for item in ways[number] for edge in spans[item.layer]]
        wire.via = passes if scene.down else [(edge, at) for at, edge in passes]
