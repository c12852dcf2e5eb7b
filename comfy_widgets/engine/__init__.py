"""The embedded ComfyUI-compatible engine.

A small server that speaks ComfyUI's HTTP and websocket language on 127.0.0.1 and draws images with a real diffusion
sampler over procedurally drawn scenes: everything runs on a fresh machine without a GPU. It is no Stable Diffusion and
says so wherever it can (``/system_stats``, the checkpoint's name, the banner).

* `Engine` starts it as a process of its own: ``with Engine() as engine: engine.url``.
* `main` is its command line: ``comfy-widgets engine`` and ``python -m comfy_widgets.engine``.
* `progress`, `progress_text`, `check_interrupted`, `ExecutionBlocker` and `GraphBuilder` are for files given as
  ``custom_nodes``.

Importing this package loads neither numpy nor aiohttp; only the engine's own process needs them.
"""

from ._builder import GraphBuilder, GraphNode
from ._command import main
from ._context import ExecutionBlocker, Interrupted, check_interrupted, progress, progress_text
from ._process import Engine, EngineError

__all__ = [
    "Engine",
    "EngineError",
    "ExecutionBlocker",
    "GraphBuilder",
    "GraphNode",
    "Interrupted",
    "check_interrupted",
    "main",
    "progress",
    "progress_text",
]
