"""Calls to a server as values: method, route and body, with no I/O."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from ._errors import WorkflowError
from ._outputs import File

__all__ = ["Request", "Upload", "get", "history", "path_part", "post", "prompt", "refuse_unsendable", "upload", "view"]


@dataclass(frozen=True)
class Upload:
    """The file of a multipart call.

    Attributes
    ----------
    part : str
        Name of the form's field: "image".
    filename : str
        The name that the server is to give it.
    content : bytes
        Its bytes.
    mime : str, default "application/octet-stream"
        Its media type.

    Examples
    --------
    >>> Upload("image", "boat.png", b"the bytes of a PNG", "image/png")
    Upload(part='image', filename='boat.png', mime='image/png')
    """

    part: str
    filename: str
    content: bytes = field(repr=False)
    mime: str = "application/octet-stream"


@dataclass(frozen=True)
class Request:
    """One call.

    Attributes
    ----------
    method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
        The HTTP method.
    route : str
        Without the /api prefix, which `Address.http` adds.
    query : dict of str to str, default {}
        Behind the question mark.
    body : object, default None
        Sent as JSON; None sends no body.
    raw : bytes or None, default None
        Sent as it is, in place of ``body``.
    form : dict of str to str, default {}
        Fields of a multipart call, sent with ``upload``.
    upload : Upload or None, default None
        The file of a multipart call.
    repeatable : bool, default False
        Whether a POST or PATCH, when its answer got lost, may be sent again: only where a second one does what the
        first did. A second ``interrupt`` could stop the next prompt, perhaps a stranger's.

    Examples
    --------
    >>> call = Request("POST", "/queue", body={"clear": True})
    >>> call.payload, call.idempotent
    (b'{"clear": true}', False)
    """

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    route: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    raw: bytes | None = field(default=None, repr=False)
    form: Mapping[str, str] = field(default_factory=dict)
    upload: Upload | None = None
    repeatable: bool = False

    @property
    def idempotent(self) -> bool:
        """Whether sending it twice does what sending it once does."""
        return self.repeatable or self.method in ("GET", "HEAD", "PUT")

    @property
    def payload(self) -> bytes | None:
        """The body as bytes; numbers of numpy and its like are written as what they are."""
        if self.raw is not None:
            return self.raw
        if self.body is None:
            return None
        try:
            return json.dumps(self.body, allow_nan=False, default=_plain).encode()
        except ValueError:
            if self.route != "/prompt":
                return as_json(self.body)
            # The values of a prompt were judged. What is left are titles and the editor's form, which nobody calculates
            # with.
            return json.dumps(_finite(self.body), allow_nan=False, default=_plain).encode()


def as_json(value: object) -> bytes:
    """A value as JSON.

    Raises
    ------
    WorkflowError
        It holds NaN or infinity, which JSON does not have, or something else that cannot be sent.
    """
    try:
        return json.dumps(value, allow_nan=False, default=_plain).encode()
    except (ValueError, TypeError, RecursionError) as error:
        try:
            why = _unsendable(value)
        except RecursionError:
            why = "nested too deeply, or contains itself."
        raise WorkflowError(f"A value is {why or f'no JSON ({error}).'} Nothing was sent.") from None


def get(route: str, **query: str | int | None) -> Request:
    """A plain GET.

    Parameters
    ----------
    route : str
        Without the /api prefix.
    **query : str, int or None
        None leaves a parameter out.

    Returns
    -------
    Request
        To be sent by a transport.

    Examples
    --------
    >>> get("/history", max_items=10, offset=None).query
    {'max_items': '10'}
    """
    return Request("GET", route, {name: str(value) for name, value in query.items() if value is not None})


def post(route: str, body: object = None, *, repeatable: bool = False) -> Request:
    """A POST with a JSON body.

    Parameters
    ----------
    route : str
        Without the /api prefix.
    body : object, default None
        Sent as JSON; None sends no body.
    repeatable : bool, default False
        Whether it may be sent again when its answer got lost, as in `Request`.

    Returns
    -------
    Request
        To be sent by a transport.

    Examples
    --------
    >>> post("/queue", {"delete": ["a1"]}, repeatable=True).payload
    b'{"delete": ["a1"]}'
    """
    return Request("POST", route, body=body, repeatable=repeatable)


def prompt(
    prompt: Mapping[str, Any],
    *,
    prompt_id: str,
    client_id: str,
    front: bool = False,
    number: float | None = None,
    partial_execution_targets: Sequence[str] | None = None,
    extra_data: Mapping[str, Any] | None = None,
) -> Request:
    """``POST /prompt``.

    Parameters
    ----------
    prompt : dict
        API format.
    prompt_id : str
        A lower-case uuid4 with hyphens.
    client_id : str
        Whose websocket is told of it.
    front : bool, default False
        Before all that waits.
    number : float, optional
        A place in the order; the lowest runs first. By default the server counts up.
    partial_execution_targets : sequence of str, optional
        Run only these output nodes; all by default.
    extra_data : dict, optional
        What is kept with the prompt, such as the editor's form; nothing by default.

    Returns
    -------
    Request
        To be sent by a transport.

    Raises
    ------
    WorkflowError
        A value is NaN, infinite or no JSON at all: the message names node and input.

    Examples
    --------
    >>> call = prompt({"3": {"class_type": "KSampler", "inputs": {}}}, prompt_id="a1", client_id="me", front=True)
    >>> call.route, call.body["front"]
    ('/prompt', True)
    """
    refuse_unsendable(prompt)
    body: dict[str, Any] = {"prompt": prompt, "prompt_id": prompt_id, "client_id": client_id}
    if front:
        body["front"] = True
    if number is not None:
        body["number"] = number
    if partial_execution_targets is not None:
        body["partial_execution_targets"] = list(partial_execution_targets)
    if extra_data:
        body["extra_data"] = dict(extra_data)
    return Request("POST", "/prompt", body=body)


def view(file: File, *, preview: str | None = None, channel: str | None = None) -> Request:
    """``GET /view`` with what the server reported.

    A directory in ``filename``, as in the value of a loader node, goes into ``subfolder``: the server would cut it off
    and give whatever file of that name there is.

    Parameters
    ----------
    file : File
        What is wanted.
    preview : str, optional
        "webp;90" or "jpeg;80": re-encoded by the server, at full size. By default the file as it is.
    channel : str, optional
        "rgb", "a" or "rgba"; by default all there are.

    Returns
    -------
    Request
        To be sent by a transport.

    Examples
    --------
    >>> from comfy_widgets.protocol import File
    >>> view(File("boats/a.png"), preview="webp;90").query
    {'filename': 'a.png', 'subfolder': 'boats', 'type': 'output', 'preview': 'webp;90'}
    """
    directory, _, filename = file.filename.rpartition("/")
    subfolder = "/".join(part for part in (file.subfolder, directory) if part)
    return get("/view", filename=filename, subfolder=subfolder, type=file.type, preview=preview, channel=channel)


def history(prompt_id: str) -> Request:
    """``GET /history/{prompt_id}``.

    Parameters
    ----------
    prompt_id : str
        Of a prompt that has ended; the server answers with nothing before.

    Returns
    -------
    Request
        To be sent by a transport.

    Examples
    --------
    >>> history("a1").route
    '/history/a1'
    """
    return get(f"/history/{path_part(prompt_id, 'prompt_id')}")


def path_part(value: str, name: str) -> str:
    """Return a name or an id as it stands in a route.

    Parameters
    ----------
    value : str
        Anything that can be written in UTF-8.
    name : str
        What it is, for the error.

    Returns
    -------
    str
        Percent-encoded, slashes too.

    Raises
    ------
    TypeError
        It is no text.
    ValueError
        It is empty, dots alone, or half a character.

    Examples
    --------
    >>> path_part("a/b c", "folder")
    'a%2Fb%20c'
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}, but must be a text.")
    if value in ("", ".", ".."):
        # Dots alone would be another route.
        raise ValueError(f"{name} is {value!r}, which names nothing.")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise ValueError(f"{name} is {value!r}, which holds half a character and cannot be sent.") from None


