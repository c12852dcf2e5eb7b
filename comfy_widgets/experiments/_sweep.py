"""`sweep` and `resume`: from what people write to an experiment that runs."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._writing import utf8_bytes
from ..client import ComfyClient, checked_client, state_directory
from ..protocol import WorkflowError
from ._ask import Asking
from ._errors import ExperimentError
from ._experiment import ASK_ABOVE, Experiment
from ._places import Client
from ._sample import Indices, Sample, combinations
from ._saved import space_of
from ._space import Space, Values, shape_of
from ._store import Store
from ._timings import Timings


def sweep(
    workflow: Any,
    axes: Mapping[str, Any] | None = None,
    /,
    *,
    client: Any = None,
    folder: str | Path | None = None,
    name: str | None = None,
    sample: int | Sample | None = None,
    skip: Callable[[Values], bool] | None = None,
    ask: Any = None,
    score: Callable[[Any], float] | None = None,
    confirm: bool | None = None,
    **more: Any,
) -> Experiment:
    """Run a workflow with all combinations of some values. Returns at once.

    Parameters
    ----------
    workflow : Workflow, path, dict, ... or several
        Whatever `Workflow.load` takes. A list, or a dict of names and workflows, makes an axis of its own.
    axes : Mapping, optional
        The same as keywords, for parameters whose names are no Python identifiers: ``{"KSampler 2.steps": [10, 20]}``.
    client : ComfyClient or Fleet, optional
        The server, or several; found as `ComfyClient` finds one by default.
    folder : str or Path, optional
        The store. What is in it is not run again, however the sweep ended. By default a folder of the workflow's name
        below ``experiments`` where the notebook is.
    name : str, optional
        What it is called.
    sample : int, latin(...) or sobol(...), optional
        Run only so many of the combinations: at random, or spread evenly.
    skip : callable, optional
        Takes the values of a cell (``cell.cfg``, ``cell["cfg"]``) and says whether to leave it out.
    ask : object, optional
        Proposes cells with ``ask()`` and learns with ``tell(asked, score)``, as an Optuna study does. Needs ``sample``,
        the number of cells, and ``score``.
    score : callable, optional
        Takes a PIL image and gives a number, for ``ask``.
    confirm : bool, optional
        True starts it however large it is, False only makes it ready; by default more than 200 cells wait for
        ``start()``.
    **more : iterable, together(...), replace(...), lora(...) or a single value
        Parameters by name. Several values are an axis, a single one holds for all cells. A dict gives the values names.

    Returns
    -------
    Experiment
        It is running, unless it waits for consent.

    Raises
    ------
    WorkflowError
        Anything about the workflow, a name or a value. Every cell is checked before the first is sent.
    ExperimentError
        The folder cannot be used, or keeps an experiment of another workflow.

    Examples
    --------
    >>> from comfy_widgets import example, sweep
    >>> run = sweep(example(), seed=range(4), cfg=[2, 5, 8])      # doctest: +SKIP
    >>> run.wait().grid(x="cfg", y="seed")                        # doctest: +SKIP
    """
    given = {**(axes or {}), **more}
    client = checked_client(client)
    if client is None:
        client = ComfyClient()
    space = replace(Space.make(workflow, given, client.object_info()), accepts=_accepts(client))
    count = sample.count if isinstance(sample, Sample) else sample
    if ask is not None:
        if count is None or score is None:
            raise WorkflowError("ask needs the number of cells and what makes one good: sample=40, score=my_function.")
        cells: list[Indices] = []
        asking = Asking(ask, space, count, score)
        space.check([tuple(0 for _ in space.sizes)])
    else:
        asking = None
        cells = _chosen(space, sample, skip)
        space.check(cells)
    title = name or _name(space)
    store = Store(folder if folder is not None else Path("experiments") / f"{_slug(title)}-{shape_of(space)[:6]}")
    try:
        _refuse_another(store, shape_of(space))
        run = Experiment(title, space, cells, client, store, _timings(client), asking=asking)
    except BaseException:
        store.close()
        raise
    return _begin(run, confirm)


def resume(folder: str | Path, *, client: Any = None, confirm: bool | None = True) -> Experiment:
    """Go on with a sweep that was begun before, by this process or another one.

    Parameters
    ----------
    folder : str or Path
        Its store; or a page that `Experiment.save` wrote, which makes a store beside itself.
    client : ComfyClient or Fleet, optional
        The server, or several; found as `ComfyClient` finds one by default.
    confirm : bool, optional
        False only makes it ready, to look at.

    Returns
    -------
    Experiment

    Raises
    ------
    ExperimentError
        There is no sweep in the folder, or it cannot be read.
    WorkflowError
        The server does not take its workflow any more.

    Examples
    --------
    >>> run = resume("sweeps/lighthouse")  # doctest: +SKIP
    """
    path = Path(folder).expanduser()
    if path.is_file() and path.suffix.lower() in (".html", ".htm"):
        return _resume_page(path, client, confirm)
    store = Store(path, create=False)
    try:
        number, name, definition, cells = store.last_run()
        return _begin(_again(store, name, definition, cells, client, number), confirm)
    except BaseException:
        store.close()
        raise


def _resume_page(path: Path, client: Any, confirm: bool | None) -> Experiment:
    from ._page import read_page

    data = read_page(path)
    try:
        title, cells = str(data["state"]["title"]), [tuple(map(int, indices)) for indices in data["cells"]]
        files = {str(name): base64.b64decode(text) for name, text in data["files"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ExperimentError(f"{path} is no saved page of a sweep ({error!r}).") from error
    store = Store(path.with_name(f"{path.stem}-sweep"))
    try:
        for name, content in files.items():
            store.put_file(content, name)
        return _begin(_again(store, title, data["definition"], cells, client, None), confirm)
    except BaseException:
        store.close()
        raise


def _again(
    store: Store, name: str, definition: Mapping[str, Any], cells: list[Indices], client: Any, number: int | None
) -> Experiment:
    """Make an experiment of what was kept of it."""
    client = checked_client(client)
    if client is None:
        client = ComfyClient()
    space = replace(space_of(definition, client.object_info(), store), accepts=_accepts(client))
    if any(
        len(indices) != len(space.axes) or not all(0 <= i < n for i, n in zip(indices, space.sizes, strict=True))
        for indices in cells
    ):
        raise ExperimentError(f"The cells of the sweep in {store.folder} do not fit its axes.")
    space.check(cells)
    return Experiment(name, space, cells, client, store, _timings(client), number=number)


def _begin(run: Experiment, confirm: bool | None) -> Experiment:
    large = len(run) - run.price.stored > ASK_ABOVE
    starts = confirm if confirm is not None else not large
    told = "" if starts else " It has not been started: .start() does." if large else ""
    sys.stdout.write(f"{run.price}.{told}\n")
    return run.start() if starts else run


def _chosen(space: Space, sample: int | Sample | None, skip: Callable[[Values], bool] | None) -> list[Indices]:
    cells = combinations(space.sizes, sample)
    kept = [indices for indices in cells if skip is None or not skip(space.values(indices))]
    if not kept:
        raise WorkflowError(f"skip leaves out all {len(cells)} cells, so there is nothing to run.")
    return kept


def _refuse_another(store: Store, shape: str) -> None:
    shapes = store.shapes()
    if shapes and shape not in shapes:
        raise ExperimentError(
            f"{store.folder} keeps the experiment {next(iter(shapes.values()))!r} of another workflow: other nodes, or "
            "connected otherwise. Choose another folder."
        )


def _accepts(client: Any) -> Callable[[Any], object] | None:
    """What refuses a prompt that no server of a fleet can run; None for a single server, which is asked otherwise."""
    return getattr(client, "check_prompt", None)


def _timings(client: Client) -> Timings:
    # The embedded engine has another port each time it is started, and is the same server all the same.
    server = "embedded" if getattr(client, "embedded", False) else client.url
    return Timings.load(state_directory(), server)


def _name(space: Space) -> str:
    names = [base.name for base in space.bases]
    return " and ".join(names) if len(names) < 3 else f"{len(names)} workflows"


def _slug(name: str) -> str:
    short = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60]
    return short or hashlib.sha256(utf8_bytes(name)).hexdigest()[:8]
