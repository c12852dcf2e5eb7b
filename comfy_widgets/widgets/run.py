"""What the page shows of a job: pure functions from a job's snapshots to JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..client.errors import ExecutionFailed, JobLost, PromptRefused, ServerError
from ..protocol.errors import ComfyError, WorkflowError
from .wire import size_words

if TYPE_CHECKING:
    from ..client import Job, Progress, Result

Json = dict[str, Any]
Place = tuple[str | None, str | None]

ONE: Json = {"width": 1, "height": 1, "count": 1}


def idle(frame: Mapping[str, Any] = ONE) -> Json:
    """The state before the first run."""
    return {
        "run": 0,
        "phase": "idle",
        "fraction": 0.0,
        "node": None,
        "step": None,
        "steps": None,
        "eta": None,
        "queue": None,
        "error": None,
        "warnings": [],
        "texts": [],
        "summary": "",
        "frame": dict(frame),
    }


def working(job: Job, run: int, frame: Mapping[str, Any]) -> Json:
    """The state of a job that has not ended, or whose pictures are still on their way to the page."""
    progress = job.progress
    return {
        **idle(frame),
        "run": run,
        "phase": _phase(job, progress),
        "fraction": round(progress.fraction, 4),
        "node": progress.title,
        "step": progress.step,
        "steps": progress.steps,
        # Halves are more exact than an estimate is, and spare the page a message for every tenth.
        "eta": None if progress.eta is None else round(2 * progress.eta) / 2,
        "queue": progress.queue_position,
        "warnings": list(job.warnings),
    }


def _phase(job: Job, progress: Progress) -> str:
    if job.done():
        return "loading"
    if progress.message == "Cancelling":
        return "cancelling"
    return "waiting" if job.status == "pending" else "running"


def ended(
    job: Job, run: int, frame: Mapping[str, Any], places: Mapping[Place, str], *, pictures: int, note: str = ""
) -> Json:
    """The state of a job that has ended.

    Parameters
    ----------
    places : Mapping
        Node id and input name to the name of the form's field.
    pictures : int
        How many the page was given.
    note : str
        One more warning.
    """
    error = job.exception(timeout=0)
    result = result_of(job)
    phase = {"completed": "done", "cancelled": "cancelled"}.get(job.status, "failed")
    return {
        **working(job, run, frame),
        "phase": phase,
        "fraction": 1.0 if phase == "done" else round(job.progress.fraction, 4),
        "eta": None,
        "error": describe(error, places) if error is not None and phase == "failed" else None,
        "warnings": [*job.warnings, *([note] if note else [])],
        "texts": list(result.texts) if result is not None else [],
        "summary": summary(result, pictures, frame) if phase == "done" and result is not None else "",
    }


def refused(
    error: ComfyError, run: int, frame: Mapping[str, Any], places: Mapping[Place, str], *, phase: str = "failed"
) -> Json:
    """The state when no job came about; with the phase "idle", when none was asked for yet."""
    return {**idle(frame), "run": run, "phase": phase, "error": describe(error, places)}


def result_of(job: Job) -> Result | None:
    """What a job left, also one that failed; None before its end."""
    if not job.done():
        return None
    error = job.exception(timeout=0)
    return job.result(timeout=0) if error is None else getattr(error, "result", None)


def summary(result: Result, pictures: int, frame: Mapping[str, Any]) -> str:
    """One line about a finished run: "4 pictures · 512 x 512 · 3.2 s"."""
    others = sum(file.kind != "image" for file in result.files)
    parts = []
    if pictures or not (others or result.texts):
        parts.append(f"{pictures} picture{'s' * (pictures != 1)}")
    if pictures:
        parts.append(size_words(frame["width"], frame["height"]))
    if others:
        parts.append(f"{others} other file{'s' * (others != 1)}")
    if result.elapsed is not None:
        parts.append(f"{result.elapsed:.1f} s")
    return " · ".join(parts)


_TITLES: tuple[tuple[type[ComfyError], Callable[[Any], str]], ...] = (
    (ExecutionFailed, lambda error: f"{error.node_title or error.node_type or 'A node'} failed"),
    (PromptRefused, lambda _: "The server refused the workflow"),
    (JobLost, lambda _: "The run was lost"),
    (ServerError, lambda _: "No answer from the server"),
    (WorkflowError, lambda _: "The workflow cannot run"),
)


def describe(error: ComfyError, places: Mapping[Place, str]) -> Json:
    """An error for the panel: a title, the words, the server's own text, and the fields at fault."""
    title = next((of(error) for kind, of in _TITLES if isinstance(error, kind)), "The run failed")
    details = "".join(error.traceback).strip() if isinstance(error, ExecutionFailed) else ""
    return {"title": title, "message": str(error), "details": details, "fields": _fields(error, places)}


def _fields(error: ComfyError, places: Mapping[Place, str]) -> dict[str, str]:
    if isinstance(error, PromptRefused):
        found = {places.get((p.node_id, p.input_name)): p.text for p in reversed(error.problems)}
        return {name: text for name, text in found.items() if name is not None}
    if isinstance(error, WorkflowError):
        name = places.get((error.node_id, error.input_name))
        return {name: str(error)} if name is not None else {}
    return {}
