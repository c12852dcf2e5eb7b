"""/settings, /userdata and /users: what a front end keeps on the server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aiohttp import web

from .._run.wire import Wire
from .state import State, state_of

routes = web.RouteTableDef()


def _settings_file(state: State) -> Path:
    return state.folders.user / "comfy.settings.json"


def _settings(state: State) -> dict[str, Any]:
    try:
        settings: dict[str, Any] = json.loads(_settings_file(state).read_text("utf-8"))
        return settings
    except (OSError, ValueError):
        return {}


def _change_settings(state: State, values: dict[str, Any]) -> None:
    with state.settings_lock:
        _settings_file(state).write_text(json.dumps({**_settings(state), **values}, indent=2), "utf-8")


@routes.get("/settings")
async def get_settings(request: web.Request) -> web.Response:
    """Return all settings."""
    return web.json_response(_settings(state_of(request)))


@routes.get("/settings/{name}")
async def get_setting(request: web.Request) -> web.Response:
    """Return one setting, or null."""
    return web.json_response(_settings(state_of(request)).get(request.match_info["name"]))


@routes.post("/settings")
async def post_settings(request: web.Request) -> web.Response:
    """Change several settings."""
    _change_settings(state_of(request), dict(await request.json()))
    return web.Response()


@routes.post("/settings/{name}")
async def post_setting(request: web.Request) -> web.Response:
    """Change one setting."""
    _change_settings(state_of(request), {request.match_info["name"]: await request.json()})
    return web.Response()


@routes.get("/users")
async def get_users(request: web.Request) -> web.Response:
    """There is one user."""
    return web.json_response({"storage": "server", "migrated": True})


def _user_path(request: web.Request, name: str) -> Path | None:
    root = state_of(request).folders.user
    path = (root / name).resolve()
    return path if path.is_relative_to(root) else None


def _facts(path: Path, root: Path, wire: Wire) -> dict[str, Any]:
    """Describe a file; its times are in milliseconds, in ComfyUI 0.8.0 in seconds."""
    facts = path.stat()
    modified, created = facts.st_mtime, facts.st_ctime
    return {
        "path": path.relative_to(root).as_posix(),
        "size": facts.st_size,
        "modified": int(modified * 1000) if wire.is_newest else modified,
        "created": int(created * 1000) if wire.is_newest else created,
    }


@routes.get("/userdata")
async def list_userdata(request: web.Request) -> web.Response:
    """List the files of a folder."""
    query = request.query
    if not query.get("dir"):
        return web.Response(status=400, text="Directory not provided")
    folder = _user_path(request, query["dir"])
    if folder is None:
        return web.Response(status=403, text="Invalid directory")
    if not folder.is_dir():
        return web.Response(status=404, text="Directory not found")
    found = folder.rglob("*") if query.get("recurse", "").lower() == "true" else folder.glob("*")
    files = sorted(path for path in found if path.is_file())
    if query.get("full_info", "").lower() == "true":
        return web.json_response([_facts(path, folder, state_of(request).wire) for path in files])
    names = [path.relative_to(folder).as_posix() for path in files]
    if query.get("split", "").lower() == "true":
        return web.json_response([[name, *name.split("/")] for name in names])
    return web.json_response(names)


@routes.get("/v2/userdata")
async def tree_userdata(request: web.Request) -> web.Response:
    """List files and folders below a path."""
    root = state_of(request).folders.user
    folder = _user_path(request, request.query.get("path", ""))
    if folder is None:
        return web.Response(status=403)
    if not folder.is_dir():
        return web.Response(status=404, text="Requested path not found")
    entries = []
    for path in sorted(folder.rglob("*")):
        entry: dict[str, Any] = {
            "name": path.name,
            "path": path.relative_to(root).as_posix(),
            "type": "directory" if path.is_dir() else "file",
        }
        if path.is_file():
            entry.update(size=path.stat().st_size, modified=path.stat().st_mtime)
        entries.append(entry)
    return web.json_response(entries)


@routes.get("/userdata/{file}")
async def get_userdata(request: web.Request) -> web.StreamResponse:
    """Send one file."""
    path = _user_path(request, request.match_info["file"])
    if path is None:
        return web.Response(status=403)
    if not path.is_file():
        return web.Response(status=404)
    headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}
    return web.FileResponse(path, headers=headers if state_of(request).wire.is_newest else None)


@routes.post("/userdata/{file}")
async def post_userdata(request: web.Request) -> web.Response:
    """Store one file."""
    path = _user_path(request, request.match_info["file"])
    if path is None:
        return web.Response(status=403)
    if path.exists() and request.query.get("overwrite") == "false":
        return web.Response(status=409, text="File already exists")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(await request.read())
    root = state_of(request).folders.user
    full = request.query.get("full_info", "").lower() == "true"
    return web.json_response(_facts(path, root, state_of(request).wire) if full else path.relative_to(root).as_posix())


@routes.delete("/userdata/{file}")
async def delete_userdata(request: web.Request) -> web.Response:
    """Delete one file."""
    path = _user_path(request, request.match_info["file"])
    if path is None:
        return web.Response(status=403)
    if not path.is_file():
        return web.Response(status=404)
    path.unlink()
    return web.Response(status=204)


@routes.post("/userdata/{file}/move/{dest}")
async def move_userdata(request: web.Request) -> web.Response:
    """Rename one file."""
    source = _user_path(request, request.match_info["file"])
    target = _user_path(request, request.match_info["dest"])
    if source is None or target is None:
        return web.Response(status=403)
    if not source.is_file():
        return web.Response(status=404)
    if target.exists() and request.query.get("overwrite") == "false":
        return web.Response(status=409, text="File already exists")
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
    return web.json_response(target.relative_to(state_of(request).folders.user).as_posix())
