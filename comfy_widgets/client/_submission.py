"""Bringing a job to the server, and calling it back."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ..protocol import QueueItem, WorkflowError, node_problems
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
_PREVIEW_METHODS = ("auto", "latent2rgb", "taesd", "none", "default")
_PREVIEW_METHOD_SINCE = (0, 8)


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
    before_post : callable or None
        Called when all is ready; what it raises ends the job.
    """

    job: JobCore
    document: Workflow
    front: bool = False
    partial_execution_targets: list[str] | None = None
    extra_data: Mapping[str, Any] = field(default_factory=dict)
    before_post: Callable[[], object] | None = None


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
        # What was sent may have to be called back when the client is closed already.
        self._last_words = PromptRoutes(Calls(calls.transport, calls.client_id, after_close=True))
        self._files = FileRoutes(calls)
        self._server = ServerRoutes(calls)
        self._client_id = calls.client_id
        self._parts = parts
        self._api_key = api_key
        self._told_of_previews = False

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

    def advance(self, job: JobCore) -> None:
        """Let a job run before all others that wait; returns at once."""
        try:
            self._parts.workers.submissions.submit(self._advance, job)
        except RuntimeError:
            logger.info("the client is closed; job %s keeps its place", job.prompt_id)

    def _advance(self, job: JobCore) -> None:
        """Take it out of the queue, and put it back in front, as a server has no call for that."""
        tracker = self._parts.tracker
        try:
            item = self._waiting_item(job)
            if item is None:
                return
            with tracker.ledger.moving(job):
                self._prompts.delete_from_queue(job.prompt_id)
                # It may have begun, and even ended, right before.
                if self._prompts.queue().find(job.prompt_id) or self._prompts.history(job.prompt_id):
                    return
                self._put_back(job, item)
        except ServerError as error:
            job.warn(f"It could not be moved to the front: {error}")
        tracker.ask_soon()

    def _waiting_item(self, job: JobCore) -> QueueItem | None:
        """What the queue has of it; None where it does not wait, or is the next already."""
        waiting = self._prompts.queue().queue_pending
        item = next((item for item in waiting[1:] if item.prompt_id == job.prompt_id), None)
        return None if job.cancelling or job.done() else item

    def _put_back(self, job: JobCore, item: QueueItem) -> None:
        extra_data = dict(item.extra_data)
        if self._api_key:
            # What the queue tells is free of secrets.
            extra_data["api_key_comfy_org"] = self._api_key
        try:
            self._prompts.post_prompt(
                item.prompt,
                job.prompt_id,
                front=True,
                partial_execution_targets=list(item.outputs_to_execute) or None,
                extra_data=extra_data,
            )
        except (ServerTimeout, HTTPError, ServerUnreachable) as error:
            if not _in_doubt(error):
                self._parts.tracker.ledger.fail(job, error)
            else:
                self._parts.tracker.confirm(job, error)
        except ComfyError as error:
            self._parts.tracker.ledger.fail(job, error)
        if job.cancelling:
            self._cancel(job)

    def _send(self, submission: Submission) -> None:
        """Everything about a submission that may take time. What goes wrong ends the job; nothing is raised."""
        job, tracker, begun = submission.job, self._parts.tracker, False
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
            if submission.before_post is not None:
                submission.before_post()
            begun = tracker.ledger.begin(job)
            if not begun:
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
            sent = ", and nothing was sent" if not begun else ""
            failure = ComfyError(f"The submission failed{sent}: {type(error).__name__}: {error}")
            failure.__cause__ = error
            if begun:
                tracker.confirm(job, failure)
            else:
                tracker.ledger.fail(job, failure)
        else:
            if reply.prompt_id != job.prompt_id:
                tracker.rekey(job, reply.prompt_id)
                self._note(job)
            job.warn(*(f"Left out: {problem.text}" for problem in node_problems(reply.node_errors, job.prompt)))
            tracker.confirm(job)
            if "preview_method" in extra_data:
                self._check_previews(job, extra_data["preview_method"])
        if job.cancelling:
            # Asked for while the POST was under way, when the server did not know the job yet.
            self._cancel(job)

    def _cancel(self, job: JobCore) -> None:
        """Call it back; the watch then settles it."""
        if job.done() and job.status is not JobStatus.LOST:
            return
        try:
            self._tell_to_cancel(job)
        except ServerError as error:
            job.warn(f"The server could not be told to cancel: {error}")
        self._parts.tracker.ask_soon()

    def _tell_to_cancel(self, job: JobCore) -> None:
        was_closed = self._parts.transport.closed
        try:
            self._last_words.cancel(job.prompt_id)
        except ServerError:
            if was_closed or not self._parts.transport.closed:
                raise
            # The end of the client has cut the call short; the server must hear of it all the same.
            self._last_words.cancel(job.prompt_id)

    def _check_previews(self, job: JobCore, wanted: str) -> None:
        """Tell once, on a server that does not heed the wish for previews, how they come about there."""
        if self._told_of_previews or wanted in ("none", "default"):
            return
        self._told_of_previews = True
        with suppress(ComfyError):
            system = self._server.system_stats().system
            if not _heeds_preview_method(system.comfyui_version) and not _has_previews(system.argv or []):
                job.warn(
                    f"No live previews: this server (ComfyUI {system.comfyui_version}) was started without them and is "
                    "too old to be asked for them. Start it with --preview-method auto."
                )

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


def preview_request(previews: str | None) -> dict[str, str]:
    """What goes into ``extra_data`` to ask for previews.

    Raises
    ------
    ValueError
        ComfyUI has no such kind of previews.
    """
    if previews is None:
        return {}
    if previews not in _PREVIEW_METHODS:
        raise ValueError(f"previews is {previews!r}, but must be one of {', '.join(_PREVIEW_METHODS)}.")
    return {"preview_method": previews}


def _heeds_preview_method(version: str | None) -> bool:
    found = re.match(r"v?(\d+)\.(\d+)", version or "")
    # One that does not tell its version is a fork, of which nothing is known.
    return found is None or (int(found[1]), int(found[2])) >= _PREVIEW_METHOD_SINCE


def _has_previews(argv: list[str]) -> bool:
    """Whether a server was started with ``--preview-method`` other than none."""
    following = dict(zip(argv, [*argv[1:], ""], strict=True)).get("--preview-method", "none")
    given = next((word.partition("=")[2] for word in argv if word.startswith("--preview-method=")), following)
    return given != "none"
