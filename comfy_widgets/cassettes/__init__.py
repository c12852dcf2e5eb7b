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

from ._cassette import MAX_BYTES, Cassette, CassetteError, RecordedRun
from ._matching import same_run
from ._player import CassettePlayer, play
from ._secrets import scrubbed
from ._writer import CassetteWriter

__all__ = [
    "MAX_BYTES",
    "Cassette",
    "CassetteError",
    "CassettePlayer",
    "CassetteWriter",
    "RecordedRun",
    "play",
    "same_run",
    "scrubbed",
]
