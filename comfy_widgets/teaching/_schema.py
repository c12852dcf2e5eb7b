"""The states of the widgets that teach, as plain JSON; ``js/src/lib/teaching.ts`` is generated from this module."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

QuestionKind = Literal["choose", "order", "estimate", "changed"]
LessonPhase = Literal["predict", "try", "answered"]


class NoiseState(TypedDict):
    """The state of a `NoiseExplorer`; `scale` is what one of a pixel's values counts in units of sigma."""

    sigma: float
    lowest: float
    highest: float
    scale: float
    seed: int


class NamedLevels(TypedDict):
    """A schedule by its name."""

    name: str
    levels: list[float]


class ScheduleState(TypedDict):
    """The state of a `ScheduleEditor`: falling levels, the last of which is 0."""

    levels: list[float]
    lowest: float
    highest: float
    known: list[NamedLevels]


class StepScene(TypedDict):
    """A scene of a step: the name of its picture, what it shows, and its share."""

    picture: str
    words: str
    share: float


class StepRow(TypedDict):
    """A step; `next` is the noise level that it leads to."""

    sigma: float
    next: float
    evaluations: int
    scenes: list[StepScene]


class StepsState(TypedDict):
    """The state of a `DiffusionSteps`; `words` says what is missing, where something is."""

    words: str
    caption: str
    step: int
    steps: list[StepRow]


class SliderAxis(TypedDict):
    """A value that was varied, and all its values in words."""

    label: str
    values: list[str]


class SliderState(TypedDict):
    """The state of a `ReplaySlider`: `at` is an index for each axis, a picture's name is ``0,2``."""

    title: str
    axes: list[SliderAxis]
    at: list[int]
    missing: list[str]


class DrawingState(TypedDict):
    """The state of a `DrawingCanvas`; `version` counts the sheets that it has begun with."""

    width: int
    height: int
    version: int
    colours: list[str]


class Option(TypedDict):
    """One of the things to choose from; the name of its picture is empty where it has none."""

    label: str
    picture: str


class LessonState(TypedDict):
    """The state of the card of a `Lesson`.

    `answer` is what was predicted: an index, an order of indices, or a number; null before. `right` likewise, null
    before it is known. `range` is lowest, highest and step of an estimate. `results` names pictures of what came out.
    """

    title: str
    notes: list[str]
    kind: QuestionKind
    question: str
    options: list[Option]
    shown: list[Option]
    range: list[float]
    unit: str
    phase: LessonPhase
    action: str
    answer: Any
    right: Any
    correct: bool | None
    verdict: str
    reason: str
    results: list[str]
    problem: str
