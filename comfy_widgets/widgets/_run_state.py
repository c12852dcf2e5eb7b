"""What the browser shows of a run: pure functions from a job's snapshots to `RunState`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ComfyError, ExecutionFailed, JobLost, PromptRefused, ServerError, WorkflowError
from ._fields import ONE_IMAGE
from ._images import Shown, size_words

if TYPE_CHECKING:
    from ..client import Job, Result
    from ._schema import Frame, Phase, RunError, RunState

Place = tuple[str | None, str | None]
"""A node's id and the name of its input."""


@dataclass(frozen=True)
class FieldName:
    """The name of a field, and the label that people know it by."""

    name: str
    label: str


class NotOnServer(WorkflowError):
    """The server lacks nodes or models of a workflow.

    Attributes
    ----------
    to_install : str
        One list to copy.
    """

    def __init__(self, message: str, to_install: str) -> None:
        super().__init__(message)
        self.to_install = to_install


def idle(frame: Frame = ONE_IMAGE) -> RunState:
    """Return the state before the first run."""
    return {
        "run": 0,
        "phase": "idle",
        "fraction": 0.0,
        "node": None,
        "step": None,
        "steps": None,
        "left": "",
        "pace": "",
        "queue": None,
        "error": None,
        "warnings": [],
        "texts": [],
        "summary": "",
        "frame": frame,
        "connected": True,
        "chosen": False,
    }


def working(job: Job, run: int, frame: Frame, warnings: Sequence[str] = ()) -> RunState:
    """Return the state of a job that has not ended, or whose images are still on their way to the browser."""
    progress = job.progress
    state = idle(frame)
    state["run"] = run
    state["phase"] = phase_of(job)
    state["fraction"] = round(progress.fraction, 4)
    # A node that counts no steps says what it is busy with, such as loading a model.
    state["node"] = progress.message if progress.node is not None and progress.steps is None else progress.title
    state["step"], state["steps"] = progress.step, progress.steps
    if state["phase"] == "running":
        state["left"], state["pace"] = time_left(progress.eta, progress.eta_error), pace(progress.rate)
    state["queue"] = progress.queue_position
    state["warnings"] = [*job.warnings, *warnings]
    return state


def time_left(seconds: float | None, error: float | None = None) -> str:
    """Return "about 8 s left", or "about 40 s left, ± 6 s": no more exact than an estimate is."""
    if seconds is None or not 0 <= seconds < math.inf:
        return ""
    words = f"about {_about(seconds)} left"
    # What is less than is rounded away, nobody needs to hear.
    if error is None or not max(1.5, seconds / 20) <= error < math.inf:
        return words
    return f"{words}, ± {error:.0f} s" if error < 55 else f"{words}, ± {error / 60:.0f} min"


def _about(seconds: float) -> str:
    if seconds < 1.5:
        return "1 s"
    if seconds < 10:
        return f"{seconds:.0f} s"
    if seconds < 55:
        return f"{5 * round(seconds / 5)} s"
    return f"{seconds / 60:.0f} min" if seconds < 3300 else f"{seconds / 3600:.1f} h"


def pace(rate: float | None) -> str:
    """Return "2.3 it/s", or "4.1 s/it" where a step takes longer than a second."""
    if not rate:
        return ""
    return f"{rate:.1f} it/s" if rate >= 1 else f"{1 / rate:.1f} s/it"


def phase_of(job: Job, loaded: bool = False) -> Phase:
    """Return the phase of a job; once it has ended, its images are loaded first."""
    if job.done():
        ends: dict[str, Phase] = {"completed": "done", "cancelled": "cancelled"}
        return ends.get(job.status, "failed") if loaded else "loading"
    if job.progress.phase == "cancelling":
        return "cancelling"
    return "waiting" if job.status == "pending" else "running"


def ended(
    job: Job,
    run: int,
    frame: Frame,
    fields: Mapping[Place, FieldName],
    *,
    result: Result | None,
    images: Sequence[Shown] | None,
    warnings: Sequence[str] = (),
) -> RunState:
    """Return the state of a job that has ended.

    Parameters
    ----------
    job : Job
    run : int
        Which run of the widget it is.
    frame : Frame
        The size and number of the images.
    fields : Mapping
        Node id and input name to the form's field.
    result : Result or None
        What is shown of what it left.
    images : sequence of Shown or None
        What the browser was given; None where it wants no images.
    warnings : sequence of str
        More warnings than the job has.
    """
    error = job.exception(timeout=0)
    phase = phase_of(job, loaded=True)
    state = working(job, run, frame, warnings)
    state["phase"] = phase
    state["fraction"] = 1.0 if phase == "done" else round(job.progress.fraction, 4)
    state["left"] = ""
    if error is not None and phase == "failed":
        state["error"] = describe(error, fields)
    if result is not None:
        state["texts"] = texts(result, images)
        state["summary"] = summary(result, images) if phase == "done" else ""
    return state


def abandoned(job: Job, run: int, frame: Frame) -> RunState:
    """Return the state of a job that is waited for no longer."""
    state = working(job, run, frame, ["No longer waited for. The server may still run it, once it is heard again."])
    state["phase"], state["left"] = "cancelled", ""
    return state


def refused(
    error: ComfyError, run: int, frame: Frame, fields: Mapping[Place, FieldName], *, phase: Phase = "failed"
) -> RunState:
    """Return the state when no job came about; with the phase "idle", when none was asked for yet."""
    state = idle(frame)
    state["run"], state["phase"], state["error"] = run, phase, describe(error, fields)
    return state


def result_of(job: Job) -> Result | None:
    """Return what a job left, also one that failed; None before its end."""
    if not job.done():
        return None
    error = job.exception(timeout=0)
    return job.result(timeout=0) if error is None else getattr(error, "result", None)


