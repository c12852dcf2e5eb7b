"""The server of a cassette: it answers as the recorded one did, for the runs that it has."""

from __future__ import annotations

import atexit
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ..testing import NodeError, Reply, Request, Script, ScriptedServer, Stage
from ._cassette import Cassette, CassetteError, RecordedRun
from ._matching import Difference

SCHEME = "cassette:"
_SPEEDS = "1 as it was recorded, 4 four times as fast, or 'instant'"


class CassettePlayer:
    """A server on this machine that plays a cassette.

    Parameters
    ----------
    cassette : Cassette, str or Path
        What it plays.
    speed : float or "instant", default 1
        1 as it was recorded, 4 four times as fast, "instant" without any waiting.
    port : int, default 0
        Of 127.0.0.1; 0 for a free one.

    Attributes
    ----------
    cassette : Cassette
        What it plays.

    Raises
    ------
    CassetteError
        The file is no cassette, or the speed is no number above 0.
    OSError
        The port is taken.

    Examples
    --------
    >>> from comfy_widgets import record
    >>> with record("one.cassette", client):
    ...     _ = client.run(example(), width=64, height=64, steps=1)
    >>> with CassettePlayer("one.cassette", speed="instant") as player:
    ...     again = ComfyClient(player.url).run(example(), width=64, height=64, steps=1)
    >>> len(again.images)
    1
    """

    def __init__(self, cassette: Cassette | str | Path, *, speed: float | str = 1, port: int = 0) -> None:
        self.cassette: Cassette = cassette if isinstance(cassette, Cassette) else Cassette(cassette)
        self._speed = read_speed(speed)
        self._lock = threading.Lock()
        self._server = ScriptedServer(port=port, version=self.cassette.version or "0.0", jobs_api="cancel")
        self._server.object_info = dict(self.cassette.object_info)
        for (filename, subfolder, folder), content in self.cassette.files().items():
            self._server.files.put(filename, content, subfolder, folder)
        self._server.on("POST", "/prompt", self._prompt)
        self._server.on("GET", "/system_stats", self._stats)
        self._server.on("GET", "/models", Reply.json([]))
        self._server.on("GET", "/models/*", Reply.json([]))
        self._server.start()

    @property
    def url(self) -> str:
        """Its address."""
        return self._server.url

    def close(self) -> None:
        """End the server.

        Examples
        --------
        >>> _ = CassetteWriter("empty.cassette").save({})
        >>> player = CassettePlayer("empty.cassette")
        >>> player.close()
        """
        self._server.close()

    def __enter__(self) -> CassettePlayer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _stats(self, request: Request) -> Reply:
        body = json.loads(self._server.default(request).body)
        name, count = self.cassette.path.name, len(self.cassette.runs)
        body["system"]["cassette"] = f"Recorded: {self.cassette.title or name} ({count} run{'s' if count != 1 else ''})"
        return Reply.json(body)

    def _prompt(self, request: Request) -> Reply | None:
        try:
            posted = request.json()
        except ValueError:
            posted = None
        prompt = posted.get("prompt") if isinstance(posted, dict) else None
        if not isinstance(prompt, dict) or not prompt or not all(isinstance(node, dict) for node in prompt.values()):
            return Reply.json({"error": _error("no_prompt", "No prompt provided"), "node_errors": {}}, 400)
        assert isinstance(posted, dict)
        run = self.cassette.find(prompt)
        if run is None:
            return self._miss(prompt)
        extra = dict(posted["extra_data"]) if isinstance(posted.get("extra_data"), dict) else {}
        if "client_id" in posted:
            extra["client_id"] = posted["client_id"]
        with self._lock:
            # Whoever posts next must not take this one's script.
            self._server.play(self._script(run))
            number = self._server.state.next_number(None, bool(posted.get("front")))
            return self._server.accept(
                str(posted.get("prompt_id", "")) or os.urandom(16).hex(), number, prompt, extra, []
            )

    def _miss(self, prompt: Mapping[str, Any]) -> Reply:
        differences = self.cassette.nearest(prompt)
        name = self.cassette.path.name
        if differences is None:
            classes = sorted(
                {str(node.get("class_type")) for run in self.cassette.runs for node in run.prompt.values()}
            )
            message = f"The cassette {name!r} has no run of this workflow"
            details = f"it holds {len(self.cassette.runs)} runs of workflows with {', '.join(classes) or 'no nodes'}"
            return Reply.json({"error": _error("not_recorded", message, details), "node_errors": {}}, 400)
        message = f"The cassette {name!r} has no run with these values"
        error = _error("not_recorded", message, "; ".join(one.words() for one in differences))
        error["extra_info"] = {
            "nearest": {f"{node}.{name}": one.nearest for one in differences for node, name in [one.place]}
        }
        node_errors: dict[str, Any] = {}
        for one in differences:
            node, _ = one.place
            entry = node_errors.setdefault(
                node, {"errors": [], "class_type": prompt[node].get("class_type"), "dependent_outputs": []}
            )
            entry["errors"].append(_node_error(one))
        return Reply.json({"error": error, "node_errors": node_errors}, 400)

    def _script(self, run: RecordedRun) -> Script:
        def play(stage: Stage) -> None:
            try:
                self._play(run, stage)
            except CassetteError as error:
                # A preview that is missing, a file that somebody took away: the run fails, and nobody waits for ever.
                raise NodeError(next(iter(stage.prompt)), str(error), "CassetteError") from None

        return play

    def _play(self, run: RecordedRun, stage: Stage) -> None:
        cached: list[str] = next((entry[2] for entry in run.timeline if entry[1] == "cached"), [])
        stage.start(cached)
        now, current, told = 0.0, None, set[str]()
        previews: dict[str, bytes] = {}
        for seconds, kind, *rest in run.timeline:
            self._wait(stage, float(seconds) - now)
            now = float(seconds)
            node = str(rest[0]) if rest else ""
            if kind == "executing":
                if current is not None:
                    stage.finish(current)
                current = node
                stage.begin(node)
            elif kind == "progress":
                sha = previews.pop(node, None)
                stage.progress(node, rest[1], rest[2], sha)
            elif kind == "preview":
                previews[node] = self.cassette.content(str(rest[1]))
            elif kind == "text":
                stage.progress_text(node, str(rest[1]))
            elif kind == "executed" and node in run.outputs:
                stage.executed(node, run.outputs[node])
                told.add(node)
        for node, image in previews.items():
            stage.preview(node, image, "image/jpeg")
        for node, output in run.outputs.items():
            if node not in told:
                stage.executed(node, output)
        if run.error is not None:
            node = str(run.error.get("node_id") or current or next(iter(stage.prompt)))
            raise NodeError(node, str(run.error.get("message", "")), str(run.error.get("type", "RuntimeError")))
        if current is not None:
            stage.finish(current)
        stage.success()

    def _wait(self, stage: Stage, seconds: float) -> None:
        left = seconds / self._speed if self._speed else 0.0
        while left > 0:
            stage.check()
            stage.item.stopped.wait(min(left, 0.1))
            left -= 0.1
        stage.check()


