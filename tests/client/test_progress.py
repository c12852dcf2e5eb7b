"""The reducer: every recorded run of two ComfyUI versions, and the laws that the bar keeps."""

from __future__ import annotations

import base64
import json
import math
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfy_widgets.client._progress import reduce
from comfy_widgets.client._run_state import Plan, RunState
from comfy_widgets.client._steps import Steps
from comfy_widgets.protocol import (
    Event,
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    ExecutionSuccess,
    HistoryEntry,
    NodeProgress,
    ProgressEvent,
    ProgressState,
    parse_binary,
    parse_text,
)

TRACES = Path(__file__).resolve().parents[3] / "shared" / "traces"
FILES = sorted(TRACES.rglob("events.jsonl"))

PROMPT = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {}},
    "3": {"class_type": "KSampler", "inputs": {}, "_meta": {"title": "My sampler"}},
    "8": {"class_type": "VAEDecode", "inputs": {}},
    "9": {"class_type": "SaveImage", "inputs": {}},
}


def recorded(path: Path) -> tuple[dict[str, Any], dict[str, list[Event]], dict[str, HistoryEntry]]:
    """Prompts, their events and their history entries, all by prompt id."""
    prompts, events, histories = {}, {}, {}
    for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        if line["kind"] == "ws_recv" and ("json" in line or "b64" in line):
            event = (
                parse_text(json.dumps(line["json"])) if "json" in line else parse_binary(base64.b64decode(line["b64"]))
            )
            if event.prompt_id is not None:
                events.setdefault(event.prompt_id, []).append(event)
        elif line["kind"] == "http":
            body, route = line["response"].get("json"), line["path"].removeprefix("/api")
            if line["method"] == "POST" and route == "/prompt" and line["response"]["status"] == 200:
                sent = line["request"].get("json")
                if isinstance(sent, dict):
                    prompts[body["prompt_id"]] = sent["prompt"]
            elif route.startswith("/history") and isinstance(body, dict):
                for key, value in body.items():
                    histories[key] = HistoryEntry.parse(key, value)
    return prompts, events, histories


@pytest.mark.skipif(not FILES, reason="the recorded traffic (../shared/traces) is not here")
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.parent.relative_to(TRACES)))
def test_replaying_a_recording_gives_the_outcome_of_its_history(path: Path) -> None:
    prompts, events, histories = recorded(path)
    for prompt_id, prompt in prompts.items():
        state, now, fraction = RunState(Plan.of(prompt)), 0.0, 0.0
        for event in events.get(prompt_id, ()):
            now += 0.01
            state = reduce(state, event, now)
            assert fraction <= state.progress.fraction < 1.0
            fraction = state.progress.fraction
        entry = histories.get(prompt_id)
        if entry is None or state.ending is None:
            continue
        expected = {
            ExecutionSuccess: "completed",
            ExecutionError: "failed",
            ExecutionInterrupted: "cancelled",
        }
        assert expected[type(state.ending)] == entry.outcome
        if entry.outcome == "completed":
            assert set(state.outputs) <= set(entry.outputs)
            assert all(entry.outputs[node] == output for node, output in state.outputs.items())


def run(*events: Event) -> Iterator[RunState]:
    state = RunState(Plan.of(PROMPT))
    for number, event in enumerate(events):
        state = reduce(state, event, float(number))
        yield state


def snapshot(**nodes: tuple[float, float, str]) -> ProgressState:
    found = {key.lstrip("n"): value for key, value in nodes.items()}
    return ProgressState(nodes={key: NodeProgress(key, *value, key) for key, value in found.items()})


def test_the_message_names_node_and_step() -> None:
    *_, state = run(ExecutionStart(), ExecutionCached(nodes=("4",)), Executing(node="3"), ProgressEvent("3", 3, 20))
    assert state.progress.message == "My sampler, step 3 of 20"
    assert (state.progress.node, state.progress.title) == ("3", "My sampler")
    assert (state.progress.step, state.progress.steps) == (3, 20)


def test_cached_nodes_are_no_work() -> None:
    *_, state = run(ExecutionCached(nodes=("4", "3", "8")))
    assert state.progress.fraction == 0.0
    *_, state = run(ExecutionCached(nodes=("4", "3", "8")), snapshot(n9=(1, 1, "finished")))
    assert state.progress.fraction > 0.9


def test_a_snapshot_replaces_all_that_was_missed() -> None:
    *_, whole = run(
        ExecutionStart(),
        ExecutionCached(),
        snapshot(n4=(1, 1, "finished")),
        snapshot(n4=(1, 1, "finished"), n3=(5, 10, "running")),
    )
    *_, late = run(snapshot(n4=(1, 1, "finished"), n3=(5, 10, "running")))
    assert late.progress.fraction == whole.progress.fraction
    assert (late.progress.node, late.progress.step) == ("3", 5)


