"""Reading `/object_info`: any definition a server was ever seen to send becomes a `NodeSpec`.

Custom nodes write their definitions by hand, so nothing here is trusted to have the type it should have. What cannot be
understood becomes a socket of type ``"*"`` or is left out; nothing raises.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast, get_args

from ._specs_types import (
    Autogrow,
    ControlMode,
    Dynamic,
    DynamicCombo,
    DynamicGroup,
    DynamicSlot,
    InputSpec,
    Kind,
    MatchType,
    NodeSpec,
    OutputSpec,
    Section,
    Variant,
)

#: The types for which the editor has a widget. Everything else can only be linked.
WIDGET_TYPES: frozenset[str] = frozenset(
    (
        "INT", "FLOAT", "BOOLEAN", "STRING", "COMBO", "MARKDOWN", "TEXTAREA", "COLOR", "COLORS", "CURVE", "RANGE",
        "BOUNDING_BOX", "BOUNDING_BOXES", "CHART", "GALLERIA", "PAINTER", "COMPOSITOR", "IMAGECOMPARE", "IMAGEUPLOAD",
        "VIDEO_EDIT", "RESOLUTION_PREVIEW", "LIGHT_INFO_PREVIEW", "COMFY_DYNAMICCOMBO_V3", "COMFY_DYNAMICGROUP_V3",
        "AUDIO_UI", "AUDIOUPLOAD", "AUDIO_RECORD", "LOAD_3D", "LOAD_3D_ADVANCED", "PREVIEW_3D", "WEBCAM",
    )
)  # fmt: skip

_KINDS: Mapping[str, Kind] = {
    "INT": "int",
    "FLOAT": "float",
    "BOOLEAN": "bool",
    "STRING": "string",
    "MARKDOWN": "text",
    "TEXTAREA": "text",
    "COMBO": "choice",
    "COLOR": "color",
    "COMFY_DYNAMICCOMBO_V3": "choice",
}

_UPLOADS = {f"{kind}_upload": kind for kind in ("image", "animated_image", "video", "audio", "mesh", "file")}
_CONTROL_MODES = frozenset(get_args(ControlMode))
_DEFAULT_ROWS = 100
_MAX_DEPTH = 16


def is_widget_type(type_name: str) -> bool:
    """Whether the editor has a widget for the type. ``CAMERA_CONTROL`` alone of its family travels along links."""
    return type_name in WIDGET_TYPES or (type_name.startswith("CAMERA_") and type_name != "CAMERA_CONTROL")


def parse_node(class_type: str, info: object) -> NodeSpec:
    """Parse one entry of `/object_info`."""
    raw = _mapping(info)
    sections = _mapping(raw.get("input"))
    order = _mapping(raw.get("input_order"))
    inputs: list[InputSpec] = []
    names: tuple[Section, ...] = ("required", "optional")
    for section in names:
        inputs += parse_section(sections.get(section), section, order.get(section))
    return NodeSpec(
        class_type=class_type,
        display_name=_text(raw.get("display_name")) or class_type,
        description=_text(raw.get("description")),
        category=_text(raw.get("category")),
        inputs=tuple(inputs),
        outputs=_outputs(raw),
        hidden=tuple(str(name) for name in _mapping(sections.get("hidden"))),
        output_node=bool(raw.get("output_node")),
        deprecated=bool(raw.get("deprecated")),
        experimental=bool(raw.get("experimental")),
        api_node=bool(raw.get("api_node")),
        python_module=_text(raw.get("python_module")),
        raw=raw,
    )


def parse_section(specs: object, section: Section, order: object = None, depth: int = 0) -> list[InputSpec]:
    """Parse ``{name: spec}``, the names in `order` first."""
    table = _mapping(specs)
    listed = [name for name in _sequence(order) if isinstance(name, str) and name in table]
    names = dict.fromkeys([*listed, *table])
    return [parse_input(str(name), table[name], section, depth) for name in names]


def parse_input(name: str, spec: object, section: Section, depth: int = 0) -> InputSpec:
    """Parse one input: ``[type]``, ``[type, options]`` or a bare ``type``."""
    parts = [spec] if isinstance(spec, str) else _sequence(spec)
    declared = parts[0] if parts else "*"
    options = _mapping(parts[1]) if len(parts) > 1 else {}
    type_name = _type_name(declared)
    force_input = bool(options.get("forceInput"))
    widget_type = _text(options.get("widgetType")) or type_name
    # A type of widget that is not ComfyUI's own comes with the front-end script of the pack that declares it.
    is_widget = (is_widget_type(widget_type) or "widgetType" in options) and not force_input
    remote = options.get("remote")
    dynamic = _dynamic(type_name, options, depth)
    # An empty object counts: the front end asks JavaScript whether there is one.
    multiselect = any(options.get(name) not in (None, False, 0, "") for name in ("multiselect", "multi_select"))
    upload = (
        next((kind for key, kind in _UPLOADS.items() if options.get(key)), None) if widget_type == "COMBO" else None
    )
    control = _control(name, widget_type, options)
    return InputSpec(
        name=name,
        section=section,
        type=type_name,
        kind=_kind(widget_type, type_name.split(","), options, multiselect, upload, control) if is_widget else "socket",
        is_widget=is_widget,
        label=_text(options.get("display_name")) or name,
        tooltip=_text(options.get("tooltip")),
        default=options.get("default"),
        min=_number(options.get("min")),
        max=_number(options.get("max")),
        step=_number(options.get("step")),
        round=False if options.get("round") is False else _number(options.get("round")),
        choices=_choices(declared, widget_type, options, dynamic),
        multiline=bool(options.get("multiline")),
        dynamic_prompts=bool(options.get("dynamicPrompts")),
        control_after_generate=control,
        multiselect=multiselect,
        upload=upload,
        remote=remote if isinstance(remote, dict) else None,
        force_input=force_input,
        lazy=bool(options.get("lazy")),
        advanced=bool(options.get("advanced")),
        # A view of results is nothing that a person sets.
        hidden=bool(options.get("hidden")) or widget_type == "IMAGECOMPARE",
        dynamic=dynamic,
        options=options,
    )


def _type_name(declared: object) -> str:
    if isinstance(declared, str):
        return declared or "*"
    return "COMBO" if isinstance(declared, (list, tuple)) else "*"


def _kind(
    widget_type: str,
    types: Sequence[str],
    options: Mapping[str, Any],
    multiselect: bool,
    upload: str | None,
    control: ControlMode | None,
) -> Kind:
    kind = _KINDS.get(widget_type) or ("text" if "STRING" in types else "json")
    if kind == "int" and control:
        return "seed"
    if kind == "string" and options.get("multiline"):
        return "text"
    if kind == "choice" and multiselect:
        return "choices"
    if kind == "choice" and upload in ("image", "animated_image"):
        return "image"
    return kind


def _choices(
    declared: object, widget_type: str, options: Mapping[str, Any], dynamic: Dynamic | None
) -> tuple[Any, ...] | None:
    if isinstance(dynamic, DynamicCombo):
        return tuple(variant.key for variant in dynamic.variants)
    if widget_type != "COMBO":
        return None
    listed = declared if isinstance(declared, (list, tuple)) else options.get("options")
    if isinstance(listed, (list, tuple)):
        return tuple(listed)
    return None if options.get("remote") or options.get("remote_combo") else ()


def _control(name: str, widget_type: str, options: Mapping[str, Any]) -> ControlMode | None:
    """The editor's rule: an explicit setting counts; silence means yes for an INT called seed or noise_seed."""
    if widget_type not in ("INT", "FLOAT", "COMBO"):
        return None
    declared = options.get("control_after_generate")
    if declared is None:
        return "randomize" if widget_type == "INT" and name in ("seed", "noise_seed") else None
    if isinstance(declared, str) and declared in _CONTROL_MODES:
        return cast("ControlMode", declared)
    return "randomize" if declared else None


