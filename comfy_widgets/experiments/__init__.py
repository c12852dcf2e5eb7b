"""Experiments: a workflow with many values, kept in a folder, resumed after any crash.

>>> from comfy_widgets import example, sweep
>>> run = sweep(example(), seed=range(4), cfg=[2, 5, 8])      # doctest: +SKIP

It uses clients and workflows; it has no socket and no thread of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._lazy import import_name

if TYPE_CHECKING:
    from ._axes import lora as lora
    from ._axes import replace as replace
    from ._axes import together as together
    from ._cell import Cell as Cell
    from ._command import add_arguments as add_arguments
    from ._command import parse_axis as parse_axis
    from ._command import run_command as run_command
    from ._dask import DaskFleet as DaskFleet
    from ._display import use_view as use_view
    from ._errors import ExperimentError as ExperimentError
    from ._experiment import Experiment as Experiment
    from ._explain import Explanation as Explanation
    from ._explain import explain as explain
    from ._fleet import Fleet as Fleet
    from ._history import RunHistory as RunHistory
    from ._images import FoundImage as FoundImage
    from ._images import ImageIndex as ImageIndex
    from ._images import images as images
    from ._members import ServerRow as ServerRow
    from ._order import Price as Price
    from ._order import in_words as in_words
    from ._past_run import PastRun as PastRun
    from ._prefer import Preferences as Preferences
    from ._prefer import prefer as prefer
    from ._sample import latin as latin
    from ._sample import sobol as sobol
    from ._snapshot import rows_of as rows_of
    from ._snapshot import short as short
    from ._snapshot import thumbnails_of as thumbnails_of
    from ._status import fleet_status as fleet_status
    from ._store import Rating as Rating
    from ._store import Store as Store
    from ._store import StoredFile as StoredFile
    from ._sweep import resume as resume
    from ._sweep import sweep as sweep
    from ._task import Stint as Stint

_HOMES = {
    "Cell": "_cell",
    "DaskFleet": "_dask",
    "Experiment": "_experiment",
    "ExperimentError": "_errors",
    "Explanation": "_explain",
    "Fleet": "_fleet",
    "FoundImage": "_images",
    "ImageIndex": "_images",
    "PastRun": "_past_run",
    "Preferences": "_prefer",
    "Price": "_order",
    "Rating": "_store",
    "RunHistory": "_history",
    "ServerRow": "_members",
    "Stint": "_task",
    "Store": "_store",
    "StoredFile": "_store",
    "add_arguments": "_command",
    "explain": "_explain",
    "fleet_status": "_status",
    "images": "_images",
    "in_words": "_order",
    "latin": "_sample",
    "lora": "_axes",
    "parse_axis": "_command",
    "prefer": "_prefer",
    "replace": "_axes",
    "resume": "_sweep",
    "rows_of": "_snapshot",
    "run_command": "_command",
    "short": "_snapshot",
    "sobol": "_sample",
    "sweep": "_sweep",
    "thumbnails_of": "_snapshot",
    "together": "_axes",
    "use_view": "_display",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    return import_name(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
