"""The nodes that make pictures from noise."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._context import check_interrupted, progress, progress_text
from .._model.names import CHECKPOINT_NAMES, SAMPLER_NAMES, SCHEDULER_NAMES

if TYPE_CHECKING:
    from PIL.Image import Image

    from .._model.arrays import Array
    from .._model.checkpoints import Checkpoint, Latent
    from .._model.vocabulary import Meaning

    Conditioning = list[tuple[Meaning, dict[str, Any]]]
    Inputs = dict[str, dict[str, Any]]

_log = logging.getLogger(__name__)
MAX_RESOLUTION = 16384
_MAX_SIDE = 4096
_MAX_BATCH_PIXELS = 64 * 1024 * 1024
_PREVIEW_SIDE = 512


class CheckpointLoaderSimple:
    """Loads the model."""

    RETURN_TYPES = ("MODEL", "CLIP", "VAE")
    OUTPUT_TOOLTIPS = (
        "Removes noise from latents.",
        "Reads prompts.",
        "Turns pictures into latents and back.",
    )
    FUNCTION = "load_checkpoint"
    CATEGORY = "loaders"
    DESCRIPTION = "Loads the embedded engine's model: procedurally drawn scenes and their exact denoiser."

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"ckpt_name": (list(CHECKPOINT_NAMES), {"tooltip": "Which model to use."})}}

    INPUT_TYPES = inputs

    def load_checkpoint(self, ckpt_name: str) -> tuple[Checkpoint, Checkpoint, Checkpoint]:
        from .._model.checkpoints import Checkpoint

        model = Checkpoint(ckpt_name)
        return model, model, model


class CLIPTextEncode:
    """Reads a prompt."""

    RETURN_TYPES = ("CONDITIONING",)
    OUTPUT_TOOLTIPS = ("What the text asks for.",)
    FUNCTION = "encode"
    CATEGORY = "conditioning"
    DESCRIPTION = (
        "Reads a text: colours, times of day, lands, weather and things such as balloon, boat, house, tree or cat. "
        "Words that the model does not know change nothing."
    )

    @classmethod
    def inputs(cls) -> Inputs:
        return {
            "required": {
                "text": (
                    "STRING",
                    {
                        "multiline": True,
                        "dynamicPrompts": True,
                        "tooltip": "What should (or should not) be in the picture.",
                    },
                ),
                "clip": ("CLIP", {"tooltip": "The model that reads the text."}),
            }
        }

    INPUT_TYPES = inputs

    def encode(self, clip: Checkpoint, text: str) -> tuple[Conditioning] | dict[str, Any]:
        from .._model.vocabulary import told_of_unknown, understand

        meaning = understand(text, check_interrupted)
        result: tuple[Conditioning] = ([(meaning, {})],)
        note = told_of_unknown(meaning)
        if not note:
            return result
        _log.info(note)
        progress_text(note)
        return {"ui": {"text": [note]}, "result": result}


class EmptyLatentImage:
    """Begins a picture."""

    RETURN_TYPES = ("LATENT",)
    OUTPUT_TOOLTIPS = ("Empty latents, ready to be sampled.",)
    FUNCTION = "generate"
    CATEGORY = "latent"
    DESCRIPTION = "Makes a batch of empty latents of a given size."

    @classmethod
    def inputs(cls) -> Inputs:
        side = {"default": 512, "min": 16, "max": MAX_RESOLUTION, "step": 8}
        return {
            "required": {
                "width": ("INT", {**side, "tooltip": "How wide the pictures will be, in pixels."}),
                "height": ("INT", {**side, "tooltip": "How high the pictures will be, in pixels."}),
                "batch_size": ("INT", {"default": 1, "min": 1, "max": 4096, "tooltip": "How many pictures to make."}),
            }
        }

    INPUT_TYPES = inputs

    def generate(self, width: int, height: int, batch_size: int = 1) -> tuple[Latent]:
        from .._model.checkpoints import empty

        if max(width, height) > _MAX_SIDE or width * height * batch_size > _MAX_BATCH_PIXELS:
            raise ValueError(
                f"The embedded engine makes pictures of at most {_MAX_SIDE} pixels a side, 64 megapixels in a batch; "
                f"{batch_size} of {width} x {height} are too much. Choose a smaller size or batch."
            )
        # As in ComfyUI the size is rounded down to whole cells of 8 pixels.
        return (empty(width // 8 * 8, height // 8 * 8, batch_size),)


class KSampler:
    """Samples."""

    RETURN_TYPES = ("LATENT",)
    OUTPUT_TOOLTIPS = ("The latents without the noise.",)
    FUNCTION = "sample"
    CATEGORY = "sampling"
    DESCRIPTION = "Adds noise to the latents and removes it step by step, guided by both prompts."

    @classmethod
    def inputs(cls) -> Inputs:
        return {
            "required": {
                "model": ("MODEL", {"tooltip": "The model that removes the noise."}),
                "seed": (
                    "INT",
                    {
                        "default": 0,
                        "min": 0,
                        "max": 0xFFFFFFFFFFFFFFFF,
                        "control_after_generate": True,
                        "tooltip": "Chooses the noise: the same seed gives the same picture.",
                    },
                ),
                "steps": (
                    "INT",
                    {"default": 20, "min": 1, "max": 10000, "tooltip": "In how many steps the noise goes."},
                ),
                "cfg": (
                    "FLOAT",
                    {
                        "default": 8.0,
                        "min": 0.0,
                        "max": 100.0,
                        "step": 0.1,
                        "round": 0.01,
                        "tooltip": "How firmly to follow the prompt; less leaves more to chance.",
                    },
                ),
                "sampler_name": (list(SAMPLER_NAMES), {"tooltip": "The way from noise to picture."}),
                "scheduler": (list(SCHEDULER_NAMES), {"tooltip": "How the noise falls from step to step."}),
                "positive": ("CONDITIONING", {"tooltip": "What should be in the picture."}),
                "negative": ("CONDITIONING", {"tooltip": "What should not be in it."}),
                "latent_image": ("LATENT", {"tooltip": "Where to begin."}),
                "denoise": (
                    "FLOAT",
                    {
                        "default": 1.0,
                        "min": 0.0,
                        "max": 1.0,
                        "step": 0.01,
                        "tooltip": "How much noise to begin with; below 1 something of the latents remains.",
                    },
                ),
            }
        }

    INPUT_TYPES = inputs

    def sample(
        self,
        model: Checkpoint,
        seed: int,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        positive: Conditioning,
        negative: Conditioning,
        latent_image: Latent,
        denoise: float = 1.0,
    ) -> tuple[Latent]:
        def watch(done: int, preview: Callable[[], Array]) -> None:
            progress(done, steps, lambda: _preview_image(preview(), latent_image.width, latent_image.height))

        return (
            model.sample(
                latent_image,
                positive[0][0],
                negative[0][0],
                seed=seed,
                steps=steps,
                cfg=cfg,
                sampler=sampler_name,
                scheduler=scheduler,
                denoise=denoise,
                watch=watch,
            ),
        )


def _preview_image(cells: Array, width: int, height: int) -> Image:
    """Return a preview of 512 pixels along its longer side, or of the picture's size if that is smaller."""
    import numpy as np
    from PIL import Image

    scale = min(1.0, _PREVIEW_SIDE / max(width, height))
    small = Image.fromarray((cells.transpose(1, 2, 0) * 255 + 0.5).astype(np.uint8))
    return small.resize((max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BICUBIC)


class VAEDecode:
    """From latents to pictures."""

    RETURN_TYPES = ("IMAGE",)
    OUTPUT_TOOLTIPS = ("The pictures.",)
    FUNCTION = "decode"
    CATEGORY = "latent"
    DESCRIPTION = "Turns latents into pictures."

    @classmethod
    def inputs(cls) -> Inputs:
        return {
            "required": {
                "samples": ("LATENT", {"tooltip": "The latents to turn into pictures."}),
                "vae": ("VAE", {"tooltip": "The model that does it."}),
            }
        }

    INPUT_TYPES = inputs

    def decode(self, vae: Checkpoint, samples: Latent) -> tuple[Array]:
        from .._model.checkpoints import decode

        return (decode(samples, before_each=check_interrupted),)


class VAEEncode:
    """From pictures to latents."""

    RETURN_TYPES = ("LATENT",)
    FUNCTION = "encode"
    CATEGORY = "latent"

    @classmethod
    def inputs(cls) -> Inputs:
        return {"required": {"pixels": ("IMAGE",), "vae": ("VAE",)}}

    INPUT_TYPES = inputs

    def encode(self, vae: Checkpoint, pixels: Array) -> tuple[Latent]:
        from .._model.checkpoints import encode

        return (encode(pixels),)
