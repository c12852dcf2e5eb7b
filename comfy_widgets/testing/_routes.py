"""The answers of the scripted server where the test gives none: a small, believable ComfyUI."""

from __future__ import annotations

import email
import email.policy
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

from ._host import Host
from ._http_server import Reply, Request
from ._state import Queued

_IMAGE_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "mp4": "video/mp4"}


def post_prompt(server: Host, request: Request) -> Reply:
    """``POST /prompt``, with ComfyUI's refusals for what is no prompt (protocol 1.4)."""
    try:
        posted = request.json()
    except ValueError:
        return Reply.text("500 Internal Server Error\n\nServer got itself in trouble", 500)
    number = server.state.next_number(posted.get("number"), bool(posted.get("front")))
    if "prompt" not in posted:
        return _refused("no_prompt", "No prompt provided", "No prompt provided")
    prompt = posted["prompt"]
    infos = server.object_info
    for node_id, node in prompt.items():
        if node.get("class_type") not in infos:
            message = f"Cannot execute because node {node.get('class_type')} does not exist."
            return _refused("invalid_prompt", message, f"Node ID '#{node_id}'")
    outputs = [node_id for node_id, node in prompt.items() if infos[node["class_type"]]["output_node"]]
    targets = posted.get("partial_execution_targets")
    if targets is not None:
        outputs = [node_id for node_id in outputs if node_id in targets]
    if not outputs:
        return _refused("prompt_no_outputs", "Prompt has no outputs", "")
    extra_data = dict(posted.get("extra_data") or {})
    if "client_id" in posted:
        extra_data["client_id"] = posted["client_id"]
    prompt_id = str(posted.get("prompt_id", uuid.uuid4()))
    return server.accept(prompt_id, number, prompt, extra_data, outputs)


def _refused(kind: str, message: str, details: str) -> Reply:
    error = {"type": kind, "message": message, "details": details, "extra_info": {}}
    return Reply.json({"error": error, "node_errors": {}}, 400)


def get_prompt(server: Host, request: Request) -> Reply:
    """``GET /prompt``."""
    return Reply.json({"exec_info": {"queue_remaining": server.state.remaining}})


def get_queue(server: Host, request: Request) -> Reply:
    """``GET /queue``; pending prompts stand in no useful order, as in a heap."""
    running, pending = server.state.snapshot()
    return Reply.json(
        {
            "queue_running": [item.as_list() for item in running],
            "queue_pending": [item.as_list() for item in reversed(pending)],
        }
    )


def post_queue(server: Host, request: Request) -> Reply:
    """``POST /queue``: ``clear`` and ``delete``."""
    posted = request.json()
    wanted = set(posted.get("delete", ()))
    if server.state.delete(lambda item: bool(posted.get("clear")) or item.prompt_id in wanted):
        server.send_status()
    return Reply()


def post_interrupt(server: Host, request: Request) -> Reply:
    """``POST /interrupt``: whatever runs, or only one prompt."""
    try:
        prompt_id = request.json().get("prompt_id")
    except ValueError:
        prompt_id = None
    server.state.interrupt(prompt_id)
    return Reply()


def get_history(server: Host, request: Request) -> Reply:
    """``GET /history`` and ``GET /history/<id>``."""
    history = server.state.history
    if request.path != "/history":
        return Reply.json({key: entry for key, entry in history.items() if key == request.last})
    limit = int(request.query.get("max_items", len(history)))
    return Reply.json(dict(list(history.items())[-limit:] if limit > 0 else []))


def post_history(server: Host, request: Request) -> Reply:
    """``POST /history``: ``clear`` and ``delete``."""
    posted = request.json()
    for prompt_id in list(server.state.history) if posted.get("clear") else posted.get("delete", ()):
        server.forget(prompt_id)
    return Reply()


def get_view(server: Host, request: Request) -> Reply:
    """``GET /view``, with ranges."""
    query = request.query
    content = server.files.get(query.get("filename", ""), query.get("subfolder", ""), query.get("type", "output"))
    if content is None:
        return Reply(404)
    kind = _IMAGE_TYPES.get(query["filename"].rpartition(".")[2].lower(), "application/octet-stream")
    headers = {"Content-Disposition": f'filename="{query["filename"]}"', "Accept-Ranges": "bytes"}
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.header("Range") or "")
    if asked is None:
        return Reply(200, content, kind, headers)
    first, last = int(asked[1]), int(asked[2] or len(content) - 1)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return Reply(206, content[first : last + 1], kind, headers)


def post_upload(server: Host, request: Request) -> Reply:
    """``POST /upload/image``: an equal file is used again, another of the same name gets a number."""
    form = _form(request)
    if "image" not in form:
        return Reply(400)
    filename, content = form["image"]
    folder = form.get("type", ("", b"input"))[1].decode()
    subfolder = form.get("subfolder", ("", b""))[1].decode()
    overwrite = form.get("overwrite", ("", b""))[1] in (b"true", b"1")
    stem, dot, extension = filename.rpartition(".")
    name, count = filename, 0
    while not overwrite and server.files.get(name, subfolder, folder) not in (None, content):
        count += 1
        name = f"{stem} ({count}){dot}{extension}"
    item = server.files.put(name, content, subfolder, folder)
    return Reply.json({"name": name, "subfolder": item["subfolder"], "type": item["type"]})


