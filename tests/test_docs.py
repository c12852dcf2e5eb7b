"""What the documentation shows: every snippet runs, and every page that it names exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets import Engine

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if not {"_build", "_notebooks"} & set(page.parts))
_SNIPPET = re.compile(r"^(% not run: .+\n)?```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WITH_SNIPPETS = [page for page in PAGES if _SNIPPET.search(page.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def engine() -> Any:
    with Engine() as running:
        yield running


@pytest.mark.parametrize("page", WITH_SNIPPETS, ids=lambda page: str(page.relative_to(DOCS)))
def test_snippets_run_from_top_to_bottom(
    page: Path, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMFYUI_URL", engine.url)
    names: dict[str, Any] = {}
    for not_run, code in _SNIPPET.findall(page.read_text(encoding="utf-8")):
        if not_run:
            compile(code, str(page), "exec", flags=0x2000)  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        else:
            exec(compile(code, str(page), "exec"), names)
    for name in ("panel", "form", "bar", "preview", "grid", "images"):
        if hasattr(names.get(name), "close"):
            names[name].close()
    if hasattr(names.get("client"), "close"):
        names["client"].close()


def test_every_message_that_is_explained_exists() -> None:
    source = "\n".join(
        file.read_text(encoding="utf-8")
        for file in (*DOCS.parent.glob("comfy_widgets/**/*.py"), *DOCS.parent.glob("js/src/**/*.ts*"))
    )
    quoted = re.findall(r'^#+ "(.+)"$', (DOCS / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(quoted) >= 15
    # A sentence may go on in the next line of the source.
    source = re.sub(r'"\s*\n\s*f?"', "", source)
    assert [words for words in quoted if words not in source] == []
