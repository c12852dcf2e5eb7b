"""Node classes that took the place of older ones, by a server's `/node_replacements`.

A server replaces an old class before it validates a prompt. Here the same is done with a converted prompt, so that a
form, a check and a run all see the class that the server will execute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._specs import NodeSpecs
from .report import Report

Prompt = dict[str, dict[str, Any]]


def replace_classes(prompt: Prompt, specs: NodeSpecs, report: Report | None = None) -> Prompt:
    """Return the prompt as the server would read it; the same one if it replaces nothing.

    Parameters
    ----------
    prompt : dict
        API format; it is not changed.
    specs : NodeSpecs
        The server's definitions, which know its replacements.
    report : Report, optional
        Is told of each node whose class was replaced.
    """
    replaced = {
        node_id: replacement
        for node_id, node in prompt.items()
        if node["class_type"] not in specs and (replacement := specs.replacement(node["class_type"])) is not None
    }
    if not replaced:
        return prompt
    result = {node_id: _replaced(node, replaced.get(node_id)) for node_id, node in prompt.items()}
    outputs = {node_id: _pairs(entry.get("output_mapping")) for node_id, entry in replaced.items()}
    for node_id, node in result.items():
        inputs = {name: _moved(value, outputs) for name, value in node["inputs"].items()}
        result[node_id] = {**node, "inputs": inputs}
    if report is not None:
        for node_id, entry in replaced.items():
            old, new = prompt[node_id]["class_type"], entry["new_node_id"]
            title = prompt[node_id].get("_meta", {}).get("title") or old
            report.add("replaced", f'"{title}" is a {old}, which this server replaces by {new}.', (node_id, title))
    return result


def _replaced(node: Mapping[str, Any], entry: Mapping[str, Any] | None) -> dict[str, Any]:
    if entry is None:
        return dict(node)
    inputs: dict[str, Any] = {}
    for item in entry.get("input_mapping") or ():
        if not isinstance(item, Mapping) or not isinstance(item.get("new_id"), str):
            continue
        if "set_value" in item:
            inputs[item["new_id"]] = item["set_value"]
        elif item.get("old_id") in node["inputs"]:
            inputs[item["new_id"]] = node["inputs"][item["old_id"]]
    return {**node, "class_type": entry["new_node_id"], "inputs": inputs}


def _moved(value: Any, outputs: Mapping[str, Mapping[Any, Any]]) -> Any:
    """A link to a replaced node, to the output that has the old one's place."""
    if isinstance(value, list) and len(value) == 2 and value[0] in outputs:
        return [value[0], outputs[value[0]].get(value[1], value[1])]
    return value


def _pairs(mapping: object) -> dict[Any, Any]:
    """Which output took the place of which."""
    listed = (item for item in mapping if isinstance(item, Mapping)) if isinstance(mapping, list) else ()
    return {item["old_idx"]: item["new_idx"] for item in listed if "old_idx" in item and "new_idx" in item}
