"""ComfyUI's routes as methods, one to one and under ComfyUI's own names."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..protocol import HistoryEntry, PromptReply, Queue, Refusal, SystemStats
from ..protocol import requests as calls
from ._errors import NotAComfyServer, PromptRefused, ServerError, WorkflowError
from ._file_routes import FileRoutes
from ._transport import Reply

if TYPE_CHECKING:
    from ..workflow import Workflow


class Routes(FileRoutes):
    """The HTTP side of a server; `ComfyClient` adds the websocket and jobs."""

    client_id: str

    def __init__(self) -> None:
        self._object_info: dict[str, Any] | None = None
        self._has_jobs_cancel: bool | None = None

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
        """
        from ..workflow import Workflow

        workflow = Workflow.load(prompt)
        if workflow.prompt is None:
            raise WorkflowError(
                "This is a workflow in the editor's format, which a server does not run as it is. Use client.submit() "
                "or client.run(), which convert it, or workflow.to_prompt(client.object_info())."
            )
        return self._post_prompt(
            workflow.to_prompt(),
            prompt_id or str(uuid.uuid4()),
            front=front,
            number=number,
            partial_execution_targets=partial_execution_targets,
            extra_data=extra_data,
        )

    def _post_prompt(self, prompt: Mapping[str, Any], prompt_id: str, **options: Any) -> PromptReply:
        request = calls.prompt(prompt, prompt_id=prompt_id, client_id=self.client_id, **options)
        reply = self._transport.call(request)
        if reply.status == 400:
            refusal = Refusal.parse(_json_or_none(reply), 400)
            raise PromptRefused(refusal, refusal.problems(prompt, self._known_classes(refusal)), 400)
        if reply.status == 413:
            limit = self._upload_limit()
            size = len(request.payload or b"")
            raise self._transport.failure(reply, f"The workflow has {size} bytes{limit}")
        body = self._transport.check(reply, "Submitting the workflow").json()
        if not isinstance(body, dict) or not isinstance(body.get("prompt_id"), str):
            raise NotAComfyServer(
                f"{self._transport.address.base} took the prompt but gave no prompt_id, so it is no ComfyUI.",
                url=reply.url,
                status=reply.status,
            )
        return PromptReply.parse(body)

    def _known_classes(self, refusal: Refusal) -> Collection[str] | None:
        """All classes of the server, asked for only where one is missing."""
        if refusal.type not in ("invalid_prompt", "missing_node_type"):
            return None
        try:
            return self.object_info().keys()
        except ServerError:
            return None

    def queue(self) -> Queue:
        """``GET /queue``: what runs and what waits, in the order in which it will run."""
        return Queue.parse(self._object(calls.get("/queue"), "Reading the queue"))

    def delete_from_queue(self, *prompt_ids: str) -> None:
        """``POST /queue {"delete": [...]}``: take waiting prompts out; running ones are not touched."""
        self._post("/queue", {"delete": list(prompt_ids)}, "Deleting from the queue")

    def clear_queue(self) -> None:
        """``POST /queue {"clear": true}``: take out all waiting prompts, of everybody."""
        self._post("/queue", {"clear": True}, "Clearing the queue")

    def interrupt(self, prompt_id: str | None = None) -> None:
        """``POST /interrupt``: stop what runs; with an id only if that prompt runs (servers since 0.3.57)."""
        self._post("/interrupt", {"prompt_id": prompt_id} if prompt_id else {}, "Interrupting")

    def free(self, *, unload_models: bool = True, free_memory: bool = True) -> None:
        """``POST /free``: unload models and, with ``free_memory``, forget all cached results."""
        self._post("/free", {"unload_models": unload_models, "free_memory": free_memory}, "Freeing memory")

    # Results

    def history(self, prompt_id: str) -> HistoryEntry | None:
        """``GET /history/{prompt_id}``: what the server remembers; None while it waits or runs, or is unknown."""
        body = self._object(calls.history(prompt_id), "Reading the history")
        entry = body.get(prompt_id)
        return HistoryEntry.parse(prompt_id, entry) if isinstance(entry, dict) else None

    def history_page(self, max_items: int = 20, offset: int | None = None) -> list[HistoryEntry]:
        """``GET /history``: the newest entries, oldest first; ``offset`` counts from the oldest of all."""
        body = self._object(calls.get("/history", max_items=max_items, offset=offset), "Reading the history")
        return [HistoryEntry.parse(key, value) for key, value in body.items() if isinstance(value, dict)]

    def delete_history(self, *prompt_ids: str) -> None:
        """``POST /history {"delete": [...]}``: let the server forget these."""
        self._post("/history", {"delete": list(prompt_ids)}, "Deleting from the history")

    def clear_history(self) -> None:
        """``POST /history {"clear": true}``: let the server forget all."""
        self._post("/history", {"clear": True}, "Clearing the history")

    # The server

    def system_stats(self) -> SystemStats:
        """``GET /system_stats``: versions, memory and devices."""
        body = self._object(calls.get("/system_stats"), "Reading the system's state")
        if not isinstance(body.get("system"), dict):
            raise NotAComfyServer(
                f"{self._transport.address.base} answers, but not as ComfyUI does. Check address and port.",
                url=self._transport.address.base,
            )
        return SystemStats.parse(body)

    def object_info(self, node_class: str | None = None, *, refresh: bool = False) -> dict[str, Any]:
        """``GET /object_info``: every node class with its inputs; asked for once, then kept.

        Parameters
        ----------
        node_class : str, optional
            Only this class; an empty dict where the server does not have it.
        refresh : bool
            Ask again, as after new models or node packs were installed.
        """
        if node_class is not None:
            if self._object_info is not None and not refresh:
                found = self._object_info.get(node_class)
                return {node_class: found} if found is not None else {}
            return self._object(calls.get(f"/object_info/{quote(node_class, safe='')}"), "Reading a node class")
        if self._object_info is None or refresh:
            self._object_info = self._object(calls.get("/object_info"), "Reading the node classes")
        return self._object_info

    def workflow(self, source: Any, /) -> Workflow:
        """A workflow together with this server's node definitions.

        Parameters
        ----------
        source : str, Path, dict, bytes, file or PIL image
            Anything that `Workflow.load` takes; or the id of a prompt in the server's history, or the name of a
            workflow that was saved in ComfyUI's editor.

        Raises
        ------
        WorkflowError
            There is no workflow in it.
        """
        from ..workflow import Workflow

        if isinstance(source, str) and _is_id(source):
            entry = self.history(source)
            if entry is None:
                raise WorkflowError(f"The server's history has no finished prompt {source}.")
            info = entry.extra_data.get("extra_pnginfo")
            ui = info.get("workflow") if isinstance(info, Mapping) else None
            source = {"prompt": entry.prompt, "workflow": ui} if isinstance(ui, Mapping) else dict(entry.prompt)
        elif isinstance(source, str) and "{" not in source and "://" not in source and not Path(source).exists():
            source = self.load_workflow(source)
        return Workflow.load(source, object_info=self.object_info())

    def models(self, folder: str | None = None) -> list[str]:
        """``GET /models[/{folder}]``: the kinds of models, or the files of one kind."""
        route = "/models" if folder is None else f"/models/{quote(folder, safe='')}"
        body = self._json(calls.get(route), f"Listing models{f' of {folder}' if folder else ''}")
        return [str(item) for item in body] if isinstance(body, list) else []

    def embeddings(self) -> list[str]:
        """``GET /embeddings``: their names, without extension."""
        body = self._json(calls.get("/embeddings"), "Listing embeddings")
        return [str(item) for item in body] if isinstance(body, list) else []

    def extensions(self) -> list[str]:
        """``GET /extensions``: the scripts that node packs add to ComfyUI's editor."""
        body = self._json(calls.get("/extensions"), "Listing extensions")
        return [str(item) for item in body] if isinstance(body, list) else []

    def settings(self) -> dict[str, Any]:
        """``GET /settings``: the settings of ComfyUI's editor."""
        return self._object(calls.get("/settings"), "Reading the settings")

    def logs(self) -> list[str]:
        """``GET /internal/logs/raw``: the last lines that the server logged; an unstable route of ComfyUI's."""
        body = self._object(calls.get("/internal/logs/raw"), "Reading the log")
        found = body.get("entries")
        return (
            [str(entry.get("m", "")) for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
        )

    def cancel(self, prompt_id: str) -> None:
        """Take a prompt from the queue or interrupt it, whichever it needs; no other prompt is touched.

        By ``POST /api/jobs/{prompt_id}/cancel`` where the server has it; else by the queue, then a targeted interrupt.
        """
        if self._has_jobs_cancel is not False:
            reply = self._transport.call(calls.post(f"/jobs/{quote(prompt_id, safe='')}/cancel"))
            self._has_jobs_cancel = reply.status not in (404, 405)
            if reply.status == 200:
                return
        self.delete_from_queue(prompt_id)
        # Servers before 0.3.57 interrupt whatever runs: only ask while it is ours.
        if self.queue().running(prompt_id):
            self.interrupt(prompt_id)

    # The jobs API, where the server has it

    def jobs(self, *, status: str | None = None, limit: int = 50, offset: int = 0) -> list[dict[str, Any]] | None:
        """``GET /api/jobs``: jobs with their state, newest first; None where the server has no such route.

        Parameters
        ----------
        status : str, optional
            A comma list of pending, in_progress, completed, failed (and cancelled, on newer servers).
        """
        reply = self._transport.call(calls.get("/jobs", status=status, limit=limit, offset=offset))
        if reply.status in (404, 405):
            return None
        body = self._transport.check(reply, "Listing jobs").json()
        found = body.get("jobs") if isinstance(body, dict) else None
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    def job(self, prompt_id: str) -> dict[str, Any] | None:
        """``GET /api/jobs/{prompt_id}``: one job; None where the server does not know it, or has no such route."""
        reply = self._transport.call(calls.get(f"/jobs/{quote(prompt_id, safe='')}"))
        if reply.status in (404, 405):
            return None
        body = self._transport.check(reply, "Reading a job").json()
        return body if isinstance(body, dict) else None


def _json_or_none(reply: Reply) -> object:
    try:
        return reply.json()
    except NotAComfyServer:
        return None


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
