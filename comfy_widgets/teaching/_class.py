"""The server of the lessons."""

from __future__ import annotations

import os

from ..client import ComfyClient, shared_engine


def lesson_client() -> ComfyClient:
    """Return a client for the lessons: of the server that ``COMFYUI_URL`` names, else of the embedded engine.

    Unlike ``ComfyClient()`` it takes no ComfyUI that happens to run on this machine: what the lessons say is true of
    the engine's model, and its steps can be looked at. All lessons of a process share one engine.

    Returns
    -------
    ComfyClient

    Raises
    ------
    ComfyError
        The embedded engine is not installed.

    Examples
    --------
    >>> from comfy_widgets.teaching import lesson_client
    >>> lesson_client().embedded
    True
    """
    named = os.environ.get("COMFYUI_URL", "").strip()
    return ComfyClient(named) if named else ComfyClient(shared_engine().url, journal=False)
