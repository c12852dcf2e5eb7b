"""A client for a ComfyUI server that does not lose results.

`ComfyClient` has ComfyUI's routes as methods, and above them jobs: `submit` gives a `Job`, whose progress and previews
come over the websocket and whose `Result` comes from the server's history.
"""

from ._batch import Batch, as_completed, submit_batch
from ._client import ComfyClient
from ._discover import checked_client, shared_engine
from ._dispatch import Subscription
from ._errors import (
    ComfyError,
    FileGone,
    Forbidden,
    HTTPError,
    NotAComfyServer,
    PayloadTooLarge,
    PromptRefused,
    ServerError,
    ServerTimeout,
    ServerUnreachable,
    WorkflowError,
)
from ._events import Events
from ._job import Job
from ._job_errors import ExecutionFailed, JobCancelled, JobError, JobLost
from ._node_states import NodeState, NodeStatus
from ._pace import Pace
from ._relay import JobRelay, Relays
from ._result import Result
from ._run_state import Progress
from ._runs import Run, runs
from ._state import state_directory
from ._status import JobStatus, Phase
from ._step_record import SamplerRun, SamplerStep, SceneShare, StepRecord
from ._uploads import part_of
from ._watching import run_shown, show_runs_with

__all__ = [
    "Batch",
    "ComfyClient",
    "ComfyError",
    "Events",
    "ExecutionFailed",
    "FileGone",
    "Forbidden",
    "HTTPError",
    "Job",
    "JobCancelled",
    "JobError",
    "JobLost",
    "JobRelay",
    "JobStatus",
    "NodeState",
    "NodeStatus",
    "NotAComfyServer",
    "Pace",
    "PayloadTooLarge",
    "Phase",
    "Progress",
    "PromptRefused",
    "Relays",
    "Result",
    "Run",
    "SamplerRun",
    "SamplerStep",
    "SceneShare",
    "ServerError",
    "ServerTimeout",
    "ServerUnreachable",
    "StepRecord",
    "Subscription",
    "WorkflowError",
    "as_completed",
    "checked_client",
    "part_of",
    "run_shown",
    "runs",
    "shared_engine",
    "show_runs_with",
    "state_directory",
    "submit_batch",
]
