"""What a fleet does: sends work where the scheduler decides, and sees to it that each ends once, whatever happens.

There is no thread here. It is driven by those who submit and by the listeners of the servers' clients.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ..client import (
    ExecutionFailed,
    FileGone,
    Job,
    JobError,
    JobLost,
    JobRelay,
    JobStatus,
    Progress,
    ServerError,
    ServerUnreachable,
)
from ..protocol import ComfyError, Event, Status
from ._desk import Desk
from ._ids import new_id
from ._roster import Roster
from ._schedule import Scheduler, Start
from ._task import Task

if TYPE_CHECKING:
    from ._members import Member

logger = logging.getLogger(__name__)


class Carrier:
    """The work of a fleet, from where it waits to its end.

    Parameters
    ----------
    members : list of Member
    owner : object
        The fleet, which lives as long as work is out.
    window : int
        Prompts on a server at a time.
    lost_after : float
        Seconds without an answer after which the work of a server goes to others.
    tries : int
        How many servers may lose the same work.
    """

    def __init__(self, members: Sequence[Member], owner: object, window: int, lost_after: float, tries: int) -> None:
        self.roster: Roster = Roster(window)
        self.members: dict[str, Member] = self.roster.members
        self.lock: threading.RLock = self.roster.lock
        self.scheduler: Scheduler = self.roster.scheduler
        self._lost_after = lost_after
        self._tries = tries
        self.desk: Desk = Desk(self.roster, owner, self._cancel)
        for member in members:
            self.join(member)

    # Servers

    def join(self, member: Member) -> None:
        """Take a server in."""
        self.roster.join(member)
        member.subscription = member.client.connect(partial(self._heard, member.name))
        if member.definitions is None:
            self._await_return(member.name)
        self.dispatch()

    def part(self, server: str) -> None:
        """Let a server go: what waits there is taken back, what runs there ends there."""
        with self.lock:
            member = self.members.pop(server)
            works = self.scheduler.remove(server)
            moved = [work for work in works if not work.running]
            for work in works:
                if work in moved:
                    self._move(work.payload, f"{member.shown} has left the fleet", member, lost=False)
            if self.members:
                self.roster.compare()
        for work in moved:
            leg = work.payload.legs.get(server)
            if leg is not None:
                leg.cancel()
        if not any(not work.payload.over for work in works if work not in moved):
            member.close()
        self.dispatch()

    # Work comes

    def carry(self, task: Task, prompt_id: str, *, attach: bool = False) -> Job:
        """Send work for which there was room, and give the job that people hold."""
        assert task.document is not None
        job = self.desk.give_job(task, prompt_id, task.document.drawn, task.document.to_prompt())
        if not task.work.server:
            # It was started only to tell that no server can run it any more.
            self.desk.fail(task, f"No server of the fleet can run this any more: {'; '.join(task.reasons)}.")
            return job
        try:
            self.send(task, attach=attach)
        except BaseException:
            self.desk.abandon(task)
            raise
        return job

    # Work goes

    def dispatch(self) -> None:
        """Start what there is room for, and end what no server can run any more."""
        while not self.desk.closed:
            with self.lock:
                start = self.scheduler.next()
                stranded = [] if start is not None else self.scheduler.stranded()
            for work in stranded:
                self._give_up(work.payload)
            if start is None:
                break
            self._begin(start)
        self.roster.changed()

    def _begin(self, start: Start) -> None:
        task: Task = start.work.payload
        if task.relay is None and task.start is not None:
            task.start(task)
            return
        try:
            self.send(task, front=start.front)
        except Exception as error:
            # A claim that cannot be written, a client that somebody closed: this work alone has failed.
            failure = error if isinstance(error, ComfyError) else ComfyError(f"It could not be sent: {error}")
            self.desk.end(task, lambda relay: relay.fail(failure))

    def redirect(self, task: Task, server: str) -> bool:
        """Let work go to the server that has it already; False where that does not answer."""
        with self.lock:
            place = self.scheduler.places.get(server)
            if place is None or not place.up:
                return False
            self.scheduler.leave(task.work)
            self.scheduler.place_out(task.work, server)
            return True

    def send(self, task: Task, *, front: bool = False, attach: bool = False) -> None:
        """Send work to the server that was decided for it; or find it there, where it was sent before."""
        server, relay = task.work.server, task.relay
        assert relay is not None
        member = self.members.get(server)
        if member is None:
            with self.lock:
                self.scheduler.again(task.work, lost=False)
            return
        task.sent_at = time.time()
        if attach or task.document is None:
            leg = member.client.attach(relay.job.prompt_id)
        else:
            if task.claim is not None:
                task.claim(relay.job.prompt_id, server)
            relay.server = server
            options = {**task.options, **({"front": True} if front else {})}
            leg = member.client.submit(
                task.document, prompt_id=relay.job.prompt_id, on_post=partial(self._posting, task), **options
            )
        with self.lock:
            task.legs[server] = leg
            relay.follow(leg)
        leg.on("status", partial(self._status, task, leg))
        leg.on("progress", partial(self._progress, task, leg))
        leg.add_done_callback(partial(self._ended, task))
        if relay.cancelling:
            leg.cancel()

    def _posting(self, task: Task, leg: Job) -> None:
        assert task.relay is not None
        task.relay.prepare(leg.prompt)
        if task.on_post is not None:
            task.on_post(task.relay.job)
        if task.relay.cancelling:
            leg.cancel()

    def _cancel(self, task: Task) -> None:
        """Somebody cancels the job."""
        with self.lock:
            waits = bool(self.scheduler.withdraw(task.work.line, lambda work: work is task.work))
            leg = task.leg
        if waits:
            self.desk.end(task, JobRelay.cancelled)
        elif leg is not None:
            leg.cancel()

    # What servers say

    def _status(self, task: Task, leg: Job, status: JobStatus) -> None:
        if status is JobStatus.IN_PROGRESS and task.leg is leg:
            with self.lock:
                task.work.running, task.sent_at = True, time.time()
            self.roster.changed()

    def _progress(self, task: Task, leg: Job, progress: Progress) -> None:
        silent = progress.no_answer_for
        if silent is not None and silent >= self._lost_after and task.leg is leg:
            shown = _shown(task.work.server, self.members.get(task.work.server))
            self._lost(task.work.server, f"{shown} did not answer for {silent:.0f} s")

    def _heard(self, server: str, event: Event) -> None:
        """Something came over a server's websocket; called in the thread of its listeners."""
        if isinstance(event, Status) and event.queue_remaining is not None:
            with self.lock:
                place = self.scheduler.places.get(server)
                if place is None:
                    return
                ours = len(place.out)
                strangers, place.strangers = place.strangers, max(0, event.queue_remaining - ours)
                back = not place.up
                changed = strangers != place.strangers
            if back:
                self._returned(server)
            elif changed:
                self.dispatch()

    def _ended(self, task: Task, leg: Job) -> None:
        """A job of a server has ended; called in the thread of its listeners."""
        server = leg.server
        member = self.members.get(server)
        if task.over:
            return
        if task.leg is not leg:
            # It was given up here before.
            if leg.status is JobStatus.COMPLETED and _unfetched(leg) is None:
                self._adopt(task, leg)
            with self.lock:
                task.work.held.discard(server)
            self.dispatch()
            return
        error = leg.exception(0) or _unfetched(leg)
        if error is None or leg.status is JobStatus.CANCELLED or self.desk.closed or task.document is None:
            self.desk.end(task, lambda relay: relay.finish(leg), leg)
        elif isinstance(error, ExecutionFailed) and _out_of_memory(error):
            with self.lock:
                self.scheduler.bar(task.work)
                self._move(task, f"the memory of {_shown(server, member)} did not suffice", member, lost=False)
            self.dispatch()
        elif isinstance(error, JobLost) or (isinstance(error, ServerError) and not isinstance(error, JobError)):
            self._server_failed(task, server, error)
        else:
            # The workflow's own fault, a refusal or a node that raised: another server would say the same.
            self.desk.end(task, lambda relay: relay.finish(leg), leg)
        self.dispatch()

    def _server_failed(self, task: Task, server: str, error: ComfyError) -> None:
        """Not the work has failed but its server: it answers no more, or has forgotten it."""
        member = self.members.get(server)
        try:
            if member is None:
                raise error
            member.client.queue()
        except ComfyError as why:
            self._lost(server, str(why))
        with self.lock:
            if task.work.server == server and not task.over:
                self._move(task, str(error), member, lost=not isinstance(error, ServerUnreachable) or error.sent)
        self._give_up_if_tried(task)

    def _lost(self, server: str, reason: str) -> None:
        """A server does not answer: what is there goes to others, and is looked for again when it is back."""
        with self.lock:
            place, member = self.scheduler.places.get(server), self.members.get(server)
            if place is None or member is None:
                return
            member.error = reason
            works = self.scheduler.set_up(server, False)
            logger.warning("%s: %d prompts go to other servers (%s)", server, len(works), reason)
            tasks: list[Task] = [work.payload for work in works if work.payload.document is not None]
            for task in tasks:
                member.orphans[task.relay.job.prompt_id] = task  # type: ignore[union-attr]
                self._move(task, reason, member, lost=_reached(task.leg))
        for task in tasks:
            self._give_up_if_tried(task)
        self._await_return(server)
        self.dispatch()

    def _await_return(self, server: str) -> None:
        """Have the server's client ask for a prompt that nobody knows, until there is an answer."""
        member = self.members.get(server)
        if member is None or self.desk.closed:
            return
        with suppress(ComfyError):
            member.client.attach(new_id()).add_done_callback(lambda _: self._returned(server))

    def _move(self, task: Task, reason: str, member: Member | None, *, lost: bool) -> None:
        """Let work wait for another server; called with the lock held."""
        server = task.work.server
        shown = _shown(server, member)
        task.reasons.append(reason if shown in reason else f"{shown}: {reason}")
        self.roster.note(task, server, "lost" if lost else "moved")
        if member is not None and lost:
            member.lost += 1
        if task.leg is not None and not task.leg.done():
            task.work.held.add(server)
        self.scheduler.again(task.work, lost=lost)
        if task.relay is not None:
            task.relay.leave()
            task.relay.warn(f"{reason[:1].upper()}{reason[1:]}; another server gets it.")

    def _give_up_if_tried(self, task: Task) -> None:
        if task.work.tries >= self._tries and not task.over:
            with self.lock:
                self.scheduler.withdraw(task.work.line, lambda work: work is task.work)
            said = "\n".join(f"- {reason}" for reason in task.reasons)
            self.desk.fail(task, f"Given up after {task.work.tries} tries:\n{said}")

    def _give_up(self, task: Task) -> None:
        """No server can run it any more."""
        with self.lock:
            obstacles = self.roster.obstacles(task.work)
        if task.relay is None and task.start is not None:
            # Whoever waits for it learns by a job that has failed.
            task.reasons.append(obstacles)
            task.start(task)
        else:
            self.desk.fail(task, f"No server of the fleet can run this any more: {obstacles}.")

    def _returned(self, server: str) -> None:
        """A server answers again: what it has of the work that others were given is taken, or taken back."""
        with self.lock:
            member, place = self.members.get(server), self.scheduler.places.get(server)
            if member is None or place is None or place.up or member.looking or self.desk.closed:
                return
            member.looking = True
        try:
            member.look()
            with self.lock:
                self.roster.compare()
                self.scheduler.set_up(server, True)
                orphans, member.orphans = member.orphans, {}
        except ComfyError as error:
            member.error = str(error)
            self._await_return(server)
            return
        finally:
            member.looking = False
        for prompt_id, task in orphans.items():
            leg = task.legs.get(server)
            if leg is not None and not leg.done():
                with suppress(ComfyError):
                    self._sort_out(task, leg, member, prompt_id)
        self.dispatch()

    def _sort_out(self, task: Task, leg: Job, member: Member, prompt_id: str) -> None:
        if member.client.queue().position(prompt_id) is None:
            # Its result, if there is one, comes by itself, and is taken where it is the first.
            return
        with self.lock:
            other = task.leg
            takes = not task.over and (other is None or other.status is JobStatus.PENDING)
            if takes:
                self.scheduler.withdraw(task.work.line, lambda work: work is task.work)
                self.scheduler.leave(task.work)
                self.scheduler.place_out(task.work, member.name)
                task.work.held.discard(member.name)
                assert task.relay is not None
                task.relay.follow(leg)
        if not takes:
            leg.cancel()
        elif other is not None:
            other.cancel()

    def _adopt(self, task: Task, leg: Job) -> None:
        """A server that was given up has finished it after all."""
        with self.lock:
            if task.over:
                return
            other = task.leg
            self.scheduler.withdraw(task.work.line, lambda work: work is task.work)
        self.desk.end(task, lambda relay: relay.finish(leg), leg)
        if other is not None:
            other.cancel()

    # The end

    def close(self) -> None:
        """End all that waits, and let go of the servers; what runs there goes on."""
        if self.desk.closed:
            return
        for task in self.desk.close():
            if task.leg is None:
                self.desk.fail(task, "The fleet was closed before it was sent.")
        for member in self.members.values():
            member.close()
        self.desk.close_jobs()


def _reached(leg: Job | None) -> bool:
    """Tell whether a server is known to have had a job."""
    return leg is not None and (leg.started_at is not None or leg.progress.queue_position is not None)


def _unfetched(leg: Job) -> ServerError | None:
    """Return why an image of a job that has ended well is not here: its server died before it was fetched."""
    result = leg.result(0)
    try:
        for file in result.image_files:
            result.bytes(file)
    except FileGone:
        return None
    except ServerError as error:
        return error
    return None


def _shown(server: str, member: Member | None) -> str:
    """What people are told of a server, which may have left the fleet."""
    return server if member is None else member.shown


def _out_of_memory(error: ExecutionFailed) -> bool:
    kind, message = error.exception_type.lower(), error.exception_message.lower()
    return "outofmemory" in kind or "out of memory" in message or "allocation on device" in message
