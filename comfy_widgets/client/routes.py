"""ComfyUI's routes as methods, one to one and under ComfyUI's own names."""

from __future__ import annotations

import io
import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal
from urllib.parse import quote

from ..protocol import File, HistoryEntry, PromptReply, Queue, SystemStats
from ..protocol import requests as calls
from ..protocol.refusal import Refusal
from ..protocol.replies import as_file
from .errors import FileGone, HTTPError, NotAComfyServer, PromptRefused, ServerError, WorkflowError
from .transport import Reply, Transport

if TYPE_CHECKING:
    from PIL.Image import Image

ImageSource = "str | Path | bytes | BinaryIO | Image"


class Routes:
    """The HTTP side of a server; `ComfyClient` adds the websocket and jobs."""

    _transport: Transport
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

    def _upload_limit(self) -> str:
        try:
            limit = self.features().get("max_upload_size")
        except ServerError:
            limit = None
        return f"; the server takes {limit} at most" if limit else ""

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

    def view(self, file: File | Mapping[str, Any], *, preview: str | None = None, channel: str | None = None) -> bytes:
        """``GET /view``: the bytes of a file.

        Parameters
        ----------
        file : File or dict
            As an output names it: filename, subfolder, type.
        preview : str, optional
            "webp;90" or "jpeg;80": re-encoded by the server, at full size.
        channel : str, optional
            "rgb", "a" or "rgba".

        Raises
        ------
        FileGone
            The server does not have it (any more).
        """
        item = as_file(file)
        if item is None:
            raise ValueError(f"{file!r} is no file: it needs a filename, and may have subfolder and type.")
        reply = self._transport.call(calls.view(item, preview=preview, channel=channel))
        if reply.status == 404:
            where = f"{item.type}/{item.subfolder}".rstrip("/")
            why = (
                "temporary pictures are wiped when ComfyUI starts; run the workflow again"
                if item.type == "temp"
                else "it was deleted or moved since; a changed seed makes the server compute it again"
            )
            raise FileGone(
                f"{item.filename} is not in the server's {where} folder any more: {why}.",
                file=item,
                url=reply.url,
                status=404,
            )
        return self._transport.check(reply, f"Fetching {item.filename}").content

    def open(self, file: File | Mapping[str, Any]) -> Image:
        """A picture on the server as a PIL image."""
        from .result import decode

        item = as_file(file)
        return decode(self.view(file), item.filename if item else "the file")

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

    def features(self) -> dict[str, Any]:
        """``GET /features``: the server's feature flags; empty where it is too old to have any."""
        reply = self._transport.call(calls.get("/features"))
        if reply.status in (404, 405):
            return {}
        body = self._transport.check(reply, "Reading the features").json()
        return body if isinstance(body, dict) else {}

    def models(self, folder: str | None = None) -> list[str]:
        """``GET /models[/{folder}]``: the kinds of models, or the files of one kind."""
        route = "/models" if folder is None else f"/models/{quote(folder, safe='')}"
        body = self._json(calls.get(route), f"Listing models{f' of {folder}' if folder else ''}")
        return [str(item) for item in body] if isinstance(body, list) else []

    def embeddings(self) -> list[str]:
        """``GET /embeddings``: their names, without extension."""
        body = self._json(calls.get("/embeddings"), "Listing embeddings")
        return [str(item) for item in body] if isinstance(body, list) else []

    # Files to the server

    def upload_image(
        self,
        image: str | Path | bytes | BinaryIO | Image,
        filename: str | None = None,
        *,
        subfolder: str = "",
        type: Literal["input", "temp", "output"] = "input",
        overwrite: bool = False,
    ) -> File:
        """``POST /upload/image``: put a picture (or any file) where loader nodes find it.

        Parameters
        ----------
        image : path, bytes, binary file or PIL image
        filename : str, optional
            Its name on the server; the path's own by default.

        Returns
        -------
        File
            Under the name that the server gave it: where another picture has the name, the server adds a number.
        """
        part = _part(image, filename)
        request = calls.upload("/upload/image", part, type=type, subfolder=subfolder, overwrite=overwrite)
        return self._uploaded(request, part.filename, len(part.content))

    def upload_mask(
        self,
        mask: str | Path | bytes | BinaryIO | Image,
        original: File,
        filename: str | None = None,
        *,
        subfolder: str = "",
        type: Literal["input", "temp", "output"] = "input",
        overwrite: bool = False,
    ) -> File:
        """``POST /upload/mask``: the original with the alpha of ``mask``, under a new name.

        Raises
        ------
        FileGone
            The server does not have the original; it then answers as if all were well, but writes nothing.
        """
        self.view(original, channel="a")
        part = _part(mask, filename)
        request = calls.upload(
            "/upload/mask", part, type=type, subfolder=subfolder, overwrite=overwrite, original_ref=original
        )
        return self._uploaded(request, part.filename, len(part.content))

    def _uploaded(self, request: calls.Request, name: str, size: int) -> File:
        reply = self._transport.call(request)
        if reply.status == 413:
            raise self._transport.failure(reply, f"{name} has {size} bytes{self._upload_limit()}")
        if reply.status == 400:
            raise HTTPError(
                f"The server refused the upload of {name}: it takes no empty name and no path out of its folder.",
                url=reply.url,
                status=400,
            )
        body = self._transport.check(reply, f"Uploading {name}").json()
        file = as_file({"filename": body.get("name"), **body}) if isinstance(body, dict) else None
        if file is None:
            raise NotAComfyServer(f"The server took {name} but did not say under which name.", url=reply.url)
        return File(file.filename, file.subfolder, file.type)

    # Below

    def _json(self, request: calls.Request, what: str) -> Any:
        return self._transport.check(self._transport.call(request), what).json()

    def _object(self, request: calls.Request, what: str) -> dict[str, Any]:
        body = self._json(request, what)
        if not isinstance(body, dict):
            raise NotAComfyServer(
                f"{what}: {self._transport.address.base} answers, but not as ComfyUI does.",
                url=self._transport.address.base,
            )
        return body

    def _post(self, route: str, body: object, what: str) -> None:
        """A POST whose success has an empty body."""
        self._transport.check(self._transport.call(calls.post(route, body)), what)


def _json_or_none(reply: Reply) -> object:
    try:
        return reply.json()
    except NotAComfyServer:
        return None


def _part(image: str | Path | bytes | BinaryIO | Image, filename: str | None) -> calls.Upload:
    name, content = "image.png", b""
    if isinstance(image, (str, Path)):
        path = Path(image)
        try:
            content, name = path.read_bytes(), path.name
        except OSError as error:
            raise WorkflowError(f"{path} cannot be read for the upload: {error.strerror}.") from error
    elif isinstance(image, bytes):
        content = image
    elif hasattr(image, "read"):
        content = image.read()
        name = Path(str(getattr(image, "name", name))).name
    else:
        stream = io.BytesIO()
        image.save(stream, "PNG", compress_level=1)
        content = stream.getvalue()
        name = Path(str(getattr(image, "filename", "") or name)).with_suffix(".png").name
    # The server keeps directories in a file name apart in ``subfolder``.
    return calls.Upload("image", Path(filename).name if filename else name, content)
