"""Looks of the little world: what a checkpoint makes of painted scenes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .arrays import Array

_WEIGHTS = np.array([0.30, 0.59, 0.11], np.float32)
_INK, _PAPER = (np.array(rgb, np.float32)[:, None, None] for rgb in ((0.13, 0.15, 0.22), (0.97, 0.94, 0.87)))
_STEPS = 4


def _lightness(images: Array) -> Array:
    result: Array = np.einsum("c,nchw->nhw", _WEIGHTS, images)
    return result


def _as_painted(images: Array) -> Array:
    return images


def _ink(images: Array) -> Array:
    """Washes of ink on paper, with the outlines drawn."""
    light = _lightness(images)
    down, across = np.gradient(light, axis=(1, 2)) if min(light.shape[1:]) > 1 else (light * 0, light * 0)
    tone = np.clip((light - 0.5) * 1.25 + 0.58, 0, 1)[:, None]
    lines = np.clip((np.abs(down) + np.abs(across)) * 2.2 - 0.04, 0, 0.75)[:, None]
    result: Array = (_INK + (_PAPER - _INK) * tone * (1 - lines)).astype(np.float32)
    return result


def _poster(images: Array) -> Array:
    """Few, strong colours, as of a printed poster."""
    grey = _lightness(images)[:, None]
    strong = np.clip(grey + (images - grey) * 1.5, 0, 1)
    result: Array = (0.15 * strong + 0.85 * np.rint(strong * _STEPS) / _STEPS).astype(np.float32)
    return result


STYLES: dict[str, Callable[[Array], Array]] = {"painted": _as_painted, "ink": _ink, "poster": _poster}
"""Name -> what changes painted images, shape (n, 3, height, width), 0..1, into that look."""
