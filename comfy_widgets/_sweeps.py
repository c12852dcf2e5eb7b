"""Sweeps and fleets as people get them: they show themselves, an experiment as a live grid, a fleet as its servers."""

from __future__ import annotations

from typing import Any

from .experiments import Experiment, Fleet, resume, sweep, use_view

__all__ = ["Experiment", "Fleet", "resume", "sweep"]


def _view(shown: Experiment | Fleet) -> Any:
    # Imported when the first one is displayed: a script that sweeps needs no widgets.
    from .widgets import FleetView, SweepGrid

    return FleetView(shown) if isinstance(shown, Fleet) else SweepGrid(shown)


use_view(_view)
