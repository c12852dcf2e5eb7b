"""How far a job is: a pure function from state and event to state, tested from recorded traffic without a socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..protocol import (
    Event,
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    ExecutionSuccess,
    ProgressState,
    ProgressText,
)
from ..protocol import Progress as ProgressEvent
from ..protocol.refusal import title_of

JobStatus = Literal["pending", "in_progress", "completed", "failed", "cancelled", "lost"]
"""ComfyUI's own names for the state of a job; "lost" is ours."""

_BEFORE_THE_END = 0.99
"""The bar stops here until the pictures have arrived."""


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
        Node id to its finished share, 0 to 1; cached nodes are left out of the work.
    cached : frozenset of str
    outputs : dict
        ``{node id: output}`` as `Executed` told; history has the last word.
    ending : Event or None
        The message that told of the end.
    ended : bool
        Whether the end marker came, after which history is sure to be there.
    warnings : tuple of str
    progress : Progress
    """

    plan: Plan
    status: JobStatus = "pending"
    done: Mapping[str, float] = field(default_factory=dict)
    cached: frozenset[str] = frozenset()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    ending: Event | None = None
    ended: bool = False
    warnings: tuple[str, ...] = ()
    progress: Progress = field(default_factory=Progress)
    started: float | None = None
    node_started: float | None = None
    stepped: tuple[float, float] | None = None
    durations: Mapping[str, float] = field(default_factory=dict)


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
            return replace(state, ended=True)
        return _node(_running(state, now), event.display_node or event.node, now)
    if isinstance(event, Executed):
        node = event.display_node or event.node
        if node is None or not event.output:
            return _running(state, now)
        return replace(_running(state, now), outputs={**state.outputs, node: event.output})
    if isinstance(event, ExecutionCached):
        cached = state.cached | set(event.nodes)
        return _shown(replace(_running(state, now), cached=cached), now)
    if isinstance(event, ExecutionStart):
        return _shown(_running(state, now), now)
    if isinstance(event, ExecutionSuccess):
        everything = dict.fromkeys(state.plan.weights, 1.0)
        return _shown(replace(_running(state, now), done=everything, ending=event), now)
    if isinstance(event, ExecutionError):
        if event.blocked:
            title = state.plan.titles.get(event.node_id or "", event.node_type or "A node")
            return replace(state, warnings=(*state.warnings, f"{title} blocked its branch: {event.exception_message}"))
        return replace(_running(state, now), ending=event)
    if isinstance(event, ExecutionInterrupted):
        return replace(_running(state, now), ending=event)
    if isinstance(event, ProgressText):
        return replace(state, progress=replace(state.progress, text=event.text))
    return state


def waiting(state: RunState, position: int | None) -> RunState:
    """The state with a new place in the queue; nothing changes for a job that runs already."""
    if state.status != "pending":
        return state
    message = "Waiting" if not position else f"Waiting, {position} ahead"
    return replace(state, progress=replace(state.progress, queue_position=position, message=message))


def finished(state: RunState, status: JobStatus, message: str) -> RunState:
    """The last state."""
    fraction = 1.0 if status == "completed" else state.progress.fraction
    progress = replace(state.progress, fraction=fraction, message=message, eta=None, queue_position=None)
    if status == "completed":
        progress = replace(progress, node=None, title=None, step=None, steps=None)
    return replace(state, status=status, progress=progress)


def _running(state: RunState, now: float) -> RunState:
    if state.status != "pending":
        return state
    progress = replace(state.progress, queue_position=None, message="Starting")
    return replace(state, status="in_progress", started=now, progress=progress)


def _node(state: RunState, node: str, now: float) -> RunState:
    """Another node works now."""
    if node == state.progress.node:
        return state
    state = _left(state, now)
    progress = replace(state.progress, node=node, title=state.plan.titles.get(node), step=None, steps=None, text="")
    return _shown(replace(state, progress=progress, node_started=now, stepped=None), now)


def _left(state: RunState, now: float) -> RunState:
    """Keep how long the node took that worked until now."""
    node = state.progress.node
    if node is None or state.node_started is None:
        return state
    durations = {**state.durations, node: state.durations.get(node, 0.0) + now - state.node_started}
    return replace(state, durations=durations, node_started=now)


def _step(state: RunState, event: ProgressEvent, now: float) -> RunState:
    # The id may be that of an expanded node ("7.0.0.1"); only the node in the prompt is known to people.
    node = _in_prompt(state, event.node)
    if node is None:
        return state
    if node != state.progress.node:
        state = _node(state, node, now)
    share = event.value / event.max if event.max > 0 else 0.0
    stepped = state.stepped if state.stepped is not None else (now, event.value)
    state = replace(state, done={**state.done, node: min(1.0, max(0.0, share))}, stepped=stepped)
    if event.max > 1:
        state = replace(state, progress=replace(state.progress, step=int(event.value), steps=int(event.max)))
    return _shown(state, now)


def _snapshot(state: RunState, event: ProgressState, now: float) -> RunState:
    """A whole snapshot: whatever was missed before it changes nothing."""
    state = _running(state, now)
    shares: dict[str, list[float]] = {}
    current: str | None = None
    steps: tuple[float, float] | None = None
    for entry in event.nodes.values():
        node = _in_prompt(state, entry.display_node_id)
        if node is None:
            continue
        finished_ = entry.state == "finished"
        share = 1.0 if finished_ else entry.value / entry.max if entry.max > 0 else 0.0
        shares.setdefault(node, []).append(min(1.0, max(0.0, share)))
        if not finished_:
            current = node
            steps = (entry.value, entry.max) if entry.max > 1 else steps
    # An expanded node counts by the mean of its parts so far; it may still grow, and the bar never goes back.
    done = {**state.done, **{node: sum(parts) / len(parts) for node, parts in shares.items()}}
    state = replace(state, done=done)
    if current is not None and current != state.progress.node:
        state = _node(state, current, now)
    if steps is not None:
        state = replace(state, progress=replace(state.progress, step=int(steps[0]), steps=int(steps[1])))
        if state.stepped is None:
            state = replace(state, stepped=(now, steps[0]))
    return _shown(state, now)


def _in_prompt(state: RunState, node: str | None) -> str | None:
    if node is None or node in state.plan.weights:
        return node
    head = node.split(".", 1)[0]
    return head if head in state.plan.weights else state.progress.node


def _shown(state: RunState, now: float) -> RunState:
    """Bring `Progress` in line with the rest of the state."""
    weights = {node: weight for node, weight in state.plan.weights.items() if node not in state.cached}
    total = sum(weights.values())
    work = sum(weight * state.done.get(node, 0.0) for node, weight in weights.items())
    fraction = min(_BEFORE_THE_END, work / total if total else _BEFORE_THE_END)
    progress = state.progress
    fraction = max(progress.fraction, fraction)
    eta = _eta(state, weights, now)
    return replace(state, progress=replace(progress, fraction=fraction, eta=eta, message=_message(state, now)))


def _eta(state: RunState, weights: Mapping[str, float], now: float) -> float | None:
    """Seconds left: from the pace of the node that counts steps, and what was learned of the others.

    It is given only after two steps, and only where the rest is known or small against the counting node.
    """
    progress, node = state.progress, state.progress.node
    if node is None or state.stepped is None or progress.step is None or progress.steps is None:
        return None
    at, first = state.stepped
    taken = progress.step - first
    if taken < 2 or now <= at:
        return None
    here = (progress.steps - progress.step) * (now - at) / taken
    others = sum(w * (1 - state.done.get(n, 0.0)) for n, w in weights.items() if n != node)
    if state.plan.learned:
        return here + others
    return here if others < 0.5 * weights.get(node, 0.0) else None


def _message(state: RunState, now: float) -> str:
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
