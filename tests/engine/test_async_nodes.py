"""Custom nodes whose functions are ``async def``: they wait beside each other, as in ComfyUI."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from comfy_widgets.engine import Engine

from .wire import TIMEOUT, Binary, Socket, entry, run, submit, until

seeds = itertools.count(1)
Prompt = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(custom_nodes=[Path(__file__).with_name("async_nodes.py")]) as running:
        yield running


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def shown(prompt: Prompt, *sources: str) -> Prompt:
    """The prompt with an output for each of the nodes."""
    return {**prompt, **{f"text of {each}": node("AsyncText", text=[each, 0]) for each in sources}}


def texts(entry: dict[str, Any]) -> dict[str, list[str]]:
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    return {name.removeprefix("text of "): output["text"] for name, output in entry["outputs"].items()}


def error(entry: dict[str, Any]) -> dict[str, Any]:
    kind, data = entry["status"]["messages"][-1]
    assert kind == "execution_error"
    return dict(data)


def test_two_nodes_wait_at_the_same_time(url: str) -> None:
    seed = next(seeds)
    prompt = {
        "1": node("AsyncMeet", me="a", other="b", seed=seed),
        "2": node("AsyncMeet", me="b", other="a", seed=seed),
    }
    assert texts(run(url, shown(prompt, "1", "2"))) == {"1": ["a met b"], "2": ["b met a"]}


def test_the_calls_for_a_list_wait_at_the_same_time_and_answer_in_order(url: str) -> None:
    prompt = {"1": node("AsyncList", count=4, seed=next(seeds)), "2": node("AsyncEach", text=["1", 0])}
    assert texts(run(url, shown(prompt, "2"))) == {"2": [f"{index} of 4" for index in range(4)]}


def test_each_node_tells_of_its_own_progress(url: str, socket: Socket) -> None:
    prompt = {name: node("AsyncCount", steps=3, seed=next(seeds)) for name in "12"}
    messages = socket.until_end(submit(url, shown(prompt, "1", "2"), socket.client_id))
    told = [
        message["data"] for message in messages if not isinstance(message, Binary) and message["type"] == "progress"
    ]
    for name in "12":
        assert {data["value"] for data in told if data["node"] == name} >= {1, 3}
        assert {each.text for each in messages if isinstance(each, Binary) and each.node == name} == {f"node {name}"}
    # They took turns: neither had ended before the other began.
    order = [data["node"] for data in told]
    assert order.index("1") < len(order) - 1 - order[::-1].index("2")
    assert order.index("2") < len(order) - 1 - order[::-1].index("1")


def test_graphs_that_take_their_place_have_ids_of_their_own(url: str, socket: Socket) -> None:
    prompt = {name: node("AsyncExpand", word=name, seed=next(seeds)) for name in ("first", "second")}
    prompt_id = submit(url, shown(prompt, "first", "second"), socket.client_id)
    messages = [message for message in socket.until_end(prompt_id) if not isinstance(message, Binary)]
    began = {message["data"]["node"] for message in messages if message["type"] == "executing"}
    assert began >= {"first.0.0.1", "second.0.0.1"}
    assert texts(entry(url, prompt_id)) == {"first": ["first: a, b"], "second": ["second: a, b"]}


@pytest.mark.parametrize(("message", "kind"), [("boom", "ValueError"), ("exit", "SystemExit")])
def test_an_error_names_the_node_that_raised_it(url: str, message: str, kind: str) -> None:
    seed = next(seeds)
    prompt = {"1": node("AsyncWait", message=message, seed=seed), "2": node("AsyncWait", message="", seed=seed + 100)}
    told = error(run(url, shown(prompt, "1", "2")))
    assert (told["node_id"], told["exception_type"]) == ("1", kind)
    assert told["current_inputs"] == {"message": [message], "seed": [seed]}
    # The other does not go on behind the next prompt.
    assert texts(run(url, {"1": node("AsyncCancelled", seed=seed + 100)}))["1"] == ["cancelled"]


def test_an_interrupt_ends_the_waiting(url: str) -> None:
    seed = next(seeds)
    prompt_id = submit(url, shown({"1": node("AsyncWait", message="", seed=seed)}, "1"), "nobody")
    until(lambda: bool(requests.get(f"{url}/queue", timeout=TIMEOUT).json()["queue_running"]))
    requests.post(f"{url}/interrupt", timeout=TIMEOUT)
    assert entry(url, prompt_id)["status"]["messages"][-1][0] == "execution_interrupted"
    assert texts(run(url, {"1": node("AsyncCancelled", seed=seed)}))["1"] == ["cancelled"]


@pytest.mark.parametrize(("word", "text"), [("first", "first: 0, None"), ("other", "other: None, 0")])
def test_lazy_inputs_are_asked_for(url: str, word: str, text: str) -> None:
    prompt = {name: node("AsyncList", count=1, seed=next(seeds)) for name in "12"}
    prompt["3"] = node("AsyncAsks", word=word, first=["1", 0], second=["2", 0])
    assert texts(run(url, shown(prompt, "3"))) == {"3": [text]}


def test_is_changed_decides_whether_it_runs_again(url: str) -> None:
    def cached(changed: str) -> list[str]:
        prompt = shown({"1": node("AsyncChanged", changed=changed)}, "1")
        messages = run(url, prompt)["status"]["messages"]
        return next(list(data["nodes"]) for kind, data in messages if kind == "execution_cached")

    cached("same")
    assert "1" in cached("same")
    cached("always")
    assert "1" not in cached("always")


def test_a_value_is_refused_before_it_is_queued(url: str) -> None:
    prompt = {
        "1": node("AsyncList", count=1, seed=1),
        "2": node("AsyncAsks", word="bad", first=["1", 0], second=["1", 0]),
    }
    answer = requests.post(f"{url}/prompt", json={"prompt": shown(prompt, "2")}, timeout=TIMEOUT)
    assert answer.status_code == 400
    assert answer.json()["node_errors"]["2"]["errors"][0]["details"] == "word - This word is bad."
