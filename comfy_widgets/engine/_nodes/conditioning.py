"""Nodes that read prompts, and put them together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .._context import check_interrupted, progress_text
from .._model.arrays import Array
from .._model.checkpoints import Checkpoint, Cond, Latent, encode
from .._model.vocabulary import Meaning, blended, joined
from .table import Table

Conditioning = list[Cond]
TABLE = Table()
_log = logging.getLogger(__name__)


@TABLE.node("CLIPTextEncode")
def encode_text(clip: Checkpoint, text: str) -> Any:
    """Reads a prompt: colours, times of day, lands, weather and things such as balloon, boat, house, tree or cat.

    It tells which words the model does not know.
    """
    return read(clip, text)


def read(clip: Checkpoint, *texts: str, guidance: float | None = None) -> tuple[Conditioning] | dict[str, Any]:
    """Return the conditioning that texts ask for together, and tell which words are not known."""
    meaning = joined([clip.understand(text, check_interrupted) for text in dict.fromkeys(texts)])
    result: tuple[Conditioning] = ([Cond(meaning, guidance=guidance)],)
    note = clip.told_of_unknown(meaning)
    return told(note, result) if note else result


def told(note: str, result: tuple[Any, ...]) -> dict[str, Any]:
    """Return the outputs of a node, and tell people something: on the node, in the result and in the log."""
    _log.info(note)
    progress_text(note)
    return {"ui": {"text": [note]}, "result": result}


@TABLE.node("CLIPTextEncodeFlux")
def encode_flux(clip: Checkpoint, clip_l: str, t5xxl: str, guidance: float) -> Any:
    """Reads both texts as one, with a guidance that needs no negative prompt."""
    return read(clip, clip_l, t5xxl, guidance=guidance)


@TABLE.node("CLIPTextEncodeSDXL")
def encode_sdxl(clip: Checkpoint, text_g: str, text_l: str, **sizes: int) -> Any:
    """Reads both texts as one; the sizes change nothing here."""
    return read(clip, text_g, text_l)


@TABLE.node("CLIPTextEncodeSD3")
def encode_sd3(clip: Checkpoint, clip_l: str, clip_g: str, t5xxl: str, empty_padding: str) -> Any:
    """Reads all three texts as one."""
    return read(clip, clip_l, clip_g, t5xxl)


def _each(conditioning: Conditioning, change: Callable[[Cond], Cond]) -> tuple[Conditioning]:
    return ([change(cond) for cond in conditioning],)


@TABLE.node("ConditioningZeroOut")
def zero_out(conditioning: Conditioning) -> tuple[Conditioning]:
    """Asks for nothing: any image of the world."""
    return _each(conditioning, lambda cond: replace(cond, meaning=Meaning(), guidance=None))


@TABLE.node("ConditioningCombine")
def combine(conditioning_1: Conditioning, conditioning_2: Conditioning) -> tuple[Conditioning]:
    """Asks both; their guesses are averaged."""
    return ([*conditioning_1, *conditioning_2],)


@TABLE.node("ConditioningConcat")
def concat(conditioning_to: Conditioning, conditioning_from: Conditioning) -> tuple[Conditioning]:
    """Reads a second text after the first, as if they were one."""
    more = conditioning_from[0].meaning
    return _each(conditioning_to, lambda cond: replace(cond, meaning=joined([cond.meaning, more])))


@TABLE.node("ConditioningAverage")
def average(
    conditioning_to: Conditioning, conditioning_from: Conditioning, conditioning_to_strength: float
) -> tuple[Conditioning]:
    """Blends two texts: at 1 only the first counts, at 0 only the second."""
    other = conditioning_from[0].meaning
    return _each(
        conditioning_to, lambda cond: replace(cond, meaning=blended(cond.meaning, other, conditioning_to_strength))
    )


def _area(x: float, y: float, width: float, height: float) -> Array:
    """Return a mask of 64 x 64 for a rectangle given in shares of the image."""
    mask = np.zeros((1, 64, 64), np.float32)
    top, bottom = round(y * 64), max(round((y + height) * 64), round(y * 64) + 1)
    left, right = round(x * 64), max(round((x + width) * 64), round(x * 64) + 1)
    mask[:, top:bottom, left:right] = 1
    return mask


@TABLE.node("ConditioningSetArea")
def set_area(
    conditioning: Conditioning, width: int, height: int, x: int, y: int, strength: float
) -> tuple[Conditioning]:
    """Lets a prompt count in a rectangle, in pixels."""
    return _each(conditioning, lambda cond: replace(cond, area=(x, y, width, height), strength=strength))


@TABLE.node("ConditioningSetAreaPercentage")
def set_area_by_share(
    conditioning: Conditioning, width: float, height: float, x: float, y: float, strength: float
) -> tuple[Conditioning]:
    """Lets a prompt count in a rectangle, in shares of the image."""
    return _each(conditioning, lambda cond: replace(cond, mask=_area(x, y, width, height), strength=strength))


@TABLE.node("ConditioningSetAreaStrength")
def set_strength(conditioning: Conditioning, strength: float) -> tuple[Conditioning]:
    """Changes how much a prompt counts beside others."""
    return _each(conditioning, lambda cond: replace(cond, strength=strength))


@TABLE.node("ConditioningSetMask")
def set_mask(conditioning: Conditioning, mask: Array, strength: float, set_cond_area: str) -> tuple[Conditioning]:
    """Lets a prompt count where a mask says."""
    return _each(conditioning, lambda cond: replace(cond, mask=mask, strength=strength))


@TABLE.node("ConditioningSetTimestepRange")
def set_range(conditioning: Conditioning, start: float, end: float) -> tuple[Conditioning]:
    """Lets a prompt count in a part of the sampling."""
    return _each(conditioning, lambda cond: replace(cond, start=start, end=end))


@TABLE.node("FluxGuidance")
def set_guidance(conditioning: Conditioning, guidance: float) -> tuple[Conditioning]:
    """Sets a guidance that needs no negative prompt; it counts where cfg is 1."""
    return _each(conditioning, lambda cond: replace(cond, guidance=guidance))


@TABLE.node("InpaintModelConditioning")
def for_inpainting(
    positive: Conditioning, negative: Conditioning, vae: Checkpoint, pixels: Array, mask: Array, noise_mask: bool = True
) -> tuple[Conditioning, Conditioning, Latent]:
    """Encodes an image for inpainting."""
    latent = encode(pixels)
    return positive, negative, replace(latent, mask=mask) if noise_mask else latent
