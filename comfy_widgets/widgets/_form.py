"""`WorkflowForm`: the parameters of a workflow as a form, and as traits."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ..client import ComfyClient
from ..errors import ComfyError
from ..workflow import Params, Workflow, image_upload
from . import _wire as wire
from ._base import Json, Widget
from ._pictures import thumbnail
from ._values import ParamValues, attribute

if TYPE_CHECKING:
    from ..workflow import Choose

logger = logging.getLogger("comfy_widgets")

_THUMBNAIL = 192

_default_client: ComfyClient | None = None
_default_lock = threading.Lock()


def default_client() -> ComfyClient:
    """The client of all widgets that were given none: see `ComfyClient` for the server it takes."""
    global _default_client
    with _default_lock:
        if _default_client is None:
            _default_client = ComfyClient()
        return _default_client


class WorkflowForm(Widget):
    """The parameters of a workflow as a form.

    Parameters
    ----------
    workflow : Workflow, dict, path, URL or bytes
        Anything that `Workflow.load` takes.
    client : ComfyClient, optional
        Its server's definitions give bounds, choices and help. All widgets without a client share one.
    params : iterable of str, or Mapping, optional
        What the form shows at once, and in which order; see `Workflow.expose`. The rest stands under "More settings".
    title : str, optional
        The heading; the workflow's own name by default.
    layout : ipywidgets.Layout, optional

    Attributes
    ----------
    params : ParamValues
        The values as traits: ``form.params.seed = 7`` also changes the form in the browser.

    Raises
    ------
    WorkflowError
        There is no workflow in `workflow`, or it has no parameter of a name in `params`.

    Examples
    --------
    >>> form = WorkflowForm(example())                            # doctest: +SKIP
    >>> form.params.observe(lambda change: ..., "steps")          # doctest: +SKIP
    >>> client.run(form.workflow)                                 # doctest: +SKIP
    """

    _bundle: ClassVar[str] = "form"

    _form = traitlets.Dict().tag(sync=True)
    _values = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        workflow: Any,
        client: ComfyClient | None = None,
        params: Choose | None = None,
        *,
        title: str | None = None,
        layout: Any = None,
    ) -> None:
        self.client = client if client is not None else default_client()
        # Held while values are put together and sent, so that the last values sent are the last ones there were.
        self._publishing = threading.RLock()
        self._loaded = Workflow.load(workflow)
        self._choose = params
        self._title = title
        self._problem: ComfyError | None = None
        self._errors: dict[str, str] = {}
        self._randomize: list[str] = []
        self._acks: dict[str, int] = {}
        self._taking = False
        self._uploads: dict[tuple[str, int], list[bytes]] = {}
        self._outputs = 1
        self._definitions = self._define()
        self.params = ParamValues(self._definitions, self._upload)
        self.params.observe(self._on_change)
        super().__init__(
            _form=self._describe(),
            _values=self._collect(),
            **({} if layout is None else {"layout": layout}),
        )

    def __repr__(self) -> str:
        # GitHub and nbconvert show it where the widget stood.
        return f"<{type(self).__name__} {self._form.get('title', '')!r}>"

    @property
    def workflow(self) -> Workflow:
        """The workflow with the values that stand in the form."""
        changed = {n: v for n, v in self.params.to_dict().items() if v != self._definitions[n].value}
        return self._loaded.with_params(changed)

    def refresh(self) -> None:
        """Ask the server for its definitions again, as after a new model was installed there.

        Raises
        ------
        ComfyError
            The server does not answer, or cannot run the workflow.
        """
        self.client.object_info(refresh=True)
        self._redefine()
        if self._problem is not None:
            raise self._problem

    def close(self) -> None:
        """End the widget in the page, and free what it holds."""
        if self.comm is not None:
            self.params.unobserve_all()
        super().close()

    # What the page is told

    def _define(self) -> Params:
        """Read the parameters with the server's definitions; without them as well as can be guessed."""
        self._problem = None
        try:
            self._loaded = self._loaded.bind(self.client.object_info())
        except ComfyError as error:
            self._problem = error
        try:
            if self._choose is not None:
                self._loaded = self._loaded.expose(self._choose)
            params = self._loaded.params()
            prompt = self._loaded.to_prompt()
        except ComfyError as error:
            if self._problem is None:
                raise
            # An editor's workflow cannot be read without definitions: the server is what is missing.
            logger.info("the workflow waits for the server's definitions: %s", error)
            return Params(())
        self._outputs = wire.outputs_of(prompt)
        return params

    def _redefine(self) -> None:
        with self._publishing:
            self._definitions = self._define()
            self.params._define(self._definitions)
            self._form = self._describe()
            self._publish()

    def _describe(self) -> Json:
        try:
            text = self.client.description
            embedded = self.client.embedded
        except ComfyError:
            text, embedded = f"Not connected · {self.client.url}", False
        name = text.split(" · ")[0] if embedded else text
        return {
            "title": self._title or self._name(),
            "server": {"text": name[:1].upper() + name[1:], "embedded": embedded, "ok": self._problem is None},
            "fields": [wire.field(param) for param in self._definitions.values()],
        }

    def _name(self) -> str:
        """The name of the file that the workflow came from, as words."""
        file = re.fullmatch(r"(?:.*[/\\])?([^/\\]+)\.\w{2,5}", self._loaded.source)
        words = re.sub(r"[_\s]+", " ", file[1]).strip() if file else ""
        return words[:1].upper() + words[1:] if words else "ComfyUI workflow"

    def _collect(self) -> Json:
        values = self.params.to_dict()
        return {
            "values": {name: wire.to_wire(param, values[name]) for name, param in self._definitions.items()},
            "errors": dict(self._errors),
            "randomize": list(self._randomize),
            "frame": self._expected(),
            "acks": dict(self._acks),
        }

    def _expected(self) -> Json:
        return wire.frame(self._definitions, self.params.to_dict(), self._outputs)

    def _publish(self) -> None:
        with self._publishing:
            if not self._taking:
                self._values = self._collect()

    def _on_change(self, change: Mapping[str, Any]) -> None:
        for name in [name for name in self._errors if attribute(name) == change["name"]]:
            del self._errors[name]
        self._publish()

    # What the page says

    def _on_edit(self, message: Json, buffers: list[memoryview]) -> None:
        self._take(message)

    def _take(self, message: Json) -> bool:
        """Take values from a page; False where one of them does not fit."""
        with self._answer(message):
            fits = [self._set(name, partial(self._from_wire, name, wired)) for name, wired in message["values"].items()]
            self._randomize = [name for name in message["randomize"] if name in self._definitions]
        return all(fits)

    @contextlib.contextmanager
    def _answer(self, message: Json) -> Iterator[None]:
        """Answer an edit with one set of values that includes all of it."""
        with self._publishing:
            self._taking = True
            try:
                yield
            finally:
                self._taking = False
                self._acks = {**self._acks, message["page"]: message["n"]}
                self._publish()

    def _from_wire(self, name: str, value: Any) -> Any:
        return wire.from_wire(self._definitions[name], value)

    def _set(self, name: str, make: Callable[[], Any]) -> bool:
        self._errors.pop(name, None)
        try:
            self.params[name] = make()
        except ComfyError as error:
            self._errors[name] = str(error)
            return False
        except Exception:
            # Somebody's observer failed; the value is set, and the page must hear of it.
            logger.exception("an observer of %r failed", name)
        return True

    def _on_upload(self, message: Json, buffers: list[memoryview]) -> None:
        """A part of a file; with the last one the file goes to the server."""
        key = (message["page"], message["n"])
        parts = self._uploads.setdefault(key, [])
        parts.append(bytes(buffers[0]))
        if len(parts) < message["parts"]:
            return
        content = b"".join(self._uploads.pop(key))
        name = message["field"]

        def uploaded() -> str:
            if self._definitions[name].kind == "image":
                image_upload(content)  # raises where it is none
            return self._upload(message["name"], content)

        with self._answer(message):
            self._set(name, uploaded)

    def _upload(self, name: str, content: bytes) -> str:
        file = self.client.upload_image(content, filename=name)
        return f"{file.subfolder}/{file.filename}" if file.subfolder else file.filename

    def _on_thumbnail(self, message: Json, buffers: list[memoryview]) -> None:
        """The page wants to show the picture that a field names."""
        name = message["field"]
        value = self.params[name]
        if self._definitions[name].kind != "image" or not isinstance(value, str) or not value:
            return
        # ComfyUI's own way to name a picture in another folder: "boat.png [output]".
        where = re.search(r" \[(input|output|temp)\]$", value)
        folder, _, filename = value[: where.start() if where else None].rpartition("/")
        with contextlib.suppress(ComfyError):
            content = self.client.view(
                {"filename": filename, "subfolder": folder, "type": where[1] if where else "input"}
            )
            small = thumbnail(content, _THUMBNAIL)
            if small is not None:
                self._to_page({"kind": "thumbnail", "field": name, "value": value, "mime": "image/webp"}, [small])
