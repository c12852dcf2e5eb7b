"""The engine as a process: how it starts, tells, and ends."""

from __future__ import annotations

import os
import signal
import socket as sockets
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from comfy_widgets.engine import Engine, EngineError
from comfy_widgets.engine import _process as process_module
from comfy_widgets.engine._command import main

from .wire import Socket, lab_progress, submit, until

TIMEOUT = 60
LAB = Path(__file__).with_name("lab_nodes.py")


def is_gone(pid: int) -> bool:
    """Tell whether a process is dead; one that nobody has waited for is, too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_it_answers_and_is_gone_after_close() -> None:
    with Engine() as engine:
        assert engine.running
        assert requests.get(f"{engine.url}/system_stats", timeout=TIMEOUT).status_code == 200
        assert "running" in repr(engine)
    assert not engine.running
    with pytest.raises(requests.ConnectionError):
        requests.get(engine.url, timeout=TIMEOUT)
    engine.close()


def test_close_is_not_held_up_by_a_running_prompt_and_an_open_socket() -> None:
    engine = Engine(custom_nodes=[LAB])
    socket = Socket(engine.url)
    submit(engine.url, lab_progress(100_000), socket.client_id)
    socket.until_type("progress")
    pid = engine.pid
    engine.close()
    assert is_gone(pid)
    socket.close()


def test_killed_it_is_silent_at_once() -> None:
    engine = Engine()
    engine.kill()
    assert not engine.running
    with pytest.raises(requests.ConnectionError):
        requests.get(engine.url, timeout=TIMEOUT)
    engine.close()


def test_it_dies_with_its_parent_however_that_ends() -> None:
    code = (
        "import time; from comfy_widgets.engine import Engine; e = Engine(); print(e.pid, flush=True); time.sleep(600)"
    )
    root = str(Path(__file__).resolve().parents[2])
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert not is_gone(pid)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: is_gone(pid))


def test_a_forgotten_engine_ends() -> None:
    engine = Engine()
    pid = engine.pid
    del engine
    until(lambda: is_gone(pid))


def test_a_taken_port_is_named() -> None:
    with sockets.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match=f"Port {port} on 127.0.0.1 is taken"):
            Engine(port=port)


def test_a_broken_node_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0")
    with pytest.raises(EngineError, match=r"broken\.py could not be loaded: ZeroDivisionError: division by zero"):
        Engine(custom_nodes=[broken])
    empty = tmp_path / "empty.py"
    empty.write_text("")
    with pytest.raises(EngineError, match="has no dict NODE_CLASS_MAPPINGS"):
        Engine(custom_nodes=[empty])
    with pytest.raises(EngineError, match="is not a Python file that exists"):
        Engine(custom_nodes=[tmp_path / "none.py"])


def test_missing_packages_are_named_with_their_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "aiohttp" else name)
    with pytest.raises(EngineError, match=r"needs aiohttp.*pip install 'comfy_widgets\[engine\]'"):
        Engine()
    assert main([]) == 1
    assert "pip install 'comfy_widgets[engine]'" in capsys.readouterr().err


def test_the_log_holds_what_it_printed(tmp_path: Path) -> None:
    chatty = tmp_path / "chatty.py"
    chatty.write_text("print('hello from a node file')\nNODE_CLASS_MAPPINGS = {}\n")
    with Engine(custom_nodes=[chatty]) as engine:
        until(lambda: "hello from a node file" in engine.log)


def test_starting_loads_no_heavy_module_in_the_caller() -> None:
    heavy = "('numpy', 'aiohttp', 'PIL', 'asyncio')"
    code = f"import sys, comfy_widgets.engine; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_the_command_greets_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "comfy_widgets.engine", "--port", "0", "--output-directory", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(4)]
    assert "not Stable Diffusion" in said[0]
    assert requests.get(said[1].strip(), timeout=TIMEOUT).status_code == 200
    assert str(tmp_path) in said[2]
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT) == 0
    process.stdout.close()


def test_the_environment_lets_the_child_find_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    parts = process_module._environment()["PYTHONPATH"].split(os.pathsep)
    assert parts[-1] == "/somewhere"
    assert (Path(parts[0]) / "comfy_widgets").is_dir()