def upload(
    route: Literal["/upload/image", "/upload/mask"],
    file: Upload,
    *,
    type: str = "input",
    subfolder: str = "",
    overwrite: bool = False,
    original_ref: File | None = None,
) -> Request:
    """``POST /upload/image`` or ``/upload/mask``; the server takes only a lower-case "true" for ``overwrite``.

    Parameters
    ----------
    route : {"/upload/image", "/upload/mask"}
        Which of the two.
    file : Upload
        The file.
    type : str, default "input"
        "input", "temp" or "output".
    subfolder : str, default ""
        Below the folder of that type.
    overwrite : bool, default False
        Replace a file of the same name; the server adds a number otherwise.
    original_ref : File, optional
        Of a mask: the image that gets it as its alpha. None by default.

    Returns
    -------
    Request
        To be sent by a transport.

    Examples
    --------
    >>> upload("/upload/image", Upload("image", "boat.png", b"..."), overwrite=True).form
    {'type': 'input', 'subfolder': '', 'overwrite': 'true'}
    """
    form = {"type": type, "subfolder": subfolder}
    if overwrite:
        form["overwrite"] = "true"
    if original_ref is not None:
        reference = {"filename": original_ref.filename, "subfolder": original_ref.subfolder, "type": original_ref.type}
        form["original_ref"] = json.dumps(reference)
    return Request("POST", route, form=form, upload=file)


