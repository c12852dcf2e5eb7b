"""Does the embedded model teach the truth? Measures what each knob does, over several noises.

All differences are root mean squares in units of a pixel's values 0..1, and mean something only beside each other: two
seeds of one prompt are the yardstick.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from comfy_widgets.engine._model.checkpoints import LATENT_SCALE, Checkpoint, Cond, Latent, decode, empty, encode
from comfy_widgets.engine._model.names import CHECKPOINT_NAMES, SAMPLER_NAMES
from comfy_widgets.engine._model.sampling import Guide, Start, levels_of_run, sample
from comfy_widgets.engine._model.scenes import FIGURES
from comfy_widgets.engine._model.vocabulary import understand

PROMPT = "a red balloon over blue mountains, sunset"
SEEDS = range(8)


def run(text: str = PROMPT, *, begin: Latent | None = None, side: int = 256, **more: Any) -> Latent:
    """Sample one image; keywords change the usual settings."""
    values = {"seed": 1, "steps": 20, "cfg": 7.0, "sampler": "euler", "denoise": 1.0, "window": 1.0, **more}
    model = Checkpoint(CHECKPOINT_NAMES[0], window=values["window"])
    levels = levels_of_run(model, values["sampler"], "normal", values["steps"], values["denoise"])
    guide = Guide(model, [Cond(understand(text))], (), values["cfg"])
    latent = begin if begin is not None else empty(side, side, 1)
    return sample(guide, latent, Start(values["seed"]), values["sampler"], levels, lambda *_: None)[0]


def rms(one: Any, other: Any) -> float:
    """Return how different two latents are."""
    return float(np.sqrt(np.mean((one.samples - other.samples) ** 2)) / LATENT_SCALE)


def show(what: str, values: dict[str, float]) -> None:
    """Print one line of the table."""
    print(f"{what:34}" + "  ".join(f"{name} {value:.3f}" for name, value in values.items()))


def nearest(latent: Latent) -> tuple[int, float]:
    """Return which scene is nearest, and how far beyond its own variation."""
    assert latent.prior is not None
    distances = latent.prior.denoiser.distances(latent.samples.reshape(1, -1), 0.01)[0]
    away = np.sqrt(distances.min() / latent.samples.size) / LATENT_SCALE
    return int(distances.argmin()), float(away)


def has_house(latent: Latent) -> bool:
    """Tell whether the nearest scene has a house."""
    assert latent.prior is not None
    return bool(latent.prior.scenes.count[nearest(latent)[0], FIGURES.index("house")] > 0)


def seconds(what: Callable[[], object], times: int) -> float:
    """Return the median of the processor's time that something takes."""
    taken = []
    for _ in range(times):
        started = time.process_time()
        what()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def main() -> None:
    """Print the table."""
    plain = [run(seed=seed) for seed in SEEDS]
    seeds = statistics.median(rms(one, other) for one, other in itertools.pairwise(plain))
    show("two seeds", {"rms": seeds})
    for word, other in (("red", "green"), ("balloon", "rocket"), ("blue", "purple")):
        changed = [run(PROMPT.replace(word, other), seed=seed) for seed in SEEDS]
        show(f"{word} -> {other}", {"of two seeds": statistics.median(map(rms, plain, changed)) / seeds})
    sketch = np.empty((1, 256, 256, 3), np.float32)
    sketch[:, :128], sketch[:, 128:] = (0.9, 0.6, 0.3), (0.2, 0.5, 0.2)
    begin = encode(sketch)
    amounts = (0.05, 0.1, 0.3, 0.6, 0.9)
    show("image to image, change at denoise", {str(a): rms(run(begin=begin, denoise=a), begin) for a in amounts})
    limit = run(steps=100, cfg=1.0)
    show("steps, far from 100 of them", {str(n): rms(run(steps=n, cfg=1.0), limit) for n in (1, 2, 4, 8, 20, 50)})
    for steps in (5, 60):
        first = run(steps=steps, cfg=1.0)
        others = [name for name in SAMPLER_NAMES if name in ("heun", "dpm_2", "lms", "dpmpp_2m")]
        show(f"samplers at {steps} steps", {n: rms(run(steps=steps, cfg=1.0, sampler=n), first) for n in others})
    obeyed = {
        str(cfg): sum(has_house(run("a house", cfg=cfg, seed=seed, side=128)) for seed in range(32)) / 32
        for cfg in (0, 1, 2, 4, 7)
    }
    show("a house is there, at cfg", obeyed)
    weighed = {
        str(weight): sum(has_house(run(f"(house:{weight})", cfg=3, seed=seed, side=128)) for seed in range(32)) / 32
        for weight in (0, 0.5, 1, 1.5, 2)
    }
    show("a house is there, at weight", weighed)
    windows = {w: [run(seed=seed, cfg=4.0, window=w) for seed in SEEDS] for w in (1.0, 0.6, 0.3, 0.15)}
    away = {str(w): statistics.median(nearest(one)[1] for one in found) for w, found in windows.items()}
    show("far from any scene, at window", away)
    show("night, mean light at cfg", {str(c): float(run("night", cfg=c).samples.mean()) for c in (1, 4, 7, 15, 30)})
    model = Checkpoint(CHECKPOINT_NAMES[0])
    prior = model.prior([Cond(understand(PROMPT))], 64, 64)
    x = prior.denoiser.basis.to(np.random.default_rng(1).normal(size=(1, 3 * 64 * 64)).astype(np.float32))
    weights = np.full((1, len(prior.denoiser.centres)), 1 / len(prior.denoiser.centres), np.float32)

    def products(count: int = 1) -> None:
        np.repeat(x, count, axis=0) @ prior.denoiser.centres.T
        np.repeat(weights, count, axis=0) @ prior.denoiser.centres

    def step() -> None:
        prior.denoiser.guess(x, 2.0, weights)
        prior.denoiser.scores(x, 2.0)

    show("one step, 64 x 64", {"times its two products": seconds(step, 20) / seconds(products, 20)})
    # Both sides of the guidance are asked at once.
    run(side=512)
    bare, whole = 20 * seconds(lambda: products(2), 20), seconds(lambda: run(side=512), 5)
    show("512 x 512 in 20 steps", {"times the products": whole / bare})
    whole, local = (seconds(lambda w=w: decode(run(side=512, window=w)), 3) for w in (1.0, 0.3))
    show("decoded, with a window of 0.3", {"times one without": local / whole})


if __name__ == "__main__":
    main()
