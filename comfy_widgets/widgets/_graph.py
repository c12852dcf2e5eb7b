"""`WorkflowGraph`: the graph of a workflow, which shows what a job does in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ..client import checked_client
from ..errors import WorkflowError
from ..workflow import Workflow
from ._form import default_client
from ._nodes import graph_of
from ._views import JobView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..client import ComfyClient, Job
    from ._base import Handler
    from ._schema import SelectNode, WantGraph


class WorkflowGraph(JobView):
    """The graph of a workflow: its nodes light up as a job works on them, and say how long they took.

    Cached nodes are dim, the one that works shows how far it is, one that failed is red. It is moved by dragging or the
    arrow keys, zoomed by its buttons, the keys + and -, or Ctrl and the wheel; 0 shows all of it.

    Parameters
    ----------
    workflow : Workflow, dict, str, Path or bytes, optional
        Anything that `Workflow.load` takes; the workflow of the job by default.
    job : Job, optional
        The job that it follows.
    client : ComfyClient, optional
        Whose definitions a workflow in the editor's format is read with; the shared one by default. In API format none
        is needed.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    workflow : Workflow or None
        What it shows.
    job : Job, tuple of Job, or None
        What it follows; may be set and linked. A job of another workflow brings that one along.
    selected : str or None
        The id of the node that is selected in the browser; may be set and observed.

    Raises
    ------
    WorkflowError
        There is no workflow in `workflow`.

    Examples
    --------
    >>> from comfy_widgets import WorkflowGraph, example
    >>> graph = WorkflowGraph(example())
    >>> graph.job = client.submit(example(), width=64, height=64, steps=2)
    >>> graph.selected = "3"
    """

    _bundle: ClassVar[str] = "graph"

    _selected = traitlets.Unicode(None, allow_none=True).tag(sync=True)

    selected: traitlets.Unicode[str | None, str | bytes | None] = traitlets.Unicode(
        None, allow_none=True, help="The id of the node that is selected; None for none."
    )

    def __init__(
        self,
        workflow: Any = None,
        job: Job | None = None,
        *,
        client: ComfyClient | None = None,
        layout: Any = None,
    ) -> None:
        self._workflow = None if workflow is None else _readable(Workflow.load(workflow), client)
        super().__init__(job, layout=layout)
        self._feed.follow_nodes(True)

    @property
    def workflow(self) -> Workflow | None:
        """What it shows; None before there is one."""
        return self._workflow

    def _about(self) -> str:
        if self._workflow is None:
            return "of no workflow"
        count = len(list(self._workflow))
        return f"of {count} node{'s' * (count != 1)}"

    @traitlets.observe("job")
    def _on_new_job(self, _: object) -> None:
        prompt = self._prompt
        if prompt and (self._workflow is None or {node.id for node in self._workflow} != set(prompt)):
            self._workflow = Workflow.load(dict(prompt))
        self._send_graph()

    @property
    def _prompt(self) -> Mapping[str, Any]:
        """What the job was sent with; empty without one."""
        job = self.job[0] if isinstance(self.job, tuple) else self.job
        return job.prompt if job is not None else {}

    @traitlets.observe("selected")
    def _on_selected(self, _: object) -> None:
        self.set_trait("_selected", self.selected)

    def _message_handlers(self) -> Mapping[str, Handler]:
        return {**super()._message_handlers(), "graph": self._on_graph, "select-node": self._on_select}

    def _on_graph(self, message: WantGraph, buffers: list[memoryview]) -> None:
        self._send_graph()

    def _on_select(self, message: SelectNode, buffers: list[memoryview]) -> None:
        self.selected = message["node"]

    def _send_graph(self) -> None:
        if self._workflow is not None:
            self.send(graph_of(self._workflow, prompt=self._prompt))


def _readable(workflow: Workflow, client: ComfyClient | None) -> Workflow:
    """Return a workflow with a server's definitions, where it has to be converted or somebody named the server."""
    if checked_client(client) is None:
        try:
            workflow.to_prompt()
        except WorkflowError:
            client = default_client()
    return workflow if client is None else workflow.bind(client.object_info())
