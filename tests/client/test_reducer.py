"""The reducer by the numbers: what each event does to the bar, the words, the outputs and the times."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from comfy_widgets.client._progress import cancelling, finished, planned, quiet, reduce, waiting
from comfy_widgets.client._run_state import Plan, Progress, RunState
from comfy_widgets.client._status import JobStatus, Phase
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
    NodeProgress,
    Preview,
    ProgressEvent,
    ProgressState,
    ProgressText,
)

PROMPT: dict[str, Any] = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {}},
    "3": {"class_type": "KSampler", "inputs": {}, "_meta": {"title": "My sampler"}},
    "8": {"class_type": "VAEDecode", "inputs": {}},
    "9": {"class_type": "SaveImage", "inputs": {}},
}
SECONDS = {"CheckpointLoaderSimple": 8.0, "KSampler": 10.0, "VAEDecode": 3.0, "SaveImage": 1.0}


def after(*events: Event, plan: Plan | None = None) -> RunState:
    """The state after these events, one a second."""
    state = RunState(Plan.of(PROMPT) if plan is None else plan)
    for number, event in enumerate(events):
        state = reduce(state, event, float(number))
    return state


def snapshot(*nodes: NodeProgress) -> ProgressState:
    return ProgressState(nodes={node.node_id: node for node in nodes})


class TestPlan:
    def test_guesses_weigh_the_classes(self) -> None:
        classes = ["KSamplerAdvanced", "UNETLoader", "VAEEncode", "ImageUpscaleWithModel", "SaveImage", ""]
        plan = Plan.of({str(number): {"class_type": name} for number, name in enumerate(classes)})
        assert list(plan.weights.values()) == [20.0, 4.0, 2.0, 2.0, 1.0, 1.0]
        assert list(plan.classes.values()) == classes
        assert plan.titles == {"0": "KSamplerAdvanced", "1": "UNETLoader", "2": "VAEEncode",
                               "3": "ImageUpscaleWithModel", "4": "SaveImage", "5": "5"}  # fmt: skip
        assert not plan.learned

    def test_learned_seconds_stand_for_themselves_and_scale_the_guesses(self) -> None:
        whole = Plan.of(PROMPT, SECONDS.get)
        assert whole.weights == {"4": 8.0, "3": 10.0, "8": 3.0, "9": 1.0}
        assert whole.learned
        part = Plan.of(PROMPT, {"KSampler": 10.0, "SaveImage": 0.5}.get)
        # Guessed at 21 together, measured at 10.5: the others' guesses count half.
        assert part.weights == {"4": 2.0, "3": 10.0, "8": 1.0, "9": 0.5}
        assert not part.learned

    def test_no_weight_is_nothing(self) -> None:
        assert Plan.of(PROMPT, lambda _: 0.0).weights == dict.fromkeys(PROMPT, 1e-3)
        assert Plan.of({}, SECONDS.get) == Plan({}, {}, {})

    def test_a_node_is_known_by_its_title(self) -> None:
        assert Plan.of(PROMPT).titles["3"] == "My sampler"
        assert Plan.of({"7": {}}) == Plan({"7": 1.0}, {"7": "7"}, {"7": ""})


class TestBar:
    def test_work_is_weighed(self) -> None:
        # 4 + 20 + 2 + 1 in all.
        assert after(ProgressEvent("3", 5, 10)).progress.fraction == pytest.approx(10 / 27)
        done = snapshot(NodeProgress("4", 0, 1, "finished", "4"), NodeProgress("3", 5, 10, "running", "3"))
        assert after(done).progress.fraction == pytest.approx(14 / 27)

    def test_cached_nodes_do_not_count(self) -> None:
        cached = ExecutionCached(nodes=("4",))
        assert after(cached, ProgressEvent("3", 5, 10)).progress.fraction == pytest.approx(10 / 23)
        both = snapshot(NodeProgress("4", 1, 1, "finished", "4"), NodeProgress("3", 5, 10, "running", "3"))
        assert after(cached, both).progress.fraction == pytest.approx(10 / 23)
        late = after(both, cached)
        assert late.total == 23.0
        assert late.work == pytest.approx(10.0)
        assert late.cached == {"4"}

    def test_it_never_goes_back_nor_reaches_the_end_before_the_end(self) -> None:
        back = after(ProgressEvent("3", 5, 10), ProgressEvent("3", 1, 10))
        assert back.progress.fraction == pytest.approx(10 / 27)
        assert back.done == {"3": 0.1}
        assert after(ExecutionSuccess()).progress.fraction == 0.99
        assert after(ExecutionCached(nodes=tuple(PROMPT))).progress.fraction == 0.99
        assert after(ExecutionStart(), plan=Plan.of({})).progress.fraction == 0.0

    @pytest.mark.parametrize(
        ("value", "most", "share"), [(-1, 10, 0.0), (11, 10, 1.0), (1, 0, 0.0), (1, -1, 0.0), (1, 4, 0.25), (1, 1, 1)]
    )
    def test_a_share_is_between_nothing_and_all(self, value: float, most: float, share: float) -> None:
        assert after(ProgressEvent("3", value, most)).done["3"] == share

    def test_an_expanded_node_counts_by_the_mean_of_its_parts(self) -> None:
        parts = snapshot(NodeProgress("3.1", 1, 1, "finished", "3"), NodeProgress("3.2", 1, 4, "running", "3"))
        state = after(parts)
        assert state.done == {"3": (1 + 0.25) / 2}
        assert (state.progress.node, state.progress.step, state.progress.steps) == ("3", 1, 4)

    def test_nodes_nobody_knows_count_for_the_node_that_works(self) -> None:
        state = after(Executing("3", "3"), ProgressEvent("77", 1, 2))
        assert state.progress.node == "3"
        assert state.done == {"3": 0.5}
        nobody = after(ProgressEvent("77", 1, 2))
        assert nobody.progress.node is None
        assert nobody.done == {}
        assert nobody.status is JobStatus.IN_PROGRESS
        named = after(Executing("3", "3"), snapshot(NodeProgress("77", 1, 2, "running", "77")))
        assert named.done == {"3": 0.5}
        assert after(ProgressEvent("8.0.1", 1, 2)).done == {"8": 0.5}

    def test_a_prompt_that_becomes_known_later_is_weighed_then(self) -> None:
        state = after(ExecutionStart(), ProgressEvent("3", 5, 10), plan=Plan({}, {}, {}))
        state = planned(state, Plan.of(PROMPT))
        assert state.total == 27.0
        state = reduce(state, ProgressEvent("3", 5, 10), 3.0)
        assert state.progress.fraction == pytest.approx(10 / 27)


class TestWords:
    @pytest.mark.parametrize(
        ("events", "message"),
        [
            ([ExecutionStart()], "Starting"),
            ([ExecutionStart(), ExecutionCached(nodes=("4", "8"))], "Starting, 2 nodes are cached"),
            ([ExecutionStart(), ExecutionCached(nodes=("4",))], "Starting, 1 node is cached"),
            ([ExecutionStart(), ExecutionCached(nodes=())], "Starting"),
            ([Executing("4", "4")], "CheckpointLoaderSimple: loading the model"),
            ([Executing("9", "9")], "SaveImage"),
            ([Executing("77", "77")], "Node 77"),
            ([ProgressEvent("3", 2, 20)], "My sampler, step 2 of 20"),
            ([ProgressEvent("3", 1, 1)], "My sampler"),
            ([ProgressEvent("3", 1, 2), Executing("9", "9")], "SaveImage"),
            ([ExecutionSuccess()], "Fetching the results"),
        ],
    )
    def test_the_message(self, events: list[Event], message: str) -> None:
        assert after(*events).progress.message == message

    def test_the_message_stays_while_an_error_is_looked_into(self) -> None:
        state = after(ProgressEvent("3", 2, 20), ExecutionError("3", "KSampler", "no", "ValueError"))
        state = reduce(state, ProgressEvent("3", 3, 20), 3.0)
        assert state.progress.message == "My sampler, step 2 of 20"

    def test_phases(self) -> None:
        assert RunState(Plan.of(PROMPT)).progress.phase is Phase.WAITING
        assert after(ExecutionStart()).progress.phase is Phase.RUNNING
        assert after(ExecutionStart(), ExecutionSuccess()).progress.phase is Phase.FETCHING
        assert after(ExecutionError("3", "K", "no", "ValueError")).progress.phase is Phase.RUNNING
        assert finished(after(ExecutionStart()), JobStatus.FAILED, "no").progress.phase is Phase.ENDED
        asked = cancelling(after(ExecutionStart()))
        assert asked.cancelling
        assert (asked.progress.phase, asked.progress.message) == (Phase.CANCELLING, "Cancelling")

    def test_places_in_the_queue(self) -> None:
        state = RunState(Plan.of(PROMPT))
        assert waiting(state, 2).progress == Progress(queue_position=2, message="Waiting, 2 ahead")
        assert waiting(state, 0).progress == Progress(queue_position=0, message="Waiting")
        assert waiting(state, None).progress == Progress()
        started = reduce(waiting(state, 2), ExecutionStart(), 0.0)
        assert started.progress.queue_position is None
        assert waiting(started, 3) is started

    def test_silence_before_the_first_step(self) -> None:
        state = quiet(after(Executing("3", "3")))
        words = "nothing heard for a while, it may be loading the model"
        assert state.progress.message == f"My sampler: {words}"
        assert quiet(state) is state
        assert quiet(after(ExecutionStart())).progress.message == f"Starting: {words}"
        for told in (RunState(Plan.of(PROMPT)), after(ProgressEvent("3", 2, 20)), after(ExecutionSuccess())):
            assert quiet(told) is told
        # Of one that is known to load, its own words say more.
        assert quiet(after(Executing("4", "4"))).progress.message == "CheckpointLoaderSimple: loading the model"

    def test_a_model_is_named_and_counted(self) -> None:
        prompt = {
            "1": {"class_type": "UNETLoader", "inputs": {"unet_name": "sub/flux\\dev.safetensors", "weight": "fp8"}},
            "2": {"class_type": "DualCLIPLoader", "inputs": {"clip_name1": "t5.gguf", "clip_name2": "l.SAFETENSORS"}},
            "3": {"class_type": "VAELoader", "inputs": {"vae_name": "ae.sft"}},
            "4": {"class_type": "KSampler", "inputs": {"name": "a.safetensors"}},
        }
        plan = Plan.of(prompt)
        begin = ExecutionCached(nodes=("3",)), Executing("1", "1")
        assert after(*begin, plan=plan).progress.message == "UNETLoader: loading dev.safetensors, model 1 of 2"
        both = after(*begin, Executing("2", "2"), plan=plan)
        assert both.progress.message == "DualCLIPLoader: loading t5.gguf and l.SAFETENSORS, model 2 of 2"
        one = after(Executing("1", "1"), plan=Plan.of({"1": prompt["1"]}))
        assert one.progress.message == "UNETLoader: loading dev.safetensors"
        long = {"1": {"class_type": "XLoader", "inputs": {"a": f"{'x' * 500}\x1b[31m.ckpt"}}}
        assert len(after(Executing("1", "1"), plan=Plan.of(long)).progress.message) < 100

    def test_steps_in_a_second(self) -> None:
        state = after(*(ProgressEvent("3", step, 20) for step in range(1, 5)))
        assert state.progress.rate is not None
        assert reduce(state, Executing("9", "9"), 99.0).progress.rate is None

    def test_the_line_that_a_node_writes_goes_with_the_node(self) -> None:
        state = after(Executing("3", "3"), ProgressText(node_id="3", text="loading"))
        assert state.progress.text == "loading"
        assert reduce(state, Executing("3", "3"), 9.0).progress.text == "loading"
        assert reduce(state, Executing("9", "9"), 9.0).progress.text == ""


class TestOutputs:
    def test_outputs_are_kept_by_the_node_that_people_see(self) -> None:
        state = after(Executed("9.1", "9", {"text": ["a"]}), Executed("8", None, {"text": ["b"]}))
        assert state.outputs == {"9": {"text": ["a"]}, "8": {"text": ["b"]}}
        assert state.status is JobStatus.IN_PROGRESS
        for nothing in (Executed("9", "9", {}), Executed(None, None, {"text": ["c"]})):
            again = reduce(state, nothing, 3.0)
            assert again.outputs == state.outputs
            assert reduce(RunState(Plan.of(PROMPT)), nothing, 3.0).status is JobStatus.IN_PROGRESS

    def test_warnings_name_the_node(self) -> None:
        blocked = ExecutionError("3", "KSampler", "no face found", "ExecutionBlocked")
        state = after(
            blocked, dataclasses.replace(blocked, node_id="77"), ExecutionError(None, None, "x", "ExecutionBlocked")
        )
        assert state.warnings == (
            "My sampler was not run, as its branch was blocked: no face found.",
            "KSampler was not run, as its branch was blocked: no face found.",
            "A node was not run, as its branch was blocked: x.",
        )
        assert state.status is JobStatus.PENDING

    @pytest.mark.parametrize(
        "ending", [ExecutionError("3", "KSampler", "no", "ValueError"), ExecutionInterrupted("3"), ExecutionSuccess()]
    )
    def test_the_message_of_the_end_is_kept(self, ending: Event) -> None:
        state = after(ending)
        assert state.ending == ending
        assert not state.ended
        assert state.status is JobStatus.IN_PROGRESS

    def test_the_end_marker_alone_says_nothing_of_how(self) -> None:
        state = after(ExecutionStart(), Executing(None))
        assert state.ended
        assert state.ending is None

    def test_other_events_change_nothing(self) -> None:
        state = after(ExecutionStart())
        assert reduce(state, Preview(image=b"a"), 9.0) is state


class TestTimes:
    def test_each_node_is_timed(self) -> None:
        state = after(Executing("4", "4"), Executing("3", "3"), ProgressEvent("3", 1, 2), Executing("9", "9"))
        assert state.started == 0.0
        assert state.node_started == 3.0
        assert state.durations == {"4": 1.0, "3": 2.0}
        again = reduce(reduce(state, Executing("3", "3"), 4.0), ExecutionSuccess(timestamp=1), 6.0)
        assert again.durations == {"4": 1.0, "3": 4.0, "9": 1.0}
        found_out = reduce(state, ExecutionSuccess(), 99.0)
        assert found_out.durations == state.durations

    def test_the_pace_begins_anew_with_each_node(self) -> None:
        state = after(ProgressEvent("3", 1, 9), ProgressEvent("3", 2, 9), Executing("9", "9"))
        assert state.stepped is None
        assert (state.progress.step, state.progress.steps, state.progress.eta) == (None, None, None)

    def test_an_eta_needs_two_timed_steps(self) -> None:
        one, two, three = (after(*(ProgressEvent("3", value, 10) for value in range(1, n + 1))) for n in (1, 2, 3))
        assert (one.progress.eta, two.progress.eta) == (None, None)
        assert three.progress.eta == pytest.approx(7.0)
        assert three.progress.eta_error == pytest.approx(0.0)

    def test_an_eta_is_given_only_where_the_rest_is_small_or_known(self) -> None:
        heavy = {**PROMPT, **{str(n): {"class_type": "UNETLoader"} for n in range(20, 23)}}
        steps = [ProgressEvent("3", value, 10) for value in (1, 2, 3)]
        assert after(*steps, plan=Plan.of(heavy)).progress.eta is None
        known = after(*steps, plan=Plan.of(PROMPT, SECONDS.get)).progress
        # Seven steps of a second, and 8 + 3 + 1 seconds of the other nodes, which are a quarter unsure.
        assert known.eta == pytest.approx(7.0 + 12.0)
        assert known.eta_error == pytest.approx(3.0)
        done = snapshot(NodeProgress("4", 1, 1, "finished", "4"), NodeProgress("3", 4, 10, "running", "3"))
        later = after(*steps, done, plan=Plan.of(PROMPT, SECONDS.get)).progress
        assert later.eta == pytest.approx(6.0 + 4.0)

    def test_a_step_told_twice_is_one(self) -> None:
        state = after(ProgressEvent("3", 1, 10), ProgressEvent("3", 2, 10))
        assert state.stepped == Steps(1.0, 2, 1.0, 1.0, 0.0)
        assert reduce(state, ProgressEvent("3", 2, 10), 5.0).stepped == state.stepped
        assert reduce(state, ProgressEvent("3", 2, 12), 5.0).progress.steps == 12

    def test_steps_that_go_back_or_take_no_time_are_not_timed(self) -> None:
        steps = Steps(1.0, 5.0)
        assert steps.then(5.0, 2.0) is steps
        assert steps.then(4.0, 2.0) is steps
        assert steps.then(6.0, 1.0) is steps
        assert steps.then(6.0, 0.5) is steps
        assert steps.then(7.0, 4.0) == Steps(4.0, 7.0, 2.0, 1.5, 0.0)

    def test_one_step_alone_is_as_unsure_as_it_is_long(self) -> None:
        seconds, error = Steps(0.0, 0.0).then(1.0, 2.0).left(3)
        assert seconds == 6.0
        assert error == pytest.approx(math.sqrt(2.0**2 * (3 + 9)))
        assert Steps(0.0, 0.0).left(3) == (0.0, 0.0)


class TestEnd:
    def test_a_completed_job_is_full_and_no_node_works(self) -> None:
        state = finished(after(ProgressEvent("3", 2, 20)), JobStatus.COMPLETED, "Done")
        assert state.status is JobStatus.COMPLETED
        assert state.progress == Progress(fraction=1.0, message="Done", phase=Phase.ENDED)

    def test_another_end_leaves_the_bar_where_it_was(self) -> None:
        before = after(*(ProgressEvent("3", value, 20) for value in (1, 2, 3)))
        state = finished(before, JobStatus.FAILED, "no")
        assert state.status is JobStatus.FAILED
        assert state.progress == dataclasses.replace(
            before.progress, message="no", eta=None, eta_error=None, rate=None, phase=Phase.ENDED
        )
        queued = finished(waiting(RunState(Plan.of(PROMPT)), 2), JobStatus.CANCELLED, "Cancelled")
        assert queued.progress.queue_position is None

    def test_values_are_frozen(self) -> None:
        state = RunState(Plan.of(PROMPT))
        for value in (state, state.plan, state.progress):
            with pytest.raises(dataclasses.FrozenInstanceError):
                value.status = "x"  # type: ignore[misc,union-attr]
