"""The list of runs as the browser shows it, and what differs between a run's values and those of the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._run_state import phase_of
from ._stories import details_of

if TYPE_CHECKING:
    from ..workflow import Param
    from ._panel_run import PanelRun
    from ._schema import Detail, RunDetails, RunRow

MAX_ROWS = 200
"""Runs that the browser lists; the older ones are kept in Python."""
_MAX_DIFFERENCES = 4
_MAX_WORD = 24


def differences(
    params: Mapping[str, Param], then: Mapping[str, Any], now: Mapping[str, Any], *, seeds_of: Mapping[str, Any]
) -> list[str]:
    """Return in words what differs: ``["CFG 7 → 3"]``, the first being `then`, the second `now`.

    Parameters
    ----------
    params : Mapping
        The parameters by name, which say the labels.
    then, now : Mapping
        Values by name.
    seeds_of : Mapping
        That of the two whose seeds are told.
    """
    names = [name for name, value in now.items() if name in then and name in params and then[name] != value]
    # Seeds differ most often and say least: last, and without the other one.
    seeds = [name for name in names if params[name].kind == "seed"]
    found = [f"{params[name].label} {_short(then[name])} → {_short(now[name])}" for name in names if name not in seeds]
    found += [f"{params[name].label} {seeds_of[name]}" for name in seeds]
    more = len(found) - _MAX_DIFFERENCES
    return [*found[:_MAX_DIFFERENCES], f"{more} more"] if more > 0 else found


def story(params: Mapping[str, Param], values: Mapping[str, Any]) -> list[str]:
    """Return what tells most of a run, for a text beside its images: prompts and seeds.

    Parameters
    ----------
    params : Mapping
        The parameters by name, which say the labels.
    values : Mapping
        Values by name.
    """
    return [
        f"{param.label}: {values[name]}"
        for name, param in params.items()
        if param.kind in ("text", "seed") and param.primary and str(values.get(name, "")).strip()
    ]


def _short(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _MAX_WORD else f"{text[: _MAX_WORD - 1]}…"


def count_others(rows: Sequence[RunRow]) -> None:
    """Say of each row that waits how many prompts before it belong to others."""
    working = sum(row["phase"] in ("running", "cancelling") for row in rows)
    waiting = [row for row in rows if row["phase"] == "waiting" and row["queue"] is not None]
    waiting.sort(key=lambda row: row["queue"] or 0)
    for number, row in enumerate(waiting):
        row["others"] = max(0, (row["queue"] or 0) - working - number)


def row(run: PanelRun, differs: Sequence[str]) -> RunRow:
    """Describe a run for the list."""
    job = run.job
    progress = job.progress if job is not None else None
    error = run.refusal or (job.exception(timeout=0) if job is not None and job.done() else None)
    words = run.past.error if run.past is not None else str(error) if error is not None else ""
    return {
        "run": run.number,
        "phase": phase_of(job, run.loaded) if job is not None else run.phase,
        "queue": progress.queue_position if progress is not None else None,
        "others": 0,
        "fraction": round(progress.fraction, 2) if progress is not None else 0.0,
        "count": len(run.images),
        "differs": list(differs),
        "started": run.created,
        "error": words.split("\n")[0],
    }


def values_of(run: PanelRun, params: Mapping[str, Param]) -> list[Detail]:
    """Return the values of a run with their labels: of one of the history those of its own panel."""
    if run.past is None:
        return details_of(params, run.values)
    return [{"label": label, "value": value, "group": group} for label, value, group in run.past.details]


def details(run: PanelRun, params: Mapping[str, Param], server: str) -> RunDetails:
    """Describe all that is known of a run: its values, its images, its time."""
    result = run.result
    return {
        "kind": "details",
        "run": run.number,
        "items": values_of(run, params),
        "images": [image.caption for image in run.images],
        "seconds": result.elapsed if result is not None else None,
        "started": run.created,
        "server": run.past.server if run.past is not None else server,
        "prompt_id": run.job.prompt_id if run.job is not None else run.past.prompt_id if run.past is not None else "",
    }
