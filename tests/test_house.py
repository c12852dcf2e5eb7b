"""The rules of the house that no linter knows; those about imports between rooms stand in pyproject.toml."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "comfy_widgets"
ROOMS = ("protocol", "workflow", "cassettes", "client", "experiments", "widgets", "teaching", "engine", "testing")


def python_files(*folders: Path) -> list[Path]:
    return sorted(file for folder in folders for file in folder.rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the level (number of leading dots) and the module of each import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


def test_no_modules_import_each_other_in_a_circle() -> None:
    # Imports for types and those inside functions count too: whoever reads one module has to read all of a circle.
    graph = grimp.build_graph("comfy_widgets", cache_dir=None)
    above: dict[str, set[str]] = {module: graph.find_upstream_modules(module) for module in graph.modules}
    assert sorted(module for module in above if any(module in above[other] for other in above[module])) == []


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def own_names(tree: ast.AST) -> set[str]:
    """Every name that a file defines, at any depth."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Attribute, ast.Name)) and not isinstance(node.ctx, ast.Load):
            names.add(node.attr if isinstance(node, ast.Attribute) else node.id)
    return names


def reaches(file: Path) -> Iterator[str]:
    """Yield where a file uses a private name of another module, or a private module of another room."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    own, (room, *deeper) = own_names(tree), file.relative_to(PACKAGE).parts
    modules = {
        alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            stored = not isinstance(node.ctx, ast.Load)
            # An underscore of the standard library (sys._getframe) is its documentation's business.
            if owner not in {"self", "cls", *modules} and (stored or node.attr not in own):
                yield f"{file.name}:{node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{file.name}:{node.lineno}: {alias.name}" for alias in node.names if is_private(alias.name))
            levels_up = node.level - len(deeper)
            target = node.module.split(".") if levels_up == 1 else []
            if len(target) > 1 and target[0] != room and any(map(is_private, target[1:])):
                yield f"{file.name}:{node.lineno}: {node.module}"


def test_no_module_uses_a_private_name_of_another() -> None:
    assert [reach for file in python_files(PACKAGE) for reach in reaches(file)] == []


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import comfy_widgets; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    foreign = {name.split(".")[0] for name in done.stdout.split()} - set(sys.stdlib_module_names)
    assert foreign == {"comfy_widgets"}
    assert [name for name in done.stdout.split() if name.startswith("comfy_widgets.")] == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_uses_the_public_face(room: str) -> None:
    # It is made of the rooms: through it, each could reach all others.
    for file in python_files(PACKAGE / room):
        depth = len(file.relative_to(PACKAGE).parts)
        for level, module in imports(ast.parse(file.read_text(encoding="utf-8"))):
            assert (level, module) not in {(0, "comfy_widgets"), (depth, "")}, file


def test_the_engine_is_loaded_only_when_it_is_started() -> None:
    tree = ast.parse((PACKAGE / "client" / "_discover.py").read_text(encoding="utf-8"))
    at_import_time = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    assert not [module for _, module in imports(at_import_time) if module.split(".")[0] == "engine"]


def test_the_widgets_have_one_thread_the_pump() -> None:
    for file in python_files(PACKAGE / "widgets"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        assert file.name == "_pump.py" or names.isdisjoint({"Thread", "Timer"}), file


def docstring_lines(tree: ast.AST) -> int:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    first = [node.body[0] for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node)]
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in first)


def test_no_file_outgrows_one_idea() -> None:
    limits = dict.fromkeys(python_files(PACKAGE, ROOT / "scripts"), 400)
    limits |= dict.fromkeys((ROOT / "js" / "src").rglob("*.ts*"), 300)
    del limits[ROOT / "js" / "src" / "lib" / "schema.ts"]  # it is generated
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in limits}
    # Documentation is never cut to make a file fit.
    for file in python_files(PACKAGE, ROOT / "scripts"):
        lengths[file] -= docstring_lines(ast.parse(file.read_text(encoding="utf-8")))
    assert {str(file.relative_to(ROOT)): length for file, length in lengths.items() if length > limits[file]} == {}


@pytest.mark.parametrize("file", sorted((ROOT / "js" / "src").rglob("*.ts*")), ids=lambda path: path.name)
def test_the_page_talks_to_python_alone(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert not re.search(r"\b(fetch|WebSocket|XMLHttpRequest|EventSource|sendBeacon)\b", source)
    # One file makes modules of what Python has sent, and imports nothing but the URLs of these blobs.
    assert re.findall(r"\bimport\(.*?\)", source) == (
        ["import(/* @vite-ignore */ url)"] if file.name == "code.ts" else []
    )
    if file.parent.name not in {"entries", "host", "page"} and file.name != "start.ts":
        assert "@anywidget/types" not in source and "/host/" not in source, (
            "only start.ts, entries/, page/ and host/ see a model"
        )


def test_the_lock_file_names_no_registry() -> None:
    # So that npm takes the packages from the registry that each machine is set up for.
    assert "resolved" not in (ROOT / "js" / "package-lock.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").rglob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(notebook: Path) -> None:
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
