"""`runs`: the prompts that were submitted from this machine, and what became of them."""

from __future__ import annotations

import time
from dataclasses import replace

from ..protocol import Address
from ._calls import Calls
from ._client import ComfyClient
from ._errors import ComfyError
from ._job import Job
from ._journal import Journal, JournalEntry
from ._prompt_routes import PromptRoutes
from ._state import state_directory
from ._status import JobStatus
from ._transport import Options, Transport

# A prompt is noted before it is sent: so long, in seconds, the server may not know it yet.
_ON_ITS_WAY = 60.0


class Run(JournalEntry):
    """A prompt that was submitted from this machine; see `runs`.

    Attributes
    ----------
    prompt_id : str
    url : str
        The server, without credentials.
    client_id : str
    submitted_at : float
        Seconds since 1970.
    status : JobStatus
        The last that is known.

    Examples
    --------
    >>> [run.url for run in runs(limit=1)]  # doctest: +SKIP
    ['http://127.0.0.1:8188']
    """

    def attach(self, client: ComfyClient | None = None) -> Job:
        """A job for it again, result and all, as long as the server remembers.

        Parameters
        ----------
        client : ComfyClient, optional
            For a server that needs credentials; made from the URL otherwise.

        Returns
        -------
        Job

        Examples
        --------
        >>> runs(limit=1)[0].attach().result()  # doctest: +SKIP
        """
        return (client or ComfyClient(self.url)).attach(self.prompt_id)


def runs(limit: int = 50) -> list[Run]:
    """The prompts that were submitted from this machine, newest first, with the last state known.

    A run whose end was not seen here is looked up at its server, where that answers.

    Parameters
    ----------
    limit : int
        How many at most.

    Returns
    -------
    list of Run

    Examples
    --------
    >>> for run in runs(limit=3):  # doctest: +SKIP
    ...     print(run.prompt_id, run.status)
    """
    journal = Journal(state_directory())
    found = [Run(**vars(entry)) for entry in journal.entries()[:limit]]
    return _refreshed(found, journal)


def _refreshed(found: list[Run], journal: Journal) -> list[Run]:
    """Ask the servers about runs whose end was not seen; one that does not answer changes nothing."""
    known = {run.prompt_id: run for run in found}
    for url in {run.url for run in found if not run.ended}:
        try:
            transport = Transport(Address.parse(url), Options(connect_timeout=1.0, read_timeout=5.0))
        except ComfyError:
            continue
        server = PromptRoutes(Calls(transport))
        try:
            queue = server.queue()
            for run in found:
                if run.url == url and not run.ended:
                    known[run.prompt_id] = _looked_up(server, run, queue.position(run.prompt_id))
                    if known[run.prompt_id].ended:
                        journal.ended(run.prompt_id, known[run.prompt_id].status)
        except ComfyError:
            continue
        finally:
            transport.close()
    return [known[run.prompt_id] for run in found]


def _looked_up(server: PromptRoutes, run: Run, position: int | None) -> Run:
    if position is not None:
        return replace(run, status=JobStatus.IN_PROGRESS if position == 0 else JobStatus.PENDING)
    entry = server.history(run.prompt_id)
    if entry is None and time.time() - run.submitted_at < _ON_ITS_WAY:
        return run
    return replace(run, status=JobStatus(entry.outcome) if entry is not None else JobStatus.LOST)
