"""Writing a cassette: runs are added one by one, without secrets, and the whole is bounded."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._writing import replacing
from ._cassette import DOCUMENT, FORMAT, MAX_BYTES, VERSION
from ._matching import key_of
from ._secrets import has_secret, scrubbed

_PREVIEW_SIDE = 512
_JSON_ROOM = 64_000
"""Bytes that are kept free for node classes and the zip's own tables."""


@dataclass
class _Packed:
    """A run as it stands in the file."""

    document: dict[str, Any]
    files: list[dict[str, str]]
    contents: dict[str, bytes] = field(repr=False)

    @property
    def size(self) -> int:
        return len(json.dumps(self.document)) // 4 + sum(map(len, self.contents.values()))


class CassetteWriter:
    """Collects runs for a cassette.

    Parameters
    ----------
    path : str or Path
        The file that `save` writes.
    title : str, default ""
        What it is about.
    version : str, default ""
        The version of ComfyUI that the runs come from.
    quality : int, default 90
        Of the WebP images, 1 to 100.
    max_bytes : int, default 20_000_000
        Of the whole file; runs that do not fit are left out, and told.
    secrets : tuple of str, default ()
        Known secrets, which are removed wherever they stand.

    Attributes
    ----------
    version : str
        The version of ComfyUI that the runs come from; may be set.
    warnings : list of str
        What was left out, in words.

    Raises
    ------
    ValueError
        The quality or the size is out of range.

    Examples
    --------
    >>> writer = CassetteWriter("empty.cassette", title="Nothing yet")
    >>> writer.save({}).name
    'empty.cassette'
    """

    def __init__(
        self,
        path: str | Path,
        *,
        title: str = "",
        version: str = "",
        quality: int = 90,
        max_bytes: int = MAX_BYTES,
        secrets: tuple[str, ...] = (),
    ) -> None:
        if not 1 <= quality <= 100:
            raise ValueError(f"quality is {quality!r}, but must be 1 to 100.")
        if max_bytes < 2 * _JSON_ROOM:
            raise ValueError(f"max_bytes is {max_bytes!r}, but a cassette needs at least {2 * _JSON_ROOM} bytes.")
        self._path = Path(path)
        self._title = title
        self.version: str = version
        self._quality, self._max_bytes = quality, max_bytes
        self._secrets = secrets
        self._runs: dict[str, _Packed] = {}
        self.warnings: list[str] = []

    def add(
        self,
        prompt: Mapping[str, Any],
        outputs: Mapping[str, Any],
        timeline: list[Any],
        fetch: Callable[[dict[str, str]], bytes],
        error: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a run; one with the same values takes the place of the earlier one.

        Parameters
        ----------
        prompt : dict
            In API format.
        outputs : dict
            As in the server's history.
        timeline : list
            Entries of seconds, a kind, and what belongs to it; a preview has its encoded bytes.
        fetch : callable
            Takes a file as ComfyUI names it, and returns its bytes.
        error : dict, optional
            How it failed: ``node_id``, ``message`` and ``type``.

        Examples
        --------
        >>> writer = CassetteWriter("one.cassette")
        >>> writer.add(example().to_prompt(), {}, [[0.1, "executing", "3"]], lambda file: b"")
        >>> _ = writer.save({})
        >>> Cassette("one.cassette").runs[0].seconds
        0.1
        """
        contents: dict[str, bytes] = {}
        files: list[dict[str, str]] = []

        def keep(item: dict[str, str]) -> dict[str, str] | None:
            packed = self._pack(str(item.get("filename", "")), fetch(item))
            if packed is None:
                return None
            name, content = packed
            sha = _hash(content)
            contents[sha] = content
            kept = {"filename": name, "subfolder": "", "type": str(item.get("type", "output"))}
            files.append({**kept, "sha": sha})
            return kept

        entries = []
        for seconds, kind, *rest in timeline:
            if kind == "preview":
                node, image = rest
                small = _webp_or_jpeg(image, "JPEG", 80, _PREVIEW_SIDE)
                if small is None:
                    continue
                sha = _hash(small)
                contents[sha] = small
                rest = [node, sha]
            entries.append([round(float(seconds), 3), kind, *scrubbed(rest, self._secrets)])
        document = {
            "prompt": scrubbed(prompt, self._secrets),
            "outputs": _replace_files(scrubbed(outputs, self._secrets), outputs, keep),
            "timeline": entries,
        }
        if error is not None:
            document["error"] = scrubbed(error, self._secrets)
        self._runs[key_of(document["prompt"])] = _Packed(document, files, contents)

    def save(self, object_info: Mapping[str, Any]) -> Path:
        """Write the file; what is there already is replaced.

        Parameters
        ----------
        object_info : dict
            The server's node classes; those that no run uses are left out.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OSError
            It cannot be written.

        Examples
        --------
        >>> CassetteWriter("empty.cassette").save(client.object_info()).stat().st_size < 1000
        True
        """
        kept, left = self._that_fit()
        if left:
            self.warnings.append(
                f"{left} of {len(self._runs)} runs do not fit into the {self._max_bytes / 1e6:g} MB of a cassette and "
                "were left out. Record fewer or smaller images, a lower quality=, or give a larger max_bytes=."
            )
        contents = {sha: content for run in kept for sha, content in run.contents.items()}
        files = {(one["filename"], one["type"]): one for run in kept for one in run.files}
        document = {
            "format": FORMAT,
            "version": VERSION,
            "title": scrubbed(self._title, self._secrets),
            "comfyui_version": self.version,
            "object_info": scrubbed(_used(object_info, [run.document["prompt"] for run in kept]), self._secrets),
            "files": list(files.values()),
            "runs": [run.document for run in kept],
        }
        with replacing(self._path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_member(DOCUMENT), json.dumps(document, ensure_ascii=True), zipfile.ZIP_DEFLATED)
            for sha, content in contents.items():
                archive.writestr(_member(f"files/{sha}"), content, zipfile.ZIP_STORED)
        return self._path

    def _that_fit(self) -> tuple[list[_Packed], int]:
        """Return the runs that fit, in the order in which they came, and how many do not."""
        kept, seen, size = [], set[str](), _JSON_ROOM
        for run in self._runs.values():
            new = {sha: content for sha, content in run.contents.items() if sha not in seen}
            more = len(json.dumps(run.document)) // 4 + sum(len(content) + 200 for content in new.values())
            if size + more > self._max_bytes:
                continue
            size += more
            seen |= set(new)
            kept.append(run)
        return kept, len(self._runs) - len(kept)

    def _pack(self, filename: str, content: bytes) -> tuple[str, bytes] | None:
        """Return a file under a name of its own: images anew, without what is written beside their pixels."""
        name = re.split(r"[\\/]", filename)[-1]
        stem, _, extension = name.rpartition(".")
        stem = scrubbed(re.sub(r"[^\w.-]+", "_", stem or name), self._secrets)
        image = _webp_or_jpeg(content, "WEBP", self._quality, None)
        if image is None and has_secret(content, self._secrets):
            self.warnings.append(f"The file {name!r} was left out: it holds what looks like a secret.")
            return None
        kept = content if image is None else image
        return f"{stem}_{_hash(kept)[:8]}.{'webp' if image is not None else extension}", kept


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _member(name: str) -> zipfile.ZipInfo:
    # Always the same time: the same runs make the same file.
    return zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))


def _webp_or_jpeg(content: bytes, form: str, quality: int, side: int | None) -> bytes | None:
    """Return an image anew, its pixels and nothing else; None where it is none that Pillow reads."""
    from PIL import Image, ImageSequence

    stream = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content)) as image:
            if side is not None:
                image.thumbnail((side, side))
            frames = [_clean(frame, form) for frame in ImageSequence.Iterator(image)]
            durations = int(image.info.get("duration", 100))
        more = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
        frames[0].save(stream, form, quality=quality, exif=b"", **(more if len(frames) > 1 and form == "WEBP" else {}))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return stream.getvalue()


def _clean(frame: Any, form: str) -> Any:
    """Return the pixels of a frame, without its texts."""
    from PIL import Image

    mode = "RGBA" if form == "WEBP" and ("A" in frame.getbands() or "transparency" in frame.info) else "RGB"
    pixels = frame.convert(mode)
    clean = Image.new(mode, pixels.size)
    clean.paste(pixels)
    return clean


def _replace_files(
    clean: Mapping[str, Any], outputs: Mapping[str, Any], keep: Callable[[dict[str, str]], dict[str, str] | None]
) -> dict[str, Any]:
    """Return outputs with the names under which their files are kept; a file that is not kept is left out."""
    replaced: dict[str, Any] = {}
    for node, output in outputs.items():
        if not isinstance(output, Mapping):
            continue
        replaced[str(node)] = dict(clean.get(str(node), {}))
        for key, items in output.items():
            if isinstance(items, (list, tuple)) and any(_is_file(item) for item in items):
                kept = [keep(dict(item)) for item in items if _is_file(item)]
                replaced[str(node)][key] = [item for item in kept if item is not None]
    return replaced


def _is_file(item: Any) -> bool:
    return isinstance(item, Mapping) and isinstance(item.get("filename"), str)


def _used(object_info: Mapping[str, Any], prompts: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the node classes that are used; of lists of files, such as models, only those that the runs name."""
    used: dict[str, set[str]] = {}
    for prompt in prompts:
        for body in prompt.values():
            values = {str(value) for value in body.get("inputs", {}).values()}
            used.setdefault(str(body.get("class_type", "")), set()).update(values)
    return {name: _cut(object_info[name], used[name]) for name in sorted(used) if name in object_info}


def _cut(value: Any, named: set[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _cut(inner, named) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(item, str) for item in value) and any(_FILE.search(item) for item in value):
            return [item for item in value if item in named]
        return [_cut(item, named) for item in value]
    return value


_FILE = re.compile(r"\.(safetensors|ckpt|pth?|bin|gguf|sft|onnx|png|jpe?g|webp|gif|mp4|wav|mp3|flac|json|ya?ml)$", re.I)
