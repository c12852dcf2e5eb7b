"""How long nodes take on a server, learned from the cells that ran, and kept for the next experiment.

A node is known by its class and the files and samplers it names; its seconds grow with its steps and its pixels.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..protocol import Event, Executing, ExecutionCached, ExecutionStart, ExecutionSuccess, ProgressEvent
from ..workflow import is_link

logger = logging.getLogger(__name__)

Prompt = Mapping[str, Mapping[str, Any]]
OVERHEAD = "overhead"
_LOADING = "loading"
_REMEMBERED = 12
_PIXEL_INPUTS = frozenset({"samples", "latent_image", "latent", "image", "images", "pixels", "mask"})


@dataclass(frozen=True)
class Kind:
    """What a node's seconds depend on.

    Attributes
    ----------
    name : str
        Its class with the files and samplers that it and its model name.
    work : float
        Steps times megapixels, where it has any.
    """

    name: str
    work: float = 1.0

    @property
    def class_type(self) -> str:
        """The class alone."""
        return self.name.partition("|")[0]


def kinds(prompt: Prompt) -> dict[str, Kind]:
    """Return what the seconds of each node of a prompt depend on."""
    pixels = megapixels(prompt)
    found = {}
    for node_id, node in prompt.items():
        inputs = node["inputs"]
        steps = inputs.get("steps", 1)
        work = float(steps) if isinstance(steps, (int, float)) and not isinstance(steps, bool) else 1.0
        if _PIXEL_INPUTS & inputs.keys() or "width" in inputs:
            work *= pixels
        names = "|".join([*_names(inputs), *_names(_model(prompt, node_id))])
        found[node_id] = Kind(f"{node['class_type']}|{names}" if names else str(node["class_type"]), round(work, 6))
    return found


def _names(inputs: Mapping[str, Any]) -> list[str]:
    return [str(value) for name, value in sorted(inputs.items()) if name.endswith("_name") and isinstance(value, str)]


def _model(prompt: Prompt, node_id: str) -> Mapping[str, Any]:
    """The inputs of the loader that a node's model comes from."""
    seen = set()
    while node_id not in seen:
        seen.add(node_id)
        value = prompt[node_id]["inputs"].get("model")
        if not is_link(value) or value[0] not in prompt:
            break
        node_id = value[0]
    return prompt[node_id]["inputs"] if len(seen) > 1 else {}


def model_of(prompt: Prompt) -> str:
    """Return the files that a prompt loads, in words; the server loads anew where they change."""
    return "|".join(
        sorted(
            str(value)
            for node in prompt.values()
            for name, value in node["inputs"].items()
            if name in ("ckpt_name", "unet_name", "model_name") and isinstance(value, str)
        )
    )


def megapixels(prompt: Prompt) -> float:
    """The size of what a prompt makes, in millions of pixels."""
    sizes = [
        inputs["width"] * inputs["height"] * inputs.get("batch_size", 1)
        for node in prompt.values()
        for inputs in [node["inputs"]]
        if all(isinstance(inputs.get(name, 1), (int, float)) for name in ("width", "height", "batch_size"))
        and "width" in inputs
        and "height" in inputs
    ]
    return max(sizes, default=1_000_000) / 1_000_000


class Stopwatch:
    """Takes the time of each node of a job from its events.

    Attributes
    ----------
    seconds : dict
        By node id, without loading.
    loading : float
        Seconds before the first step of samplers, as far as they are more than a step: ComfyUI loads a model then.
    cached : tuple of str
        Nodes that the server had the results of.
    total : float or None
        Seconds of the whole job on the server's own clock.
    began_at, ended_at : float or None
        When it began and ended there, in milliseconds since 1970.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.loading: float = 0.0
        self.cached: tuple[str, ...] = ()
        self.total: float | None = None
        self.began_at: float | None = None
        self.ended_at: float | None = None
        self._node: str | None = None
        self._node_at = 0.0
        self._first: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None

    def take(self, event: Event, now: float | None = None) -> None:
        """Take an event; it is called in the thread of the client's listeners."""
        now = time.monotonic() if now is None else now
        if isinstance(event, ExecutionStart):
            # Once more from the beginning, where another server took it over.
            self.seconds, self.loading, self.cached, self._node = {}, 0.0, (), None
            self._first = self._last = None
            self.began_at = event.timestamp
        elif isinstance(event, ExecutionCached):
            self.cached = (*self.cached, *event.nodes)
        elif isinstance(event, ProgressEvent):
            self._first = self._first or (event.value, now)
            self._last = (event.value, now)
        elif isinstance(event, Executing) and event.node is not None:
            self._end_node(now)
            self._node, self._node_at = event.display_node or event.node, now
        elif isinstance(event, (ExecutionSuccess, Executing)):
            self._end_node(now)
            if isinstance(event, ExecutionSuccess) and event.timestamp is not None and self.began_at is not None:
                self.ended_at = event.timestamp
                self.total = (event.timestamp - self.began_at) / 1000

    def _end_node(self, now: float) -> None:
        if self._node is not None:
            took = now - self._node_at
            if self._first is not None and self._last is not None and self._last[0] - self._first[0] >= 2:
                step = (self._last[1] - self._first[1]) / (self._last[0] - self._first[0])
                waited = self._first[1] - self._node_at - step * self._first[0]
                if waited > max(2 * step, 0.5):
                    self.loading += waited
                    took -= waited
            self.seconds[self._node] = self.seconds.get(self._node, 0.0) + took
        self._node = self._first = self._last = None


