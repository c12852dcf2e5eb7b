"""`ScheduleEditor`: the noise levels of a run as a curve whose points are dragged."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, ClassVar

import traitlets

from ..errors import WorkflowError
from ..workflow import Workflow
from ._base import TeachingWidget, number
from ._noise import HIGHEST, LOWEST

MAX_STEPS = 100
_SIGMA_MAX, _SIGMA_MIN = 14.614642, 0.0291675
SCHEDULES = ("normal", "karras", "exponential")


class ScheduleEditor(TeachingWidget):
    """The noise levels of a run, to be dragged: where do the steps go?

    Parameters
    ----------
    levels : str or iterable of float, default "karras"
        "normal", "karras" or "exponential"; or falling levels, such as those of `ComfyClient.step_record`.
    steps : int, default 10
        How many steps a named schedule has, 2 to 100.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    levels : tuple of float
        The noise levels, falling, the last of them 0; may be set, observed and linked.

    Raises
    ------
    ValueError
        There is no such schedule, or the levels do not fall.

    Examples
    --------
    >>> from comfy_widgets import ScheduleEditor
    >>> editor = ScheduleEditor("karras", steps=4)
    >>> editor.levels
    (14.6146, 3.1686, 0.4469, 0.0292, 0.0)
    >>> editor.text
    '14.6146, 3.1686, 0.4469, 0.0292, 0.0'
    >>> result = client.run(editor.apply(example()), width=64, height=64)
    >>> len(result.images)
    1
    """

    _bundle: ClassVar[str] = "schedule"

    levels: traitlets.Tuple = traitlets.Tuple(help="The noise levels, falling, the last of them 0.")

    def __init__(self, levels: str | Iterable[float] = "karras", *, steps: int = 10, layout: Any = None) -> None:
        if not 2 <= steps <= MAX_STEPS:
            raise ValueError(f"steps is {steps!r}, but must be 2 to {MAX_STEPS}.")
        begin = named_levels(levels, steps) if isinstance(levels, str) else _checked(levels)
        state = {"levels": list(begin), "lowest": LOWEST, "highest": HIGHEST, "known": _known(len(begin) - 1)}
        super().__init__(state, layout=layout)
        self.levels = begin

    @property
    def text(self) -> str:
        """The levels as ComfyUI's node ManualSigmas takes them."""
        return ", ".join(map(str, self.levels))

    def apply(self, workflow: Any) -> Workflow:
        """Return a workflow whose samplers use these levels, in place of their own scheduler and steps.

        Each KSampler becomes a SamplerCustom with a KSamplerSelect and a ManualSigmas, as one would build it by hand;
        its seed, cfg, sampler and prompts stay.

        Parameters
        ----------
        workflow : Workflow, dict, str, Path or bytes
            Anything that `Workflow.load` takes, in API format or bound to a server.

        Returns
        -------
        Workflow

        Raises
        ------
        WorkflowError
            There is no KSampler in it.

        Examples
        --------
        >>> from comfy_widgets import ScheduleEditor
        >>> prompt = ScheduleEditor("normal", steps=3).apply(example()).to_prompt()
        >>> sorted(node["class_type"] for node in prompt.values() if "Sampler" in node["class_type"])
        ['KSamplerSelect', 'SamplerCustom']
        """
        prompt = Workflow.load(workflow).to_prompt()
        changed: dict[str, Any] = {}
        for node_id, node in prompt.items():
            if node["class_type"] != "KSampler":
                changed[node_id] = node
                continue
            sampler, sigmas = (_free(f"{node_id}_{name}", prompt) for name in ("sampler", "sigmas"))
            changed.update(_custom(node_id, node, sampler, sigmas, self.text))
        if len(changed) == len(prompt):
            raise WorkflowError("The workflow has no KSampler, whose noise levels could be set.")
        return Workflow.load(changed)

    @traitlets.validate("levels")
    def _validate(self, proposal: Any) -> tuple[float, ...]:
        return _checked(proposal["value"])

    @traitlets.observe("levels")
    def _on_levels(self, _: object) -> None:
        levels = list(self.levels)
        if self._state.get("levels") != levels:
            self._set_state(levels=levels, known=_known(len(levels) - 1))

    def _changes(self) -> Mapping[str, Callable[[Any], object]]:
        return {"levels": self._take, "steps": self._resize}

    def _take(self, value: Any) -> None:
        levels = [number(level, 0.0, HIGHEST) for level in list(value)[: MAX_STEPS + 1]]
        self.levels = tuple(levels)

    def _resize(self, value: Any) -> None:
        """Keep the shape of the curve with another number of steps."""
        steps = int(number(value, 2, MAX_STEPS))
        before = [math.log(max(level, LOWEST)) for level in self.levels[:-1]]
        places = [index * (len(before) - 1) / (steps - 1) for index in range(steps)]
        self.levels = tuple([math.exp(_between(before, place)) for place in places] + [0.0])


