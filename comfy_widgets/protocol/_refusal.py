"""Why a server refused a prompt, in words that name node title, class and input."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ._text import plain, words

_NO_REASON = "The server gave no reason."
_MISSING_CLASS = ("invalid_prompt", "missing_node_type")


@dataclass(frozen=True)
class NodeProblem:
    """One thing that is wrong with one node.

    Attributes
    ----------
    text : str
        A sentence for people that names node and input.
    node_id, node_title, class_type, input_name : str or None, default None
        Where.
    type : str, default ""
        The server's own name of the problem, such as "value_not_in_list".
    reason : str, default ""
        The text without the node, for a place where the node is plain to see, such as a form's field.
    predicate : str, default ""
        The reason without the input's name too, for a form that calls the input by a label: "is 0, but must be at least
        1." Empty where the reason is not about the input's value.

    Examples
    --------
    >>> problem = NodeProblem("KSampler (node 3): steps is 0.", "3", "KSampler", "KSampler", "steps")
    >>> problem.node_title, problem.input_name
    ('KSampler', 'steps')
    """

    text: str
    node_id: str | None = None
    node_title: str | None = None
    class_type: str | None = None
    input_name: str | None = None
    type: str = ""
    reason: str = ""
    predicate: str = ""


_LONGEST_HINT = 300


@dataclass(frozen=True)
class Refusal:
    """The body of a refused ``POST /prompt``.

    Attributes
    ----------
    type : str
        The server's own name of the reason, such as "prompt_outputs_failed_validation".
    message : str
        What it says.
    details : str, default ""
        More of it.
    extra_info : dict, default {}
        Data for a program.
    node_errors : dict, default {}
        What is wrong, by the id of the node, as the server sent it.

    Examples
    --------
    >>> Refusal.parse({"error": {"type": "no_prompt", "message": "No prompt provided"}}, 400).message
    'No prompt provided'
    """

    type: str
    message: str
    details: str = ""
    extra_info: Mapping[str, Any] = field(default_factory=dict)
    node_errors: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, body: object, status: int) -> Refusal:
        """Read the JSON body.

        Parameters
        ----------
        body : object
            Whatever the JSON was.
        status : int
            The HTTP status.

        Returns
        -------
        Refusal
            What the body lacks stays empty.

        Examples
        --------
        >>> Refusal.parse(None, 502)
        Refusal(type='http_502', message='The server gave no reason.', details='', extra_info={}, node_errors={})
        """
        body = body if isinstance(body, dict) else {}
        error = body.get("error")
        if isinstance(error, str):
            return cls("error", plain(error) or _NO_REASON)
        error = error if isinstance(error, dict) else {}
        info, nodes = error.get("extra_info"), body.get("node_errors")
        return cls(
            words(error.get("type") or body.get("code") or f"http_{status}"),
            plain(words(error.get("message") or body.get("message") or "")) or _NO_REASON,
            plain(words(error.get("details") or "")),
            info if isinstance(info, dict) else {},
            nodes if isinstance(nodes, dict) else {},
        )

    @property
    def needs_definitions(self) -> bool:
        """Whether `problems` says more with the server's node definitions: a class is missing, or choices are left out.

        Examples
        --------
        >>> Refusal("missing_node_type", "Cannot execute because node Blur does not exist.").needs_definitions
        True
        """
        return self.type in _MISSING_CLASS or any(
            error.get("type") == "value_not_in_list" and _listed(info.get("input_config")) is None
            for entry in self.node_errors.values()
            for error, info in _errors(entry)
        )

    def problems(
        self, prompt: Mapping[str, Any], known_classes: Collection[str] | None = None
    ) -> tuple[NodeProblem, ...]:
        """What is wrong, node by node.

        Parameters
        ----------
        prompt : dict
            The prompt that was refused; titles come from its ``_meta``.
        known_classes : collection of str, optional
            The classes the server has; with them, every missing class is named and not just the first. With all of
            ``/object_info``, the choice that is most like a wrong one is named too, where the server leaves its many
            choices out. None by default.

        Returns
        -------
        tuple of NodeProblem
            At least one.

        Examples
        --------
        >>> refusal = Refusal("missing_node_type", "Cannot execute because node Blur does not exist.")
        >>> [problem.text for problem in refusal.problems({"5": {"class_type": "Blur", "inputs": {}}}, {"KSampler"})]
        ["Blur (node 5): the server has no node class 'Blur'; its custom node pack is probably not installed there."]
        """
        definitions = known_classes if isinstance(known_classes, Mapping) else {}
        found = list(node_problems(self.node_errors, prompt, definitions))
        if self.type in _MISSING_CLASS:
            found.extend(self._missing(prompt, known_classes))
        overall = self._overall(prompt)
        return tuple(found) or (NodeProblem(overall, type=self.type, reason=overall),)

    def _missing(self, prompt: Mapping[str, Any], known: Collection[str] | None) -> Iterator[NodeProblem]:
        ids = [key for key, node in prompt.items() if known is not None and _class(node) not in known]
        if not ids:
            named = self.extra_info.get("node_id")
            match = re.search(r"#([^']+)", self.details)
            ids = [words(named)] if named is not None else [match.group(1)] if match else []
        for node_id in ids:
            class_type, title = _class(prompt.get(node_id)), title_of(prompt, node_id)
            reason = (
                f"the server has no node class {class_type!r}; its custom node pack is probably not installed there."
                if class_type
                else "the node has no class_type."
            )
            text = f"{_where(prompt, node_id)}: {reason}"
            yield NodeProblem(text, node_id, title, class_type, None, self.type, reason)

    def _overall(self, prompt: Mapping[str, Any]) -> str:
        if self.type == "prompt_no_outputs":
            return (
                "The workflow has no output node to run. Add one that keeps its result, such as SaveImage or "
                "PreviewImage, and connect it."
            )
        if self.type == "invalid_prompt_id":
            return (
                "The server takes only a lower-case UUID with hyphens as prompt_id, such as str(uuid.uuid4()). Without "
                "one, the client makes it."
            )
        if self.type == "no_prompt":
            return "The server found no prompt in what was sent."
        if self.type == "prompt_outputs_failed_validation" and not self.details:
            # What old servers answer to a cycle: no node is named at all.
            return "The server refused every output and named no node; the nodes probably form a cycle."
        return f"{self.message}: {self.details}" if self.details else self.message


def node_problems(
    node_errors: Mapping[str, Any], prompt: Mapping[str, Any], object_info: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[NodeProblem]:
    """What is wrong, node by node.

    Parameters
    ----------
    node_errors : dict
        Of a reply to ``POST /prompt``.
    prompt : dict
        The prompt that it is about; titles come from its ``_meta``.
    object_info : dict, default {}
        The server's node definitions, for choices that the reply leaves out.

    Yields
    ------
    NodeProblem
        One for each error, in the order of the prompt.

    Examples
    --------
    >>> error = {
    ...     "type": "value_smaller_than_min",
    ...     "extra_info": {"input_name": "steps", "received_value": 0, "input_config": ["INT", {"min": 1}]},
    ... }
    >>> prompt = {"3": {"class_type": "KSampler", "inputs": {"steps": 0}}}
    >>> [problem.text for problem in node_problems({"3": {"errors": [error]}}, prompt)]
    ['KSampler (node 3): steps is 0, but must be at least 1.']
    """
    order = {node_id: rank for rank, node_id in enumerate(prompt)}
    for node_id in sorted(node_errors, key=lambda key: order.get(key, len(order))):
        entry = node_errors[node_id]
        class_type = words(entry.get("class_type") or "") if isinstance(entry, Mapping) else ""
        for error, info in _errors(entry):
            name = info.get("input_name")
            name = name if isinstance(name, str) and name else None
            inputs = prompt[node_id].get("inputs") if isinstance(prompt.get(node_id), Mapping) else None
            if isinstance(inputs, Mapping) and name in inputs and not isinstance(inputs[name], list):
                # A node's own check leaves the value out.
                info = {"received_value": inputs[name], **info}
            known = _known_choices(object_info, _class(prompt.get(node_id)) or class_type, name)
            predicate = plain(_predicate(error, info, known))
            reason = plain(_sentence(error, info, name, predicate))
            text = plain(f"{_where(prompt, node_id, class_type)}: {reason}")
            title, kind = title_of(prompt, node_id) or class_type, words(error.get("type") or "")
            yield NodeProblem(text, node_id, title, class_type or None, name, kind, reason, predicate)


def _errors(entry: object) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The errors of one node, each with its data."""
    errors = entry.get("errors") if isinstance(entry, Mapping) else None
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, Mapping):
            info = error.get("extra_info")
            yield error, info if isinstance(info, Mapping) else {}


