"""Cassettes: recorded runs in one file, played back by a server of their own, for a class without a GPU.

`comfy_widgets.record` makes one, ``ComfyClient("cassette:lesson.cassette")`` and ``comfy-widgets replay`` play it.

Examples
--------
>>> from comfy_widgets import record
>>> with record("lesson.cassette", client):
...     result = client.run(example(), width=64, height=64, steps=2, seed=7)
>>> with ComfyClient("cassette:lesson.cassette") as replayed:
...     again = replayed.run(example(), width=64, height=64, steps=2, seed=7)
>>> again.images[0].size
(64, 64)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._lazy import import_name

if TYPE_CHECKING:
    from ._cassette import MAX_BYTES as MAX_BYTES
    from ._cassette import Cassette as Cassette
    from ._cassette import CassetteError as CassetteError
    from ._cassette import RecordedRun as RecordedRun
    from ._matching import same_run as same_run
    from ._player import CassettePlayer as CassettePlayer
    from ._player import play as play
    from ._secrets import scrubbed as scrubbed
    from ._writer import CassetteWriter as CassetteWriter

_MODULES = {
    "Cassette": "_cassette",
    "CassetteError": "_cassette",
    "CassettePlayer": "_player",
    "CassetteWriter": "_writer",
    "MAX_BYTES": "_cassette",
    "RecordedRun": "_cassette",
    "play": "_player",
    "same_run": "_matching",
    "scrubbed": "_secrets",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    return import_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted(_MODULES)