def _dynamic(type_name: str, options: Mapping[str, Any], depth: int) -> Dynamic | None:
    if not type_name.startswith("COMFY_") or depth >= _MAX_DEPTH:
        return None
    template = _mapping(options.get("template"))
    if type_name == "COMFY_DYNAMICCOMBO_V3":
        variants = (_mapping(option) for option in _sequence(options.get("options")))
        return DynamicCombo(tuple(Variant(v.get("key"), _inner(v.get("inputs"), depth)) for v in variants if v))
    if type_name == "COMFY_AUTOGROW_V3":
        return Autogrow(
            template=_inner(template.get("input"), depth),
            prefix=_text(template.get("prefix")),
            names=tuple(str(name) for name in _sequence(template.get("names"))),
            min=_count(template.get("min"), 0),
            max=_count(template.get("max"), _DEFAULT_ROWS),
        )
    if type_name == "COMFY_MATCHTYPE_V3":
        allowed = template.get("allowed_types")
        return MatchType(_text(template.get("template_id")), _text(allowed) or ",".join(_strings(allowed)) or "*")
    if type_name == "COMFY_DYNAMICSLOT_V3":
        return DynamicSlot(_text(options.get("slotType")) or "*", _inner(options.get("inputs"), depth))
    if type_name == "COMFY_DYNAMICGROUP_V3":
        return DynamicGroup(
            template=_inner(template.get("input") or template, depth),
            min=_count(options.get("min", template.get("min")), 0),
            max=_count(options.get("max", template.get("max")), _DEFAULT_ROWS),
        )
    return None


def _inner(sections: object, depth: int) -> tuple[InputSpec, ...]:
    table = _mapping(sections)
    required = parse_section(table.get("required"), "required", depth=depth + 1)
    return (*required, *parse_section(table.get("optional"), "optional", depth=depth + 1))


def _outputs(raw: Mapping[str, Any]) -> tuple[OutputSpec, ...]:
    names, lists, tooltips, matches = (
        _sequence(raw.get(key)) for key in ("output_name", "output_is_list", "output_tooltips", "output_matchtypes")
    )
    outputs = []
    for index, declared in enumerate(_sequence(raw.get("output"))):
        type_name = _type_name(declared)
        match = _text(_at(matches, index)) or None
        if type_name == "COMFY_MATCHTYPE_V3":
            type_name = "*"
        name = _text(_at(names, index)) or type_name
        outputs.append(OutputSpec(name, type_name, bool(_at(lists, index)), _text(_at(tooltips, index)), match))
    return tuple(outputs)


def _at(items: Sequence[Any], index: int) -> Any:
    return items[index] if index < len(items) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()


def _strings(value: object) -> Iterable[str]:
    return (item for item in _sequence(value) if isinstance(item, str))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def _count(value: object, fallback: int) -> int:
    number = _number(value)
    return fallback if number is None else max(0, min(int(number), 1000))