def refuse_unsendable(prompt: Mapping[str, Any]) -> None:
    """Raise where a prompt holds what no JSON can carry.

    Parameters
    ----------
    prompt : dict
        API format.

    Raises
    ------
    WorkflowError
        Names the node and the input.

    Examples
    --------
    >>> try:
    ...     refuse_unsendable({"3": {"class_type": "KSampler", "inputs": {"cfg": float("nan")}}})
    ... except ValueError as error:
    ...     print(error)
    KSampler (node 3): cfg is nan, which cannot be sent. Give it a finite number.
    """
    for node_id, node in prompt.items():
        inputs = node.get("inputs") if isinstance(node, Mapping) else None
        for name, value in inputs.items() if isinstance(inputs, Mapping) else ():
            why = _unsendable(value)
            if why is not None:
                class_type = str(node.get("class_type"))
                meta = node.get("_meta")
                title = str((meta.get("title") if isinstance(meta, Mapping) else None) or class_type)
                raise WorkflowError(
                    f"{title} (node {node_id}): {name} is {why}",
                    node_id=str(node_id),
                    node_title=title,
                    class_type=class_type,
                    input_name=str(name),
                )


def _finite(value: Any) -> Any:
    """The value with null for every NaN and infinity in it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {repr(key) if isinstance(key, float) else key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


def _unsendable(value: object) -> str | None:
    """What is wrong with a value, in words; None where JSON can carry it."""
    if value is None or isinstance(value, (str, int)):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{value!r}, which cannot be sent. Give it a finite number."
    if isinstance(value, Mapping):
        numbers = (key for key in value if isinstance(key, float))
        return next((why for item in (*numbers, *value.values()) if (why := _unsendable(item)) is not None), None)
    if isinstance(value, (list, tuple)):
        return next((why for item in value if (why := _unsendable(item)) is not None), None)
    try:
        return _unsendable(_plain(value))
    except TypeError:
        return (
            f"of type {type(value).__name__}, which cannot be sent. Give it text, a number, true or false, or a list."
        )


def _plain(value: Any) -> bool | int | float | str:
    """The Python value of a single number of numpy, torch and their like."""
    if getattr(value, "shape", None) == () and isinstance(plain := value.item(), (bool, int, float, str)):
        return plain
    raise TypeError(f"{type(value).__name__} is no JSON")
