"""Ids of prompts."""

from __future__ import annotations

import uuid


def new_id() -> str:
    """Return an id that no prompt has."""
    return str(uuid.uuid4())
