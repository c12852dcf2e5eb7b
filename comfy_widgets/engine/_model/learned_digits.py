"""A small network that learns to take noise out of digits, in numpy alone.

It is a multilayer perceptron with residual layers under the preconditioning of Karras et al. (2022, "Elucidating the
Design Space of Diffusion-Based Generative Models", table 1): what it learns is the same at every noise level. Some
images come without their class, so that it can be guided (Ho and Salimans 2022), some with a second one, so that it
knows what "three or eight" asks for. Training is Adam (Kingma and Ba 2015) with a moving average of the weights.

Chance is the same on every machine, but sums of products are not to the last bit, and training makes much of little:
two machines learn networks that draw alike, and not the same images of one seed.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from ..._writing import replace_file
from .arrays import Array, Ints
from .digits import CELLS, CLASSES, stored
from .noise import Noise
from .scenes import Dice

Report = Callable[[int, int], None]
"""Called with the steps done and all steps; may raise to stop."""

_PIXELS = CELLS * CELLS
_WIDTH, _WAVES = 256, 8
_STEPS, _BATCH, _RATE, _SEED = 3000, 256, 2e-3, 0xD161
_SPREAD = np.float32(0.75)
"""Standard deviation of a pixel of the digits."""
_MIDDLE, _WIDE = -0.6, 1.4
"""Mean and standard deviation of the logarithms of the noise levels that are learned."""
_NO_CLASS, _TWO_CLASSES = 0.15, 0.15
_SHAPES = (
    (_PIXELS + 2 * _WAVES + CLASSES, _WIDTH), (_WIDTH,),
    (_WIDTH, _WIDTH), (_WIDTH,),
    (_WIDTH, _WIDTH), (_WIDTH,),
    (_WIDTH, _PIXELS), (_PIXELS,),
)  # fmt: skip
_FREQUENCIES = np.exp(np.linspace(np.log(0.25), np.log(8.0), _WAVES)).astype(np.float32)
Weights = list[Array]


@dataclass(frozen=True)
class Perceptron:
    """The learned network: three hidden layers, the last two of them residual.

    Parameters
    ----------
    weights : list of Array
        Matrix and bias of each layer.
    """

    weights: Weights

    def __call__(self, noisy: Array, sigma: float, classes: Array) -> Array:
        """Return what noisy images are taken for.

        Parameters
        ----------
        noisy : Array
            Shape (n, 64), -1 to 1 and noise.
        sigma : float
            The noise level, above 0.
        classes : Array
            How much each digit is asked for, 0 to 1, shape (n, 10); all 0 is any digit.
        """
        sigmas = np.full(len(noisy), sigma, np.float32)
        kept, given = _scales(sigmas)
        result: Array = kept * noisy + given * _forward(self.weights, _inputs(noisy, sigmas, classes))[0]
        return result


def _scales(sigmas: Array) -> tuple[Array, Array]:
    """Return by how much the noisy image counts, and by how much what the network says, columns."""
    variance = sigmas**2 + _SPREAD**2
    return (_SPREAD**2 / variance)[:, None], (sigmas * _SPREAD / np.sqrt(variance))[:, None]


def _inputs(noisy: Array, sigmas: Array, classes: Array) -> Array:
    angles = (np.log(sigmas) / 4)[:, None] * _FREQUENCIES
    scaled = noisy / np.sqrt(sigmas**2 + _SPREAD**2)[:, None]
    return np.concatenate([scaled, np.sin(angles), np.cos(angles), classes], axis=1).astype(np.float32)


def _silu(z: Array) -> tuple[Array, Array]:
    """Return ``z / (1 + exp(-z))`` and its derivative."""
    share = 1 / (1 + np.exp(-z))
    return z * share, share * (1 + z * (1 - share))


def _forward(weights: Weights, inputs: Array) -> tuple[Array, list[tuple[Array, Array]]]:
    """Return the output, and what each hidden layer was given and its derivative."""
    seen = []
    state = inputs
    for layer in range(3):
        active, slope = _silu(state @ weights[2 * layer] + weights[2 * layer + 1])
        seen.append((state, slope))
        state = active if layer == 0 else state + active
    seen.append((state, state))
    return state @ weights[6] + weights[7], seen


def _backward(weights: Weights, seen: list[tuple[Array, Array]], error: Array) -> Weights:
    """Return the gradients of the weights, for the gradient of the output."""
    gradients: Weights = [seen[3][0].T @ error, error.sum(axis=0)]
    back = error @ weights[6].T
    for layer in (2, 1, 0):
        state, slope = seen[layer]
        inner = back * slope
        gradients = [state.T @ inner, inner.sum(axis=0), *gradients]
        if layer:
            back = back + inner @ weights[2 * layer].T
    return gradients


class _Adam:
    """Adam with a rate that rises, then falls as a half cosine, and a moving average of the weights."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.average = [each.copy() for each in weights]
        self._mean = [np.zeros_like(each) for each in weights]
        self._square = [np.zeros_like(each) for each in weights]

    def step(self, number: int, gradients: Weights) -> None:
        rate = _RATE * min(1.0, number / 100) * (0.5 + 0.5 * math.cos(math.pi * number / _STEPS))
        for each, gradient, mean, square, average in zip(
            self.weights, gradients, self._mean, self._square, self.average, strict=True
        ):
            mean += np.float32(0.1) * (gradient - mean)
            square += np.float32(0.01) * (gradient * gradient - square)
            fair_mean, fair_square = mean / (1 - 0.9 ** (number + 1)), square / (1 - 0.99 ** (number + 1))
            each -= np.float32(rate) * (fair_mean / (np.sqrt(fair_square) + np.float32(1e-8))).astype(np.float32)
            average += np.float32(max(0.003, 1 / (number + 1))) * (each - average)


