"""Sweeps as people get them: `comfy_widgets.sweep` gives an experiment that shows itself as a live grid."""

from __future__ import annotations

from typing import Any

from .experiments import Experiment, Fleet, resume, sweep, use_view

__all__ = ["Experiment", "Fleet", "resume", "sweep"]


def _view(experiment: Experiment) -> Any:
    # Imported when the first one is displayed: a script that sweeps needs no widgets.
    from .widgets import SweepGrid

    return SweepGrid(experiment)


use_view(_view)
