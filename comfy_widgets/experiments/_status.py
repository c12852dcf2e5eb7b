"""``comfy-widgets fleet status``: how servers stand, from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..protocol import ComfyError, plain
from ._members import Member, add_to
from ._timings import model_of

_HEADS = ("server", "status", "running", "waiting", "ComfyUI", "free memory", "what runs")


def fleet_status(servers: Sequence[str], say: Callable[[str], object] = print) -> int:
    """Say how servers stand: their queues, versions, free memory, and the models of what runs.

    Parameters
    ----------
    servers : sequence of str
        Their addresses.
    say : callable
        Takes each line.

    Returns
    -------
    int
        How many do not answer.

    Raises
    ------
    ComfyError
        An address cannot be used, is named twice, or is that of no ComfyUI.

    Examples
    --------
    >>> fleet_status([engine.url])  # doctest: +ELLIPSIS
    server ...
    0
    """
    members: list[Member] = []
    try:
        for server in servers:
            add_to(members, server)
        rows = [_HEADS, *map(_row, members)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
        for row in rows:
            say("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
        for member in members:
            if member.error:
                say(member.error)
        versions = {member.version for member in members if member.version}
        if len(versions) > 1:
            say("They run different versions of ComfyUI: the same seed may give another image.")
        return sum(bool(member.error) for member in members)
    finally:
        for member in members:
            member.close()


def _row(member: Member) -> tuple[str, ...]:
    if member.definitions is None:
        return (member.name, "no answer", "", "", "", "", "")
    try:
        queue, stats = member.client.queue(), member.client.system_stats()
    except ComfyError as error:
        member.error = str(error)
        return (member.name, "no answer", "", "", member.version, "", "")
    free = [device.vram_free for device in stats.devices if device.vram_free]
    memory = f"{sum(free) / (1 << 30):.1f} GB" if free else ""
    runs = ", ".join(model_of(item.prompt) or item.prompt_id[:8] for item in queue.queue_running)
    status = "working" if queue.queue_running else "ready"
    counts = (str(len(queue.queue_running)), str(len(queue.queue_pending)))
    return (member.name, status, *counts, plain(member.version), memory, plain(runs))
