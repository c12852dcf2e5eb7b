"""What can go wrong with an experiment as a whole; what is wrong with a value is a `WorkflowError`."""

from __future__ import annotations

from ..protocol import ComfyError


class ExperimentError(ComfyError):
    """An experiment cannot be kept, resumed or finished: because of its folder, its disk, its server or its size.

    Examples
    --------
    >>> try:
    ...     resume("no_such_folder", client=client)
    ... except ExperimentError as error:
    ...     print(error)
    There is no experiment in ...no_such_folder...
    """
