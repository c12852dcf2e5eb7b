"""SVG drawings, GLB models and safetensors: JSON that only has to be found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .reader import Broken, Reader, Texts, decode, texts_in

_ENTITY = re.compile(r"&(?:#([0-9]{1,7})|#x([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_OPEN, _CLOSE, _CDATA, _CDATA_END = "<metadata", "</metadata", "<![CDATA[", "]]>"


def svg_texts(reader: Reader) -> Texts:
    """Yield the JSON in an SVG's ``<metadata>``. The XML is not parsed, so no entity can expand."""
    for body in _metadata(decode(reader.at(0, reader.size)), reader):
        stripped = body.strip()
        if stripped.startswith(_CDATA) and stripped.endswith(_CDATA_END):
            text = stripped[len(_CDATA) : -len(_CDATA_END)]
        else:
            reader.step(body.count("&"))
            text = _ENTITY.sub(_character, body)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        yield from texts_in(value)


def _metadata(text: str, reader: Reader) -> Iterator[str]:
    """What stands between the tags; each character is looked at once."""
    at = 0
    while (start := text.find(_OPEN, at)) >= 0:
        reader.step()
        begin = text.find(">", start) + 1
        end = text.find(_CLOSE, begin)
        if begin == 0 or end < 0:
            return
        if not text[start + len(_OPEN)].isalnum():
            yield text[begin:end]
        at = end


def _character(found: re.Match[str]) -> str:
    decimal, hexadecimal, name = found.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code) if code <= 0x10FFFF else found.group()


def glb_texts(reader: Reader) -> Texts:
    """Yield the extras of a binary glTF model's asset."""
    header = reader.at(12, 8)
    if header[4:] != b"JSON":
        raise Broken("its first part is not JSON")
    document = _json(decode(reader.at(20, int.from_bytes(header[:4], "little"))))
    asset = document.get("asset") if isinstance(document, dict) else None
    yield from texts_in(asset.get("extras") if isinstance(asset, dict) else None)


def is_safetensors(reader: Reader) -> bool:
    """Tell whether the file begins with the length of a JSON header and its first brace."""
    if reader.size < 10:
        return False
    length = int.from_bytes(reader.at(0, 8), "little")
    return 2 <= length <= reader.size - 8 and reader.at(8, 1) == b"{"


def safetensors_texts(reader: Reader) -> Texts:
    """Yield the metadata of a .safetensors or .latent file."""
    header = _json(decode(reader.at(8, int.from_bytes(reader.at(0, 8), "little"))))
    yield from texts_in(header.get("__metadata__") if isinstance(header, dict) else None)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Broken("its JSON header is damaged") from None
