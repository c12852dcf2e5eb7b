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

from .cassettes import CassetteError
from .client import (
    ComfyError,
    ExecutionFailed,
    FileGone,
    Forbidden,
    HTTPError,
    JobCancelled,
    JobError,
    JobLost,
    NotAComfyServer,
    PayloadTooLarge,
    PromptRefused,
    ServerError,
    ServerTimeout,
    ServerUnreachable,
    WorkflowError,
)
from .experiments import ExperimentError
from .workflow import UnknownParam

__all__ = [
    "CassetteError",
    "ComfyError",
    "ExecutionFailed",
    "ExperimentError",
    "FileGone",
    "Forbidden",
    "HTTPError",
    "JobCancelled",
    "JobError",
    "JobLost",
    "NotAComfyServer",
    "PayloadTooLarge",
    "PromptRefused",
    "ServerError",
    "ServerTimeout",
    "ServerUnreachable",
    "UnknownParam",
    "WorkflowError",
]
