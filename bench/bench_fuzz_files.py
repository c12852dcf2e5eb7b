"""Mutated files through `Workflow.load`: nothing but `WorkflowError`, and what the worst of them cost.

Prints the worst CPU second, and the worst MB of memory for each kB of a file. Seeds are the files of real programs and
the crafted ones of the tests; a mutation flips, cuts, repeats or moves bytes, or puts an extreme number somewhere.

    .venv/bin/python bench/bench_fuzz_files.py            # a few hundred
    .venv/bin/python bench/bench_fuzz_files.py 100000     # about an hour
    .venv/bin/python bench/bench_fuzz_files.py 100000 --keep found/   # writes what breaks a bound
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import tracemalloc
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from comfy_widgets import Workflow  # noqa: E402
from comfy_widgets.errors import WorkflowError  # noqa: E402
from tests.workflow import crafted  # noqa: E402

SECOND, MEGABYTE = 1.0, 2**20
NUMBERS = [b"\0", b"\1", b"\xff", b"\0\0", b"\xff\xff", b"\x7f\xff\xff\xff", b"\xff" * 4, b"\0" * 4, b"\0\0\0\1"]


def seeds() -> list[bytes]:
    """Files to begin with; the large ones cut, so that what is measured is not their size."""
    real = [path.read_bytes() for path in sorted((ROOT / "tests/workflow/media").iterdir())]
    return real + [make()[:50_000] for make in crafted.MAKERS]


def mutate(data: bytes, luck: random.Random) -> bytes:
    """The file with a few faults, most of them near its front, where its structure is."""
    spoilt = bytearray(data)
    for _ in range(luck.randrange(1, 8)):
        at = luck.randrange(min(len(spoilt), luck.choice([64, 1024, 10**9])) + 1)
        match luck.randrange(5):
            case 0:
                spoilt[at : at + 1] = luck.randbytes(1)
            case 1:
                number = luck.choice(NUMBERS)
                spoilt[at : at + len(number)] = number
            case 2:
                del spoilt[at : at + luck.choice([1, 4, 100, 10**6])]
            case 3:
                spoilt[at:at] = spoilt[at : at + luck.randrange(1, 64)] * luck.choice([1, 10, 1000])
            case _:
                start = luck.randrange(len(spoilt) + 1)
                spoilt[at:at] = spoilt[start : start + luck.randrange(256)]
        del spoilt[2 * MEGABYTE :]
    return bytes(spoilt)


def load(data: bytes) -> str:
    """Load it and say what came of it; any other error ends the run."""
    try:
        Workflow.load(data)
    except WorkflowError as error:
        assert len(str(error)) < 2000, "an error of that length helps nobody"
        return "refused"
    return "loaded"


def cost(data: bytes) -> tuple[float, float]:
    """CPU seconds and the peak of memory in MB."""
    start = time.thread_time()
    load(data)
    took = time.thread_time() - start
    tracemalloc.start()
    load(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return took, peak / MEGABYTE


def main() -> int:
    """Try them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a directory for the files that break a bound")
    options = parser.parse_args()
    luck, pool = random.Random(options.seed), seeds()
    slowest, largest, dearest = (0.0, 0), (0.0, 0), (0.0, 0)
    for number in range(options.count):
        data = mutate(luck.choice(pool), luck)
        took, peak = cost(data)
        slowest = max(slowest, (took, len(data)))
        largest = max(largest, (peak, len(data)))
        # Below some kB what an empty file costs would count, not the file.
        dearest = max(dearest, (peak / max(len(data) / 1000, 10), len(data)))
        if options.keep and (took > SECOND or peak > 200):
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{options.seed}-{number}.bin").write_bytes(data)
    print(f"{options.count} mutated files: {slowest[0]:.3f} s of CPU at worst ({slowest[1] / 1000:.1f} kB), ", end="")
    print(f"{largest[0]:.1f} MB at most ({largest[1] / 1000:.1f} kB), {dearest[0]:.2f} MB for each kB at worst")
    return int(slowest[0] > SECOND)


if __name__ == "__main__":
    sys.exit(main())
