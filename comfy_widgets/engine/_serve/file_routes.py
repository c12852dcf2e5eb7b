"""/view and the uploads."""

from __future__ import annotations

import hashlib
import io
import json
import mimetypes
from pathlib import Path
from typing import Any

from aiohttp import web

from .._files import Folders, split_annotation
from .state import state_of

routes = web.RouteTableDef()

_LONGEST_NAME = 255
_SVG = "image/svg+xml"
_DANGEROUS = {"text/html", "text/html-sandboxed", "application/xhtml+xml", "text/javascript", "text/css"}
"""Types that a browser would run in the server's origin; they are sent as plain bytes."""


@routes.get("/view")
async def view(request: web.Request) -> web.StreamResponse:
    """Send a file, or an image in another format or with fewer channels."""
    query = request.query
    if "filename" not in query:
        return web.Response(status=404)
    filename, kind = split_annotation(query["filename"])
    if not filename or filename.startswith("/") or ".." in filename:
        return web.Response(status=400)
    root = state_of(request).folders.root(kind or query.get("type", "output"))
    if root is None:
        return web.Response(status=400)
    folder = (root / query.get("subfolder", "")).resolve()
    if not folder.is_relative_to(root):
        return web.Response(status=403)
    path = folder / Path(filename).name
    if not path.is_file():
        return web.Response(status=404)
    headers = {"Content-Disposition": f'filename="{path.name}"'}
    newest = state_of(request).wire.is_newest
    channel = query.get("channel", "")
    if "preview" in query:
        body, content_type = _preview(path, query["preview"], with_alpha="a" in channel)
        return web.Response(body=body, content_type=content_type, headers=headers)
    if channel in ("rgb", "a"):
        return web.Response(body=_channels(path, channel), content_type="image/png", headers=headers)
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if newest:
        headers["X-Content-Type-Options"] = "nosniff"
    if newest and content_type in (*_DANGEROUS, _SVG):
        headers |= {"Vary": "Sec-Fetch-Dest", "Cache-Control": "no-store"}
        # An image that a page shows runs no scripts; opened by itself it would.
        if content_type != _SVG or request.headers.get("Sec-Fetch-Dest") != "image":
            content_type = "application/octet-stream"
            headers["Content-Disposition"] = f'attachment; filename="{path.name}"'
    elif content_type in _DANGEROUS:
        content_type = "application/octet-stream"
    return web.FileResponse(path, headers={**headers, "Content-Type": content_type})


def _preview(path: Path, wanted: str, *, with_alpha: bool) -> tuple[bytes, str]:
    """Re-encode at full size: JPEG when asked for and no alpha is wanted, else WebP."""
    from PIL import Image

    name, _, quality = wanted.partition(";")
    jpeg = name == "jpeg" and not with_alpha
    buffer = io.BytesIO()
    with Image.open(path) as picture:
        number = int(quality) if quality.isdecimal() else 90
        if jpeg:
            picture.convert("RGB").save(buffer, "JPEG", quality=number)
        else:
            picture.save(buffer, "WEBP", quality=number)
    return buffer.getvalue(), "image/jpeg" if jpeg else "image/webp"


def _channels(path: Path, channel: str) -> bytes:
    from PIL import Image

    with Image.open(path) as picture:
        if channel == "rgb":
            result = picture.convert("RGB")
        else:
            alpha = picture.convert("RGBA").getchannel("A")
            result = Image.new("RGBA", picture.size)
            result.putalpha(alpha)
    buffer = io.BytesIO()
    result.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@routes.post("/upload/image")
async def upload_image(request: web.Request) -> web.Response:
    """Store an uploaded file (of any kind)."""
    form = await _form(request)
    target = _target(state_of(request).folders, form)
    if isinstance(target, web.Response):
        return target
    path, answer, data = target
    path.write_bytes(data)
    return web.json_response(answer)


@routes.post("/upload/mask")
async def upload_mask(request: web.Request) -> web.Response:
    """Store the image named by original_ref with the alpha of the uploaded one.

    Without the original nothing is stored, yet the answer is 200, as ComfyUI's is.
    """
    from PIL import Image, PngImagePlugin

    form = await _form(request)
    folders = state_of(request).folders
    reference = json.loads(_text(form, "original_ref"))
    target = _target(folders, form)
    if isinstance(target, web.Response):
        return target
    path, answer, data = target
    name, kind = split_annotation(reference["filename"])
    root = folders.root(kind or reference.get("type", "output"))
    if not name or name.startswith("/") or ".." in name or root is None:
        return web.Response(status=400)
    folder = (root / reference.get("subfolder", "")).resolve()
    if not folder.is_relative_to(root):
        return web.Response(status=403)
    original_path = folder / Path(name).name
    if original_path.is_file():
        with Image.open(original_path) as original, Image.open(io.BytesIO(data)) as mask:
            chunks = PngImagePlugin.PngInfo()
            for key, value in getattr(original, "text", {}).items():
                chunks.add_text(key, value)
            combined = original.convert("RGBA")
            combined.putalpha(mask.convert("RGBA").getchannel("A").resize(original.size))
        combined.save(path, "PNG", compress_level=1, pnginfo=chunks)
    return web.json_response(answer)


async def _form(request: web.Request) -> Any:
    try:
        form = await request.post()
    except web.HTTPException:
        raise
    except Exception as error:
        # aiohttp's parser raises whatever comes to hand.
        raise web.HTTPBadRequest(text=f"400: Bad Request. The body is no form that can be read: {error}") from error
    if not form:
        raise web.HTTPBadRequest(text='400: Bad Request. A form is needed, with the file in a field "image".')
    return form


def _text(form: Any, name: str, default: str | None = None) -> str:
    value = form.get(name, default)
    if not isinstance(value, str):
        raise TypeError(f"The field {name!r} must be text.")
    return value


def _target(folders: Folders, form: Any) -> tuple[Path, dict[str, str], bytes] | web.Response:
    """Find the path for an upload: the same name again if the bytes are the same, else "name (1).png" and so on.

    Raises
    ------
    TypeError, ValueError
        On malformed forms, which answer 500 as ComfyUI does.
    """
    upload = form.get("image")
    if upload is None:
        return web.Response(status=400)
    if not isinstance(upload, web.FileField):
        raise TypeError("The field 'image' must be a file.")
    if not upload.filename:
        return web.Response(status=400)
    kind = _text(form, "type", "input")
    root = folders.root(kind)
    if root is None:
        raise ValueError(f"Unknown upload type {kind!r}.")
    subfolder = _text(form, "subfolder", "")
    if "\0" in subfolder + upload.filename or len(upload.filename.encode()) > _LONGEST_NAME:
        return web.Response(status=400, text="400: Bad Request. No file can have this name.")
    folder = (root / subfolder).resolve()
    path = (folder / upload.filename).resolve()
    if not folder.is_relative_to(root) or not path.is_relative_to(folder):
        return web.Response(status=400)
    folder.mkdir(parents=True, exist_ok=True)
    data = upload.file.read()
    if _text(form, "overwrite", "") not in ("true", "1"):
        digest = hashlib.sha256(data).digest()
        stem, suffix, number = path.stem, path.suffix, 0
        while path.exists() and hashlib.sha256(path.read_bytes()).digest() != digest:
            number += 1
            path = path.with_name(f"{stem} ({number}){suffix}")
    return path, {"name": path.name, "subfolder": subfolder, "type": kind}, data
