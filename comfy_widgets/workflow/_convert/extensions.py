"""What the front end's own scripts do for single node classes, beyond what their definitions say.

Each entry was measured with the front end; a class that is not named here follows its definition alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

OLD_PREFIX = "sample_"
_SAMPLERS = frozenset({"KSampler", "KSamplerAdvanced"})
_WITH_3D_VIEW = frozenset({"Preview3D", "SaveGLB"})

#: Buttons that stand in ``widgets_values`` after a widget; they are never needed by the server.
_BUTTONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("Load3D", "model_file"): ("upload3dmodel", "uploadExtraResources", "clear")
}

_SPECIAL = frozenset({"CustomCombo", *_WITH_3D_VIEW, *(class_type for class_type, _ in _BUTTONS)})

#: Classes that run on what only a browser makes: what the front end does, and the types of the widgets it fills.
BROWSER_ONLY: Mapping[str, tuple[str, frozenset[str]]] = {
    "Load3D": ("renders the 3D model", frozenset({"LOAD_3D"})),
    "Load3DAdvanced": ("renders the 3D model", frozenset({"LOAD_3D"})),
    "Load3DAnimation": ("renders the 3D model", frozenset({"LOAD_3D", "LOAD_3D_ANIMATION"})),
    "RecordAudio": ("records audio", frozenset({"AUDIO_RECORD"})),
    "WebcamCapture": ("takes an image with the camera", frozenset({"WEBCAM"})),
}

#: Classes that keep results, or the parts of a composite value, among the widgets.
_SHOWING = frozenset({"PreviewAny", "GetImageSize", "ImageCropV2", "Painter"})

CUSTOM_COMBO = "CustomCombo"


def shows_results(class_type: str) -> bool:
    """Whether what the file holds beyond the node's inputs is only what it shows."""
    return class_type in _SHOWING


def without_old_prefix(class_type: str, name: str, value: Any) -> Any:
    """Take off what the names of samplers once began with."""
    if name == "sampler_name" and class_type in _SAMPLERS and isinstance(value, str):
        return value.removeprefix(OLD_PREFIX)
    return value


def is_special(class_type: str) -> bool:
    """Whether the definition alone does not say which widgets a node has."""
    return class_type in _SPECIAL


def has_3d_view(class_type: str) -> bool:
    """Whether the node has an ``image`` that the definition does not list: its 3D view, sent as ``""``."""
    return class_type in _WITH_3D_VIEW


def button_positions(class_type: str, name: str, following: Sequence[Any]) -> int:
    """How many positions the buttons after a widget take; files older than the buttons have none."""
    buttons = _BUTTONS.get((class_type, name), ())
    present = any(value in buttons for value in following[: len(buttons)] if isinstance(value, str))
    return len(buttons) if present else 0


def custom_combo_options(values: Sequence[Any]) -> dict[str, Any]:
    """The options of a CustomCombo as the front end sends them: as far as they are filled in, and an empty one.

    `values` are those that follow the choice and its index.
    """
    filled: list[Any] = []
    for value in values:
        if not value:
            break
        filled.append(value)
    return {f"option{number}": value for number, value in enumerate([*filled, ""], 1)}


def custom_combo_index(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The place of a CustomCombo's choice among its options, -1 if it is not there; nothing where it has no options."""
    options: list[Any] = []
    while (name := f"option{len(options) + 1}") in inputs:
        options.append(inputs[name])
    if not options or isinstance(inputs.get("index"), list):
        return {}
    choice = inputs.get("choice")
    filled = [option for option in options if option]
    return {"index": filled.index(choice) if choice in filled else -1}


#: Inputs that the front end computes from the others of their node, by class.
COMPUTED: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {CUSTOM_COMBO: custom_combo_index}
