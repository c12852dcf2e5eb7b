"""Runs one prompt: nodes in order, results from the cache where they are, errors turned into messages."""

from __future__ import annotations

import inspect
import traceback
from asyncio import FIRST_COMPLETED
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import _context as context
from .._nodes.registry import NodeClass, Registry, hidden_inputs, lazy_inputs
from .cache import Cache, node_keys
from .calls import Answers, Values, blocks, collected, each_call, merged
from .expansion import GrowingPrompt
from .graph import Order, ancestors, is_link
from .promptqueue import Item
from .report import Report
from .steps import Recording, StepStore
from .tasks import Tasks, has_ended, results

_SHOWN_INPUT = 2000


class _NodeFailed(Exception):
    """Carries the inputs with which a node failed."""

    def __init__(self, node_id: str, inputs: dict[str, Any]) -> None:
        super().__init__(node_id)
        self.node_id = node_id
        self.inputs = inputs


class _Recorder:
    """Keeps the steps of one sampler in the store."""

    def __init__(self, store: StepStore, recording: Recording) -> None:
        self._store = store
        self._recording = recording

    def add(self, step: Any) -> None:
        self._store.add(self._recording, step)

    def end(self, result: Any) -> None:
        self._store.end(self._recording, result)


class Execution:
    """One run of one prompt.

    Parameters
    ----------
    registry, cache : Registry, Cache
        The node classes, and the results of the run before.
    item : Item
        The prompt.
    report : Report
        Tells the clients.
    interrupted : callable
        Whether the run shall stop.
    steps : StepStore
        Where samplers keep their steps.
    """

    def __init__(
        self,
        registry: Registry,
        cache: Cache,
        item: Item,
        report: Report,
        interrupted: Callable[[], bool],
        steps: StepStore,
    ) -> None:
        self._registry = registry
        self._cache = cache
        self._item = item
        self._prompt = item.prompt
        self._growing = GrowingPrompt(item.prompt)
        self._expanding: dict[str, Answers] = {}
        self._last_inputs: Values = {}
        self._tasks = Tasks(self.check_interrupted)
        self._awaited: dict[str, tuple[Values, list[Any]]] = {}
        self._report = report
        self._interrupted = interrupted
        self._steps = steps
        report.place_of = self._growing.place
        self._executed: list[str] = []
        self._ui: dict[str, dict[str, Any]] = {}
        self._keys: dict[str, str] = {}
        self._is_changed: dict[str, object] = {}

    # The run as a node sees it (context.Run)

    def progress(self, value: float, maximum: float, preview: Any) -> None:
        self._report.progress(value, maximum, preview)

    def progress_text(self, text: str) -> None:
        self._report.progress_text(text)

    def check_interrupted(self) -> None:
        if self._interrupted():
            raise context.Interrupted

    def wants_previews(self) -> bool:
        return self._report.wants_previews

    def record_steps(self, facts: Mapping[str, Any]) -> _Recorder:
        node_id = self._report.node or ""
        recording = Recording(node_id, self._class_type(node_id), facts)
        self._steps.begin(self._item.prompt_id, self._keys.get(node_id, node_id), recording)
        return _Recorder(self._steps, recording)

    # The run

    def run(self) -> dict[str, Any]:
        """Run everything and return the history entry. Whatever a node does, this returns."""
        report = self._report
        report.status("execution_start", {})
        success = False
        context.enter(self)
        try:
            self._run_nodes()
            report.status("execution_success", {})
            success = True
        except context.Interrupted:
            node_id = self._growing.place(report.node or "").real
            data = {"node_id": node_id, "node_type": self._class_type(node_id), "executed": self._executed}
            report.status("execution_interrupted", data, everybody=True)
        except _NodeFailed as failure:
            assert failure.__cause__ is not None
            report.status("execution_error", self._error(failure.node_id, failure.__cause__, failure.inputs))
        except Exception as error:
            report.status("execution_error", self._error(report.node or "", error, {}))
        finally:
            self._tasks.close()
            context.enter(None)
        return {
            "prompt": self._item.wire(),
            "outputs": self._ui,
            "status": {
                "status_str": "success" if success else "error",
                "completed": success,
                "messages": [list(message) for message in report.messages],
            },
            "meta": {
                node_id: {
                    "node_id": node_id,
                    "display_node": place.display,
                    "parent_node": place.parent,
                    "real_node_id": place.real,
                }
                for node_id, place in ((each, self._growing.place(each)) for each in self._ui)
            },
        }

    def _class_type(self, node_id: str) -> str:
        node = self._growing.nodes.get(node_id)
        return str(node["class_type"]) if node else ""

    def _run_nodes(self) -> None:
        self._add_keys(self._prompt)
        self._cache.keep_only(self._keys.values())
        self._steps.link(self._item.prompt_id, list(self._keys.values()))
        cached = [node_id for node_id, key in self._keys.items() if self._cache.get(key) is not None]
        self._report.status("execution_cached", {"nodes": cached})
        self._tell_again(cached)
        nodes = self._growing.nodes
        order = Order(nodes, self._item.outputs, set(cached), self._is_output, self._is_async, self._is_lazy)
        while order:
            self._tasks.turn()
            for each in [each for each, (_, answers) in self._awaited.items() if all(map(has_ended, answers))]:
                order.release(each)
            node_id = order.pick()
            if node_id is None:
                awaited = [task for _, answers in self._awaited.values() for task in answers]
                self._tasks.wait(awaited, until=FIRST_COMPLETED)
                continue
            missing = self._run_node(node_id)
            if node_id in self._awaited:
                order.hold(node_id)
            elif missing:
                order.need(node_id, missing)
            else:
                order.finish(node_id)

    def _tell_again(self, cached: list[str]) -> None:
        """Tell what nodes of the cache had to say, such as unknown words; outputs do that by themselves."""
        above = ancestors(self._prompt, self._item.outputs)
        for node_id in cached:
            result = self._cache.get(self._keys[node_id])
            if result is not None and result.ui is not None and node_id in above and not self._is_output(node_id):
                self._ui[node_id] = result.ui
                self._report.executed(node_id, result.ui)

    def _add_keys(self, nodes: Iterable[str]) -> None:
        """Give cache keys to nodes; those of the prompt have theirs already when it grows."""
        self._keys = node_keys(self._registry, self._growing.nodes, self._ask_is_changed, self._keys, nodes)

    def _class(self, node_id: str) -> NodeClass:
        return self._registry.classes[self._growing.nodes[node_id]["class_type"]]

    def _is_output(self, node_id: str) -> bool:
        return self._registry.is_output(self._growing.nodes[node_id]["class_type"])

    def _is_async(self, node_id: str) -> bool:
        cls = self._class(node_id)
        return inspect.iscoroutinefunction(getattr(cls, cls.FUNCTION, None))

    def _is_lazy(self, node_id: str, name: str) -> bool:
        return name in lazy_inputs(self._class(node_id))

    def _run_node(self, node_id: str) -> list[str]:
        """Run a node, or as much of it as can be; return the nodes that have to run before it goes on."""
        key = self._keys[node_id]
        result = self._cache.get(key)
        if result is None:
            try:
                answers = self._expanding.pop(node_id, None)
                if answers is None:
                    given = self._given(node_id)
                    if given is None:
                        self._report.start_node(node_id)
                        self.check_interrupted()
                        self._steps.forget(key)
                        missing = self._asked_for(node_id)
                        if missing:
                            return missing
                        given = self._begin(node_id)
                        if not all(map(has_ended, given)):
                            self._awaited[node_id] = self._last_inputs, given
                            return []
                    answers = collected(node_id, self._class(node_id), results(given))
                    if answers.graph:
                        return self._expand(node_id, answers)
                result = merged(self._class(node_id), answers, self._output_of)
            except (context.Interrupted, _NodeFailed):
                raise
            except BaseException as error:
                # Also SystemExit and the like: a node must not end the worker.
                raise _NodeFailed(node_id, self._last_inputs) from error
            self._cache.put(key, result)
            self._executed.append(node_id)
        if result.ui is not None:
            self._ui[node_id] = result.ui
            self._report.executed(node_id, result.ui)
        self._report.finish_node(node_id)
        return []

    def _resolved(self, given: list[Any]) -> list[Any]:
        self._tasks.wait(given)
        return results(given)

    def _expand(self, node_id: str, answers: Answers) -> list[str]:
        """Let a graph take the place of a node; return what has to run until the node has its outputs."""
        classes = [node["class_type"] for node in answers.graph.values()]
        unknown = [name for name in classes if name not in self._registry.classes]
        if unknown:
            raise ValueError(f"The graph that takes the place of node {node_id} has an unknown class: {unknown[0]}.")
        self._growing.add(node_id, answers.graph)
        self._add_keys(answers.graph)
        self._expanding[node_id] = answers
        outputs = [each for each in answers.graph if self._is_output(each)]
        # Where all its outputs are there already, it is handed out again at once.
        return [*answers.links(), *outputs] or list(answers.graph)[:1]

    def _output_of(self, node_id: str, slot: int) -> list[Any]:
        source = self._cache.get(self._keys[node_id])
        assert source is not None
        return source.outputs[slot]

    def _asked_for(self, node_id: str) -> list[str]:
        """Return the nodes above that a node asks for by check_lazy_status and that have not run."""
        cls = self._class(node_id)
        if not hasattr(cls, "check_lazy_status"):
            return []
        inputs = self._last_inputs = self._inputs(node_id, cls)
        known = {**inputs, **self._hidden(node_id, cls)}
        wanted = self._resolved(each_call(node_id, cls, cls().check_lazy_status, known, self._tasks))
        names = dict.fromkeys(name for names in wanted if isinstance(names, list) for name in names)
        links = [self._growing.nodes[node_id]["inputs"].get(name) for name in names]
        return [link[0] for link in links if is_link(link) and self._cache.get(self._keys[link[0]]) is None]

    def _given(self, node_id: str) -> list[Any] | None:
        """Return what a node that was awaited has returned; None for one that has not begun."""
        inputs, given = self._awaited.pop(node_id, ({}, None))
        self._last_inputs = inputs
        return given

    def _begin(self, node_id: str) -> list[Any]:
        """Call the function of a node; what it returns may be tasks."""
        cls = self._class(node_id)
        inputs = self._last_inputs = self._inputs(node_id, cls)
        blocker = next((value for values in inputs.values() for value in values if blocks(value)), None)
        if blocker is not None:
            if blocker.message is not None:
                self._report.blocked(node_id, self._class_type(node_id), blocker.message, list(self._executed))
            return [context.ExecutionBlocker()]
        function = getattr(cls(), cls.FUNCTION)
        return each_call(node_id, cls, function, {**inputs, **self._hidden(node_id, cls)}, self._tasks)

    def _inputs(self, node_id: str, cls: NodeClass) -> Values:
        """Return each input as a list: a constant alone, or the list that the linked output slot holds."""
        types = cls.INPUT_TYPES()
        known = {**types.get("required", {}), **types.get("optional", {})}
        values: Values = {}
        for name, value in self._growing.nodes[node_id]["inputs"].items():
            if name not in known:
                continue
            if is_link(value):
                source = self._cache.get(self._keys[value[0]])
                # A lazy input that nobody asked for is None to the node.
                values[name] = [None] if source is None else source.outputs[int(value[1])]
            else:
                values[name] = [value]
        return values

    def _hidden(self, node_id: str, cls: NodeClass) -> dict[str, list[Any]]:
        extra = self._item.extra_data
        # Files carry the prompt as it ran, with what IS_CHANGED said, as ComfyUI's do.
        prompt = {
            key: {**node, "is_changed": self._is_changed[key]} if key in self._is_changed else node
            for key, node in self._prompt.items()
        }
        available: dict[str, Any] = {
            "PROMPT": prompt,
            "EXTRA_PNGINFO": extra.get("extra_pnginfo"),
            "UNIQUE_ID": node_id,
        }
        return {name: [available.get(kind)] for name, kind in hidden_inputs(cls).items()}

    def _ask_is_changed(self, node_id: str) -> object:
        node = self._growing.nodes[node_id]
        cls = self._registry.classes[node["class_type"]]
        if not hasattr(cls, "IS_CHANGED"):
            return None
        constants = {
            name: value for name, value in node["inputs"].items() if not is_link(value) and name in _known_inputs(cls)
        }
        try:
            values = {name: [value] for name, value in constants.items()}
            answer = self._resolved(each_call(node_id, cls, cls.IS_CHANGED, values, self._tasks))
        except Exception:
            answer = [float("nan")]
        self._is_changed[node_id] = answer
        return answer

    def _error(self, node_id: str, error: BaseException, inputs: dict[str, list[Any]]) -> dict[str, Any]:
        cls = type(error)
        name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
        real = self._growing.place(node_id).real
        return {
            "node_id": real,
            "node_type": self._class_type(real),
            "executed": self._executed,
            "exception_message": f"{error}\n",
            "exception_type": name,
            "traceback": traceback.format_tb(error.__traceback__),
            "current_inputs": {name: [_shown(value) for value in values] for name, values in inputs.items()},
            "current_outputs": list(self._prompt),
        }


def _known_inputs(cls: NodeClass) -> set[str]:
    types = cls.INPUT_TYPES()
    return {*types.get("required", {}), *types.get("optional", {})}


def _shown(value: object) -> Any:
    return value if value is None or isinstance(value, (int, float, bool, str)) else str(value)[:_SHOWN_INPUT]
