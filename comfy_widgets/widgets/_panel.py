"""`ComfyPanel`: a workflow's form, its runs and their pictures in one widget."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import ComfyError, WorkflowError
from ._base import Json
from ._follow import Follower
from ._form import WorkflowForm
from ._record import Record, settle_before_cells_end
from ._run import Place, result_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..client import ComfyClient, Job, Result
    from ..workflow import Choose


logger = logging.getLogger("comfy_widgets")


class ComfyPanel(WorkflowForm):
    """A workflow in the notebook: its form, Run and Cancel, progress, the live preview, and the pictures.

    Displayed by itself, it leaves its pictures in the notebook as an ordinary output too; within another widget, such
    as a ``VBox``, it cannot.

    Parameters
    ----------
    workflow : Workflow, dict, path, URL or bytes
        Anything that `Workflow.load` takes.
    client : ComfyClient, optional
        The server; all widgets without a client share one, see `ComfyClient` for the server it takes.
    params : iterable of str, or Mapping, optional
        What the form shows at once, and in which order; see `Workflow.expose`.
    title : str, optional
        The heading.
    layout : ipywidgets.Layout, optional

    Attributes
    ----------
    params : ParamValues
        The values as traits: ``panel.params.seed = 7`` also changes the form in the browser.

    Raises
    ------
    WorkflowError
        There is no workflow in `workflow`, or it has no parameter of a name in `params`.

    Examples
    --------
    >>> panel = ComfyPanel("text_to_image.json")                  # doctest: +SKIP
    >>> panel                                                     # doctest: +SKIP
    >>> panel.params.seed = 7                                     # doctest: +SKIP
    >>> panel.run().wait()                                        # doctest: +SKIP
    >>> panel.images[0]                                           # doctest: +SKIP
    """

    _bundle: ClassVar[str] = "panel"

    def __init__(
        self,
        workflow: Any,
        client: ComfyClient | None = None,
        params: Choose | None = None,
        *,
        title: str | None = None,
        layout: Any = None,
    ) -> None:
        self._record = Record()
        self._refusal: ComfyError | None = None
        self._follower = Follower(
            self._tell,
            self._to_page,
            places=self._places,
            connected=lambda: self.client.connected,
            on_end=self._on_end,
        )
        super().__init__(workflow, client, params, title=title, layout=layout)
        settle_before_cells_end()
        problem = self._problem or self._hopeless()
        if problem is not None:
            self._refuse(problem, phase="idle")

    # What it did

    @property
    def job(self) -> Job | None:
        """The newest job."""
        return self._follower.job

    @property
    def result(self) -> Result | None:
        """What the newest job left, also one that failed; None before its end."""
        job = self.job
        return result_of(job) if job is not None else None

    @property
    def images(self) -> list[Image]:
        """The pictures of the newest job as PIL images; empty before its end."""
        result = self.result
        return result.images if result is not None else []

    @property
    def error(self) -> ComfyError | None:
        """Why the newest run gave no result."""
        if self._refusal is not None:
            return self._refusal
        job = self.job
        return job.exception(timeout=0) if job is not None and job.done() else None

    # What it does

    def run(self) -> Job:
        """Run the workflow with the values that stand in the form, and come back at once.

        Returns
        -------
        Job
            ``panel.run().wait()`` waits for its end, ``await panel.run()`` in a cell gives the result.

        Raises
        ------
        ComfyError
            No job came about, as when a value does not fit. The panel shows the same.
        """
        try:
            job = self.client.submit(self.workflow)
        except ComfyError as error:
            self._refuse(error)
            raise
        self._refusal = None
        self._follower.follow(job, self._expected())
        return job

    def cancel(self) -> bool:
        """Cancel the newest job.

        Returns
        -------
        bool
            False where nothing runs.
        """
        job = self.job
        return job.cancel() if job is not None else False

    def close(self) -> None:
        """End the widget in the page, and free what it holds. A job that runs goes on."""
        # ipywidgets closes a widget whose constructor failed, too.
        if hasattr(self, "_follower"):
            self._follower.stop()
        super().close()

    # Showing

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        bundle = self._repr_mimebundle_()
        if bundle is None:
            return
        data, metadata = bundle
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        self._record.show()

    def _on_end(self, job: Job, words: str) -> None:
        result = result_of(job)
        if result is not None and self._problem is not None:
            # The server, which was not there when the form was made, has answered.
            self._redefine()
        if result is not None:
            self._record.write(result, f"{self._form['title']}: {words or job.status}")

    def _hopeless(self) -> WorkflowError | None:
        """What this server lacks for the workflow and no field can mend: nodes above all."""
        problems = [p for p in self._loaded.check() if p.severity == "error" and not p.input_name]
        return WorkflowError("\n".join(p.message for p in problems)) if problems else None

    def _refuse(self, error: ComfyError, phase: str = "failed") -> None:
        self._refusal = error
        self._follower.refuse(error, self._expected(), phase)

    def _places(self) -> dict[Place, str]:
        return {(param.node_id, param.input_name): name for name, param in self._definitions.items()}

    # What the page says

    def _on_hello(self, message: Json, buffers: list[memoryview]) -> None:
        super()._on_hello(message, buffers)
        self._follower.repeat()

    def _on_run(self, message: Json, buffers: list[memoryview]) -> None:
        if self._take(message):
            try:
                self.run()
            except ComfyError as error:
                # The panel shows it; raised in a message handler, nobody would see it.
                logger.info("no job came about: %s", error)
            except Exception as error:
                # The page waits for an answer, whatever happens.
                logger.exception("no job came about")
                self._refuse(ComfyError(f"The run could not start. {type(error).__name__}: {error}"))

    def _on_cancel(self, message: Json, buffers: list[memoryview]) -> None:
        self.cancel()

    def _on_original(self, message: Json, buffers: list[memoryview]) -> None:
        self._follower.send_original(message["run"], message["index"])
