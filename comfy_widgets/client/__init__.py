"""A client for a ComfyUI server that does not lose results.

`ComfyClient` has ComfyUI's routes as methods, and above them jobs: `submit` gives a `Job`, whose progress and previews
come over the websocket and whose `Result` comes from the server's history.
"""

from .client import ComfyClient
from .job import Job
from .progress import JobStatus, Progress
from .result import Result
from .state import Run, runs
from .watch import Pace

__all__ = ["ComfyClient", "Job", "JobStatus", "Pace", "Progress", "Result", "Run", "runs"]
