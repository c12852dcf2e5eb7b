"""One combination of an experiment: its values, its state, and what it gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..client import JobStatus
from ..protocol import ComfyError
from ._sample import Indices
from ._space import Space, Values
from ._store import Rating, Store, StoredFile, StoredResult

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..client import Job
    from ..workflow import Workflow


class Cell:
    """One combination of values; made by `sweep`.

    Attributes
    ----------
    number : int
        Its place in the experiment, from 0; it stays the same in whatever order cells run.
    indices : tuple of int
        Which value of each axis.
    key : str
        The hash of all that is run for it.
    values : Values
        The values by axis, also as attributes: ``cell.values.cfg``.
    labels : dict of str
        The same as texts.
    status : str
        "pending", "in_progress", "completed", "failed" or "cancelled".
    error : str
        Why it failed, in words.
    stored : bool
        Whether its result was in the store before this experiment ran.
    job : Job or None
        While it is on the server: its progress and preview.

    Examples
    --------
    >>> cell = run.cells[0]
    >>> cell.values.seed, cell.image.size, str(cell.status)
    (0, (64, 64), 'completed')
    """

    def __init__(self, number: int, indices: Indices, key: str, space: Space, store: Store) -> None:
        self.number = number
        self.indices = indices
        self.key = key
        self.values: Values = space.values(indices)
        self.labels: dict[str, str] = space.labels(indices)
        self.status: JobStatus = JobStatus.PENDING
        self.error: str = ""
        self.stored: bool = False
        self.job: Job | None = None
        self.tries = 0
        self._space = space
        self._store = store
        self._result: StoredResult | None = None

    def settle(self, result: StoredResult, *, stored: bool = False) -> None:
        """Take the result; called by whoever runs the cells.

        Parameters
        ----------
        result : StoredResult
            What the prompt gave, as the store has it.
        stored : bool
            Whether it was in the store before this experiment ran.

        Examples
        --------
        >>> cell = run.cells[0]
        >>> cell.settle(run.store.results([cell.key])[cell.key])
        >>> print(cell.status)
        completed
        """
        self._result = result
        self.status = JobStatus(result.status)
        self.error, self.stored, self.job = result.error, stored, None

    def reset(self, status: JobStatus = JobStatus.PENDING, error: str = "") -> None:
        """Take the result away; called by whoever runs the cells.

        Parameters
        ----------
        status : JobStatus
            What the cell is from now on.
        error : str
            Why, in words.

        Examples
        --------
        >>> cell = run.cells[0]
        >>> cell.reset(JobStatus.FAILED, "The disk is full.")
        >>> cell.image is None, cell.error
        (True, 'The disk is full.')
        >>> cell.settle(run.store.results([cell.key])[cell.key])
        """
        self._result, self.job, self.stored = None, None, False
        self.status, self.error = status, error

    # What it gave

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """All its files in the store."""
        return self._result.files if self._result is not None else ()

    @property
    def images(self) -> list[Image]:
        """Its images as PIL images, read from the store.

        Raises
        ------
        ComfyError
            An image cannot be opened.
        """
        return [open_image(file) for file in self.files if file.kind == "image"]

    @property
    def image(self) -> Image | None:
        """Its first image, or None."""
        first = next((file for file in self.files if file.kind == "image"), None)
        return open_image(first) if first is not None else None

    @property
    def texts(self) -> tuple[str, ...]:
        """All text that its output nodes gave."""
        return self._result.texts if self._result is not None else ()

    @property
    def seconds(self) -> float | None:
        """Seconds that the server worked on it, without loading models; None where it is not known."""
        result = self._result
        return max(0.0, result.seconds - result.loading) if result is not None and result.seconds is not None else None

    @property
    def loading(self) -> float:
        """Seconds that went into loading models."""
        return self._result.loading if self._result is not None else 0.0

    @property
    def cached(self) -> tuple[str, ...]:
        """Ids of nodes that the server had the results of, so that its seconds are less than all of the work."""
        return self._result.cached if self._result is not None else ()

    @property
    def from_cache(self) -> bool:
        """Whether what takes most time was cached, so that its seconds say nothing."""
        cached = set(self.cached)
        prompt = self._space.split(self.indices)[0].prompt
        sampled = {node_id for node_id, node in prompt.items() if "sampler" in str(node["class_type"]).lower()}
        return bool(cached & sampled) or cached >= set(prompt)

    @property
    def finished_at(self) -> float | None:
        """When its result was kept, in seconds since 1970."""
        return self._result.finished_at if self._result is not None else None

    # What it is

    @property
    def prompt(self) -> dict[str, Any]:
        """What is run for it, in API format."""
        return self.workflow.to_prompt()

    @property
    def workflow(self) -> Workflow:
        """The workflow with its values."""
        return self._space.workflow(self.indices)

    # What somebody thinks of it

    @property
    def rating(self) -> Rating:
        """Stars, whether it was rejected, and a note; kept with the result."""
        return self._store.ratings([self.key]).get(self.key, Rating())

    def rate(self, stars: int, *, note: str = "") -> None:
        """Give it stars.

        Parameters
        ----------
        stars : int
            1 to 5; 0 takes them back.
        note : str
            Why.

        Raises
        ------
        ValueError
            It is no number from 0 to 5.

        Examples
        --------
        >>> cell = run.cells[0]
        >>> cell.rate(4, note="sharp")
        >>> cell.rating.stars, cell.rating.note
        (4, 'sharp')
        """
        if isinstance(stars, bool) or not isinstance(stars, int) or not 0 <= stars <= 5:
            raise ValueError(f"A rating is a whole number from 0 to 5, not {stars!r}.")
        self._store.rate(self.key, Rating(stars, False, note))

    def reject(self, note: str = "") -> None:
        """Mark it as not wanted, and take its stars away; its result is kept.

        Parameters
        ----------
        note : str
            Why.

        Examples
        --------
        >>> cell = run.cells[1]
        >>> cell.reject("six fingers")
        >>> cell.rating.rejected
        True
        >>> cell.rate(0)  # takes it back
        """
        self._store.rate(self.key, Rating(0, True, note))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={label}" for name, label in self.labels.items())
        return f"<Cell {self.number}: {values or 'the workflow as it is'}, {self.status}>"


def open_image(file: StoredFile) -> Image:
    """Open an image of the store as a PIL image.

    Raises
    ------
    ComfyError
        It is gone, no image, or dangerously large.
    """
    from PIL import Image as Pillow

    try:
        image: Image = Pillow.open(file.path)
        image.load()
    except Exception as error:
        raise ComfyError(f"{file.name} cannot be opened as an image: {error}. The file is {file.path}.") from error
    return image


class Cells(Protocol):
    """What sheets, tables and pages are made of: an experiment, seen from them."""

    @property
    def name(self) -> str: ...

    @property
    def cells(self) -> list[Cell]: ...

    @property
    def axes(self) -> dict[str, list[Any]]: ...

    @property
    def labels(self) -> dict[str, list[str]]: ...

    @property
    def store(self) -> Store: ...
