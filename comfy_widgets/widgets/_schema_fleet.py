"""The messages about fleets; a part of `_schema`."""

from __future__ import annotations

from typing import Literal, TypedDict

ServerStatus = Literal["ready", "working", "drained", "no answer"]


class FleetRow(TypedDict):
    """A server of a fleet; `rate` is in runs a minute, `seconds` what one takes, `trouble` what to know of it."""

    server: str
    status: ServerStatus
    running: int
    waiting: int
    strangers: int
    model: str
    completed: int
    failed: int
    lost: int
    seconds: float | None
    rate: float
    version: str
    trouble: str


class FleetState(TypedDict):
    """The trait `_fleet`: its servers, and what they did: server, begin and end in seconds ago, outcome, whose it was.

    `span` is how many seconds back that goes; `error` is why a server could not be added.
    """

    rows: list[FleetRow]
    stints: list[tuple[int, float, float, str, str]]
    span: float
    waiting: int
    error: str


class FleetAct(TypedDict):
    """Give a server nothing more, take it back into service, or let it go; or take another one in."""

    kind: Literal["fleet"]
    act: Literal["add", "drain", "resume", "remove"]
    server: str
