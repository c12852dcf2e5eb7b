"""/system_stats, /object_info, /models and other things to read."""

from __future__ import annotations

import os
import sys
from typing import Any

from aiohttp import web

from .limits import COMPAT_VERSION, DEVICE_NAME, FEATURES
from .state import State, state_of

routes = web.RouteTableDef()

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>comfy_widgets engine</title>
<body style="font: 16px/1.5 system-ui; max-width: 40em; margin: 4em auto; padding: 0 1em">
<h1>comfy_widgets embedded engine</h1>
<p>A ComfyUI-compatible server with a small procedural model. It has no page of its own: connect a notebook with
<code>ComfyClient("%s")</code>.</p></body></html>"""
_MODEL_FOLDERS = ("checkpoints", "loras", "vae", "text_encoders", "diffusion_models", "embeddings", "controlnet")


@routes.get("/system_stats")
async def system_stats(request: web.Request) -> web.Response:
    """Say what this is."""
    total, free = _memory()
    return web.json_response(
        {
            "system": {
                "os": sys.platform,
                "ram_total": total,
                "ram_free": free,
                "comfyui_version": COMPAT_VERSION,
                "required_frontend_version": None,
                "python_version": sys.version,
                "pytorch_version": None,
                "embedded_python": False,
                "embedded_engine": True,
                "argv": state_of(request).argv,
            },
            "devices": [
                {
                    "name": DEVICE_NAME,
                    "type": "cpu",
                    "index": None,
                    "vram_total": total,
                    "vram_free": free,
                    "torch_vram_total": total,
                    "torch_vram_free": free,
                }
            ],
        }
    )


def _memory() -> tuple[int, int]:
    """Return total and free bytes of memory; 0 where the system does not say."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        return page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0, 0


@routes.get("/features")
async def features(request: web.Request) -> web.Response:
    """Name what the server can do."""
    return web.json_response(FEATURES)


@routes.get("/object_info")
async def object_info(request: web.Request) -> web.Response:
    """Describe all node classes."""
    return web.json_response(state_of(request).registry.all_info())


@routes.get("/object_info/{node_class}")
async def object_info_one(request: web.Request) -> web.Response:
    """Describe one node class; ``{}`` when there is none of that name."""
    registry, name = state_of(request).registry, request.match_info["node_class"]
    return web.json_response({name: registry.info(name)} if name in registry.classes else {})


@routes.get("/models")
async def models(request: web.Request) -> web.Response:
    """List the kinds of models."""
    return web.json_response(list(_MODEL_FOLDERS))


@routes.get("/models/{folder}")
async def models_in(request: web.Request) -> web.Response:
    """List the models of one kind."""
    folder = request.match_info["folder"]
    if folder not in _MODEL_FOLDERS:
        return web.Response(status=404)
    return web.json_response(checkpoint_names(state_of(request)) if folder == "checkpoints" else [])


def checkpoint_names(state: State) -> list[str]:
    """Return the choices of the checkpoint loader."""
    info: dict[str, Any] = state.registry.info("CheckpointLoaderSimple")
    return list(info["input"]["required"]["ckpt_name"][0])


@routes.get("/embeddings")
@routes.get("/extensions")
async def nothing_listed(request: web.Request) -> web.Response:
    """There are no embeddings and no front-end extensions."""
    return web.json_response([])


@routes.get("/i18n")
@routes.get("/workflow_templates")
@routes.get("/global_subgraphs")
@routes.get("/node_replacements")
async def nothing_mapped(request: web.Request) -> web.Response:
    """There are no translations, templates, subgraphs or replacements."""
    return web.json_response({})


@routes.get("/")
async def page(request: web.Request) -> web.Response:
    """Tell a visitor with a browser what this is."""
    return web.Response(text=_PAGE % request.url.origin(), content_type="text/html")


internal = web.RouteTableDef()
"""Only under /internal, never under /api."""


@internal.get("/internal/logs/raw")
async def logs(request: web.Request) -> web.Response:
    """Return the last log lines."""
    entries = list(state_of(request).log.entries)
    return web.json_response({"entries": entries, "size": {"cols": 80, "rows": 24}})


@internal.get("/internal/logs")
async def logs_text(request: web.Request) -> web.Response:
    """Return the last log lines as one JSON string."""
    entries = state_of(request).log.entries
    return web.json_response("".join(f"{entry['t']} - {entry['m']}" for entry in entries))


@internal.get("/internal/folder_paths")
async def folder_paths(request: web.Request) -> web.Response:
    """Return the folders of each kind of model; this engine's models are no files."""
    return web.json_response({folder: [] for folder in _MODEL_FOLDERS})


@internal.get("/internal/files/{kind}")
async def files(request: web.Request) -> web.Response:
    """List the files of a folder, newest first."""
    root = state_of(request).folders.root(request.match_info["kind"])
    if root is None:
        return web.json_response({"error": "Invalid directory type"}, status=400)
    entries = [entry for entry in root.iterdir() if entry.is_file()]
    return web.json_response([e.name for e in sorted(entries, key=lambda e: -e.stat().st_mtime)])
