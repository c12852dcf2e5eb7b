"""ComfyUI's own editor in front of the engine: load, edit, queue, preview, result, save, reload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from comfy_widgets import ComfyClient, Workflow
from comfy_widgets.engine import Engine, EngineError

from .notebook import SHOTS

TIMEOUT = 60
HAS_IMAGES = "Object.values(window.app.nodeOutputs).some(output => output.images?.length)"
TITLES = ("Text to image", "What more steps do", "Two passes", "A LoRA")


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    try:
        running = Engine(editor=True, output_dir=tmp_path_factory.mktemp("output"))
    except EngineError as error:
        assert "comfy_widgets[editor]" in str(error)
        pytest.skip("comfyui-frontend-package, the extra [editor], is not installed")
    with running:
        yield running


@pytest.fixture
def page(browser: Browser, editor: Engine, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The editor's page; in the end its console must be free of errors."""
    opened = browser.new_page(viewport={"width": 1400, "height": 900})
    opened.set_default_timeout(TIMEOUT * 1000)
    errors: list[str] = []
    opened.on("console", lambda message: errors.append(told(message)) if message.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(editor.url)
    until_loaded(opened)
    yield opened
    SHOTS.mkdir(exist_ok=True)
    opened.screenshot(path=SHOTS / f"editor-{request.node.name}.png")
    opened.close()
    # What it asks servers on the internet for is no matter of ours, nor that this test asks whether there is a graph.
    # A file of the user that is not there yet is a 404, as at ComfyUI.
    internet = ("net::ERR_NAME_NOT_RESOLVED", "net::ERR_INTERNET_DISCONNECTED")
    foreign = (*internet, "/userdata/", "graph accessed before initialization")
    assert [error for error in errors if not any(text in error for text in foreign)] == []


def told(message: ConsoleMessage) -> str:
    """Return what the console says, and about which address."""
    return f"{message.text} {message.location.get('url', '')}"


def until_loaded(page: Page) -> None:
    """Wait until the editor shows a graph, whichever."""
    page.wait_for_selector("#splash-loader", state="detached")
    page.wait_for_function("window.app?.isGraphReady && window.app.graph._nodes.length > 0")


def run(page: Page) -> None:
    page.get_by_test_id("queue-button").or_(page.get_by_role("button", name="Run", exact=True)).first.click()


def history(editor: Engine) -> list[dict[str, object]]:
    return list(requests.get(f"{editor.url}/history", timeout=TIMEOUT).json().values())


def test_the_default_graph_runs(page: Page, editor: Engine) -> None:
    before = len(history(editor))
    run(page)
    page.wait_for_function(HAS_IMAGES)
    entries = history(editor)
    assert len(entries) == before + 1
    assert entries[-1]["status"]["completed"] is True  # type: ignore[index]


def test_templates_are_in_the_dialog(page: Page) -> None:
    page.evaluate("window.app.extensionManager.command.execute('Comfy.BrowseTemplates')")
    for title in TITLES:
        expect(page.get_by_text(title, exact=True).first).to_be_visible()
    page.get_by_text("What more steps do", exact=True).first.click()
    page.wait_for_function("window.app.graph._nodes.filter(node => node.type === 'KSampler').length === 4")


def test_load_edit_queue_preview_result_save_reload(page: Page, editor: Engine) -> None:
    page.evaluate("fetch('/templates/text_to_image.json').then(r => r.json()).then(g => window.app.loadGraphData(g))")
    page.wait_for_function("window.app.graph._nodes.some(node => node.type === 'CheckpointLoaderSimple')")
    page.evaluate(
        """() => {
            window.previews = 0
            window.app.api.addEventListener('b_preview', () => window.previews++)
            const sampler = window.app.graph._nodes.find(node => node.type === 'KSampler')
            const widget = name => sampler.widgets.find(each => each.name === name)
            widget('steps').value = 11
            widget('seed').value = 4711
        }"""
    )
    run(page)
    page.wait_for_function(HAS_IMAGES)
    assert page.evaluate("window.previews") > 0
    prompt = history(editor)[-1]["prompt"][2]  # type: ignore[index]
    sampler = next(node for node in prompt.values() if node["class_type"] == "KSampler")
    assert (sampler["inputs"]["steps"], sampler["inputs"]["seed"]) == (11, 4711)
    page.evaluate("void window.app.extensionManager.command.execute('Comfy.SaveWorkflowAs')")
    name = page.get_by_role("dialog").get_by_role("textbox")
    name.fill("my lesson")
    name.press("Enter")
    stored = f"{editor.url}/userdata/workflows%2Fmy%20lesson.json"
    page.wait_for_function("url => fetch(url).then(answer => answer.status === 200)", arg=stored)
    saved = requests.get(stored, timeout=TIMEOUT).json()
    assert 4711 in next(node for node in saved["nodes"] if node["type"] == "KSampler")["widgets_values"]
    page.reload()
    until_loaded(page)
    page.wait_for_function(
        "window.app.graph._nodes.find(node => node.type === 'KSampler')?.widgets.some(widget => widget.value === 4711)"
    )


def edits(workflow: Workflow) -> Iterator[Workflow]:
    """One of each kind of change that a workflow takes."""
    yield workflow.with_params(seed=7, cfg=3.5)
    yield workflow.insert_lora("starry-night.safetensors", 0.5)
    yield workflow.add("SaveImage", title="Once more", images=(workflow.find(class_type="VAEDecode")[0].id, "IMAGE"))
    yield workflow.rewire(workflow.find(class_type="KSampler")[0].id, "negative", None)
    for node in workflow.find():
        yield workflow.bypass(node.id)
        yield workflow.remove(node.id)


@pytest.mark.parametrize("template", ["text_to_image", "two_passes", "lora"])
def test_an_edited_workflow_opens_as_what_it_sends(page: Page, editor: Engine, template: str) -> None:
    with ComfyClient(editor.url) as client:
        info = client.object_info()
    ui = requests.get(f"{editor.url}/templates/{template}.json", timeout=TIMEOUT).json()
    for edited in edits(Workflow.load(ui, object_info=info)):
        opened = page.evaluate(
            "async ui => { await window.app.loadGraphData(ui); return (await window.app.graphToPrompt()).output }",
            edited.to_ui(),
        )
        sent = edited.to_prompt()
        assert {node: each["inputs"] for node, each in opened.items()} == {
            node: each["inputs"] for node, each in sent.items()
        }


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A package of that name without the files hides the real one.
    (tmp_path / "comfyui_frontend_package.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(EngineError, match=r"pip install 'comfy_widgets\[editor\]'"):
        Engine(editor=True)
