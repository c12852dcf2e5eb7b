"""What samplers did, step by step, kept for those who ask.

Every step is kept, whatever previews are sent, in half precision. Memory is bounded: of a very long run every second
step is kept, or every fourth, and the runs that were looked for longest ago are dropped when all have become too much.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._model.arrays import Array
from .._model.sampling import Step

MAX_BYTES = 64 << 20
MAX_BYTES_OF_A_RUN = 24 << 20
_MAX_PROMPTS = 1000


def _half(values: Array) -> Array:
    result: Array = np.clip(values, -65504, 65504).astype(np.float16)
    return result


@dataclass(frozen=True)
class KeptStep:
    """One step: what `Step` says, without what makes it."""

    done: int
    sigma: float
    evaluations: int
    shares: Mapping[int, float]
    arrays: Mapping[str, Array]

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return sum(values.nbytes for values in self.arrays.values())


@dataclass
class Recording:
    """The steps of one run of one sampler.

    Parameters
    ----------
    node_id, class_type : str
        The sampler's node.
    facts : dict
        What the node says of the run: sampler, cfg, levels.
    """

    node_id: str
    class_type: str
    facts: Mapping[str, Any]
    steps: list[KeptStep] = field(default_factory=list)
    scenes: dict[int, tuple[str, Array]] = field(default_factory=dict)
    result: Array | None = None
    complete: bool = False
    size: int = 0
    stride: int = 1
    _skipped: KeptStep | None = None

    def add(self, step: Step) -> None:
        """Keep a step."""
        arrays = {"x": _half(step.x), "estimate": _half(step.estimate), "positive": _half(step.positive)}
        if step.negative is not None:
            arrays["negative"] = _half(step.negative)
        kept = KeptStep(step.done, step.sigma, step.evaluations, step.shares, arrays)
        for number in step.shares:
            if number not in self.scenes:
                words, latent = step.scene(number)
                self.scenes[number] = words, _half(latent)
                self.size += latent.size * 2
        if (step.done - 1) % self.stride:
            self._skipped = kept
            return
        self._skipped = None
        self.steps.append(kept)
        self.size += kept.size
        if self.size > MAX_BYTES_OF_A_RUN and len(self.steps) > 2:
            self._thin()

    def _thin(self) -> None:
        self.steps = self.steps[::2]
        self.stride *= 2
        used = {number for step in self.steps for number in step.shares}
        self.scenes = {number: scene for number, scene in self.scenes.items() if number in used}
        self.size = sum(step.size for step in self.steps) + sum(latent.nbytes for _, latent in self.scenes.values())

    def end(self, result: Array) -> None:
        """Keep what the sampler ended on, shape (3, rows, columns), and its last step in any case."""
        if self._skipped is not None:
            self.steps.append(self._skipped)
        self.result = _half(result)
        self.complete = True


class StepStore:
    """The recordings of all samplers, by the key under which the node's result is cached."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recordings: OrderedDict[str, list[Recording]] = OrderedDict()
        self._keys: OrderedDict[str, list[str]] = OrderedDict()

    def begin(self, prompt_id: str, key: str, recording: Recording) -> None:
        """Keep a recording that is about to be made."""
        with self._lock:
            self._recordings.setdefault(key, []).append(recording)
            self._note(prompt_id, [key])

    def add(self, recording: Recording, step: Step) -> None:
        """Keep a step of a recording."""
        with self._lock:
            recording.add(step)
            self._shrink(recording)

    def end(self, recording: Recording, result: Array) -> None:
        """Complete a recording."""
        with self._lock:
            recording.end(result)

    def forget(self, key: str) -> None:
        """Drop the recordings of a node that is about to run again."""
        with self._lock:
            self._recordings.pop(key, None)

    def link(self, prompt_id: str, keys: list[str]) -> None:
        """Note which results, also of earlier prompts, a prompt is made of."""
        with self._lock:
            self._note(prompt_id, keys)

    def _note(self, prompt_id: str, keys: list[str]) -> None:
        known = self._keys.setdefault(prompt_id, [])
        self._keys.move_to_end(prompt_id)
        for key in keys:
            if key in self._recordings:
                self._recordings.move_to_end(key)
                if key not in known:
                    known.append(key)
        while len(self._keys) > _MAX_PROMPTS:
            self._keys.popitem(last=False)

    def _shrink(self, current: Recording) -> None:
        total = sum(recording.size for group in self._recordings.values() for recording in group)
        for key in list(self._recordings):
            group = self._recordings[key]
            if total <= MAX_BYTES or current in group:
                return
            total -= sum(recording.size for recording in group)
            del self._recordings[key]

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._recordings.clear()
            self._keys.clear()

    def of(self, prompt_id: str) -> list[Recording]:
        """Return copies of what is kept of a prompt, in the order in which the samplers ran; empty if nothing is."""
        with self._lock:
            found = [each for key in self._keys.get(prompt_id, ()) for each in self._recordings.get(key, ())]
            return [replace(recording, steps=[*recording.steps], scenes={**recording.scenes}) for recording in found]
