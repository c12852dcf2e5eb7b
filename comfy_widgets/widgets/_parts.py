"""Files that come from a browser in parts."""

from __future__ import annotations

from collections.abc import Hashable

_MOST = 16


class Parts:
    """The parts of files that are still on their way, at most 16 files: a page that was closed sends no last part."""

    def __init__(self) -> None:
        self._files: dict[Hashable, list[bytes]] = {}

    def add(self, key: Hashable, content: bytes, count: int) -> bytes | None:
        """Take a part of a file, and return the whole with the last one.

        Parameters
        ----------
        key : Hashable
            Which file.
        content : bytes
        count : int
            How many parts it has.
        """
        parts = self._files.pop(key, [])
        parts.append(content)
        if len(parts) >= count:
            return b"".join(parts)
        self._files[key] = parts
        if len(self._files) > _MOST:
            # The one whose last part came longest ago.
            del self._files[next(iter(self._files))]
        return None
