"""Bringing a job to the server, and calling it back: runs in the client's submission thread, one after the other."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..protocol import node_problems
from ._errors import ComfyError, HTTPError, ServerError, ServerTimeout, ServerUnreachable, WorkflowError

if TYPE_CHECKING:
    from ..workflow import Workflow
    from ._client import ComfyClient
    from ._job import Job

logger = logging.getLogger("comfy_widgets")

_FIRST_CONNECT = 2.0


def send(client: ComfyClient, job: Job, document: Workflow, options: dict[str, Any]) -> None:
    """Everything about a submission that may take time. What goes wrong ends the job; nothing is raised."""
    tracker = client._tracker
    try:
        if job.done():
            return
        if not job.prompt:
            document = document.bind(client.object_info())
            client._plan(job, document.to_prompt())
        if document.uploads:
            _upload(client, job, document.uploads)
        client._listen().wait_first_try(_FIRST_CONNECT)
        options = {**options, "extra_data": _extra_data(document, options["extra_data"], client._api_key)}
        if not tracker.ledger.begin(job):
            return
        client._journal.submitted(job.prompt_id, client.url, client.client_id)
        reply = client._post_prompt(job.prompt, job.prompt_id, **options)
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
            client._journal.submitted(job.prompt_id, client.url, client.client_id)
        left_out = [f"Left out: {problem.text}" for problem in node_problems(reply.node_errors, job.prompt)]
        job._warn(*left_out)
        tracker.confirm(job)
    if job._cancel_asked:
        # Asked for while the POST was under way, when the server did not know the job yet.
        cancel(client, job)


def _in_doubt(error: ServerError) -> bool:
    """Whether the prompt may be queued all the same; the watch then finds out.

    A broken connection, silence or a 5xx tells nothing. A server that knows no such call has not taken it.
    """
    if isinstance(error, ServerUnreachable):
        return error.sent
    return error.status is None or error.status in (408, 425, 429) or (error.status >= 500 and error.status != 501)


def cancel(client: ComfyClient, job: Job) -> None:
    """Take a job from the queue or interrupt it; the watch then settles it."""
    if job.done() and job.status != "lost":
        return
    try:
        client.cancel(job.prompt_id)
    except ServerError as error:
        job._warn(f"The server could not be told to cancel: {error}")
    client._tracker.ask_soon()


def _extra_data(document: Workflow, extra: Mapping[str, Any], api_key: str | None) -> dict[str, Any]:
    data = dict(extra)
    if document.form == "ui":
        try:
            # So that ComfyUI's editor opens the pictures as a workflow again, with the values that made them.
            data["extra_pnginfo"] = {"workflow": document.to_ui(), **(data.get("extra_pnginfo") or {})}
        except WorkflowError as error:
            # Better no workflow in the picture than one with other values.
            logger.info("the picture will not carry the editor's workflow: %s", error)
    if api_key:
        data["api_key_comfy_org"] = api_key
    return data


def _upload(client: ComfyClient, job: Job, pictures: Mapping[str, bytes]) -> None:
    """Bring a workflow's own pictures to the server, and name them in the prompt as the server does."""
    names = {}
    for name, content in pictures.items():
        file = client.upload_image(content, name)
        names[name] = f"{file.subfolder}/{file.filename}" if file.subfolder else file.filename
    prompt = {
        node_id: {**node, "inputs": {key: _renamed(value, names) for key, value in node["inputs"].items()}}
        for node_id, node in job.prompt.items()
    }
    job._prepare(prompt, job._state.plan)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    return names.get(value, value) if isinstance(value, str) else value
