"""SVG drawings, GLB models and safetensors: JSON that only has to be found."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from .reader import MAX_TEXT, Broken, Reader, as_texts, decode

_METADATA = re.compile(r"<metadata\b[^>]*>(.*?)</metadata\s*>", re.DOTALL)
_CDATA = re.compile(r"\s*<!\[CDATA\[(.*)\]\]>\s*", re.DOTALL)


def svg_texts(reader: Reader) -> dict[str, str]:
    """Return the JSON in an SVG's ``<metadata>``. The XML is not parsed, so no entity can expand."""
    text = decode(reader.text(0, reader.size))
    for found in _METADATA.finditer(text):
        body = found.group(1)
        cdata = _CDATA.fullmatch(body)
        texts = as_texts(_json(cdata.group(1) if cdata else html.unescape(body), fallback={}))
        if texts:
            return texts
    return {}


def glb_texts(reader: Reader) -> dict[str, str]:
    """Return the extras of a binary glTF model's asset."""
    header = reader.at(12, 8)
    if header[4:] != b"JSON":
        raise Broken("its first part is not JSON")
    document = _json(decode(reader.text(20, int.from_bytes(header[:4], "little"))))
    asset = document.get("asset") if isinstance(document, dict) else None
    return as_texts(asset.get("extras") if isinstance(asset, dict) else None)


def is_safetensors(reader: Reader) -> bool:
    """Tell whether the file begins with the length of a JSON header and its first brace."""
    if reader.size < 10:
        return False
    length = int.from_bytes(reader.at(0, 8), "little")
    return 2 <= length <= reader.size - 8 and reader.at(8, 1) == b"{"


def safetensors_texts(reader: Reader) -> dict[str, str]:
    """Return the metadata of a .safetensors or .latent file."""
    header = _json(decode(reader.text(8, int.from_bytes(reader.at(0, 8), "little"))))
    return as_texts(header.get("__metadata__") if isinstance(header, dict) else None)


def _json(text: str, fallback: Any = None) -> Any:
    if len(text) > MAX_TEXT:
        raise Broken("its metadata is too long")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        if fallback is not None:
            return fallback
        raise Broken("its JSON header is damaged") from None
