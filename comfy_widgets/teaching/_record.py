"""Recording a lesson: what a client runs goes into a cassette."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..cassettes import MAX_BYTES, CassetteWriter
from ..client import ComfyClient, ExecutionFailed, Job, checked_client
from ..errors import ComfyError
from ..protocol import (
    Event,
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionSuccess,
    File,
    Preview,
    ProgressEvent,
    ProgressState,
    ProgressText,
)

MAX_PREVIEWS = 12
"""Previews of a run that are kept, spread evenly: enough to see an image come about."""
_A_WHILE = 10.0


@contextmanager
def record(
    path: str | Path,
    client: ComfyClient | None = None,
    *,
    title: str = "",
    quality: int = 90,
    max_bytes: int = MAX_BYTES,
) -> Iterator[ComfyClient]:
    """Record what a client runs into a cassette: ``with record("lesson.cassette", client): ...``.

    When the block ends, runs that still go on are waited for, and the file is written, whole or not at all; also where
    the block ends with an error. It holds prompts, progress, previews, results as WebP images and the node classes that
    were used. It holds no addresses, headers, tokens, cookies, client ids, absolute paths, nor what is written into
    images beside their pixels.

    Parameters
    ----------
    path : str or Path
        The file; what is there already is replaced.
    client : ComfyClient, optional
        Whose runs are recorded, also those of panels and sweeps that use it; a new one by default, for the block.
    title : str, default ""
        What the lesson is about; the panel shows it in place of the server's name.
    quality : int, default 90
        Of the WebP images, 1 to 100.
    max_bytes : int, default 20_000_000
        Of the whole file. Runs that do not fit are left out, and a warning says how many.

    Yields
    ------
    ComfyClient
        The client.

    Raises
    ------
    OSError
        The file cannot be written.
    ValueError
        The quality or the size is out of range.

    Examples
    --------
    >>> from comfy_widgets import record
    >>> with record("lesson.cassette", client, title="Seeds"):
    ...     for seed in range(3):
    ...         result = client.run(example(), width=64, height=64, steps=2, seed=seed)
    >>> ComfyClient("cassette:lesson.cassette").description
    'Recorded: Seeds (3 runs)'
    """
    own = ComfyClient() if client is None else None
    used = checked_client(client) if client is not None else own
    assert used is not None
    writer = CassetteWriter(path, title=title, quality=quality, max_bytes=max_bytes, secrets=used.secrets())
    takes: list[_Take] = []
    subscription = used.on_submit(lambda job: takes.append(_Take(job)))
    try:
        try:
            yield used
        finally:
            subscription.cancel()
            _write(writer, used, takes)
    finally:
        if own is not None:
            own.close()


def _write(writer: CassetteWriter, client: ComfyClient, takes: list[_Take]) -> None:
    for take in takes:
        try:
            take.add_to(writer, client)
        except ComfyError as error:
            writer.warnings.append(f"The run {take.job.prompt_id[:8]} was left out: {error}")
    if takes:
        writer.version = client.system_stats().system.comfyui_version or ""
    writer.save(client.object_info() if takes else {})
    for warning in writer.warnings:
        warnings.warn(warning, stacklevel=4)


class _Take:
    """What is told of one job while it runs."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._timeline: list[Any] = []
        self._last: dict[str, tuple[float, float]] = {}
        self._every = 1
        self._previews = 0
        self._heard_end = threading.Event()
        self._subscription = job.on("event", self._hear)

    def add_to(self, writer: CassetteWriter, client: ComfyClient) -> None:
        """Wait for the end of the job, and add it."""
        error = None
        try:
            result = self.job.result()
        except ExecutionFailed as failed:
            if failed.result is None:
                raise
            result = failed.result
            error = {"node_id": failed.node_id, "message": failed.exception_message, "type": failed.exception_type}
        if client.connected:
            # Listeners are told a moment later than those who wait for the result.
            self._heard_end.wait(_A_WHILE)
        self._subscription.cancel()
        if result.streamed:
            writer.warnings.append("Images that a node sent without saving them are not in the cassette.")
        with self._lock:
            timeline = _thinned(self._timeline)
        writer.add(self.job.prompt, result.outputs, timeline, _fetcher(result.bytes), error)

    def _hear(self, event: Event) -> None:
        with self._lock:
            for entry in self._entries(event):
                self._timeline.append([time.monotonic() - self._began, *entry])
        if isinstance(event, (ExecutionSuccess, ExecutionError)):
            self._heard_end.set()

    def _entries(self, event: Event) -> Iterator[list[Any]]:
        if isinstance(event, ExecutionCached):
            yield ["cached", list(event.nodes)]
        elif isinstance(event, Executing) and event.node is not None:
            yield ["executing", event.node]
        elif isinstance(event, ProgressEvent) and event.node is not None:
            yield from self._progress(event.node, event.value, event.max)
        elif isinstance(event, ProgressState):
            for node, progress in event.nodes.items():
                if progress.state == "running" and progress.max > 1:
                    yield from self._progress(node, progress.value, progress.max)
        elif isinstance(event, Preview) and event.node_id is not None:
            self._previews += 1
            if self._previews % self._every == 0:
                yield ["preview", event.node_id, event.image]
            if sum(entry[1] == "preview" for entry in self._timeline) > 4 * MAX_PREVIEWS:
                # A run of a thousand steps keeps no thousand previews in memory.
                self._timeline = _thinned(self._timeline, 2 * MAX_PREVIEWS)
                self._every *= 2
        elif isinstance(event, ProgressText) and event.node_id is not None:
            yield ["text", event.node_id, event.text]
        elif isinstance(event, Executed) and event.node is not None:
            yield ["executed", event.node]

    def _progress(self, node: str, value: float, maximum: float) -> Iterator[list[Any]]:
        if self._last.get(node) != (value, maximum) and value > 0:
            self._last[node] = (value, maximum)
            yield ["progress", node, value, maximum]


def _thinned(timeline: list[Any], most: int = MAX_PREVIEWS) -> list[Any]:
    """Return the timeline with at most so many previews, spread evenly, the last among them."""
    places = [index for index, entry in enumerate(timeline) if entry[1] == "preview"]
    if len(places) <= most:
        return list(timeline)
    step = (len(places) - 1) / (most - 1)
    kept = {places[round(number * step)] for number in range(most)}
    return [entry for index, entry in enumerate(timeline) if entry[1] != "preview" or index in kept]


def _fetcher(content: Callable[[File], bytes]) -> Callable[[Mapping[str, str]], bytes]:
    def fetch(item: Mapping[str, str]) -> bytes:
        return content(File(item["filename"], item.get("subfolder", ""), item.get("type", "output")))

    return fetch
