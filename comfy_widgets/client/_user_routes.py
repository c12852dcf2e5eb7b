"""What a user keeps on a server: workflows, other files, settings; and who the users are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..protocol import File, WorkflowError, requests
from ._calls import Calls, RouteGroup
from ._errors import FileGone, Forbidden, HTTPError, ServerError, ServerUnreachable
from ._failures import Reply


class UserRoutes(RouteGroup):
    """Routes about the server's users, their files and their settings.

    A server that was started with ``--multi-user`` asks whose: ``ComfyClient(url, headers={"comfy-user": id})``.
    """

    # Users

    def users(self) -> dict[str, str]:
        """``GET /users``: who uses the server.

        Returns
        -------
        dict
            ``{id: name}``; empty where the server was not started with ``--multi-user``.

        Examples
        --------
        >>> client.users()
        {}
        """
        found = self._calls.json_object(requests.get("/users"), "Listing the users").get("users")
        return {key: str(name) for key, name in found.items()} if isinstance(found, dict) else {}

    def create_user(self, username: str) -> str:
        """``POST /users``: add a user to a server that was started with ``--multi-user``.

        Parameters
        ----------
        username : str
            One that no user has yet.

        Returns
        -------
        str
            The id, for the header ``comfy-user``.

        Examples
        --------
        >>> client.create_user("anna")  # doctest: +SKIP
        'anna_0868dbac'
        """
        reply = self._calls.call(requests.post("/users", {"username": username}))
        return str(self._calls.checked(reply, f"Adding the user {username!r}").json())

    # Files

    def userdata(self, directory: str = "workflows") -> list[str]:
        """``GET /userdata``: the files of a directory, below it too; empty where it does not exist.

        Parameters
        ----------
        directory : str
            Below the user's own; "workflows" by default.

        Returns
        -------
        list of str

        Examples
        --------
        >>> path = client.store_userdata("notes/today.txt", "a note")
        >>> "today.txt" in client.userdata("notes")
        True
        """
        reply = self._calls.call(requests.get("/userdata", dir=directory, recurse="true"))
        if reply.status == 404:
            return []
        body = _checked(self._calls, reply, f"Listing {directory}", directory).json()
        return [str(item) for item in body] if isinstance(body, list) else []

    def list_userdata(self, path: str = "") -> list[dict[str, Any]]:
        """``GET /v2/userdata``: files and folders of a directory with their sizes and dates.

        Parameters
        ----------
        path : str
            Below the user's own directory, which is the default.

        Returns
        -------
        list of dict
            ``name, path, type`` ("file" or "directory"), and of files ``size`` in bytes and ``modified``, in
            milliseconds since 1970. Empty where the directory does not exist.

        Examples
        --------
        >>> path = client.store_userdata("notes/today.txt", "a note")
        >>> [entry["name"] for entry in client.list_userdata("notes")]
        ['today.txt']
        """
        reply = self._calls.call(requests.get("/v2/userdata", path=path or None))
        if reply.status == 404:
            return []
        body = _checked(self._calls, reply, f"Listing {path or 'the files of the user'}", path).json()
        return [item for item in body if isinstance(item, dict)] if isinstance(body, list) else []

    def get_userdata(self, file: str) -> bytes:
        """``GET /userdata/{file}``: a file as it is.

        Parameters
        ----------
        file : str
            Its path, as "workflows/mine.json".

        Returns
        -------
        bytes

        Raises
        ------
        FileGone
            There is no such file.

        Examples
        --------
        >>> path = client.store_userdata("notes/today.txt", "a note")
        >>> client.get_userdata(path)
        b'a note'
        """
        reply = self._calls.call(requests.get(_file_route(file)))
        return _found(self._calls, reply, file, "Reading").content

    def store_userdata(self, file: str, content: bytes | str, *, overwrite: bool = True) -> str:
        """``POST /userdata/{file}``: keep a file.

        Parameters
        ----------
        file : str
            Its path, as "notes/today.txt"; folders are made.
        content : bytes or str
            Text is sent as UTF-8.
        overwrite : bool
            Replace a file of this name.

        Returns
        -------
        str
            Its path on the server.

        Raises
        ------
        WorkflowError
            With ``overwrite=False``: there is such a file.

        Examples
        --------
        >>> client.store_userdata("notes/today.txt", "a note")
        'notes/today.txt'
        """
        data = content.encode("utf-8", "replace") if isinstance(content, str) else content
        request = requests.Request("POST", _file_route(file), _overwrite(overwrite), raw=data)
        reply = self._calls.call(request)
        if reply.status == 409:
            raise WorkflowError(f"The server has a file {file!r} already; give overwrite=True to replace it.")
        return _path(_checked(self._calls, reply, f"Saving {file}", file).json(), file)

    def delete_userdata(self, file: str) -> None:
        """``DELETE /userdata/{file}``: delete a file.

        Parameters
        ----------
        file : str
            Its path, as "workflows/mine.json".

        Raises
        ------
        FileGone
            There is no such file.

        Examples
        --------
        >>> path = client.store_userdata("notes/today.txt", "a note")
        >>> client.delete_userdata(path)
        """
        _found(self._calls, self._calls.call(requests.Request("DELETE", _file_route(file))), file, "Deleting")

    def move_userdata(self, source: str, dest: str, *, overwrite: bool = False) -> str:
        """``POST /userdata/{source}/move/{dest}``: rename a file, or move it.

        Parameters
        ----------
        source, dest : str
            Paths, as "workflows/mine.json".
        overwrite : bool
            Replace a file that has the new name.

        Returns
        -------
        str
            The new path on the server.

        Raises
        ------
        FileGone
            There is no such file.
        WorkflowError
            The new name is taken.

        Examples
        --------
        >>> path = client.store_userdata("notes/today.txt", "a note")
        >>> client.move_userdata(path, "notes/kept.txt", overwrite=True)
        'notes/kept.txt'
        """
        route = f"{_file_route(source)}/move/{requests.path_part(dest, 'dest')}"
        reply = self._calls.call(requests.Request("POST", route, _overwrite(overwrite), body={}))
        if reply.status == 409:
            raise WorkflowError(f"The server has a file {dest!r} already; give overwrite=True to replace it.")
        return _path(_found(self._calls, reply, source, "Moving", source if ".." in source else dest).json(), dest)

    def load_workflow(self, name: str) -> dict[str, Any]:
        """``GET /userdata/workflows/{name}``: a workflow that was saved in ComfyUI's editor.

        Parameters
        ----------
        name : str
            With or without ".json".

        Returns
        -------
        dict
            What `Workflow.load` takes.

        Raises
        ------
        WorkflowError
            The server has no such workflow; the message lists those it has.

        Examples
        --------
        >>> path = client.save_workflow("draft", example("text_to_image_ui").ui, overwrite=True)
        >>> len(client.load_workflow("draft")["nodes"])
        7
        """
        reply = self._calls.call(requests.get(_file_route(_workflow(name))))
        if reply.status == 404:
            saved = ", ".join(self.userdata()) or "none"
            raise WorkflowError(f"The server has no saved workflow {name!r}. It has: {saved}.")
        body = _checked(self._calls, reply, f"Reading {name}", name).json()
        if not isinstance(body, dict):
            raise WorkflowError(f"{name} on the server is no workflow.")
        return body

    def save_workflow(self, name: str, workflow: Mapping[str, Any], *, overwrite: bool = False) -> str:
        """``POST /userdata/workflows/{name}``: save a workflow where ComfyUI's editor lists it.

        Parameters
        ----------
        name : str
            With or without ".json".
        workflow : dict
            In the editor's format, so that the editor can open it.
        overwrite : bool
            Replace a workflow of this name.

        Returns
        -------
        str
            Its path on the server.

        Raises
        ------
        WorkflowError
            There is such a workflow.

        Examples
        --------
        >>> client.save_workflow("draft", example("text_to_image_ui").ui, overwrite=True)
        'workflows/draft.json'
        """
        file = _workflow(name)
        request = requests.Request("POST", _file_route(file), _overwrite(overwrite), body=dict(workflow))
        try:
            reply = self._calls.call(request)
        except ServerUnreachable as error:
            # Whether it was saved is not known where only the answer is lost; what the server has now tells.
            if not error.sent or not self._holds(file, workflow):
                raise
            return file
        if reply.status == 409:
            raise WorkflowError(f"The server has a workflow {name!r} already; give overwrite=True to replace it.")
        return _path(_checked(self._calls, reply, f"Saving {name}", name).json(), file)

    def _holds(self, file: str, workflow: Mapping[str, Any]) -> bool:
        try:
            reply = self._calls.call(requests.get(_file_route(file)))
            return reply.status == 200 and reply.json() == json.loads(requests.as_json(dict(workflow)))
        except ServerError:
            return False

    # Settings

    def settings(self) -> dict[str, Any]:
        """``GET /settings``: the settings of ComfyUI's editor.

        Returns
        -------
        dict
            ``{id: value}``.

        Examples
        --------
        >>> client.store_setting("Comfy.ColorPalette", "dark")
        >>> client.settings()["Comfy.ColorPalette"]
        'dark'
        """
        found = _checked(self._calls, self._calls.call(requests.get("/settings")), "Reading the settings").json()
        if not isinstance(found, dict):
            raise self._calls.foreign("Reading the settings")
        return found

    def setting(self, id: str) -> Any:
        """``GET /settings/{id}``: one setting.

        Parameters
        ----------
        id : str
            Such as "Comfy.ColorPalette".

        Returns
        -------
        object
            Whatever JSON can hold; None where it was never set.

        Examples
        --------
        >>> client.store_setting("Comfy.ColorPalette", "dark")
        >>> client.setting("Comfy.ColorPalette")
        'dark'
        """
        return _checked(
            self._calls, self._calls.call(requests.get(_setting_route(id))), f"Reading the setting {id}"
        ).json()

    def store_settings(self, settings: Mapping[str, Any]) -> None:
        """``POST /settings``: change several settings; the others stay.

        Parameters
        ----------
        settings : dict
            ``{id: value}``.

        Examples
        --------
        >>> client.store_settings({"Comfy.ColorPalette": "dark"})
        """
        _checked(self._calls, self._calls.call(requests.post("/settings", dict(settings))), "Saving the settings")

    def store_setting(self, id: str, value: Any) -> None:
        """``POST /settings/{id}``: change one setting.

        Parameters
        ----------
        id : str
            Such as "Comfy.ColorPalette".
        value : object
            Whatever JSON can hold.

        Examples
        --------
        >>> client.store_setting("Comfy.ColorPalette", "dark")
        """
        request = requests.Request("POST", _setting_route(id), raw=requests.as_json(value))
        _checked(self._calls, self._calls.call(request), f"Saving the setting {id}")


def _found(calls: Calls, reply: Reply, file: str, doing: str, path: str = "") -> Reply:
    if reply.status == 404:
        raise FileGone(
            f"{doing} {file}: the server has no such file.", file=File(file, type="userdata"), url=reply.url, status=404
        )
    return _checked(calls, reply, f"{doing} {file}", path or file)


def _checked(calls: Calls, reply: Reply, what: str, path: str = "") -> Reply:
    """Raise where the status means failure; a server with users says so by 401 or a bare 500."""
    try:
        return calls.checked(reply, what, path)
    except (Forbidden, HTTPError) as error:
        names = _user_names(calls) if reply.status in (401, 500) else ""
        if not names:
            raise
        raise type(error)(
            f"{what}: this server has users, and wants to know whose. Give the id of one: "
            f"ComfyClient(url, headers={{'comfy-user': ...}}). It has {names}.",
            url=error.url,
            status=error.status,
        ) from None


def _user_names(calls: Calls) -> str:
    try:
        found = UserRoutes(calls).users()
    except ServerError:
        return ""
    return ", ".join(f"{name} ({key})" for key, name in list(found.items())[:8])


def _workflow(name: str) -> str:
    return f"workflows/{name if name.endswith('.json') else f'{name}.json'}"


def _file_route(file: str) -> str:
    # Slashes must be escaped here: the server takes the whole path as one segment.
    return f"/userdata/{requests.path_part(file, 'file')}"


def _setting_route(id: str) -> str:
    return f"/settings/{requests.path_part(id, 'id')}"


def _overwrite(overwrite: bool) -> dict[str, str]:
    return {"overwrite": "true" if overwrite else "false"}


def _path(body: Any, file: str) -> str:
    return str(body.get("path", file)) if isinstance(body, dict) else str(body)
