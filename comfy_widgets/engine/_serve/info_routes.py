"""/system_stats, /features, /object_info and the log."""

from __future__ import annotations

import os
import sys

from aiohttp import web

from .limits import DEVICE_NAME, features_of
from .state import state_of

routes = web.RouteTableDef()

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>comfy_widgets engine</title>
<body style="font: 16px/1.5 system-ui; max-width: 40em; margin: 4em auto; padding: 0 1em">
<h1>comfy_widgets embedded engine</h1>
<p>A ComfyUI-compatible server with a small procedural model. It has no page of its own: connect a notebook with
<code>ComfyClient("%s")</code>.</p></body></html>"""


@routes.get("/system_stats")
async def system_stats(request: web.Request) -> web.Response:
    """Say what this is."""
    total, free = _memory()
    state = state_of(request)
    newest = {"comfy_package_versions": [], "deploy_environment": "local-git"} if state.wire.is_newest else {}
    return web.json_response(
        {
            "system": {
                "os": sys.platform,
                "ram_total": total,
                "ram_free": free,
                "comfyui_version": f"{state.wire.version}+comfy_widgets",
                "required_frontend_version": None,
                "installed_templates_version": None,
                "required_templates_version": None,
                "python_version": sys.version,
                "pytorch_version": None,
                "embedded_python": False,
                "embedded_engine": True,
                "argv": state.argv,
                **newest,
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
    return web.json_response(features_of(state_of(request).wire))


@routes.get("/object_info")
async def object_info(request: web.Request) -> web.Response:
    """Describe all node classes."""
    state = state_of(request)
    return web.json_response(state.registry.all_info(newest=state.wire.is_newest))


@routes.get("/object_info/{node_class}")
async def object_info_one(request: web.Request) -> web.Response:
    """Describe one node class; ``{}`` when there is none of that name."""
    state, name = state_of(request), request.match_info["node_class"]
    known = name in state.registry.classes
    return web.json_response({name: state.registry.info(name, newest=state.wire.is_newest)} if known else {})


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


@internal.get("/internal/files/{kind}")
async def files(request: web.Request) -> web.Response:
    """List the files of a folder, newest first."""
    root = state_of(request).folders.root(request.match_info["kind"])
    if root is None:
        return web.json_response({"error": "Invalid directory type"}, status=400)
    entries = [entry for entry in root.iterdir() if entry.is_file() and not entry.name.startswith(".")]
    kind = request.match_info["kind"]
    return web.json_response([f"{e.name} [{kind}]" for e in sorted(entries, key=lambda e: -e.stat().st_mtime)])


@internal.patch("/internal/logs/subscribe")
async def subscribe_to_logs(request: web.Request) -> web.Response:
    """Send a client every new line of the log, or stop that."""
    body = await request.json()
    state_of(request).hub.follow_log(str(body["clientId"]), is_wanted=bool(body["enabled"]))
    return web.Response()
