"""How far a job is: a pure function from state and event to state, tested from recorded traffic without a socket."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

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
    title_of,
)
from ._steps import Steps

JobStatus = Literal["pending", "in_progress", "completed", "failed", "cancelled", "lost"]
"""ComfyUI's own names for the state of a job; "lost" is ours."""

_BEFORE_THE_END = 0.99
"""The bar stops here until the pictures have arrived."""
_LEARNED_ERROR = 0.25
"""How far off the seconds learned of a class are taken to be, as a share: sizes and caches differ from run to run."""


@dataclass(frozen=True)
class Progress:
    """How far a job is; a value, replaced whole.

    Attributes
    ----------
    fraction : float
        0 to 1 over the whole job; it never goes back.
    node, title : str or None
        The node that works now: its id in the prompt, and its title.
    step, steps : int or None
        Steps of that node, where it counts any.
    eta : float or None
        Seconds until the end; None as long as it would be a guess.
    eta_error : float or None
        One standard deviation of it, in seconds.
    queue_position : int or None
        How many prompts run before this one; None once it runs.
    message : str
        All of this in a few words.
    text : str
        The line that a node wrote about its work, where it did.
    """

    fraction: float = 0.0
    node: str | None = None
    title: str | None = None
    step: int | None = None
    steps: int | None = None
    eta: float | None = None
    eta_error: float | None = None
    queue_position: int | None = None
    message: str = "Waiting"
    text: str = ""


@dataclass(frozen=True)
class Plan:
    """What is known of a job before it runs.

    Attributes
    ----------
    weights : dict
        Node id to the share of the work that the node is thought to be (seconds, where they were learned).
    titles : dict
        Node id to the title people know it by.
    learned : bool
        Whether the weights are seconds that were measured on this server.
    """

    weights: Mapping[str, float]
    titles: Mapping[str, str]
    classes: Mapping[str, str]
    learned: bool = False

    @classmethod
    def of(cls, prompt: Mapping[str, Any], seconds: Callable[[str], float | None] = lambda _: None) -> Plan:
        """Weigh the nodes of a prompt; ``seconds`` tells what a class took before on this server."""
        classes = {node_id: str(node.get("class_type", "")) for node_id, node in prompt.items()}
        known = {node_id: seconds(name) for node_id, name in classes.items()}
        guesses = {node_id: _guess(name) for node_id, name in classes.items()}
        # Guesses have no unit: scale them to the seconds that are known, where some are.
        both = [(value, guesses[node_id]) for node_id, value in known.items() if value is not None]
        scale = sum(v for v, _ in both) / sum(g for _, g in both) if both else 1.0
        weights = {n: max(known_, 1e-3) if (known_ := known[n]) is not None else guesses[n] * scale for n in classes}
        titles = {node_id: title_of(prompt, node_id) or node_id for node_id in prompt}
        return cls(weights, titles, classes, bool(classes) and len(both) == len(classes))


def _guess(class_type: str) -> float:
    """Rough shares: in nearly every workflow the samplers are what one waits for."""
    name = class_type.lower()
    if "sampler" in name:
        return 20.0
    if "loader" in name:
        return 4.0
    return 2.0 if "vae" in name or "upscale" in name else 1.0


@dataclass(frozen=True)
class RunState:
    """All that the events of one prompt have told so far.

    Attributes
    ----------
    plan : Plan
    status : JobStatus
    done : dict
        Node id to its finished share, 0 to 1.
    cached : frozenset of str
        Nodes that are no work in this run.
    total, work : float
        Weight of all nodes that are not cached, and of what is done of them.
    outputs : dict
        ``{node id: output}`` as `Executed` told; history has the last word.
    ending : Event or None
        The message that told of the end.
    ended : bool
        Whether the end marker came, after which history is sure to be there.
    warnings : tuple of str
    progress : Progress
    started, node_started : float or None
        When the run and the node that works now began.
    stepped : Steps or None
        The pace of that node, where it counts steps.
    durations : dict
        Node id to the seconds it took.
    """

    plan: Plan
    status: JobStatus = "pending"
    done: Mapping[str, float] = field(default_factory=dict)
    cached: frozenset[str] = frozenset()
    total: float = 0.0
    work: float = 0.0
    outputs: Mapping[str, Any] = field(default_factory=dict)
    ending: Event | None = None
    ended: bool = False
    warnings: tuple[str, ...] = ()
    progress: Progress = field(default_factory=Progress)
    started: float | None = None
    node_started: float | None = None
    stepped: Steps | None = None
    durations: Mapping[str, float] = field(default_factory=dict)


_T = TypeVar("_T", RunState, Progress)


