"""The server: routes, guard, worker and their life."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from .._files import Folders
from .._nodes.registry import Registry
from .._run.promptqueue import PromptQueue
from .._run.steps import StepStore
from .._run.wire import Wire
from .._run.worker import Worker
from . import (
    asset_routes,
    file_routes,
    info_routes,
    job_routes,
    library_routes,
    prompt_routes,
    step_routes,
    user_routes,
)
from .editor import Editor, prepare_user
from .guard import answer_what_cannot_be_read, guard, is_foreign_name
from .limits import MAX_UPLOAD
from .log import LogBuffer
from .sockets import SocketHub
from .state import STATE, State

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What the command line decides.

    Parameters
    ----------
    host, port : str, int
        Where to listen; port 0 takes a free one.
    base : Path
        Folder for input, temp and user files, and for output unless `output` says otherwise.
    output : Path, optional
        Folder for results.
    custom_nodes : tuple of Path
        Python files with NODE_CLASS_MAPPINGS.
    argv : tuple of str
        Told in /system_stats.
    preview_method : str
        What samplers do where a prompt does not say; one of `PREVIEW_METHODS`.
    wire : Wire
        Which ComfyUI to answer like.
    stand_in : bool
        Whether loaders take models that are not here.
    editor : Path, optional
        The files of ComfyUI's editor, to be served too.
    """

    host: str
    port: int
    base: Path
    output: Path | None = None
    custom_nodes: tuple[Path, ...] = ()
    argv: tuple[str, ...] = field(default_factory=tuple)
    preview_method: str = "none"
    wire: Wire = field(default_factory=Wire)
    stand_in: bool = False
    editor: Path | None = None


def build_registry(folders: Folders, custom_nodes: tuple[Path, ...], *, stand_in: bool = False) -> Registry:
    """Return the engine's own nodes and those of the files.

    Raises
    ------
    ValueError
        When a file cannot be loaded.
    """
    from .._nodes import core

    registry = Registry(core.node_classes(folders), core.display_names(), stand_in=stand_in)
    for path in custom_nodes:
        registry.load(path)
    return registry


def build_app(state: State, editor: Path | None = None) -> web.Application:
    """Return the application: every route also under /api, as ComfyUI has them, and the editor if there is one."""
    app = web.Application(middlewares=[answer_what_cannot_be_read, guard], client_max_size=MAX_UPLOAD)
    app[STATE] = state
    tables = (prompt_routes, info_routes, library_routes, file_routes, user_routes, step_routes)
    for table in tables:
        for route in table.routes:
            assert isinstance(route, web.RouteDef)
            if route.path != "/" or editor is None:
                route.register(app.router)
            if route.path != "/":
                web.RouteDef(route.method, "/api" + route.path, route.handler, route.kwargs).register(app.router)
    for path in ("/ws", "/api/ws"):
        app.router.add_get(path, state.hub.handle)
    app.router.add_routes(job_routes.routes)
    app.router.add_routes(info_routes.internal)
    app.router.add_routes(library_routes.internal)
    if state.wire.is_newest:
        app.router.add_routes(job_routes.newest)
        app.router.add_routes(asset_routes.routes)
    if editor is not None:
        Editor(editor).add_to(app.router)
    app.router.add_get("/{unknown:.*}", _not_found)
    return app


async def _not_found(request: web.Request) -> web.Response:
    return web.Response(status=404, content_type="application/octet-stream")


class Server:
    """One server in this process.

    Parameters
    ----------
    settings : Settings
        How to run.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """End the server, from any thread."""
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    def run(self, ready: Callable[[str], None]) -> None:
        """Serve until `stop`, SIGINT or SIGTERM.

        Parameters
        ----------
        ready : callable
            Called with the URL as soon as the server answers.

        Raises
        ------
        OSError
            When the address cannot be taken.
        ValueError
            When a custom node file cannot be loaded.
        """
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: Callable[[str], None]) -> None:
        settings = self._settings
        log = LogBuffer()
        folders = Folders(settings.base, settings.output)
        if settings.editor is not None:
            prepare_user(folders.user)
        registry = build_registry(folders, settings.custom_nodes, stand_in=settings.stand_in)
        queue = PromptQueue()
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        hub = SocketHub(self._loop, queue.remaining, lambda: _running_node(worker), settings.wire)
        steps = StepStore()
        log.listen(hub.send_log)
        logging.getLogger("comfy_widgets.engine").addHandler(log)
        worker = Worker(registry, queue, hub, _free_models, steps, settings.wire, settings.preview_method)
        state = State(
            folders,
            registry,
            queue,
            log,
            hub,
            steps,
            settings.wire,
            list(settings.argv),
            not is_foreign_name(settings.host),
        )
        runner = web.AppRunner(build_app(state, settings.editor), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.host, settings.port)
            await site.start()
            port = runner.addresses[0][1]
            self._handle_signals()
            worker.start()
            ready(f"http://{settings.host}:{port}")
            await self._stop.wait()
        finally:
            queue.close()
            await hub.close()
            await runner.cleanup()
            shutil.rmtree(folders.temp, ignore_errors=True)

    def _handle_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop())


def _running_node(worker: Worker) -> tuple[str | None, str | None]:
    report = worker.report
    if report is None or report.node is None:
        return None, None
    return report.client_id, report.place_of(report.node).display


def _free_models() -> None:
    from .._model.checkpoints import unload_all

    unload_all()
