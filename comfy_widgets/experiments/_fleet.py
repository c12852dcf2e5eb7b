"""`Fleet`: several servers that answer like one client."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, ClassVar

from ..client import Batch, ComfyClient, FileGone, Job, Result, ServerUnreachable, run_shown, submit_batch
from ..protocol import Address, ComfyError, File, HistoryEntry, Queue
from ..workflow import Workflow
from ._carrier import Carrier
from ._ids import new_id, own_id
from ._knows import has_prompt
from ._members import Member, ServerRow, add_to, gather, identity, tell_differences
from ._places import FleetPlaces
from ._schedule import Line
from ._task import Stint

_MAX_LINES = 1000


class Fleet:
    """Several ComfyUI servers that answer like one client: panels and sweeps take it as it is.

    Each prompt runs on a server that has its models and nodes, and whose memory sufficed so far. A sweep is cut into
    blocks, one a server, so that models are seldom loaded; a server that is done early takes over from the others. When
    a server does not answer any more, others get its prompts, each once; when it comes back, what it finished meanwhile
    is taken or dropped, and it gets work again. An error of the workflow itself is never tried elsewhere.

    Parameters
    ----------
    servers : iterable of str, ComfyClient or Engine
        URLs, clients, embedded engines, or anything else with a ``url``. A server that does not answer yet is told, and
        joins as soon as it does.
    window : int
        How many prompts are on a server at a time: one that runs, and others so that it is never idle. While prompts of
        other programs wait there, it is one.
    lost_after : float
        Seconds without an answer after which the prompts of a server go to others.
    tries : int
        After so many servers have lost a prompt, it fails with their reasons.

    Attributes
    ----------
    takes_turns : bool
        True: `submit` takes ``share``.

    Raises
    ------
    ComfyError
        There is no server, one is named twice, or an address cannot be used.
    ServerUnreachable
        None of them answers.
    NotAComfyServer
        Something else answers at an address.

    Examples
    --------
    >>> from comfy_widgets import Fleet, example, sweep
    >>> fleet = Fleet(["http://gpu1:8188", "http://gpu2:8188"])         # doctest: +SKIP
    >>> sweep(example(), seed=range(40), client=fleet)                  # doctest: +SKIP
    """

    takes_turns: ClassVar[bool] = True

    def __init__(self, servers: Iterable[Any], /, *, window: int = 2, lost_after: float = 60.0, tries: int = 3) -> None:
        for name, value in (("window", window), ("lost_after", lost_after), ("tries", tries)):
            if not isinstance(value, (int, float)):
                raise TypeError(f"{name} is {value!r}, but must be a number above 0.")
            if not value > 0:
                raise ValueError(f"{name} is {value!r}, but must be above 0.")
        self._lines: dict[str, Line] = {}
        self._view: Any = None
        self._carrier = Carrier(gather(servers), self, window, lost_after, tries)
        self._finalizer = weakref.finalize(self, self._carrier.close)

    # What it is

    @property
    def url(self) -> str:
        """The addresses of all servers, for people."""
        return ", ".join(self._carrier.members)

    @property
    def description(self) -> str:
        """One line that says which servers these are."""
        versions = sorted({member.version for member in self._members if member.version})
        count = len(self._members)
        return f"Fleet of {count} {'server' if count == 1 else 'servers'} · ComfyUI {', '.join(versions)}"

    @property
    def embedded(self) -> bool:
        """Whether all servers are embedded engines."""
        return all(member.embedded for member in self._members)

    @property
    def connected(self) -> bool:
        """Whether the websocket of a server is open."""
        return any(member.client.connected for member in self._members)

    @property
    def _members(self) -> list[Member]:
        return list(self._carrier.members.values())

    @property
    def servers(self) -> list[ServerRow]:
        """How each server stands.

        Examples
        --------
        >>> [row.status for row in fleet.servers]
        ['ready']
        """
        with self._carrier.lock:
            return [self._row(member) for member in self._members]

    def _row(self, member: Member) -> ServerRow:
        place = self._carrier.scheduler.places[member.name]
        running = sum(work.running for work in place.out)
        status = "no answer" if not place.up else "drained" if place.drained else "working" if place.out else "ready"
        return ServerRow(
            member.name,
            status,
            running,
            len(place.out) - running,
            place.strangers if place.up else 0,
            place.model,
            member.completed,
            member.failed,
            member.lost,
            member.seconds / member.completed if member.completed else None,
            member.version,
            member.error if not place.up else "",
            tuple(f"{model} from {size:.2g} megapixels on" for model, size in place.barred.items()),
        )

    @property
    def waiting(self) -> int:
        """How many prompts wait for a server."""
        with self._carrier.lock:
            return self._carrier.scheduler.waiting

    @property
    def timeline(self) -> list[Stint]:
        """Who did what and when, the oldest first: the newest five thousand, and what runs now."""
        return self._carrier.roster.timeline()

    # Jobs

    def submit(
        self,
        workflow: Workflow | Mapping[str, Any] | str | Path | bytes,
        /,
        *,
        front: bool = False,
        partial_execution_targets: list[str] | None = None,
        extra_data: Mapping[str, Any] | None = None,
        previews: str | None = None,
        prompt_id: str | None = None,
        on_post: Callable[[Job], object] | None = None,
        share: str = "",
        **values: Any,
    ) -> Job:
        """Send a workflow to a server that can run it, as soon as one has room. Returns at once.

        Parameters
        ----------
        workflow : Workflow, dict, path, JSON text or bytes
            As for `ComfyClient.submit`.
        front : bool
            Before all that waits.
        partial_execution_targets : list of str, optional
            Run only these output nodes.
        extra_data : dict, optional
            Goes with the prompt.
        previews : str, optional
            Ask for live previews: "auto", "latent2rgb", "taesd" or "none".
        prompt_id : str, optional
            An id of your own; it stays the same whichever server runs it.
        on_post : callable, optional
            Called with the job right before it is sent, and again where another server gets it: ``job.server`` is the
            server. What it raises ends the job.
        share : str
            Whose it is. All shares take turns, however much each of them submits; panels and sweeps have one each.
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
        ComfyError
            The fleet is closed.

        Examples
        --------
        >>> job = fleet.submit(example(), width=64, height=64, steps=1)
        >>> job.wait(60).server in fleet.url
        True
        """
        options = {
            "front": front,
            "partial_execution_targets": partial_execution_targets,
            "extra_data": extra_data,
            "previews": previews,
        }
        carrier = self._carrier
        document = Workflow.load(workflow).bind(carrier.roster.catalogs.classes).with_params(values).settle()
        prompt = document.to_prompt()
        carrier.roster.check(prompt)
        chosen = own_id(prompt_id)
        if carrier.desk.job(chosen) is not None:
            raise ValueError(f"A job with the id {chosen} has not ended yet; fleet.attach(prompt_id) gives it.")
        # The one that was used last comes last.
        line = self._lines.pop(share) if share in self._lines else Line(share or "run")
        self._lines[share] = line
        if len(self._lines) > _MAX_LINES:
            # Of whoever has not asked for longest, it need not be known when they were served.
            del self._lines[next(iter(self._lines))]
        given = {name: value for name, value in options.items() if value}
        task = carrier.desk.task(line, prompt, document=document, options=given, on_post=on_post, label=line.name)
        job = carrier.desk.give_job(task, chosen, document.drawn, prompt)
        carrier.desk.put(line, [task], front=front)
        carrier.dispatch()
        return job

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

        Raises
        ------
        WorkflowError, ServerError, JobError, TimeoutError
            As for `ComfyClient.run`.

        Examples
        --------
        >>> fleet.run(example(), seed=7, width=64, height=64, steps=1).images[0].size
        (64, 64)
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
        share: str = "",
        **shared: Any,
    ) -> Batch:
        """Run a workflow once for each of some values, on all servers, and read the results in their order.

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
        share : str
            Whose they are, as for `submit`.
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
        >>> seeds = [{"seed": seed} for seed in range(3)]
        >>> [len(result.images) for result in fleet.map(example(), seeds, width=64, height=64, steps=1)]
        [1, 1, 1]
        """
        document = Workflow.load(workflow).bind(self._carrier.roster.catalogs.classes).with_params(shared)
        submit = partial(self.submit, previews=previews, extra_data=extra_data, share=share)
        return submit_batch(
            submit, document, values, timeout=timeout, return_exceptions=return_exceptions, progress=progress
        )

    def attach(self, prompt_id: str) -> Job:
        """A job for a prompt that was submitted before, by this program or another; all servers are asked for it.

        Parameters
        ----------
        prompt_id : str
            The id under which a server knows it.

        Returns
        -------
        Job
            Where no server knows the id, it ends as "lost".

        Raises
        ------
        ComfyError
            The fleet is closed.

        Examples
        --------
        >>> result = fleet.run(example(), width=64, height=64, steps=1)
        >>> fleet.attach(result.prompt_id).result(60).prompt_id == result.prompt_id
        True
        """
        known = self._carrier.desk.job(prompt_id)
        if known is not None:
            return known
        for member in self._members:
            try:
                if has_prompt(member.client, prompt_id):
                    return self._attach(prompt_id, member.name)
            except ComfyError:
                continue
        return self._attach(prompt_id, self._members[0].name)

    def _attach(self, prompt_id: str, server: str) -> Job:
        carrier = self._carrier
        task = carrier.desk.task(Line("attached"), {}, label="attached")
        job = carrier.desk.give_job(task, prompt_id, {}, {})
        with carrier.lock:
            carrier.scheduler.place_out(task.work, server)
        carrier.send(task, attach=True)
        return job

    def check(self, workflow: Any, /) -> None:
        """Make sure that a server of the fleet can run a workflow; nothing is sent.

        Parameters
        ----------
        workflow : Workflow, dict, path, JSON text or bytes
            As for `submit`.

        Raises
        ------
        WorkflowError
            None can; it says what each of them lacks.

        Examples
        --------
        >>> fleet.check(example())
        """
        self.check_prompt(Workflow.load(workflow).bind(self._carrier.roster.catalogs.classes).to_prompt())

    def check_prompt(self, prompt: Mapping[str, Any], /) -> None:
        """Make sure that a server of the fleet can run a prompt in API format; sweeps ask so for each cell.

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
        >>> fleet.check_prompt(example().to_prompt())
        """
        self._carrier.roster.check(prompt)

    # What the servers know

    def object_info(self, node_class: str | None = None, *, refresh: bool = False) -> dict[str, Any]:
        """Every node class that a server has, with the choices of all servers.

        Parameters
        ----------
        node_class : str, optional
            Only this class; an empty dict where no server has it.
        refresh : bool
            Ask all servers again.

        Returns
        -------
        dict
            ``{class: definition}``.

        Examples
        --------
        >>> "KSampler" in fleet.object_info()
        True
        """
        if refresh:
            self._carrier.roster.refresh()
            self._carrier.dispatch()
        classes = self._carrier.roster.catalogs.classes
        if node_class is None:
            return classes
        return {node_class: classes[node_class]} if node_class in classes else {}

    def queue(self) -> Queue:
        """What runs and what waits on all servers that answer.

        Returns
        -------
        Queue
            Also the prompts of other programs.

        Raises
        ------
        ServerUnreachable
            No server answers.

        Examples
        --------
        >>> fleet.queue().queue_running
        ()
        """
        queues, reasons = [], []
        for member in self._members:
            try:
                queues.append(member.client.queue())
            except ComfyError as error:
                reasons.append(f"- {error}")
        if not queues:
            said = "\n".join(reasons)
            raise ServerUnreachable(f"No server of the fleet answers.\n{said}", url=self.url)
        return Queue(
            tuple(item for queue in queues for item in queue.queue_running),
            tuple(item for queue in queues for item in queue.queue_pending),
        )

    def history(self, prompt_id: str) -> HistoryEntry | None:
        """What the servers remember of a prompt.

        Parameters
        ----------
        prompt_id : str
            Its id.

        Returns
        -------
        HistoryEntry or None
            None while it waits or runs, or where no server that answers knows it.

        Examples
        --------
        >>> fleet.history("no-such-prompt") is None
        True
        """
        found: HistoryEntry | None = self._first(lambda member: member.client.history(prompt_id))
        return found

    def cancel(self, prompt_id: str) -> None:
        """Take a prompt back or interrupt it, wherever it is.

        Parameters
        ----------
        prompt_id : str
            Its id.

        Examples
        --------
        >>> job = fleet.submit(example(), steps=1000)
        >>> fleet.cancel(job.prompt_id)
        >>> job.wait(60).cancelled()
        True
        """
        job = self._carrier.desk.job(prompt_id)
        if job is not None:
            job.cancel()
        else:
            for member in self._members:
                self._ask(member, lambda member: member.client.cancel(prompt_id))

    def view(self, file: File | Mapping[str, Any], **options: Any) -> bytes:
        """The bytes of a file, of the first server that has it.

        Parameters
        ----------
        file : File or Mapping
            As for `ComfyClient.view`.
        **options
            As for `ComfyClient.view`.

        Returns
        -------
        bytes
            As the server has them.

        Raises
        ------
        FileGone
            No server that answers has it.

        Examples
        --------
        >>> result = fleet.run(example(), width=64, height=64, steps=1)
        >>> fleet.view(result.image_files[0])[:4]
        b'\\x89PNG'
        """
        found: bytes | None = self._first(lambda member: member.client.view(file, **options))
        if found is None:
            wanted = file if isinstance(file, File) else File(str(file.get("filename", "")))
            raise FileGone(f"No server of the fleet has {wanted.filename}.", file=wanted, url=self.url, status=404)
        return found

    def upload_image(self, image: Any, filename: str | None = None, **options: Any) -> File:
        """Bring an image to all servers that answer, so that each can run what names it.

        Parameters
        ----------
        image : object
            As for `ComfyClient.upload_image`.
        filename : str, optional
            As for `ComfyClient.upload_image`.
        **options
            As for `ComfyClient.upload_image`.

        Returns
        -------
        File
            Its name on the servers.

        Raises
        ------
        ServerError
            A server did not take it.

        Examples
        --------
        >>> file = fleet.upload_image(result.images[0], "balloon.png")
        >>> fleet.view(file)[:4]
        b'\\x89PNG'
        """
        content = image.read() if hasattr(image, "read") else image
        return self._upload(filename, lambda client, name: client.upload_image(content, name, **options))

    def upload_mask(self, mask: Any, original: File, filename: str | None = None, **options: Any) -> File:
        """Bring a mask to all servers that answer; takes what `ComfyClient.upload_mask` takes.

        Parameters
        ----------
        mask : object
            As for `ComfyClient.upload_mask`.
        original : File
            The image that gets the mask; it was uploaded through the fleet.
        filename : str, optional
            As for `ComfyClient.upload_mask`.
        **options
            As for `ComfyClient.upload_mask`.

        Returns
        -------
        File
            Its name on the servers.

        Raises
        ------
        ServerError
            A server did not take it.

        Examples
        --------
        >>> from PIL import Image
        >>> file = fleet.upload_image(Image.new("RGB", (8, 8)), "masked.png")
        >>> fleet.upload_mask(Image.new("RGBA", (8, 8)), file, "mask.png").type
        'input'
        """
        content = mask.read() if hasattr(mask, "read") else mask
        return self._upload(filename, lambda client, name: client.upload_mask(content, original, name, **options))

    def _upload(self, filename: str | None, upload: Callable[[ComfyClient, str | None], File]) -> File:
        up = [m for m in self._members if self._carrier.scheduler.places[m.name].up]
        if not up:
            raise ServerUnreachable("No server of the fleet answers, so the image could not be uploaded.", url=self.url)
        files = [upload(member.client, filename) for member in up]
        if len(set(files)) > 1:
            # Some have another image of that name already: all get it under a new one.
            named = PurePosixPath(files[0].filename)
            fresh = f"{named.stem}-{new_id()[:8]}{named.suffix}"
            files = [upload(member.client, fresh) for member in up]
        file = files[0]
        self._carrier.roster.uploaded(f"{file.subfolder}/{file.filename}" if file.subfolder else file.filename, up)
        return file

    def _first(self, ask: Callable[[Member], Any]) -> Any:
        found = (self._ask(member, ask) for member in self._members)
        return next((value for value in found if value is not None), None)

    def _ask(self, member: Member, ask: Callable[[Member], Any]) -> Any:
        try:
            return ask(member)
        except ComfyError:
            return None

    # Its servers

    def add(self, server: Any, /) -> None:
        """Take one more server in; it helps at once with what waits.

        Parameters
        ----------
        server : str, ComfyClient or Engine
            As for the constructor.

        Raises
        ------
        ComfyError
            It is in the fleet already, or is no ComfyUI; or the fleet is closed.

        Examples
        --------
        >>> fleet.add("http://gpu3:8188")  # doctest: +SKIP
        """
        self._carrier.desk.check_open()
        members = self._members
        member = add_to(members, server)
        self._carrier.join(member)
        tell_differences(members)

    def remove(self, server: Any, /) -> None:
        """Let a server go: what waits there goes to others, what runs there ends there.

        Parameters
        ----------
        server : str, ComfyClient or Engine
            One of the fleet.

        Raises
        ------
        ComfyError
            It is not in the fleet, or the last one.

        Examples
        --------
        >>> fleet.remove("http://gpu3:8188")  # doctest: +SKIP
        """
        name = self._name(server)
        if len(self._members) == 1:
            raise ComfyError(f"{name} is the last server of the fleet; close() ends the fleet.")
        self._carrier.part(name)

    def drain(self, server: Any, /, drained: bool = True) -> None:
        """Give a server nothing more, as before it is restarted; what is there ends there.

        Parameters
        ----------
        server : str, ComfyClient or Engine
            One of the fleet.
        drained : bool
            False takes it back into service.

        Raises
        ------
        ComfyError
            It is not in the fleet.

        Examples
        --------
        >>> fleet.drain(engine.url)
        >>> fleet.servers[0].status
        'drained'
        >>> fleet.drain(engine.url, False)
        """
        name = self._name(server)
        with self._carrier.lock:
            self._carrier.scheduler.places[name].drained = drained
        self._carrier.dispatch()

    def _name(self, server: Any) -> str:
        url = server if isinstance(server, str) else str(getattr(server, "url", ""))
        found = next((m.name for m in self._members if identity(m.name) == identity(url)), None)
        if found is None:
            # Never as it was given: a password may stand in it.
            told = Address.parse(url).base if url else repr(server)
            raise ComfyError(f"{told} is not in the fleet; it has {self.url}.")
        return found

    def on_change(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call ``listener`` whenever something of the fleet has changed; from any thread, and often.

        Parameters
        ----------
        listener : callable
            Takes nothing; it must not wait.

        Returns
        -------
        callable
            Takes the listener away again.

        Examples
        --------
        >>> stop = fleet.on_change(lambda: None)
        >>> stop()
        """
        return self._carrier.roster.on_change(listener)

    def places_for(self, start: Callable[[Any], object], name: str = "sweep") -> FleetPlaces:
        """Return what a sweep asks when and where each of its cells runs.

        Parameters
        ----------
        start : callable
            Called with a cell for which there is room.
        name : str
            Of the sweep; shown in the timeline.

        Returns
        -------
        FleetPlaces
            Nothing is started before it is told to.

        Examples
        --------
        >>> places = fleet.places_for(print)
        >>> places.waiting
        0
        """
        return FleetPlaces(self._carrier, Line(name, sweep=True), start)

    # The end

    def close(self) -> None:
        """Close the connections; what runs on the servers goes on there. Clients that were given stay open.

        Examples
        --------
        >>> with Fleet([engine.url]) as short_lived:  # closes it in the end
        ...     len(short_lived.servers)
        1
        """
        self._finalizer()

    def __enter__(self) -> Fleet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._members)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        states = [row.status for row in self.servers]
        counted = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
        return f"<Fleet of {len(self)}: {counted}>"

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        from ._display import make_view

        # One for all its displays: a widget can be shown at several places.
        self._view = self._view or make_view(self)
        shown = self._view if self._view is not None else {"text/plain": repr(self)}
        display(shown, raw=self._view is None)  # type: ignore[no-untyped-call]
