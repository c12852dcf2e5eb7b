"""`WorkflowForm`: the parameters of a workflow as a form, and as traits."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ..client import checked_client
from ..errors import ComfyError
from ._base import Handler, Widget
from ._choices import news
from ._form_state import FormState
from ._live import LiveTrait, announce
from ._pump import asker
from ._seeds import SeedModes

if TYPE_CHECKING:
    from ..client import ComfyClient
    from ..workflow import Choose, Workflow
    from ._schema import Dropped, Edit, Lists, Mask, Upload, UseOffer, WantInput, WantLists, WantThumbnail
    from ._values import ParamValues

_default_client: ComfyClient | None = None
_default_lock = threading.Lock()


def default_client() -> ComfyClient:
    """Return the client of all widgets that were given none: see `ComfyClient` for the server it takes."""
    global _default_client
    with _default_lock:
        if _default_client is None:
            from ..client import ComfyClient

            _default_client = ComfyClient()
        return _default_client


class FormWidget(Widget):
    """A widget whose browser shows a form, whoever else does too."""

    _form = traitlets.Dict().tag(sync=True)
    _values = traitlets.Dict().tag(sync=True)

    value: LiveTrait = LiveTrait({}, lambda form: form.params.to_dict(), help="The form's values by name; read-only.")

    def __init__(self, state: FormState, *, layout: Any = None, **traits: Any) -> None:
        self._state = state
        super().__init__(_form=state.spec, _values=state.values(), layout=layout, **traits)
        announce(self, "value")
        state.attach(self)

    def _about(self) -> str:
        return repr(self._form.get("title", ""))

    @property
    def title(self) -> str:
        """The heading."""
        return str(self._form.get("title", ""))

    @property
    def params(self) -> ParamValues:
        """The values as traits: ``params.seed = 7`` also changes the form in the browser."""
        return self._state.params

    @property
    def seed_modes(self) -> SeedModes:
        """What becomes of each seed from run to run, by name, as "control after generate" of ComfyUI's editor.

        ``"fixed"`` lets it stand, ``"increment"`` and ``"decrement"`` count on, ``"randomize"`` draws a new one. They
        start as the editor's file says, else with ``"fixed"``. The form always shows the seed of the last run: it goes
        on when the next one starts. A seed that has not run yet, as it was just set, runs as it is.

        Examples
        --------
        >>> from comfy_widgets import ComfyPanel, example
        >>> panel = ComfyPanel(example(), client)
        >>> panel.seed_modes["seed"] = "increment"
        >>> [panel.run().prompt["3"]["inputs"]["seed"] for _ in range(3)]
        [42, 43, 44]
        >>> panel.params.seed
        44
        """
        return SeedModes(self._state.seeds)

    def next_seeds(self) -> dict[str, int]:
        """Let the seeds go on as their modes say, for runs that are started without the panel.

        Returns
        -------
        dict
            The seeds that went on, by name.

        Examples
        --------
        >>> from comfy_widgets import WorkflowForm, example
        >>> form = WorkflowForm(example(), client)
        >>> form.seed_modes["seed"] = "decrement"
        >>> result = client.run(form.workflow)
        >>> form.next_seeds()
        {'seed': 41}
        """
        return self._state.seeds.move(all_of_them=True)

    @property
    def client(self) -> ComfyClient:
        """The client of the server that the form belongs to."""
        return self._state.client

    @property
    def workflow(self) -> Workflow:
        """The workflow with the values of the form."""
        return self._state.workflow

    def refresh(self) -> None:
        """Ask the server for its definitions again, as after a new model was installed there.

        Raises
        ------
        ComfyError
            The server does not answer, or cannot run the workflow.

        Examples
        --------
        >>> from comfy_widgets import WorkflowForm, example
        >>> WorkflowForm(example(), client).refresh()
        """
        self._state.refresh()

    def lock(self, *names: str) -> None:
        """Let these fields be seen in the browser, and not changed there; each call replaces the one before.

        Python still sets them. It guides who learns, and keeps nobody out.

        Parameters
        ----------
        *names : str
            Of parameters; none of them unlocks all.

        Raises
        ------
        UnknownParam
            There is no such parameter.

        Examples
        --------
        >>> from comfy_widgets import WorkflowForm, example
        >>> form = WorkflowForm(example(), client)
        >>> form.lock("seed", "steps")
        """
        self._state.lock(names)

    def close(self) -> None:
        """End the widget in the browser, and free what it holds.

        Examples
        --------
        >>> form = WorkflowForm(example(), client)
        >>> form.close()
        """
        # ipywidgets closes a widget whose constructor failed, too.
        if hasattr(self, "_state"):
            self._state.detach(self)
        super().close()

    @traitlets.observe("_values")
    def _on_values(self, _: object) -> None:
        announce(self, "value")

    def _message_handlers(self) -> Mapping[str, Handler]:
        return {
            **super()._message_handlers(),
            "edit": self._on_edit,
            "upload": self._on_upload,
            "thumbnail": self._on_thumbnail,
            "lists": self._on_lists,
            "input_image": self._on_input_image,
            "mask": self._on_mask,
            "dropped": self._on_dropped,
            "use_offer": self._on_use_offer,
        }

    def _on_edit(self, message: Edit, buffers: list[memoryview]) -> None:
        self._state.take(message)

    def _on_upload(self, message: Upload, buffers: list[memoryview]) -> None:
        self._state.files.upload(message, bytes(buffers[0]))

    def _on_input_image(self, message: WantInput, buffers: list[memoryview]) -> None:
        self.send(*self._state.files.input_image(message["field"]))

    def _on_mask(self, message: Mask, buffers: list[memoryview]) -> None:
        self._state.files.mask(message, bytes(buffers[0]))

    def _on_dropped(self, message: Dropped, buffers: list[memoryview]) -> None:
        found = self._state.files.offer(message, bytes(buffers[0]))
        if found is not None:
            self.send(found)

    def _on_use_offer(self, message: UseOffer, buffers: list[memoryview]) -> None:
        self._state.files.use_offer(message["page"])

    def _on_lists(self, message: WantLists, buffers: list[memoryview]) -> None:
        # A server with many nodes takes its time.
        asker.submit(self._send_lists)

    def _send_lists(self) -> None:
        before = self._state.definitions
        try:
            self.refresh()
            text = news(before, self._state.definitions)
        except ComfyError as error:
            text = str(error)
        except Exception as error:
            # An observer of somebody's own, who is told of what is new.
            self._state.warn("Refreshing the lists", error)
            text = ""
        answer: Lists = {"kind": "lists", "text": text}
        self.send(answer)

    def _on_thumbnail(self, message: WantThumbnail, buffers: list[memoryview]) -> None:
        found = self._state.files.thumbnail(message)
        if found is not None:
            self.send(found[0], [found[1]])


class WorkflowForm(FormWidget):
    """The parameters of a workflow as a form.

    Parameters
    ----------
    workflow : Workflow, dict, str, Path or bytes
        Anything that `Workflow.load` takes.
    client : ComfyClient, optional
        Its server's definitions give bounds, choices and help. All widgets without a client share one.
    params : iterable of str, or Mapping, optional
        What the form shows at once, and in which order; see `Workflow.expose`. The rest stands under "More settings".
    title : str, optional
        The heading; the name of the workflow's file by default.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    params : ParamValues
        The values as traits: ``form.params.seed = 7`` also changes the form in the browser.
    seed_modes : SeedModes
        What becomes of each seed from run to run: ``form.seed_modes["seed"] = "increment"``.
    value : dict
        All values by name; read-only, to be observed and linked.
    workflow : Workflow
        The workflow with these values.
    client : ComfyClient
        The client of the server that the form belongs to.

    Raises
    ------
    WorkflowError
        There is no workflow in `workflow`, or it has no parameter of a name in `params`.

    Examples
    --------
    >>> from comfy_widgets import WorkflowForm, example
    >>> form = WorkflowForm(example(), client)
    >>> form.params.steps = 2
    >>> form.value["steps"]
    2
    >>> form.params.observe(lambda change: print(change.new), "steps")
    >>> form.params.steps = 3
    3
    """

    _bundle: ClassVar[str] = "form"

    def __init__(
        self,
        workflow: Any,
        client: ComfyClient | None = None,
        params: Choose | None = None,
        *,
        title: str | None = None,
        layout: Any = None,
    ) -> None:
        if isinstance(workflow, FormState):
            super().__init__(workflow, layout=layout)
        else:
            super().__init__(
                FormState(workflow, checked_client(client) or default_client(), params, title=title), layout=layout
            )
