"""The routes that every ComfyUI has, asked of the engine, and seen from another client where they change something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from comfy_widgets import Engine, example
from comfy_widgets.client import ComfyClient
from comfy_widgets.errors import FileGone, Forbidden, PayloadTooLarge, PromptRefused, ServerError, WorkflowError
from comfy_widgets.protocol import File
from comfy_widgets.testing import Gate, Reply, Request, ScriptedServer, standard_run, text_to_image

Connect = Callable[..., ComfyClient]
ID = "5cc2c4bd-38b0-4b1a-9a2f-1a1f5d9f2b10"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(custom_nodes=[Path(__file__).parent / "nodes.py"]) as running:
        yield running


@pytest.fixture
def on_engine(engine: Engine, connect: Connect) -> ComfyClient:
    return connect(engine.url)


def tiny(seed: int) -> dict[str, Any]:
    return example().with_params(width=64, height=64, steps=1, seed=seed).to_prompt()


def test_history_is_paged_and_forgotten(on_engine: ComfyClient) -> None:
    on_engine.clear_history()
    ids = [on_engine.run(tiny(seed), timeout=60).prompt_id for seed in range(3)]
    assert [entry.prompt_id for entry in on_engine.history_page()] == ids
    assert [entry.prompt_id for entry in on_engine.history_page(max_items=2)] == ids[1:]
    assert [entry.prompt_id for entry in on_engine.history_page(max_items=1, offset=1)] == [ids[1]]
    on_engine.delete_history(ids[0], ids[2])
    assert [entry.prompt_id for entry in on_engine.history_page()] == [ids[1]]
    assert on_engine.history(ids[0]) is None
    on_engine.clear_history()
    assert on_engine.history_page() == []


@pytest.mark.parametrize("free_memory", [True, False])
def test_memory_is_freed_as_asked(server: ScriptedServer, client: ComfyClient, free_memory: bool) -> None:
    asked: list[Any] = []

    def free(request: Any) -> Reply:
        asked.append(request.json())
        return Reply(200)

    server.on("POST", "/free", free)
    client.free(free_memory=free_memory)
    assert asked == [{"unload_models": True, "free_memory": free_memory}]


def test_what_was_cached_is_computed_anew_after_memory_was_freed(on_engine: ComfyClient) -> None:
    prompt = tiny(77)
    first = on_engine.run(prompt, timeout=60).files
    assert on_engine.run(prompt, timeout=60).files == first
    on_engine.free()
    assert on_engine.run(prompt, timeout=60).files != first


def test_waiting_prompts_are_taken_from_the_queue(server: ScriptedServer, client: ComfyClient) -> None:
    gate = Gate()
    server.play(standard_run(gate=gate))
    runs = client.prompt(text_to_image(seed=1)).prompt_id
    gate.wait_reached()
    first, second, third, fourth = (client.prompt(text_to_image(seed=seed)).prompt_id for seed in range(2, 6))
    client.delete_from_queue(first, third, runs)
    queue = client.queue()
    assert [item.prompt_id for item in queue.queue_pending] == [second, fourth]
    assert [item.prompt_id for item in queue.queue_running] == [runs]
    client.clear_queue()
    assert client.queue().queue_pending == ()
    assert client.queue().running(runs)


def test_a_checked_prompt_goes_as_it_is_under_its_id(server: ScriptedServer, client: ComfyClient) -> None:
    reply = client.post_prompt(text_to_image(), ID, front=True)
    assert reply.prompt_id == ID
    (body,) = server.posted
    assert (body["prompt_id"], body["front"], body["client_id"]) == (ID, True, client.client_id)
    with pytest.raises(PromptRefused, match="no output node"):
        client.post_prompt({"5": text_to_image()["5"]}, ID)


def test_the_log_of_a_server(on_engine: ComfyClient, server: ScriptedServer, connect: Connect) -> None:
    assert all(isinstance(line, str) for line in on_engine.logs())
    server.on("GET", "/internal/logs/raw", Reply.json({"entries": [{"t": "now", "m": "got prompt\n"}, None, {}]}))
    assert connect(server.url).logs() == ["got prompt\n", ""]
    server.on("GET", "/internal/logs/raw", Reply.json({}))
    assert connect(server.url).logs() == []


def test_scripts_of_node_packs(server: ScriptedServer, client: ComfyClient) -> None:
    server.on("GET", "/extensions", Reply.json(["/extensions/pack/script.js"]))
    assert client.extensions() == ["/extensions/pack/script.js"]


def test_a_workflow_saved_on_the_server_comes_back(on_engine: ComfyClient) -> None:
    saved = example("text_to_image_ui").ui
    assert saved is not None
    on_engine.save_workflow("drafts/first", saved, overwrite=True)
    assert on_engine.load_workflow("drafts/first") == saved
    with pytest.raises(WorkflowError, match=r"no saved workflow 'second'.*drafts/first\.json"):
        on_engine.load_workflow("second")
    with pytest.raises(WorkflowError, match="overwrite=True"):
        on_engine.save_workflow("drafts/first", saved)


def test_a_saved_file_that_is_no_workflow_is_refused(server: ScriptedServer, client: ComfyClient) -> None:
    server.on("GET", "/userdata/workflows%2Flist.json", Reply.json([1, 2]))
    with pytest.raises(WorkflowError, match="list on the server is no workflow"):
        client.load_workflow("list")


def test_a_mask_becomes_the_alpha_of_its_original(on_engine: ComfyClient) -> None:
    original = on_engine.upload_image(Image.new("RGB", (8, 6), "red"), "original.png", overwrite=True)
    mask = np.zeros((6, 8, 4), np.uint8)
    mask[:, :4, 3] = 255
    masked = on_engine.upload_mask(mask, original, "masked.png", overwrite=True)
    image = on_engine.open(masked)
    assert image.size == (8, 6)
    assert image.convert("RGB").getpixel((1, 1)) == (255, 0, 0)
    assert np.array_equal(np.asarray(image)[:, :, 3], mask[:, :, 3])


def test_a_mask_for_an_image_that_is_gone_is_refused(on_engine: ComfyClient) -> None:
    with pytest.raises(FileGone, match=r"nowhere\.png is not in the server's input folder"):
        on_engine.upload_mask(np.zeros((6, 8, 4), np.uint8), File("nowhere.png", type="input"), "masked.png")


def test_a_mask_that_is_too_large_is_told_with_its_size(server: ScriptedServer, client: ComfyClient) -> None:
    original = client.upload_image(Image.new("RGB", (8, 6)), "original.png")
    server.on("POST", "/upload/mask", Reply(413))
    with pytest.raises(PayloadTooLarge, match=r"masked\.png has \d+ bytes"):
        client.upload_mask(np.zeros((6, 8, 4), np.uint8), original, "masked.png")


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.view({"filename": "../../x.png"}),
        lambda client: client.view({"filename": "x.png", "subfolder": "../.."}),
        lambda client: client.load_workflow("../../x"),
        lambda client: client.save_workflow("../../x", {"nodes": []}),
        lambda client: client.userdata("../.."),
        lambda client: client.get_userdata("../../x"),
        lambda client: client.store_userdata("../../x", b""),
        lambda client: client.delete_userdata("../../x"),
    ],
)
def test_a_path_out_of_the_folder_is_not_blamed_on_a_proxy(
    on_engine: ComfyClient, call: Callable[[ComfyClient], object]
) -> None:
    with pytest.raises(Forbidden, match=r"\.\..*leads out of the server's folder") as caught:
        call(on_engine)
    assert "proxy" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 403])
def test_a_download_from_outside_is_not_blamed_on_a_proxy(
    server: ScriptedServer, client: ComfyClient, tmp_path: Path, status: int
) -> None:
    server.on("GET", "/view", Reply(status))
    with pytest.raises(Forbidden, match="leads out of the server's folder"):
        client.download({"filename": "../x.mp4"}, tmp_path / "x.mp4")


@pytest.mark.parametrize("prefix", ["", "/comfy"])
def test_choices_of_another_route(prefix: str) -> None:
    def answer(request: Request) -> Reply:
        return Reply(200, b'{"items": ["a", 2, true, 0.5, NaN, -1e400, null, {"b": 1}, ["c"]]}', "application/json")

    with ScriptedServer(prefix=prefix) as server, ComfyClient(server.url) as client:
        server.on("GET", "/pack/list", answer)
        server.on("GET", "/pack/bare", Reply.json(["x"]))
        remote = {"route": "/pack/list?kind=a", "query_params": {"page": 2}, "response_key": "items"}
        assert client.remote_options(remote) == ["a", 2, True, 0.5]
        assert server.traffic.requests[-1].query == {"kind": "a", "page": "2"}
        for route in ("/pack/bare", "/api/pack/bare", f"{server.url}/pack/bare"):
            assert client.remote_options({"route": route}) == ["x"]
        seen = len(server.traffic.requests)
        for route in (
            "",
            None,
            "pack/bare",
            "//127.0.0.1/pack/bare",
            "http://127.0.0.2/pack/bare",
            f"{server.url}.evil/x",
        ):
            with pytest.raises(ValueError, match="is not one of"):
                client.remote_options({"route": route})
        assert len(server.traffic.requests) == seen
        for route in ("/system_stats", "/nothing"):
            with pytest.raises(ServerError, match=route):
                client.remote_options({"route": route})
