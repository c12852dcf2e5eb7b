"""Checks a posted prompt before it is queued, with ComfyUI's own error types and wording.

The rules and the bodies are those of ComfyUI 0.8.0 or 0.33.0 as seen on the wire.
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Collection, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .._model.names import DIGIT_CHECKPOINTS
from .._nodes.registry import NodeClass, Registry, accepted_arguments, input_specs
from .graph import Prompt, is_link
from .values import Error, error_of, value_problem
from .wire import Wire

_DIGITS_HINT = (
    "The images of this model's digits come with scikit-learn, which is not installed where the engine runs: "
    "pip install 'comfy_widgets[digits]', then start the engine again."
)
_STAND_IN_HINT = (
    "The embedded engine has no other models. With Engine(stand_in=True), or --stand-in on the command line, its own "
    "one stands in for a model of any name, and says so."
)


class PromptRefused(ValueError):
    """The prompt cannot run at all.

    Parameters
    ----------
    kind, message, details, extra_info : str, dict, optional
        The error object of the 400 answer.
    node_errors : dict, optional
        Its node_errors.
    """

    def __init__(
        self, kind: str, message: str, details: str = "", extra_info: dict[str, Any] | None = None,
        node_errors: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.error: Error = {
            "type": kind, "message": message, "details": details, "extra_info": extra_info or {},
        }  # fmt: skip
        self.node_errors = node_errors or {}


class _CycleError(Exception):
    def __init__(self, path: list[str]) -> None:
        super().__init__(" -> ".join(path))
        self.path = path


@dataclass
class _Verdict:
    valid: bool
    errors: list[Error] = field(default_factory=list)


Check: TypeAlias = Generator[str, "_Verdict", "_Verdict"]
"""Yields the nodes that are to be checked before it goes on."""


def validate(
    registry: Registry, prompt: Prompt, wire: Wire, targets: Collection[str] | None = None
) -> tuple[list[str], dict[str, Any]]:
    """Check a prompt and convert its values in place.

    Parameters
    ----------
    registry : Registry
        The known node classes.
    prompt : Prompt
        API format; numbers given as strings become numbers, and so on.
    targets : collection of str, optional
        Only these output nodes; None means all.

    Returns
    -------
    outputs
        The output nodes that can run, in prompt order.
    node_errors
        Errors of those that cannot (and are left out), by node id.

    Raises
    ------
    PromptRefused
        When nothing can run.
    """
    outputs = _output_nodes(registry, prompt, wire, targets)
    if not outputs:
        raise PromptRefused("prompt_no_outputs", "Prompt has no outputs")
    checker = _Checker(registry, prompt, wire)
    good: list[str] = []
    node_errors: dict[str, Any] = {}
    details: list[str] = []
    for output in outputs:
        verdict = checker.output(output)
        if verdict.valid:
            good.append(output)
            continue
        details += [f"{error['message']}: {error['details']}" for error in verdict.errors]
        for node_id, reason in checker.verdicts.items():
            if reason.errors:
                entry = node_errors.setdefault(
                    node_id,
                    {
                        "errors": reason.errors,
                        "dependent_outputs": [],
                        "class_type": prompt[node_id]["class_type"],
                    },
                )
                entry["dependent_outputs"].append(output)
    if not good:
        raise PromptRefused(
            "prompt_outputs_failed_validation", "Prompt outputs failed validation", "\n".join(details), {}, node_errors
        )
    return good, node_errors


def _output_nodes(registry: Registry, prompt: Prompt, wire: Wire, targets: Collection[str] | None) -> list[str]:
    outputs = []
    for node_id, node in prompt.items():
        if "class_type" not in node or node["class_type"] not in registry.classes:
            raise _unknown_class(node_id, node, wire)
        if registry.is_output(node["class_type"]) and (targets is None or node_id in targets):
            outputs.append(node_id)
    return outputs


def _unknown_class(node_id: str, node: dict[str, Any], wire: Wire) -> PromptRefused:
    """Return the refusal of a node without a class that is known here."""
    where = f"Node ID '#{node_id}'"
    if not wire.is_newest:
        missing = "a node is missing the class_type property"
        problem = f"node {node['class_type']} does not exist" if "class_type" in node else missing
        return PromptRefused("invalid_prompt", f"Cannot execute because {problem}.", where)
    # A node that is no object raises here, which answers 500 as there.
    class_type, meta = node.get("class_type"), node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    info = {"node_id": node_id, "class_type": class_type, "node_title": title or class_type}
    if class_type is None:
        problem = (
            f"Node '{title or f'ID #{node_id}'}' has no class_type. The workflow may be corrupted or a custom node"
        )
        return PromptRefused("missing_node_type", f"{problem} is missing.", where, info)
    problem = f"Node '{title or class_type}' not found. The custom node may not be installed."
    return PromptRefused("missing_node_type", problem, where, info)


class _Checker:
    """Checks nodes from the outputs upwards, each once.

    A node is checked by a generator, which yields the nodes above it that are to be checked first, so that a long chain
    of nodes needs no deep stack.
    """

    def __init__(self, registry: Registry, prompt: Prompt, wire: Wire) -> None:
        self._registry = registry
        self._prompt = prompt
        self._wire = wire
        self._path: dict[str, None] = {}
        self.verdicts: dict[str, _Verdict] = {}

    def output(self, node_id: str) -> _Verdict:
        """Check one output node and all above it."""
        try:
            return self._checked(node_id)
        except _CycleError as cycle:
            return self._cycle(cycle)
        except Exception as error:
            verdict = _Verdict(
                False,
                [
                    {
                        "type": "exception_during_validation",
                        "message": "Exception when validating node",
                        "details": str(error),
                        "extra_info": {
                            "exception_type": _type_name(error),
                            "traceback": traceback.format_tb(error.__traceback__),
                        },
                    }
                ],
            )
            self.verdicts[node_id] = verdict
            return verdict
        finally:
            self._path.clear()

    def _cycle(self, cycle: _CycleError) -> _Verdict:
        """Tell of a ring at each node of it; ComfyUI 0.8.0 says nothing."""
        ring = cycle.path[:-1]
        steps = " -> ".join(f"{each} ({self._prompt[each]['class_type']})" for each in cycle.path)
        for node_id in ring if self._wire.is_newest else ():
            info = {"node_id": node_id, "cycle_nodes": ring}
            error = error_of("dependency_cycle", "Dependency cycle detected", steps, info)
            self.verdicts[node_id] = _Verdict(False, [error])
        return _Verdict(False)

    def _checked(self, node_id: str) -> _Verdict:
        """Check one node and all above it."""
        checks = [self._check(node_id)]
        answer: _Verdict | Exception | None = None
        while checks:
            try:
                if isinstance(answer, Exception):
                    above = checks[-1].throw(answer)
                else:
                    above = next(checks[-1]) if answer is None else checks[-1].send(answer)
            except StopIteration as end:
                checks.pop()
                answer = end.value
            except Exception as error:
                checks.pop()
                answer = error
            else:
                checks.append(self._check(above))
                answer = None
        if isinstance(answer, Exception):
            raise answer
        assert answer is not None
        return answer

    def _check(self, node_id: str) -> Check:
        """Check one node; its verdict is kept."""
        if node_id in self._path:
            path = list(self._path)
            raise _CycleError([*path[path.index(node_id) :], node_id])
        if node_id in self.verdicts:
            return self.verdicts[node_id]
        self._path[node_id] = None
        node = self._prompt[node_id]
        cls = self._registry.classes[node["class_type"]]
        verdict = _Verdict(True)
        inputs = node["inputs"]
        own = getattr(cls, "VALIDATE_INPUTS", None)
        own_names, own_takes_all = accepted_arguments(own) if own else (frozenset(), False)
        received_types: dict[str, str] = {}
        for section, name, kind, options in input_specs(cls):
            if name not in inputs:
                if section == "required":
                    verdict.errors.append(
                        error_of("required_input_missing", "Required input is missing", name, {"input_name": name})
                    )
                continue
            config = [kind, options] if options else [kind]
            value = inputs[name]
            if isinstance(value, list):
                yield from self._link(verdict, name, value, config, received_types, "input_types" in own_names)
            else:
                checked_by_node = name in own_names or own_takes_all
                problem = value_problem(inputs, name, config, options, checked_by_node)
                if problem is not None and not self._stands_in(cls, name, problem):
                    verdict.errors.append(problem)
        if own is not None and not verdict.errors:
            self._own(verdict, cls, inputs, own_names, own_takes_all, received_types)
        verdict.valid = verdict.valid and not verdict.errors
        self.verdicts[node_id] = verdict
        del self._path[node_id]
        return verdict

    def _link(
        self, verdict: _Verdict, name: str, value: list[Any], config: list[Any], received: dict[str, str], own: bool
    ) -> Generator[str, _Verdict, None]:
        info = {"input_name": name, "input_config": config}
        if len(value) != 2:
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            verdict.errors.append(error_of("bad_linked_input", message, name, {**info, "received_value": value}))
            return
        source, slot = value
        source_class = self._registry.classes[self._prompt[source]["class_type"]]
        kind = source_class.RETURN_TYPES[slot]
        received[name] = kind
        if not own and not _fits(kind, config[0]):
            details = f"{name}, received_type({kind}) mismatch input_type({config[0]})"
            verdict.errors.append(
                error_of(
                    "return_type_mismatch",
                    "Return type mismatch between linked nodes",
                    details,
                    {**info, "received_type": kind, "linked_node": value},
                )
            )
            return
        try:
            if not (yield source).valid:
                verdict.valid = False
        except _CycleError:
            raise
        except Exception as error:
            self._leave(source)
            verdict.valid = False
            self.verdicts[source] = _Verdict(
                False,
                [
                    error_of(
                        "exception_during_inner_validation",
                        "Exception when validating inner node",
                        str(error),
                        {
                            **info,
                            "exception_message": str(error),
                            "exception_type": _type_name(error),
                            "traceback": traceback.format_tb(error.__traceback__),
                            "linked_node": value,
                        },
                    )
                ],
            )

    def _leave(self, node_id: str) -> None:
        """Take a node and all that was reached from it off the path."""
        while node_id in self._path:
            self._path.popitem()

    def _stands_in(self, cls: NodeClass, name: str, problem: Error) -> bool:
        """Tell whether a model that is not here is taken; where not, say in the error how it could be."""
        if problem["type"] != "value_not_in_list" or name not in getattr(cls, "MODEL_INPUTS", ()):
            return False
        name_given = problem["extra_info"]["received_value"]
        if name_given in DIGIT_CHECKPOINTS:
            problem["extra_info"]["hint"] = _DIGITS_HINT
        elif not self._registry.stand_in:
            problem["extra_info"]["hint"] = _STAND_IN_HINT
        return self._registry.stand_in and isinstance(name_given, str) and bool(name_given)

    def _own(
        self,
        verdict: _Verdict,
        cls: NodeClass,
        inputs: dict[str, Any],
        names: Collection[str],
        takes_all: bool,
        received_types: dict[str, str],
    ) -> None:
        """Call the class's own VALIDATE_INPUTS with the constant values it asks for (links are None to it)."""
        known = [name for _, name, _, _ in input_specs(cls)]
        arguments: dict[str, Any] = {
            name: None if is_link(inputs[name]) else inputs[name]
            for name in known
            if name in inputs and (takes_all or name in names)
        }
        if "input_types" in names:
            arguments["input_types"] = received_types
        answer = cls.VALIDATE_INPUTS(**arguments)
        if inspect.iscoroutine(answer):
            # The server's own event loop runs already in this thread, and there can be one only.
            with ThreadPoolExecutor(1) as thread:
                answer = thread.submit(asyncio.run, answer).result()
        if answer is True:
            return
        for name in arguments:
            details = f"{name} - {answer}" if isinstance(answer, str) else name
            verdict.errors.append(
                error_of("custom_validation_failed", "Custom validation failed for node", details, {"input_name": name})
            )


def _type_name(error: BaseException) -> str:
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _fits(received: object, wanted: object) -> bool:
    """Tell whether an output of one type may go into an input of another: "*" is any, commas make unions."""
    if received == wanted or "*" in (received, wanted):
        return True
    if isinstance(received, str) and isinstance(wanted, str):
        return set(received.split(",")) <= set(wanted.split(","))
    return False
