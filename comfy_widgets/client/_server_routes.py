"""The server itself: its state, its node classes, its models, its settings and its log."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ..protocol import SystemStats, requests
from ._calls import RouteGroup


class ServerRoutes(RouteGroup):
    """Routes about the server itself."""

    @property
    def url(self) -> str:
        """The server's address, without credentials."""
        return self._calls.address.base

    def features(self) -> dict[str, Any]:
        """``GET /features``: the server's feature flags; empty where it is too old to have any."""
        return self._calls.features()

    def system_stats(self) -> SystemStats:
        """``GET /system_stats``: versions, memory and devices."""
        body = self._calls.json_object(requests.get("/system_stats"), "Reading the system's state")
        if not isinstance(body.get("system"), dict):
            raise self._calls.foreign("Reading the system's state")
        return SystemStats.parse(body)

    def object_info(self, node_class: str | None = None, *, refresh: bool = False) -> dict[str, Any]:
        """``GET /object_info``: every node class with its inputs; asked for once, then kept.

        Parameters
        ----------
        node_class : str, optional
            Only this class; an empty dict where the server does not have it.
        refresh : bool
            Ask again, as after new models or node packs were installed.
        """
        if node_class is not None:
            if self._calls.node_classes is not None and not refresh:
                found = self._calls.node_classes.get(node_class)
                return {node_class: found} if found is not None else {}
            return self._calls.json_object(
                requests.get(f"/object_info/{quote(node_class, safe='')}"), "Reading a node class"
            )
        return self._calls.object_info(refresh=refresh)

    def models(self, folder: str | None = None) -> list[str]:
        """``GET /models[/{folder}]``: the kinds of models, or the files of one kind."""
        route = "/models" if folder is None else f"/models/{quote(folder, safe='')}"
        return self._calls.strings(requests.get(route), f"Listing models{f' of {folder}' if folder else ''}")

    def embeddings(self) -> list[str]:
        """``GET /embeddings``: their names, without extension."""
        return self._calls.strings(requests.get("/embeddings"), "Listing embeddings")

    def extensions(self) -> list[str]:
        """``GET /extensions``: the scripts that node packs add to ComfyUI's editor."""
        return self._calls.strings(requests.get("/extensions"), "Listing extensions")

    def settings(self) -> dict[str, Any]:
        """``GET /settings``: the settings of ComfyUI's editor."""
        return self._calls.json_object(requests.get("/settings"), "Reading the settings")

    def logs(self) -> list[str]:
        """``GET /internal/logs/raw``: the last lines that the server logged; an unstable route of ComfyUI's."""
        body = self._calls.json_object(requests.get("/internal/logs/raw"), "Reading the log")
        found = body.get("entries")
        return (
            [str(entry.get("m", "")) for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
        )

    def free(self, *, unload_models: bool = True, free_memory: bool = True) -> None:
        """``POST /free``: unload models and, with ``free_memory``, forget all cached results."""
        self._calls.post("/free", {"unload_models": unload_models, "free_memory": free_memory}, "Freeing memory")
