"""A scripted server, a fault proxy before it, and a bare client for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comfy_widgets.testing import FaultProxy, ScriptedServer

from .bare import BareClient


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def proxy(server: ScriptedServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        yield proxy


@pytest.fixture
def direct(server: ScriptedServer) -> Iterator[BareClient]:
    client = BareClient(server.url)
    yield client
    client.close()


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[BareClient]:
    client = BareClient(proxy.url)
    yield client
    client.close()
