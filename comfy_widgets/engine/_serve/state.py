"""What the routes share."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field

from aiohttp import web

from .._files import Folders
from .._nodes.registry import Registry
from .._run.promptqueue import PromptQueue
from .._run.steps import StepStore
from .._run.wire import Wire
from .log import LogBuffer
from .sockets import SocketHub


@dataclass
class State:
    """The parts of one server."""

    folders: Folders
    registry: Registry
    queue: PromptQueue
    log: LogBuffer
    hub: SocketHub
    steps: StepStore
    wire: Wire
    argv: list[str]
    is_local: bool = True
    """Whether only this machine reaches the server."""
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    settings_lock: threading.Lock = field(default_factory=threading.Lock)


STATE: web.AppKey[State] = web.AppKey("state", State)


def state_of(request: web.Request) -> State:
    """Return the server's state for a request."""
    return request.app[STATE]
