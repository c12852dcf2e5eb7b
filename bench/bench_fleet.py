"""Several servers: how far does a sweep scale, what does a kill cost, and who waits how long?

* Scaling: cells of two seconds on 1 to 8 scripted servers, as shares of the ideal; beside it the same cells from one
  shared queue, with two prompts a server (``python bench/bench_fleet.py 2 8``: seconds, servers).
* Kills: one of three servers, the kernel, and one of three Dask workers, killed at twenty points each of a sweep of 500
  cells; the servers count what they were sent (``python bench/bench_fleet.py 2 8 20 500``: also points, cells).
* Turns: thirty people on one server, and a sweep of 500 cells among them.
"""

from __future__ import annotations

import io
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from comfy_widgets import ComfyClient, DaskFleet, Experiment, Fleet, Job, resume, sweep
from comfy_widgets.client import Pace
from comfy_widgets.testing import ScriptedServer, standard_run, text_to_image

KERNEL = """
import sys
from comfy_widgets import Fleet, sweep
from comfy_widgets.testing import text_to_image
folder, cells, *urls = sys.argv[1:]
sweep(text_to_image(steps=1), seed=range(int(cells)), client=Fleet(urls), folder=folder, confirm=True).wait()
"""
LEVELS = (("4", "ckpt_name"), ("6", "text"), ("3", "seed"))
"""Nodes that a server has to run anew where this input has changed; a share of the cell's time each."""


def cached(seconds: float) -> Callable[[Any], None]:
    """A server that keeps what it made for the last prompt: a cell takes longer where its model or text is another."""
    last: dict[str, Any] = {}

    def script(stage: Any) -> None:
        now = {node: stage.prompt[node]["inputs"][name] for node, name in LEVELS}
        changed = sum(last.get(node) != now[node] for node, _ in LEVELS)
        last.update(now)
        stage.start()
        stage.begin("9")
        stage.item.stopped.wait(seconds * max(1, changed) / len(LEVELS))
        stage.executed("9", stage.make_output("9", 1))
        stage.success()
        stage.end()

    return script


def steady(seconds: float) -> Callable[[Any], None]:
    """A server on which every cell takes as long."""

    def script(stage: Any) -> None:
        stage.start()
        stage.begin("9")
        stage.item.stopped.wait(seconds)
        stage.executed("9", stage.make_output("9", 1))
        stage.success()
        stage.end()

    return script


@contextmanager
def servers(count: int, script: Callable[[], Callable[[Any], None]]) -> Iterator[list[ScriptedServer]]:
    """So many scripted servers."""
    with ExitStack() as stack:
        yield [stack.enter_context(ScriptedServer(script=script())) for _ in range(count)]


@contextmanager
def fleet_of(some: list[ScriptedServer], **options: Any) -> Iterator[Fleet]:
    """A fleet whose clients notice soon what happens."""
    pace = Pace(poll=0.1, gone=0.2, lost_after=3600)
    with ExitStack() as stack:
        clients = [
            stack.enter_context(ComfyClient(one.url, journal=False, pace=pace, reconnect_interval=0.2)) for one in some
        ]
        yield stack.enter_context(Fleet(clients, lost_after=2, **options))