def _first_weights() -> Weights:
    weights: Weights = []
    for number, shape in enumerate(_SHAPES):
        if len(shape) == 1:
            weights.append(np.zeros(shape, np.float32))
        else:
            width = (0.1 if shape[1] == _PIXELS else 1.0) / math.sqrt(shape[0])
            weights.append(Noise(_SEED, 1, shape, stream=number).draw()[0] * np.float32(width))
    return weights


def _classes_of(labels: Ints, dice: Dice) -> Array:
    """Return what is told of the images: mostly their digit, sometimes nothing, sometimes also another digit."""
    count = len(labels)
    classes = np.eye(CLASSES, dtype=np.float32)[labels]
    chance, others = dice.roll(count), dice.among(count, np.arange(CLASSES))
    two = chance > 1 - _TWO_CLASSES
    classes[two, others[two]] = 1
    classes[chance < _NO_CLASS] = 0
    return classes


def train(report: Report) -> Perceptron:
    """Train the network, which takes some seconds.

    Raises
    ------
    ImportError
        scikit-learn, which has the images, is not installed.
    """
    images, labels = stored()
    dice, noise = Dice(_SEED), Noise(_SEED, 1, (_BATCH, _PIXELS + 1), stream=len(_SHAPES))
    adam = _Adam(_first_weights())
    for number in range(_STEPS):
        report(number, _STEPS)
        chosen = dice.among(_BATCH, np.arange(len(images)))
        drawn = noise.draw()[0]
        sigmas = np.exp(_MIDDLE + _WIDE * drawn[:, -1]).astype(np.float32)
        clean, classes = images[chosen], _classes_of(labels[chosen], dice)
        noisy = clean + sigmas[:, None] * drawn[:, :-1]
        kept, given = _scales(sigmas)
        output, seen = _forward(adam.weights, _inputs(noisy, sigmas, classes))
        error = 2 * (output - (clean - kept * noisy) / given) / _BATCH
        adam.step(number, _backward(adam.weights, seen, error.astype(np.float32)))
    report(_STEPS, _STEPS)
    return Perceptron(adam.average)


def _file() -> Path:
    """Return where the network is kept; another one as soon as it would be trained in another way."""
    recipe = (_SHAPES, _STEPS, _BATCH, _RATE, _SEED, float(_SPREAD), _MIDDLE, _WIDE, _NO_CLASS, _TWO_CLASSES)
    key = hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]
    return user_cache_path("comfy_widgets", appauthor=False) / f"digits-{key}.npz"


def _kept(file: Path) -> Perceptron | None:
    """Return the network of a file; None where there is none, or one that cannot be used."""
    # Whatever is wrong with it, training again mends it.
    with suppress(Exception), np.load(file, allow_pickle=False) as kept:
        weights = [kept[f"arr_{number}"] for number in range(len(_SHAPES))]
        if all(w.shape == s and np.isfinite(w).all() for w, s in zip(weights, _SHAPES, strict=True)):
            return Perceptron([each.astype(np.float32) for each in weights])
    return None


_network: list[Perceptron] = []


def network(report: Report) -> Perceptron:
    """Return the trained network; on first use it is trained, and kept among the user's caches.

    Raises
    ------
    ImportError
        It has to be trained, and scikit-learn is not installed.
    """
    if not _network:
        file = _file()
        found = _kept(file)
        if found is None:
            found = train(report)
            with suppress(OSError):
                _keep(file, found)
        _network.append(found)
    return _network[0]


def _keep(file: Path, found: Perceptron) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, *found.weights)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, buffer.getvalue())
