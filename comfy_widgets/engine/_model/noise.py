"""Gaussian noise that is the same on every machine and with every version of numpy.

numpy promises that the raw output of a bit generator never changes; its normal deviates carry no such promise. So the
raw words of Philox (Salmon et al. 2011), keyed by seed and batch index, are turned into normal deviates here (Box and
Muller 1958).
"""

from __future__ import annotations

import numpy as np

from .arrays import Array

_WORD = (1 << 64) - 1


class Noise:
    """An endless stream of noise for a batch; each image of the batch has a stream of its own.

    Parameters
    ----------
    seed : int
        0 to 2**64 - 1.
    batch : int
        How many images.
    shape : tuple of int
        Shape of one image's latent.
    stream : int
        Tells streams of the same seed apart: 0 for the first noise, others for what samplers add.
    """

    def __init__(self, seed: int, batch: int, shape: tuple[int, ...], stream: int = 0) -> None:
        # Philox takes a key of two words: the seed, and which image and stream it is for.
        self._generators = [
            np.random.Philox(key=np.array([seed & _WORD, (stream << 32) | index], np.uint64)) for index in range(batch)
        ]
        self._shape = shape

    def draw(self) -> Array:
        """Return the next noise, shape (batch, *shape), mean 0, standard deviation 1."""
        size = int(np.prod(self._shape))
        rows = [_normal(generator.random_raw(2 * ((size + 1) // 2)))[:size] for generator in self._generators]
        return np.stack(rows).reshape(len(rows), *self._shape).astype(np.float32)


def uniform(words: np.typing.NDArray[np.uint64]) -> Array:
    """Turn raw 64-bit words into numbers in (0, 1]."""
    result: Array = ((words >> np.uint64(11)).astype(np.float64) + 1.0) * 2.0**-53
    return result


def _normal(words: np.typing.NDArray[np.uint64]) -> Array:
    """Turn an even number of words into as many normal deviates."""
    first, second = uniform(words).reshape(2, -1)
    radius = np.sqrt(-2.0 * np.log(first))
    angle = 2.0 * np.pi * second
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
