"""How a scripted server plays a run: the stage it happens on, and ready-made scripts.

A script is a function of a `Stage`. It sends what the server is to send, in any order it likes; `standard_run` makes
scripts that send what ComfyUI sends.
"""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ._catalog import execution_order, image
from ._host import Host
from ._state import Queued

Script = Callable[["Stage"], None]

PREVIEW_IMAGE, TEXT, PREVIEW_IMAGE_WITH_METADATA = 1, 3, 4  # binary events (protocol 2.6)
# Without a client_id these still go out, to everybody (protocol 2.3).
_BROADCAST = {"progress", "progress_state", "execution_interrupted"}


class Interrupted(Exception):
    """The run was interrupted; raised inside a script where ComfyUI would notice."""


class Stopped(Exception):
    """The server was stopped under a running script."""


class NodeError(Exception):
    """Raised by a script: this node fails, with this exception as ComfyUI tells of it.

    Parameters
    ----------
    node_id : str
        Id of the node.
    message : str, default "made to fail"
        What the exception says.
    kind : str, default "RuntimeError"
        The class of the exception.

    Examples
    --------
    >>> def script(stage):
    ...     stage.start()
    ...     stage.begin("3")
    ...     raise NodeError("3", "out of memory", "torch.OutOfMemoryError")
    >>> server.play(script)
    >>> job = client.submit(text_to_image()).wait(30)
    >>> str(job.status)
    'failed'
    """

    def __init__(self, node_id: str, message: str = "made to fail", kind: str = "RuntimeError") -> None:
        super().__init__(message)
        self.node_id = node_id
        self.kind = kind


class Gate:
    """A point where a run waits for the test.

    Examples
    --------
    >>> gate = Gate()
    >>> server.play(standard_run(gate=gate, gate_after="executing"))
    >>> job = client.submit(text_to_image())
    >>> gate.wait_reached()
    >>> gate.open()
    >>> len(job.result(30).images)
    1
    """

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()

    def wait_reached(self, timeout: float = 30.0) -> None:
        """Return when a run has come to this point.

        Parameters
        ----------
        timeout : float, default 30.0
            Seconds to wait at most.

        Raises
        ------
        TimeoutError
            No run came here in this time.

        Examples
        --------
        >>> gate = Gate()
        >>> server.play(standard_run(gate=gate))
        >>> job = client.submit(text_to_image())
        >>> gate.wait_reached()
        >>> server.state.running.prompt_id == job.prompt_id
        True
        """
        if not self._reached.wait(timeout):
            raise TimeoutError(f"no run came to the gate within {timeout:g} s")

    def open(self) -> None:
        """Let the run go on, and every later one pass.

        Examples
        --------
        >>> gate = Gate()
        >>> gate.open()
        >>> server.play(standard_run(gate=gate))
        >>> len(client.run(text_to_image()).images)
        1
        """
        self._opened.set()

    def pass_through(self, check: Callable[[], None]) -> None:
        """Wait here until the gate is open; the stage of a run calls this.

        Parameters
        ----------
        check : callable
            Called again and again while waiting; what it raises ends the wait.

        Examples
        --------
        >>> gate = Gate()
        >>> gate.open()
        >>> gate.pass_through(stage.check)
        """
        self._reached.set()
        while not self._opened.wait(0.01):
            check()


