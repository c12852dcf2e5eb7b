"""An experiment as a folder that other people and programs can read."""

from __future__ import annotations

import re
from pathlib import Path

from .._names import safe_path
from .._writing import json_bytes, replace_file, utf8_bytes
from ._cell import Cell, Cells
from ._errors import ExperimentError
from ._table import Table

_NO_NAME = re.compile(r'[<>:"|?*\\/]')


def export(of: Cells, folder: str | Path) -> list[Path]:
    """Write files under names that tell their values, ``table.csv``, and the workflow of each cell.

    Raises
    ------
    ExperimentError
        The folder cannot be written.
    """
    target = Path(folder).expanduser()
    written: list[Path] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        width = len(str(max(0, len(of.cells) - 1)))
        for cell in of.cells:
            for position, file in enumerate(cell.files):
                first = f"{cell.number:0{width}}" + (f" ({position + 1})" if position else "")
                path = target / safe_path("", f"{first} {_told(cell)}{file.path.suffix}")
                replace_file(path, file.path.read_bytes())
                written.append(path)
        table = target / "table.csv"
        replace_file(table, utf8_bytes(Table(of).to_csv()))
        prompts = target / "prompts.json"
        kept = {str(cell.number): of.store.prompt(cell.key) or cell.prompt for cell in of.cells}
        replace_file(prompts, json_bytes(kept))
    except OSError as error:
        raise ExperimentError(f"{target} cannot be written ({error.strerror or error}).") from error
    return [*written, table, prompts]


def _told(cell: Cell) -> str:
    told = " ".join(f"{name}={label}" for name, label in cell.labels.items())
    return _NO_NAME.sub("_", told) or "cell"
