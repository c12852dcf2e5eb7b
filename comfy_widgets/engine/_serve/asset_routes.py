"""/api/assets and /api/tags: the engine answers as a ComfyUI that was started without assets."""

from __future__ import annotations

from aiohttp import web

routes = web.RouteTableDef()

_DISABLED = {
    "error": {
        "code": "SERVICE_DISABLED",
        "message": "Assets system is disabled. Start the server with --enable-assets to use this feature.",
        "details": {},
    }
}


@routes.route("*", "/api/assets")
@routes.route("*", "/api/assets/{rest:.*}")
@routes.route("*", "/api/tags")
async def disabled(request: web.Request) -> web.Response:
    """Say that there are none."""
    return web.json_response(_DISABLED, status=503)
