"""Teaching diffusion: cassettes, lessons with a prediction before each run, widgets that show what a sampler does.

Everything runs on the embedded engine, offline, and on any ComfyUI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._lazy import import_name

if TYPE_CHECKING:
    from ._answers import answers as answers
    from ._class import lesson_client as lesson_client
    from ._course import copy_lessons as copy_lessons
    from ._difference import difference as difference
    from ._drawing import DrawingCanvas as DrawingCanvas
    from ._lesson import Lesson as Lesson
    from ._noise import NoiseExplorer as NoiseExplorer
    from ._questions import Grade as Grade
    from ._questions import Question as Question
    from ._questions import choose as choose
    from ._questions import estimate as estimate
    from ._questions import order as order
    from ._questions import which_changed as which_changed
    from ._record import record as record
    from ._replay import ReplaySlider as ReplaySlider
    from ._schedule import ScheduleEditor as ScheduleEditor
    from ._steps import DiffusionSteps as DiffusionSteps

# Imported when first used: whoever records a cassette needs no widgets.
_HOMES = {
    "DiffusionSteps": "_steps",
    "DrawingCanvas": "_drawing",
    "Grade": "_questions",
    "Lesson": "_lesson",
    "NoiseExplorer": "_noise",
    "Question": "_questions",
    "ReplaySlider": "_replay",
    "ScheduleEditor": "_schedule",
    "answers": "_answers",
    "choose": "_questions",
    "copy_lessons": "_course",
    "difference": "_difference",
    "estimate": "_questions",
    "lesson_client": "_class",
    "order": "_questions",
    "record": "_record",
    "which_changed": "_questions",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    return import_name(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