class Stage:
    """One run of one prompt, as a script sees it.

    In the examples of its methods, ``stage`` is that of a run of `text_to_image`.

    Attributes
    ----------
    server : ScriptedServer
        The server that plays the run.
    item : object
        The queue's own record of the prompt: ``number``, ``extra_data``, ``outputs`` and the like.
    prompt_id : str
        Id of the prompt.
    client_id : str or None
        Who is told of the run; None where nobody asked.
    prompt : dict
        API format.
    outputs : dict
        What history will tell: node id -> output.
    nodes : dict
        The nodes of the latest ``progress_state``.
    sent : int
        How many messages of this run there were so far.
    ended : bool
        Whether `end` was called; it is called after the script where it was not.
    status : dict
        What history will tell of the end: ``status_str``, ``completed`` and ``messages``.

    Examples
    --------
    >>> def script(stage):
    ...     stage.start()
    ...     stage.begin("9")
    ...     stage.executed("9", stage.make_output("9", images=3))
    ...     stage.finish("9")
    ...     stage.success()
    ...     stage.end()
    >>> server.play(script)
    >>> len(client.run(text_to_image()).images)
    3
    """

    def __init__(self, server: Host, item: Queued) -> None:
        self.server = server
        self.item = item
        self.prompt_id: str = item.prompt_id
        self.client_id: str | None = item.client_id
        self.prompt: dict[str, Any] = item.prompt
        self.outputs: dict[str, Any] = {}
        self.nodes: dict[str, dict[str, Any]] = {}
        self.sent: int = 0
        self.ended: bool = False
        self.status: dict[str, Any] = {"status_str": "success", "completed": True, "messages": []}
        self._concluded = False
        self._gates: list[tuple[int | str, Gate]] = []

    # ---- sending ----

    def send(self, kind: str, **data: Any) -> None:
        """Send a message of this run to whom ComfyUI would send it.

        Parameters
        ----------
        kind : str
            Type of the message.
        **data : object
            What it carries; the id of the prompt is added.

        Examples
        --------
        >>> stage.send("crystools.monitor", cpu=12)
        >>> stage.sent
        1
        """
        message = {"type": kind, "data": {**data, "prompt_id": self.prompt_id}}
        if self.client_id is not None:
            self.server.send(self.client_id, message)
        elif kind in _BROADCAST:
            self.server.broadcast(message)
        self._sent(kind)

    def send_binary(self, event: int, payload: bytes) -> None:
        """Send a binary frame of this run.

        Parameters
        ----------
        event : int
            Kind of the frame, its first four bytes: 1 for a preview.
        payload : bytes
            What follows.

        Examples
        --------
        >>> stage.send_binary(1, bytes([0, 0, 0, 1]) + image("step 1", kind="JPEG"))
        """
        frame = struct.pack(">I", event) + payload
        if self.client_id is not None:
            self.server.send(self.client_id, frame)
        else:
            self.server.broadcast(frame)
        self._sent("binary")

    def hold(self, gate: Gate, *, after: int | str) -> None:
        """Let the run wait at a gate later on.

        Parameters
        ----------
        gate : Gate
            Where it waits.
        after : int or str
            After so many messages of the run, or after the first message of this type ("binary" for a binary one).

        Examples
        --------
        >>> gate = Gate()
        >>> def script(stage):
        ...     stage.hold(gate, after="execution_start")
        ...     standard_run()(stage)
        >>> server.play(script)
        >>> job = client.submit(text_to_image())
        >>> gate.wait_reached()
        >>> gate.open()
        >>> len(job.result(30).images)
        1
        """
        self._gates.append((after, gate))

    def check(self) -> None:
        """Return while the run goes on, and end the script where it does not.

        Raises
        ------
        Exception
            The run was interrupted, or the server stopped. A script lets it pass: the server knows what to do.

        Examples
        --------
        >>> stage.check()
        """
        if self.item.stopped.is_set():
            raise Stopped
        if self.item.interrupted.is_set() and not self._concluded:
            raise Interrupted

    def hang(self) -> None:
        """Do nothing until the server is stopped; interrupts have no effect, as with a worker that has died.

        Raises
        ------
        Exception
            The server was stopped. A script lets it pass.

        Examples
        --------
        >>> def script(stage):
        ...     stage.start()
        ...     stage.hang()
        >>> server.play(script)
        >>> job = client.submit(text_to_image())
        >>> server.wait_for(lambda: server.state.running).prompt_id == job.prompt_id
        True
        """
        self.item.stopped.wait()
        raise Stopped

    def _sent(self, kind: str) -> None:
        self.sent += 1
        for entry in [entry for entry in self._gates if entry[0] in (self.sent, kind)]:
            self._gates.remove(entry)
            entry[1].pass_through(self.check)

    # ---- the parts of a run, in ComfyUI's order ----

    def start(self, cached: Collection[str] = ()) -> None:
        """Send ``execution_start`` and ``execution_cached``.

        Parameters
        ----------
        cached : collection of str, default ()
            Ids of the nodes whose results are still there.

        Examples
        --------
        >>> stage.start(cached=["4"])
        >>> [kind for kind, data in stage.status["messages"]]
        ['execution_start', 'execution_cached']
        """
        self._report("execution_start")
        self._report("execution_cached", nodes=list(cached))

    def begin(self, node_id: str) -> None:
        """Begin a node: send ``progress_state`` and ``executing``.

        Parameters
        ----------
        node_id : str
            Id of the node.

        Examples
        --------
        >>> stage.begin("3")
        >>> stage.nodes["3"]["state"]
        'running'
        """
        self.check()
        self.server.state.executing = node_id
        self._progress_state(node_id, 0.0, 1.0, "running")
        self.send("executing", node=node_id, display_node=node_id)

    def progress(self, node_id: str, value: int, maximum: int, preview: bytes | None = None) -> None:
        """Tell of a step: send ``progress_state``, ``progress`` and the preview.

        Parameters
        ----------
        node_id : str
            Id of the node.
        value : int
            Steps that are done.
        maximum : int
            Steps there are.
        preview : bytes, optional
            A JPEG; sent in the way that the client's websocket asked for. None by default.

        Examples
        --------
        >>> stage.progress("3", 2, 4, preview=image("step 2", kind="JPEG"))
        >>> stage.nodes["3"]["value"], stage.nodes["3"]["max"]
        (2, 4)
        """
        self.check()
        self._progress_state(node_id, value, maximum, "running")
        flagged = self.client_id is not None and self.server.takes_metadata(self.client_id)
        if preview is not None and flagged:
            self.preview(node_id, preview)
        self.send("progress", value=value, max=maximum, node=node_id)
        if preview is not None and not flagged:
            self.send_binary(PREVIEW_IMAGE, struct.pack(">I", 1) + preview)

    def preview(self, node_id: str, image: bytes, image_type: str = "image/jpeg") -> None:
        """Send a preview that says whose it is (binary event 4).

        Parameters
        ----------
        node_id : str
            Id of the node.
        image : bytes
            The encoded image.
        image_type : str, default "image/jpeg"
            Its media type.

        Examples
        --------
        >>> stage.preview("3", image("step 2"), "image/png")
        """
        metadata = json.dumps({**self._node(node_id), "prompt_id": self.prompt_id, "image_type": image_type}).encode()
        self.send_binary(PREVIEW_IMAGE_WITH_METADATA, struct.pack(">I", len(metadata)) + metadata + image)

    def progress_text(self, node_id: str, text: str) -> None:
        """Send a line of text of a node (binary event 3).

        Parameters
        ----------
        node_id : str
            Id of the node.
        text : str
            The line.

        Examples
        --------
        >>> stage.progress_text("3", "loading the model")
        """
        node = node_id.encode()
        self.send_binary(TEXT, struct.pack(">I", len(node)) + node + text.encode())

    def executed(self, node_id: str, output: Mapping[str, Any] | None) -> None:
        """Tell of the output of a node, and keep it for history.

        Parameters
        ----------
        node_id : str
            Id of the node.
        output : dict or None
            Key ("images", "text", ...) to list; None, as a node without output sends it, is not kept.

        Examples
        --------
        >>> stage.executed("9", {"text": ["a red circle"]})
        >>> stage.outputs
        {'9': {'text': ['a red circle']}}
        """
        if output is not None:
            self.outputs[node_id] = output
        self.send("executed", node=node_id, display_node=node_id, output=output)

    def finish(self, node_id: str) -> None:
        """Tell that a node is done: send ``progress_state``.

        Parameters
        ----------
        node_id : str
            Id of the node.

        Examples
        --------
        >>> stage.finish("3")
        >>> stage.nodes["3"]["state"]
        'finished'
        """
        self._progress_state(node_id, 1.0, 1.0, "finished")

    def success(self) -> None:
        """Send ``execution_success``; history does not know of it before `end`.

        Examples
        --------
        >>> stage.success()
        >>> stage.status["status_str"], stage.ended
        ('success', False)
        """
        self._concluded = True
        self._report("execution_success")

    def error(self, error: NodeError) -> None:
        """Send ``execution_error``.

        Parameters
        ----------
        error : NodeError
            Which node failed, and with what.

        Examples
        --------
        >>> stage.error(NodeError("3", "out of memory"))
        >>> stage.status["status_str"]
        'error'
        """
        self.status.update(status_str="error", completed=False)
        self._report(
            "execution_error",
            node_id=error.node_id,
            node_type=self.prompt[error.node_id]["class_type"],
            executed=list(self.nodes),
            exception_message=f"{error}\n",
            exception_type=error.kind,
            traceback=[f"{error.kind}: {error}\n"],
            current_inputs={},
            current_outputs=list(self.outputs),
        )

    def block(self, node_id: str, message: str) -> None:
        """Send the ``execution_error`` of a blocked branch, which is not the end and is not in history.

        Parameters
        ----------
        node_id : str
            Id of the node that was blocked.
        message : str
            Why.

        Examples
        --------
        >>> stage.block("9", "the image is too dark")
        >>> stage.status["status_str"]
        'success'
        """
        self.send(
            "execution_error",
            node_id=node_id,
            node_type=self.prompt[node_id]["class_type"],
            executed=list(self.nodes),
            exception_message=f"Execution Blocked: {message}",
            exception_type="ExecutionBlocked",
            traceback=[],
            current_inputs=[],
            current_outputs=[],
        )

    def interrupt(self) -> None:
        """Send ``execution_interrupted``.

        Examples
        --------
        >>> stage.begin("3")
        >>> stage.interrupt()
        >>> stage.status["messages"][-1][1]["node_id"]
        '3'
        """
        self.status.update(status_str="error", completed=False)
        node_id = self.server.state.executing or next(iter(self.prompt))
        node_type = self.prompt[node_id]["class_type"]
        self._report("execution_interrupted", node_id=node_id, node_type=node_type, executed=list(self.nodes))

    def end(self, *, keep_history: bool = True) -> None:
        """Write history, send ``status`` and the end marker, in this order.

        Parameters
        ----------
        keep_history : bool, default True
            Whether history has an entry; without one, the prompt leaves no trace.

        Examples
        --------
        >>> stage.end()
        >>> stage.ended
        True
        """
        self.ended = True
        entry = {
            "prompt": self.item.as_list(),
            "outputs": self.outputs,
            "status": self.status,
            "meta": {node: {**self._node(node), "parent_node": None} for node in self.outputs},
        }
        self.server.state.finished(self.item, entry if keep_history else None)
        self.server.send_status()
        if self.client_id is not None:
            self.send("executing", node=None)

    # ---- what the ready-made scripts need ----

    def order(self) -> list[str]:
        """The nodes to run.

        Returns
        -------
        list of str
            Their ids, each after those that feed it.

        Examples
        --------
        >>> stage.order()
        ['4', '6', '7', '5', '3', '8', '9']
        """
        return execution_order(self.prompt, self.item.outputs)

    def steps(self, node_id: str) -> int:
        """How many steps a node takes.

        Parameters
        ----------
        node_id : str
            Id of the node.

        Returns
        -------
        int
            Its ``steps`` input; 0 where it has none.

        Examples
        --------
        >>> stage.steps("3"), stage.steps("9")
        (4, 0)
        """
        steps = self.prompt[node_id].get("inputs", {}).get("steps", 0)
        return steps if isinstance(steps, int) else 0

    def make_output(self, node_id: str, images: int) -> dict[str, Any]:
        """Output of an output node: images in the server's files, which depend on nothing but the prompt.

        Parameters
        ----------
        node_id : str
            Id of the node: a SaveImage writes to "output", a PreviewImage to "temp".
        images : int
            How many.

        Returns
        -------
        dict
            ``{"images": [...]}``, for `executed`.

        Examples
        --------
        >>> stage.make_output("9", 1)
        {'images': [{'filename': 'test_00001_.png', 'subfolder': '', 'type': 'output'}]}
        """
        node = self.prompt[node_id]
        kept = node["class_type"] != "PreviewImage"
        prefix = str(node["inputs"].get("filename_prefix", "ComfyUI")) if kept else "ComfyUI_temp_test"
        items = []
        for index in range(images):
            content = image([{key: node["inputs"] for key, node in self.prompt.items()}, node_id, index])
            items.append(self.server.files.add(prefix, content, "output" if kept else "temp"))
        return {"images": items}

    def _report(self, kind: str, **data: Any) -> None:
        data["timestamp"] = int(time.time() * 1000)
        self.status["messages"].append([kind, {**data, "prompt_id": self.prompt_id}])
        self.send(kind, **data)

    def _progress_state(self, node_id: str, value: float, maximum: float, state: str) -> None:
        node = {"value": value, "max": maximum, "state": state, "prompt_id": self.prompt_id, **self._node(node_id)}
        self.nodes = {**self.nodes, node_id: node}
        self.send("progress_state", nodes=self.nodes)

    @staticmethod
    def _node(node_id: str) -> dict[str, Any]:
        return {"node_id": node_id, "display_node_id": node_id, "parent_node_id": None, "real_node_id": node_id}