def test_an_expanded_node_counts_as_the_node_of_the_prompt() -> None:
    *_, state = run(Executing(node="3.0.0.1", display_node="3"), ProgressEvent("3.0.0.1", 2, 4))
    assert (state.progress.node, state.progress.step) == ("3", 2)


def test_a_blocked_branch_is_a_warning_and_not_the_end() -> None:
    *_, state = run(ExecutionStart(), ExecutionError("3", "KSampler", "no face found", "ExecutionBlocked"))
    assert state.ending is None
    assert state.warnings == ("My sampler was not run, as its branch was blocked: no face found.",)


def test_no_guess_is_shown_as_an_eta() -> None:
    steps = [ProgressEvent("3", value, 10) for value in range(1, 11)]
    states = list(run(ExecutionStart(), Executing(node="3"), *steps))
    assert states[2].progress.eta is None
    # One step a second: after step 5 of 10, five steps are left.
    assert states[6].progress.eta == pytest.approx(5.0)


def test_learned_seconds_count_for_the_nodes_that_follow() -> None:
    plan = Plan.of(PROMPT, {"CheckpointLoaderSimple": 8.0, "KSampler": 10.0, "VAEDecode": 3.0, "SaveImage": 1.0}.get)
    state = RunState(plan)
    for number, value in enumerate(range(1, 6)):
        state = reduce(state, ProgressEvent("3", value, 10), float(number))
    # Five steps of one second, and twelve seconds of the other nodes.
    assert state.progress.eta == pytest.approx(5.0 + 12.0)


node = st.sampled_from(["3", "4", "8", "9", "9.0.1", "stranger"])
number = st.floats(allow_nan=False, allow_infinity=False, min_value=-10, max_value=1e6)
events = st.one_of(
    st.builds(ExecutionStart),
    st.builds(ExecutionSuccess),
    st.builds(ExecutionCached, nodes=st.lists(node).map(tuple)),
    st.builds(Executing, node=st.none() | node),
    st.builds(ProgressEvent, node=st.none() | node, value=number, max=number),
    st.builds(Executed, node=node, output=st.just({"images": []})),
    st.builds(ExecutionError, node_id=node, exception_type=st.sampled_from(["ExecutionBlocked", "ValueError"])),
    st.dictionaries(node, st.tuples(number, number, st.sampled_from(["running", "finished", "error"])), max_size=4).map(
        lambda nodes: ProgressState(nodes={k: NodeProgress(k, *v, k) for k, v in nodes.items()})
    ),
)


@given(st.lists(events, max_size=30))
def test_the_bar_only_moves_forward_whatever_comes(sequence: list[Event]) -> None:
    fraction = 0.0
    for state in run(*sequence):
        assert fraction <= state.progress.fraction < 1.0
        fraction = state.progress.fraction


def test_an_eta_says_how_sure_it_is() -> None:
    def after(*seconds: float) -> RunState:
        state, now = RunState(Plan.of(PROMPT)), 0.0
        for value, took in enumerate((0.0, *seconds), start=1):
            now += took
            state = reduce(state, ProgressEvent("3", value, 20), now)
        return state

    even, uneven = after(1, 1, 1, 1).progress, after(0.2, 1.8, 0.2, 1.8).progress
    assert even.eta == pytest.approx(15.0)
    assert even.eta_error == pytest.approx(0.0)
    assert uneven.eta == pytest.approx(15.0)
    assert uneven.eta_error is not None
    assert 5 < uneven.eta_error < 15
    longer = after(*[0.2, 1.8] * 6).progress
    assert longer.eta_error is not None
    assert longer.eta_error < uneven.eta_error


@given(st.lists(st.tuples(st.floats(0.001, 100), st.integers(1, 3)), min_size=2, max_size=20))
def test_the_pace_is_the_mean_of_the_steps_and_its_error_their_deviation(told: list[tuple[float, int]]) -> None:
    steps, now, value = Steps(0.0, 0.0), 0.0, 0.0
    for took, count in told:
        now, value = now + took, value + count
        steps = steps.then(value, now)
    seconds, error = steps.left(10)
    assert seconds == pytest.approx(10 * now / value, rel=1e-6)
    # Unsure are the ten steps to come, and ten times the mean.
    variance = statistics.variance([took / count for took, count in told for _ in range(count)])
    assert error == pytest.approx(math.sqrt(variance * (10 + 100 / value)), rel=1e-3, abs=1e-4)
    assert steps.then(value, now + 1) == steps, "the same step told again is no step"
