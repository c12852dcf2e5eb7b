"""What a running node may call: progress, text and the interrupt check.

Nodes run one at a time in one worker thread, so "the run" is a single module-level value; it also works from threads
that a node starts itself. Only functions that are ``async def`` wait beside each other, as tasks that know their node.
Outside a run (a node tried out in a plain script) the calls do nothing.

Examples
--------
A file for ``Engine(custom_nodes=["my_nodes.py"])``::

    from comfy_widgets.engine import progress

    class Slow:
        RETURN_TYPES = ()
        FUNCTION = "run"
        CATEGORY = "test"
        OUTPUT_NODE = True

        @classmethod
        def INPUT_TYPES(cls):
            return {"required": {"steps": ("INT", {"default": 10, "min": 1, "max": 1000})}}

        def run(self, steps):
            for step in range(steps):
                ...
                progress(step + 1, steps)
            return {"ui": {"text": ["done"]}}

    NODE_CLASS_MAPPINGS = {"Slow": Slow}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

    Preview = Image | Callable[[], Image]
    """An image, or a function that makes it: only called when somebody will see it."""


class Interrupted(BaseException):
    """The run was interrupted. Not an `Exception`, so that a node's own ``except Exception`` does not swallow it.

    Examples
    --------
    >>> def run(self, steps):
    ...     try:
    ...         for step in range(steps):
    ...             progress(step + 1, steps)
    ...     except Interrupted:
    ...         print("Cleaning up")
    ...         raise
    >>> run(None, 3)
    """


class ExecutionBlocker:
    """Returned by a node in place of an output: nodes that need this output do not run.

    Parameters
    ----------
    message : str, optional
        Told to the user as an ``execution_error`` of type ``ExecutionBlocked``; None blocks silently.

    Examples
    --------
    >>> class OnlyLarge:
    ...     RETURN_TYPES, FUNCTION, CATEGORY = ("IMAGE",), "run", "image"
    ...
    ...     @classmethod
    ...     def INPUT_TYPES(cls):
    ...         return {"required": {"image": ("IMAGE",)}}
    ...
    ...     def run(self, image):
    ...         return (image if image.shape[1] >= 512 else ExecutionBlocker("The image is too small"),)
    >>> import numpy
    >>> OnlyLarge().run(numpy.zeros((1, 64, 64, 3)))[0].message
    'The image is too small'
    """

    def __init__(self, message: str | None = None) -> None:
        self.message = message


class Run(Protocol):
    """The run in progress, as nodes see it."""

    def progress(self, value: float, maximum: float, preview: Preview | None) -> None: ...
    def progress_text(self, text: str) -> None: ...
    def check_interrupted(self) -> None: ...
    def wants_previews(self) -> bool: ...
    def record_steps(self, facts: Mapping[str, Any]) -> StepRecorder: ...


class StepRecorder(Protocol):
    """Keeps the steps of one run of a sampler."""

    def add(self, step: Any) -> None: ...
    def end(self, result: Any) -> None: ...


@dataclass
class _Call:
    """A call of a node's function, and how many graphs it has made."""

    node_id: str
    index: int
    graphs: int = 0


_run: Run | None = None
_call = _Call("", 0)
_task: ContextVar[_Call | None] = ContextVar("task", default=None)
"""The call of an ``async def`` function, of which several run at once."""


def enter(run: Run | None) -> None:
    """Make `run` the current one (None: none is)."""
    global _run
    _run = run


def enter_call(node_id: str, index: int) -> None:
    """Note which node is called, and the index of the call, from 0."""
    global _call
    _call = _Call(node_id, index)


def enter_task(node_id: str, index: int) -> None:
    """Note the same in the task of an ``async def`` function, for what is called in it."""
    _task.set(_Call(node_id, index))


def node_of_task() -> str | None:
    """Return the node of the ``async def`` function that calls; None where another one does."""
    call = _task.get()
    return None if call is None else call.node_id


def next_graph_prefix() -> str:
    """Return what the ids of the next graph begin with that takes the place of the running node."""
    call = _task.get() or _call
    call.graphs += 1
    return f"{call.node_id}.{call.index}.{call.graphs - 1}."


def progress(value: float, maximum: float, preview: Preview | None = None) -> None:
    """Report the running node's progress, and stop here if the user has interrupted.

    Parameters
    ----------
    value, maximum : float
        Steps done, and steps in all.
    preview : Preview, optional
        A PIL image of what is there so far, or a function that returns it.

    Raises
    ------
    Interrupted
        When the user has interrupted the run; let it pass.

    Examples
    --------
    >>> def run(self, steps):
    ...     for step in range(steps):
    ...         progress(step + 1, steps)
    ...     return {"ui": {"text": ["done"]}}
    >>> run(None, 3)  # outside a run `progress` does nothing
    {'ui': {'text': ['done']}}
    """
    if _run is not None:
        _run.check_interrupted()
        _run.progress(value, maximum, preview)


def progress_text(text: str) -> None:
    """Show a line of text on the running node; outside a run it does nothing.

    Parameters
    ----------
    text : str
        Replaces the one before.

    Examples
    --------
    >>> progress_text("Looking for faces")
    """
    if _run is not None:
        _run.progress_text(text)


def wants_previews() -> bool:
    """Tell whether a sampler shall make previews in this run. Those of custom nodes are sent in any case."""
    return _run is not None and _run.wants_previews()


def record_steps(facts: Mapping[str, Any]) -> StepRecorder | None:
    """Return what keeps the steps of a sampler that is about to run; None outside a run. Not for custom nodes."""
    return None if _run is None else _run.record_steps(facts)


def check_interrupted() -> None:
    """Raise `Interrupted` when the user has interrupted the run; call it in long loops without progress.

    Raises
    ------
    Interrupted
        When the user has interrupted the run; let it pass.

    Examples
    --------
    >>> for row in range(1000):
    ...     check_interrupted()
    """
    if _run is not None:
        _run.check_interrupted()
