"""/prompt, /queue, /interrupt, /free and /history."""

from __future__ import annotations

import json
import logging
import time
import uuid
from typing import Any

from aiohttp import web

from .._run.graph import is_canonical
from .._run.validate import PromptRefused, validate
from .state import state_of

routes = web.RouteTableDef()
_log = logging.getLogger(__name__)


@routes.get("/prompt")
async def get_prompt(request: web.Request) -> web.Response:
    """Tell how long the queue is."""
    return web.json_response({"exec_info": {"queue_remaining": state_of(request).queue.remaining()}})


@routes.post("/prompt")
async def post_prompt(request: web.Request) -> web.Response:
    """Check a prompt and queue it. Malformed requests raise, which answers 500 as ComfyUI does."""
    state = state_of(request)
    body = await request.json()
    # ComfyUI counts every POST, also those it refuses.
    number: float = next(state.numbers)
    if "number" in body:
        number = float(body["number"])
    elif body.get("front") if isinstance(body, dict) else False:
        number = -number
    if "prompt" not in body:
        message = "No prompt provided"
        return _refuse({"type": "no_prompt", "message": message, "details": message, "extra_info": {}}, {})
    prompt = body["prompt"]
    prompt_id = body["prompt_id"] if body.get("prompt_id") is not None else str(uuid.uuid4())
    if state.wire.is_newest and not is_canonical(prompt_id):
        return _refuse(_INVALID_ID, {})
    prompt_id = str(prompt_id)
    try:
        outputs, node_errors = validate(state.registry, prompt, state.wire, body.get("partial_execution_targets"))
    except PromptRefused as refusal:
        _log.warning("Refused a prompt: %s", refusal)
        return _refuse(refusal.error, refusal.node_errors)
    extra_data: dict[str, Any] = body.get("extra_data", {})
    if not isinstance(extra_data, dict):
        raise TypeError("extra_data must be an object.")
    extra_data = dict(extra_data)
    if "Comfy-Usage-Source" in request.headers and state.wire.is_newest:
        extra_data["comfy_usage_source"] = request.headers["Comfy-Usage-Source"]
    if "client_id" in body:
        extra_data["client_id"] = body["client_id"]
    extra_data["create_time"] = int(time.time() * 1000)
    state.queue.put(number, prompt_id, prompt, extra_data, outputs)
    state.hub.send_status()
    return web.json_response({"prompt_id": prompt_id, "number": number, "node_errors": node_errors})


_INVALID_ID = {
    "type": "invalid_prompt_id",
    "message": "prompt_id must be a valid UUID",
    "details": (
        "prompt_id must be a UUID string in canonical lowercase hyphenated form; omit it to let the server generate one"
    ),
    "extra_info": {},
}


def _refuse(error: dict[str, Any], node_errors: dict[str, Any]) -> web.Response:
    return web.json_response({"error": error, "node_errors": node_errors}, status=400)


@routes.get("/queue")
async def get_queue(request: web.Request) -> web.Response:
    """Show the running and the pending prompts."""
    running, pending = state_of(request).queue.snapshot()
    return web.json_response(
        {"queue_running": [item.wire() for item in running], "queue_pending": [item.wire() for item in pending]}
    )


@routes.post("/queue")
async def post_queue(request: web.Request) -> web.Response:
    """Remove pending prompts: all of them, or by id. The running one is not touched."""
    state = state_of(request)
    body = await request.json()
    if body.get("clear"):
        state.queue.clear()
        state.hub.send_status()
    for prompt_id in body.get("delete", ()):
        if state.queue.delete(str(prompt_id)):
            state.hub.send_status()
    return web.Response()


@routes.post("/interrupt")
async def post_interrupt(request: web.Request) -> web.Response:
    """Interrupt what runs; with a prompt_id only if that one runs."""
    try:
        body = await request.json()
    except json.JSONDecodeError:
        body = {}
    state_of(request).queue.interrupt(body.get("prompt_id"))
    return web.Response()


@routes.post("/free")
async def post_free(request: web.Request) -> web.Response:
    """Drop models and/or results after the current prompt."""
    body = await request.json()
    wanted = set()
    if body.get("unload_models"):
        wanted.add("models")
    if body.get("free_memory"):
        wanted |= {"models", "memory"}
    if wanted:
        state_of(request).queue.free(wanted)
    return web.Response()


@routes.get("/history")
async def get_history(request: web.Request) -> web.Response:
    """Show what ended, oldest first."""
    max_items = request.query.get("max_items")
    offset = int(request.query.get("offset", -1))
    history = state_of(request).queue.history(None if max_items is None else int(max_items), offset)
    return web.json_response(history)


@routes.get("/history/{prompt_id}")
async def get_history_entry(request: web.Request) -> web.Response:
    """Show one prompt's outcome; ``{}`` while it is not over, or unknown."""
    prompt_id = request.match_info["prompt_id"]
    entry = state_of(request).queue.entry(prompt_id)
    return web.json_response({} if entry is None else {prompt_id: entry})


@routes.post("/history")
async def post_history(request: web.Request) -> web.Response:
    """Forget all, or entries by id."""
    queue = state_of(request).queue
    body = await request.json()
    if body.get("clear"):
        queue.forget_all()
    for prompt_id in body.get("delete", ()):
        queue.forget(str(prompt_id))
    return web.Response()
