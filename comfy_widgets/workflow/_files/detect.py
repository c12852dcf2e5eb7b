"""Telling the kind of a file from its first bytes; its name is not asked."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import IO

from ...protocol import WorkflowError
from .audio import flac_texts, mp3_texts, ogg_texts
from .exif import exif_texts
from .images import jpeg_texts, webp_texts
from .isobmff import avif_texts, mp4_texts
from .matroska import matroska_texts
from .others import glb_texts, is_safetensors, safetensors_texts, svg_texts
from .png import SIGNATURE, png_texts
from .reader import Broken, Reader, Texts

# In this order: the first that fits is it.
_KINDS: tuple[tuple[re.Pattern[bytes], str, Callable[[Reader], Texts]], ...] = (
    (re.compile(re.escape(SIGNATURE)), "PNG", png_texts),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "WebP", webp_texts),
    (re.compile(rb"\xff\xd8\xff"), "JPEG", jpeg_texts),
    (re.compile(rb"....ftyp(avif|avis|mif1|msf1|hei|hev)", re.DOTALL), "AVIF", avif_texts),
    (re.compile(rb"....(ftyp|moov|wide|free|mdat)", re.DOTALL), "MP4", mp4_texts),
    (re.compile(rb"\x1a\x45\xdf\xa3"), "WebM", matroska_texts),
    (re.compile(rb"fLaC"), "FLAC", flac_texts),
    (re.compile(rb"OggS"), "Ogg", ogg_texts),
    (re.compile(rb"ID3"), "MP3", mp3_texts),
    (re.compile(rb"glTF"), "GLB", glb_texts),
    (re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml|<!--|<!DOCTYPE svg|<svg)"), "SVG", svg_texts),
)

_WANTED = frozenset({"prompt", "workflow", "comment", "parameters"})
_MAX_KEY = 80


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
    kind : str
        Such as "PNG"; "" if it is none of the known containers.
    texts : dict
        ``{"prompt": "{...}"}``; keys that no workflow stands under have "" as their text.

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
    found, damage = _collect(texts(reader))
    if damage and not (found.get("prompt") or found.get("workflow") or found.get("comment", "").startswith("{")):
        raise WorkflowError(f"{what} is a {kind} file, but {damage}, so no workflow can be read from it.")
    return kind, found


def read_exif(data: bytes) -> dict[str, str]:
    """Return the texts in EXIF data; what is damaged in it is left out.

    Parameters
    ----------
    data : bytes
        A TIFF structure, with or without ``Exif`` and two zeros before it.
    """
    return _collect(exif_texts(data, Reader(io.BytesIO(data))))[0]


def _collect(texts: Texts) -> tuple[dict[str, str], str]:
    """Return the wanted texts, the first of each key, and how the container is damaged.

    A file that was cut off while downloading still has the texts at its front, and one bad text does not spoil another.
    """
    found: dict[str, str] = {}
    damage = ""
    try:
        for key, text in texts:
            key = key[:_MAX_KEY]
            if found.get(key):
                continue
            try:
                found[key] = text() if key in _WANTED else ""
            except Broken as error:
                damage = damage or str(error)
            if found.get("prompt") and found.get("workflow"):
                break
    except Broken as error:
        damage = damage or str(error)
    return found, damage
