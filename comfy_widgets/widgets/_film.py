"""The previews of a run one after the other, as they were seen: kept, played and written as one animated file."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._small import thumbnail

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..protocol import Preview
    from ._panel_run import PanelRun
    from ._schema import FilmState

logger = logging.getLogger(__name__)

MAX_FILM_BYTES = 16 << 20
"""Bytes of the previews that are kept. Of more, every second one is let go, over the whole of the run."""
MAX_FRAMES = 2000
MAX_SIZE = 768
"""Pixels of a written file: what is larger is made smaller."""
MIN_FPS, MAX_FPS = 0.1, 1000.0
"""Images a second: of fewer a GIF could not say how long each stays."""
HOLD = 1.5
"""Seconds for which the last image stays before the film begins again."""


class Film:
    """The previews of one run.

    Parameters
    ----------
    max_bytes : int
        What all of them may take together.
    """

    def __init__(self, max_bytes: int = MAX_FILM_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._frames: list[tuple[int, bytes, str]] = []
        self._size = 0
        self._count = 0
        self._stride = 1

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        return self._size

    def add(self, preview: Preview) -> None:
        """Keep a preview; from any thread."""
        with self._lock:
            number, self._count = self._count, self._count + 1
            if number % self._stride or len(preview.image) > self._max_bytes:
                return
            self._frames.append((number, preview.image, preview.mime))
            self._size += len(preview.image)
            while self._size > self._max_bytes or len(self._frames) > MAX_FRAMES:
                self._stride *= 2
                # The first one stays: what began it all is what people want to see.
                self._frames = [frame for frame in self._frames if frame[0] % self._stride == 0]
                self._size = sum(len(image) for _, image, _ in self._frames)

    def frames(self) -> list[tuple[bytes, str]]:
        """Return the images and their types."""
        with self._lock:
            return [(image, mime) for _, image, mime in self._frames]


class NewestFilm:
    """The film of the newest run that had previews; older ones are let go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[PanelRun, Film] | None = None

    def of(self, run: PanelRun) -> Film:
        """Return the film of a run, to add to it."""
        with self._lock:
            if self._kept is None or self._kept[0].number < run.number:
                self._kept = (run, Film())
            # Late previews of an older run go nowhere.
            return self._kept[1] if self._kept[0] is run else Film()

    def clear(self) -> None:
        """Let it go."""
        with self._lock:
            self._kept = None

    def _done(self) -> tuple[PanelRun, Film] | None:
        with self._lock:
            found = self._kept
        return found if found is not None and found[0].loaded and len(found[1]) else None

    def frames(self) -> tuple[PanelRun, list[tuple[bytes, str]]] | None:
        """Return the run and the images of its film, the previews and the last image; None before its end."""
        found = self._done()
        if found is None:
            return None
        run, film = found
        last = run.images[0] if _ends_in_image(run) else None
        small = thumbnail(last.content, MAX_SIZE) if last is not None else None
        return run, [*film.frames(), *([(small, "image/webp")] if small is not None else [])]

    @property
    def state(self) -> FilmState:
        """Which run has a film, and how many images that has."""
        found = self._done()
        if found is None:
            return {"run": 0, "frames": 0}
        run, film = found
        return {"run": run.number, "frames": len(film) + _ends_in_image(run)}


def _ends_in_image(run: PanelRun) -> bool:
    return bool(run.images) and run.images[0].mime.startswith("image/")


def write(frames: Sequence[bytes], form: str, fps: float) -> bytes:
    """Return an animated file.

    Parameters
    ----------
    frames : sequence of bytes
        Encoded images; those that cannot be read are left out. All are fitted to the size of the last.
    form : {"gif", "webp"}
    fps : float
        Images a second.

    Raises
    ------
    ValueError
        None of them can be read.
    """
    images = [image for content in frames if (image := _opened(content)) is not None]
    if not images:
        raise ValueError("There are no previews that could be written.")
    width, height = images[-1].size
    scale = min(1.0, MAX_SIZE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shown = [image if image.size == size else image.resize(size) for image in images]
    times = [round(1000 / fps)] * len(shown)
    times[-1] += round(1000 * HOLD)
    stream = io.BytesIO()
    options: dict[str, object] = {"quality": 85, "method": 2} if form == "webp" else {"disposal": 1}
    shown[0].save(stream, form.upper(), save_all=True, append_images=shown[1:], duration=times, loop=0, **options)
    return stream.getvalue()


def _opened(content: bytes) -> Image | None:
    from PIL import Image as Pillow

    try:
        return Pillow.open(io.BytesIO(content)).convert("RGB")
    except Exception as error:
        logger.warning("a preview cannot be read: %s", error)
        return None
