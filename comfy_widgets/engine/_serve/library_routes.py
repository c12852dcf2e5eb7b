"""/models, /experiment/models, templates and other things that come with a server."""

from __future__ import annotations

import mimetypes
from importlib import resources
from typing import Any

from aiohttp import web

from .._model.names import LORA_NAMES
from .state import State, state_of

routes = web.RouteTableDef()
internal = web.RouteTableDef()
"""Only under /internal, never under /api."""

_FOLDERS = (
    "checkpoints", "configs", "loras", "vae", "text_encoders", "diffusion_models", "clip_vision", "style_models",
    "embeddings", "diffusers", "vae_approx", "controlnet", "gligen", "upscale_models", "latent_upscale_models",
    "custom_nodes", "datasets", "hypernetworks", "photomaker", "classifiers", "model_patches", "audio_encoders",
    "background_removal", "frame_interpolation", "geometry_estimation", "optical_flow", "detection",
)  # fmt: skip
_ONLY_NEWEST = (
    "datasets", "background_removal", "frame_interpolation", "geometry_estimation", "optical_flow", "detection",
)  # fmt: skip
_EXTENSIONS = (".bin", ".ckpt", ".pkl", ".pt", ".pt2", ".pth", ".safetensors", ".sft")
_ALSO_CHECKPOINTS = ("diffusion_models", "text_encoders", "vae")
"""One checkpoint is model, text encoder and VAE at once, and each loader takes it."""


def _folders(state: State) -> list[str]:
    return [name for name in _FOLDERS if state.wire.is_newest or name not in _ONLY_NEWEST]


def _models(state: State, folder: str) -> list[str]:
    """Return the models of one kind."""
    if folder == "checkpoints" or folder in _ALSO_CHECKPOINTS:
        info: dict[str, Any] = state.registry.info("CheckpointLoaderSimple")
        return list(info["input"]["required"]["ckpt_name"][0])
    return list(LORA_NAMES) if folder == "loras" else []


@routes.get("/models")
async def models(request: web.Request) -> web.Response:
    """List the kinds of models."""
    return web.json_response(_folders(state_of(request)))


@routes.get("/models/{folder}")
async def models_in(request: web.Request) -> web.Response:
    """List the models of one kind."""
    state, folder = state_of(request), request.match_info["folder"]
    return web.json_response(_models(state, folder)) if folder in _folders(state) else web.Response(status=404)


@routes.get("/experiment/models")
async def model_folders(request: web.Request) -> web.Response:
    """Describe the kinds of models; this engine's are no files, so there are no folders."""
    hidden = ("configs", "custom_nodes")
    kinds = [name for name in _folders(state_of(request)) if name not in hidden]
    return web.json_response([{"name": name, "folders": [], "extensions": list(_EXTENSIONS)} for name in kinds])


@routes.get("/experiment/models/{folder}")
async def model_files(request: web.Request) -> web.Response:
    """Describe the models of one kind, as if they were files."""
    state, folder = state_of(request), request.match_info["folder"]
    if folder not in _folders(state):
        return web.Response(status=404)
    names = _models(state, folder)
    return web.json_response([{"name": name, "pathIndex": 0, "modified": 0, "created": 0, "size": 0} for name in names])


@routes.get("/view_metadata/{folder}")
async def view_metadata(request: web.Request) -> web.Response:
    """There are no files with notes."""
    return web.Response(status=404)


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
    """There are no translations, templates of packs, subgraphs or replacements."""
    return web.json_response({})


@routes.get("/global_subgraphs/{name}")
async def no_subgraph(request: web.Request) -> web.Response:
    """Send null, as ComfyUI does for a subgraph that it does not have."""
    return web.json_response(None)


@routes.get("/templates/{name}")
async def template(request: web.Request) -> web.Response:
    """Send the list of templates, one of them, or its image. What the editor asks for besides is empty."""
    name = request.match_info["name"]
    if name == "index_logo.json":
        return web.json_response({})
    found = resources.files(__package__).joinpath("templates").joinpath(name)
    kind = mimetypes.guess_type(name)[0]
    if "/" in name or "\\" in name or kind not in ("application/json", "image/webp") or not found.is_file():
        return web.Response(status=404)
    return web.Response(body=found.read_bytes(), content_type=kind)


@internal.get("/internal/folder_paths")
async def folder_paths(request: web.Request) -> web.Response:
    """Return the folders of each kind of model; this engine's models are no files."""
    return web.json_response({folder: [] for folder in _folders(state_of(request))})
