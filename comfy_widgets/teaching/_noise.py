"""`NoiseExplorer`: an image under as much noise as a slider says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ._base import TeachingWidget, number, webp

if TYPE_CHECKING:
    from PIL.Image import Image

LOWEST, HIGHEST = 0.0292, 14.6146
"""The noise levels of Stable Diffusion's training, and of the embedded engine."""
MAX_CELLS = 512
SCALE = 0.36
"""The embedded engine's latents are an image's values, minus one half, times this."""


class NoiseExplorer(TeachingWidget):
    """An image under noise; a slider sets how much, from none to as much as a sampler begins with.

    The noise is that of a diffusion model: normally distributed, independent in each cell, added to the latent. It is
    drawn in the browser, so it follows the slider at once. As a sampler does before it asks its model, the sum is
    scaled back to the contrast of an image.

    Parameters
    ----------
    image : PIL image
        Shown as a latent of at most `cells` cells along its longer side.
    sigma : float, default 0.0
        The noise level to begin with: the standard deviation of the noise, 0 to 14.6.
    seed : int, default 0
        Of the noise.
    cells : int, default 64
        1 to 512; by default as many as the engine uses for an image of 512 pixels.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    sigma : float
        The noise level; may be set, observed and linked.

    Raises
    ------
    TraitError
        A noise level is out of range.
    TypeError
        It is no PIL image.
    ValueError
        The image is empty, or `cells` out of range.

    Examples
    --------
    >>> from PIL import Image
    >>> from comfy_widgets import NoiseExplorer
    >>> explorer = NoiseExplorer(Image.new("RGB", (64, 64), "orange"), sigma=0.5)
    >>> explorer.sigma = 2.0
    >>> explorer.noise_share
    0.994
    """

    _bundle: ClassVar[str] = "noise"

    sigma: traitlets.Float[float, Any] = traitlets.Float(0.0, min=0.0, max=HIGHEST, help="The noise level.")

    def __init__(self, image: Image, *, sigma: float = 0.0, seed: int = 0, cells: int = 64, layout: Any = None) -> None:
        if not hasattr(image, "convert"):
            raise TypeError(f"image is {type(image).__name__!r} and must be a PIL image: Image.open(path) gives one.")
        if not image.width or not image.height:
            raise ValueError(f"An image of {image.width} by {image.height} pixels has nothing to show.")
        if not 1 <= cells <= MAX_CELLS:
            raise ValueError(f"cells is {cells!r}, but must be 1 to {MAX_CELLS}.")
        state = {"sigma": sigma, "lowest": LOWEST, "highest": HIGHEST, "scale": SCALE, "seed": seed % 2**32}
        super().__init__(state, layout=layout)
        small = image.convert("RGB")
        small.thumbnail((cells, cells))
        self._deviation = _deviation(small) * SCALE
        self._put_pictures({"image": webp(small, quality=95)})
        self.sigma = sigma

    @property
    def noise_share(self) -> float:
        """How much of the variance of what is seen is noise, 0 to 1."""
        total = self._deviation**2 + self.sigma**2
        return round(self.sigma**2 / total, 3) if total else 0.0

    @traitlets.observe("sigma")
    def _on_sigma(self, _: object) -> None:
        if self._state.get("sigma") != self.sigma:
            self._set_state(sigma=self.sigma)

    def _changes(self) -> Mapping[str, Callable[[Any], object]]:
        return {"sigma": self._take}

    def _take(self, value: Any) -> None:
        self.sigma = number(value, 0.0, HIGHEST)


def _deviation(image: Image) -> float:
    """Return the standard deviation of all values, 0 to 1, of an image."""
    from PIL import ImageStat

    found = ImageStat.Stat(image)
    mean = sum(found.mean) / 3
    return float((sum(v + (m - mean) ** 2 for v, m in zip(found.var, found.mean, strict=True)) / 3) ** 0.5 / 255)
