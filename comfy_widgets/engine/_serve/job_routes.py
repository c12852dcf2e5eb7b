"""/api/jobs: the same facts as queue and history, one entry for each prompt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from .._run.graph import is_canonical
from .._run.promptqueue import Item
from .._run.wire import Wire
from .state import state_of

routes = web.RouteTableDef()
newest = web.RouteTableDef()
"""Routes that ComfyUI 0.8.0 did not have."""

STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
_PREVIEW_KEYS = ("images", "gifs", "video", "audio", "3d")


@routes.get("/api/jobs")
async def list_jobs(request: web.Request) -> web.Response:
    """List jobs, newest first."""
    query, state = request.query, state_of(request)
    try:
        wanted = _statuses(query.get("status"), state.wire)
        key = _choice(query, "sort_by", ("created_at", "execution_duration"))
        direction = _choice(query, "sort_order", ("desc", "asc"))
        limit = _limit(query.get("limit"))
        offset = _offset(query.get("offset"))
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)
    running, pending = state.queue.snapshot()
    jobs = [_queued(item, "pending") for item in pending] + [_queued(item, "in_progress") for item in running]
    jobs += [_ended(prompt_id, entry) for prompt_id, entry in state.queue.history().items()]
    jobs = [_as_told(job, state.wire) for job in jobs]
    jobs = [job for job in jobs if job["status"] in wanted]
    if "workflow_id" in query:
        jobs = [job for job in jobs if job.get("workflow_id") == query["workflow_id"]]
    jobs.sort(key=_created if key == "created_at" else _duration, reverse=direction == "desc")
    page = jobs[offset : None if limit is None else offset + limit]
    pagination = {
        "offset": offset,
        "limit": limit,
        "total": len(jobs),
        "has_more": offset + len(page) < len(jobs),
    }
    return web.json_response({"jobs": page, "pagination": pagination})


@routes.get("/api/jobs/{job_id}")
async def get_job(request: web.Request) -> web.Response:
    """Show one job, wherever it is; 404 means gone."""
    prompt_id = request.match_info["job_id"]
    state = state_of(request)
    found = state.queue.find(prompt_id)
    if found is None:
        return web.json_response({"error": "Job not found"}, status=404)
    where, what = found
    if isinstance(what, Item):
        return web.json_response(_as_told(_queued(what, where), state.wire))
    prompt, extra_data = what["prompt"][2], what["prompt"][3]
    return web.json_response(
        {
            **_as_told(_ended(prompt_id, what), state.wire),
            "outputs": what["outputs"],
            "execution_status": what["status"],
            "workflow": {"prompt": prompt, "extra_data": extra_data},
        }
    )


@newest.post("/api/jobs/{job_id}/cancel")
async def cancel_job(request: web.Request) -> web.Response:
    """Take a pending job out, or interrupt it if it runs."""
    state = state_of(request)
    return web.json_response({"cancelled": _cancel(state, request.match_info["job_id"])})


@newest.post("/api/jobs/cancel")
async def cancel_jobs(request: web.Request) -> web.Response:
    """Cancel several jobs."""
    try:
        body = await request.json()
    except ValueError:
        return web.json_response({"error": "Request body must be valid JSON"}, status=400)
    ids = body.get("job_ids") if isinstance(body, dict) else None
    if not isinstance(ids, list):
        return web.json_response({"error": "job_ids must be a list"}, status=400)
    invalid = [str(job_id) for job_id in ids if not is_canonical(job_id)]
    if invalid:
        return web.json_response({"error": "job_ids contains invalid id(s)", "invalid_ids": invalid}, status=400)
    state = state_of(request)
    hit = [_cancel(state, job_id) for job_id in ids]
    return web.json_response({"cancelled": any(hit)})


def _cancel(state: Any, prompt_id: str) -> bool:
    if state.queue.delete(prompt_id):
        state.hub.send_status()
        return True
    return bool(state.queue.interrupt(prompt_id))


def _queued(item: Item, status: str) -> dict[str, Any]:
    return {
        "id": item.prompt_id,
        "status": status,
        "priority": item.number,
        "create_time": item.extra_data.get("create_time"),
        "outputs_count": 0,
        "previewable_outputs_count": 0,
        **_workflow_id(item.extra_data),
    }


def _ended(prompt_id: str, entry: dict[str, Any]) -> dict[str, Any]:
    number, _, _, extra_data, _ = entry["prompt"]
    messages = dict(entry["status"]["messages"])
    status = "failed"
    if entry["status"]["completed"]:
        status = "completed"
    elif "execution_interrupted" in messages:
        status = "cancelled"
    job: dict[str, Any] = {
        "id": prompt_id,
        "status": status,
        "priority": number,
        "create_time": extra_data.get("create_time"),
    }
    if "execution_start" in messages:
        job["execution_start_time"] = messages["execution_start"]["timestamp"]
    for end in ("execution_success", "execution_error", "execution_interrupted"):
        if end in messages:
            job["execution_end_time"] = messages[end]["timestamp"]
    if "execution_error" in messages:
        job["execution_error"] = messages["execution_error"]
    items = list(_items(entry["outputs"]))
    job["outputs_count"] = job["previewable_outputs_count"] = len(items)
    if items and status != "cancelled":
        # ComfyUI shows a saved file before a temporary one.
        job["preview_output"] = next((item for item in items if item["type"] == "output"), items[0])
    return {**job, **_workflow_id(extra_data)}


def _as_told(job: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """Return a job as ComfyUI 0.8.0 tells it, unless the newest one is meant."""
    if wire.is_newest:
        return job
    job = {key: value for key, value in job.items() if key != "previewable_outputs_count"}
    return {**job, "status": "failed"} if job["status"] == "cancelled" else job


def _items(outputs: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node_id, output in outputs.items():
        for media in _PREVIEW_KEYS:
            for item in output.get(media, ()):
                if isinstance(item, dict) and "filename" in item:
                    yield {**item, "nodeId": node_id, "mediaType": media}


def _workflow_id(extra_data: dict[str, Any]) -> dict[str, Any]:
    workflow = (extra_data.get("extra_pnginfo") or {}).get("workflow")
    workflow_id = workflow.get("id") if isinstance(workflow, dict) else None
    return {} if workflow_id is None else {"workflow_id": workflow_id}


def _created(job: dict[str, Any]) -> float:
    return float(job["create_time"] or 0)


def _duration(job: dict[str, Any]) -> float:
    return float(job.get("execution_end_time", 0) - job.get("execution_start_time", 0))


def _statuses(text: str | None, wire: Wire) -> set[str]:
    known = STATUSES if wire.is_newest else STATUSES[:-1]
    if text is None:
        return set(known)
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in wanted if word not in known]
    if unknown:
        raise ValueError(f"Invalid status value(s): {', '.join(unknown)}. Valid values: {', '.join(known)}")
    return set(wanted)


def _choice(query: Any, name: str, choices: tuple[str, ...]) -> str:
    value: str = query.get(name, choices[0])
    if value not in choices:
        raise ValueError(f"{name} must be one of: {', '.join(choices)}")
    return value


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("limit must be a positive integer")
    return int(text)


def _offset(text: str | None) -> int:
    try:
        return max(0, int(text or 0))
    except ValueError:
        raise ValueError("offset must be an integer") from None
