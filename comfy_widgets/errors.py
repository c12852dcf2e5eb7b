"""What can go wrong between a client and a server.

The tree; everything derives from `ComfyError`::

    ComfyError
    ├── WorkflowError (ValueError)      the workflow, or a value for it, cannot be used
    │   ├── UnknownParam (KeyError)     the workflow has no parameter of that name
    │   └── PromptRefused               the server refused the prompt: type, message, details, extra_info, node_errors
    ├── ServerError                     the server cannot be talked to: url, status
    │   ├── ServerUnreachable           nothing answers at the address
    │   ├── ServerTimeout               something is there, but gave no answer in time
    │   ├── NotAComfyServer             something answers, but not as ComfyUI does
    │   ├── Forbidden                   401 or 403: credentials, or the origin guard
    │   ├── PayloadTooLarge             413: more than the server takes
    │   ├── HTTPError                   any other status
    │   └── FileGone                    404 for a result file: file
    ├── CassetteError                   a cassette cannot be read or written
    ├── ExperimentError                 an experiment cannot be kept, resumed or finished
    └── JobError                        a job did not give a result: prompt_id, result (what there is of it)
        ├── ExecutionFailed             a node raised: node_id, node_title, node_type, exception_type, traceback
        ├── JobCancelled                interrupted, or taken from the queue
        └── JobLost                     the server no longer knows the job

`str(error)` is one or two sentences for a person; the attributes are for a program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._lazy import import_name

if TYPE_CHECKING:
    from .cassettes import CassetteError as CassetteError
    from .client import ExecutionFailed as ExecutionFailed
    from .client import FileGone as FileGone
    from .client import Forbidden as Forbidden
    from .client import HTTPError as HTTPError
    from .client import JobCancelled as JobCancelled
    from .client import JobError as JobError
    from .client import JobLost as JobLost
    from .client import NotAComfyServer as NotAComfyServer
    from .client import PayloadTooLarge as PayloadTooLarge
    from .client import PromptRefused as PromptRefused
    from .client import ServerError as ServerError
    from .client import ServerTimeout as ServerTimeout
    from .client import ServerUnreachable as ServerUnreachable
    from .experiments import ExperimentError as ExperimentError
    from .protocol import ComfyError as ComfyError
    from .protocol import WorkflowError as WorkflowError
    from .workflow import UnknownParam as UnknownParam

_MODULES = {
    "CassetteError": ".cassettes",
    "ComfyError": ".protocol",
    "ExecutionFailed": ".client",
    "ExperimentError": ".experiments",
    "FileGone": ".client",
    "Forbidden": ".client",
    "HTTPError": ".client",
    "JobCancelled": ".client",
    "JobError": ".client",
    "JobLost": ".client",
    "NotAComfyServer": ".client",
    "PayloadTooLarge": ".client",
    "PromptRefused": ".client",
    "ServerError": ".client",
    "ServerTimeout": ".client",
    "ServerUnreachable": ".client",
    "UnknownParam": ".workflow",
    "WorkflowError": ".protocol",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    return import_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted(_MODULES)
