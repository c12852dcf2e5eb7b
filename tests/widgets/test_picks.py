"""Fields for what is picked: the nearest choice at a click, new lists, several of many choices, a colour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from comfy_widgets import ComfyPanel, WorkflowForm
from comfy_widgets.testing import Reply, ScriptedServer, node_info, text_to_image

from .conftest import page_of
from .page import Page

Make = Callable[..., ComfyPanel]


def fields(page: Page) -> dict[str, Any]:
    return {field["name"]: field for field in page.state["_form"]["fields"]}


def models(server: ScriptedServer, *names: str) -> None:
    server.object_info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"] = [[*names], {}]


def with_model(name: str) -> dict[str, Any]:
    """The workflow with this checkpoint."""
    workflow = text_to_image()
    workflow["4"]["inputs"]["ckpt_name"] = name
    return workflow


def with_node(name: str, **inputs: Any) -> dict[str, Any]:
    """The workflow with one more node, whose inputs have these values."""
    return {**text_to_image(), "20": {"class_type": name, "inputs": inputs}}


def test_the_nearest_choice_is_offered_for_a_value_that_is_none(server: ScriptedServer, make_panel: Make) -> None:
    models(server, "sd_xl_base_1.0.safetensors", "v1-5-pruned-emaonly.safetensors")
    page = page_of(make_panel(with_model("v1-5.safetensors")))
    assert page.state["_values"]["hints"] == {"ckpt_name": "v1-5-pruned-emaonly.safetensors"}
    page.edit(ckpt_name="v1-5-pruned-emaonly.safetensors")
    assert page.state["_values"]["hints"] == {}


def test_nothing_is_offered_where_nothing_is_near(server: ScriptedServer, make_panel: Make) -> None:
    models(server, "sd_xl_base_1.0.safetensors")
    assert page_of(make_panel(with_model("zzz.ckpt"))).state["_values"]["hints"] == {}


def news(page: Page) -> str:
    before = len(page.custom("lists"))
    page.say("lists")
    page.wait_for(lambda: len(page.custom("lists")) > before)
    text: str = page.custom("lists")[-1][0]["text"]
    return text


def test_the_lists_of_the_server_are_asked_for_anew(server: ScriptedServer, make_panel: Make) -> None:
    models(server, "a.safetensors", "b.safetensors")
    panel = make_panel(with_model("a.safetensors"))
    page = page_of(panel)
    page.edit(cfg=3.5)
    assert news(page) == "Nothing new."
    models(server, "a.safetensors", "b.safetensors", "c.safetensors", "d.safetensors")
    assert news(page) == "New: 2 in Checkpoint."
    assert fields(page)["ckpt_name"]["choices"] == [f"{name}.safetensors" for name in "abcd"]
    models(server, "d.safetensors")
    assert news(page) == "3 gone."
    # What was chosen stays, and is told as missing.
    assert (panel.params.ckpt_name, panel.params.cfg) == ("a.safetensors", 3.5)
    assert page.state["_values"]["values"]["ckpt_name"] == "a.safetensors"


def test_a_form_alone_has_new_lists_too(server: ScriptedServer, client: Any) -> None:
    models(server, "a.safetensors")
    page = page_of(WorkflowForm(with_model("a.safetensors"), client))
    models(server, "a.safetensors", "b.safetensors")
    assert news(page) == "New: 1 in Checkpoint."


def test_a_server_that_does_not_answer_is_told_of(server: ScriptedServer, make_panel: Make) -> None:
    panel = make_panel()
    page = page_of(panel)
    server.close()
    assert server.url.split("//")[1] in news(page)
    assert len(fields(page)) > 5


def test_new_lists_are_answered_for_whatever_an_observer_does(server: ScriptedServer, make_panel: Make) -> None:
    models(server, "b.safetensors")
    panel = make_panel(with_model("a.safetensors"))
    page = page_of(panel)

    def fail(change: Any) -> None:
        raise RuntimeError("an observer of my own")

    panel.observe(fail)
    models(server, "a.safetensors", "b.safetensors")
    news(page)
    page.wait_for(lambda: any("an observer of my own" in told for told in page.state["_values"]["warnings"]))
    assert fields(page)["ckpt_name"]["choices"] == ["a.safetensors", "b.safetensors"]
    panel.unobserve(fail)


def with_remote(server: ScriptedServer, kind: str = "", **remote: Any) -> dict[str, Any]:
    """The workflow with a node whose choices are those of a route."""
    remote = {"route": "/models/loras", **remote}
    options: dict[str, Any] = {"remote": remote, **({kind: True} if kind else {})}
    server.object_info["Pick"] = node_info("Pick", "Pick", {"item": ["COMBO", options]}, ("STRING",))
    return with_node("Pick", item=["b"] if kind == "multiselect" else "b")


@pytest.fixture
def listed(server: ScriptedServer) -> list[Any]:
    """What the route of `with_remote` gives."""
    listed: list[Any] = ["a", "b"]
    server.on("GET", "/models/loras", lambda _: Reply.json(listed))
    return listed


def remote_field(page: Page) -> dict[str, Any]:
    return next(field for name, field in fields(page).items() if name.endswith("item"))


@pytest.mark.parametrize("kind", ["", "multiselect", "image_upload"])
def test_choices_of_another_route_are_listed(
    server: ScriptedServer, make_panel: Make, listed: list[Any], kind: str
) -> None:
    panel = make_panel(with_remote(server, kind))
    page = page_of(panel)
    page.wait_for(lambda: remote_field(page)["choices"] == ["a", "b"])
    assert remote_field(page)["kind"] == {"": "choice", "multiselect": "many", "image_upload": "image"}[kind]
    listed.insert(0, "new")
    assert news(page) == "New: 1 in Item."
    assert remote_field(page)["choices"] == ["new", "a", "b"]
    name = remote_field(page)["name"]
    assert panel.params[name] == (["b"] if kind == "multiselect" else "b")
    # The list is that of a moment: Python may name what has come since.
    newest = ["newest"] if kind == "multiselect" else "newest"
    panel.params[name] = newest
    assert panel.params[name] == newest


def test_the_choice_that_a_refresh_is_to_take_is_taken(
    server: ScriptedServer, make_panel: Make, listed: list[Any]
) -> None:
    panel = make_panel(with_remote(server, control_after_refresh="first", refresh_button=True))
    page = page_of(panel)
    page.wait_for(lambda: remote_field(page)["choices"] is not None)
    assert news(page) == "Nothing new." and panel.params["Pick.item"] == "b"
    listed.insert(0, "new")
    news(page)
    assert panel.params["Pick.item"] == "new" == page.state["_values"]["values"][remote_field(page)["name"]]
    panel.lock(remote_field(page)["name"])
    listed.insert(0, "newer")
    news(page)
    assert panel.params["Pick.item"] == "new"


@pytest.mark.parametrize("remote", [True, "/models/loras", ["/models/loras"], 5])
def test_a_word_of_a_route_that_is_none_leaves_a_text(server: ScriptedServer, make_panel: Make, remote: Any) -> None:
    server.object_info["Pick"] = node_info("Pick", "Pick", {"item": ["COMBO", {"remote": remote}]}, ("STRING",))
    panel = make_panel(with_node("Pick", item="b"))
    page = page_of(panel)
    assert news(page) == "Nothing new."
    assert (remote_field(page)["kind"], page.state["_values"]["warnings"]) == ("string", [])
    assert panel.run().result(60).status == "completed"


@pytest.mark.parametrize("route", ["/nowhere", "http://example.com/loras", "", "/system_stats"])
def test_a_route_that_lists_nothing_leaves_a_text_and_is_told_of(
    server: ScriptedServer, make_panel: Make, route: str
) -> None:
    panel = make_panel(with_remote(server, route=route))
    page = page_of(panel)
    page.wait_for(lambda: any("Fetching the choices of 'Item' failed" in w for w in page.state["_values"]["warnings"]))
    assert (remote_field(page)["kind"], remote_field(page)["choices"]) == ("string", None)
    assert panel.run().result(60).status == "completed"


@pytest.mark.parametrize(
    "options", [{"multi_select": {"placeholder": "Pick"}}, {"multi_select": {}}, {"multiselect": True}]
)
def test_several_choices_are_a_list(server: ScriptedServer, make_panel: Make, options: dict[str, Any]) -> None:
    server.object_info["Tags"] = node_info("Tags", "Tags", {"tags": [["cat", "dog", "été"], options]}, ("STRING",))
    panel = make_panel(with_node("Tags", tags=["cat"]))
    page = page_of(panel)
    (name,) = (name for name in fields(page) if name.endswith("tags"))
    assert (fields(page)[name]["kind"], fields(page)[name]["choices"]) == ("many", ["cat", "dog", "été"])
    assert page.state["_values"]["values"][name] == '["cat"]'
    page.edit(**{name: '["dog", "été"]'})
    assert panel.params[name] == ["dog", "été"]
    page.edit(**{name: '["fish"]'})
    assert "fish" in page.state["_values"]["errors"][name] and panel.params[name] == ["dog", "été"]
    page.edit(**{name: "[]"})
    panel.run().wait(60)
    # As ComfyUI's front end sends a list, which would else be a link.
    assert server.posted[-1]["prompt"]["20"]["inputs"]["tags"] == {"__value__": []}


def test_a_colour_is_six_digits_in_the_browser_and_a_number_for_the_server(
    server: ScriptedServer, make_panel: Make
) -> None:
    options = {"default": 0, "min": 0, "max": 0xFFFFFF, "display": "color"}
    server.object_info["Fill"] = node_info("Fill", "Fill", {"color": ["INT", options]}, ("IMAGE",))
    panel = make_panel(with_node("Fill", color=0x00FF80))
    page = page_of(panel)
    (name,) = (name for name in fields(page) if name.endswith("color"))
    assert fields(page)[name]["kind"] == "color" and page.state["_values"]["values"][name] == "#00ff80"
    for written, number in (("#FF8000", 0xFF8000), ("0000ff", 255), (" #000000 ", 0)):
        page.edit(**{name: written})
        assert panel.params[name] == number
    for wrong in ("red", "#fff", "#1234567", ""):
        page.edit(**{name: wrong})
        assert "#ff8800" in page.state["_values"]["errors"][name] and panel.params[name] == 0
    page.edit(**{name: "#010203"})
    panel.run().wait(60)
    assert server.posted[-1]["prompt"]["20"]["inputs"]["color"] == 0x010203


def test_a_colour_of_the_new_type_is_text(server: ScriptedServer, make_panel: Make) -> None:
    server.object_info["Tint"] = node_info("Tint", "Tint", {"color": ["COLOR", {"default": "#ffffff"}]}, ("IMAGE",))
    panel = make_panel(with_node("Tint", color="#aabbcc"))
    page = page_of(panel)
    (name,) = (name for name in fields(page) if name.endswith("color"))
    assert fields(page)[name]["kind"] == "color" and page.state["_values"]["values"][name] == "#aabbcc"
    page.edit(**{name: "#102030"})
    panel.run().wait(60)
    assert server.posted[-1]["prompt"]["20"]["inputs"]["color"] == "#102030"
