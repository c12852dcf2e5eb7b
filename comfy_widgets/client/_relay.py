"""A job that other jobs carry out, one after the other: what a fleet gives for a prompt that may change its server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..protocol import ComfyError, Event, File
from ._core import JobCore
from ._dispatch import Dispatcher, Subscription
from ._job import Job, JobServices
from ._job_errors import JobError
from ._result import Result
from ._run_state import Progress
from ._status import JobStatus, Phase


class Relays:
    """Makes jobs that are carried out by others, and calls their listeners.

    Examples
    --------
    >>> relays = Relays()
    >>> relay = relays.new("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55", {}, {}, cancel=print)
    >>> relay.job.server
    ''
    >>> relays.close()
    """

    def __init__(self) -> None:
        self._dispatcher = Dispatcher()

    def new(
        self,
        prompt_id: str,
        prompt: Mapping[str, Any],
        drawn: Mapping[str, Any],
        *,
        cancel: Callable[[JobRelay], object],
        owner: object = None,
    ) -> JobRelay:
        """Make a job that nobody carries out yet.

        Parameters
        ----------
        prompt_id : str
            Its id, which is that of the jobs that carry it out, too.
        prompt : Mapping
            What is to run, in API format; empty where that is not known.
        drawn : Mapping
            What was decided for this run alone, by names of parameters.
        cancel : callable
            Called with the relay when somebody cancels the job; it must not wait.
        owner : object
            What lives as long as somebody holds the job.

        Returns
        -------
        JobRelay
            With the job that people hold.

        Examples
        --------
        >>> relays = Relays()
        >>> relays.new("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55", {}, {}, cancel=print).job.status
        'pending'
        >>> relays.close()
        """
        return JobRelay(prompt_id, prompt, drawn, cancel, self._dispatcher, owner)

    def close(self) -> None:
        """Call listeners no more, once all that waits was delivered.

        Examples
        --------
        >>> Relays().close()
        """
        self._dispatcher.close()


class JobRelay:
    """A job that is carried out by another one, or by several in turn; made by `Relays`.

    Attributes
    ----------
    job : Job
        What people hold.
    server : str
        The address of the server that it is on, or goes to.

    Examples
    --------
    >>> relays = Relays()
    >>> relay = relays.new("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55", {}, {}, cancel=print)
    >>> carrier = client.submit(example(), width=64, height=64, steps=1)
    >>> relay.follow(carrier)
    >>> relay.finish(carrier.wait(60))
    >>> relay.job.status
    'completed'
    >>> relays.close()
    """

    def __init__(
        self,
        prompt_id: str,
        prompt: Mapping[str, Any],
        drawn: Mapping[str, Any],
        cancel: Callable[[JobRelay], object],
        dispatcher: Dispatcher,
        owner: object,
    ) -> None:
        self.server: str = ""
        self._core = JobCore(prompt_id, _no_file)
        if prompt:
            self._core.prepare(prompt, drawn)

        def ask(_: JobCore) -> None:
            cancel(self)

        def client() -> Any:
            return self._carrier.client if self._carrier is not None else owner

        services = JobServices(ask, dispatcher, lambda: None, owner, lambda: self.server, client)
        self.job: Job = Job(self._core, services)
        self._carrier: Job | None = None
        self._heard: list[Subscription] = []

    @property
    def carrier(self) -> Job | None:
        """The job that carries it out now."""
        return self._carrier

    @property
    def cancelling(self) -> bool:
        """Whether somebody asked for its end."""
        return self._core.cancelling

    def prepare(self, prompt: Mapping[str, Any]) -> None:
        """Say what is really sent, after images were uploaded.

        Parameters
        ----------
        prompt : Mapping
            API format.

        Examples
        --------
        >>> relays = Relays()
        >>> relay = relays.new("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55", {}, {}, cancel=print)
        >>> relay.prepare(example().to_prompt())
        >>> relay.job.prompt == example().to_prompt()
        True
        >>> relays.close()
        """
        if prompt != self._core.prompt:
            self._core.prepare(prompt)

    def follow(self, carrier: Job) -> None:
        """Show from now on what this job does, in place of the one before.

        Parameters
        ----------
        carrier : Job
            Carries it out from now on.

        Examples
        --------
        >>> relays = Relays()
        >>> relay = relays.new("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55", {}, {}, cancel=print)
        >>> relay.follow(client.submit(example(), width=64, height=64, steps=1))
        >>> relay.job.server == client.url
        True
        >>> relays.close()
        """
        self.leave()
        self._carrier, self.server = carrier, carrier.server

        def event(heard: Event) -> None:
            if self._carrier is carrier:
                self._core.learn(carrier.prompt)
                self._core.handle(heard)

        def progress(heard: Progress) -> None:
            if self._carrier is carrier:
                self._core.set_no_answer(heard.no_answer_for)
                if heard.phase is Phase.WAITING:
                    self._core.set_queue_position(heard.queue_position)

        self._heard = [carrier.on("event", event), carrier.on("progress", progress)]

    def leave(self) -> None:
        """Follow nobody: it waits again.

        Examples
        --------
        >>> relays = Relays()
        >>> relays.new("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55", {}, {}, cancel=print).leave()
        >>> relays.close()
        """
        if self._carrier is not None:
            for subscription in self._heard:
                subscription.cancel()
            self._carrier, self.server, self._heard = None, "", []
            self._core.begin_again()

    def warn(self, text: str) -> None:
        """Tell people something although it goes on.

        Parameters
        ----------
        text : str
            A sentence.

        Examples
        --------
        >>> relays = Relays()
        >>> relay = relays.new("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55", {}, {}, cancel=print)
        >>> relay.warn("Its server does not answer.")
        >>> relay.job.warnings
        ('Its server does not answer.',)
        >>> relays.close()
        """
        self._core.warn(text)

    def finish(self, carrier: Job) -> None:
        """End as a job that has ended.

        Parameters
        ----------
        carrier : Job
            It has ended.

        Examples
        --------
        >>> relays = Relays()
        >>> relay = relays.new("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55", {}, {}, cancel=print)
        >>> relay.finish(client.submit(example(), width=64, height=64, steps=1).wait(60))
        >>> len(relay.job.result(60).images)
        1
        >>> relays.close()
        """
        self.server, self._carrier = carrier.server, carrier
        self._core.learn(carrier.prompt)
        self._core.rename(carrier.prompt_id)
        self._core.started_at = carrier.started_at
        error = carrier.exception(0)
        if error is None:
            self._core.finish(carrier.status, result=carrier.result(0))
        else:
            partial = error.result if isinstance(error, JobError) else None
            self._core.finish(carrier.status, result=partial, error=lambda _: error)

    def hear(self, event: Event) -> None:
        """Take an event of whoever carries it out, where that is no job of this process.

        Parameters
        ----------
        event : Event
            Of this prompt.

        Examples
        --------
        >>> from comfy_widgets.protocol import ExecutionStart
        >>> relays = Relays()
        >>> relay = relays.new("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55", {}, {}, cancel=print)
        >>> relay.hear(ExecutionStart(prompt_id="0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55"))
        >>> relay.job.status
        'in_progress'
        >>> relays.close()
        """
        self._core.handle(event)

    def end(self, status: JobStatus, result: Result | None, error: ComfyError | None, server: str) -> None:
        """End as another process says.

        Parameters
        ----------
        status : JobStatus
            How it ended.
        result : Result or None
            What it gave.
        error : ComfyError or None
            Why there is no result.
        server : str
            The address of the server that it was on.

        Examples
        --------
        >>> relays = Relays()
        >>> relay = relays.new("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55", {}, {}, cancel=print)
        >>> relay.end(JobStatus.COMPLETED, client.run(example(), width=64, height=64, steps=1), None, client.url)
        >>> len(relay.job.result(60).images)
        1
        >>> relays.close()
        """
        self.server = server
        self._core.finish(status, result=result, error=None if error is None else lambda _: error)

    def fail(self, error: ComfyError) -> None:
        """End without a result.

        Parameters
        ----------
        error : ComfyError
            What people are told.

        Examples
        --------
        >>> relays = Relays()
        >>> relay = relays.new("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55", {}, {}, cancel=print)
        >>> relay.fail(ComfyError("No server can run it."))
        >>> relay.job.status
        'failed'
        >>> relays.close()
        """
        self._core.finish(JobStatus.FAILED, error=lambda _: error)

    def cancelled(self) -> None:
        """End as a job that was cancelled.

        Examples
        --------
        >>> relays = Relays()
        >>> relay = relays.new("0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55", {}, {}, cancel=print)
        >>> relay.cancelled()
        >>> relay.job.cancelled()
        True
        >>> relays.close()
        """
        self._core.finish_cancelled()


def _no_file(file: File) -> bytes:
    raise ComfyError(f"{file.filename} was never made: no server has carried the job out.")
