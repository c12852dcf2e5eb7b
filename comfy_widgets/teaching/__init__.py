"""Teaching diffusion: cassettes, lessons with a prediction before each run, widgets that show what a sampler does.

Everything runs on the embedded engine, offline, and on any ComfyUI.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._answers import answers as answers
    from ._class import lesson_client as lesson_client
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
    "difference": "_difference",
    "estimate": "_questions",
    "lesson_client": "_class",
    "order": "_questions",
    "record": "_record",
    "which_changed": "_questions",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOMES)
