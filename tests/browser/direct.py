"""A widget in a bare page: its real Python half and its real front end, without Jupyter between them.

Much quicker than a notebook, and of any width and theme. What depends on a host is tried in the hosts themselves.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import threading
from collections.abc import Iterator, Sequence
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
const socket = new WebSocket(location.href.replace("http", "ws").replace("/show", "/talk"));
socket.binaryType = "arraybuffer";
const handlers = new Map();
const emit = (event, ...words) => [...(handlers.get(event) ?? [])].forEach((heard) => heard(...words));
let traits = {{}};
const model = {{
  get: (name) => traits[name],
  on(event, heard) {{ handlers.set(event, (handlers.get(event) ?? new Set()).add(heard)); }},
  off(event, heard) {{ handlers.get(event)?.delete(heard); }},
  send(content, callbacks, buffers = []) {{
    const header = new TextEncoder().encode(JSON.stringify({{ content, lengths: buffers.map((b) => b.byteLength) }}));
    const size = new DataView(new ArrayBuffer(4));
    size.setUint32(0, header.length);
    socket.send(new Blob([size, header, ...buffers]));
  }},
}};
// As a notebook does, one message after the other, and only when the start module listens.
let ready;
let last = new Promise((resolve) => {{ ready = resolve; }});
socket.onmessage = ({{ data }}) => {{
  const size = new DataView(data).getUint32(0);
  const {{ method, state, content, lengths }} = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, size)));
  let at = 4 + size;
  // Views of what came, without a copy, as in Jupyter.
  const buffers = lengths.map((length) => new DataView(data, (at += length) - length, length));
  if (method === "open") {{
    traits = state;
    open();
    return;
  }}
  last = last.then(() => {{
    if (method === "update") {{
      Object.assign(traits, state);
      for (const name of Object.keys(state)) emit(`change:${{name}}`);
    }} else emit("msg:custom", content, buffers);
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
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        widget = self._widgets[request.query["id"]]
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        # Nothing is lost between the state and what follows it: both are taken in this thread.
        queue.put_nowait(_frame({"method": "open", "state": widget.get_state()}, ()))
        widget.comm.pages.append(queue)

        async def write() -> None:
            while True:
                await socket.send_bytes(await queue.get())

        writer = asyncio.ensure_future(write())
        try:
            async for message in socket:
                said, buffers = _parts(message.data)
                data = {"method": "custom", "content": said["content"]}
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
        self.pages: list[asyncio.Queue[bytes]] = []
        self._loop = loop
        super().__init__(*args, **keys)

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        """Take a message from any thread."""
        if not data or "method" not in data:
            return
        frame = _frame(data, buffers or ())
        self._loop.call_soon_threadsafe(lambda: [queue.put_nowait(frame) for queue in self.pages])


def _frame(data: Any, buffers: Sequence[Any]) -> bytes:
    """Return a message with its buffers: the length of a header, the header, and then the buffers."""
    header = json.dumps({**data, "lengths": [len(buffer) for buffer in buffers]}).encode()
    return b"".join([struct.pack(">I", len(header)), header, *buffers])


def _parts(frame: bytes) -> tuple[Any, list[memoryview]]:
    """Return what `_frame` has put together."""
    end = 4 + int.from_bytes(frame[:4], "big")
    header, buffers = json.loads(frame[4:end]), []
    for length in header["lengths"]:
        buffers.append(memoryview(frame)[end : end + length])
        end += length
    return header, buffers
