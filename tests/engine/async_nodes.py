"""Nodes whose functions are ``async def``."""

from __future__ import annotations

import asyncio
from typing import Any

from comfy_widgets.engine import GraphBuilder, progress, progress_text

Inputs = dict[str, dict[str, Any]]
SEED = ("INT", {"default": 0, "min": 0, "max": 2**64 - 1})

begun: dict[str, asyncio.Event] = {}
inside, most = 0, 0
cancelled: list[int] = []


def event(name: str) -> asyncio.Event:
    return begun.setdefault(name, asyncio.Event())


class AsyncNode:
    RETURN_TYPES: tuple[str, ...] = ("STRING",)
    FUNCTION = "run"
    CATEGORY = "lab"


class AsyncMeet(AsyncNode):
    """Begins, then waits until another has begun: one after the other they would wait for ever."""

    @classmethod
    def inputs(cls) -> Inputs:
        text = ("STRING", {"default": ""})
        return {"required": {"me": text, "other": text, "seed": SEED}}

    INPUT_TYPES = inputs

    async def run(self, me: str, other: str, seed: int) -> tuple[str]:
        event(f"{me} {seed}").set()
        await asyncio.wait_for(event(f"{other} {seed}").wait(), 20)
        return (f"{me} met {other}",)


class AsyncList(AsyncNode):
    """Gives a list."""

    OUTPUT_IS_LIST = (True,)

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"count": ("INT", {"default": 4}), "seed": SEED}}

    INPUT_TYPES = inputs

    async def run(self, count: int, seed: int) -> tuple[list[str]]:
        return ([str(index) for index in range(count)],)


class AsyncEach(AsyncNode):
    """Is called once for each text, all at once; gives how many there were at most."""

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"text": ("STRING", {"forceInput": True})}}

    INPUT_TYPES = inputs

    async def run(self, text: str) -> tuple[str]:
        global inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.05)
        inside -= 1
        return (f"{text} of {most}",)


class AsyncWait(AsyncNode):
    """Waits, longer than any test, unless it is told to fail."""

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"message": ("STRING", {"default": ""}), "seed": SEED}}

    INPUT_TYPES = inputs

    async def run(self, message: str, seed: int) -> tuple[str]:
        event(f"waits {seed}").set()
        try:
            await asyncio.sleep(0.1 if message else 600)
        except asyncio.CancelledError:
            cancelled.append(seed)
            raise
        if message == "exit":
            raise SystemExit("leaves")
        raise ValueError(message)


class AsyncAsks(AsyncNode):
    """Has every other function of a node as ``async def``, too."""

    @classmethod
    def inputs(cls) -> Inputs:
        lazy = ("STRING", {"lazy": True, "forceInput": True})
        return {"required": {"word": ("STRING", {"default": ""}), "first": lazy, "second": lazy}}

    INPUT_TYPES = inputs

    @classmethod
    async def is_valid(cls, word: str) -> bool | str:
        await asyncio.sleep(0)
        return word != "bad" or "This word is bad."

    VALIDATE_INPUTS = is_valid

    async def check_lazy_status(self, word: str, first: str | None, second: str | None) -> list[str]:
        await asyncio.sleep(0.01)
        return ["first"] if word == "first" else ["second"]

    async def run(self, word: str, first: str | None, second: str | None) -> tuple[str]:
        return (f"{word}: {first}, {second}",)


class AsyncChanged(AsyncNode):
    """Says itself whether it has to run again."""

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"changed": ("STRING", {"default": ""})}}

    INPUT_TYPES = inputs

    @classmethod
    async def is_changed(cls, changed: str) -> str | float:
        await asyncio.sleep(0.01)
        return float("nan") if changed == "always" else changed

    IS_CHANGED = is_changed

    async def run(self, changed: str) -> tuple[str]:
        return (changed,)


class AsyncCancelled(AsyncNode):
    """Tells whether a waiting one was cancelled."""

    OUTPUT_NODE = True

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"seed": SEED}}

    INPUT_TYPES = inputs

    def run(self, seed: int) -> dict[str, Any]:
        return {"ui": {"text": ["cancelled" if seed in cancelled else "it still waits"]}, "result": ("",)}


class AsyncCount(AsyncNode):
    """Counts slowly."""

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"steps": ("INT", {"default": 3}), "seed": SEED}, "hidden": {"unique_id": "UNIQUE_ID"}}

    INPUT_TYPES = inputs

    async def run(self, steps: int, seed: int, unique_id: str) -> tuple[str]:
        for step in range(steps):
            progress(step + 1, steps)
            progress_text(f"node {unique_id}")
            await asyncio.sleep(0.15)
        return ("counted",)


class AsyncExpand(AsyncNode):
    """Is replaced by a graph."""

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"word": ("STRING", {"default": ""}), "seed": SEED}}

    INPUT_TYPES = inputs

    async def run(self, word: str, seed: int) -> dict[str, Any]:
        await asyncio.sleep(0.05)
        graph = GraphBuilder()
        asks = graph.node("AsyncAsks", word=word, first="a", second="b")
        return {"result": (asks.out(0),), "expand": graph.finalize()}


class AsyncText(AsyncNode):
    """Shows a text."""

    OUTPUT_NODE = True

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"text": ("STRING", {"forceInput": True})}}

    INPUT_TYPES = inputs

    async def run(self, text: str) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"ui": {"text": [text]}, "result": (text,)}


NODES = (
    *(AsyncMeet, AsyncList, AsyncEach, AsyncWait, AsyncAsks),
    *(AsyncChanged, AsyncCancelled, AsyncCount, AsyncExpand, AsyncText),
)
NODE_CLASS_MAPPINGS = {cls.__name__: cls for cls in NODES}
