"""Images that somebody has scrolled to, which are made small only then."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ._pump import worker

if TYPE_CHECKING:
    from ._images import Shown
    from ._schema import Images, WantImages

_SLICE = 0.05
"""Seconds for which images are made small before others get their turn."""


def send_wanted(
    message: WantImages,
    find: Callable[[], tuple[Sequence[Shown], int] | None],
    send: Callable[[Any, list[bytes]], object],
    unreadable: Callable[[Shown], object] = lambda image: None,
) -> None:
    """Send the images that a browser asks for, a few in each message.

    Parameters
    ----------
    message : WantImages
    find : callable
        Gives the images of the run that is meant, and how many there will be; None where it is not there any more.
    send : callable
        Takes a message and its buffers.
    unreadable : callable
        Called with each image that cannot be read.
    """
    worker.submit(lambda: _send(message, find, send, unreadable))


def _send(
    message: WantImages,
    find: Callable[[], tuple[Sequence[Shown], int] | None],
    send: Callable[[Any, list[bytes]], object],
    unreadable: Callable[[Shown], object],
) -> None:
    found = find()
    if found is None or not message["indices"]:
        return
    images, total = found
    until = time.monotonic() + _SLICE
    items, contents, left = [], [], [*message["indices"]]
    while left and time.monotonic() < until:
        index = left.pop(0)
        if type(index) is int and 0 <= index < len(images):
            content = images[index].content
            if content:
                items.append(images[index].item(index))
                contents.append(content)
            else:
                unreadable(images[index])
    if items:
        answer: Images = {"kind": "images", "run": message["run"], "total": total, "items": items}
        send(answer, contents)
    send_wanted({**message, "indices": left}, find, send, unreadable)