def _form(request: Request) -> dict[str, tuple[str, bytes]]:
    """Fields of a multipart form: name -> (filename, content)."""
    head = f"Content-Type: {request.header('Content-Type')}\r\n\r\n".encode("latin-1")
    message = email.message_from_bytes(head + request.body, policy=email.policy.HTTP)
    form = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        form[str(name)] = (part.get_filename() or "", content if isinstance(content, bytes) else b"")
    return form


def get_system_stats(server: Host, request: Request) -> Reply:
    """``GET /system_stats``."""
    system = {
        "os": "posix",
        "ram_total": 16 << 30,
        "ram_free": 8 << 30,
        "comfyui_version": server.version,
        "required_frontend_version": "1.27.10",
        "python_version": "3.11.7 (scripted)",
        "pytorch_version": "2.8.0+cpu",
        "embedded_python": False,
        "argv": ["main.py", "--cpu"],
    }
    device = {
        "name": "cpu",
        "type": "cpu",
        "index": None,
        "vram_total": 16 << 30,
        "vram_free": 8 << 30,
        "torch_vram_total": 16 << 30,
        "torch_vram_free": 8 << 30,
    }
    return Reply.json({"system": system, "devices": [device]})


def get_object_info(server: Host, request: Request) -> Reply:
    """``GET /object_info`` and ``GET /object_info/<class>``."""
    infos = server.object_info
    return Reply.json(
        infos if request.path == "/object_info" else {k: v for k, v in infos.items() if k == request.last}
    )


def get_features(server: Host, request: Request) -> Reply:
    """``GET /features``; unknown to a server without feature flags."""
    return Reply(404) if server.features is None else Reply.json(server.features)


def get_jobs(server: Host, request: Request) -> Reply:
    """``GET /api/jobs`` and ``/api/jobs/<id>``, where the server has them."""
    if server.jobs_api is None:
        return Reply(404)
    jobs = _jobs(server)
    if request.path == "/api/jobs":
        pagination = {"offset": 0, "limit": None, "total": len(jobs), "has_more": False}
        return Reply.json({"jobs": list(jobs.values()), "pagination": pagination})
    if request.last not in jobs:
        return Reply.json({"error": "Job not found"}, 404)
    return Reply.json(jobs[request.last])


def post_cancel(server: Host, request: Request) -> Reply:
    """``POST /api/jobs/<id>/cancel``, where the server has it."""
    if server.jobs_api != "cancel":
        return Reply.text("405: Method Not Allowed", 405)
    prompt_id = request.path.split("/")[-2]
    cancelled = server.state.interrupt(prompt_id)
    if not cancelled and server.state.delete(lambda item: item.prompt_id == prompt_id):
        server.send_status()
        cancelled = True
    return Reply.json({"cancelled": cancelled})


def _jobs(server: Host) -> dict[str, dict[str, Any]]:
    running, pending = server.state.snapshot()
    jobs: dict[str, dict[str, Any]] = {}
    for status, items in (("in_progress", running), ("pending", pending)):
        for item in items:
            jobs[item.prompt_id] = _job(item, status)
    for prompt_id, entry in list(server.state.history.items()):
        status = "completed" if entry["status"]["completed"] else "failed"
        interrupted = any(kind == "execution_interrupted" for kind, _ in entry["status"]["messages"])
        jobs[prompt_id] = {
            "id": prompt_id,
            "status": "cancelled" if interrupted and server.jobs_api == "cancel" else status,
            "priority": entry["prompt"][0],
            "outputs_count": len(entry["outputs"]),
            "outputs": entry["outputs"],
            "execution_status": entry["status"],
            "workflow": {"prompt": entry["prompt"][2], "extra_data": entry["prompt"][3]},
        }
    return jobs


def _job(item: Queued, status: str) -> dict[str, Any]:
    return {"id": item.prompt_id, "status": status, "priority": item.number, "outputs_count": 0}


def parse_json(text: str | bytes) -> Any:
    """Value of a JSON text; None when it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _empty(server: Host, request: Request) -> Reply:
    return Reply()


def _models(server: Host, request: Request) -> Reply:
    checkpoints = server.object_info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0]
    return Reply.json(["checkpoints"] if request.path == "/models" else checkpoints)


def _embeddings(server: Host, request: Request) -> Reply:
    return Reply.json([])


ROUTES: dict[tuple[str, str], Callable[[Host, Request], Reply]] = {
    ("POST", "/prompt"): post_prompt,
    ("GET", "/prompt"): get_prompt,
    ("GET", "/queue"): get_queue,
    ("POST", "/queue"): post_queue,
    ("POST", "/interrupt"): post_interrupt,
    ("GET", "/history"): get_history,
    ("GET", "/history/*"): get_history,
    ("POST", "/history"): post_history,
    ("GET", "/view"): get_view,
    ("POST", "/upload/image"): post_upload,
    ("GET", "/system_stats"): get_system_stats,
    ("GET", "/object_info"): get_object_info,
    ("GET", "/object_info/*"): get_object_info,
    ("GET", "/features"): get_features,
    ("GET", "/api/jobs"): get_jobs,
    ("GET", "/api/jobs/*"): get_jobs,
    ("POST", "/api/jobs/*/cancel"): post_cancel,
    ("POST", "/free"): _empty,
    ("GET", "/models"): _models,
    ("GET", "/models/checkpoints"): _models,
    ("GET", "/embeddings"): _embeddings,
}
