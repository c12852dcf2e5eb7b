"""Telling the kind of a file from its first bytes; its name is not asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import IO

from ...protocol import WorkflowError
from .audio import flac_texts, mp3_texts, ogg_texts
from .isobmff import avif_texts, film_texts
from .matroska import matroska_texts
from .others import glb_texts, is_safetensors, safetensors_texts, svg_texts
from .pictures import jpeg_texts, webp_texts
from .png import SIGNATURE, png_texts
from .reader import Broken, Reader

_Texts = Callable[[Reader], "dict[str, str]"]

# In this order: the first that fits is it.
_KINDS: tuple[tuple[re.Pattern[bytes], str, _Texts], ...] = (
    (re.compile(re.escape(SIGNATURE)), "PNG", png_texts),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "WebP", webp_texts),
    (re.compile(rb"\xff\xd8\xff"), "JPEG", jpeg_texts),
    (re.compile(rb"....ftyp(avif|avis|mif1|msf1|hei|hev)", re.DOTALL), "AVIF", avif_texts),
    (re.compile(rb"....(ftyp|moov|wide|free|mdat)", re.DOTALL), "MP4", film_texts),
    (re.compile(rb"\x1a\x45\xdf\xa3"), "WebM", matroska_texts),
    (re.compile(rb"fLaC"), "FLAC", flac_texts),
    (re.compile(rb"OggS"), "Ogg", ogg_texts),
    (re.compile(rb"ID3"), "MP3", mp3_texts),
    (re.compile(rb"glTF"), "GLB", glb_texts),
    (re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml|<!--|<!DOCTYPE svg|<svg)"), "SVG", svg_texts),
)


def read_metadata(stream: IO[bytes], what: str) -> tuple[str, dict[str, str]]:
    """Return the kind of a file and the texts it carries.

    Parameters
    ----------
    stream : binary file
        Seekable.
    what : str
        What to call it in an error.

    Returns
    -------
    tuple
        ``("PNG", {"prompt": "{...}"})``; ``("", {})`` if it is none of the known containers.

    Raises
    ------
    WorkflowError
        If the container is damaged where the texts should be.
    """
    reader = Reader(stream)
    head = reader.upto(0, 256)
    kind, texts = next(((kind, texts) for mark, kind, texts in _KINDS if mark.match(head)), ("", None))
    if texts is None and is_safetensors(reader):
        kind, texts = "safetensors", safetensors_texts
    if texts is None:
        return "", {}
    try:
        return kind, texts(reader)
    except Broken as error:
        raise WorkflowError(f"{what} is a {kind} file, but {error}, so no workflow can be read from it.") from None
