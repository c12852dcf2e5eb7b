"""Ids of prompts."""

from __future__ import annotations

import uuid


def new_id() -> str:
    """Return an id that no prompt has."""
    return str(uuid.uuid4())


def own_id(prompt_id: str | None) -> str:
    """Return the id that somebody chose, or a new one.

    Raises
    ------
    ValueError
        It is no UUID as ComfyUI wants it.
    """
    if prompt_id is None:
        return new_id()
    try:
        right = str(uuid.UUID(prompt_id)) == prompt_id
    except ValueError:
        right = False
    if not right:
        raise ValueError(f"prompt_id is {prompt_id!r}, but must be a lower-case UUID; str(uuid.uuid4()) makes one.")
    return prompt_id
