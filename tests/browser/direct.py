"""A widget in a bare page: its real Python half and its real front end, without Jupyter between them.

Much quicker than a notebook, and of any width and theme. What depends on a host is tried in the hosts themselves.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from comm.base_comm import BaseComm

THEMES = Path(sys.prefix) / "share" / "jupyter" / "lab" / "themes" / "@jupyterlab"
HTML = """<!doctype html>
<html lang="en">
<title>widget</title>
<link rel="icon" href="data:,">
<style>{theme}</style>
<style>
  body {{ background: var(--jp-layout-color0); margin: 0; padding: 8px; }}
  main {{ margin: 0; width: {width}; }}
</style>
<body data-jp-theme-light="{light}">
<main></main>
<script type="module">
const toBytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const toText = (buffer) => btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""));
const socket = new WebSocket(location.href.replace("http", "ws").replace("/show", "/talk"));
const handlers = new Map();
const emit = (event, ...words) => [...(handlers.get(event) ?? [])].forEach((heard) => heard(...words));
let traits = {{}};
const model = {{
  get: (name) => traits[name],
  on(event, heard) {{ handlers.set(event, (handlers.get(event) ?? new Set()).add(heard)); }},
  off(event, heard) {{ handlers.get(event)?.delete(heard); }},
  send(content, callbacks, buffers = []) {{
    socket.send(JSON.stringify({{ content, buffers: buffers.map(toText) }}));
  }},
}};
// As a notebook does, one message after the other, and only when the start module listens.
let ready;
let last = new Promise((resolve) => {{ ready = resolve; }});
socket.onmessage = ({{ data }}) => {{
  const {{ method, state, content, buffers }} = JSON.parse(data);
  if (method === "open") {{
    traits = state;
    open();
    return;
  }}
  last = last.then(() => {{
    if (method === "update") {{
      Object.assign(traits, state);
      for (const name of Object.keys(state)) emit(`change:${{name}}`);
    }} else emit("msg:custom", content, buffers.map((text) => new DataView(toBytes(text).buffer)));
  }});
}};
async function open() {{
  const url = URL.createObjectURL(new Blob([traits._esm], {{ type: "text/javascript" }}));
  const widget = (await import(url)).default();
  widget.initialize({{ model }});
  ready();
  widget.render({{ model, el: document.querySelector("main") }});
}}
window.loseKernel = () => emit("comm_live_update");
</script>
"""


class Direct:
    """A server that shows widgets, each in a page of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._widgets: dict[str, Any] = {}
        self._port = 0

    def url(self, widget: Any, width: int | None = None, theme: str = "light") -> str:
        """Return the address of a page with this widget, in a place of so many pixels."""
        self._widgets[widget.model_id] = widget
        size = f"{width}px" if width else "auto"
        return f"http://127.0.0.1:{self._port}/show?id={widget.model_id}&width={size}&theme={theme}"

    def comm(self, *args: Any, **keys: Any) -> DirectComm:
        """Make what a widget talks through, in place of Jupyter's."""
        return DirectComm(self._loop, *args, **keys)

    @contextmanager
    def running(self) -> Iterator[Direct]:
        """Serve until the end of the block."""
        self._thread.start()
        runner = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        yield self
        asyncio.run_coroutine_threadsafe(runner.cleanup(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    async def _start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/show", self._show)
        app.router.add_get("/talk", self._talk)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._port = runner.addresses[0][1]
        return runner

    async def _show(self, request: web.Request) -> web.Response:
        theme = request.query["theme"]
        css = (THEMES / f"theme-{theme}-extension" / "index.css").read_text(encoding="utf-8")
        page = HTML.format(theme=css, width=request.query["width"], light=str(theme == "light").lower())
        return web.Response(text=page, content_type="text/html")

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        widget = self._widgets[request.query["id"]]
        queue: asyncio.Queue[str] = asyncio.Queue()
        # Nothing is lost between the state and what follows it: both are taken in this thread.
        queue.put_nowait(json.dumps({"method": "open", "state": widget.get_state()}))
        widget.comm.pages.append(queue)

        async def write() -> None:
            while True:
                await socket.send_str(await queue.get())

        writer = asyncio.ensure_future(write())
        try:
            async for message in socket:
                said = message.json()
                data = {"method": "custom", "content": said["content"]}
                buffers = [memoryview(base64.b64decode(text)) for text in said["buffers"]]
                content = {"content": {"comm_id": widget.comm.comm_id, "data": data}, "buffers": buffers}
                await self._loop.run_in_executor(None, widget.comm.handle_msg, content)
        finally:
            writer.cancel()
            if widget.comm is not None:
                widget.comm.pages.remove(queue)
        return socket


class DirectComm(BaseComm):
    """Hands what a widget says to every page that shows it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *args: Any, **keys: Any) -> None:
        self.pages: list[asyncio.Queue[str]] = []
        self._loop = loop
        super().__init__(*args, **keys)

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        """Take a message from any thread."""
        if not data or "method" not in data:
            return
        texts = [base64.b64encode(bytes(buffer)).decode() for buffer in buffers or ()]
        text = json.dumps({**data, "buffers": texts})
        self._loop.call_soon_threadsafe(lambda: [queue.put_nowait(text) for queue in self.pages])
