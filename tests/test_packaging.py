"""What a user installs: the built front end is in the sdist and the wheel, and works where there is no Node.js."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts import frontend
from scripts.environment import pip
from scripts.lock import PYTHON_LOCK

ROOT = Path(__file__).resolve().parent.parent
NOT_IN_A_CLONE = (
    *(".git", ".venv", "node_modules", "static", "demo-output", "dist", "build", "shots"),
    *("__pycache__", ".*_cache", ".hypothesis"),
)

# Fetching packages from PyPI and npm may take its time; this only bounds a failure.
pytestmark = pytest.mark.timeout(900)


def hatchling(where: Path, target: str, output: Path, env: Mapping[str, str] | None = None) -> Path:
    """Build an sdist or a wheel as ``pip`` would, and return the file."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(output)]
    done = subprocess.run(command, cwd=where, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = output.iterdir()
    return built


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it comes from git: nothing is built or installed."""
    return Path(
        shutil.copytree(ROOT, tmp_path_factory.mktemp("clone") / "main", ignore=shutil.ignore_patterns(*NOT_IN_A_CLONE))
    )


@pytest.fixture(scope="module")
def wheel(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hatchling(clone, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(clone: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hatchling(clone, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture
def no_node(tmp_path: Path) -> dict[str, str]:
    """An environment in which no program is found, so no Node.js either."""
    (tmp_path / "empty").mkdir()
    return {**os.environ, "PATH": str(tmp_path / "empty")}


def test_the_wheel_holds_the_whole_front_end_and_nothing_of_its_workshop(wheel: Path) -> None:
    names = contents(wheel)
    bundles = {f"comfy_widgets/static/{path.name}" for path in frontend.bundles(ROOT)}
    assert bundles
    assert bundles == {name for name in names if "/static/" in name}
    assert all(names[name] for name in bundles)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"comfy_widgets"}
    assert not [name for name in names if name.endswith((".ts", ".tsx", ".map"))]
    assert "comfy_widgets/py.typed" in names
    lessons = [name for name in names if name.endswith(".ipynb")]
    assert lessons == [name for name in lessons if name.startswith("comfy_widgets/teaching/lessons/")]
    assert len(lessons) == len(list((ROOT / "notebooks" / "lessons").glob("*.ipynb"))) == 12


def test_the_page_for_pypi_has_no_link_to_a_file_and_no_picture_that_is_not_there(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        (metadata,) = [name for name in packed.namelist() if name.endswith(".dist-info/METADATA")]
        page = packed.read(metadata).decode().partition("\n\n")[2]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)]+)\)|(?:src|srcset|href)=\"([^\"]+)", page)
    assert [one or other for one, other in targets if not (one or other).startswith(("http", "#"))] == []
    assert "`docs/outcomes.md`" in page and "Use several servers (`docs/howto/fleet.md`)" in page
    # Nothing but links and the picture is changed.
    assert page.count("\n## ") == readme.count("\n## ")
    assert len(page) > 0.9 * len(readme)


def test_a_wheel_from_the_sdist_needs_no_node_and_is_the_same(
    wheel: Path, sdist: Path, no_node: dict[str, str], tmp_path: Path
) -> None:
    shutil.unpack_archive(sdist, tmp_path / "unpacked")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    for file in unpacked.rglob("*.js"):
        os.utime(file, (0, 0))  # an installer may set any dates; bundles that look old are still the right ones
    again = hatchling(unpacked, "wheel", tmp_path / "wheel", env=no_node)
    assert contents(again) == contents(wheel)


def test_the_wheel_works_in_a_clean_environment_without_node(
    wheel: Path, no_node: dict[str, str], tmp_path: Path
) -> None:
    venv.create(tmp_path / "clean", with_pip=False, symlinks=True)
    python = tmp_path / "clean" / "bin" / "python"
    pip("install", f"{wheel}[engine]", "--constraint", str(PYTHON_LOCK), python=python)
    code = """
import comfy_widgets
from comfy_widgets.widgets._assets import part_files
for name in comfy_widgets.__all__:
    getattr(comfy_widgets, name)
panel = comfy_widgets.ComfyPanel(comfy_widgets.example())
print(comfy_widgets.__file__)
print(len(panel._esm) > 1000 and len(part_files("panel")) > 1)
"""
    done = subprocess.run([python, "-c", code], cwd=tmp_path, env=no_node, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *_which_server, where, has_bundle = done.stdout.splitlines()
    assert Path(where).is_relative_to(tmp_path)
    assert has_bundle == "True"


@pytest.fixture
def small_project(tmp_path: Path) -> Path:
    """An entry, a feature and their bundles, all of one age."""
    files = ["js/src/start.ts", "js/src/entries/form.tsx", "js/src/features/compare.ts", "js/src/lib/colour.ts"]
    files += ["js/build.mjs", "js/package.json", "js/package-lock.json"]
    static = ("start.js", "sweep-page.js", "manifest.json", "form.js", "compare.js", "chunk-A.js")
    files += [f"comfy_widgets/static/{name}" for name in static]
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    manifest = {"form": ["chunk-A.js", "form.js"], "compare": ["chunk-A.js", "compare.js"]}
    (tmp_path / "comfy_widgets/static/manifest.json").write_text(json.dumps(manifest))
    for name in files:
        os.utime(tmp_path / name, (1000, 1000))
    return tmp_path


def test_bundles_as_old_as_their_sources_are_current(small_project: Path) -> None:
    assert frontend.is_current(small_project)


@pytest.mark.parametrize("changed", ["js/src/lib/colour.ts", "js/package-lock.json", "js/build.mjs"])
def test_a_newer_source_asks_for_a_build(small_project: Path, changed: str) -> None:
    os.utime(small_project / changed, (1001, 1001))
    assert not frontend.is_current(small_project)


@pytest.mark.parametrize(
    "missing", ["start.js", "sweep-page.js", "manifest.json", "form.js", "compare.js", "chunk-A.js"]
)
def test_a_missing_file_asks_for_a_build_even_in_an_sdist(small_project: Path, missing: str) -> None:
    (small_project / "PKG-INFO").touch()
    (small_project / "comfy_widgets/static" / missing).unlink()
    assert not frontend.is_current(small_project)


def test_in_an_sdist_dates_do_not_count(small_project: Path) -> None:
    (small_project / "PKG-INFO").touch()
    os.utime(small_project / "js/src/lib/colour.ts", (1001, 1001))
    assert frontend.is_current(small_project)
