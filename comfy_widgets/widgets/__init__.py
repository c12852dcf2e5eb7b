"""Widgets for notebooks: `ComfyPanel`, and its parts, each usable alone.

They know traits and messages; what talks to a server is the client they are given. See DEVELOP.md for the laws.
"""

from ._form import WorkflowForm
from ._line import display_result, follow_in_cell
from ._panel import ComfyPanel
from ._sweep_grid import SweepGrid
from ._views import ImageGrid, JobProgress, LivePreview

__all__ = [
    "ComfyPanel",
    "ImageGrid",
    "JobProgress",
    "LivePreview",
    "SweepGrid",
    "WorkflowForm",
    "display_result",
    "follow_in_cell",
]
