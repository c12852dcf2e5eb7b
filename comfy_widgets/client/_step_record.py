"""The steps of a run of the embedded engine, read from the zip file that it sends."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ._errors import ComfyError, NotAComfyServer

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

    Latents: TypeAlias = npt.NDArray[np.float32]

# All that zip files, arrays and JSON say of bytes that are none.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, KeyError, TypeError, IndexError)
_MOST_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class SceneShare:
    """A scene that the model thinks of at a step, and how much.

    Attributes
    ----------
    share : float
        Its probability, 0 to 1, given the latent and the positive prompt.
    description : str
        In words: "sunset, mountains, lake, red balloon".
    latent : ndarray
        Shape (3, rows, columns), float32.
    scale : float
        ``latent / scale + 0.5`` is the colour.

    Examples
    --------
    >>> record.steps[-1].scenes[0].image.size                         # doctest: +SKIP
    (64, 64)
    """

    share: float
    description: str
    latent: Latents = field(repr=False)
    scale: float = field(repr=False)

    @property
    def image(self) -> Image:
        """The scene as the model has it, one pixel a latent cell."""
        return _image(self.latent, self.scale)


@dataclass(frozen=True, eq=False)
class SamplerStep:
    """One step of a sampler.

    Attributes
    ----------
    node : str
        Id of the sampler's node.
    step : int
        Its number, from 1.
    sigma : float
        Standard deviation of the noise in ``x``.
    evaluations : int
        How often this sampler had asked the model when it made the estimate.
    x : ndarray
        The latent before the step, shape (3, rows, columns), float32.
    estimate : ndarray
        What the model, guided, takes the image for; same shape.
    positive, negative : ndarray or None
        The guesses under both prompts: ``estimate`` is ``negative + cfg * (positive - negative)``. The negative one is
        None where it was not asked (cfg 1).
    scenes : tuple of SceneShare
        What the model thinks of most under the positive prompt, the most probable first; at most six.
    scale : float
        ``latent / scale + 0.5`` is the colour.

    Examples
    --------
    >>> step = record.steps[3]                                        # doctest: +SKIP
    >>> step.sigma, step.image("x"), step.image("estimate")           # doctest: +SKIP
    """

    node: str
    step: int
    sigma: float
    evaluations: int
    x: Latents = field(repr=False)
    estimate: Latents = field(repr=False)
    positive: Latents = field(repr=False)
    negative: Latents | None = field(repr=False)
    scenes: tuple[SceneShare, ...] = field(repr=False)
    scale: float = field(repr=False)

    def image(self, what: Literal["x", "estimate", "positive", "negative"] = "estimate") -> Image:
        """One of the latents as an image, one pixel a cell; what lies beyond black and white is cut off.

        Parameters
        ----------
        what : {"estimate", "x", "positive", "negative"}
            Which one.

        Returns
        -------
        PIL.Image.Image

        Raises
        ------
        ValueError
            The negative prompt was not asked in this run.

        Examples
        --------
        >>> record.steps[0].image("x").size                           # doctest: +SKIP
        (64, 64)
        """
        latent = getattr(self, what)
        if latent is None:
            raise ValueError("With a cfg of 1 the negative prompt is not asked, so this step has no negative guess.")
        return _image(latent, self.scale)


@dataclass(frozen=True, eq=False)
class SamplerRun:
    """What one sampler did.

    Attributes
    ----------
    node, class_type : str
        Its node.
    sampler : str
        Such as "euler".
    cfg : float
        The guidance.
    levels : tuple of float
        The noise levels of the run; one more than it has steps.
    steps : tuple of SamplerStep
        Every step; of a run of very many only every second, or fourth.
    result : ndarray or None
        What it ended on, shape (3, rows, columns), float32; None while it runs.
    complete : bool
        Whether it reached its end.
    scale : float
        ``latent / scale + 0.5`` is the colour.

    Examples
    --------
    >>> client.step_record(job).runs[0].sampler                       # doctest: +SKIP
    'euler'
    """

    node: str
    class_type: str
    sampler: str
    cfg: float
    levels: tuple[float, ...] = field(repr=False)
    steps: tuple[SamplerStep, ...] = field(repr=False)
    result: Latents | None = field(repr=False)
    complete: bool
    scale: float = field(repr=False)

    @property
    def image(self) -> Image | None:
        """What it ended on, one pixel a cell, before the VAE adds detail; None while it runs."""
        return None if self.result is None else _image(self.result, self.scale)


@dataclass(frozen=True, eq=False)
class StepRecord:
    """The steps of all samplers of one job; see `ComfyClient.step_record`.

    Attributes
    ----------
    prompt_id : str
        Of the job.
    runs : tuple of SamplerRun
        One for each sampler that ran, in that order.

    Examples
    --------
    >>> job = client.submit(example(), steps=2)
    >>> record = client.step_record(job.wait())
    >>> len(record.steps), record.steps[0].estimate.shape[0]
    (2, 3)
    """

    prompt_id: str
    runs: tuple[SamplerRun, ...]

    @cached_property
    def steps(self) -> tuple[SamplerStep, ...]:
        """The steps of all samplers, one after the other."""
        return tuple(step for run in self.runs for step in run.steps)

    def __len__(self) -> int:
        return len(self.steps)


def _image(latent: Latents, scale: float) -> Image:
    import numpy as np
    from PIL.Image import fromarray

    colours = np.clip(latent.transpose(1, 2, 0) / scale + 0.5, 0.0, 1.0)
    return fromarray((colours * 255 + 0.5).astype(np.uint8))


def unpack(content: bytes) -> StepRecord:
    """Read a zip file of steps.

    Raises
    ------
    ComfyError
        numpy is not installed.
    NotAComfyServer
        It is no such file.
    """
    try:
        import numpy as np
    except ImportError as error:
        raise ComfyError(
            "Reading the steps of a run needs numpy. Install it with: pip install 'comfy_widgets[engine]'"
        ) from error
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            if sum(item.file_size for item in file.infolist()) > _MOST_BYTES:
                raise ValueError("too large")
            arrays = {
                item.filename.removesuffix(".npy"): np.load(io.BytesIO(file.read(item)), allow_pickle=False).astype(
                    np.float32
                )
                for item in file.infolist()
                if item.filename.endswith(".npy")
            }
            facts = json.loads(file.read("steps.json"))
        scale = float(facts["scale"])
        runs = tuple(_run(run, f"{number}/", arrays, scale) for number, run in enumerate(facts["runs"]))
        return StepRecord(str(facts["prompt_id"]), runs)
    except _DAMAGE as error:
        raise NotAComfyServer(f"The steps of a run came in a form that cannot be read: {error}") from error


def _run(facts: Mapping[str, Any], folder: str, arrays: Mapping[str, Latents], scale: float) -> SamplerRun:
    node, scenes = str(facts["node"]), arrays.get(f"{folder}scenes")
    negative = arrays.get(f"{folder}negative")
    steps = []
    for place, step in enumerate(facts["steps"]):
        thought_of = tuple(
            SceneShare(float(share), str(facts["scenes"][number]), scenes[number], scale)
            for number, share in step["shares"]
            if scenes is not None
        )
        x, estimate, positive = (arrays[f"{folder}{name}"][place] for name in ("x", "estimate", "positive"))
        steps.append(
            SamplerStep(
                node,
                int(step["step"]),
                float(step["sigma"]),
                int(step["evaluations"]),
                x,
                estimate,
                positive,
                None if negative is None else negative[place],
                thought_of,
                scale,
            )
        )
    return SamplerRun(
        node,
        str(facts["class_type"]),
        str(facts["sampler"]),
        float(facts["cfg"]),
        tuple(float(level) for level in facts["levels"]),
        tuple(steps),
        arrays.get(f"{folder}result"),
        bool(facts["complete"]),
        scale,
    )
