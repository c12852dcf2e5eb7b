"""Keeps count of the statements, and prints the table when all is done."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from comfy_widgets import ComfyClient
from comfy_widgets.testing import FaultProxy, ScriptedServer

from .helpers import PACE
from .statements import STATEMENTS

SHOWN = "conformance"
"""Under this name a test's report carries the statements it speaks for, its outcome and the reason."""

_outcomes: dict[int, list[tuple[str, str]]] = {}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def proxy(server: ScriptedServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        yield proxy


@pytest.fixture
def connect() -> Iterator[Callable[..., ComfyClient]]:
    """Makes clients that are quick to notice, and closes them."""
    clients: list[ComfyClient] = []

    def make(url: str, **options: Any) -> ComfyClient:
        options = {"ping_interval": 0.5, "reconnect_interval": 0.05, "timeout": 5.0, "pace": PACE, **options}
        clients.append(ComfyClient(url, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., ComfyClient], proxy: FaultProxy) -> ComfyClient:
    """A client that reaches the server through the proxy."""
    return connect(proxy.url)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "conformance(number): shows that this statement of the protocol page holds")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    numbers = [marker.args[0] for marker in item.iter_markers("conformance")]
    if numbers and (report.when == "call" or report.outcome != "passed"):
        outcome, reason = report.outcome, ""
        if hasattr(report, "wasxfail"):
            outcome, reason = "failed", report.wasxfail
        elif report.skipped and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped: ")
        elif report.failed:
            reason = f"{item.name} failed" + (f": {call.excinfo.exconly()[:200]}" if call.excinfo else "")
        # As a property of the report, because the test may have run in another process than the one that counts.
        report.user_properties.append((SHOWN, (numbers, outcome, reason)))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for name, value in report.user_properties:
        if name == SHOWN:
            numbers, outcome, reason = value
            for number in numbers:
                _outcomes.setdefault(number, []).append((outcome, reason))


def pytest_unconfigure(config: pytest.Config) -> None:
    # After pytest's own last line, so that the count is the very last one.
    if not _outcomes or config.getoption("collectonly") or hasattr(config, "workerinput"):
        return
    terminal = config.get_terminal_writer()
    terminal.line()
    holding = 0
    for number, text in STATEMENTS.items():
        holds, reasons = _verdict(_outcomes.get(number, []))
        holding += holds
        terminal.line(f"{number:3}  {'holds' if holds else 'NO   '}  {text}")
        for reason in reasons:
            terminal.line(f"            {reason}")
    terminal.line(f"conformance: {holding} of {len(STATEMENTS)}")


def _verdict(outcomes: list[tuple[str, str]]) -> tuple[bool, list[str]]:
    """Whether a statement holds: something shows it, and nothing speaks against it."""
    if not outcomes:
        return False, ["no test ran"]
    against = [reason for outcome, reason in outcomes if outcome == "failed"]
    if not against and not any(outcome == "passed" for outcome, _ in outcomes):
        return False, [reason for _, reason in outcomes]
    return not against, against