def _but(value: _T, **changes: Any) -> _T:
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
    if isinstance(event, ProgressState):
        return _snapshot(state, event, now)
    if isinstance(event, ProgressEvent):
        return _step(_running(state, now), event, now)
    if isinstance(event, Executing):
        if event.node is None:
            return _but(state, ended=True)
        return _node(_running(state, now), event.display_node or event.node, now)
    if isinstance(event, Executed):
        node = event.display_node or event.node
        if node is None or not event.output:
            return _running(state, now)
        return _but(_running(state, now), outputs={**state.outputs, node: event.output})
    if isinstance(event, ExecutionCached):
        return _shown(_cached(_running(state, now), event.nodes))
    if isinstance(event, ExecutionStart):
        return _shown(_running(state, now))
    if isinstance(event, ExecutionSuccess):
        everything = dict.fromkeys(state.plan.weights, 1.0)
        # Without a time it was not heard but found out, at some later moment: no measure of anything.
        durations = _timed(state, now) if event.timestamp is not None else state.durations
        return _shown(_but(_running(state, now), done=everything, ending=event, durations=durations))
    if isinstance(event, ExecutionError):
        if event.blocked:
            title = state.plan.titles.get(event.node_id or "", event.node_type or "A node")
            return _but(state, warnings=(*state.warnings, f"{title} blocked its branch: {event.exception_message}"))
        return _but(_running(state, now), ending=event)
    if isinstance(event, ExecutionInterrupted):
        return _but(_running(state, now), ending=event)
    if isinstance(event, ProgressText):
        return _but(state, progress=_but(state.progress, text=event.text))
    return state


def waiting(state: RunState, position: int | None) -> RunState:
    """The state with a new place in the queue; nothing changes for a job that runs already."""
    if state.status != "pending":
        return state
    message = "Waiting" if not position else f"Waiting, {position} ahead"
    return _but(state, progress=_but(state.progress, queue_position=position, message=message))


def planned(state: RunState, plan: Plan) -> RunState:
    """The state once it is known what runs; it may run already."""
    return _cached(_but(state, plan=plan), ())


def quiet(state: RunState) -> RunState:
    """The state after a while of silence, which before the first step mostly means that a model is loaded."""
    if state.status != "in_progress" or state.ending is not None or state.progress.steps is not None:
        return state
    message = f"{state.progress.title or 'Starting'}: nothing heard for a while, it may be loading the model"
    return _but(state, progress=_but(state.progress, message=message)) if message != state.progress.message else state


def finished(state: RunState, status: JobStatus, message: str) -> RunState:
    """The last state."""
    fraction = 1.0 if status == "completed" else state.progress.fraction
    progress = _but(state.progress, fraction=fraction, message=message, eta=None, eta_error=None, queue_position=None)
    if status == "completed":
        progress = _but(progress, node=None, title=None, step=None, steps=None)
    return _but(state, status=status, progress=progress)


def _running(state: RunState, now: float) -> RunState:
    if state.status != "pending":
        return state
    progress = _but(state.progress, queue_position=None, message="Starting")
    return _but(state, status="in_progress", started=now, progress=progress, total=sum(state.plan.weights.values()))


def _node(state: RunState, node: str, now: float) -> RunState:
    """Another node works now."""
    if node == state.progress.node:
        return state
    progress = _but(state.progress, node=node, title=state.plan.titles.get(node), step=None, steps=None, text="")
    state = _but(state, progress=progress, node_started=now, stepped=None, durations=_timed(state, now))
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
    return _but(state, cached=cached, total=sum(weights.values()), work=work)


def _done(state: RunState, shares: Mapping[str, float]) -> RunState:
    """So much of these nodes is done."""
    done, work, weights = dict(state.done), state.work, state.plan.weights
    for node, share in shares.items():
        if node not in state.cached:
            work += weights.get(node, 0.0) * (share - done.get(node, 0.0))
        done[node] = share
    return _but(state, done=done, work=work)


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
    progress = _but(state.progress, step=int(value), steps=int(most))
    stepped = Steps(now, value) if state.stepped is None else state.stepped.then(value, now)
    return _but(state, progress=progress, stepped=stepped)


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
    fraction = max(state.progress.fraction, fraction)
    return _but(
        state, progress=_but(state.progress, fraction=fraction, eta=eta, eta_error=error, message=_message(state))
    )


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


def _message(state: RunState) -> str:
    progress = state.progress
    if state.ending is not None:
        return "Fetching the results" if isinstance(state.ending, ExecutionSuccess) else progress.message
    if progress.node is None:
        return "Starting" if not state.cached else f"Starting, {len(state.cached)} nodes are cached"
    name = progress.title or f"Node {progress.node}"
    if progress.steps is not None:
        return f"{name}, step {progress.step} of {progress.steps}"
    loads = "loader" in state.plan.classes.get(progress.node, "").lower()
    return f"{name}: loading the model" if loads else name
