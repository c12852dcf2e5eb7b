"""The root of the exception tree.

It lives in the lowest room so that every room can raise from one tree; the tree itself is drawn in
`comfy_widgets.errors`.
"""

from __future__ import annotations

from typing import Any


class ComfyError(Exception):
    """Everything this package raises on purpose.

    ``str(error)`` is one or two plain sentences for a person: what was wrong, where, what to do.

    Examples
    --------
    >>> try:
    ...     example().with_params(steps=0)
    ... except ComfyError as error:
    ...     print(error)
    KSampler: steps is 0, below its minimum of 1.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process borders (pools, test runners); their constructors take more than the message.
        return _restore, (type(self), self.args, self._portable())

    def _portable(self) -> dict[str, Any]:
        """The attributes that go into another process."""
        return dict(self.__dict__)


def _restore(kind: type[ComfyError], args: tuple[Any, ...], attributes: dict[str, Any]) -> ComfyError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class WorkflowError(ComfyError, ValueError):
    """A workflow, or a value for one of its inputs, cannot be used.

    Parameters
    ----------
    message : str
        What was wrong, where and what to do.
    node_id, node_title, class_type, input_name : str, optional
        Where it was wrong, for a program.

    Examples
    --------
    >>> try:
    ...     client.run(example(), steps=0)
    ... except WorkflowError as error:
    ...     print(error.node_title, error.input_name)
    KSampler steps
    """

    def __init__(
        self,
        message: str,
        *,
        node_id: str | None = None,
        node_title: str | None = None,
        class_type: str | None = None,
        input_name: str | None = None,
    ) -> None:
        super().__init__(message)
        self.node_id = node_id
        self.node_title = node_title
        self.class_type = class_type
        self.input_name = input_name
