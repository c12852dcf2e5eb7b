"""Build the front end before the package is packed.

The bundles are no part of the repository, but of every sdist and wheel. A wheel made from an sdist takes the bundles
that came with it, so it needs no Node.js; anywhere else they are built when they are missing or older than ``js/``,
with the Node.js of the machine or, where there is none, with one from PyPI.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))  # a build backend does not have the project's root on its path


class FrontEndHook(BuildHookInterface[Any]):
    """Make sure that ``comfy_widgets/static/`` holds what ``js/`` says."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node.js in the build environment only if it will be needed and is not on the machine."""
        from scripts import frontend

        if frontend.is_current(Path(self.root)) or frontend.node_on_machine():
            return []
        return [frontend.NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the bundles unless they are current."""
        from scripts import frontend

        root = Path(self.root)
        if frontend.is_current(root):
            return
        node = frontend.node_on_machine() or frontend.node_from_pypi(sys.executable)
        if node is None:
            raise RuntimeError(
                "The front end has to be built, and Node.js 20.19 or newer with npm is missing. Install it from "
                "https://nodejs.org/en/download, or build from the sdist, which carries the built front end."
            )
        frontend.build(root, node)