def summary(
    result: Result, images: Sequence[Shown] | None, shown_sizes: Iterable[tuple[int, int]] | None = None
) -> str:
    """Return one line about a finished run: "4 images · 512 x 512 · 3.2 s"."""
    if images is None:
        kinds = ["image"] * (len(result.image_files) + len(result.streamed))
        kinds += [file.kind for file in result.files if file.kind in ("video", "audio")]
    else:
        kinds = [image.mime.partition("/")[0] for image in images]
    words = {"image": "image", "video": "video", "audio": "audio file"}
    counts = [(kinds.count(kind), word) for kind, word in words.items()]
    parts = [f"{count} {word}{'s' * (count != 1)}" for count, word in counts if count]
    sizes = set(shown_sizes or (image.size for image in images or () if image.size is not None))
    if len(sizes) == 1:
        parts.append(size_words(*sizes.pop()))
    if not parts and not result.files and not result.texts:
        parts.append("No output")
    if result.elapsed is not None:
        parts.append(f"{result.elapsed:.1f} s")
    return " · ".join(parts)


def caption(jobs: Sequence[Job]) -> str:
    """Return one line about jobs that have ended: "3 runs · 3 images · 9.6 s"."""
    results = [result for job in jobs if (result := result_of(job)) is not None]
    if len(jobs) == 1 and len(results) == 1 and jobs[0].status == "completed":
        return summary(results[0], None)
    parts = [f"{len(jobs)} run{'s' * (len(jobs) != 1)}"]
    going = sum(not job.done() for job in jobs)
    parts += [f"{going} not ended yet"] if going else []
    for status, word in (("failed", "failed"), ("cancelled", "cancelled"), ("lost", "lost")):
        count = sum(job.status == status for job in jobs)
        parts += [f"{count} {word}"] if count else []
    images = sum(len(result.image_files) + len(result.streamed) for result in results)
    parts += [f"{images} image{'s' * (images != 1)}"] if images else []
    seconds = sum(result.elapsed or 0.0 for result in results)
    return " · ".join([*parts, f"{seconds:.1f} s"])


def together(jobs: Sequence[Job], state: RunState) -> RunState:
    """Return the state of several jobs as one, from that of the job at work.

    Parameters
    ----------
    jobs : sequence of Job
    state : RunState
        What is told of the one at work, or of the last.
    """
    ended = [job for job in jobs if job.done()]
    if len(ended) == len(jobs):
        status: Phase = "done" if any(job.status == "completed" for job in jobs) else state["phase"]
        return {**state, "phase": status, "fraction": 1.0, "error": None, "summary": caption(jobs)}
    count = f"{len(ended)} of {len(jobs)} done"
    new: RunState = {**state, "error": None, "left": "", "pace": ""}
    new["fraction"] = round(sum(1.0 if job.done() else job.progress.fraction for job in jobs) / len(jobs), 4)
    # Between two of them it goes on.
    if state["phase"] not in ("waiting", "cancelling"):
        new["phase"] = "running"
    new["node"] = f"{count} · {state['node']}" if state["node"] is not None else count
    took = [result.elapsed for job in ended if (result := result_of(job)) is not None and result.elapsed is not None]
    if took and new["phase"] == "running":
        mean = sum(took) / len(took)
        left = sum(mean * (1 - job.progress.fraction) for job in jobs if not job.done())
        new["left"] = time_left(left)
    return new


def texts(result: Result, images: Sequence[Shown] | None) -> list[str]:
    """Return the texts that a run gave, and which of its files the browser cannot show."""
    names = {image.name for image in images or ()}
    others = [file.filename for file in result.files if file.kind != "image" and file.filename not in names]
    also = f'Also made: {", ".join(others)}.\nSave everything with panel.result.save("folder").'
    return [*result.texts, *([also] if others else [])]


_TITLES: tuple[tuple[type[ComfyError], Callable[[Any], str]], ...] = (
    (ExecutionFailed, lambda error: f"{error.node_title or error.node_type or 'A node'} failed"),
    (PromptRefused, lambda _: "The server refused the workflow"),
    (JobLost, lambda _: "The run was lost"),
    (ServerError, lambda _: "No answer from the server"),
    (WorkflowError, lambda _: "The workflow cannot run"),
)


def describe(error: ComfyError, fields: Mapping[Place, FieldName]) -> RunError:
    """Describe an error for people: a title, the words, the server's own text, and the fields at fault."""
    title = next((of(error) for kind, of in _TITLES if isinstance(error, kind)), "The run failed")
    details, message = "", str(error)
    if isinstance(error, ExecutionFailed):
        details = "".join(error.traceback).strip()
        if error.exception_type:
            message = f"{error.exception_type.rpartition('.')[2]}: {error.exception_message}".strip()
    elif isinstance(error, NotOnServer):
        details = error.to_install
    elif isinstance(error, PromptRefused):
        message = "\n".join(problem.text for problem in error.problems)
    return {"title": title, "message": message, "details": details, "fields": _at_fields(error, fields)}


def _at_fields(error: ComfyError, fields: Mapping[Place, FieldName]) -> dict[str, str]:
    found: dict[str, str] = {}
    if isinstance(error, PromptRefused):
        for problem in error.problems:
            field = fields.get((problem.node_id, problem.input_name))
            if field is not None:
                found.setdefault(
                    field.name, f"{field.label} {problem.predicate}" if problem.predicate else problem.reason
                )
    elif isinstance(error, WorkflowError):
        field = fields.get((error.node_id, error.input_name))
        if field is not None:
            found[field.name] = str(error)
    return found
