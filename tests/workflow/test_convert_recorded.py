"""Workflows that the real front end exported: the prompt must be the same."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from comfy_widgets.errors import WorkflowError
from comfy_widgets.workflow._convert import Conversion, convert
from comfy_widgets.workflow._specs import NodeSpecs

from .ui_graphs import inputs_of, recorded_object_info, recorded_rows, recordings

#: An old group node. The present front end mixes up its values and loses its links, so the prompt to compare with is
#: the one that its author's front end had stored in the same file.
GROUP_NODE = "ComfyUI_examples__hidream_hidream_e1_example.png.json"


NEWEST = "convert-0.33"


@pytest.fixture(scope="module")
def specs() -> NodeSpecs:
    return NodeSpecs(recorded_object_info())


@pytest.fixture(scope="module")
def newest_specs() -> NodeSpecs:
    return NodeSpecs(recorded_object_info(NEWEST, "object_info-0.33.0.json.gz"))


def versions(prompt: dict[str, Any]) -> dict[str, Any]:
    """Each node's class and version. Titles are left out: the front end has names of its own for many classes."""
    return {
        identity: (node["class_type"], {key: value for key, value in node["_meta"].items() if key != "title"})
        for identity, node in prompt.items()
    }


@pytest.mark.parametrize("file", ["templates.jsonl.gz", "older-files.jsonl.gz"])
def test_every_recorded_workflow_gives_the_recorded_prompt(file: str, specs: NodeSpecs) -> None:
    rows = [row for row in recorded_rows("convert", file) if row["name"] != GROUP_NODE]
    for row in rows:
        before = copy.deepcopy(row["workflow"])
        prompt = convert(row["workflow"], specs).prompt
        assert row["workflow"] == before, f"{row['name']} was changed"
        assert inputs_of(prompt) == inputs_of(row["output"]), row["name"]
        assert versions(prompt) == versions(row["output"]), row["name"]
    assert len(rows) > 50


def test_a_recorded_group_node_gives_the_prompt_of_its_time(specs: NodeSpecs) -> None:
    row = next(row for row in recorded_rows("convert", "older-files.jsonl.gz") if row["name"] == GROUP_NODE)
    inputs = inputs_of(convert(row["workflow"], specs).prompt)
    # This input came with a later version of the node.
    assert inputs["37:7"].pop("style") == "regular"
    assert inputs == inputs_of(row["embedded_prompt"])


def test_every_workflow_recorded_with_the_newest_front_end_gives_the_recorded_prompt(newest_specs: NodeSpecs) -> None:
    rows = list(recorded_rows(NEWEST, "templates-0.33.jsonl.gz"))
    for row in rows:
        prompt = convert(row["workflow"], newest_specs).prompt
        assert inputs_of(prompt) == inputs_of(row["output"]), row["name"]
        assert versions(prompt) == versions(row["output"]), row["name"]
    assert len(rows) > 500


#: What only a browser makes: the placeholder of a list that it is loading.
OF_THE_BROWSER = {"fresh LoadImageOutput"}


def test_the_newest_front_ends_quirks(newest_specs: NodeSpecs) -> None:
    quirks = json.loads(recordings(NEWEST, "quirks-0.33.json").read_text())
    assert len(quirks) > 50
    for name in quirks.keys() - OF_THE_BROWSER:
        prompt = convert(quirks[name]["workflow"], newest_specs).prompt
        assert inputs_of(prompt) == inputs_of(quirks[name]["output"]), name


def quirk(name: str) -> dict[str, Any]:
    quirks = json.loads(recordings("convert", "quirks.json").read_text())
    found: dict[str, Any] = quirks[name]
    return found


SAME = [
    "series of one definition, inner active",
    "root instance bypassed",
    "primitive muted feeds width",
    "host promoted value",
    "old KSampler, boolean control, string id",
    "mode 1 and 3",
]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", SAME)
def test_what_the_front_end_does_right(name: str, strict: bool, specs: NodeSpecs) -> None:
    row = quirk(name)
    done = convert(row["workflow"], specs, strict_frontend=strict)
    assert done.prompt == row["output"]
    assert done.report == ()


REFUSED = [
    "series of one definition, inner bypassed",
    "series of one definition, inner Reroute",
    "output wired straight to input port",
]


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_front_end_refuses_without_need(name: str, specs: NodeSpecs) -> None:
    row = quirk(name)
    assert row["output"].startswith("THROWS")
    with pytest.raises(WorkflowError):
        convert(row["workflow"], specs, strict_frontend=True)
    done = convert(row["workflow"], specs)
    assert done.prompt["4"]["inputs"] == {"images": ["1", 0]}
    assert [note.kind for note in done.report] == ["frontend-differs"]


BETTER: list[tuple[str, Callable[[Conversion], Any], Any]] = [
    ("primitive through Reroute feeds width", lambda done: done.prompt["1"]["inputs"]["width"], 128),
    ("primitive feeds promoted host input", lambda done: done.prompt["2:20"]["inputs"]["width"], 256),
    ("combo value not in list, too few values, null", lambda done: done.prompt["3"]["inputs"]["steps"], 20),
]


@pytest.mark.parametrize(("name", "pick", "seen"), BETTER, ids=[name for name, *_ in BETTER])
def test_what_the_user_sees_is_sent_where_the_front_end_sends_something_else(
    name: str, pick: Callable[[Conversion], Any], seen: Any, specs: NodeSpecs
) -> None:
    row = quirk(name)
    assert convert(row["workflow"], specs, strict_frontend=True).prompt == row["output"]
    done = convert(row["workflow"], specs)
    assert pick(done) == seen
    assert len(done.report) == 1


def test_a_dynamic_prompt(specs: NodeSpecs) -> None:
    row = quirk("dynamic prompt")
    texts = {
        convert(row["workflow"], specs, dynamic_prompts_seed=seed).prompt["1"]["inputs"]["text"] for seed in range(30)
    }
    assert row["output"]["1"]["inputs"]["text"] in texts
    assert texts == {f"a {pick} cat \n end {{lit|x}}" for pick in ("red", "big blue", "small blue")}


def test_file_name_tokens(specs: NodeSpecs) -> None:
    row = quirk("filename tokens")
    year = row["output"]["4"]["inputs"]["filename_prefix"].split("_")[1]
    done = convert(row["workflow"], specs)
    expected = row["output"]["4"]["inputs"]["filename_prefix"].split("_")
    sent = done.prompt["4"]["inputs"]["filename_prefix"].split("_")
    assert (sent[0], sent[2:]) == (expected[0], expected[2:])
    assert sent[1].isdigit() and len(sent[1]) == len(year)
