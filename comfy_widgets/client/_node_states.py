"""What is known of each node of a job: whether it waits, works or is done, since when and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..protocol import ExecutionError, ExecutionInterrupted, ExecutionSuccess
from ._run_state import RunState
from ._status import JobStatus


class NodeStatus(str, Enum):
    """How a node of a job stands.

    Examples
    --------
    >>> NodeStatus.CACHED == "cached"
    True
    """

    PENDING = "pending"
    RUNNING = "running"
    CACHED = "cached"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class NodeState:
    """How a node of a job stands; a value, replaced whole.

    Attributes
    ----------
    id : str
        Its id in the prompt.
    title : str
        The title that people know it by.
    class_type : str
        Its class.
    status : NodeStatus
        "pending" (also of a node that the run did not need), "running", "cached", "finished", "failed" or "cancelled".
    fraction : float
        How much of it is done, 0 to 1.
    started : float or None
        Seconds after the start of the run at which it began; None where that is not known.
    seconds : float or None
        For how long it has worked; None where that is not known.

    Examples
    --------
    >>> job = client.submit(example(), width=64, height=64, steps=1).wait(60)
    >>> job.nodes["3"].title
    'KSampler'
    """

    id: str
    title: str
    class_type: str
    status: NodeStatus
    fraction: float = 0.0
    started: float | None = None
    seconds: float | None = None


def node_states(state: RunState, elapsed: float | None) -> dict[str, NodeState]:
    """Return how each node of the plan stands, in the order of the prompt.

    Parameters
    ----------
    state : RunState
    elapsed : float or None
        Seconds since the run began, or that it took.
    """
    return {node: _node_state(state, node, elapsed) for node in state.plan.weights}


def _node_state(state: RunState, node: str, elapsed: float | None) -> NodeState:
    status = _status(state, node)
    begun = state.begun.get(node)
    started = max(0.0, begun - state.started) if begun is not None and state.started is not None else None
    seconds = state.durations.get(node)
    if seconds is None and started is not None and elapsed is not None:
        seconds = max(0.0, elapsed - started)
    share = 1.0 if status in (NodeStatus.FINISHED, NodeStatus.CACHED) else state.done.get(node, 0.0)
    plan = state.plan
    return NodeState(node, plan.titles[node], plan.classes[node], status, share, started, seconds)


def _status(state: RunState, node: str) -> NodeStatus:
    if node in state.cached:
        return NodeStatus.CACHED
    ending = state.ending
    if isinstance(ending, (ExecutionError, ExecutionInterrupted)) and (ending.node_id or "").split(".")[0] == node:
        return NodeStatus.FAILED if isinstance(ending, ExecutionError) else NodeStatus.CANCELLED
    if isinstance(ending, ExecutionSuccess) and ending.timestamp is None:
        # It was not heard but found out: what was missed before it is done as well.
        return NodeStatus.FINISHED
    ended = state.status not in (JobStatus.PENDING, JobStatus.IN_PROGRESS)
    if node == state.progress.node and not ended:
        return NodeStatus.RUNNING
    if node in state.durations:
        return NodeStatus.FINISHED
    if isinstance(ending, (ExecutionError, ExecutionInterrupted)) and node in ending.executed:
        # Also the last that was heard of, where what came after it was missed.
        return NodeStatus.FINISHED
    if node == state.progress.node:
        return NodeStatus.CANCELLED
    told = not ended and state.done.get(node) == 1.0
    return NodeStatus.FINISHED if told else NodeStatus.PENDING