@dataclass
class Timings:
    """Seconds that were learned on one server.

    Attributes
    ----------
    seen : dict
        ``{kind: {work: [seconds, ...]}}``, the newest last.
    """

    seen: dict[str, dict[float, list[float]]] = field(default_factory=dict)
    path: Path | None = None
    server: str = ""

    @classmethod
    def load(cls, directory: Path | None, server: str) -> Timings:
        """Read what was learned before; nothing where the file cannot be read."""
        path = directory / "experiment-timings.json" if directory is not None else None
        made = cls(path=path, server=server)
        entry = made._read().get(server)
        for kind, by_work in (entry if isinstance(entry, dict) else {}).items():
            with suppress(TypeError, ValueError, AttributeError):
                made.seen[kind] = {float(work): [float(s) for s in seconds] for work, seconds in by_work.items()}
        return made

    def _read(self) -> dict[str, Any]:
        try:
            value = json.loads(self.path.read_text(encoding="utf-8")) if self.path is not None else {}
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def save(self) -> None:
        """Write to disk, beside and renamed; what cannot be written is learned again."""
        if self.path is None or not self.seen:
            return
        everything = {**self._read(), self.server: self.seen}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            beside = self.path.with_suffix(f".{os.getpid()}.tmp")
            beside.write_text(json.dumps(everything), encoding="utf-8")
            beside.replace(self.path)
        except OSError as error:
            logger.info("learned seconds cannot be written: %s", error)

    def learn(self, prompt: Prompt, watch: Stopwatch) -> None:
        """Take in what the nodes of a job took."""
        known = kinds(prompt)
        for node_id, seconds in watch.seconds.items():
            if node_id in known and node_id not in watch.cached:
                self._add(known[node_id], seconds)
        if watch.total is not None:
            self._add(Kind(OVERHEAD), max(0.0, watch.total - sum(watch.seconds.values()) - watch.loading))
        if watch.loading:
            self._add(Kind(f"{_LOADING}|{model_of(prompt)}"), watch.loading)

    def _add(self, kind: Kind, seconds: float) -> None:
        took = self.seen.setdefault(kind.name, {}).setdefault(kind.work, [])
        took.append(round(seconds, 5))
        del took[:-_REMEMBERED]

    def between(self, seconds: float) -> None:
        """Learn what passes between two cells: sending, fetching and keeping."""
        self._add(Kind("between"), seconds)

    def seconds(self, kind: Kind) -> float | None:
        """What such a node takes; None where nothing like it was seen."""
        by_work = self.seen.get(kind.name)
        if by_work is None:
            # Another sampler or file of the same class is better than nothing.
            alike = [value for name, value in self.seen.items() if name.partition("|")[0] == kind.class_type]
            if not alike:
                return None
            by_work = {work: seconds for value in alike for work, seconds in value.items()}
        if kind.work in by_work:
            return _middle(by_work[kind.work])
        nearest = min(by_work, key=lambda work: abs(work - kind.work))
        return _middle(by_work[nearest]) * (kind.work / nearest if nearest > 0 else 1.0)

    def loading(self, model: str) -> float:
        """Seconds that loading these files takes beside the loaders themselves; 0 where it was never seen."""
        return self.seconds(Kind(f"{_LOADING}|{model}")) or 0.0


def _middle(seconds: list[float]) -> float:
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2]


def weigh(prompt: Prompt, seconds: Callable[[Kind], float | None]) -> tuple[dict[str, float], bool]:
    """Return what each node costs, and whether in seconds.

    Where a class was never seen, all nodes count alike, but what loads something ten times.
    """
    found = {node_id: seconds(kind) for node_id, kind in kinds(prompt).items()}
    known = {node_id: value for node_id, value in found.items() if value is not None}
    if len(known) == len(found):
        return known, True
    return {n: 10.0 if "loader" in str(node["class_type"]).lower() else 1.0 for n, node in prompt.items()}, False
