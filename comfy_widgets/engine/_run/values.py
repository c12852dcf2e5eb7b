"""Checks a constant value of a node's input, and converts it."""

from __future__ import annotations

from typing import Any

Error = dict[str, Any]
"""An error of ComfyUI: type, message, details and extra_info."""
_CONVERTERS: dict[str, type] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}
_LISTED_OPTIONS = 20


def error_of(kind: str, message: str, details: str, extra_info: dict[str, Any]) -> Error:
    """Return an error."""
    return {"type": kind, "message": message, "details": details, "extra_info": extra_info}


def value_problem(
    inputs: dict[str, Any], name: str, config: list[Any], options: dict[str, Any], is_checked_by_node: bool
) -> Error | None:
    """Convert a value in place; return what is wrong with it, or None.

    Parameters
    ----------
    inputs, name : dict, str
        The inputs of the node, and which one it is.
    config, options : list, dict
        The input's definition, and its options.
    is_checked_by_node : bool
        Whether the class checks it itself; only its type matters then.
    """
    value, kind = inputs[name], config[0]
    if isinstance(value, dict) and "__value__" in value:
        value = inputs[name] = value["__value__"]
    info = {"input_name": name, "input_config": config, "received_value": value}
    converter = _CONVERTERS.get(kind) if isinstance(kind, str) else None
    if converter is not None:
        try:
            value = inputs[name] = info["received_value"] = converter(value)
        except Exception as error:
            message = f"Failed to convert an input value to a {kind} value"
            info["exception_message"] = str(error)
            return error_of("invalid_input_type", message, f"{name}, {value}, {error}", info)
    if is_checked_by_node:
        return None
    if "min" in options and kind in ("INT", "FLOAT") and value < options["min"]:
        message = f"Value {value} smaller than min of {options['min']}"
        return error_of("value_smaller_than_min", message, name, info)
    if "max" in options and kind in ("INT", "FLOAT") and value > options["max"]:
        message = f"Value {value} bigger than max of {options['max']}"
        return error_of("value_bigger_than_max", message, name, info)
    choices = kind if isinstance(kind, (list, tuple)) else options.get("options", []) if kind == "COMBO" else None
    if choices is None or value in choices:
        return None
    is_long = len(choices) > _LISTED_OPTIONS
    listed = f"(list of length {len(choices)})" if is_long else str(list(choices))
    if is_long:
        info["input_config"] = None
    return error_of("value_not_in_list", "Value not in list", f"{name}: '{value}' not in {listed}", info)
