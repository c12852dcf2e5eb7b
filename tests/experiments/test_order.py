"""In which order cells run, what they are said to cost, and what was learned from those that ran."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comfy_widgets import ComfyClient, Workflow
from comfy_widgets.experiments import Experiment
from comfy_widgets.experiments._order import Order, downstream, in_words, signatures
from comfy_widgets.experiments._space import Space
from comfy_widgets.experiments._timings import Kind, Stopwatch, Timings, kinds
from comfy_widgets.protocol import Executing, ExecutionCached, ExecutionStart, ExecutionSuccess, ProgressEvent
from comfy_widgets.testing import ScriptedServer, text_to_image

Sweep = Callable[..., Experiment]
MODELS = ["model.safetensors", "other.safetensors"]


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is learned yet."""
    monkeypatch.setenv("COMFY_WIDGETS_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def changes(values: list[Any]) -> int:
    return sum(one != other for one, other in itertools.pairwise(values))


def test_the_dearest_axis_changes_least_often(run_sweep: Sweep, server: ScriptedServer) -> None:
    # Written the other way round, as somebody might well.
    run_sweep(filename_prefix=["a", "b"], seed=range(3), positive=["cat", "dog"], ckpt_name=MODELS).wait(60)
    prompts = [body["prompt"] for body in server.posted]
    assert changes([prompt["4"]["inputs"]["ckpt_name"] for prompt in prompts]) == 1
    assert changes([prompt["6"]["inputs"]["text"] for prompt in prompts]) == 3
    assert changes([prompt["3"]["inputs"]["seed"] for prompt in prompts]) == 11
    assert changes([prompt["9"]["inputs"]["filename_prefix"] for prompt in prompts]) == 23


def space(client: ComfyClient, **axes: Any) -> Space:
    return Space.make(text_to_image(), axes, client.object_info())


def test_learned_seconds_decide(client: ComfyClient) -> None:
    # Two axes that enter at different nodes: what lies downstream of each, in seconds that were seen.
    of = space(client, seed=range(2), width=[64, 128])
    timings = Timings()
    for node_id, kind in kinds(of.bases[0].prompt).items():
        timings.seen[kind.name] = {kind.work: [5.0 if node_id == "5" else 1.0]}
    costs = Order(of, timings).costs
    # The empty latent takes 5 s here, and the sampler, the decoder and the saver 1 s each.
    assert costs == {"seed": 3.0, "width": 8.0}


def test_downstream_is_all_that_runs_again() -> None:
    below = downstream(text_to_image())
    assert below["9"] == {"9"} and below["3"] == {"3", "8", "9"}
    assert below["4"] == {"3", "4", "6", "7", "8", "9"}


def test_the_price_counts_what_the_cache_saves(client: ComfyClient) -> None:
    of = space(client, seed=range(2), ckpt_name=MODELS)
    timings = Timings()
    for base in of.bases:
        for indices in itertools.product(range(2), range(2)):
            for kind in kinds(of.prompt(indices)).values():
                timings.seen[kind.name] = {kind.work: [1.0]}
        assert len(base.prompt) == 7
    order = Order(of, timings)
    cells = order.sorted(list(itertools.product(range(2), range(2))))
    price = order.price(cells)
    # The first cell runs 7 nodes, a new seed 3 of them, a new model 6.
    assert price.seconds == 7 + 3 + 6 + 3 and price.cached == pytest.approx(1 - 19 / 28)
    # A worse order costs more, and a server that has just run the first cell less.
    assert (order.price([(0, 0), (0, 1), (1, 0), (1, 1)]).seconds or 0) > price.seconds
    assert order.price(cells, warm=of.prompt(cells[0])).seconds == 19 - 7
    assert str(order.price(cells, 4)).startswith("8 cells, 4 of them done before, about 19 s, 32% of the work")


def test_without_a_time_the_price_says_so(client: ComfyClient) -> None:
    price = Order(space(client, seed=range(3)), Timings()).price([(0,), (1,), (2,)])
    assert price.seconds is None and "time not known yet on this server" in str(price) and price.cached > 0


def test_a_signature_is_of_a_node_and_all_above_it() -> None:
    one, other = signatures(text_to_image()), signatures(text_to_image(seed=5))
    assert {node for node in one if one[node] != other[node]} == {"3", "8", "9"}


def test_seconds_grow_with_steps_and_pixels() -> None:
    prompt = text_to_image(steps=10)
    sampler = kinds(prompt)["3"]
    assert sampler.class_type == "KSampler" and "euler" in sampler.name and "model.safetensors" in sampler.name
    timings = Timings(seen={sampler.name: {sampler.work: [2.0, 2.2, 9.0]}})
    assert timings.seconds(sampler) == 2.2
    twice = kinds(text_to_image(steps=20))["3"]
    assert timings.seconds(twice) == pytest.approx(4.4)
    # Another sampler is better than nothing; another class is not.
    assert timings.seconds(Kind("KSampler|heun", sampler.work)) == 2.2 and timings.seconds(Kind("VAEDecode")) is None


def test_a_stopwatch_tells_loading_from_sampling() -> None:
    watch = Stopwatch()
    watch.take(ExecutionStart(prompt_id="p", timestamp=1000), 0.0)
    watch.take(ExecutionCached(prompt_id="p", nodes=("4",), timestamp=1000), 0.0)
    watch.take(Executing(prompt_id="p", node="3", display_node="3"), 0.0)
    for step in range(1, 5):
        # Eight seconds until the first step, then one each.
        watch.take(ProgressEvent(prompt_id="p", node="3", value=step, max=4), 8.0 + step)
    watch.take(Executing(prompt_id="p", node="8", display_node="8"), 12.0)
    watch.take(ExecutionSuccess(prompt_id="p", timestamp=14000), 13.0)
    assert watch.seconds == {"3": 4.0, "8": 1.0} and watch.loading == 8.0
    assert (watch.total, watch.cached) == (13.0, ("4",))


def test_what_was_learned_is_there_for_the_next_process(run_sweep: Sweep, client: ComfyClient, fresh: Path) -> None:
    run_sweep(seed=range(3)).wait(30)
    again = Timings.load(fresh, client.url)
    assert again.seconds(kinds(text_to_image())["3"]) is not None
    assert Timings.load(fresh, "http://other").seen == {}
    (fresh / "experiment-timings.json").write_text("{broken")
    assert Timings.load(fresh, client.url).seen == {}


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.21, "0.2 s"), (9.4, "9 s"), (89, "89 s"), (240, "4 min"), (7800, "2 h 10 min")]
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_workflows_are_outermost(run_sweep: Sweep, workflow: Workflow, server: ScriptedServer) -> None:
    other = workflow.remove("SaveImage").add("PreviewImage", images=("VAEDecode", 0))
    values = list(range(4))
    random.shuffle(values)
    run_sweep({"one": workflow, "two": other}, seed=values).wait(30)
    kinds_of = ["PreviewImage" in str(body["prompt"]) for body in server.posted]
    assert changes(kinds_of) == 1
