"""ComfyUI's own editor: the files of the installed ``comfyui-frontend-package``, served as ComfyUI does."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from aiohttp import web

_PACKAGE = "comfyui_frontend_package"
_SETTINGS: dict[str, object] = {
    "Comfy.TutorialCompleted": True,  # begins with a graph, and not with the dialog of templates
    "Comfy.Notification.ShowVersionUpdates": False,  # asks no server on the internet
    "Comfy.Workflow.ShowMissingModelsWarning": False,  # the engine's own model stands in
}
_FILES = {"user.css": "", "comfy.templates.json": "[]", "comfy.settings.json": json.dumps(_SETTINGS)}
_FOLDERS = ("workflows", "subgraphs")


def prepare_user(user: Path) -> None:
    """Make what the editor asks for in any case, where it is not there."""
    for name in _FOLDERS:
        (user / name).mkdir(exist_ok=True)
    for name, content in _FILES.items():
        if not (user / name).exists():
            (user / name).write_text(content, "utf-8")


def editor_folder() -> Path | None:
    """Return where the editor's files are; None where the package is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "static"
    return folder if (folder / "index.html").is_file() else None


class Editor:
    """Sends the files of the editor.

    Parameters
    ----------
    folder : Path
        From `editor_folder`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add its routes, of which the last one takes every path."""
        router.add_get("/", self.page)
        router.add_get("/user.css", self.no_style)
        router.add_get("/{file:.*}", self.file)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Send the editor's page."""
        headers = {"Cache-Control": "no-store, must-revalidate"}
        return web.FileResponse(self._folder / "index.html", headers=headers)

    async def no_style(self, request: web.Request) -> web.Response:
        """Send an empty style sheet."""
        return web.Response(text="", content_type="text/css")

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Send one file."""
        path = (self._folder / request.match_info["file"]).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            return web.Response(status=404, content_type="application/octet-stream")
        return web.FileResponse(path)
