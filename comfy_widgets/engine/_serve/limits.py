"""What this server allows, and what it tells about itself."""

from __future__ import annotations

from typing import Any

from .._run.wire import Wire

MAX_UPLOAD = 104_857_600
MAX_CLIENT_MESSAGE = 4 * 1024 * 1024
DEVICE_NAME = "embedded engine, small procedural model (CPU)"


def features_of(wire: Wire) -> dict[str, Any]:
    """Return the answer of /features and of the websocket."""
    newest = {"supports_model_type_tags": True, "node_replacements": True, "assets": False} if wire.is_newest else {}
    return {
        "supports_preview_metadata": True,
        "max_upload_size": MAX_UPLOAD,
        "extension": {"manager": {"supports_v4": True}},
        **newest,
        "embedded_engine": True,
    }
