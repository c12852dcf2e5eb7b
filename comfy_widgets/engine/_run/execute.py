"""Runs one prompt: nodes in order, results from the cache where they are, errors turned into messages."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from .. import _context as context
from .._nodes.registry import NodeClass, Registry, hidden_inputs
from .cache import Cache, Result, node_keys
from .graph import Order, is_link
from .promptqueue import Item
from .report import Report
from .steps import Recording, StepStore

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
        self._report = report
        self._interrupted = interrupted
        self._steps = steps
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
            node_id = report.node or ""
            data = {"node_id": node_id, "node_type": self._class_type(node_id), "executed": self._executed}
            report.status("execution_interrupted", data, everybody=True)
        except _NodeFailed as failure:
            assert failure.__cause__ is not None
            report.status("execution_error", self._error(failure.node_id, failure.__cause__, failure.inputs))
        except Exception as error:
            report.status("execution_error", self._error(report.node or "", error, {}))
        finally:
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
                node_id: {"node_id": node_id, "display_node": node_id, "parent_node": None, "real_node_id": node_id}
                for node_id in self._ui
            },
        }

    def _class_type(self, node_id: str) -> str:
        node = self._prompt.get(node_id)
        return str(node["class_type"]) if node else ""

    def _run_nodes(self) -> None:
        self._keys = node_keys(self._registry, self._prompt, self._ask_is_changed)
        self._cache.keep_only(self._keys.values())
        self._steps.link(self._item.prompt_id, list(self._keys.values()))
        cached = [node_id for node_id, key in self._keys.items() if self._cache.get(key) is not None]
        self._report.status("execution_cached", {"nodes": cached})
        output_nodes = [
            node_id for node_id, node in self._prompt.items() if self._registry.is_output(node["class_type"])
        ]
        order = Order(self._prompt, self._item.outputs, set(cached), output_nodes)
        while order:
            node_id = order.pick()
            self._run_node(node_id)
            order.finish(node_id)

    def _run_node(self, node_id: str) -> None:
        key = self._keys[node_id]
        result = self._cache.get(key)
        if result is None:
            self._report.start_node(node_id)
            self.check_interrupted()
            self._steps.forget(key)
            result = self._compute(node_id)
            self._cache.put(key, result)
            self._executed.append(node_id)
        if result.ui is not None:
            self._ui[node_id] = result.ui
            self._report.executed(node_id, result.ui)
        self._report.finish_node(node_id)

    def _compute(self, node_id: str) -> Result:
        node = self._prompt[node_id]
        cls = self._registry.classes[node["class_type"]]
        inputs: dict[str, list[Any]] = {}
        try:
            inputs = self._inputs(node_id, cls)
            blocker = next((v for values in inputs.values() for v in values if _blocks(v)), None)
            if blocker is not None:
                if blocker.message is not None:
                    self._report.blocked(node_id, node["class_type"], blocker.message, list(self._executed))
                return Result([[context.ExecutionBlocker()] for _ in cls.RETURN_TYPES], None)
            return _call(cls, {**inputs, **self._hidden(node_id, cls)})
        except context.Interrupted:
            raise
        except BaseException as error:
            # Also SystemExit and the like: a node must not end the worker.
            raise _NodeFailed(node_id, inputs) from error

    def _inputs(self, node_id: str, cls: NodeClass) -> dict[str, list[Any]]:
        """Return each input as a list: a constant alone, or the list that the linked output slot holds."""
        types = cls.INPUT_TYPES()
        known = {**types.get("required", {}), **types.get("optional", {})}
        values: dict[str, list[Any]] = {}
        for name, value in self._prompt[node_id]["inputs"].items():
            if name not in known:
                continue
            if is_link(value):
                source = self._cache.get(self._keys[value[0]])
                assert source is not None
                values[name] = source.outputs[int(value[1])]
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
        node = self._prompt[node_id]
        cls = self._registry.classes[node["class_type"]]
        if not hasattr(cls, "IS_CHANGED"):
            return None
        constants = {
            name: value for name, value in node["inputs"].items() if not is_link(value) and name in _known_inputs(cls)
        }
        try:
            answer = [cls.IS_CHANGED(**constants)]
        except Exception:
            answer = [float("nan")]
        self._is_changed[node_id] = answer
        return answer

    def _error(self, node_id: str, error: BaseException, inputs: dict[str, list[Any]]) -> dict[str, Any]:
        cls = type(error)
        name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
        return {
            "node_id": node_id,
            "node_type": self._class_type(node_id),
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


def _blocks(value: object) -> bool:
    return isinstance(value, context.ExecutionBlocker)


def _shown(value: object) -> Any:
    return value if value is None or isinstance(value, (int, float, bool, str)) else str(value)[:_SHOWN_INPUT]


def _call(cls: NodeClass, inputs: dict[str, list[Any]]) -> Result:
    """Call the node: once for each place of its longest input list, or once with the lists if it wants lists."""
    node = cls()
    function = getattr(node, cls.FUNCTION)
    if getattr(cls, "INPUT_IS_LIST", False):
        answers = [function(**inputs)]
    else:
        rounds = max((len(values) for values in inputs.values()), default=1)
        if rounds == 0:
            return Result([[] for _ in cls.RETURN_TYPES], None)
        answers = [
            function(**{name: values[min(index, len(values) - 1)] for name, values in inputs.items()})
            for index in range(rounds)
        ]
    slots: list[list[Any]] = [[] for _ in cls.RETURN_TYPES]
    is_list = list(getattr(cls, "OUTPUT_IS_LIST", [False] * len(slots)))
    ui: dict[str, list[Any]] | None = None
    for answer in answers:
        result = answer
        if isinstance(answer, dict):
            result = answer.get("result", ())
            if "ui" in answer:
                ui = ui or {}
                for key, values in answer["ui"].items():
                    ui.setdefault(key, []).extend(values)
        if _blocks(result):
            result = (result,) * len(slots)
        for index, value in enumerate(result or ()):
            if is_list[index] and not _blocks(value):
                slots[index].extend(value)
            else:
                slots[index].append(value)
    # What cannot be told to clients is the node's error; in the history it would spoil every later answer.
    json.dumps(ui)
    return Result(slots, ui)
