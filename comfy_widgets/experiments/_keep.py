"""What a job gave, brought into the store."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..protocol import ComfyError, File
from ._past_run import STREAMED, kept_name
from ._store import Store, StoredFile, StoredResult
from ._timings import Stopwatch

if TYPE_CHECKING:
    from ..client import Job, Result

THUMBNAIL = 128
"""Pixels of the longer side of the small images that grids show."""
MAX_ERROR = 2000
"""Characters of an error that are kept."""

Thumbnail = tuple[int, int, bytes]


def keep_result(store: Store, key: str, job: Job, result: Result, server: str, watch: Stopwatch) -> StoredResult:
    """Keep a result: its files first, then all the rest in one step.

    Raises
    ------
    OSError, sqlite3.Error
        It cannot be written.
    ServerError
        A file cannot be fetched.
    """
    files: list[StoredFile] = []
    thumbnails: dict[str, Thumbnail] = {}
    for name, kind, content in _contents(result):
        size = None
        if kind == "image":
            small = thumbnail(content)
            if small is not None:
                size, made = small
        stored = store.put_file(content, name, kind, size)
        files.append(stored)
        if size is not None:
            thumbnails[stored.sha256] = made
    kept = StoredResult(
        key,
        "completed",
        prompt_id=job.prompt_id,
        server=server,
        finished_at=time.time(),
        seconds=watch.total if watch.total is not None else result.elapsed,
        loading=watch.loading,
        cached=watch.cached,
        texts=result.texts,
        prompt=result.prompt,
        files=tuple(files),
    )
    store.save(kept, thumbnails)
    return kept


def keep_failure(store: Store, key: str, job: Job, error: ComfyError, server: str) -> StoredResult:
    """Keep why a cell failed."""
    kept = StoredResult(
        key,
        "failed",
        error=str(error)[:MAX_ERROR],
        prompt_id=job.prompt_id,
        server=server,
        finished_at=time.time(),
        prompt=job.prompt,
    )
    store.save(kept, {})
    return kept


def _contents(result: Result) -> list[tuple[str, str, bytes]]:
    """Name, kind and bytes of what is worth keeping: saved files, else those that were only previewed."""
    saved = [file for file in result.files if file.type == "output"]
    chosen: list[File] = saved or [file for file in result.files if file.type == "temp"]
    found = [(file.filename, str(file.kind), result.bytes(file)) for file in chosen]
    return found + [(f"streamed-{n}.png", "image", content) for n, content in enumerate(result.streamed, 1)]


def thumbnail(content: bytes, side: int = THUMBNAIL, quality: int = 70) -> tuple[tuple[int, int], Thumbnail] | None:
    """Return the size of an image, and a small WebP of it; None where it cannot be opened."""
    from PIL import Image as Pillow

    try:
        with Pillow.open(io.BytesIO(content)) as image:
            size = image.size
            image.draft("RGB", (side, side))
            small: Any = image.convert("RGBA" if image.has_transparency_data else "RGB")
    except Exception:
        # An image that cannot be opened is kept all the same, byte for byte.
        return None
    small.thumbnail((side, side))
    stream = io.BytesIO()
    small.save(stream, "WEBP", quality=quality, method=2)
    return size, (small.width, small.height, stream.getvalue())


@dataclass(frozen=True)
class Source:
    """A file of a result that is to be kept: how to get at its bytes, and its name with and without folder and type."""

    load: Callable[[], bytes]
    name: str
    whole_name: str
    kind: str


def sources_of(result: Result) -> list[Source]:
    """Return the files of a result that are worth keeping, its images first."""
    shown = set(result.image_files)
    files = [file for file in result.files if file.type == "output" or file in shown]
    found = [
        Source(partial(result.bytes, file), file.filename, kept_name(file), str(file.kind))
        for file in sorted(files, key=lambda file: file not in shown)
    ]
    for index, content in enumerate(result.streamed):
        name = f"streamed_{index:05}.png"
        found.append(Source(partial(_same, content), name, name + STREAMED, "image"))
    return found


def _same(content: bytes) -> bytes:
    return content
