"""What nodes gave for people to see: files and texts, whatever shape a node pack gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

from ._text import cut

Kind = Literal["image", "video", "audio", "3d", "text", "other"]

_EXTENSIONS: dict[str, Kind] = {
    **dict.fromkeys(["png", "jpg", "jpeg", "webp", "gif", "bmp", "avif", "apng", "tif", "tiff", "svg"], "image"),
    **dict.fromkeys(["exr", "hdr", "tga", "jxl", "heic", "dds"], "image"),
    **dict.fromkeys(["mp4", "webm", "mov", "mkv", "avi", "m4v"], "video"),
    **dict.fromkeys(["flac", "mp3", "wav", "ogg", "opus", "m4a", "aac"], "audio"),
    **dict.fromkeys(["glb", "gltf", "obj", "fbx", "stl", "ply", "usdz", "splat", "ksplat", "spz"], "3d"),
    **dict.fromkeys(["txt", "json", "csv", "md"], "text"),
}
_KEYS: dict[str, Kind] = {"images": "image", "gifs": "image", "video": "video", "audio": "audio", "3d": "3d"}

_TEXT_KEYS = frozenset({"text", "texts", "string", "strings", "value", "values", "tags", "result"})
_RESULT = "result"
"""Preview3D's key: names of files, cameras and nothing in one list."""
_TECHNICAL_KEYS = frozenset({"animated"})
"""What the front end reads and nobody else: ``animated`` says which images move."""

_FOLDER = re.compile(r"(.+?)\s*\[(output|temp|input)\]", re.DOTALL)
_MAX_NAME = 1024
_MAX_DEPTH = 32
_MAX_LEFTOVER = 2000


@dataclass(frozen=True)
class File:
    """A file that a node wrote on the server; what `ComfyClient.view` takes.

    Attributes
    ----------
    filename, subfolder, type : str
        Exactly as the server reported them; ``type`` is "output", "temp" or "input".
    node_id : str or None
        The node that wrote it.
    key : str
        The output key it stood under ("images", "audio", ...).
    extra : dict
        All other fields of the item (``format``, ``frame_rate``, ``display_name``, ...).

    Examples
    --------
    >>> File("clip_00001.mp4", subfolder="video").kind
    'video'
    """

    filename: str
    subfolder: str = ""
    type: str = "output"
    node_id: str | None = field(default=None, compare=False)
    key: str = field(default="images", compare=False)
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def kind(self) -> Kind:
        """The kind of media: by extension first, then ``format``, then the output key (the front end's rule)."""
        by_extension = _by_extension(self.filename)
        if by_extension:
            return by_extension
        major = str(self.extra.get("format", "")).partition("/")[0]
        if major in ("image", "video", "audio"):
            return major  # type: ignore[return-value]  # narrowed by the tuple above
        return _KEYS.get(self.key, "other")

    @property
    def is_media(self) -> bool:
        """Whether its name says that it is an image, video, audio, 3D model or text, and no program or setting."""
        return _by_extension(self.filename) is not None


def files_of(outputs: Mapping[str, Any]) -> tuple[File, ...]:
    """All files of an ``outputs`` object, each once, in order.

    A file is an object with a ``filename`` in a list, under whatever key. Of a node that gave no such item and no
    ``text``, an object by itself is taken too, and a plain string that names a media file, as Preview3D sends it.
    Two output nodes that share one cache key name the same file; it is kept under the first.

    Parameters
    ----------
    outputs : dict
        ``{node id: {key: list}}``, as in the history.

    Returns
    -------
    tuple of File
        Inputs that a node shows again, too.

    Examples
    --------
    >>> [file.filename for file in files_of({"9": {"images": [{"filename": "a.png"}]}})]
    ['a.png']
    """
    found: dict[File, None] = {}
    for item in _read(outputs):
        if isinstance(item, File):
            found.setdefault(item)
    return tuple(found)


def images_of(outputs: Mapping[str, Any]) -> list[File]:
    """The images that nodes made; an input that a node shows again is none of them.

    Parameters
    ----------
    outputs : dict
        ``{node id: {key: list}}``, as in the history.

    Returns
    -------
    list of File
        In order, each once.

    Examples
    --------
    >>> images_of({"9": {"images": [{"filename": "a.png"}, {"filename": "b.png", "type": "input"}]}})
    [File(filename='a.png', subfolder='', type='output', node_id='9', key='images')]
    """
    return [file for file in files_of(outputs) if file.kind == "image" and file.type != "input"]


