"""The two ends of a connection through the fault proxy, and what all connections of one proxy share."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from dataclasses import dataclass, field

from ._faults import FaultPlan
from ._traffic import Traffic

# A socket that lingers for 0 seconds resets its connection when it is closed; the fields are shorter on Windows.
_LINGER_0 = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


@dataclass
class Wiring:
    """What all connections of one proxy share."""

    host: str
    port: int
    delay: float
    record: bool
    faults: FaultPlan = field(default_factory=FaultPlan)
    traffic: Traffic = field(default_factory=Traffic)


class End:
    """One end of a relayed connection, with what is on its way there.

    Every piece is written `delay` seconds after it came, in order: latency without a limit on throughput, as any
    number of pieces may be under way at once.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wiring: Wiring, ready_at: float = 0.0
    ) -> None:
        self.reader = reader
        self.writer = writer
        self._wiring = wiring
        self._ready_at = ready_at
        self._pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=256)
        self._writing = asyncio.create_task(self._write())
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def send(self, data: bytes) -> None:
        """Put bytes on their way."""
        due = max(asyncio.get_running_loop().time() + self._wiring.delay, self._ready_at)
        if not self._writing.done():
            await self._pieces.put((due, data))

    async def flush(self) -> None:
        """Return when all that was sent is written, or never will be."""
        written = asyncio.ensure_future(self._pieces.join())
        await asyncio.wait({written, self._writing}, return_when=asyncio.FIRST_COMPLETED)
        written.cancel()

    def close(self) -> None:
        """End the stream properly."""
        self._writing.cancel()
        self.writer.close()

    def half_close(self) -> None:
        """End the stream in this direction only."""
        with contextlib.suppress(OSError):
            self.writer.write_eof()

    def reset(self) -> None:
        """Break the connection with a TCP reset."""
        self._writing.cancel()
        reset(self.writer)

    async def _write(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due, data = await self._pieces.get()
            if (wait := due - clock()) > 0:
                await asyncio.sleep(wait)
            # A peer that has left is noticed by whoever reads from it; here the piece is simply lost.
            if not self.writer.is_closing():
                with contextlib.suppress(ConnectionError):
                    self.writer.write(data)
                    await self.writer.drain()
            self._pieces.task_done()


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection with a TCP reset."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
    writer.transport.abort()
