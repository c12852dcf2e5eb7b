"""What the page shows of a job: pure functions from a job's snapshots to JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ComfyError, ExecutionFailed, JobLost, PromptRefused, ServerError, WorkflowError
from ._wire import size_words

if TYPE_CHECKING:
    from ..client import Job, Progress, Result
    from ._pictures import Picture

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
    if progress.phase == "cancelling":
        return "cancelling"
    return "waiting" if job.status == "pending" else "running"


def ended(
    job: Job,
    run: int,
    frame: Mapping[str, Any],
    places: Mapping[Place, str],
    *,
    shown: Sequence[Picture] | None,
    note: str = "",
) -> Json:
    """The state of a job that has ended.

    Parameters
    ----------
    places : Mapping
        Node id and input name to the name of the form's field.
    shown : sequence of Picture or None
        What the page was given; None where it wants no pictures.
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
        "texts": texts(result, shown) if result is not None else [],
        "summary": summary(result, shown) if phase == "done" and result is not None else "",
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


def summary(result: Result, shown: Sequence[Picture] | None) -> str:
    """One line about a finished run: "4 pictures · 512 x 512 · 3.2 s"."""
    if shown is None:
        kinds = ["image"] * (len(result.image_files) + len(result.streamed))
        kinds += [file.kind for file in result.files if file.kind in ("video", "audio")]
    else:
        kinds = [picture.mime.partition("/")[0] for picture in shown]
    words = {"image": "picture", "video": "film", "audio": "sound"}
    counts = [(kinds.count(kind), word) for kind, word in words.items()]
    parts = [f"{count} {word}{'s' * (count != 1)}" for count, word in counts if count]
    sizes = {picture.size for picture in shown or () if picture.size is not None}
    if len(sizes) == 1:
        parts.append(size_words(*sizes.pop()))
    if not parts and not result.files and not result.texts:
        parts.append("Nothing was made")
    if result.elapsed is not None:
        parts.append(f"{result.elapsed:.1f} s")
    return " · ".join(parts)


def texts(result: Result, shown: Sequence[Picture] | None) -> list[str]:
    """The texts that a run gave, and which of its files the page cannot show."""
    names = {picture.name for picture in shown or ()}
    missing = [file.filename for file in result.files if file.kind != "image" and file.filename not in names]
    also = f'Also made: {", ".join(missing)}.\nSave everything with panel.result.save("folder").'
    return [*result.texts, *([also] if missing else [])]


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
    details, message = "", str(error)
    if isinstance(error, ExecutionFailed):
        details = "".join(error.traceback).strip()
        if error.exception_type:
            message = f"{error.exception_type.rpartition('.')[2]}: {error.exception_message}".strip()
    elif isinstance(error, PromptRefused):
        message = "\n".join(problem.text for problem in error.problems)
    return {"title": title, "message": message, "details": details, "fields": _fields(error, places)}


def _fields(error: ComfyError, places: Mapping[Place, str]) -> dict[str, str]:
    if isinstance(error, PromptRefused):
        # At its field nobody needs to be told which node it is.
        found = {places.get((p.node_id, p.input_name)): p.reason for p in reversed(error.problems)}
        return {name: text for name, text in found.items() if name is not None}
    if isinstance(error, WorkflowError):
        name = places.get((error.node_id, error.input_name))
        return {name: str(error)} if name is not None else {}
    return {}
