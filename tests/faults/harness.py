"""One disturbed run, and what must be true of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from comfy_widgets import ComfyClient, Result
from comfy_widgets.client import Pace
from comfy_widgets.testing import FaultProxy, Gate, ScriptedServer, Stage, image, standard_run, text_to_image

PROMPT = text_to_image(seed=11, steps=4, batch_size=2)
# Always the same files, so that a disturbed result can be held against an undisturbed one, names included.
FILES = [{"filename": f"kept_{index}.png", "subfolder": "a", "type": "output"} for index in range(2)]
PACE = Pace(poll=0.1, silence=0.3, gone=0.2)


class Lockstep(Gate):
    """Lets a run go on only when its messages so far have passed the proxy, and, after a cut, the client is back."""

    def __init__(self, proxy: FaultProxy, stage: Stage, wait_for_return: bool) -> None:
        super().__init__()
        self._proxy = proxy
        self._stage = stage
        self._wait_for_return = wait_for_return

    def pass_through(self, check: Callable[[], None]) -> None:
        self._until(lambda: self._passed() >= self._stage.sent or self._cut(), check)
        # Once history is written a client needs the websocket no more, and may never come back.
        if self._wait_for_return and not self._stage.ended and self._cut():
            self._until(lambda: len(self._proxy.websockets) > 1 and self._proxy.websockets[-1].open, check)

    def _until(self, true: Callable[[], bool], check: Callable[[], None]) -> None:
        deadline = time.monotonic() + 30
        while not true():
            check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"the run stands after message {self._stage.sent}")
            time.sleep(0.002)

    def _passed(self) -> int:
        others = ("status", "feature_flags")
        messages = [m for m in list(self._proxy.messages) if m.sender == "server"]
        return sum(isinstance(m.data, bytes) or m.json()["type"] not in others for m in messages)

    def _cut(self) -> bool:
        return any(fault.hits for fault in list(self._proxy.faults))


def lockstep_run(proxy: FaultProxy, *, wait_for_return: bool) -> Callable[[Stage], None]:
    """Script of a run in step with the proxy."""
    play = standard_run(outputs={"9": {"images": FILES}})

    def script(stage: Stage) -> None:
        gate = Lockstep(proxy, stage, wait_for_return)
        for count in range(1, 200):
            stage.hold(gate, after=count)
        play(stage)

    return script


@dataclass
class Setting:
    """A server, a proxy and a client of their own, so that disturbed runs do not disturb each other."""

    server: ScriptedServer
    proxy: FaultProxy
    client: ComfyClient

    def outcome(self, result: Result) -> dict[str, Any]:
        """Everything of a result that must not depend on what happened on the way."""
        return {
            "status": result.status,
            "outputs": dict(result.outputs),
            "files": [result.bytes(file) for file in result.files],
            "images": [image.tobytes() for image in result.images],
            "prompt": dict(result.prompt),
        }

    def problems(self) -> list[str]:
        """What must never happen, whatever went wrong."""
        found = []
        ids = [body["prompt_id"] for body in self.server.posted]
        if len(ids) != len(set(ids)) or len(ids) != 1:
            found.append(f"{len(ids)} prompts were submitted in place of 1")
        if (most := self.proxy.most_open_websockets(self.client.client_id)) > 1:
            found.append(f"{most} websockets were open at one time")
        return found


def disturbed(
    disturb: Callable[[FaultProxy], object], *, wait_for_return: bool = False, timeout: float = 60.0
) -> tuple[dict[str, Any], list[str]]:
    """Run once with a fault: the outcome, and what went wrong besides."""
    with ScriptedServer() as server, FaultProxy(server.url) as proxy:
        for index, item in enumerate(FILES):
            server.files.put(item["filename"], image(index), item["subfolder"], item["type"])
        server.script = lockstep_run(proxy, wait_for_return=wait_for_return)
        disturb(proxy)
        with ComfyClient(proxy.url, ping_interval=0.3, reconnect_interval=0.05, timeout=2.0, pace=PACE) as client:
            setting = Setting(server, proxy, client)
            # A prompt is sent after two seconds in any case; without a websocket the run could not go in step with it.
            client.wait_connected(30)
            result = client.run(PROMPT, timeout=timeout)
            return setting.outcome(result), setting.problems()


def failures(
    cases: Iterable[tuple[str, Callable[[FaultProxy], object]]], expected: dict[str, Any], *, wait_for_return: bool
) -> list[str]:
    """Run all cases, several at a time, and list those that did not end as they must."""

    def one(case: tuple[str, Callable[[FaultProxy], object]]) -> list[str]:
        name, disturb = case
        try:
            outcome, problems = disturbed(disturb, wait_for_return=wait_for_return)
        except Exception as error:
            return [f"{name}: {type(error).__name__}: {error}"]
        wrong = [key for key in expected if outcome[key] != expected[key]]
        return [f"{name}: {text}" for text in [*problems, *(f"other {key} than undisturbed" for key in wrong)]]

    with ThreadPoolExecutor(8) as pool:
        return [text for texts in pool.map(one, cases) for text in texts]
