"""ComfyUI in a Jupyter notebook: a form, live progress and previews, and the images inline.

>>> from comfy_widgets import ComfyPanel, example
>>> ComfyPanel(example())          # doctest: +SKIP

Every name is imported when it is first used, so that ``import comfy_widgets`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._grid import make_grid
    from ._sweeps import Experiment, Fleet, prefer, resume, sweep
    from .client import ComfyClient, Job, Progress, Result, Run, as_completed, runs
    from .engine import Engine
    from .errors import ComfyError, WorkflowError
    from .experiments import DaskFleet, explain, lora, replace, together
    from .protocol import File, Preview
    from .teaching import (
        DiffusionSteps,
        DrawingCanvas,
        Lesson,
        NoiseExplorer,
        ReplaySlider,
        ScheduleEditor,
        record,
    )
    from .widgets import (
        ComfyPanel,
        FleetView,
        ImageCompare,
        ImageGrid,
        JobProgress,
        LivePreview,
        SweepGrid,
        WorkflowForm,
        WorkflowGraph,
    )
    from .workflow import Graph, Param, Workflow, example, prompt_variants

__version__ = "0.1.0"

_HOME = {
    "ComfyClient": "client",
    "ComfyError": "errors",
    "ComfyPanel": "widgets",
    "DaskFleet": "experiments",
    "DiffusionSteps": "teaching",
    "DrawingCanvas": "teaching",
    "Engine": "engine",
    "Experiment": "_sweeps",
    "File": "protocol",
    "Fleet": "_sweeps",
    "FleetView": "widgets",
    "Graph": "workflow",
    "ImageCompare": "widgets",
    "ImageGrid": "widgets",
    "Job": "client",
    "JobProgress": "widgets",
    "Lesson": "teaching",
    "LivePreview": "widgets",
    "NoiseExplorer": "teaching",
    "Param": "workflow",
    "Preview": "protocol",
    "Progress": "client",
    "ReplaySlider": "teaching",
    "Result": "client",
    "Run": "client",
    "ScheduleEditor": "teaching",
    "SweepGrid": "widgets",
    "Workflow": "workflow",
    "WorkflowError": "errors",
    "WorkflowForm": "widgets",
    "WorkflowGraph": "widgets",
    "as_completed": "client",
    "example": "workflow",
    "explain": "experiments",
    "images": "_sweeps",
    "lora": "experiments",
    "make_grid": "_grid",
    "prefer": "_sweeps",
    "prompt_variants": "workflow",
    "record": "teaching",
    "replace": "experiments",
    "resume": "_sweeps",
    "runs": "client",
    "sweep": "_sweeps",
    "together": "experiments",
}

__all__ = [
    "ComfyClient",
    "ComfyError",
    "ComfyPanel",
    "DaskFleet",
    "DiffusionSteps",
    "DrawingCanvas",
    "Engine",
    "Experiment",
    "File",
    "Fleet",
    "FleetView",
    "Graph",
    "ImageCompare",
    "ImageGrid",
    "Job",
    "JobProgress",
    "Lesson",
    "LivePreview",
    "NoiseExplorer",
    "Param",
    "Preview",
    "Progress",
    "ReplaySlider",
    "Result",
    "Run",
    "ScheduleEditor",
    "SweepGrid",
    "Workflow",
    "WorkflowError",
    "WorkflowForm",
    "WorkflowGraph",
    "as_completed",
    "example",
    "explain",
    "images",
    "lora",
    "make_grid",
    "prefer",
    "prompt_variants",
    "record",
    "replace",
    "resume",
    "runs",
    "sweep",
    "together",
]


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    if home == "client":
        import_module("._notebook", __name__).prepare()
    return value


def load_ipython_extension(shell: Any) -> None:
    """Show workflows, jobs and results richly: ``%load_ext comfy_widgets``.

    In a notebook this is done as soon as `ComfyClient` is used; the extension does it earlier, and in any IPython.

    Parameters
    ----------
    shell : InteractiveShell
        IPython's shell.
    """
    import_module("._notebook", __name__).register(shell)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
