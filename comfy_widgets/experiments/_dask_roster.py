"""Which workers of a Dask cluster are there, and what the server of each has."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping
from typing import Any

from ..client import ServerUnreachable
from ..protocol import ComfyError
from . import _dask_worker as on_worker
from ._catalogs import Catalogs
from ._dask_worker import RESOURCE
from ._schedule import Line, Place, Work
from ._timings import megapixels, model_of

logger = logging.getLogger(__name__)

_REGISTERING = 2.0


class DaskRoster:
    """The workers of a Dask cluster that have a server.

    Parameters
    ----------
    dask_client : distributed.Client
    setup : Setup
        How workers find their servers.
    """

    def __init__(self, dask_client: Any, setup: on_worker.Setup) -> None:
        self._dask: Any = dask_client
        self._setup = setup
        self._lock = threading.Lock()
        self._asked: set[str] = set()
        self.known: dict[str, on_worker.ServerInfo] = {}
        self.places: dict[str, Place] = {}
        self.catalogs: Catalogs = Catalogs({})

    @property
    def servers(self) -> list[str]:
        """The addresses of the workers' servers."""
        return [info.url for info in self.known.values()]

    def able(self, prompt: Mapping[str, Any]) -> list[str]:
        """Return the addresses of the workers whose server can run a prompt."""
        self.follow()
        if self.catalogs.unknown(prompt) is not None:
            # The worker that knew it has gone since it was checked.
            return []
        work = Work(Line(), self.catalogs.needs(prompt), model_of(prompt), megapixels(prompt))
        return [address for address, info in self.known.items() if self.places[info.url].able(work)]

    def look(self) -> None:
        """Ask all workers which server they have, and what that has."""
        able = self.present()
        deadline = time.monotonic() + _REGISTERING
        while not able and time.monotonic() < deadline:
            # The scheduler lists a worker a moment before it knows its resources.
            time.sleep(0.1)
            able = self.present()
        if not able:
            count = len(self._dask.scheduler_info(n_workers=-1)["workers"])
            raise ComfyError(
                f"None of the {count} workers of the Dask cluster has the resource {RESOURCE}. Start those that "
                f"have a ComfyUI server with --resources '{RESOURCE}=2'."
            )
        said = self._dask.run(on_worker.ask, on_worker.look, self._setup, workers=list(able), on_error="return")
        known = {address: answer for address, answer in said.items() if isinstance(answer, on_worker.ServerInfo)}
        if not known:
            reasons = "\n".join(f"- {address}: {error}" for address, error in said.items())
            raise ServerUnreachable(f"No worker's server answers.\n{reasons}")
        self._learn(known)

    def _learn(self, known: dict[str, on_worker.ServerInfo]) -> None:
        """Take over what the workers said that are there."""
        with self._lock:
            self.catalogs = Catalogs({info.url: info.classes for info in known.values()})
            for info in known.values():
                place = self.places.setdefault(info.url, Place(info.url))
                place.lacks = self.catalogs.lacks(info.url)
            self.known = known

    def follow(self) -> Collection[str]:
        """Forget the workers that are gone, and have those that are new asked; return who is there. Waits for none."""
        present = self.present().keys()
        # Where none is there at the moment, what was known of them still holds.
        if present and self.known.keys() - present:
            left = {address: info for address, info in self.known.items() if address in present}
            if left:
                self._learn(left)
        for address in present - self.known.keys() - self._asked:
            self._asked.add(address)
            self._dask.loop.add_callback(self._ask_new, address)
        return present

    async def _ask_new(self, address: str) -> None:
        """Ask a worker that has come what its server has; in Dask's loop, as a worker that dies may never answer."""
        try:
            said = await self._dask.run(on_worker.ask, on_worker.look, self._setup, workers=[address])
            self._learn({**self.known, **said})
        except Exception as error:
            # It is asked again when somebody looks the next time.
            logger.info("Dask worker %s does not tell what its server has: %s", address, error)
        finally:
            self._asked.discard(address)

    def present(self) -> dict[str, float]:
        """Return the workers that are there now, and how many prompts each takes at a time."""
        workers = self._dask.scheduler_info(n_workers=-1)["workers"]
        slots = {address: info.get("resources", {}).get(RESOURCE, 0) for address, info in workers.items()}
        return {address: count for address, count in slots.items() if count}
