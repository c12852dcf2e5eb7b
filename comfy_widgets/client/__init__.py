"""A client for a ComfyUI server that does not lose results.

`ComfyClient` has ComfyUI's routes as methods, and above them jobs: `submit` gives a `Job`, whose progress and previews
come over the websocket and whose `Result` comes from the server's history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._lazy import import_name

if TYPE_CHECKING:
    from ._batch import Batch as Batch
    from ._batch import as_completed as as_completed
    from ._batch import submit_batch as submit_batch
    from ._client import ComfyClient as ComfyClient
    from ._discover import checked_client as checked_client
    from ._discover import shared_engine as shared_engine
    from ._dispatch import Subscription as Subscription
    from ._errors import ComfyError as ComfyError
    from ._errors import FileGone as FileGone
    from ._errors import Forbidden as Forbidden
    from ._errors import HTTPError as HTTPError
    from ._errors import NotAComfyServer as NotAComfyServer
    from ._errors import PayloadTooLarge as PayloadTooLarge
    from ._errors import PromptRefused as PromptRefused
    from ._errors import ServerError as ServerError
    from ._errors import ServerTimeout as ServerTimeout
    from ._errors import ServerUnreachable as ServerUnreachable
    from ._errors import WorkflowError as WorkflowError
    from ._events import Events as Events
    from ._job import Job as Job
    from ._job_errors import ExecutionFailed as ExecutionFailed
    from ._job_errors import JobCancelled as JobCancelled
    from ._job_errors import JobError as JobError
    from ._job_errors import JobLost as JobLost
    from ._node_states import NodeState as NodeState
    from ._node_states import NodeStatus as NodeStatus
    from ._pace import Pace as Pace
    from ._relay import JobRelay as JobRelay
    from ._relay import Relays as Relays
    from ._result import Result as Result
    from ._run_state import Progress as Progress
    from ._runs import Run as Run
    from ._runs import runs as runs
    from ._state import state_directory as state_directory
    from ._status import JobStatus as JobStatus
    from ._status import Phase as Phase
    from ._step_record import SamplerRun as SamplerRun
    from ._step_record import SamplerStep as SamplerStep
    from ._step_record import SceneShare as SceneShare
    from ._step_record import StepRecord as StepRecord
    from ._uploads import part_of as part_of
    from ._watching import run_shown as run_shown
    from ._watching import show_runs_with as show_runs_with

_MODULES = {
    "Batch": "_batch",
    "ComfyClient": "_client",
    "ComfyError": "_errors",
    "Events": "_events",
    "ExecutionFailed": "_job_errors",
    "FileGone": "_errors",
    "Forbidden": "_errors",
    "HTTPError": "_errors",
    "Job": "_job",
    "JobCancelled": "_job_errors",
    "JobError": "_job_errors",
    "JobLost": "_job_errors",
    "JobRelay": "_relay",
    "JobStatus": "_status",
    "NodeState": "_node_states",
    "NodeStatus": "_node_states",
    "NotAComfyServer": "_errors",
    "Pace": "_pace",
    "PayloadTooLarge": "_errors",
    "Phase": "_status",
    "Progress": "_run_state",
    "PromptRefused": "_errors",
    "Relays": "_relay",
    "Result": "_result",
    "Run": "_runs",
    "SamplerRun": "_step_record",
    "SamplerStep": "_step_record",
    "SceneShare": "_step_record",
    "ServerError": "_errors",
    "ServerTimeout": "_errors",
    "ServerUnreachable": "_errors",
    "StepRecord": "_step_record",
    "Subscription": "_dispatch",
    "WorkflowError": "_errors",
    "as_completed": "_batch",
    "checked_client": "_discover",
    "part_of": "_uploads",
    "run_shown": "_watching",
    "runs": "_runs",
    "shared_engine": "_discover",
    "show_runs_with": "_watching",
    "state_directory": "_state",
    "submit_batch": "_batch",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    return import_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted(_MODULES)