def _error(kind: str, message: str, details: str = "") -> dict[str, Any]:
    return {"type": kind, "message": message, "details": details, "extra_info": {}}


def _node_error(one: Difference) -> dict[str, Any]:
    return {
        "type": "not_recorded",
        "message": "Not recorded",
        "details": one.words(),
        "extra_info": {"input_name": one.place[1], "received_value": one.wanted, "nearest": one.nearest},
    }


def read_speed(speed: float | str) -> float:
    """Return how many times as fast a cassette plays; 0 for no waiting at all."""
    if speed == "instant":
        return 0.0
    try:
        number = float(speed)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < float("inf"):
        raise CassetteError(f"The speed is {speed!r}, but must be {_SPEEDS}.")
    return number


_players: dict[tuple[Any, ...], CassettePlayer] = {}
_lock = threading.Lock()


def play(address: str) -> str:
    """Return the URL of a server that plays the cassette of an address, started when it is first wanted.

    Parameters
    ----------
    address : str
        ``cassette:lesson.cassette``, or with a speed: ``cassette:lesson.cassette?speed=4``, ``?speed=instant``.

    Returns
    -------
    str
        Of a server of this process; all who ask for the same file get the same.

    Raises
    ------
    CassetteError
        The file is no cassette, or the speed is no number above 0.

    Examples
    --------
    >>> _ = CassetteWriter("empty.cassette").save({})
    >>> play("cassette:empty.cassette") == play("cassette:empty.cassette")
    True
    """
    name, _, speed = address.removeprefix(SCHEME).partition("?speed=")
    cassette = Cassette(name)
    state = cassette.path.stat()
    key = (os.getpid(), cassette.path.resolve(), state.st_mtime_ns, state.st_size, speed)
    with _lock:
        player = _players.get(key)
        if player is None:
            player = _players[key] = CassettePlayer(cassette, speed=speed or 1)
            atexit.register(player.close)
        return player.url
