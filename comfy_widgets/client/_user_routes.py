"""What a user keeps on a server: workflows and other files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..protocol import WorkflowError, requests
from ._calls import RouteGroup


class UserRoutes(RouteGroup):
    """Routes about the files of the server's user."""

    def userdata(self, directory: str = "workflows") -> list[str]:
        """``GET /userdata``: the files of a directory, below it too; empty where it does not exist."""
        reply = self._calls.call(requests.get("/userdata", dir=directory, recurse="true"))
        if reply.status == 404:
            return []
        body = self._calls.checked(reply, f"Listing {directory}").json()
        return [str(item) for item in body] if isinstance(body, list) else []

    def load_workflow(self, name: str) -> dict[str, Any]:
        """``GET /userdata/workflows/{name}``: a workflow that was saved in ComfyUI's editor."""
        reply = self._calls.call(requests.get(_workflow_route(name)))
        if reply.status == 404:
            saved = ", ".join(self.userdata()) or "none"
            raise WorkflowError(f"The server has no saved workflow {name!r}. It has: {saved}.")
        body = self._calls.checked(reply, f"Reading {name}").json()
        if not isinstance(body, dict):
            raise WorkflowError(f"{name} on the server is no workflow.")
        return body

    def save_workflow(self, name: str, workflow: Mapping[str, Any], *, overwrite: bool = False) -> str:
        """``POST /userdata/workflows/{name}``: save a workflow where ComfyUI's editor lists it.

        Returns
        -------
        str
            Its path on the server.
        """
        request = requests.Request(
            "POST", _workflow_route(name), {"overwrite": "true" if overwrite else "false"}, body=dict(workflow)
        )
        reply = self._calls.call(request)
        if reply.status == 409:
            raise WorkflowError(f"The server has a workflow {name!r} already; give overwrite=True to replace it.")
        body = self._calls.checked(reply, f"Saving {name}").json()
        return str(body.get("path", name)) if isinstance(body, dict) else str(body)


def _workflow_route(name: str) -> str:
    # Slashes must be escaped here: the server takes the whole path as one segment.
    file = name if name.endswith(".json") else f"{name}.json"
    return f"/userdata/{quote('workflows/' + file, safe='')}"
