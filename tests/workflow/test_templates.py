"""ComfyUI's official templates: everything that is asked of a workflow works for them, in bounded time."""

from __future__ import annotations

import importlib.util
from importlib import import_module
from pathlib import Path

import pytest

from .catalog import SHARED


@pytest.mark.timeout(180)
def test_official_templates_load_convert_check_draw_and_are_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    definitions = SHARED / "convert-0.33" / "object_info-0.33.0.json.gz"
    if importlib.util.find_spec("comfyui_workflow_templates_json") is None or not definitions.is_file():
        pytest.skip("the official templates, or the definitions of their nodes, are not here")
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "bench")
    # All of them are gone through by the benchmark, which also writes the table in the docs.
    rows = import_module("bench_templates").measure_all(definitions, every=6)
    assert sum(row.count for row in rows.values()) >= 100
    assert sum(row.complete for row in rows.values()) >= 80
    assert all(row.primary > 0 for row in rows.values())
