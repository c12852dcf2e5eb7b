"""`ComfyPanel`: a workflow's form, its runs and their images in one widget."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import count
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import traitlets

from ..client import checked_client
from ..errors import ComfyError, PromptRefused
from . import _cells
from ._base import Widget
from ._film import MAX_FPS, MIN_FPS, write
from ._form import WorkflowForm, default_client
from ._form_state import FormState
from ._panel_traits import PanelTraits
from ._panel_view import RunControls, RunStage
from ._record import Keep, NotebookRecord, finish_before_cells_end
from ._run_rows import story
from ._runs import Host, Runs

if TYPE_CHECKING:
    from ..client import ComfyClient, Job
    from ..experiments import RunHistory
    from ..workflow import Choose
    from ._history import PanelHistory
    from ._panel_run import PanelRun
    from ._run_state import FieldName, Place

logger = logging.getLogger(__name__)

W = TypeVar("W", bound=Widget)

_numbers = count(1)


class ComfyPanel(PanelTraits):
    """A workflow in the notebook: its form, Run and Cancel, progress, the live preview, and the images.

    Displayed by itself, it leaves its images in the notebook as an ordinary output too; within another widget, such
    as a ``VBox``, it cannot.

    Its parts can also be displayed elsewhere, each alone: `form`, `controls` and `stage` are widgets of their own that
    show and do the same as the panel.

    Parameters
    ----------
    workflow : Workflow, dict, str, Path or bytes
        Anything that `Workflow.load` takes.
    client : ComfyClient or Fleet, optional
        The server, or several; all widgets without a client share one, see `ComfyClient` for the server it takes.
    params : iterable of str, or Mapping, optional
        What the form shows at once, and in which order; see `Workflow.expose`.
    title : str, optional
        The heading; the name of the workflow's file by default.
    history : str or Path, optional
        A folder that keeps the runs with their images and values, such as ``"runs"`` beside the notebook: the panel
        lists those of earlier kernels, too, and finds them by words. Without it nothing is kept. Several panels may
        share a folder.
    keep : str
        What of the images stays in the saved notebook: "thumbs" for one small sheet, "full" for a large one, or "none".
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    params : ParamValues
        The values as traits: ``panel.params.seed = 7`` also changes the form in the browser.
    seed_modes : SeedModes
        What becomes of each seed from run to run: ``panel.seed_modes["seed"] = "increment"``.
    workflow : Workflow
        The workflow with these values.
    client : ComfyClient
        The client of the server.
    form : WorkflowForm
        The form alone.
    controls : RunControls
        Run and Cancel, progress and errors alone.
    stage : RunStage
        The live preview and the images alone.
    status : str
        The status of the newest job, "idle" before the first run. This and the following are read-only traits, to be
        observed and linked: ``panel.observe(f, "images")``, ``ipywidgets.dlink((panel, "images"), (grid, "images"))``.
    progress : Progress
        How far that job is.
    job : Job or None
        The newest job, None before the first.
    result : Result or None
        What the newest job that has ended left, also one that failed; None before the first end.
    images : sequence of PIL images
        The images of that result, each opened when it is looked at.
    selected, starred : list of PIL images
        The images that are selected and starred in the browser, of all runs.
    error : ComfyError or None
        Why the newest run gave no result.
    value : dict
        All values of the form by name.
    history : RunHistory or None
        The runs that the folder keeps, the newest first: ``panel.history.search("lighthouse")[0].images``.

    Raises
    ------
    WorkflowError
        There is no workflow in `workflow`, or it has no parameter of a name in `params`.
    ExperimentError
        The folder `history` cannot be used.
    ValueError
        `history` is no folder, or `keep` is none of its words.

    Examples
    --------
    >>> from comfy_widgets import ComfyPanel, example
    >>> panel = ComfyPanel(example(), client)
    >>> panel.params.steps = 2
    >>> result = panel.run().result()
    >>> panel.images[0].size
    (512, 512)
    >>> panel.status.value
    'completed'

    The form and the images of one panel, side by side:

    >>> from ipywidgets import HBox
    >>> box = HBox([panel.form, panel.stage])
    """

    # What is told before the first run.
    _notice: PanelRun | None = None

    def __init__(
        self,
        workflow: Any,
        client: ComfyClient | None = None,
        params: Choose | None = None,
        *,
        title: str | None = None,
        history: str | Path | None = None,
        keep: Keep = "thumbs",
        layout: Any = None,
    ) -> None:
        self._record = NotebookRecord(keep)
        # By this a fleet tells its people apart, who take turns.
        self._share = f"panel {next(_numbers)}"
        self._parts: list[Widget] = []
        self._starting = threading.RLock()
        state = FormState(workflow, checked_client(client) or default_client(), params, title=title)
        self._history_kept = _history_in(history, state)
        runs = Runs(_PanelHost(state, self._run_ended, self._history_kept))
        super().__init__(state, runs, self._run_with, part="panel", layout=layout)
        finish_before_cells_end()
        problem = self._state.problem or self._state.missing_error()
        if problem is not None:
            self._notice = self._run_core.refuse(problem, self._state.frame, phase="idle")
        _cells.made(self)

    # Its parts

    @cached_property
    def form(self) -> WorkflowForm:
        """The form alone, to be put anywhere: it shows and sets the values of the panel."""
        return self._add_part(WorkflowForm(self._state))

    @cached_property
    def controls(self) -> RunControls:
        """Run and Cancel, progress and errors alone, to be put anywhere."""
        return self._add_part(RunControls(self._state, self._run_core, self._run_with, part="controls"))

    @cached_property
    def stage(self) -> RunStage:
        """The live preview and the images alone, to be put anywhere."""
        return self._add_part(RunStage(self._state, self._run_core, self._run_with, part="stage"))

    def _add_part(self, part: W) -> W:
        self._parts.append(part)
        return part

    @property
    def history(self) -> RunHistory | None:
        """The runs that the folder keeps, of this kernel and of earlier ones; None without a folder."""
        return self._history_kept.kept if self._history_kept is not None else None

    # What it does

    def run(self) -> Job:
        """Run the workflow with the values that stand in the form, and come back at once.

        As with Run in the browser, a seed that has run goes on first as its mode says: see `seed_modes`. One that was
        set since runs as it is.

        Returns
        -------
        Job
            ``panel.run().wait()`` waits for its end, ``await panel.run()`` in a cell gives the result.

        Raises
        ------
        ComfyError
            No job came about, as when a value does not fit; the panel shows the same. Or the panel is closed.

        Examples
        --------
        >>> from comfy_widgets import ComfyPanel, example
        >>> panel = ComfyPanel(example(), client)
        >>> panel.run().wait().status.value
        'completed'
        """
        return self._run_with({})

    def _run_with(self, values: Mapping[str, Any]) -> Job:
        """Run with some values in place of the form's."""
        if self._run_core.closed:
            raise ComfyError(
                "This panel is closed, so nobody would see the run. Make a new ComfyPanel of the workflow."
            )
        # Two threads that run at once count the seed on one after the other.
        with self._starting:
            frame = self._state.frame
            try:
                self._state.seeds.move()
                # Settled here: of an editor's workflow the job knows only later what was drawn for it.
                workflow = self.workflow.with_params(values).settle()
                turn = {"share": self._share} if getattr(self.client, "takes_turns", False) else {}
                submit: Callable[..., Job] = self.client.submit
                job = submit(workflow, previews="auto", **turn)
            except ComfyError as error:
                self._run_core.refuse(error, frame)
                self._announce()
                raise
            used = self._state.started({**self.params.to_dict(), **values}, job.drawn or workflow.drawn)
            self._run_core.start(job, frame, used, self._state.outputs)
            self._announce()
            return job

    def cancel(self) -> bool:
        """Cancel the newest job.

        Returns
        -------
        bool
            False where it has ended, or there is none.

        Examples
        --------
        >>> from comfy_widgets import ComfyPanel, example
        >>> ComfyPanel(example(), client).cancel()
        False
        """
        job = self.job
        return job.cancel() if job is not None else False

    def save_html(self, path: str | Path) -> Path:
        """Write all runs with their images and values as one HTML page that needs nothing else.

        It waits, at most a minute, until the images of runs that have ended are loaded.

        Parameters
        ----------
        path : str or Path
            The file; what is there already is replaced.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OSError
            The file cannot be written.

        Examples
        --------
        >>> from comfy_widgets import ComfyPanel, example
        >>> panel = ComfyPanel(example(), client)
        >>> result = panel.run().result()
        >>> panel.save_html("balloon.html").stat().st_size > 10_000
        True
        """
        from ._page import save_page

        self._run_core.wait_loaded()
        return save_page(Path(path), self._form["title"], self.runs, self._state.definitions)

    def save_film(self, path: str | Path, fps: float = 8.0) -> Path:
        """Write the previews of the last run, and the image that came of them, as an animated GIF or WebP.

        Of at most 16 MB of previews all are kept, of more every second, fourth, ... one.

        Parameters
        ----------
        path : str or Path
            The file, which ends in ``.gif`` or ``.webp``; what is there already is replaced.
        fps : float
            Images a second, 0.1 to 1000.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ValueError
            The last run had no previews, the file's name ends in something else, or `fps` is out of range.
        OSError
            The file cannot be written.

        Examples
        --------
        >>> from comfy_widgets import ComfyPanel, example
        >>> panel = ComfyPanel(example().with_params(seed=2024), client)
        >>> result = panel.run().result()
        >>> panel.save_film("balloon.gif").suffix
        '.gif'
        """
        target = Path(path)
        form = target.suffix.lower().removeprefix(".")
        if form not in ("gif", "webp"):
            raise ValueError(f"{target.name!r} must end in .gif or .webp.")
        if not isinstance(fps, Real) or not MIN_FPS <= fps <= MAX_FPS:
            raise ValueError(f"fps is {fps!r}, but must be a number from {MIN_FPS:g} to {MAX_FPS:g}.")
        self._run_core.wait_loaded()
        film = self._run_core.film.frames()
        if film is None:
            raise ValueError("No run of this panel has had previews yet.")
        target.write_bytes(write([image for image, _ in film[1]], form, fps))
        return target

    def close(self) -> None:
        """End the widget and its parts in the browser, and free what they hold. A job that runs goes on.

        Examples
        --------
        >>> panel = ComfyPanel(example(), client)
        >>> panel.close()
        """
        super().close()
        # ipywidgets closes a widget whose constructor failed, too.
        if hasattr(self, "_feed"):
            for part in self._parts:
                part.close()
            self._run_core.close()
            if self._history_kept is not None:
                self._history_kept.close()
            self._state.close()

    # Showing

    @traitlets.observe("_values")
    def _update_notice(self, _: object) -> None:
        """Tell what the server lacks of what stands in the form now, or that it lacks nothing any more."""
        if self._notice is not None and self._notice is self._run_core.newest:
            self._notice.refusal = self._state.problem or self._state.missing_error()
            self._run_core.changed()

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        bundle = self._repr_mimebundle_()
        if bundle is None:
            return
        data, metadata = bundle
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        self._record.show()
        _cells.shown(self)

    def _run_ended(self, run: PanelRun) -> None:
        result = run.shown_result
        if result is not None and self._state.problem is not None:
            # The server, which was not there when the form was made, has answered.
            self._state.redefine()
        if result is not None and run.job is not None:
            summary = self._run_core.state_of(run, loaded=True)["summary"]
            words = [f"{self._form['title']}: {summary or run.job.status}", *story(self._state.definitions, run.values)]
            self._record.write(result, "\n".join(words))
        if run.job is not None and isinstance(run.job.exception(timeout=0), PromptRefused):
            self._state.seeds.have_not_run(run.values)
        if self._history_kept is not None:
            self._history_kept.keep(run, self._form["title"])
        self._announce()


class _PanelHost(Host):
    """What the runs of a panel ask of it."""

    def __init__(self, state: FormState, run_ended: Callable[[PanelRun], None], history: PanelHistory | None) -> None:
        self._state = state
        self._run_ended = run_ended
        self._history = history

    def fields(self) -> Mapping[Place, FieldName]:
        return self._state.places

    def connected(self) -> bool:
        return self._state.client.connected

    def run_ended(self, run: PanelRun) -> None:
        self._run_ended(run)

    @property
    def history(self) -> PanelHistory | None:
        return self._history


def _history_in(folder: str | Path | None, state: FormState) -> PanelHistory | None:
    if folder is None:
        return None
    # Only here: most panels keep none, and a database is much to import.
    from ._history import PanelHistory

    return PanelHistory(folder, state)