def title_of(prompt: Mapping[str, Any], node_id: str) -> str | None:
    """The title a person gave a node, else its class.

    Parameters
    ----------
    prompt : dict
        API format.
    node_id : str
        Its key there.

    Returns
    -------
    str or None
        None where the prompt has no such node, or the node no class.

    Examples
    --------
    >>> title_of({"3": {"class_type": "KSampler", "_meta": {"title": "First pass"}}}, "3")
    'First pass'
    """
    node = prompt.get(node_id)
    if not isinstance(node, Mapping):
        return None
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return title if isinstance(title, str) and title else _class(node)


def _class(node: object) -> str | None:
    value = node.get("class_type") if isinstance(node, Mapping) else None
    return value if isinstance(value, str) and value else None


def _where(prompt: Mapping[str, Any], node_id: str, class_type: str = "") -> str:
    title = title_of(prompt, node_id) or class_type
    class_type = _class(prompt.get(node_id)) or class_type
    named = f"{title} ({class_type}, node {node_id})" if class_type and class_type != title else None
    return named or (f"{title} (node {node_id})" if title else f"Node {node_id}")


def _sentence(error: Mapping[str, Any], info: Mapping[str, Any], name: str | None, predicate: str) -> str:
    kind, details = words(error.get("type") or ""), words(error.get("details") or "")
    if kind == "required_input_missing":
        return f"the input {name or details!r} {predicate}"
    if predicate:
        return f"{name} {predicate}"
    if kind == "dependency_cycle":
        return f"the nodes form a cycle: {details}."
    if kind in ("exception_during_validation", "exception_during_inner_validation"):
        return f"the server failed while checking {name or 'it'} ({details}); a connection may lead to nothing."
    message = words(error.get("message") or kind or "refused")
    return f"{message}: {details}." if details and details not in message else f"{message}."


