"""Prompts on a server: into the queue, out of it, and what became of them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ..protocol import HistoryEntry, PromptReply, Queue, Refusal, WorkflowError, requests
from ..workflow import Workflow
from ._calls import RouteGroup
from ._errors import NotAComfyServer, PromptRefused, ServerError
from ._failures import Reply, size_in_words


class PromptRoutes(RouteGroup):
    """Routes about prompts, the queue, the history and the jobs API."""

    # Prompts

    def prompt(
        self,
        prompt: Mapping[str, Any] | str | bytes,
        *,
        prompt_id: str | None = None,
        front: bool = False,
        number: float | None = None,
        partial_execution_targets: Sequence[str] | None = None,
        extra_data: Mapping[str, Any] | None = None,
    ) -> PromptReply:
        """``POST /prompt``: put a prompt into the queue.

        Parameters
        ----------
        prompt : dict, str or bytes
            API format, as a dict or as JSON text.
        prompt_id : str, optional
            A lower-case uuid4 of your own; made here otherwise.
        front : bool
            Before all that waits.
        number : float, optional
            A place in the order of your own; the lowest runs first.
        partial_execution_targets : sequence of str, optional
            Run only these output nodes.
        extra_data : dict, optional
            ``{"extra_pnginfo": {"workflow": ...}}`` goes into the PNG files, for example.

        Returns
        -------
        PromptReply
            ``prompt_id, number, node_errors``; the last not empty where output nodes were left out.

        Raises
        ------
        PromptRefused
            With ``type, message, details, extra_info, node_errors``.
        WorkflowError
            It is no prompt: the editor's format, or not JSON.
        ServerError

        Examples
        --------
        >>> client.prompt(example().to_prompt()).node_errors
        {}
        """
        workflow = Workflow.load(prompt)
        if workflow.prompt is None:
            raise WorkflowError(
                "This is a workflow in the editor's format, which a server does not run as it is. Use client.submit() "
                "or client.run(), which convert it, or workflow.to_prompt(client.object_info())."
            )
        return self.post_prompt(
            workflow.to_prompt(),
            prompt_id or str(uuid.uuid4()),
            front=front,
            number=number,
            partial_execution_targets=partial_execution_targets,
            extra_data=extra_data,
        )

    def post_prompt(self, prompt: Mapping[str, Any], prompt_id: str, **options: Any) -> PromptReply:
        """The same for a prompt that was checked before.

        Parameters
        ----------
        prompt : dict
            API format.
        prompt_id : str
            A lower-case uuid4.
        **options : object
            ``front, number, partial_execution_targets, extra_data``, as for `prompt`.

        Returns
        -------
        PromptReply
            As from `prompt`.

        Raises
        ------
        PromptRefused, ServerError

        Examples
        --------
        >>> import uuid
        >>> client.post_prompt(example().to_prompt(), str(uuid.uuid4())).node_errors
        {}
        """
        request = requests.prompt(prompt, prompt_id=prompt_id, client_id=self._calls.client_id, **options)
        reply = self._calls.call(request)
        if reply.status == 400:
            refusal = Refusal.parse(_json_or_none(reply), 400)
            raise PromptRefused(refusal, refusal.problems(prompt, self._known_classes(refusal)), 400)
        if reply.status == 413:
            size = len(request.payload or b"")
            raise self._calls.too_large(reply, f"The workflow has {size_in_words(size)}")
        body = self._calls.checked(reply, "Submitting the workflow").json()
        if not isinstance(body, dict) or not isinstance(body.get("prompt_id"), str):
            raise NotAComfyServer(
                f"{self._calls.address.shown} took the prompt but gave no prompt_id, so it is no ComfyUI.",
                url=reply.url,
                status=reply.status,
            )
        return PromptReply.parse(body)

    def _known_classes(self, refusal: Refusal) -> Mapping[str, Any] | None:
        """The server's node definitions, asked for only where the sentences need them."""
        if not refusal.needs_definitions:
            return None
        try:
            return self._calls.object_info()
        except ServerError:
            return None

    def queue(self) -> Queue:
        """``GET /queue``: what runs and what waits, in the order in which it will run.

        Returns
        -------
        Queue
            ``queue_running`` and ``queue_pending``, and the ``position`` of a prompt.

        Raises
        ------
        ServerError
            The server does not answer, or not as ComfyUI does.

        Examples
        --------
        >>> unknown = "00000000-0000-4000-8000-000000000000"
        >>> client.queue().position(unknown) is None
        True
        """
        return Queue.parse(self._calls.json_object(requests.get("/queue"), "Reading the queue"))

    def delete_from_queue(self, *prompt_ids: str) -> None:
        """``POST /queue {"delete": [...]}``: take waiting prompts out; running ones are not touched.

        Parameters
        ----------
        *prompt_ids : str
            Ids of prompts; those that do not wait are passed over.

        Examples
        --------
        >>> unknown = "00000000-0000-4000-8000-000000000000"
        >>> client.delete_from_queue(unknown)
        """
        self._calls.post("/queue", {"delete": list(prompt_ids)}, "Deleting from the queue", repeatable=True)

    def clear_queue(self) -> None:
        """``POST /queue {"clear": true}``: take out all waiting prompts, of everybody.

        Examples
        --------
        >>> client.clear_queue()
        >>> client.queue().queue_pending
        ()
        """
        self._calls.post("/queue", {"clear": True}, "Clearing the queue")

    def interrupt(self, prompt_id: str | None = None) -> None:
        """``POST /interrupt``: stop what runs; with an id only if that prompt runs (servers since 0.3.57).

        Parameters
        ----------
        prompt_id : str, optional
            Only this prompt, if it runs; without it whatever runs, also that of others.

        Raises
        ------
        ServerError
            The server does not answer.

        Examples
        --------
        >>> unknown = "00000000-0000-4000-8000-000000000000"
        >>> client.interrupt(unknown)
        """
        self._calls.post("/interrupt", {"prompt_id": prompt_id} if prompt_id else {}, "Interrupting")

    def cancel(self, prompt_id: str) -> None:
        """Take a prompt from the queue or interrupt it, whichever it needs; no other prompt is touched.

        By ``POST /api/jobs/{prompt_id}/cancel`` where the server has it; else by the queue, then a targeted interrupt.

        Parameters
        ----------
        prompt_id : str
            The id under which the server knows the prompt.

        Raises
        ------
        ServerError
            The server does not answer.

        Examples
        --------
        >>> unknown = "00000000-0000-4000-8000-000000000000"
        >>> client.cancel(unknown)
        """
        if self._calls.has_cancel_route is not False:
            reply = self._calls.call(
                requests.post(f"/jobs/{requests.path_part(prompt_id, 'prompt_id')}/cancel", repeatable=True)
            )
            self._calls.has_cancel_route = reply.status not in (404, 405)
            if reply.status == 200:
                return
        self.delete_from_queue(prompt_id)
        # Servers before 0.3.57 interrupt whatever runs: only ask while it is ours.
        if self.queue().running(prompt_id):
            self.interrupt(prompt_id)

    # Results

    def history(self, prompt_id: str) -> HistoryEntry | None:
        """``GET /history/{prompt_id}``: what the server remembers; None while it waits or runs, or is unknown.

        Parameters
        ----------
        prompt_id : str
            The id under which the server knows the prompt.

        Returns
        -------
        HistoryEntry or None
            Outputs, messages and status.

        Raises
        ------
        ServerError
            The server does not answer, or not as ComfyUI does.

        Examples
        --------
        >>> result = client.run(example(), width=64, height=64, steps=1)
        >>> client.history(result.prompt_id).outcome
        'completed'
        """
        body = self._calls.json_object(requests.history(prompt_id), "Reading the history")
        entry = body.get(prompt_id)
        return HistoryEntry.parse(prompt_id, entry) if isinstance(entry, dict) else None

    def history_page(self, max_items: int = 20, offset: int | None = None) -> list[HistoryEntry]:
        """``GET /history``: the newest entries, oldest first; ``offset`` counts from the oldest of all.

        Parameters
        ----------
        max_items : int
            How many at most; 20 by default.
        offset : int, optional
            How many to leave out, from the oldest on; by default the newest are given.

        Returns
        -------
        list of HistoryEntry
            The oldest of them first.

        Examples
        --------
        >>> [entry.outcome for entry in client.history_page(max_items=1)]
        ['completed']
        """
        body = self._calls.json_object(
            requests.get("/history", max_items=max_items, offset=offset), "Reading the history"
        )
        return [HistoryEntry.parse(key, value) for key, value in body.items() if isinstance(value, dict)]

    def delete_history(self, *prompt_ids: str) -> None:
        """``POST /history {"delete": [...]}``: let the server forget these.

        Parameters
        ----------
        *prompt_ids : str
            Ids of prompts; unknown ones are passed over.

        Examples
        --------
        >>> client.delete_history(result.prompt_id)
        >>> client.history(result.prompt_id) is None
        True
        """
        self._calls.post("/history", {"delete": list(prompt_ids)}, "Deleting from the history", repeatable=True)

    def clear_history(self) -> None:
        """``POST /history {"clear": true}``: let the server forget all.

        Examples
        --------
        >>> client.clear_history()
        >>> client.history_page()
        []
        """
        self._calls.post("/history", {"clear": True}, "Clearing the history")

    # The jobs API, where the server has it

    def jobs(
        self,
        *,
        status: str | Sequence[str] | None = None,
        workflow_id: str | None = None,
        sort_by: Literal["created_at", "execution_duration"] | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
        limit: int | None = 50,
        offset: int = 0,
    ) -> list[dict[str, Any]] | None:
        """``GET /api/jobs``: jobs with their state; None where the server has no such route.

        Parameters
        ----------
        status : str or sequence of str, optional
            Only these states: pending, in_progress, completed, failed (and cancelled, on newer servers).
        workflow_id : str, optional
            Only runs of the workflow that the editor saved under this id.
        sort_by : str, optional
            "created_at", the server's default, or "execution_duration".
        sort_order : str, optional
            "asc" or "desc", the server's default: the newest or longest first.
        limit : int or None
            How many at most; None for all.
        offset : int
            How many to leave out before.

        Returns
        -------
        list of dict or None
            ``id, status, create_time, outputs_count`` and more; times in milliseconds since 1970.

        Examples
        --------
        >>> result = client.run(example(), width=64, height=64, steps=1)
        >>> [job["status"] for job in client.jobs(limit=1)]
        ['completed']
        """
        wanted = status if status is None or isinstance(status, str) else ",".join(status)
        request = requests.get(
            "/jobs",
            status=wanted,
            workflow_id=workflow_id,
            sort_by=sort_by,
            sort_order=sort_order,
            limit=limit,
            offset=offset or None,
        )
        reply = self._calls.call(request)
        if reply.status in (404, 405):
            return None
        body = self._calls.checked(reply, "Listing jobs").json()
        found = body.get("jobs") if isinstance(body, dict) else None
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    def cancel_jobs(self, *prompt_ids: str) -> bool:
        """``POST /api/jobs/cancel``: take many prompts from the queue, or interrupt those that run.

        Where the server has no such route, each is cancelled by itself.

        Parameters
        ----------
        *prompt_ids : str

        Returns
        -------
        bool
            Whether any of them was still waiting or running; True where an older server does not say.

        Examples
        --------
        >>> waiting = [item.prompt_id for item in client.queue().queue_pending]
        >>> told = client.cancel_jobs(*waiting)
        """
        if not prompt_ids:
            return False
        reply = self._calls.call(requests.post("/jobs/cancel", {"job_ids": list(prompt_ids)}))
        if reply.status in (404, 405):
            for prompt_id in prompt_ids:
                self.cancel(prompt_id)
            return True
        body = self._calls.checked(reply, "Cancelling jobs").json()
        return bool(body.get("cancelled")) if isinstance(body, dict) else True

    def job_info(self, prompt_id: str) -> dict[str, Any] | None:
        """``GET /api/jobs/{prompt_id}``: one job; None where the server does not know it, or has no such route.

        Parameters
        ----------
        prompt_id : str
            The id under which the server knows the prompt.

        Returns
        -------
        dict or None
            As in `jobs`, with its workflow and outputs.

        Examples
        --------
        >>> result = client.run(example(), width=64, height=64, steps=1)
        >>> client.job_info(result.prompt_id)["status"]
        'completed'
        """
        reply = self._calls.call(requests.get(f"/jobs/{requests.path_part(prompt_id, 'prompt_id')}"))
        if reply.status in (404, 405):
            return None
        body = self._calls.checked(reply, "Reading a job").json()
        return body if isinstance(body, dict) else None


def _json_or_none(reply: Reply) -> object:
    try:
        return reply.json()
    except NotAComfyServer:
        return None


def is_id(text: str) -> bool:
    """Whether a text is an id as servers take it: a UUID in lower case, with its hyphens."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
