"""The lock has all that the tasks install, with hashes, for every Python that the project names."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts import environment, lock
from scripts.shell import Failed

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10; pytest brings it there
    import tomli as tomllib  # type: ignore[import-not-found,no-redef]

PROJECT = tomllib.loads((lock.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+))?", re.MULTILINE)


def wanted() -> list[Requirement]:
    """What the project and the groups of the tasks ask for."""
    project = PROJECT["project"]
    texts = list(project["dependencies"])
    for extra in lock.EXTRAS:
        texts += project["optional-dependencies"][extra]
    for group in lock.GROUPS:
        texts += PROJECT["dependency-groups"][group]
    return [Requirement(text) for text in texts]


def pins(file: Path) -> list[re.Match[str]]:
    return list(PIN.finditer(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("python", lock.supported_pythons())
def test_each_python_gets_one_version_of_each_package_and_it_is_an_allowed_one(python: str) -> None:
    surroundings = {"python_version": python, "python_full_version": f"{python}.9"}
    found: dict[str, str] = {}
    for pin in pins(lock.PYTHON_LOCK):
        if pin["marker"] is None or Marker(pin["marker"]).evaluate(surroundings):
            assert found.setdefault(canonicalize_name(pin["name"]), pin["version"]) == pin["version"]
    lacking = [
        str(requirement)
        for requirement in wanted()
        if (version := found.get(canonicalize_name(requirement.name))) is None or version not in requirement.specifier
    ]
    assert lacking == [], "run: make lock"


@pytest.mark.parametrize("file", [lock.PYTHON_LOCK, lock.NODE_LOCK], ids=["python", "node"])
def test_every_package_has_hashes_and_no_index_or_host_is_named(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert pins(file)
    assert all("--hash=sha256:" in lock.block_of(pin["name"], file) for pin in pins(file))
    others = [
        line for line in text.splitlines() if not re.fullmatch(r"#.*|[\w.-]+==[^/]* \\|    --hash=\w+:\w+( \\)?", line)
    ]
    assert others == []


def test_a_package_that_is_not_the_one_of_the_lock_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    make_wheel(wheel)
    bad = tmp_path / "lock.txt"
    bad.write_text(f"tiny @ {wheel.as_uri()} --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(lock, "PYTHON_LOCK", bad)
    monkeypatch.setattr(lock, "supported_pythons", lambda: ["{}.{}".format(*sys.version_info)])
    with pytest.raises(Failed, match=r"(?i)hash"):
        environment.install_all(Path(sys.executable))
    assert "newest packages are taken" not in capfd.readouterr().out


def make_wheel(path: Path) -> None:
    content = path.parent / "content"
    info = content / "tiny-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    (info / "RECORD").write_text("")
    shutil.make_archive(str(path), "zip", content)
    path.with_name(f"{path.name}.zip").rename(path)
