"""How far a job is: a pure function from state and event to state, tested from recorded traffic without a socket."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from ..protocol import (
    Event,
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    ExecutionSuccess,
    NodeProgress,
    ProgressEvent,
    ProgressState,
    ProgressText,
    plain,
)
from ._run_state import Plan, Progress, RunState
from ._status import JobStatus, Phase
from ._steps import Steps

_BEFORE_THE_END = 0.99
"""The bar stops here until the images have arrived."""
_LEARNED_ERROR = 0.25
"""How far off the seconds learned of a class are taken to be, as a share: sizes and caches differ from run to run."""


_T = TypeVar("_T", RunState, Progress)


def _replace(value: _T, **changes: Any) -> _T:
    """What `dataclasses.replace` does, several times quicker: this runs some times for each message."""
    changed = object.__new__(type(value))
    changed.__dict__.update(value.__dict__, **changes)
    return changed


def reduce(state: RunState, event: Event, now: float) -> RunState:
    """The state after an event.

    Parameters
    ----------
    state : RunState
    event : Event
        An event of this prompt; others must not come here.
    now : float
        Seconds of any monotonic clock.
    """
    after = _after(state, event, now)
    silent = after.quiet or after.silent_for is not None
    if not silent and after.progress.no_answer_for is None and not after.cancelling:
        return after
    # Something was heard.
    after = _replace(after, quiet=False, silent_for=None, progress=_replace(after.progress, no_answer_for=None))
    return _described(after)


def _after(state: RunState, event: Event, now: float) -> RunState:
    if isinstance(event, ProgressState):
        return _snapshot(state, event, now)
    if isinstance(event, ProgressEvent):
        return _step(_running(state, now), event, now)
    if isinstance(event, Executing):
        if event.node is None:
            return _replace(state, ended=True)
        return _node(_running(state, now), event.display_node or event.node, now)
    if isinstance(event, Executed):
        node = event.display_node or event.node
        if node is None or not event.output:
            return _running(state, now)
        return _replace(_running(state, now), outputs={**state.outputs, node: event.output})
    if isinstance(event, ExecutionCached):
        return _shown(_cached(_running(state, now), event.nodes))
    if isinstance(event, ExecutionStart):
        return _shown(_running(state, now))
    if isinstance(event, ExecutionSuccess):
        everything = dict.fromkeys(state.plan.weights, 1.0)
        # Without a time it was not heard but found out, at some later moment: no measure of anything.
        durations = _timed(state, now) if event.timestamp is not None else state.durations
        return _shown(_replace(_done(_running(state, now), everything), ending=event, durations=durations))
    if isinstance(event, ExecutionError):
        if event.blocked:
            title = state.plan.titles.get(event.node_id or "", event.node_type or "A node")
            # The node that is named did not run; which one above it said so, the server does not tell.
            why = event.exception_message.rstrip(".")
            warning = f"{title} was not run, as its branch was blocked: {why}."
            return _replace(state, warnings=(*state.warnings, warning))
        return _replace(_running(state, now), ending=event)
    if isinstance(event, ExecutionInterrupted):
        return _replace(_running(state, now), ending=event)
    if isinstance(event, ProgressText):
        return _replace(state, progress=_replace(state.progress, text=plain(event.text)))
    return state


def waiting(state: RunState, position: int | None, stuck_for: float | None = None) -> RunState:
    """The state with a new place in the queue; nothing changes for a job that runs already."""
    if state.status is not JobStatus.PENDING:
        return state
    progress = _replace(state.progress, queue_position=position)
    return _described(_replace(state, progress=progress, stuck_for=stuck_for))


def cancelling(state: RunState) -> RunState:
    """The state once its end was asked for."""
    return _described(_replace(state, cancelling=True))


def unanswered(state: RunState, seconds: float | None) -> RunState:
    """The state while the server gives no answer, for so many seconds now; None once it answers again."""
    if state.progress.no_answer_for == seconds:
        return state
    return _described(_replace(state, progress=_replace(state.progress, no_answer_for=seconds)))


def planned(state: RunState, plan: Plan) -> RunState:
    """The state once it is known what runs; it may run already."""
    return _cached(_replace(state, plan=plan), ())


def quiet(state: RunState) -> RunState:
    """The state after a while of silence, which before the first step mostly means that a model is loaded."""
    if state.quiet or state.progress.phase is not Phase.RUNNING or state.progress.steps is not None:
        return state
    return _described(_replace(state, quiet=True))


def silent(state: RunState, seconds: float) -> RunState:
    """The state after a silence in which the server's worker may have died, so that people are told of it."""
    if state.progress.phase is not Phase.RUNNING or state.silent_for == seconds:
        return state
    return _described(_replace(state, silent_for=seconds))


