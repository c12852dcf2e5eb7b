"""An experiment as a folder that other people and programs can read."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ._cell import Cell, Cells
from ._errors import ExperimentError
from ._table import Table

_LONGEST = 120


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
                part = f" ({position + 1})" if position else ""
                path = target / f"{cell.number:0{width}} {_name(cell)}{part}{file.path.suffix}"
                path.write_bytes(file.path.read_bytes())
                written.append(path)
        table = target / "table.csv"
        table.write_text(Table(of).to_csv(), encoding="utf-8")
        prompts = target / "prompts.json"
        kept = {str(cell.number): of.store.prompt(cell.key) or cell.prompt for cell in of.cells}
        prompts.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise ExperimentError(f"{target} cannot be written ({error.strerror or error}).") from error
    return [*written, table, prompts]


def _name(cell: Cell) -> str:
    told = " ".join(f"{name}={label}" for name, label in cell.labels.items())
    safe = re.sub(r'[<>:"|?*\\/\x00-\x1f]', "_", told).strip(". ")
    return safe[:_LONGEST].rstrip(". ") or "cell"