def named_levels(name: str, steps: int) -> tuple[float, ...]:
    """Return the noise levels of a schedule by its name, for a model with Stable Diffusion's levels."""
    if name not in SCHEDULES:
        raise ValueError(f"There is no schedule {name!r}; there are {', '.join(SCHEDULES)}.")
    shares = [index / (steps - 1) for index in range(steps)]
    if name == "karras":
        low, high = _SIGMA_MIN ** (1 / 7), _SIGMA_MAX ** (1 / 7)
        levels = [(high + share * (low - high)) ** 7 for share in shares]
    elif name == "exponential":
        levels = [_SIGMA_MAX * (_SIGMA_MIN / _SIGMA_MAX) ** share for share in shares]
    else:
        # Even in the model's own time, 999 to 0; ComfyUI's "normal" for a last level of 0.
        table = _training_levels()
        levels = [_at(table, 999 * (1 - share)) for share in shares]
    return _checked([*levels, 0.0])


def _training_levels() -> list[float]:
    """Return the thousand noise levels that Stable Diffusion is trained with."""
    low, high, product = 0.00085**0.5, 0.012**0.5, 1.0
    table = []
    for index in range(1000):
        product *= 1 - (low + (high - low) * index / 999) ** 2
        table.append(math.sqrt((1 - product) / product))
    return table


def _at(table: list[float], time: float) -> float:
    return math.exp(_between([math.log(level) for level in table], time))


def _between(values: list[float], place: float) -> float:
    low = min(int(place), len(values) - 1)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def _known(steps: int) -> list[dict[str, Any]]:
    return [{"name": name, "levels": list(named_levels(name, max(steps, 2)))} for name in SCHEDULES]


def _checked(levels: Iterable[float]) -> tuple[float, ...]:
    rounded = [round(float(level), 4) for level in levels]
    if rounded and rounded[-1] != 0:
        rounded.append(0.0)
    if not 3 <= len(rounded) <= MAX_STEPS + 1:
        raise ValueError(f"There are {max(len(rounded) - 1, 0)} levels, but there must be 2 to {MAX_STEPS}.")
    if any(not math.isfinite(level) for level in rounded) or rounded[0] > HIGHEST + 0.001:
        raise ValueError(f"Levels must be numbers, at most {HIGHEST}.")
    for before, after in pairwise(rounded):
        if after >= before:
            raise ValueError(f"The level {after} follows {before}, but levels must fall.")
    return tuple(rounded)


def _custom(node_id: str, node: Mapping[str, Any], sampler: str, sigmas: str, text: str) -> dict[str, Any]:
    """Return the nodes that take the place of a KSampler."""
    inputs = node["inputs"]
    kept = {name: inputs[name] for name in ("model", "positive", "negative", "latent_image", "cfg") if name in inputs}
    custom = {
        **kept,
        "add_noise": True,
        "noise_seed": inputs.get("seed", 0),
        "sampler": [sampler, 0],
        "sigmas": [sigmas, 0],
    }
    return {
        sampler: {"class_type": "KSamplerSelect", "inputs": {"sampler_name": inputs.get("sampler_name", "euler")}},
        sigmas: {"class_type": "ManualSigmas", "inputs": {"sigmas": text}},
        node_id: {**node, "class_type": "SamplerCustom", "inputs": custom},
    }


def _free(name: str, taken: Mapping[str, Any]) -> str:
    while name in taken:
        name += "_"
    return name