def as_file(item: object, *, node_id: str | None = None, key: str = "images") -> File | None:
    """The file that an output item stands for.

    Parameters
    ----------
    item : dict or File
        With ``filename``, and perhaps ``subfolder``, ``type`` and more.
    node_id : str, optional
        The node that gave it; None by default.
    key : str, default "images"
        The output key it stands under.

    Returns
    -------
    File or None
        None where the item is no file.

    Examples
    --------
    >>> as_file({"filename": "clip.mp4", "subfolder": "video"}, node_id="9", key="gifs").kind
    'video'
    """
    if isinstance(item, File):
        return item
    if not isinstance(item, Mapping) or not isinstance(item.get("filename"), str) or not item["filename"]:
        return None
    known = ("filename", "subfolder", "type")
    extra = {name: value for name, value in item.items() if name not in known}
    subfolder, type_ = item.get("subfolder"), item.get("type")
    return File(
        item["filename"],
        subfolder if isinstance(subfolder, str) else "",
        type_ if isinstance(type_, str) else "output",
        node_id,
        key,
        extra,
    )


def texts_of(outputs: Mapping[str, Any]) -> tuple[str, ...]:
    """All text that nodes gave, in order.

    Text is what stands under ``text``, numbers too. Of a node that gave neither that nor a file item, whatever it gave
    is told, so that no output passes unseen.

    Parameters
    ----------
    outputs : dict
        ``{node id: {key: list}}``, as in the history.

    Returns
    -------
    tuple of str
        Numbers as ``str`` writes them.

    Examples
    --------
    >>> texts_of({"3": {"text": ["a lighthouse"]}, "4": {"value": [0.5]}})
    ('a lighthouse', '0.5')
    """
    return tuple(item for item in _read(outputs) if isinstance(item, str))


def _read(outputs: Mapping[str, Any]) -> Iterator[File | str]:
    for node_id, output in outputs.items():
        if isinstance(output, Mapping):
            usual = list(_usual(str(node_id), output))
            yield from usual or list(_unusual(str(node_id), output)) or _anything(output)


def _usual(node_id: str, output: Mapping[str, Any]) -> Iterator[File | str]:
    """What core's nodes and most packs send."""
    for key, value in output.items():
        if key == "text":
            yield from (text for item in _flat(value) if (text := _scalar(item)) is not None)
        elif isinstance(value, list):
            files = (as_file(item, node_id=node_id, key=str(key)) for item in _flat(value))
            yield from (file for file in files if file is not None)


def _unusual(node_id: str, output: Mapping[str, Any]) -> Iterator[File | str]:
    """What some packs send instead."""
    for key, value in output.items():
        for item in _flat(value):
            file = as_file(item, node_id=node_id, key=str(key))
            if file is None and isinstance(item, str) and (key == _RESULT or key not in _TEXT_KEYS):
                file = _named(item, node_id, str(key))
            text = _scalar(item) if key in _TEXT_KEYS else None
            if file is not None or text is not None:
                yield file or str(text)


def _anything(output: Mapping[str, Any]) -> Iterator[str]:
    for key, value in output.items():
        items = list(_flat(value)) if key not in _TECHNICAL_KEYS else []
        if items:
            texts = [_scalar(item) for item in items]
            words = ", ".join(map(str, texts)) if None not in texts else _json(value)
            yield cut(f"{key}: {words}", _MAX_LEFTOVER)


def _flat(value: Any, depth: int = 0) -> Iterator[Any]:
    """The items of lists in lists, or the value itself where it is no list."""
    if isinstance(value, (list, tuple)) and depth < _MAX_DEPTH:
        for item in value:
            yield from _flat(item, depth + 1)
    elif value is not None:
        yield value


def _scalar(item: object) -> str | None:
    if isinstance(item, str):
        return item
    return str(item) if isinstance(item, (bool, int, float)) else None


def _named(text: str, node_id: str, key: str) -> File | None:
    """The file that a plain string names: "sub/a.glb", "a.png [temp]"; None where it is no such name."""
    if len(text) > _MAX_NAME or "\n" in text or "://" in text:
        return None
    annotated = _FOLDER.fullmatch(text)
    name, type_ = annotated.groups() if annotated else (text, "output")
    if _by_extension(name) in (None, "text"):
        return None
    path = PurePosixPath(name)
    parts = path.parts[:-1]
    if key == _RESULT and parts[:1] == ("temp",):
        # Preview3D's background image.
        type_, parts = "temp", parts[1:]
    return None if path.is_absolute() else File(path.name, "/".join(parts), type_, node_id, key)


def _by_extension(name: str) -> Kind | None:
    # Dots and spaces at the end are none of the name on Windows.
    return _EXTENSIONS.get(PurePosixPath(name.rstrip(". ")).suffix.lstrip(".").lower())


def _json(value: object) -> str:
    try:
        return json.dumps(value, default=str)
    except RecursionError:
        return "nested too deeply to be shown"