@contextmanager
def experiment(client: Any, **axes: Any) -> Iterator[Experiment]:
    """A sweep in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        with redirect_stdout(io.StringIO()):
            run = sweep(text_to_image(steps=1), client=client, folder=Path(folder) / "store", confirm=True, **axes)
        try:
            yield run
        finally:
            run.close()


def timed(work: Callable[[], object]) -> float:
    """Seconds that something took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def shared_queue(some: list[ScriptedServer], prompts: list[dict[str, Any]]) -> float:
    """What most tools do: whoever is free takes the next prompt of one queue, two at a time."""
    todo = deque(prompts)

    def take(client: ComfyClient) -> None:
        with suppress(IndexError):
            while True:
                client.run(todo.popleft())

    def work() -> None:
        threads = [threading.Thread(target=take, args=(client,)) for client in clients for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with ExitStack() as stack:
        clients = [stack.enter_context(ComfyClient(one.url, journal=False)) for one in some]
        for client in clients:
            client.wait_connected(30)
        return timed(work)


def scaling(seconds: float, most: int) -> bool:
    """Print the share of the ideal for each number of servers."""
    each, shares = 8, []
    for count in (size for size in (1, 2, 4, 8) if size <= most):
        with (
            servers(count, lambda: steady(seconds)) as some,
            fleet_of(some) as fleet,
            experiment(fleet, seed=range(each * count)) as run,
        ):
            took = timed(lambda run=run: run.wait(600))
        shares.append(each * seconds / took)
        print(f"  {count} servers, {each * count} cells of {seconds:g} s: {shares[-1]:.3f} of the ideal")
    return shares[-1] >= 0.95


def blocks(seconds: float) -> bool:
    """Compare blocks with one shared queue, on servers that keep what they made for the last prompt."""
    models, texts, seeds = ["model.safetensors", "other.safetensors"], ["a cat", "a dog", "a hen"], range(6)
    prompts = []
    for model in models:
        for text in texts:
            for seed in seeds:
                prompt = text_to_image(seed=seed, text=text, steps=1)
                prompt["4"]["inputs"]["ckpt_name"] = model
                prompts.append(prompt)
    ratios = []
    for count in (3, 6):
        with servers(count, lambda: cached(seconds)) as some:
            queue = shared_queue(some, prompts)
        with (
            servers(count, lambda: cached(seconds)) as some,
            fleet_of(some) as fleet,
            experiment(fleet, ckpt_name=models, positive=texts, seed=seeds) as run,
        ):
            took = timed(lambda run=run: run.wait(600))
        ratios.append(queue / took)
        print(f"  {count} servers that keep the last prompt: a shared queue takes {ratios[-1]:.2f} times as long")
    return min(ratios) > 1


def sent(some: list[ScriptedServer]) -> Counter[int]:
    """How often each seed was sent; a kernel may be killed in the middle of sending one."""
    seeds: Counter[int] = Counter()
    for server in some:
        for request in server.traffic.select("POST", "/prompt"):
            with suppress(ValueError):
                seeds[request.json()["prompt"]["3"]["inputs"]["seed"]] += 1
    return seeds


def posts(server: ScriptedServer) -> int:
    """How many prompts came."""
    return server.count("POST", "/prompt")


def kill_servers(points: int, cells: int) -> bool:
    """Kill one of three servers at so many points."""
    lost = again = elsewhere = 0
    for at in sorted(random.sample(range(2, cells - 2), points)):
        with (
            servers(3, lambda: standard_run(previews=False)) as some,
            fleet_of(some) as fleet,
            experiment(fleet, seed=range(cells)) as run,
        ):
            dead = random.choice(some)
            # Whichever gets a prompt wakes who waits for it.
            some[0].wait_for(lambda at=at, some=some: sum(len(one.posted) for one in some) >= at, 300)
            dead.kill()
            run.wait(300)
            counted, mine = sent(some), sent([dead])
            lost += sum(cell.image is None for cell in run)
            again += sum(count - 1 for count in counted.values())
            elsewhere += sum(count - 1 for seed, count in counted.items() if seed not in mine)
    print(f"  {points} servers killed, {points * cells} cells: {lost} lost, {again} sent twice, ", end="")
    print(f"{elsewhere} of these although their server lived")
    return lost == elsewhere == 0 and again <= 2 * points


def kill_kernels(points: int, cells: int) -> bool:
    """Kill the kernel at so many points; another one goes on."""
    lost = again = 0
    for at in sorted(random.sample(range(2, cells - 2), points)):
        with servers(3, lambda: standard_run(previews=False)) as some, tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", KERNEL, f"{folder}/store", str(cells), *(one.url for one in some)]
            kernel = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            some[0].wait_for(lambda at=at, some=some: sum(len(one.posted) for one in some) >= at, 300)
            kernel.kill()
            kernel.wait()
            with fleet_of(some) as fleet, redirect_stdout(io.StringIO()):
                run = resume(f"{folder}/store", client=fleet).wait(300)
                lost += sum(cell.image is None for cell in run)
                again += sum(count - 1 for count in sent(some).values())
                run.close()
    print(f"  {points} kernels killed, {points * cells} cells: {lost} lost, {again} sent twice")
    return lost == again == 0


def kill_workers(points: int, cells: int) -> bool:
    """Kill one of three Dask workers at so many points; Dask starts another in its place."""
    try:
        import distributed
    except ImportError:
        print("  no Dask workers are killed, as the extra 'dask' is not installed")
        return True
    lost = again = finished = 0
    options = {"threads_per_worker": 3, "resources": {"COMFY": 2}, "dashboard_address": ":0"}
    with (
        # It warns of each worker that dies.
        distributed.LocalCluster(n_workers=3, silence_logs=logging.CRITICAL, **options) as cluster,
        distributed.Client(cluster) as dask,
    ):
        for at in sorted(random.sample(range(2, cells - 2), points)):
            dask.wait_for_workers(3, timeout=120)
            pids = list(dask.run(os.getpid).values())
            with servers(3, lambda: standard_run(previews=False)) as some:
                addresses = {name: server.url for name, server in enumerate(some)}
                with (
                    DaskFleet(dask, servers=addresses, lost_after=30) as fleet,
                    experiment(fleet, seed=range(cells)) as run,
                ):
                    some[0].wait_for(lambda at=at, some=some: sum(map(posts, some)) >= at, 300)
                    done = {cell.values.seed for cell in run if cell.status == "completed"}
                    first = sent(some)
                    os.kill(random.choice(pids), signal.SIGKILL)
                    run.wait(300)
                    counted = sent(some)
                    lost += sum(cell.image is None for cell in run)
                    again += sum(count - 1 for count in counted.values())
                    finished += sum(counted[seed] - first[seed] for seed in done)
    print(f"  {points} Dask workers killed, {points * cells} cells: {lost} lost, {again} sent twice, ", end="")
    print(f"{finished} run again although finished")
    return lost == again == finished == 0


def turns(people: int = 30, rounds: int = 6) -> bool:
    """Let people press again as soon as they have their image, without and with a sweep."""
    means: dict[bool, float] = {}
    ratios: list[float] = []
    for sweeping in (False, True):
        with servers(1, lambda: steady(0.02)) as some, fleet_of(some) as fleet, ExitStack() as stack:
            if sweeping:
                run = stack.enter_context(experiment(fleet, seed=range(500)))
                some[0].wait_for(lambda some=some: len(some[0].posted) >= 2, 60)
            # In prompts that the server ran meanwhile, which no other load of the machine changes.
            ran = some[0].state.history
            waits: dict[str, list[int]] = {f"person {number}": [] for number in range(people)}
            done = threading.Semaphore(0)

            def press(name: str, waits: Any = waits, done: Any = done, fleet: Fleet = fleet, ran: Any = ran) -> None:
                began = len(ran)

                def ended(job: Job) -> None:
                    waits[name].append(list(ran).index(job.prompt_id) - began + 1)
                    press(name) if len(waits[name]) < rounds else done.release()

                fleet.submit(text_to_image(steps=1), share=name).add_done_callback(ended)

            for name in waits:
                press(name)
            for _ in waits:
                done.acquire()
            if sweeping:
                run.cancel().wait(60)
            # The first round is a race for the first place.
            own = [sum(times[1:]) / (rounds - 1) for times in waits.values()]
            means[sweeping] = sum(own) / people
            ratios.append(max(own) / min(own))
            print(f"  {people} people{' and a sweep' * sweeping}: largest wait {ratios[-1]:.2f} times the smallest")
    delay = means[True] - means[False]
    print(f"  the sweep of 500 cells delays each run by {delay:.2f} prompts")
    return max(ratios) < 1.5 and delay < 1.5


def main() -> int:
    """Print all of it."""
    os.environ["COMFY_WIDGETS_STATE"] = "off"
    random.seed(12)
    seconds, most = (float(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (2.0, 8)
    points, cells = (int(word) for word in (sys.argv[3:5] if len(sys.argv) > 4 else ("20", "500")))
    kills = (kill_servers, kill_kernels, kill_workers)
    good = [scaling(seconds, most), blocks(0.6), *(kill(points, cells) for kill in kills), turns()]
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
