"""`DiffusionSteps`: what a sampler had, guessed and thought of at each step."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from .._grid import make_grid
from ..client import ComfyClient, Job, StepRecord
from ..errors import ComfyError
from ._base import TeachingWidget, number, webp

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..client import SamplerStep

_SIDE = 256
"""Pixels of the longer side of an exported image."""
_SECONDS_A_STEP = 0.4


class DiffusionSteps(TeachingWidget):
    """A run of the embedded engine, step by step: the noisy latent, the best guess, the noise level, and the scenes.

    A slider goes through the steps, and a button plays them. While the job runs it says so; the steps come when it
    ends.

    Parameters
    ----------
    job : Job or StepRecord
        What `ComfyClient.submit` gave, or what `ComfyClient.step_record` gives.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    step : int
        The step that is shown, from 1; may be set, observed and linked.
    record : StepRecord or None
        The steps; None before they are there.

    Raises
    ------
    TypeError
        It is neither a job nor a record.

    Examples
    --------
    >>> from comfy_widgets import DiffusionSteps
    >>> job = client.submit(example(), steps=4, width=128, height=128).wait()
    >>> steps = DiffusionSteps(job)
    >>> steps.step = 2
    >>> len(steps.record)
    4
    """

    _bundle: ClassVar[str] = "steps"

    step: traitlets.Int[int, Any] = traitlets.Int(1, min=1, help="The step that is shown, from 1.")

    def __init__(self, job: Job | StepRecord, *, layout: Any = None) -> None:
        if not (isinstance(job, StepRecord) or hasattr(job, "add_done_callback")):
            raise TypeError(f"job is {type(job).__name__!r} and must be a job, which client.submit(workflow) gives.")
        super().__init__({"words": "", "caption": "", "step": 1, "steps": []}, layout=layout)
        self.record: StepRecord | None = None
        if isinstance(job, StepRecord):
            self._take_record(job)
        elif job.done():
            self._fetch(job)
        else:
            self._set_state(words="The steps come when the run has ended.")
            job.add_done_callback(self._fetch)

    def sheet(self, cols: int = 4) -> Image:
        """Return all steps as one image: at each the noisy latent, and the best guess beside it.

        Parameters
        ----------
        cols : int, default 4
            Steps in a row.

        Returns
        -------
        PIL image

        Raises
        ------
        ComfyError
            The steps are not there yet.

        Examples
        --------
        >>> from comfy_widgets import DiffusionSteps
        >>> job = client.submit(example(), steps=2, width=128, height=128).wait()
        >>> DiffusionSteps(job).sheet(cols=2).width > 512
        True
        """
        steps = self._steps()
        labels = [f"step {step.step}, sigma {step.sigma:.3g}" for step in steps]
        return make_grid([_pair(step) for step in steps], cols=min(cols, len(steps)), labels=labels)

    def save(self, path: str | Path) -> Path:
        """Write the steps as an animation, the noisy latent and the best guess side by side.

        Parameters
        ----------
        path : str or Path
            Its extension says the format: ".webp", ".gif" or ".png". What is there already is replaced.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ComfyError
            The steps are not there yet.
        ValueError
            The extension is another one.
        OSError
            The file cannot be written.

        Examples
        --------
        >>> from comfy_widgets import DiffusionSteps
        >>> job = client.submit(example(), steps=2, width=128, height=128).wait()
        >>> DiffusionSteps(job).save("steps.gif").stat().st_size > 1000
        True
        """
        path = Path(path)
        form = {".webp": "WEBP", ".gif": "GIF", ".png": "PNG"}.get(path.suffix.lower())
        if form is None:
            raise ValueError(f"{path.name!r} should end in .webp, .gif or .png, the formats of an animation.")
        path.write_bytes(_animation(self._steps(), form))
        return path

    @traitlets.validate("step")
    def _check_step(self, proposal: Any) -> int:
        count = len(self._state.get("steps", ()))
        if count and proposal["value"] > count:
            raise traitlets.TraitError(f"There is no step {proposal['value']}: the run has {count}.")
        return int(proposal["value"])

    @traitlets.observe("step")
    def _on_step(self, _: object) -> None:
        if self._state.get("step") != self.step:
            self._set_state(step=self.step)

    def _steps(self) -> Sequence[SamplerStep]:
        if self.record is None or not self.record.steps:
            raise ComfyError(self._state["words"] or "The run has no steps.")
        return self.record.steps

    def _fetch(self, job: Job) -> None:
        client = job.client
        if not isinstance(client, ComfyClient):
            self._set_state(words="The client of this job is gone; give what its step_record() returns.")
            return
        try:
            self._take_record(client.step_record(job))
        except ComfyError as error:
            self._set_state(words=str(error))

    def _take_record(self, record: StepRecord) -> None:
        self.record = record
        pictures: dict[str, bytes] = {}
        scenes: dict[bytes, str] = {}
        rows = []
        following = [level for run in record.runs for level in _following(run.levels, [s.step for s in run.steps])]
        for index, step in enumerate(record.steps):
            pictures[f"x{index}"] = webp(step.image("x"), quality=80)
            pictures[f"estimate{index}"] = webp(step.image("estimate"))
            shown = []
            for scene in step.scenes:
                key = scene.latent.tobytes()
                name = scenes.get(key)
                if name is None:
                    name = scenes[key] = f"scene{len(scenes)}"
                    pictures[name] = webp(scene.image)
                shown.append({"picture": name, "words": scene.description, "share": round(scene.share, 4)})
            rows.append(
                {"sigma": step.sigma, "next": following[index], "evaluations": step.evaluations, "scenes": shown}
            )
        self._put_pictures(pictures)
        names = dict.fromkeys(f"{run.sampler}, cfg {run.cfg:g}" for run in record.runs)
        words = "" if rows else "Nothing was sampled in this run."
        self._set_state(steps=rows, caption="; ".join(names), words=words, step=min(self.step, max(len(rows), 1)))

    def _changes(self) -> Mapping[str, Callable[[Any], object]]:
        return {"step": self._go, "export": self._export}

    def _go(self, value: Any) -> None:
        self.step = int(number(value, 1, max(len(self._state["steps"]), 1)))

    def _export(self, _: Any) -> None:
        self._send_pictures({"export": _animation(self._steps(), "WEBP")})


def _following(levels: Sequence[float], numbers: Sequence[int]) -> list[float]:
    """Return the noise level that each step leads to."""
    return [float(levels[number]) if number < len(levels) else 0.0 for number in numbers]


def _pair(step: SamplerStep) -> Image:
    """Return the latent of a step and the guess, side by side, large enough to see."""
    from PIL import Image

    x, guess = step.image("x"), step.image("estimate")
    scale = max(1, round(_SIDE / max(x.size)))
    size = (x.width * scale, x.height * scale)
    pair = Image.new("RGB", (2 * size[0] + 4, size[1]), "#808080")
    pair.paste(x.resize(size, Image.Resampling.NEAREST), (0, 0))
    pair.paste(guess.resize(size, Image.Resampling.BICUBIC), (size[0] + 4, 0))
    return pair


def _animation(steps: Sequence[SamplerStep], form: str) -> bytes:
    frames = [_pair(step) for step in steps]
    stream = io.BytesIO()
    durations = [round(_SECONDS_A_STEP * 1000)] * (len(frames) - 1) + [2000]
    frames[0].save(stream, form, save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return stream.getvalue()
