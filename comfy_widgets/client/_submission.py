"""Bringing a job to the server, and calling it back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..protocol import WorkflowError, node_problems
from ..workflow import Workflow
from ._calls import Calls
from ._core import JobCore
from ._errors import ComfyError, HTTPError, ServerError, ServerTimeout, ServerUnreachable
from ._file_routes import FileRoutes
from ._parts import Parts
from ._prompt_routes import PromptRoutes
from ._server_routes import ServerRoutes
from ._status import JobStatus

logger = logging.getLogger(__name__)

_FIRST_CONNECT = 2.0


@dataclass(frozen=True)
class Submission:
    """A job on its way to the server.

    Attributes
    ----------
    job : JobCore
    document : Workflow
    front : bool
        Before all that waits.
    partial_execution_targets : list of str or None
        Run only these output nodes.
    extra_data : dict
        Goes with the prompt.
    """

    job: JobCore
    document: Workflow
    front: bool = False
    partial_execution_targets: list[str] | None = None
    extra_data: Mapping[str, Any] = field(default_factory=dict)


class Submitter:
    """Sends jobs one after the other, in a thread of its own, and cancels them.

    Parameters
    ----------
    calls : Calls
    parts : Parts
    api_key : str or None
        The comfy.org key that goes with every prompt.
    """

    def __init__(self, calls: Calls, parts: Parts, api_key: str | None) -> None:
        self._prompts = PromptRoutes(calls)
        self._files = FileRoutes(calls)
        self._server = ServerRoutes(calls)
        self._client_id = calls.client_id
        self._parts = parts
        self._api_key = api_key

    def submit(self, submission: Submission) -> None:
        """Send a job as soon as those before it are sent."""
        try:
            self._parts.workers.submissions.submit(self._send, submission)
        except RuntimeError:
            self._parts.tracker.ledger.lose(submission.job, "the client was closed before it was sent")

    def cancel(self, job: JobCore) -> None:
        """Take a job from the queue, or interrupt it; returns at once."""
        tracker = self._parts.tracker
        # Where the POST is under way the server does not know the job yet; `_send` sees to it afterwards.
        if not tracker.ledger.withdraw(job) and tracker.posted(job):
            try:
                self._parts.workers.calls.submit(self._cancel, job)
            except RuntimeError:
                logger.info("the client is closed; job %s goes on on the server", job.prompt_id)

    def _send(self, submission: Submission) -> None:
        """Everything about a submission that may take time. What goes wrong ends the job; nothing is raised."""
        job, tracker = submission.job, self._parts.tracker
        try:
            if job.done():
                return
            document = submission.document
            if not job.prompt:
                document = document.bind(self._server.object_info())
                job.prepare(document.to_prompt(), document.drawn)
            if document.uploads:
                self._upload(job, document.uploads)
            tracker.listen().wait_first_try(_FIRST_CONNECT)
            extra_data = _extra_data(document, submission.extra_data, self._api_key)
            if not tracker.ledger.begin(job):
                return
            self._note(job)
            reply = self._prompts.post_prompt(
                job.prompt,
                job.prompt_id,
                front=submission.front,
                partial_execution_targets=submission.partial_execution_targets,
                extra_data=extra_data,
            )
        except (ServerTimeout, HTTPError, ServerUnreachable) as error:
            if _in_doubt(error):
                tracker.confirm(job, error)
            else:
                tracker.ledger.fail(job, error)
        except ComfyError as error:
            tracker.ledger.fail(job, error)
        except Exception as error:
            logger.exception("a submission failed")
            tracker.ledger.fail(job, ComfyError(f"The submission failed: {type(error).__name__}: {error}"))
        else:
            if reply.prompt_id != job.prompt_id:
                tracker.rekey(job, reply.prompt_id)
                self._note(job)
            job.warn(*(f"Left out: {problem.text}" for problem in node_problems(reply.node_errors, job.prompt)))
            tracker.confirm(job)
        if job.cancelling:
            # Asked for while the POST was under way, when the server did not know the job yet.
            self._cancel(job)

    def _cancel(self, job: JobCore) -> None:
        """Call it back; the watch then settles it."""
        if job.done() and job.status is not JobStatus.LOST:
            return
        try:
            self._prompts.cancel(job.prompt_id)
        except ServerError as error:
            job.warn(f"The server could not be told to cancel: {error}")
        self._parts.tracker.ask_soon()

    def _note(self, job: JobCore) -> None:
        self._parts.journal.submitted(job.prompt_id, self._server.url, self._client_id)

    def _upload(self, job: JobCore, images: Mapping[str, bytes]) -> None:
        """Bring a workflow's own images to the server, and name them in the prompt as the server does."""
        names = {}
        for name, content in images.items():
            file = self._files.upload_image(content, name)
            names[name] = f"{file.subfolder}/{file.filename}" if file.subfolder else file.filename
        job.prepare(
            {
                node_id: {**node, "inputs": {key: _renamed(value, names) for key, value in node["inputs"].items()}}
                for node_id, node in job.prompt.items()
            }
        )


def _in_doubt(error: ServerError) -> bool:
    """Whether the prompt may be queued all the same; the watch then finds out.

    A broken connection, silence or a 5xx tells nothing. A server that knows no such call has not taken it.
    """
    if isinstance(error, ServerUnreachable):
        return error.sent
    return error.status is None or error.status in (408, 425, 429) or (error.status >= 500 and error.status != 501)


def _extra_data(document: Workflow, extra: Mapping[str, Any], api_key: str | None) -> dict[str, Any]:
    data = dict(extra)
    if document.form == "ui":
        try:
            # So that ComfyUI's editor opens the images as a workflow again, with the values that made them.
            data["extra_pnginfo"] = {"workflow": document.to_ui(), **(data.get("extra_pnginfo") or {})}
        except WorkflowError as error:
            # Better no workflow in the image than one with other values.
            logger.info("the image will not carry the editor's workflow: %s", error)
    if api_key:
        data["api_key_comfy_org"] = api_key
    return data


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    return names.get(value, value) if isinstance(value, str) else value