def finished(state: RunState, status: JobStatus, message: str) -> RunState:
    """The last state."""
    completed = status is JobStatus.COMPLETED
    progress = _replace(
        state.progress,
        fraction=1.0 if completed else state.progress.fraction,
        message=message,
        phase=Phase.ENDED,
        no_answer_for=None,
        eta=None,
        eta_error=None,
        rate=None,
        queue_position=None,
    )
    if completed:
        progress = _replace(progress, node=None, title=None, step=None, steps=None)
    return _replace(state, status=status, progress=progress)


def _running(state: RunState, now: float) -> RunState:
    if state.status is not JobStatus.PENDING:
        return state
    progress = _replace(state.progress, queue_position=None, message="Starting", phase=Phase.RUNNING)
    return _replace(
        state, status=JobStatus.IN_PROGRESS, started=now, progress=progress, total=sum(state.plan.weights.values())
    )


def _node(state: RunState, node: str, now: float) -> RunState:
    """Another node works now."""
    if node == state.progress.node:
        return state
    title = state.plan.titles.get(node)
    progress = _replace(state.progress, node=node, title=title, step=None, steps=None, rate=None, text="")
    begun = state.begun if node in state.begun else {**state.begun, node: now}
    state = _replace(
        state, progress=progress, node_started=now, stepped=None, durations=_timed(state, now), begun=begun
    )
    return _shown(state)


def _timed(state: RunState, now: float) -> Mapping[str, float]:
    """The durations once the node that works now has ended."""
    node = state.progress.node
    if node is None or state.node_started is None:
        return state.durations
    return {**state.durations, node: state.durations.get(node, 0.0) + now - state.node_started}


def _cached(state: RunState, nodes: tuple[str, ...]) -> RunState:
    """These nodes are no work: without them the bar begins at nothing."""
    cached = state.cached.union(nodes)
    weights = {node: weight for node, weight in state.plan.weights.items() if node not in cached}
    work = sum(weight * state.done.get(node, 0.0) for node, weight in weights.items())
    return _replace(state, cached=cached, total=sum(weights.values()), work=work)


def _done(state: RunState, shares: Mapping[str, float]) -> RunState:
    """So much of these nodes is done."""
    done, work, weights = dict(state.done), state.work, state.plan.weights
    for node, share in shares.items():
        if node not in state.cached:
            work += weights.get(node, 0.0) * (share - done.get(node, 0.0))
        done[node] = share
    return _replace(state, done=done, work=work)


def _step(state: RunState, event: ProgressEvent, now: float) -> RunState:
    # The id may be that of an expanded node ("7.0.0.1"); only the node in the prompt is known to people.
    node = _in_prompt(state, event.node)
    if node is None:
        return state
    state = _node(state, node, now)
    share = _share(event.value, event.max)
    if state.done.get(node) != share:
        state = _done(state, {node: share})
    return _shown(_counts(state, event.value, event.max, now))


def _snapshot(state: RunState, event: ProgressState, now: float) -> RunState:
    """A whole snapshot: whatever was missed before it changes nothing."""
    state = _running(state, now)
    done, changed = state.done, {}
    parts: dict[str, list[float]] = {}
    current: NodeProgress | None = None
    for entry in event.nodes.values():
        node = entry.display_node_id
        share = 1.0 if entry.state == "finished" else _share(entry.value, entry.max)
        if node != entry.node_id or node not in state.plan.weights:
            parts.setdefault(_in_prompt(state, node) or "", []).append(share)
        elif done.get(node) != share:
            changed[node] = share
        if entry.state != "finished":
            current = entry
    # An expanded node counts by the mean of its parts so far; it may still grow, and the bar never goes back.
    changed.update({node: sum(shares) / len(shares) for node, shares in parts.items() if node})
    if changed:
        state = _done(state, changed)
    if current is not None:
        at = _in_prompt(state, current.display_node_id)
        state = _node(state, at, now) if at is not None else state
        state = _counts(state, current.value, current.max, now)
    return _shown(state)


def _share(value: float, most: float) -> float:
    return min(1.0, max(0.0, value / most)) if most > 0 else 0.0


