"""Sweeps, folders of images and fleets as people get them: they show themselves in a notebook."""

from __future__ import annotations

from typing import Any

from .experiments import Experiment, Fleet, images, prefer, resume, sweep, use_view

__all__ = ["Experiment", "Fleet", "images", "prefer", "resume", "sweep"]


def _view(shown: Experiment | Fleet) -> Any:
    # Imported when the first one is displayed: a script that sweeps needs no widgets.
    from .widgets import FleetView, SweepGrid

    return FleetView(shown) if isinstance(shown, Fleet) else SweepGrid(shown)


def _pairs(preferences: Any) -> Any:
    from .widgets import PairChooser

    return PairChooser(preferences)


def _found(index: Any) -> Any:
    from .widgets import SweepGrid

    return SweepGrid(index)


use_view(_view)
use_view(_pairs, "preferences")
use_view(_found, "images")
