"""Where workflows hide in files: one small reader for each kind of container.

Nothing here decodes an image, a video or audio. The readers walk the container's own structure, take the texts out of
it and stop. Each file has one budget of steps and bytes, so that a broken or hostile one costs little time and memory.
"""

from __future__ import annotations

from .detect import read_exif as read_exif
from .detect import read_metadata as read_metadata
