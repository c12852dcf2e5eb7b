"""The server itself: its state, its node classes, its models and its log."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from ..protocol import SystemStats, requests
from ._calls import RouteGroup


class ServerRoutes(RouteGroup):
    """Routes about the server itself."""

    @property
    def url(self) -> str:
        """The server's address, without credentials."""
        return self._calls.address.base

    @property
    def name(self) -> str:
        """What messages call the server: the ``name`` of the client, or its address."""
        return self._calls.address.shown

    def features(self) -> dict[str, Any]:
        """``GET /features``: the server's feature flags; empty where it is too old to have any.

        Returns
        -------
        dict

        Examples
        --------
        >>> client.features()["supports_preview_metadata"]
        True
        """
        return self._calls.features()

    def system_stats(self) -> SystemStats:
        """``GET /system_stats``: versions, memory and devices.

        Returns
        -------
        SystemStats

        Raises
        ------
        ServerError
            The server does not answer, or not as ComfyUI does.

        Examples
        --------
        >>> client.system_stats().devices[0].type
        'cpu'
        """
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

        Returns
        -------
        dict
            ``{class: definition}``.

        Raises
        ------
        ServerError
            The server does not answer.

        Examples
        --------
        >>> client.object_info("SaveImage")["SaveImage"]["output_node"]
        True
        """
        if node_class is not None:
            if self._calls.node_classes is not None and not refresh:
                found = self._calls.node_classes.get(node_class)
                return {node_class: found} if found is not None else {}
            return self._calls.json_object(
                requests.get(f"/object_info/{requests.path_part(node_class, 'node_class')}"), "Reading a node class"
            )
        return self._calls.object_info(refresh=refresh)

    def models(self, folder: str | None = None) -> list[str]:
        """``GET /models[/{folder}]``: the kinds of models, or the files of one kind.

        Parameters
        ----------
        folder : str, optional
            A kind, such as "loras".

        Returns
        -------
        list of str

        Examples
        --------
        >>> client.models("checkpoints")
        ['procedural-scenes-64.safetensors', 'procedural-scenes-ink-64.safetensors', ...]
        """
        route = "/models" if folder is None else f"/models/{requests.path_part(folder, 'folder')}"
        return self._calls.strings(requests.get(route), f"Listing models{f' of {folder}' if folder else ''}")

    def embeddings(self) -> list[str]:
        """``GET /embeddings``: their names, without extension.

        Returns
        -------
        list of str

        Examples
        --------
        >>> client.embeddings()
        []
        """
        return self._calls.strings(requests.get("/embeddings"), "Listing embeddings")

    def extensions(self) -> list[str]:
        """``GET /extensions``: the scripts that node packs add to ComfyUI's editor.

        Returns
        -------
        list of str

        Examples
        --------
        >>> client.extensions()
        []
        """
        return self._calls.strings(requests.get("/extensions"), "Listing extensions")

    def logs(self) -> list[str]:
        """``GET /internal/logs/raw``: the last lines that the server logged; an unstable route of ComfyUI's.

        Returns
        -------
        list of str

        Examples
        --------
        >>> client.logs()[-1]  # doctest: +SKIP
        'Prompt executed in 2.10 seconds'
        """
        body = self._calls.json_object(requests.get("/internal/logs/raw"), "Reading the log")
        found = body.get("entries")
        return (
            [str(entry.get("m", "")) for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
        )

    def subscribe_logs(self, enabled: bool = True) -> None:
        """``PATCH /internal/logs/subscribe``: let the server send what it logs, as `Logs` events.

        Unstable, as all of ComfyUI's internal routes are. The events reach the listeners of `connect`; subscribe again
        after the connection was lost, since the server has forgotten it then.

        Parameters
        ----------
        enabled : bool
            False ends it.

        Examples
        --------
        >>> client.subscribe_logs()  # doctest: +SKIP
        """
        body = {"enabled": enabled, "clientId": self._calls.client_id}
        self._calls.checked(
            self._calls.call(requests.Request("PATCH", "/internal/logs/subscribe", body=body)), "Subscribing to the log"
        )

    def folder_paths(self) -> dict[str, list[str]]:
        """``GET /internal/folder_paths``: where the server keeps each kind of model; an unstable route of ComfyUI's.

        Returns
        -------
        dict
            ``{kind: [path]}``, paths on the server.

        Examples
        --------
        >>> client.folder_paths()["checkpoints"]  # doctest: +SKIP
        ['/opt/ComfyUI/models/checkpoints']
        """
        found = self._calls.json_object(requests.get("/internal/folder_paths"), "Listing the folders")
        return {kind: [str(path) for path in paths] for kind, paths in found.items() if isinstance(paths, list)}

    def internal_files(self, type: Literal["input", "output", "temp"] = "output") -> list[str]:
        """``GET /internal/files/{type}``: the files right in a folder, newest first; an unstable route of ComfyUI's.

        Parameters
        ----------
        type : str
            "input", "output" or "temp".

        Returns
        -------
        list of str
            With the folder behind each name: "a.png [output]".

        Examples
        --------
        >>> client.internal_files("input")  # doctest: +SKIP
        ['photo.png [input]']
        """
        return self._calls.strings(
            requests.get(f"/internal/files/{requests.path_part(type, 'type')}"), f"Listing {type} files"
        )

    def remote_options(self, remote: Mapping[str, Any]) -> list[Any]:
        """``GET`` the options of a combo whose definition names a route for them, as `LoadImageOutput` does.

        Parameters
        ----------
        remote : Mapping
            What the definition has under ``remote``: ``route``, and perhaps ``query_params`` and ``response_key``.

        Returns
        -------
        list
            Texts, finite numbers and booleans, in the order of the server; what is none of these is left out.

        Raises
        ------
        ServerError
            The server does not answer, or not with a list.
        ValueError
            There is no route, or it leads to another server, which is not asked.

        Examples
        --------
        >>> client.remote_options({"route": "/models/checkpoints"})[0]
        'procedural-scenes-64.safetensors'
        """
        route = str(remote.get("route") or "")
        path = route.removeprefix(self.url)
        if not path.startswith("/") or path.startswith("//"):
            raise ValueError(f"the route {route!r:.200} is not one of {self.name}")
        where = urlsplit(path)
        params = remote.get("query_params")
        query = {**dict(parse_qsl(where.query)), **(params if isinstance(params, Mapping) else {})}
        # All routes are called under /api, where they are served there.
        request = requests.Request(
            "GET", where.path.removeprefix("/api"), {name: str(value) for name, value in query.items()}
        )
        found = self._calls.json(request, f"Reading the choices at {where.path}")
        key = remote.get("response_key")
        if key and isinstance(found, dict):
            found = found.get(str(key))
        if not isinstance(found, list):
            raise self._calls.foreign(f"Reading the choices at {where.path}")
        return [option for option in found if isinstance(option, (str, int)) or _is_finite(option)]

    def free(self, *, unload_models: bool = True, free_memory: bool = True) -> None:
        """``POST /free``: give memory back once what runs is done.

        Parameters
        ----------
        unload_models : bool
            Unload models; True by default.
        free_memory : bool
            Forget all cached results too, so that the next run computes everything anew; True by default.

        Raises
        ------
        ServerError
            The server does not answer.

        Examples
        --------
        >>> client.free()
        """
        self._calls.post(
            "/free", {"unload_models": unload_models, "free_memory": free_memory}, "Freeing memory", repeatable=True
        )


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)
