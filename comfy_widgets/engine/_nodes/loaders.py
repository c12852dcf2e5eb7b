"""Nodes that load and patch the model. One checkpoint is model, text encoder and VAE at once."""

from __future__ import annotations

from dataclasses import replace
from math import exp
from typing import Any

from .._context import progress, progress_text
from .._model.checkpoints import CHECKPOINTS, Checkpoint, Patch
from .._model.learned_digits import network
from .._model.names import DIGIT_CHECKPOINTS, LORAS
from .._model.vocabulary import understand
from .conditioning import told
from .table import Table

TABLE = Table()


def _loaded(name: str, count: int = 1) -> Any:
    """Return a model as each of so many outputs; for one that is not here the own one, and tell that."""
    if name == DIGIT_CHECKPOINTS[1]:
        network(_training)
    if name in CHECKPOINTS or name in DIGIT_CHECKPOINTS:
        return (Checkpoint(name),) * count
    own = next(iter(CHECKPOINTS))
    return told(
        f"{name} is not here: {own}, the small procedural model of the embedded engine, stands in for it. The images "
        "are not what that model would draw.",
        (Checkpoint(own),) * count,
    )


def _training(done: int, steps: int) -> None:
    if done == 0:
        progress_text("The model of digits is trained, which takes some seconds, once on this machine.")
    progress(done, steps)


@TABLE.node("CheckpointLoaderSimple")
def load_checkpoint(ckpt_name: str) -> Any:
    """Loads the embedded engine's model: procedurally drawn scenes and their exact denoiser."""
    return _loaded(ckpt_name, 3)


@TABLE.node("UNETLoader")
def load_unet(unet_name: str, weight_dtype: str) -> Any:
    """Loads the model that removes noise."""
    return _loaded(unet_name)


@TABLE.node("CLIPLoader")
def load_clip(clip_name: str, type: str, device: str = "default") -> Any:
    """Loads what reads prompts."""
    return _loaded(clip_name)


@TABLE.node("DualCLIPLoader")
def load_clips(clip_name1: str, clip_name2: str, type: str, device: str = "default") -> Any:
    """Loads what reads prompts; the second one is not needed here."""
    return _loaded(clip_name1)


@TABLE.node("VAELoader")
def load_vae(vae_name: str) -> Any:
    """Loads what turns latents into images and back."""
    return _loaded(vae_name)


@TABLE.node("LoraLoader")
def load_lora(model: Checkpoint, clip: Checkpoint, lora_name: str, strength_model: float, strength_clip: float) -> Any:
    """Leans the model towards what the LoRA is about; its text encoder has nothing to learn."""
    return _patched(model, lora_name, strength_model, clip)


@TABLE.node("LoraLoaderModelOnly")
def load_lora_of_model(model: Checkpoint, lora_name: str, strength_model: float) -> Any:
    """Leans the model towards what the LoRA is about."""
    return _patched(model, lora_name, strength_model)


def _patched(model: Checkpoint, name: str, strength: float, *more: Checkpoint) -> Any:
    if strength == 0:
        return model, *more
    if name not in LORAS:
        return told(f"{name} is not here, and changes nothing.", (model, *more))
    if model.name in DIGIT_CHECKPOINTS:
        return told(f"{name} is for models of scenes, and changes nothing in {model.name}.", (model, *more))
    return replace(model, patches=(*model.patches, Patch(understand(LORAS[name]), strength))), *more


@TABLE.node("ModelSamplingSD3", "ModelSamplingAuraFlow")
def shift(model: Checkpoint, shift: float) -> Checkpoint:
    """Shifts the noise levels towards high ones, where the composition is decided."""
    return replace(model, shift=max(shift, 1e-3))


@TABLE.node("ModelSamplingFlux")
def shift_by_size(model: Checkpoint, max_shift: float, base_shift: float, width: int, height: int) -> Checkpoint:
    """Shifts the noise levels, more for large images."""
    # A straight line through base_shift at 256 and max_shift at 4096 tokens of 16 x 16 pixels.
    tokens = width * height / 256
    return replace(model, shift=exp(base_shift + (max_shift - base_shift) * (tokens - 256) / (4096 - 256)))


@TABLE.node("EngineLocalWindow")
def look_through_window(model: Checkpoint, window: float) -> Checkpoint:
    """From memory to imagination: each place decides by what its window shows. ComfyUI has no such node.

    At 1 the window is the whole image, as without this node, and the result is always one of the scenes that the model
    remembers, in a light of its own. Smaller windows put parts of several scenes together.
    """
    if model.name in DIGIT_CHECKPOINTS:
        raise ValueError(f"{model.name} has no window: its images are too small for one. Choose a model of scenes.")
    return replace(model, window=window)


@TABLE.node("CLIPSetLastLayer")
def set_last_layer(clip: Checkpoint, stop_at_clip_layer: int) -> Checkpoint:
    """Changes nothing here: this model's text encoder has no layers."""
    return clip
