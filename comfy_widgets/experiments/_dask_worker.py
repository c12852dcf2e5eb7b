"""What runs on a Dask worker: one prompt on the worker's ComfyUI server, each once whatever dies.

Dask runs a task again when its worker has died. So the server is noted with the scheduler before a prompt is sent, and
whoever runs the task again asks that server first.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..client import ComfyClient, ExecutionFailed, Job, JobError, JobLost, JobStatus, Pace, Result, ServerError
from ..protocol import ComfyError, Event, File, Preview, Queue
from ._knows import has_prompt

RESOURCE = "COMFY"
"""What each prompt takes one of; a worker that has two keeps its server busy, and no more."""
_LOCAL = "http://127.0.0.1:8188"
_PREVIEWS_EVERY = 0.5


@dataclass(frozen=True)
class Answer:
    """How a prompt ended on a worker.

    Attributes
    ----------
    server : str
        The address of its server.
    status : JobStatus
        As the job's.
    result : Result or None
        With all that its files hold.
    error : ComfyError or None
        Why there is no result.
    out_of_memory : bool
        Whether the server's memory did not suffice.
    """

    server: str
    status: JobStatus
    result: Result | None = None
    error: ComfyError | None = None
    out_of_memory: bool = False


@dataclass(frozen=True)
class Setup:
    """How workers find their servers.

    Attributes
    ----------
    servers : Mapping
        Addresses by the workers' names; ``$COMFYUI_URL`` of the worker where it has none.
    lost_after : float
        Seconds without an answer after which a server is given up.
    """

    servers: Mapping[str, str]
    lost_after: float

    def client_of(self, worker: Any) -> ComfyClient:
        """Return the client of a worker's server; each worker has one for each server."""
        clients: dict[tuple[str, float], ComfyClient] = vars(worker).setdefault("comfy_widgets_clients", {})
        url = self.servers.get(str(worker.name)) or os.environ.get("COMFYUI_URL") or _LOCAL
        key = (url, self.lost_after)
        if key not in clients:
            clients[key] = ComfyClient(url, journal=False, pace=Pace(lost_after=self.lost_after))
        return clients[key]


@dataclass(frozen=True)
class ServerInfo:
    """What a worker's server says of itself.

    Attributes
    ----------
    url : str
        Its address.
    version : str
        Of ComfyUI; empty where it does not say.
    classes : Mapping
        Its node definitions.
    """

    url: str
    version: str
    classes: dict[str, Any]


@dataclass(frozen=True)
class Order:
    """A prompt for whichever worker gets it.

    Attributes
    ----------
    prompt_id : str
        The same on whichever server.
    prompt : Mapping
        API format.
    options : Mapping
        What else `ComfyClient.submit` takes.
    topic : str
        Under which events are sent.
    setup : Setup
    claimed : str
        The server that has it already, where that is known.
    """

    prompt_id: str
    prompt: Mapping[str, Any]
    options: Mapping[str, Any]
    topic: str
    setup: Setup
    claimed: str = ""


async def ask(question: Callable[..., Any], setup: Setup, *words: Any, dask_worker: Any) -> Any:
    """Ask this worker's server something, while the worker goes on with its own work."""
    return await asyncio.to_thread(question, setup.client_of(dask_worker), *words)


def look(client: ComfyClient) -> ServerInfo:
    """Return what a server says of itself."""
    version = client.system_stats().system.comfyui_version or ""
    return ServerInfo(client.url, version, dict(client.object_info(refresh=True)))


def queue(client: ComfyClient) -> Queue:
    """Return the queue of a server."""
    return client.queue()


def knows(client: ComfyClient, prompt_id: str) -> str:
    """Return the address of a server where that knows a prompt."""
    return client.url if has_prompt(client, prompt_id) else ""


def cancel(client: ComfyClient, prompt_id: str) -> None:
    """Take a prompt from a server."""
    client.cancel(prompt_id)


def view(client: ComfyClient, file: File | Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    """Return the bytes of a file of a server."""
    return client.view(file, **options)


def upload_image(client: ComfyClient, content: bytes, filename: str | None, options: Mapping[str, Any]) -> File:
    """Bring an image to a server."""
    return client.upload_image(content, filename, **options)


def upload_mask(
    client: ComfyClient, content: bytes, original: File, filename: str | None, options: Mapping[str, Any]
) -> File:
    """Bring a mask to a server."""
    return client.upload_mask(content, original, filename, **options)


def carry_out(order: Order) -> Answer:
    """Run a prompt on this worker's server, unless another server has it already."""
    from distributed import Reschedule, get_client, get_worker

    worker: Any = get_worker()
    scheduler: Any = get_client()
    client = order.setup.client_of(worker)
    claim = ["comfy_widgets", order.prompt_id]
    claimed = scheduler.get_metadata(claim, None) or order.claimed
    job = _adopt(client, claimed, order.prompt_id) if claimed else None
    if job is None:
        # Before anything is sent: whoever runs this again after our death looks there first.
        scheduler.set_metadata(claim, client.url)
        worker.log_event(order.topic, {"prompt_id": order.prompt_id, "server": client.url})
        job = client.submit(order.prompt, prompt_id=order.prompt_id, **order.options)
    _tell(job, worker, order)
    error = job.exception()
    if isinstance(error, JobLost) or (isinstance(error, ServerError) and not isinstance(error, JobError)):
        if job.server == client.url and not _answers(client):
            # Nothing more can be done here; the task goes to another worker.
            worker.loop.add_callback(worker.close, reason=f"its server does not answer: {error}")
            raise Reschedule
        return Answer(job.server, JobStatus.LOST, error=error)
    memory = isinstance(error, ExecutionFailed) and _out_of_memory(error)
    return Answer(job.server, job.status, job.result() if error is None else None, error, memory)


def _adopt(client: ComfyClient, server: str, prompt_id: str) -> Job | None:
    """Return a job for a prompt that a server has already, ours or that of a worker that has died."""
    if server == client.url:
        return client.attach(prompt_id) if knows(client, prompt_id) else None
    other = ComfyClient(server, journal=False)
    try:
        if knows(other, prompt_id):
            return other.attach(prompt_id)
    except ComfyError:
        pass
    other.close()
    return None


def _answers(client: ComfyClient) -> bool:
    try:
        client.queue()
    except ComfyError:
        return False
    return True


def _tell(job: Job, worker: Any, order: Order) -> None:
    """Send the job's events to the notebook, of previews some."""
    last = 0.0

    def event(heard: Event) -> None:
        nonlocal last
        if isinstance(heard, Preview):
            if time.monotonic() - last < _PREVIEWS_EVERY:
                return
            last = time.monotonic()
        worker.log_event(order.topic, {"prompt_id": order.prompt_id, "event": pickle.dumps(heard)})

    job.on("event", event)


def _out_of_memory(error: ExecutionFailed) -> bool:
    return "outofmemory" in error.exception_type.lower() or "out of memory" in error.exception_message.lower()
