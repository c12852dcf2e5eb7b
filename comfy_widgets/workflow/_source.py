"""Getting at the bytes of whatever a caller calls a workflow."""

from __future__ import annotations

import difflib
import io
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from importlib import resources
from pathlib import Path
from typing import IO, Any

from .._download import download, shown_url
from ..protocol import WorkflowError
from ._files import read_exif, read_metadata
from ._forms import Forms, find_forms, parse_json

Fetch = Callable[[str], bytes]
"""Gets a URL's body: a client of a server brings its own, with its headers and its tokens."""

_TEMPLATE = "template:"
_TEMPLATES_PACKAGE = "comfyui_workflow_templates_json"
_MAX_JSON = 64 * 2**20
_MAX_DOWNLOAD = 256 * 2**20
_DEADLINE = 180.0


def load_forms(source: Any, fetch: Fetch | None = None) -> tuple[Forms, str]:
    """Find the workflow in a source, and say in words what the source was.

    Raises
    ------
    WorkflowError
        If there is no such source, or no workflow in it.
    """
    if isinstance(source, Mapping):
        return find_forms(source, "The given dict"), "a dict"
    if hasattr(source, "getexif") and hasattr(source, "info"):
        return _from_pil(source)
    if isinstance(source, str) and source.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        return find_forms(parse_json(source, "The given text"), "The given text"), "JSON text"
    if isinstance(source, str) and source.startswith(_TEMPLATE):
        data = fetch(source) if fetch is not None else _installed_template(source.removeprefix(_TEMPLATE))
        what = f"The {source.replace(':', ' ', 1)}"
        return find_forms(parse_json(data, what), what), source
    opened, what = _open(source, fetch)
    with opened as stream:
        return _from_stream(stream, what), what


def _installed_template(name: str) -> bytes:
    """An official template out of its package, which a machine with ComfyUI has."""
    try:
        folder = resources.files(_TEMPLATES_PACKAGE) / "templates"
    except ModuleNotFoundError:
        raise WorkflowError(
            f"Templates come from a server: client.workflow('template:{name}'), or Workflow.load('template:{name}', "
            "fetch=client.fetch). Without one, install the package comfyui-workflow-templates-json."
        ) from None
    names = [entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise WorkflowError(
            f"There is no template {name!r} in the installed templates package.{hint} "
            f"What a server itself offers is loaded by client.workflow('template:{name}')."
        )
    return (folder / f"{name}.json").read_bytes()


def _open(source: Any, fetch: Fetch | None) -> tuple[AbstractContextManager[IO[bytes]], str]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return closing(io.BytesIO(bytes(source))), "The given data"
    if isinstance(source, str) and source.lower().startswith(("http://", "https://")):
        return closing(io.BytesIO((fetch or _download)(source))), shown_url(source)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source).expanduser()
        try:
            return path.open("rb"), path.name
        except (OSError, ValueError) as error:
            raise WorkflowError(_no_such_file(path, error)) from None
    if hasattr(source, "read"):
        name = getattr(source, "name", None)
        what = Path(name).name if isinstance(name, str) else "The given file"
        if hasattr(source, "seekable") and source.seekable() and not isinstance(source, io.TextIOBase):
            return nullcontext(source), what
        data = source.read()
        return closing(io.BytesIO(data.encode() if isinstance(data, str) else data)), what
    raise WorkflowError(
        f"A workflow cannot be loaded from {source!r:.60} ({type(source).__name__}). Give a path, a URL, JSON text, "
        "bytes, an open file, a PIL image or a dict."
    )


def _no_such_file(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, n=3)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        return f"There is no file {str(path)!r}.{hint}"
    if isinstance(error, IsADirectoryError):
        return f"{str(path)!r} is a folder, not a file."
    reason = getattr(error, "strerror", None) or error
    return f"The file {str(path)[:200]!r} cannot be opened: {reason}."


def _download(url: str) -> bytes:
    shown = shown_url(url)
    try:
        return download(url, seconds=_DEADLINE, limit=_MAX_DOWNLOAD)
    except TimeoutError:
        raise WorkflowError(f"{shown} did not arrive within {_DEADLINE:.0f} seconds.") from None
    except ValueError as error:
        if "larger" not in str(error):
            raise WorkflowError(f"{shown} is no address that can be fetched.") from None
        raise WorkflowError(f"{shown} is larger than {_MAX_DOWNLOAD // 2**20} MB, which no workflow is.") from None
    except Exception as error:
        reason = getattr(error, "reason", None)
        if isinstance(reason, TimeoutError):
            raise WorkflowError(f"{shown} did not arrive within {_DEADLINE:.0f} seconds.") from None
        # urllib lets the errors of the layers below it through, and they have no class in common.
        raise WorkflowError(f"{shown} could not be fetched: {reason or error}.") from None


def _from_stream(stream: IO[bytes], what: str) -> Forms:
    kind, texts = read_metadata(stream, what)
    if kind:
        return _from_texts(texts, f"{what} ({kind})")
    stream.seek(0)
    data = stream.read(_MAX_JSON + 1)
    if not data:
        raise WorkflowError(f"{what} is empty.")
    start = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if data[:2] not in (b"\xff\xfe", b"\xfe\xff") and start not in (b"{", b"[", b'"'):
        if start == b"<":
            raise WorkflowError(f"{what} is a web page or XML, not a workflow. Download the file itself.")
        raise WorkflowError(f"{what} is neither JSON nor a kind of file that ComfyUI keeps workflows in.")
    if len(data) > _MAX_JSON:
        raise WorkflowError(f"{what} is larger than {_MAX_JSON // 2**20} MB, which no workflow is.")
    return find_forms(parse_json(data, what), what)


def _from_texts(texts: Mapping[str, str], what: str) -> Forms:
    wanted = {key: text for key in ("prompt", "workflow") if (text := texts.get(key, "").strip("\0 \t\r\n"))}
    comment = texts.get("comment", "").strip("\0 \t\r\n")
    if not wanted and comment.startswith("{"):
        # Some video nodes put both into one comment.
        wanted = {"comment": comment}
    if not wanted:
        if "parameters" in texts:
            raise WorkflowError(
                f"{what} carries no workflow, but the settings of another program, such as A1111 or Forge. A "
                "ComfyPanel takes these over when the image is dropped on it."
            )
        has = f" It carries only: {', '.join(sorted(texts)[:6])}." if texts else ""
        raise WorkflowError(
            f"{what} carries no workflow.{has} ComfyUI stores one in what it saves, but web sites and editors usually "
            "strip it: use the original file."
        )
    found: dict[str, Any] = {}
    problem: WorkflowError | None = None
    for key, text in wanted.items():
        try:
            found[key] = parse_json(text, f"The {key} in {what}")
        except WorkflowError as error:
            # One broken text does not spoil the other.
            problem = error
    if not found and problem is not None:
        raise problem
    return find_forms(found.get("comment", found), what)


def _from_pil(image: Any) -> tuple[Forms, str]:
    """Read what Pillow kept; for what it does not keep (private chunks), go back to the file."""
    filename = str(getattr(image, "filename", ""))
    what = f"The image {Path(filename).name}" if filename else "The given image"
    texts = {str(key): value for key, value in image.info.items() if isinstance(value, str)}
    exif = image.info.get("exif")
    if isinstance(exif, bytes):
        texts = {**read_exif(exif), **texts}
    if not texts.keys() & {"prompt", "workflow"} and filename and Path(filename).is_file():
        return load_forms(Path(filename))
    return _from_texts(texts, what), what
