"""A client for a ComfyUI server that does not lose results.

`ComfyClient` has ComfyUI's routes as methods, and above them jobs: `submit` gives a `Job`, whose progress and previews
come over the websocket and whose `Result` comes from the server's history.
"""

from ._client import ComfyClient
from ._job import Job
from ._progress import JobStatus, Progress
from ._result import Result
from ._state import Run, runs
from ._watch import Pace

__all__ = ["ComfyClient", "Job", "JobStatus", "Pace", "Progress", "Result", "Run", "runs"]
