"""The messages about the runs of a widget and those that a folder keeps; a part of `_schema`."""

from __future__ import annotations

from typing import Literal, TypedDict

from ._schema_images import Detail

Phase = Literal["idle", "waiting", "running", "cancelling", "loading", "done", "failed", "cancelled"]


class RunRow(TypedDict):
    """A run in the list of runs.

    `queue` is the number of prompts that run before, and `others` how many of them are no runs of this widget.
    `differs` says in words what its values have other than the form has now, `started` is in seconds since 1970.
    """

    run: int
    phase: Phase
    queue: int | None
    others: int
    fraction: float
    count: int
    differs: list[str]
    started: float
    error: str


class RunList(TypedDict):
    """The trait `_runs`: the newest runs, oldest first, and the number of the run whose images are shown.

    `past` is that run where it is one of the folder's.
    """

    rows: list[RunRow]
    shown: int
    past: RunRow | None


class RunThumbnail(TypedDict):
    """A small version of the first image of a run."""

    kind: Literal["run_thumbnail"]
    run: int
    mime: str


class RunDetails(TypedDict):
    """All that is known of a run."""

    kind: Literal["details"]
    run: int
    items: list[Detail]
    images: list[str]
    seconds: float | None
    started: float
    server: str
    prompt_id: str


class RunNext(TypedDict):
    """A run that waits is to run before all others that wait."""

    kind: Literal["next"]
    run: int


class ShowRun(TypedDict):
    """The images of a run are wanted; of null those of the newest, also when there are newer ones."""

    kind: Literal["show"]
    run: int | None


class UseRun(TypedDict):
    """The values of a run are wanted in the form."""

    kind: Literal["use"]
    run: int


class WantDetails(TypedDict):
    """All that is known of a run is wanted."""

    kind: Literal["details"]
    run: int


class WantRuns(TypedDict):
    """The small images of all runs are wanted, as when the list is opened."""

    kind: Literal["runs"]


class HistoryState(TypedDict):
    """The trait `_history`, empty where none is kept: the name of the folder, and how many runs are in it.

    `version` changes whenever rows that the browser has may be out of date.
    """

    folder: str
    total: int
    version: int


class HistoryRow(TypedDict):
    """A run of the folder; `run` is negative, so that it is none of this kernel's.

    `title` is that of its panel where it is another than this one's, `prompt` the text that tells most of it, `differs`
    the rest as in `RunRow`, `cover` whether it has a small image, and `started` in seconds since 1970.
    """

    run: int
    title: str
    prompt: str
    phase: Phase
    started: float
    count: int
    differs: list[str]
    error: str
    starred: bool
    cover: bool


class HistoryPage(TypedDict):
    """Some of the runs that a search has found, from `start` on; small images of those with a cover are the buffers."""

    kind: Literal["history"]
    text: str
    starred: bool
    start: int
    total: int
    rows: list[HistoryRow]
    error: str


class WantHistory(TypedDict):
    """Some of the runs in which these words stand are wanted, or only of those with a star."""

    kind: Literal["history"]
    text: str
    starred: bool
    start: int
    count: int


class ForgetRun(TypedDict):
    """A run is to be forgotten, with its files."""

    kind: Literal["forget"]
    run: int
