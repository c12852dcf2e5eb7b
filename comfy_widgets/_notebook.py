"""What a notebook shows of jobs and results without being asked: a live line, and captions.

Everything here is done only within a kernel, never in a script.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

_prepared = False


def kernel_shell() -> Any:
    """Return IPython's shell where it belongs to a kernel, else None. IPython is not imported for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell if hasattr(shell, "kernel") else None


def prepare() -> None:
    """Show jobs and results in this notebook, if it is one; once is enough."""
    global _prepared
    shell = kernel_shell()
    if shell is not None and not _prepared:
        _prepared = True
        register(shell)


def register(shell: Any) -> None:
    """Show jobs and results in a shell.

    Parameters
    ----------
    shell : InteractiveShell
        IPython's shell.
    """
    from .client import Job, Result, show_runs_with

    show_runs_with(_show_runs)
    formatter = shell.display_formatter.ipython_display_formatter
    formatter.for_type(Job, _display_job)
    formatter.for_type(Result, _display_result)


def _show_runs(jobs: Any) -> None:
    # Elsewhere than in the cell itself nobody would see it in the right place.
    if threading.current_thread() is threading.main_thread():
        from .widgets import follow_in_cell

        follow_in_cell(*jobs)


def _display_job(job: Any) -> None:
    from IPython.display import display

    from .widgets import JobProgress

    display(JobProgress(job))  # type: ignore[no-untyped-call]


def _display_result(result: Any) -> None:
    from .widgets import display_result

    display_result(result)
