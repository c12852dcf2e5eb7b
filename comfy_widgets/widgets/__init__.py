"""Widgets for notebooks: `ComfyPanel`, and its parts, each usable alone.

They know traits and messages; what talks to a server is the client they are given. See DEVELOP.md for the laws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._lazy import import_name

if TYPE_CHECKING:
    from ._base import Handler as Handler
    from ._base import Widget as Widget
    from ._compare import ImageCompare as ImageCompare
    from ._fleet_view import FleetView as FleetView
    from ._form import WorkflowForm as WorkflowForm
    from ._graph import WorkflowGraph as WorkflowGraph
    from ._image_grid import ImageGrid as ImageGrid
    from ._line import display_result as display_result
    from ._line import follow_in_cell as follow_in_cell
    from ._pair_chooser import PairChooser as PairChooser
    from ._panel import ComfyPanel as ComfyPanel
    from ._sendable import sendable as sendable
    from ._sweep_grid import SweepGrid as SweepGrid
    from ._views import JobProgress as JobProgress
    from ._views import LivePreview as LivePreview

# Imported when first used: a panel needs no grid of a sweep, and a script's live line needs no panel.
_HOMES = {
    "ComfyPanel": "_panel",
    "FleetView": "_fleet_view",
    "Handler": "_base",
    "ImageCompare": "_compare",
    "ImageGrid": "_image_grid",
    "JobProgress": "_views",
    "LivePreview": "_views",
    "PairChooser": "_pair_chooser",
    "SweepGrid": "_sweep_grid",
    "Widget": "_base",
    "WorkflowForm": "_form",
    "WorkflowGraph": "_graph",
    "display_result": "_line",
    "follow_in_cell": "_line",
    "sendable": "_sendable",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    return import_name(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
