"""Whether a server has a prompt."""

from __future__ import annotations

from ..client import ComfyClient


def has_prompt(client: ComfyClient, prompt_id: str) -> bool:
    """Tell whether a prompt waits, runs or has ended on a server.

    The queue is asked first: a prompt that leaves it between the two questions is in the history by then. The other way
    round it would be in neither, and would be sent again.

    Raises
    ------
    ComfyError
        The server does not answer.
    """
    return client.queue().position(prompt_id) is not None or client.history(prompt_id) is not None
