"""Changing a graph: pure functions from a prompt to a new one. Nodes are named by id or by title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..protocol import WorkflowError
from ._param import did_you_mean
from ._prompt import Prompt, copied, is_link, is_number, links, unique_titles, wrap
from ._specs import NodeSpec, NodeSpecs


def find_node(prompt: Prompt, id_or_title: object, specs: NodeSpecs | None = None) -> str:
    """Return the id of the node that an id, a title or a class means.

    Raises
    ------
    WorkflowError
        If there is none, with the nearest titles, or if a class means several.
    """
    wanted = str(id_or_title)
    if wanted in prompt:
        return wanted
    titles = unique_titles(prompt, specs)
    for node_id, title in titles.items():
        if title == wanted:
            return node_id
    alike = [node_id for node_id in titles if prompt[node_id]["class_type"] == wanted]
    if len(alike) == 1:
        return alike[0]
    if alike:
        named = ", ".join(repr(titles[node_id]) for node_id in alike)
        raise WorkflowError(f"Several nodes are of the class {wanted!r}. Name one by its title: {named}.")
    hint = did_you_mean(wanted, titles.values()) or f" There are: {', '.join(list(titles.values())[:12])}."
    raise WorkflowError(f"The workflow has no node {wanted!r}.{hint}")


def free_id(prompt: Prompt) -> str:
    """Return an id that no node has."""
    numbers = [int(node_id) for node_id in prompt if is_number(node_id)]
    return str(max(numbers, default=0) + 1)


def inputs_of_new(
    prompt: Prompt, class_type: str, inputs: Mapping[str, Any], specs: NodeSpecs | None
) -> dict[str, Any]:
    """Read the inputs of a node to be added; a pair of a node and an output is a link."""
    if specs is not None and class_type not in specs:
        raise WorkflowError(f"The server has no node class {class_type!r}.{did_you_mean(class_type, specs)}")
    return {name: linked(prompt, value, specs) for name, value in inputs.items()}


def link_to(prompt: Prompt, to: Any, specs: NodeSpecs | None) -> list[Any] | None:
    """Read what an input is to be connected to: a pair of a node and its output, or None."""
    if to is None:
        return None
    link = linked(prompt, to, specs)
    if not is_link(link):
        raise WorkflowError(f"An input is connected to a pair of a node and its output, not to {to!r:.60}.")
    return link


def add(
    prompt: Prompt,
    node_id: str,
    class_type: str,
    inputs: Mapping[str, Any],
    title: str | None,
    specs: NodeSpecs | None,
) -> Prompt:
    """Add a node with inputs as a prompt has them."""
    changed = copied(prompt)
    node: dict[str, Any] = {"class_type": class_type, "inputs": copied(dict(inputs))}
    if title or specs is not None:
        node["_meta"] = {"title": title or (specs[class_type].display_name if specs is not None else class_type)}
    changed[node_id] = node
    return changed


def remove(prompt: Prompt, node_id: str) -> Prompt:
    """Take a node out, with the links that lead to it."""
    changed = copied(prompt)
    del changed[node_id]
    for node in changed.values():
        node["inputs"] = {
            name: value for name, value in node["inputs"].items() if not (is_link(value) and value[0] == node_id)
        }
    return changed


def rewire(prompt: Prompt, node_id: str, input_name: str, link: list[Any] | None, specs: NodeSpecs | None) -> Prompt:
    """Connect an input to ``[node id, slot]``, or with None take its link away."""
    changed = copied(prompt)
    node = changed[node_id]
    if specs is not None and node["class_type"] in specs:
        spec = specs[node["class_type"]]
        if spec.input(input_name) is None:
            hint = did_you_mean(input_name, [known.name for known in spec.inputs])
            raise WorkflowError(f"{node['class_type']} has no input {input_name!r}.{hint}", node_id=node_id)
    if link is None:
        node["inputs"].pop(input_name, None)
    else:
        node["inputs"][input_name] = list(link)
    return changed


def bypass(prompt: Prompt, node_id: str, specs: NodeSpecs | None) -> Prompt:
    """Take a node out and lead each of its outputs back to the input that fits, as the editor's bypass does.

    An output for which there is none leaves its consumers unconnected.
    """
    node = prompt[node_id]
    if specs is None or node["class_type"] not in specs:
        raise WorkflowError(
            "A bypass follows the types of sockets, so it needs the server's definitions: "
            "workflow.bind(client.object_info()).bypass(...).",
            node_id=node_id,
            class_type=node["class_type"],
        )
    changed = copied(prompt)
    for consumer in changed.values():
        for name, origin, slot in list(links(consumer)):
            if origin != node_id:
                continue
            wanted = specs[consumer["class_type"]].input(name) if consumer["class_type"] in specs else None
            through = _way_through(node, specs[node["class_type"]], slot, wanted.type if wanted is not None else "*")
            if through is None:
                del consumer["inputs"][name]
            else:
                consumer["inputs"][name] = list(through)
    return remove(changed, node_id)


def _way_through(node: dict[str, Any], spec: NodeSpec, slot: int, wanted: str) -> list[Any] | None:
    # The conversion is not loaded before it is needed.
    from ._convert.resolve import compatible

    given = spec.outputs[slot].type if slot < len(spec.outputs) else "*"
    target = given if wanted == "*" else wanted
    typed = [(known.type, node["inputs"].get(known.name)) for known in spec.inputs]
    linked = [(kind, value) for kind, value in typed if is_link(value)]
    exact = [value for kind, value in linked if kind == target]
    fitting = [value for kind, value in linked if compatible(kind, target) and compatible(kind, given)]
    return next(iter([*exact, *fitting]), None)


def linked(prompt: Prompt, value: Any, specs: NodeSpecs | None) -> Any:
    """Turn ``(node, slot)`` into a link; leave any other value as a literal."""
    if not isinstance(value, (tuple, list)) or len(value) != 2 or not isinstance(value[1], (int, str)):
        return wrap(list(value) if isinstance(value, tuple) else value)
    if isinstance(value[1], bool) or not isinstance(value[0], (str, int)):
        return wrap(list(value))
    node_id = find_node(prompt, value[0], specs)
    if isinstance(value[1], int):
        return [node_id, value[1]]
    class_type = prompt[node_id]["class_type"]
    names = [output.name for output in specs[class_type].outputs] if specs is not None and class_type in specs else []
    if value[1] not in names:
        hint = did_you_mean(value[1], names) or (f" It has {', '.join(names)}." if names else "")
        raise WorkflowError(f"{value[0]!r} has no output {value[1]!r} that is known.{hint}", node_id=node_id)
    return [node_id, names.index(value[1])]
