"""/comfy_widgets/steps: what samplers did, step by step. This route is the engine's own; ComfyUI has none like it."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from typing import Any

import numpy as np
from aiohttp import web

from .._model.arrays import Array
from .._model.checkpoints import LATENT_SCALE
from .._run.steps import Recording
from .state import state_of

routes = web.RouteTableDef()


@routes.get("/comfy_widgets/steps/{prompt_id}")
async def steps(request: web.Request) -> web.Response:
    """Send the steps of a prompt as a zip file; its format stands in the documentation of `_packed`."""
    prompt_id = request.match_info["prompt_id"]
    recordings = state_of(request).steps.of(prompt_id)
    if not recordings:
        message = (
            f"No steps are kept of the prompt {prompt_id}: no sampler has run for it, or it is so long ago that newer "
            "runs took its place."
        )
        return web.json_response({"error": message}, status=404)
    body = await asyncio.get_running_loop().run_in_executor(None, _packed, prompt_id, recordings)
    return web.Response(body=body, content_type="application/zip")


def _packed(prompt_id: str, recordings: list[Recording]) -> bytes:
    """Return a zip file: ``steps.json``, and the arrays as .npy files, one folder for each sampler that ran.

    ``0/x.npy`` has the latents of all steps of the first sampler, shape (steps, 3, rows, columns), and so have
    ``estimate``, ``positive`` and, where it was asked, ``negative``; ``scenes`` has those of the scenes, and ``result``
    what the sampler ended on. ``value / scale + 0.5`` is the colour, 0..1.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        runs = [_run(file, f"{number}/", recording) for number, recording in enumerate(recordings)]
        text = json.dumps({"prompt_id": prompt_id, "scale": float(LATENT_SCALE), "runs": runs})
        file.writestr("steps.json", text)
    return buffer.getvalue()


def _run(file: zipfile.ZipFile, folder: str, recording: Recording) -> dict[str, Any]:
    for name in ("x", "estimate", "positive", "negative"):
        if recording.steps and name in recording.steps[0].arrays:
            _write(file, f"{folder}{name}.npy", np.stack([step.arrays[name] for step in recording.steps]))
    if recording.scenes:
        _write(file, f"{folder}scenes.npy", np.stack([latent for _, latent in recording.scenes.values()]))
    if recording.result is not None:
        _write(file, f"{folder}result.npy", recording.result)
    places = {number: place for place, number in enumerate(recording.scenes)}
    return {
        "node": recording.node_id,
        "class_type": recording.class_type,
        **recording.facts,
        "complete": recording.complete,
        "scenes": [words for words, _ in recording.scenes.values()],
        "steps": [
            {
                "step": step.done,
                "sigma": step.sigma,
                "evaluations": step.evaluations,
                "shares": [[places[number], share] for number, share in step.shares.items()],
            }
            for step in recording.steps
        ],
    }


def _write(file: zipfile.ZipFile, name: str, values: Array) -> None:
    buffer = io.BytesIO()
    np.save(buffer, values)
    file.writestr(name, buffer.getvalue())
