"""What is known of a job's run, as values: what will run, what has happened, and how far it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..protocol import Event, plain, title_of
from ._status import JobStatus, Phase
from ._steps import Steps


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
    phase : Phase
        "waiting", "running", "cancelling", "fetching" or "ended".
    no_answer_for : float or None
        Seconds since the server was heard last, where it gives no answer; None while it does.
    rate : float or None
        Steps of that node in a second; None before two of them.

    Examples
    --------
    >>> job = client.submit(example(), width=64, height=64, steps=1)
    >>> job.wait(60).progress.fraction
    1.0
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
    phase: Phase = Phase.WAITING
    no_answer_for: float | None = None
    rate: float | None = None


@dataclass(frozen=True)
class Plan:
    """What is known of a job before it runs.

    Attributes
    ----------
    weights : dict
        Node id to the share of the work that the node is thought to be (seconds, where they were learned).
    titles : dict
        Node id to the title people know it by.
    classes : dict
        Node id to the name of its class.
    learned : bool
        Whether the weights are seconds that were measured on this server.
    models : dict
        Node id to the names of the model files that it loads.
    """

    weights: Mapping[str, float]
    titles: Mapping[str, str]
    classes: Mapping[str, str]
    learned: bool = False
    models: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, prompt: Mapping[str, Any], seconds: Callable[[str], float | None] = lambda _: None) -> Plan:
        """Weigh the nodes of a prompt; ``seconds`` tells what a class took before on this server."""
        classes = {node_id: _class_of(node) for node_id, node in prompt.items()}
        known = {node_id: seconds(name) for node_id, name in classes.items()}
        guesses = {node_id: _guess(name) for node_id, name in classes.items()}
        # Guesses have no unit: scale them to the seconds that are known, where some are.
        both = [(value, guesses[node_id]) for node_id, value in known.items() if value is not None]
        scale = sum(v for v, _ in both) / sum(g for _, g in both) if both else 1.0
        weights = {n: max(known_, 1e-3) if (known_ := known[n]) is not None else guesses[n] * scale for n in classes}
        titles = {node_id: title_of(prompt, node_id) or node_id for node_id in prompt}
        models = {node_id: names for node_id, node in prompt.items() if (names := _models_of(node))}
        return cls(weights, titles, classes, bool(classes) and len(both) == len(classes), models)


def _class_of(node: object) -> str:
    # What a server tells of a stranger's prompt may be anything.
    return str(node.get("class_type", "")) if isinstance(node, Mapping) else ""


_MODEL_FILE = re.compile(r"\.(safetensors|sft|ckpt|pth?|bin|gguf|onnx)$", re.IGNORECASE)
_LONGEST_NAME = 60


def _models_of(node: object) -> str:
    """The model files that a node loads, without their folders: "sd15.safetensors"."""
    inputs = node.get("inputs") if isinstance(node, Mapping) else None
    if not isinstance(inputs, Mapping) or "loader" not in _class_of(node).lower():
        return ""
    files = [value for value in inputs.values() if isinstance(value, str) and _MODEL_FILE.search(value)]
    names = plain(" and ".join(re.split(r"[/\\]", file)[-1] for file in files))
    return names if len(names) <= _LONGEST_NAME else f"{names[: _LONGEST_NAME - 1]}…"


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
    stuck_for : float or None
        Seconds since anything moved in the queue that it waits in, where that is long.
    quiet : bool
        Whether nothing was heard of it for a while, although it runs.
    silent_for : float or None
        Seconds since anything was heard of it, where that is so long that the server's worker may be dead.
    cancelling : bool
        Whether its end was asked for.
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
    begun : dict
        Node id to when it first began, by the clock of `started`.
    """

    plan: Plan
    status: JobStatus = JobStatus.PENDING
    done: Mapping[str, float] = field(default_factory=dict)
    cached: frozenset[str] = frozenset()
    total: float = 0.0
    work: float = 0.0
    outputs: Mapping[str, Any] = field(default_factory=dict)
    stuck_for: float | None = None
    quiet: bool = False
    silent_for: float | None = None
    cancelling: bool = False
    ending: Event | None = None
    ended: bool = False
    warnings: tuple[str, ...] = ()
    progress: Progress = field(default_factory=Progress)
    started: float | None = None
    node_started: float | None = None
    stepped: Steps | None = None
    durations: Mapping[str, float] = field(default_factory=dict)
    begun: Mapping[str, float] = field(default_factory=dict)
