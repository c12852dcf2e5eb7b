"""Which ComfyUI the engine answers like."""

from __future__ import annotations

from dataclasses import dataclass

VERSIONS = ("0.8.0", "0.33.0")
NEWEST = VERSIONS[-1]


@dataclass(frozen=True)
class Wire:
    """A version of ComfyUI, as far as clients see it.

    Parameters
    ----------
    version : str
        One of `VERSIONS`.
    """

    version: str = NEWEST

    @property
    def is_newest(self) -> bool:
        """Whether it is the newest one; all differences are between that and the one before."""
        return self.version == NEWEST