def _predicate(error: Mapping[str, Any], info: Mapping[str, Any], known: Collection[object]) -> str:
    """What is said of the input, to follow its name."""
    kind, details = words(error.get("type") or ""), words(error.get("details") or "")
    value, config = info.get("received_value"), info.get("input_config")
    options = _options(config)
    if kind == "required_input_missing":
        return "is missing. Give it a value or connect it."
    if kind == "value_smaller_than_min":
        return f"is {_shown(value)}, but must be at least {options.get('min', '?')}."
    if kind == "value_bigger_than_max":
        return f"is {_shown(value)}, but must be at most {options.get('max', '?')}."
    if kind == "value_not_in_list":
        hint = words(info.get("hint") or "")[:_LONGEST_HINT]
        near = _nearest(value, known) if _listed(config) is None else ""
        return " ".join(
            filter(None, (f"is {_shown(value)}, which is not one of {_choices(config, details)}.", near, hint))
        )
    if kind == "invalid_input_type":
        return f"is {_shown(value)}, which cannot be read as {_type(config)}."
    if kind == "return_type_mismatch":
        return f"is connected to an output of type {info.get('received_type')}, but needs {_type(config)}."
    if kind == "bad_linked_input":
        return "holds a list that is no connection; a list as a value must be wrapped as {'__value__': [...]}."
    if kind == "custom_validation_failed" and "received_value" in info:
        if value == "":
            return "is empty; choose something, or give it."
        reason = details.removeprefix(f"{info.get('input_name')} - ").rstrip(".")
        return f"is {_shown(value)}, which the node refuses{f': {reason}' if reason else ''}."
    return ""


def _options(config: object) -> Mapping[str, Any]:
    found = config[1] if isinstance(config, list) and len(config) > 1 else None
    return found if isinstance(found, Mapping) else {}


def _type(config: object) -> str:
    kind = config[0] if isinstance(config, list) and config else None
    return (
        {"INT": "a whole number", "FLOAT": "a number", "BOOLEAN": "true or false"}.get(kind, kind)
        if isinstance(kind, str)
        else "the right type"
    )


def _listed(config: object) -> list[Any] | None:
    first = config[0] if isinstance(config, list) and config else None
    choices = first if isinstance(first, list) else _options(config).get("options")
    return choices if isinstance(choices, list) else None


def _known_choices(object_info: Mapping[str, Any], class_type: str, name: str | None) -> Collection[object]:
    definition = object_info.get(class_type)
    inputs = definition.get("input") if isinstance(definition, Mapping) else None
    for group in inputs.values() if isinstance(inputs, Mapping) else ():
        if isinstance(group, Mapping) and name in group:
            return _listed(group[name]) or ()
    return ()


def _nearest(value: object, choices: Collection[object]) -> str:
    texts = [choice for choice in choices if isinstance(choice, str)]
    near = difflib.get_close_matches(value[:200], texts, 1) if isinstance(value, str) else []
    return f"Did you mean {_shown(near[0])}?" if near else ""


def _choices(config: object, details: str) -> str:
    choices = _listed(config)
    if choices is not None:
        return ", ".join(map(_shown, choices)) or "the server's choices (it has none: a model file may be missing)"
    length = re.search(r"list of length (\d+)", details)
    return f"the server's {length.group(1)} choices" if length else "the server's choices"


def _shown(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        text = "a value nested too deeply"
    return text if len(text) <= 80 else text[:77] + "..."
