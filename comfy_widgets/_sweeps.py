"""Sweeps and fleets as people get them: they show themselves, an experiment as a live grid, a fleet as its servers."""

from __future__ import annotations

from typing import Any

from .experiments import Experiment, Fleet, prefer, resume, sweep, use_view

__all__ = ["Experiment", "Fleet", "prefer", "resume", "sweep"]


def _view(shown: Experiment | Fleet) -> Any:
    # Imported when the first one is displayed: a script that sweeps needs no widgets.
    from .widgets import FleetView, SweepGrid

    return FleetView(shown) if isinstance(shown, Fleet) else SweepGrid(shown)


def _pairs(preferences: Any) -> Any:
    from .widgets import PairChooser

    return PairChooser(preferences)


use_view(_view)
use_view(_pairs, "preferences")
