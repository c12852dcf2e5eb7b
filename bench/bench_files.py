"""64 result files fetched through the client, against one ``requests.get`` after the other.

The second is what most scripts do: a new connection for each file, and no two at a time. Prints how many times faster
the client is, on loopback and through a proxy that delays each way.
"""

from __future__ import annotations

import random
import statistics
import sys
import time

import requests
from bench_run import DELAY, bench_engine, far_away, prompt

from comfy_widgets import ComfyClient, Result

FILES = 64


def through_the_client(client: ComfyClient, done: Result) -> int:
    """Ask for the result anew, and fetch every file."""
    result = client.attach(done.prompt_id).result(120)
    return sum(len(result.bytes(file)) for file in result.files)


def one_by_one(url: str, done: Result) -> int:
    """A new connection for each file."""
    total = 0
    for file in done.files:
        query = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
        total += len(requests.get(f"{url}/view", params=query, timeout=60).content)
    return total


def main() -> int:
    """Print the ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with bench_engine(side=320) as (engine, size), far_away(engine.url) as far:
        print(f"{FILES} files of {size / 1e6:.1f} MB, median of {rounds} rounds, one by one / ours")
        for where, url in (("loopback", engine.url), (f"+{2 * DELAY * 1000:.0f} ms", far)):
            with ComfyClient(url, journal=False) as client:
                done = client.run(prompt(FILES))
                took: dict[str, list[float]] = {"ours": [], "theirs": []}
                for _ in range(rounds):
                    for name in random.sample(sorted(took), 2):
                        start = time.perf_counter()
                        total = through_the_client(client, done) if name == "ours" else one_by_one(url, done)
                        took[name].append(time.perf_counter() - start)
                        assert total == FILES * size
            ours, theirs = statistics.median(took["ours"]), statistics.median(took["theirs"])
            print(f"  {where:9} {theirs * 1000:8.1f} ms / {ours * 1000:8.1f} ms = {theirs / ours:.1f} times faster")
    return 0


if __name__ == "__main__":
    sys.exit(main())
