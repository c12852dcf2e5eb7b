"""What this server allows, and what it tells about itself."""

from __future__ import annotations

from typing import Any

MAX_UPLOAD = 104_857_600
MAX_CLIENT_MESSAGE = 4 * 1024 * 1024
COMPAT_VERSION = "0.8.0+comfy_widgets"
DEVICE_NAME = "embedded engine, small procedural model (CPU)"

FEATURES: dict[str, Any] = {
    "supports_preview_metadata": True,
    "max_upload_size": MAX_UPLOAD,
    "extension": {"manager": {"supports_v4": True}},
    "embedded_engine": True,
}
"""The answer of /features and of the websocket."""
