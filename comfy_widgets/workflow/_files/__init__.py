"""Where workflows hide in files: one small reader for each kind of container.

Nothing here decodes a picture, a sound or a film. The readers walk the container's own structure, take the texts out of
it and stop; they read with bounds, so that a broken or hostile file costs little time and memory.
"""

from __future__ import annotations

from .detect import read_metadata as read_metadata