def standard_run(
    *,
    steps: int | None = None,
    images: int | None = None,
    previews: bool = True,
    outputs: Mapping[str, Any] | None = None,
    cached: Collection[str] = (),
    fail_at: str | None = None,
    gate: Gate | None = None,
    gate_after: int | str = "execution_cached",
    keep_history: bool = True,
    pause: float = 0.0,
) -> Script:
    """Script of an ordinary run.

    Parameters
    ----------
    steps : int, optional
        Steps of each node that has a ``steps`` input; the value of that input by default.
    images : int, optional
        Images of each output node; by default the ``batch_size`` that the prompt asks for.
    previews : bool, default True
        Whether each step has a preview.
    outputs : mapping, optional
        Node id -> output to tell of in place of images; a node that is not in it gives none.
    cached : collection of str, default ()
        Nodes that are cached; of those only output nodes are heard of.
    fail_at : str, optional
        Node that raises; none by default.
    gate : Gate, optional
        Where the run waits; it waits nowhere by default.
    gate_after : int or str, default "execution_cached"
        Wait at the gate after so many messages of the run, or the first message of this type.
    keep_history : bool, default True
        Whether history has an entry afterwards.
    pause : float, default 0.0
        Seconds between steps.

    Returns
    -------
    callable
        The script, for `ScriptedServer.play` or the server's ``script``.

    Examples
    --------
    >>> server.play(standard_run(outputs={"9": {"text": ["a red circle"]}}))
    >>> client.run(text_to_image()).texts
    ('a red circle',)
    """

    def play(stage: Stage) -> None:
        if gate is not None:
            stage.hold(gate, after=gate_after)
        stage.start(cached)
        # Cached output nodes come first (protocol 3.4).
        for node_id in sorted(stage.order(), key=lambda node: node not in cached):
            if node_id not in cached:
                _play_node(stage, node_id)
            elif node_id in stage.item.outputs:
                _play_output(stage, node_id)
                stage.finish(node_id)
        stage.success()
        stage.end(keep_history=keep_history)

    def _play_node(stage: Stage, node_id: str) -> None:
        stage.begin(node_id)
        if node_id == fail_at:
            raise NodeError(node_id)
        total = stage.steps(node_id)
        total = steps if steps is not None and total else total
        for step in range(1, total + 1):
            preview = image([stage.prompt_id, step], kind="JPEG") if previews else None
            stage.progress(node_id, step, total, preview)
            stage.item.stopped.wait(pause)
        if node_id in stage.item.outputs:
            _play_output(stage, node_id)
        stage.finish(node_id)

    def _play_output(stage: Stage, node_id: str) -> None:
        if outputs is None:
            stage.executed(node_id, stage.make_output(node_id, _count(stage) if images is None else images))
        elif node_id in outputs:
            stage.executed(node_id, outputs[node_id])

    def _count(stage: Stage) -> int:
        sizes: Sequence[Any] = [node.get("inputs", {}).get("batch_size") for node in stage.prompt.values()]
        return max((size for size in sizes if isinstance(size, int)), default=1)

    return play


def dead_worker(stage: Stage) -> None:
    """Script of a worker thread that dies: the prompt stays in ``queue_running`` for ever, interrupts do nothing.

    Parameters
    ----------
    stage : Stage
        The run.

    Examples
    --------
    >>> server.play(dead_worker)
    >>> job = client.submit(text_to_image())
    >>> server.wait_for(lambda: server.state.running).prompt_id == job.prompt_id
    True
    """
    stage.start()
    stage.hang()
