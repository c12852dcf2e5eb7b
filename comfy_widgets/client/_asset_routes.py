"""Assets: files that a server knows by what is in them; it must have been started with ``--enable-assets``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from urllib.parse import quote

from ..protocol import File, requests
from ._calls import Calls, RouteGroup
from ._errors import FileGone, HTTPError
from ._failures import Reply
from ._uploads import Source, part_of


class AssetRoutes(RouteGroup):
    """Routes about assets and their tags, as ComfyUI has them since 2026.

    An asset is a dict with ``id, name, hash, size, mime_type, tags, user_metadata`` and more. Every method raises
    `HTTPError` with a remedy where the server was started without ``--enable-assets``.
    """

    def assets(
        self,
        *,
        include_tags: Iterable[str] = (),
        exclude_tags: Iterable[str] = (),
        name_contains: str | None = None,
        sort: str | None = None,
        order: Literal["asc", "desc"] | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[dict[str, Any]]:
        """``GET /api/assets``: what the server has.

        Parameters
        ----------
        include_tags, exclude_tags : iterable of str
            Only assets with all of the first and none of the second: "input", "output", "models".
        name_contains : str, optional
            Part of the name.
        sort : str, optional
            "name", "size", "created_at" (the server's default), "updated_at" or "last_access_time".
        order : str, optional
            "asc" or "desc".
        limit, offset : int, optional
            How many at most, and how many to leave out before; the server gives 20 by default.

        Returns
        -------
        list of dict

        Examples
        --------
        >>> [asset["name"] for asset in client.assets(include_tags=["input"])]  # doctest: +SKIP
        ['photo.png']
        """
        request = requests.get(
            "/assets",
            include_tags=",".join(include_tags) or None,
            exclude_tags=",".join(exclude_tags) or None,
            name_contains=name_contains,
            sort=sort,
            order=order,
            limit=limit,
            offset=offset,
        )
        return _objects(_asked(self._calls, request, "Listing assets"), "assets")

    def asset(self, id: str) -> dict[str, Any]:
        """``GET /api/assets/{id}``: one asset.

        Parameters
        ----------
        id : str

        Returns
        -------
        dict

        Raises
        ------
        FileGone
            There is none of this id.

        Examples
        --------
        >>> client.asset(asset["id"])["name"]  # doctest: +SKIP
        'photo.png'
        """
        return _object(_asked(self._calls, requests.get(_route(id)), "Reading an asset", id))

    def asset_content(self, id: str) -> bytes:
        """``GET /api/assets/{id}/content``: the bytes of an asset.

        Parameters
        ----------
        id : str

        Returns
        -------
        bytes

        Raises
        ------
        FileGone
            There is none of this id.

        Examples
        --------
        >>> client.asset_content(asset["id"])[:4]  # doctest: +SKIP
        b'\\x89PNG'
        """
        return _asked(self._calls, requests.get(f"{_route(id)}/content"), "Fetching an asset", id).content

    def has_asset(self, hash: str) -> bool:
        """``HEAD /api/assets/hash/{hash}``: whether the server has a file of this content, under any name.

        Parameters
        ----------
        hash : str
            "blake3:" and 64 hexadecimal digits.

        Returns
        -------
        bool

        Examples
        --------
        >>> client.has_asset("blake3:" + 64 * "0")  # doctest: +SKIP
        False
        """
        reply = self._calls.call(requests.Request("HEAD", f"/assets/hash/{quote(hash, safe=':')}"))
        return reply.status != 404 and _checked(self._calls, reply, "Looking for an asset").status == 200

    def upload_asset(
        self,
        file: Source,
        name: str | None = None,
        *,
        tags: Iterable[str] = ("input",),
        user_metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """``POST /api/assets``: make an asset of a file.

        Parameters
        ----------
        file : path, bytes, binary file, PIL image or array
            As for `upload_image`.
        name : str, optional
            Its name on the server; the path's own by default.
        tags : iterable of str
            The first says where it goes: "input", "output" or "models".
        user_metadata : dict, optional
            Whatever JSON can hold.

        Returns
        -------
        dict
            The asset.

        Examples
        --------
        >>> asset = client.upload_asset("photo.png")  # doctest: +SKIP
        """
        part = part_of(file, name)
        form = {"tags": json.dumps(list(tags)), "name": part.filename}
        if user_metadata is not None:
            form["user_metadata"] = json.dumps(dict(user_metadata))
        upload = requests.Upload("file", part.filename, part.content, part.mime)
        request = requests.Request("POST", "/assets", form=form, upload=upload)
        return _object(_asked(self._calls, request, f"Uploading {part.filename}"))

    def asset_from_hash(
        self,
        hash: str,
        name: str,
        *,
        tags: Iterable[str] = ("input",),
        user_metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """``POST /api/assets/from-hash``: one more name for content that the server has already.

        Parameters
        ----------
        hash : str
            "blake3:" and 64 hexadecimal digits.
        name : str
        tags : iterable of str
        user_metadata : dict, optional

        Returns
        -------
        dict
            The new asset.

        Raises
        ------
        FileGone
            The server has no file of this content.

        Examples
        --------
        >>> client.asset_from_hash(asset["hash"], "copy.png")["name"]  # doctest: +SKIP
        'copy.png'
        """
        body: dict[str, Any] = {"hash": hash, "name": name, "tags": list(tags)}
        if user_metadata is not None:
            body["user_metadata"] = dict(user_metadata)
        return _object(_asked(self._calls, requests.post("/assets/from-hash", body), "Naming an asset", hash))

    def update_asset(
        self,
        id: str,
        *,
        name: str | None = None,
        tags: Iterable[str] | None = None,
        user_metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """``PUT /api/assets/{id}``: change what is said of an asset; what is not given stays.

        Parameters
        ----------
        id : str
        name : str, optional
        tags : iterable of str, optional
        user_metadata : dict, optional

        Returns
        -------
        dict
            The asset as it is now.

        Raises
        ------
        FileGone
            There is none of this id.

        Examples
        --------
        >>> client.update_asset(asset["id"], name="portrait.png")["name"]  # doctest: +SKIP
        'portrait.png'
        """
        given: dict[str, Any] = {
            "name": name,
            "tags": None if tags is None else list(tags),
            "user_metadata": None if user_metadata is None else dict(user_metadata),
        }
        body = {key: value for key, value in given.items() if value is not None}
        return _object(_asked(self._calls, requests.Request("PUT", _route(id), body=body), "Changing an asset", id))

    def delete_asset(self, id: str) -> None:
        """``DELETE /api/assets/{id}``: let the server forget an asset.

        Parameters
        ----------
        id : str

        Raises
        ------
        FileGone
            There is none of this id.

        Examples
        --------
        >>> client.delete_asset(asset["id"])  # doctest: +SKIP
        """
        _asked(self._calls, requests.Request("DELETE", _route(id)), "Deleting an asset", id)

    def tags(self, *, prefix: str | None = None, limit: int | None = None, offset: int | None = None) -> dict[str, int]:
        """``GET /api/tags``: all tags, and how many assets have each.

        Parameters
        ----------
        prefix : str, optional
            Only tags that begin with it.
        limit, offset : int, optional
            How many at most, and how many to leave out before.

        Returns
        -------
        dict
            ``{tag: count}``.

        Examples
        --------
        >>> client.tags()  # doctest: +SKIP
        {'input': 3, 'output': 12}
        """
        request = requests.get("/tags", prefix=prefix, limit=limit, offset=offset)
        found = _objects(_asked(self._calls, request, "Listing tags"), "tags")
        return {str(item.get("name")): count for item in found if isinstance(count := item.get("count"), int)}

    def refine_tags(self, *, include_tags: Iterable[str] = (), name_contains: str | None = None) -> dict[str, int]:
        """``GET /api/assets/tags/refine``: the tags of the assets that a search finds, and how many have each.

        Parameters
        ----------
        include_tags : iterable of str
        name_contains : str, optional

        Returns
        -------
        dict
            ``{tag: count}``.

        Examples
        --------
        >>> client.refine_tags(include_tags=["input"])  # doctest: +SKIP
        """
        request = requests.get(
            "/assets/tags/refine", include_tags=",".join(include_tags) or None, name_contains=name_contains
        )
        found = _object(_asked(self._calls, request, "Counting tags")).get("tag_counts")
        return {key: count for key, count in found.items() if isinstance(count, int)} if isinstance(found, dict) else {}

    def add_tags(self, id: str, *tags: str) -> list[str]:
        """``POST /api/assets/{id}/tags``: give an asset more tags.

        Parameters
        ----------
        id : str
        *tags : str

        Returns
        -------
        list of str
            All that it has now.

        Examples
        --------
        >>> client.add_tags(asset["id"], "portrait")  # doctest: +SKIP
        ['input', 'portrait']
        """
        return _tagged(self._calls, requests.post(f"{_route(id)}/tags", {"tags": list(tags)}), id)

    def remove_tags(self, id: str, *tags: str) -> list[str]:
        """``DELETE /api/assets/{id}/tags``: take tags from an asset.

        Parameters
        ----------
        id : str
        *tags : str

        Returns
        -------
        list of str
            All that it has now.

        Examples
        --------
        >>> client.remove_tags(asset["id"], "portrait")  # doctest: +SKIP
        ['input']
        """
        return _tagged(self._calls, requests.Request("DELETE", f"{_route(id)}/tags", body={"tags": list(tags)}), id)

    def seed_assets(self, *roots: str) -> bool:
        """``POST /api/assets/seed``: let the server look for new files; events ``assets.seed.*`` tell how far it is.

        Parameters
        ----------
        *roots : str
            "input", "output", "models"; all of them by default.

        Returns
        -------
        bool
            False where it was at it already.

        Examples
        --------
        >>> client.seed_assets("input")  # doctest: +SKIP
        True
        """
        reply = self._calls.call(requests.post("/assets/seed", {"roots": list(roots)} if roots else {}))
        return reply.status != 409 and _checked(self._calls, reply, "Looking for new files").status < 300

    def seed_status(self) -> dict[str, Any]:
        """``GET /api/assets/seed/status``: how far the search for new files is: ``state, progress, errors``.

        Returns
        -------
        dict

        Examples
        --------
        >>> client.seed_status()["state"]  # doctest: +SKIP
        'IDLE'
        """
        return _object(_asked(self._calls, requests.get("/assets/seed/status"), "Asking for the search of new files"))

    def prune_assets(self) -> dict[str, Any]:
        """``POST /api/assets/prune``: let the server forget assets whose files are gone.

        Returns
        -------
        dict

        Examples
        --------
        >>> client.prune_assets()  # doctest: +SKIP
        """
        return _object(_asked(self._calls, requests.post("/assets/prune", {}), "Forgetting lost assets"))


def _tagged(calls: Calls, request: requests.Request, id: str) -> list[str]:
    found = _object(_asked(calls, request, "Tagging an asset", id)).get("total_tags")
    return [str(tag) for tag in found] if isinstance(found, list) else []


def _asked(calls: Calls, request: requests.Request, what: str, id: str | None = None) -> Reply:
    reply = calls.call(request)
    if reply.status == 404 and id is not None:
        missing = f"{what}: the server has none with {id!r}."
        raise FileGone(missing, file=File(id, type="asset"), url=reply.url, status=404)
    return _checked(calls, reply, what)


def _checked(calls: Calls, reply: Reply, what: str) -> Reply:
    if reply.status in (404, 405, 503):
        enabled = reply.status == 503
        why = "were not enabled; start it with --enable-assets" if enabled else "do not exist in its version"
        raise HTTPError(
            f"{what}: assets {why}, on the server at {calls.address.shown}.", url=reply.url, status=reply.status
        )
    return calls.checked(reply, what)


def _route(id: str) -> str:
    return f"/assets/{requests.path_part(id, 'id')}"


def _object(reply: Reply) -> dict[str, Any]:
    body = reply.json() if reply.content else {}
    return body if isinstance(body, dict) else {}


def _objects(reply: Reply, key: str) -> list[dict[str, Any]]:
    found = _object(reply).get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
