"""Python ends within two seconds, whatever is under way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from .server import Exchange, Hostile

START = """
import faulthandler, signal, sys, threading, time
# Where it hangs, the test's output tells where.
faulthandler.dump_traceback_later(30)
# Also where the parent process has it ignored, as for what a script starts in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
from comfy_widgets import ComfyClient
from comfy_widgets.protocol import File
client = ComfyClient(sys.argv[1], journal=False, timeout=60.0)
prompt = {"1": {"class_type": "A", "inputs": {}}}
def background(call):
    threading.Thread(target=call, daemon=True).start()
"""

# In short sleeps: a signal that arrives on the way into one does not end it (Python looks for signals only before).
INTERRUPTED = "for _ in range(600):\n    time.sleep(0.1)"

EXCHANGES = {
    "POST /prompt": "job = client.submit(prompt)",
    "GET /view": "job = client.submit(prompt)",
    "GET /history/*": "job = client.submit(prompt)",
    "GET /queue": "job = client.attach('0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55')",
    "GET /ws": "background(lambda: client.wait_connected(60))",
    "POST /upload/image": "background(lambda: client.upload_image(b'x' * (1 << 20), 'a.png'))",
    "GET /object_info": "background(lambda: client.object_info())",
    "POST /jobs/*": """
job = client.submit(prompt)
while job.progress.queue_position is None:
    time.sleep(0.01)
job.cancel()
""",
}


def keep_waiting(exchange: Exchange) -> None:
    prompt_id = json.loads(exchange.body)["prompt_id"]
    exchange.server.pending.append([1, prompt_id, {}, {}, []])
    exchange.json({"prompt_id": prompt_id, "number": 1, "node_errors": {}})


@pytest.mark.parametrize("route", list(EXCHANGES))
@pytest.mark.parametrize("ending", ["exit", "close", "interrupt"])
def test_python_ends_while_an_exchange_hangs(route: str, ending: str) -> None:
    code = START + EXCHANGES[route] + "\nprint('ready', flush=True)\nsys.stdin.readline()\n"
    code += {"exit": "", "close": "client.close()", "interrupt": INTERRUPTED}[ending]
    handlers = {route: lambda exchange: exchange.drip_for_ever(0.2)}
    if route == "GET /view":
        image = {"1": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}}
        handlers["GET /history/*"] = lambda exchange: exchange.json(
            {exchange.path[9:]: {"prompt": [], "outputs": image, "status": {"completed": True}}}
        )
    if route == "POST /jobs/*":
        handlers["POST /prompt"] = keep_waiting
    method, path = route.split(" ")
    with Hostile(handlers) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", code, server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None and process.stdin is not None
            assert process.stdout.readline() == "ready\n"
            start = path.rstrip("*")
            server.wait_for(lambda: any(e.method == method and e.path.startswith(start) for e in list(server.seen)))
            if ending == "interrupt":
                process.stdin.write("\n")
                process.stdin.flush()
                process.send_signal(signal.SIGINT)
            else:
                process.stdin.write("\n")
                process.stdin.flush()
            # Two seconds on a quiet machine; the machine of a test may be busy, and what hangs does so for 40 and more.
            process.wait(35)
        finally:
            process.kill()
            process.wait()