def _counts(state: RunState, value: float, most: float, now: float) -> RunState:
    """The node that works tells of its steps."""
    if most <= 1 or (state.progress.step == int(value) and state.progress.steps == int(most)):
        return state
    stepped = Steps(now, value) if state.stepped is None else state.stepped.then(value, now)
    rate = 1 / stepped.mean if stepped.timed >= 2 and stepped.mean > 0 else None
    progress = _replace(state.progress, step=int(value), steps=int(most), rate=rate)
    return _replace(state, progress=progress, stepped=stepped)


def _in_prompt(state: RunState, node: str | None) -> str | None:
    if node is None or node in state.plan.weights:
        return node
    head = node.split(".", 1)[0]
    return head if head in state.plan.weights else state.progress.node


def _shown(state: RunState) -> RunState:
    """Bring `Progress` in line with the rest of the state."""
    if state.total > 0:
        fraction = min(_BEFORE_THE_END, state.work / state.total)
    else:
        # All is cached; or it is not known yet what runs.
        fraction = _BEFORE_THE_END if state.plan.weights else 0.0
    eta, error = _eta(state)
    progress = _replace(state.progress, fraction=max(state.progress.fraction, fraction), eta=eta, eta_error=error)
    return _described(_replace(state, progress=progress))


def _eta(state: RunState) -> tuple[float, float] | tuple[None, None]:
    """Seconds left and their error: from the pace of the node that counts steps, and what was learned of the others.

    It is given only after two steps, and only where the rest is known or small against the counting node.
    """
    progress, node, stepped = state.progress, state.progress.node, state.stepped
    if node is None or stepped is None or stepped.timed < 2 or progress.step is None or progress.steps is None:
        return None, None
    weight = state.plan.weights.get(node, 0.0)
    here, error = stepped.left(progress.steps - progress.step)
    others = max(0.0, state.total - state.work - weight * (1 - state.done.get(node, 0.0)))
    if state.plan.learned:
        return here + others, math.hypot(error, _LEARNED_ERROR * others)
    return (here, error) if others < 0.5 * weight else (None, None)


def _described(state: RunState) -> RunState:
    """Bring phase and message in line with the rest of the state."""
    if state.ending is not None and not isinstance(state.ending, ExecutionSuccess):
        # What went wrong is being looked into: the last words stand until it is known.
        return state
    phase, message = _in_words(state)
    if state.silent_for is not None and phase is Phase.RUNNING:
        message = (
            f"{message}; no sign of life for {state.silent_for:.0f} s: a long node, or the server's worker is dead"
        )
    if state.progress.no_answer_for is not None:
        message = f"{message}; no answer from the server for {state.progress.no_answer_for:.0f} s"
    if phase is state.progress.phase and message == state.progress.message:
        return state
    return _replace(state, progress=_replace(state.progress, phase=phase, message=message))


def _in_words(state: RunState) -> tuple[Phase, str]:
    progress = state.progress
    if isinstance(state.ending, ExecutionSuccess):
        return Phase.FETCHING, "Fetching the results"
    if state.cancelling:
        return Phase.CANCELLING, "Cancelling"
    if state.status is JobStatus.PENDING:
        ahead = f", {progress.queue_position} ahead" if progress.queue_position else ""
        stuck = f"; nothing has moved in the queue for {state.stuck_for:.0f} s" if state.stuck_for is not None else ""
        return Phase.WAITING, f"Waiting{ahead}{stuck}"
    phase = Phase.RUNNING
    name = progress.title or (f"Node {progress.node}" if progress.node is not None else "Starting")
    loads = "loader" in state.plan.classes.get(progress.node or "", "").lower()
    if state.quiet and progress.steps is None and state.silent_for is None and not loads:
        return phase, f"{name}: nothing heard for a while, it may be loading the model"
    if progress.node is None:
        count = len(state.cached)
        return phase, f"Starting, {count} node{'s are' if count > 1 else ' is'} cached" if count else "Starting"
    if progress.steps is not None:
        return phase, f"{name}, step {progress.step} of {progress.steps}"
    return phase, f"{name}: loading {_model(state, progress.node)}" if loads else name


def _model(state: RunState, node: str) -> str:
    """The model that a node loads: "flux.safetensors, model 2 of 3"."""
    models = state.plan.models
    name = models.get(node)
    if name is None:
        return "the model"
    # Counted are those that are loaded in this run.
    loaded = [other for other in models if other not in state.cached]
    count = sum(other in state.begun for other in loaded)
    return f"{name}, model {count} of {len(loaded)}" if len(loaded) > 1 else name
