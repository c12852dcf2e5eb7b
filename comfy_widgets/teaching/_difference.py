"""How far two images are apart, in one number."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


def difference(one: Image, other: Image) -> float:
    """Return how far two images of one size are apart: the root of the mean square over all pixels and colours.

    Parameters
    ----------
    one, other : PIL image
        Of the same size; what is transparent in them does not count.

    Returns
    -------
    float
        0 for equal images, 1 for black and white; two seeds of one prompt are about 0.25 apart.

    Raises
    ------
    ValueError
        The sizes differ.

    Examples
    --------
    >>> from PIL import Image
    >>> black, white = (Image.new("RGB", (8, 8), colour) for colour in ("black", "white"))
    >>> difference(black, white), difference(white, white)
    (1.0, 0.0)
    """
    from PIL import ImageChops, ImageStat

    if one.size != other.size:
        raise ValueError(f"The images are of {one.width}x{one.height} and {other.width}x{other.height} pixels.")
    bands = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).rms
    return float((sum(band**2 for band in bands) / len(bands)) ** 0.5 / 255)
