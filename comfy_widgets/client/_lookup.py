"""What became of prompts of which only the id is known."""

from __future__ import annotations

import time
from dataclasses import replace

from ..protocol import Address
from ._errors import ComfyError
from ._routes import Routes
from ._state import Journal, Run
from ._transport import Options, Transport

# A prompt is noted before it is sent: so long, in seconds, the server may not know it yet.
_ON_ITS_WAY = 60.0


class _Server(Routes):
    """The routes of a server without websocket and jobs."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.client_id = ""
        self._transport = Transport(Address.parse(url), Options(connect_timeout=1.0, read_timeout=5.0))

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()


def refreshed(runs: list[Run], journal: Journal) -> list[Run]:
    """Ask the servers about runs whose end was not seen; one that does not answer changes nothing."""
    open_urls = {run.url for run in runs if not run.ended}
    known = {run.prompt_id: run for run in runs}
    for url in open_urls:
        try:
            server = _Server(url)
        except ComfyError:
            continue
        try:
            queue = server.queue()
            for run in runs:
                if run.url == url and not run.ended:
                    known[run.prompt_id] = _looked_up(server, run, queue.position(run.prompt_id))
                    if known[run.prompt_id].ended:
                        journal.ended(run.prompt_id, known[run.prompt_id].status)
        except ComfyError:
            continue
        finally:
            server.close()
    return [known[run.prompt_id] for run in runs]


def _looked_up(server: Routes, run: Run, position: int | None) -> Run:
    if position is not None:
        return replace(run, status="in_progress" if position == 0 else "pending")
    entry = server.history(run.prompt_id)
    if entry is None and time.time() - run.submitted_at < _ON_ITS_WAY:
        return run
    return replace(run, status=entry.outcome if entry is not None else "lost")
