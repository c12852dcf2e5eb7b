"""`DaskFleet`: servers that only the workers of a Dask cluster reach.

Dask is imported when a fleet is made, and not before.
"""

from __future__ import annotations

import logging
import pickle
import weakref
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from ..client import (
    Batch,
    FileGone,
    Job,
    JobError,
    JobRelay,
    JobStatus,
    Relays,
    Result,
    run_shown,
    submit_batch,
)
from ..protocol import ComfyError, File, Queue, WorkflowError
from ..workflow import Workflow
from . import _dask_worker as on_worker
from ._cell import Cell
from ._dask_bound import BoundTasks
from ._dask_roster import DaskRoster
from ._dask_worker import RESOURCE, Answer, Order, carry_out
from ._ids import new_id, own_id
from ._places import Claim, OneServer
from ._timings import megapixels, model_of

logger = logging.getLogger(__name__)

_SECONDS = 60.0


class DaskFleet:
    """ComfyUI servers that the workers of a Dask cluster reach, and the notebook need not: panels and sweeps take it.

    Each worker has a server of its own: the one in its ``$COMFYUI_URL``, else ``http://127.0.0.1:8188`` on its machine.
    Workers are started with ``--resources "COMFY=2"``, so that each has two prompts at a time, and `comfy_widgets` is
    installed there, too. On one machine, or where the notebook reaches the servers, `Fleet` does the same without Dask.

    When a worker dies, its prompts go to others, which ask its server first. A worker whose server does not answer any
    more closes itself. An error of the workflow itself is never tried elsewhere.

    Parameters
    ----------
    dask_client : distributed.Client
        Of the cluster; it stays open when the fleet is closed.
    servers : Mapping, optional
        Addresses of servers by the names of the workers, in place of their ``$COMFYUI_URL``.
    lost_after : float
        Seconds without an answer after which a worker gives its server up.

    Attributes
    ----------
    takes_turns : bool
        False: prompts run in the order in which they were submitted.

    Raises
    ------
    ComfyError
        Dask is not installed, no worker has the resource, or no worker's server answers.

    Examples
    --------
    >>> from distributed import Client                              # doctest: +SKIP
    >>> fleet = DaskFleet(Client("tcp://scheduler:8786"))           # doctest: +SKIP
    >>> sweep(example(), seed=range(40), client=fleet)              # doctest: +SKIP
    """

    takes_turns: ClassVar[bool] = False

    def __init__(self, dask_client: Any, *, servers: Mapping[Any, str] | None = None, lost_after: float = 60.0) -> None:
        try:
            import distributed  # noqa: F401
        except ImportError as error:
            raise ComfyError(
                f"Dask is not installed ({error}). Install it here and on the workers: pip install "
                "'comfy_widgets[dask]'."
            ) from error
        self._dask: Any = dask_client
        named = {str(name): url for name, url in (servers or {}).items()}
        self._setup = on_worker.Setup(named, lost_after)
        self._topic = f"comfy_widgets-{new_id()}"
        self._relays = Relays()
        self._out: dict[str, tuple[JobRelay, Callable[[Job], object] | None]] = {}
        self._futures: dict[str, Any] = {}
        self._orders: dict[str, tuple[Order, int]] = {}
        self._numbers = count(1)
        self._roster = DaskRoster(dask_client, self._setup)
        self._roster.look()
        move = weakref.WeakMethod(self._move)
        self._bound = BoundTasks(self._roster.follow, lambda prompt_id: (found := move()) and found(prompt_id))
        hear = weakref.WeakMethod(self._heard)

        def heard(message: tuple[float, Mapping[str, Any]]) -> None:
            method = hear()
            if method is not None:
                method(message[1])

        self._dask.subscribe_topic(self._topic, heard)
        self._finalizer = weakref.finalize(self, _end, self._dask, self._topic, self._relays, self._bound)

    # What it is

    @property
    def url(self) -> str:
        """The address of Dask's scheduler; it stands for a server where that is not known yet."""
        return f"dask+{self._dask.scheduler.address}"

    @property
    def description(self) -> str:
        """One line that says which servers these are."""
        infos = self._roster.known.values()
        count, versions = len(infos), sorted({info.version for info in infos if info.version})
        return f"{count} {'server' if count == 1 else 'servers'} through Dask · ComfyUI {', '.join(versions)}"

    @property
    def embedded(self) -> bool:
        """Whether all servers are embedded engines; that is not asked."""
        return False

    @property
    def connected(self) -> bool:
        """Whether Dask's scheduler is connected."""
        return bool(self._dask.status == "running")

    @property
    def servers(self) -> list[str]:
        """The addresses of the workers' servers, as the workers know them."""
        return self._roster.servers

    # Jobs

    def submit(
        self,
        workflow: Workflow | Mapping[str, Any] | str | Path | bytes,
        /,
        *,
        partial_execution_targets: list[str] | None = None,
        extra_data: Mapping[str, Any] | None = None,
        previews: str | None = None,
        prompt_id: str | None = None,
        on_post: Callable[[Job], object] | None = None,
        claimed: str = "",
        **values: Any,
    ) -> Job:
        """Send a workflow to a worker that can run it. Returns at once.

        Parameters
        ----------
        workflow : Workflow, dict, path, JSON text or bytes
            As for `ComfyClient.submit`.
        partial_execution_targets : list of str, optional
            Run only these output nodes.
        extra_data : dict, optional
            Goes with the prompt.
        previews : str, optional
            Ask for live previews: "auto", "latent2rgb", "taesd" or "none".
        prompt_id : str, optional
            An id of your own; it stays the same whichever server runs it.
        on_post : callable, optional
            Called with the job when a worker is about to send it: ``job.server`` is the server.
        claimed : str
            The server that may have the prompt of this id already, as was noted earlier; it is asked first.
        **values
            Values for the workflow's parameters.

        Returns
        -------
        Job
            ``job.server`` says who runs it.

        Raises
        ------
        WorkflowError
            The workflow cannot be read, or no server has what it needs; nothing is sent then.
        ValueError
            The ``prompt_id`` is no UUID in lower case, or that of a job that has not ended.

        Examples
        --------
        >>> DaskFleet(dask_client).submit(example(), seed=7).result()  # doctest: +SKIP
        """
        document = Workflow.load(workflow).bind(self._roster.catalogs.classes).with_params(values).settle()
        prompt = document.to_prompt()
        options = {
            "partial_execution_targets": partial_execution_targets,
            "extra_data": extra_data,
            "previews": previews,
        }
        given = {name: value for name, value in options.items() if value}
        return self._give_out(own_id(prompt_id), prompt, document.drawn, given, on_post, claimed)

    def _give_out(
        self,
        prompt_id: str,
        prompt: Mapping[str, Any],
        drawn: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        on_post: Callable[[Job], object] | None = None,
        claimed: str = "",
    ) -> Job:
        """Hand a prompt to Dask."""
        self.check_prompt(prompt)
        if prompt_id in self._out:
            raise ValueError(f"A job with the id {prompt_id} has not ended yet.")
        relay = self._relays.new(prompt_id, prompt, drawn or {}, cancel=self._cancel, owner=self)
        self._out[prompt_id] = (relay, on_post)
        self._hand_over(relay, Order(prompt_id, prompt, options or {}, self._topic, self._setup, claimed))
        return relay.job

    def _hand_over(self, relay: JobRelay, order: Order, attempt: int = 0) -> bool:
        """Give a prompt to Dask; False where all that could run it have gone by now, and it waits."""
        workers = self._roster.able(order.prompt)
        self._orders[order.prompt_id] = order, attempt
        if not workers:
            self._bound.add(order.prompt_id, ())
            return False
        # A server that Dask has found since may be able, too: without need nothing is held back from it.
        restricted = workers if len(workers) < len(self._roster.known) else None
        future = self._dask.submit(
            carry_out,
            order,
            key=f"comfy-{order.prompt_id}-{next(self._numbers)}",
            resources={RESOURCE: 1},
            workers=restricted,
            pure=False,
        )
        self._futures[order.prompt_id] = future
        future.add_done_callback(partial(self._done, relay, order, attempt))
        if restricted is None:
            self._bound.discard(order.prompt_id)
        else:
            self._bound.add(order.prompt_id, restricted)
        return True

    def _move(self, prompt_id: str) -> None:
        """Hand a prompt over anew whose workers are gone; who gets it asks the server that one of them had."""
        before = self._futures.get(prompt_id)
        found = self._out.get(prompt_id)
        if found is None:
            self._bound.discard(prompt_id)
            return
        order, attempt = self._orders[prompt_id]
        if self._can_run(order.prompt) and self._hand_over(found[0], order, attempt) and before is not None:
            before.cancel()

    def run(self, workflow: Any, /, timeout: float | None = None, *, progress: bool = True, **values: Any) -> Result:
        """Submit a workflow and wait for its result; takes what `submit` takes.

        Parameters
        ----------
        workflow : Workflow, dict, path, JSON text or bytes
            As for `submit`.
        timeout : float, optional
            Seconds; the job goes on when they are over.
        progress : bool
            In a notebook, show a line that says how far it is.
        **values : object
            Values of the workflow's parameters, and whatever else `submit` takes.

        Returns
        -------
        Result
            Its images, files and texts.

        Examples
        --------
        >>> DaskFleet(dask_client).run(example(), seed=7).images  # doctest: +SKIP
        """
        return run_shown(self.submit, workflow, timeout, progress=progress, **values)

    def map(
        self,
        workflow: Any,
        values: Iterable[Mapping[str, Any]],
        /,
        *,
        timeout: float | None = None,
        return_exceptions: bool = False,
        progress: bool = True,
        previews: str | None = None,
        extra_data: Mapping[str, Any] | None = None,
        **shared: Any,
    ) -> Batch:
        """Run a workflow once for each of some values, on all workers, and read the results in their order.

        Parameters
        ----------
        workflow : Workflow, dict, path, JSON text or bytes
            As for `submit`.
        values : iterable of Mapping
            For each run, values by the names of parameters: ``[{"seed": 1}, {"seed": 2}]``.
        timeout : float, optional
            Seconds that all may take together; when they are over, reading raises, and the runs go on.
        return_exceptions : bool
            Give the error of a run that failed in place of its result, and do not raise it.
        progress : bool
            In a notebook, show a line that says how far they are.
        previews, extra_data : optional
            For each run, as for `submit`.
        **shared : object
            Values that all runs have; those in `values` come before them.

        Returns
        -------
        Batch
            An iterator over the results. The error of a run is raised in its place, and ends no other run.

        Raises
        ------
        WorkflowError
            The workflow cannot be read, some values do not fit, or no server has what a run needs.
        TypeError
            Something in `values` is no mapping.

        Examples
        --------
        >>> seeds = [{"seed": 1}, {"seed": 2}]
        >>> list(DaskFleet(dask_client).map(example(), seeds))  # doctest: +SKIP
        """
        document = Workflow.load(workflow).bind(self._roster.catalogs.classes).with_params(shared)
        submit = partial(self.submit, previews=previews, extra_data=extra_data)
        return submit_batch(
            submit, document, values, timeout=timeout, return_exceptions=return_exceptions, progress=progress
        )

    def attach(self, prompt_id: str) -> Job:
        """A job for a prompt that was submitted before; all workers' servers are asked for it.

        Parameters
        ----------
        prompt_id : str
            The id under which a server knows it.

        Returns
        -------
        Job
            Where no server knows the id, it ends as "lost".

        Examples
        --------
        >>> DaskFleet(dask_client).attach(prompt_id)  # doctest: +SKIP
        """
        if prompt_id in self._out:
            return self._out[prompt_id][0].job
        found = self._ask(on_worker.knows, prompt_id)
        server = next((url for url in found if url), "")
        if server:
            return self._give_out(prompt_id, {}, claimed=server)
        relay = self._relays.new(prompt_id, {}, {}, cancel=self._cancel, owner=self)
        error = JobError(f"No worker's server knows a prompt {prompt_id}.", prompt_id=prompt_id)
        relay.end(JobStatus.LOST, None, error, "")
        return relay.job

    def _cancel(self, relay: JobRelay) -> None:
        prompt_id = relay.job.prompt_id
        future = self._futures.get(prompt_id)
        # Of a task that no worker has begun nothing will be heard any more.
        if relay.server:
            self._dask.run(on_worker.ask, on_worker.cancel, self._setup, prompt_id, wait=False, on_error="ignore")
        else:
            self._forget(prompt_id)
            if future is not None:
                future.cancel()
            relay.cancelled()

    def check_prompt(self, prompt: Mapping[str, Any], /) -> None:
        """Make sure that a worker's server can run a prompt; sweeps ask so for each cell.

        Parameters
        ----------
        prompt : Mapping
            API format.

        Raises
        ------
        WorkflowError
            None can.

        Examples
        --------
        >>> DaskFleet(dask_client).check_prompt(example().to_prompt())  # doctest: +SKIP
        """
        unknown = self._roster.catalogs.unknown(prompt)
        if unknown is not None:
            raise WorkflowError(f"No worker's server has the node class {unknown!r}.", class_type=unknown)
        if not self._roster.able(prompt):
            raise WorkflowError("No worker's server has all that this needs, or the memory for it.")

    def _can_run(self, prompt: Mapping[str, Any]) -> bool:
        try:
            self.check_prompt(prompt)
        except WorkflowError:
            return False
        return True

    # What the servers know

    def object_info(self, node_class: str | None = None, *, refresh: bool = False) -> dict[str, Any]:
        """Every node class that a worker's server has, with the choices of all.

        Parameters
        ----------
        node_class : str, optional
            Only this class; an empty dict where no server has it.
        refresh : bool
            Ask all workers again, also those that have come since.

        Returns
        -------
        dict
            ``{class: definition}``.

        Examples
        --------
        >>> DaskFleet(dask_client).object_info()  # doctest: +SKIP
        """
        if refresh:
            self._roster.look()
        classes: dict[str, Any] = self._roster.catalogs.classes
        if node_class is None:
            return classes
        return {node_class: classes[node_class]} if node_class in classes else {}

    def queue(self) -> Queue:
        """What runs and what waits on all workers' servers.

        Returns
        -------
        Queue
            Also the prompts of other programs.

        Examples
        --------
        >>> DaskFleet(dask_client).queue()  # doctest: +SKIP
        """
        queues: list[Queue] = self._ask(on_worker.queue)
        return Queue(
            tuple(item for queue in queues for item in queue.queue_running),
            tuple(item for queue in queues for item in queue.queue_pending),
        )

    def view(self, file: File | Mapping[str, Any], **options: Any) -> bytes:
        """The bytes of a file, of the first worker's server that has it.

        Parameters
        ----------
        file : File or Mapping
            As for `ComfyClient.view`.
        **options : object
            As for `ComfyClient.view`.

        Returns
        -------
        bytes
            As the server has them.

        Raises
        ------
        FileGone
            No worker's server has it.

        Examples
        --------
        >>> DaskFleet(dask_client).view(result.image_files[0])  # doctest: +SKIP
        """
        found: list[bytes] = self._ask(on_worker.view, file, options)
        if not found:
            wanted = file if isinstance(file, File) else File(str(file.get("filename", "")))
            raise FileGone(f"No worker's server has {wanted.filename}.", file=wanted, url=self.url, status=404)
        return found[0]

    def upload_image(self, image: Any, filename: str | None = None, **options: Any) -> File:
        """Bring an image to all workers' servers.

        Parameters
        ----------
        image : object
            As for `ComfyClient.upload_image`.
        filename : str, optional
            Its name.
        **options : object
            As for `ComfyClient.upload_image`.

        Returns
        -------
        File
            Its name on the servers.

        Raises
        ------
        ComfyError
            They do not all give it the same name.

        Examples
        --------
        >>> DaskFleet(dask_client).upload_image(content, "boat.png")  # doctest: +SKIP
        """
        return self._one(filename, self._ask(on_worker.upload_image, image, filename, options))

    def upload_mask(self, mask: Any, original: File, filename: str | None = None, **options: Any) -> File:
        """Bring a mask to all workers' servers.

        Parameters
        ----------
        mask : object
            As for `ComfyClient.upload_mask`.
        original : File
            The image that gets the mask.
        filename : str, optional
            Its name.
        **options : object
            As for `ComfyClient.upload_mask`.

        Returns
        -------
        File
            Its name on the servers.

        Raises
        ------
        ComfyError
            They do not all give it the same name.

        Examples
        --------
        >>> DaskFleet(dask_client).upload_mask(mask, file, "mask.png")  # doctest: +SKIP
        """
        return self._one(filename, self._ask(on_worker.upload_mask, mask, original, filename, options))

    @staticmethod
    def _one(filename: str | None, files: list[File]) -> File:
        if len(set(files)) != 1:
            raise ComfyError(f"Not all servers could take the image as {filename!r}. Use a name that is new.")
        return files[0]

    def _ask(self, question: Callable[..., Any], *words: Any) -> list[Any]:
        said = self._dask.run(
            on_worker.ask, question, self._setup, *words, workers=list(self._roster.present()), on_error="return"
        )
        return [answer for answer in said.values() if not isinstance(answer, BaseException)]

    def places_for(self, start: Callable[[Any], object], name: str = "sweep") -> DaskPlaces:
        """Return what a sweep asks when each of its cells runs.

        Parameters
        ----------
        start : callable
            Called with a cell for which there is room.
        name : str
            Of the sweep.

        Returns
        -------
        DaskPlaces
            Nothing is started before it is told to.

        Examples
        --------
        >>> DaskFleet(dask_client).places_for(print)  # doctest: +SKIP
        """
        return DaskPlaces(self, start, name)

    # What workers say

    def _heard(self, message: Mapping[str, Any]) -> None:
        """A worker tells of a prompt; called in Dask's thread."""
        relay, on_post = self._out.get(str(message.get("prompt_id")), (None, None))
        if relay is None:
            return
        if "server" in message:
            relay.server = str(message["server"])
            if on_post is not None:
                try:
                    on_post(relay.job)
                except Exception:
                    # It is on its way already; a claim that is missing costs a second look at most.
                    logger.exception("what is done before a prompt is sent has failed")
            if relay.cancelling:
                self._cancel(relay)
        else:
            relay.hear(pickle.loads(message["event"]))

    def _done(self, relay: JobRelay, order: Order, attempt: int, future: Any) -> None:
        """A task has ended; called in a thread of Dask's client."""
        if self._futures.get(order.prompt_id, future) is not future:
            # Its prompt was handed over anew.
            return
        if future.cancelled():
            self._forget(order.prompt_id)
            relay.cancelled()
            return
        try:
            answer: Answer = future.result(_SECONDS)
        except Exception as error:
            if future.status != "error":
                # The worker that had the answer has died, and another is to fetch it from the server, when it has room.
                future.add_done_callback(partial(self._done, relay, order, attempt))
                return
            # Dask gives a task up when several workers have died with it.
            answer = Answer("", JobStatus.FAILED, error=ComfyError(f"Dask gave it up: {error}"))
        future.release()
        if answer.out_of_memory:
            self._roster.places[answer.server].barred[model_of(order.prompt)] = megapixels(order.prompt)
        again = answer.out_of_memory or answer.status is JobStatus.LOST
        if again and not relay.cancelling and order.prompt and attempt < 2 and self._can_run(order.prompt):
            relay.warn(f"{answer.error}; another server gets it.")
            self._hand_over(relay, Order(**{**vars(order), "claimed": ""}), attempt + 1)
            return
        self._forget(order.prompt_id)
        relay.end(answer.status, answer.result, answer.error, answer.server)

    def _forget(self, prompt_id: str) -> None:
        self._out.pop(prompt_id, None)
        self._futures.pop(prompt_id, None)
        self._orders.pop(prompt_id, None)
        self._bound.discard(prompt_id)

    # The end

    def close(self) -> None:
        """Listen no more; the cluster and its client stay as they are.

        Examples
        --------
        >>> DaskFleet(dask_client).close()  # doctest: +SKIP
        """
        self._finalizer()

    def __enter__(self) -> DaskFleet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def slots(self) -> int:
        """How many prompts all workers take at a time."""
        return max(1, int(sum(self._roster.present().values())))

    def __repr__(self) -> str:
        return f"<DaskFleet of {len(self.servers)}: {', '.join(self.servers)}>"


class DaskPlaces(OneServer):
    """As many cells at a time as the workers take, and a few that are on their way."""

    def __init__(self, fleet: DaskFleet, start: Callable[[Cell], object], name: str) -> None:
        super().__init__(fleet, start, name)
        self._fleet = fleet
        self.moves = True

    @property
    def capacity(self) -> int:
        return self._fleet.slots + 2

    def submit(self, cell: Cell, prompt_id: str, claim: Claim) -> Job:
        # First that it goes to the cluster, then, by the worker, to which server.
        claim(prompt_id, self._fleet.url)
        return self._fleet.submit(
            cell.workflow, prompt_id=prompt_id, on_post=lambda job: claim(job.prompt_id, job.server)
        )

    def adopt(self, cell: Cell, prompt_id: str, server: str) -> Job | None:
        claimed = "" if server.startswith("dask+") else server
        return self._fleet.submit(cell.workflow, prompt_id=prompt_id, claimed=claimed)


def _end(dask: Any, topic: str, relays: Relays, bound: BoundTasks) -> None:
    bound.close()
    try:
        dask.unsubscribe_topic(topic)
    except Exception as error:
        logger.info("Dask's client is closed: %s", error)
    relays.close()
