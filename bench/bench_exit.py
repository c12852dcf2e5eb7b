"""How long Python takes to end while an exchange with a server hangs, against one that only imports the package.

Each process starts one kind of exchange, waits until the server has it, and then comes to the end of its script. The
server is the tests' own: it answers byte after byte and never ends. Prints the ratio of the medians.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.hostile.server import Exchange, Hostile

START = """
import sys, threading
from comfy_widgets import ComfyClient
client = ComfyClient(sys.argv[1], journal=False, timeout=60.0)
prompt = {"1": {"class_type": "A", "inputs": {}}}
def background(call):
    threading.Thread(target=call, daemon=True).start()
"""
BARE = "import sys\nfrom comfy_widgets import ComfyClient\n"
WAIT = "print('ready', flush=True)\nsys.stdin.readline()\n"
PROMPT_ID = "0b9bcb85-6f9c-4b52-9b75-6f4b2e1a0c55"


def drip(exchange: Exchange) -> None:
    """A reply that comes byte after byte and never ends."""
    exchange.drip_for_ever(0.2)


def hang(exchange: Exchange) -> None:
    """No reply at all."""
    exchange.hang()


def with_image(exchange: Exchange) -> None:
    """A history in which every prompt made an image."""
    image = {"1": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}}
    entry = {"prompt": [], "outputs": image, "status": {"completed": True}}
    exchange.json({exchange.path.rpartition("/")[2]: entry})


EXCHANGES = {
    "download that drips": ("GET /view", drip, "job = client.submit(prompt)"),
    "POST /prompt without a reply": ("POST /prompt", hang, "job = client.submit(prompt)"),
    "POST /prompt that drips": ("POST /prompt", drip, "job = client.submit(prompt)"),
    "poll of /queue that drips": ("GET /queue", drip, f"job = client.attach({PROMPT_ID!r})"),
    "websocket handshake": ("GET /ws", hang, "background(lambda: client.wait_connected(60))"),
    "/object_info that drips": ("GET /object_info", drip, "background(client.object_info)"),
}


def seconds(code: str, server: Hostile | None = None, route: str = "") -> float:
    """From the last line of the script to the end of its process."""
    process = subprocess.Popen(
        [sys.executable, "-c", code + WAIT, server.url if server else ""],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        if server is not None:
            method, path = route.split(" ")
            server.wait_for(lambda: server.count(method, path))
        began = time.perf_counter()
        process.stdin.write("\n")
        process.stdin.flush()
        process.wait(60)
        return time.perf_counter() - began
    finally:
        process.kill()
        process.wait()


def main() -> int:
    """Print the ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    bare: list[float] = []
    took: dict[str, list[float]] = {name: [] for name in EXCHANGES}
    for _ in range(rounds):
        bare.append(seconds(BARE))
        for name, (route, handler, call) in EXCHANGES.items():
            with Hostile({route: handler, "GET /history/*": with_image}) as server:
                took[name].append(seconds(f"{START}{call}\n", server, route))
    reference = statistics.median(bare)
    print(f"exit of Python, median of {rounds}, against one that only imports the package ({reference * 1000:.0f} ms)")
    for name, times in took.items():
        median = statistics.median(times)
        print(f"  {name:32} {median * 1000:6.0f} ms = {median / reference:.1f}; at worst {max(times) * 1000:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
