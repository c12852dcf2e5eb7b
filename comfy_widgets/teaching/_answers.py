"""Answers as they stand in a notebook: one line of JSON each, in an ordinary output; and reading them for grading."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import ComfyError

MARK = "comfy_widgets_answer"
_MAX_BYTES = 200 << 20


def answers(notebook: str | Path | Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read the answers that stand in a saved notebook: what a grader of nbgrader or otter looks at.

    Parameters
    ----------
    notebook : str, Path or dict
        An .ipynb file, or what is in one.

    Returns
    -------
    list of dict
        In the order of the cells: ``lesson``, ``question``, ``kind``, ``answer``, ``right``, ``correct``, ``score``,
        ``at``, ``values`` of the run, and ``cell``, counted from 0. Where a question was answered again, every answer
        is there, the first one first.

    Raises
    ------
    ComfyError
        The file is no notebook.

    Examples
    --------
    >>> line = '{"comfy_widgets_answer": 1, "lesson": "Seeds", "correct": true}'
    >>> output = {"output_type": "display_data", "data": {"text/plain": line}, "metadata": {}}
    >>> [answer["lesson"] for answer in answers({"cells": [{"cell_type": "code", "outputs": [output]}]})]
    ['Seeds']
    """
    document = notebook if isinstance(notebook, Mapping) else _read(Path(notebook))
    cells = document.get("cells")
    found = []
    for number, cell in enumerate(cells if isinstance(cells, list) else []):
        for line in _lines(cell):
            answer = _answer(line)
            if answer is not None:
                found.append({**answer, "cell": number})
    return found


def answer_line(answer: Mapping[str, Any]) -> str:
    """Return an answer as it stands in an output."""
    return json.dumps({MARK: 1, **answer}, ensure_ascii=False, default=str)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ComfyError(f"{str(path)!r} is too large to be a notebook with answers.")
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ComfyError(f"{str(path)!r} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError):
        raise ComfyError(f"{str(path)!r} is no notebook: it is not JSON.") from None
    if not isinstance(document, Mapping) or not isinstance(document.get("cells"), list):
        raise ComfyError(f"{str(path)!r} is no notebook: it has no cells.")
    return document


def _lines(cell: Any) -> Iterator[str]:
    outputs = cell.get("outputs") if isinstance(cell, Mapping) else None
    for output in outputs if isinstance(outputs, list) else ():
        data = output.get("data") if isinstance(output, Mapping) else None
        text = data.get("text/plain") if isinstance(data, Mapping) else None
        # A notebook file has text as one string or as a list of lines.
        joined = "".join(map(str, text)) if isinstance(text, list) else str(text or "")
        yield from (line for line in joined.splitlines() if MARK in line)


def _answer(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.pop(MARK, None) is None:
        return None
    return found
