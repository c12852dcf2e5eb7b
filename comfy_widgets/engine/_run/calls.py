"""Calls to the function of a node: its inputs spread over calls, its answers put together."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .. import _context as context
from .._nodes.registry import NodeClass
from .cache import Result
from .graph import Prompt, is_link
from .tasks import Tasks

Values = dict[str, list[Any]]
"""Each input as a list: one value for all calls, or one for each."""


@dataclass
class Answers:
    """What the calls of one node gave.

    Parameters
    ----------
    results : list
        The outputs of each call; of one that was expanded they may be links into `graph`.
    expanded : list of bool
        Whether they are.
    graph : Prompt
        The nodes that take the node's place.
    ui : dict, optional
        What it shows.
    """

    results: list[Any] = field(default_factory=list)
    expanded: list[bool] = field(default_factory=list)
    graph: Prompt = field(default_factory=dict)
    ui: dict[str, list[Any]] | None = None

    def links(self) -> list[str]:
        """Return the nodes whose outputs it has."""
        results = [result for result, links in zip(self.results, self.expanded, strict=True) if links]
        return [value[0] for result in results for value in result or () if is_link(value)]


def blocks(value: object) -> bool:
    """Tell whether an output blocks the nodes that need it."""
    return isinstance(value, context.ExecutionBlocker)


def each_call(node_id: str, cls: NodeClass, function: Callable[..., Any], inputs: Values, tasks: Tasks) -> list[Any]:
    """Call a function once for each place of its longest input list, or once with the lists if it wants lists.

    Returns
    -------
    list
        Its answers; of an ``async def`` function, tasks.
    """
    answers = []
    for index, given in enumerate(_spread(cls, inputs)):
        context.enter_call(node_id, index)
        answer = function(**given)
        answers.append(tasks.begin(node_id, index, answer) if inspect.iscoroutine(answer) else answer)
    return answers


def _spread(cls: NodeClass, inputs: Values) -> Iterator[dict[str, Any]]:
    """Yield what each call is given; of a shorter list the last value again, and no call where a list is empty."""
    if getattr(cls, "INPUT_IS_LIST", False):
        yield inputs
    elif all(inputs.values()):
        for index in range(max(map(len, inputs.values()), default=1)):
            yield {name: values[min(index, len(values) - 1)] for name, values in inputs.items()}


def collected(node_id: str, cls: NodeClass, given: Iterable[Any]) -> Answers:
    """Take apart what the calls of the function of a node have returned."""
    answers = Answers()
    for answer in given:
        result, graph = answer, None
        if isinstance(answer, dict):
            result, graph = answer.get("result", ()), answer.get("expand")
            for key, values in answer.get("ui", {}).items():
                answers.ui = answers.ui or {}
                answers.ui.setdefault(key, []).extend(values)
        for name, node_of_graph in (graph or {}).items():
            if name in answers.graph:
                raise ValueError(f"The node {name!r} is twice in the graph that takes the place of node {node_id}.")
            answers.graph[name] = node_of_graph
        answers.results.append((result,) * len(cls.RETURN_TYPES) if blocks(result) else result)
        answers.expanded.append(graph is not None)
    # What cannot be told to clients is the node's error; in the history it would spoil every later answer.
    json.dumps(answers.ui)
    return answers


def merged(cls: NodeClass, answers: Answers, output_of: Callable[[str, int], list[Any]]) -> Result:
    """Put the answers together: one list for each output; `output_of` gives those of another node."""
    slots: list[list[Any]] = [[] for _ in cls.RETURN_TYPES]
    is_list = list(getattr(cls, "OUTPUT_IS_LIST", [False] * len(slots)))
    for result, links in zip(answers.results, answers.expanded, strict=True):
        for index, value in enumerate(result or ()):
            if links and is_link(value):
                slots[index].extend(output_of(value[0], int(value[1])))
            elif is_list[index] and not blocks(value):
                slots[index].extend(value)
            else:
                slots[index].append(value)
    return Result(slots, answers.ui)
