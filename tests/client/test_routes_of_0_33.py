"""Every route of ComfyUI 0.33 that has a method: asked as recorded, and the recorded answer understood."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest

from comfy_widgets.client import ComfyClient
from comfy_widgets.errors import FileGone, Forbidden, HTTPError, WorkflowError
from comfy_widgets.workflow import Workflow

from .recorded import RecordedServer, by_hand, recorded_server

Connect = Callable[..., ComfyClient]

ASSET = "c8bbfd60-89d8-41aa-907f-938cf2f0169c"
HASH = "blake3:4ed56d8c5a61ec6a595fbd9c7bc48714d742d3d5ee480477fac058d55476c35b"
ANNA = "Anna_0868dbac-f926-4dcc-aa38-867a92e03397"


def serve(scenario: str, *more: dict[str, object]) -> Iterator[RecordedServer]:
    with recorded_server(scenario, *more) as server:
        yield server
        assert server.foreign == []


@pytest.fixture
def jobs() -> Iterator[RecordedServer]:
    yield from serve("22-jobs-and-cancel")


@pytest.fixture
def others() -> Iterator[RecordedServer]:
    replacement = {
        "new_node_id": "NewNode",
        "old_node_id": "OldNode",
        "old_widget_ids": ["seed"],
        "input_mapping": [{"new_id": "seed", "old_id": "seed"}],
        "output_mapping": [],
    }
    yield from serve(
        "26-other-routes",
        by_hand("GET", "/node_replacements", 200, {"OldNode": [replacement]}),
        by_hand("GET", "/view_metadata/loras?filename=style.safetensors", 200, {"ss_tag_frequency": "{}"}),
        by_hand("GET", "/templates/index.json", 200, [{"moduleName": "default", "templates": [{"name": "default"}]}]),
        by_hand("GET", "/templates/default.json", 200, {"version": 0.4, "nodes": [], "links": []}),
        by_hand("GET", "/templates/none.json", 404),
        by_hand("GET", "/workflow_templates/pack/example.json", 200, {"version": 0.4, "nodes": [], "links": []}),
        by_hand("GET", "/global_subgraphs/one", 200, {"source": "templates", "name": "Blur", "data": "{}"}),
        by_hand("GET", "/global_subgraphs/two", 404),
        by_hand("GET", "/experiment/models/nothing", 404),
        by_hand("GET", "/experiment/models/preview/checkpoints/1/a.safetensors", 404),
        by_hand("POST", "/settings", 200, asked={"Lab.A": 1, "Lab.B": None}),
        by_hand("DELETE", "/userdata/none.json", 404),
        by_hand("POST", "/userdata/a.json/move/taken.json", 409, asked={}),
    )


@pytest.fixture
def assets() -> Iterator[RecordedServer]:
    yield from serve(
        "27-assets-enabled",
        by_hand("DELETE", f"/assets/{ASSET}/tags", 200, {"total_tags": ["input"]}, asked={"tags": ["mine"]}),
        by_hand("HEAD", "/assets/hash/blake3:00", 404),
        by_hand("POST", "/assets/prune", 200, {"status": "completed", "marked": 0}, asked={}),
        by_hand("POST", "/assets/seed", 202, {"status": "started"}, asked={}),
    )


class TestJobs:
    def test_jobs_are_listed_filtered_and_sorted(self, jobs: RecordedServer, connect: Connect) -> None:
        client = connect(jobs.url)
        assert [job["status"] for job in client.jobs(limit=None) or ()][:2] == ["pending", "pending"]
        cancelled = client.jobs(status=["failed", "cancelled"], limit=None) or []
        assert {job["status"] for job in cancelled} == {"failed", "cancelled"}
        found = client.jobs(sort_by="execution_duration", sort_order="asc", limit=None) or []
        assert found[0]["status"] == "completed"
        assert client.jobs(workflow_id="11111111-2222-4333-8444-555555555555", limit=None)
        assert len(client.jobs(limit=1, offset=1) or ()) == 1

    def test_wrong_questions_are_answered_in_the_servers_words(self, jobs: RecordedServer, connect: Connect) -> None:
        with pytest.raises(HTTPError, match=r"Invalid status value.*Valid values: pending"):
            connect(jobs.url).jobs(status="interrupted", limit=None)
        with pytest.raises(HTTPError, match="sort_by must be 'created_at' or 'execution_duration'"):
            connect(jobs.url).jobs(sort_by="name", limit=None)  # type: ignore[arg-type]  # the wrong question

    def test_many_are_cancelled_at_once(self, jobs: RecordedServer, connect: Connect) -> None:
        client = connect(jobs.url)
        ids = [
            "05dbac41-2708-4da6-a494-6bb885705f5e",
            "06ac2046-cea9-4e78-a8a3-499ac1ceb24e",
            "11583bb5-0e89-420f-b399-68ac5268d2e9",
        ]
        assert client.cancel_jobs(*ids) is True
        assert client.cancel_jobs(ids[0]) is False
        assert client.cancel_jobs() is False

    def test_one_job_and_its_end(self, jobs: RecordedServer, connect: Connect) -> None:
        client = connect(jobs.url)
        job = client.job_info("e99bbf90-1450-4b27-ac1c-3e83d4569824")
        assert job is not None
        assert (job["status"], job["previewable_outputs_count"]) == ("completed", 1)
        assert client.job_info("ae670fec-0119-4e32-b1f3-48643d011be4") is None

    def test_an_older_server_cancels_one_by_one(self, connect: Connect) -> None:
        exchanges = [
            by_hand("POST", "/jobs/cancel", 405, asked={"job_ids": ["a", "b"]}),
            by_hand("POST", "/jobs/a/cancel", 405, asked={}),
            by_hand("POST", "/queue", 200, asked={"delete": ["a"]}),
            by_hand("POST", "/queue", 200, asked={"delete": ["b"]}),
            by_hand("GET", "/queue", 200, {"queue_running": [], "queue_pending": []}),
        ]
        with recorded_server("none", *exchanges) as server:
            assert connect(server.url).cancel_jobs("a", "b") is True
            assert server.foreign == []


class TestLibrary:
    def test_what_comes_with_the_server(self, others: RecordedServer, connect: Connect) -> None:
        client = connect(others.url)
        assert client.node_replacements()["OldNode"][0]["new_node_id"] == "NewNode"
        assert client.workflow_templates() == {}
        assert client.template_index()[0]["templates"] == [{"name": "default"}]
        assert Workflow.load(client.template("default")).ui is not None
        assert client.template("pack/example")["version"] == 0.4
        with pytest.raises(WorkflowError, match="no template 'none'"):
            client.template("none")
        subgraphs = client.global_subgraphs()
        assert {item["source"] for item in subgraphs.values()} == {"templates"}
        assert (client.global_subgraph("one") or {})["name"] == "Blur"
        assert client.global_subgraph("two") is None

    def test_models_in_detail(self, others: RecordedServer, connect: Connect) -> None:
        client = connect(others.url)
        assert client.experiment_models()[0]["name"] == "checkpoints"
        (model,) = client.experiment_models("checkpoints")
        assert (model["name"], model["size"]) == ("tiny_random_sd15.safetensors", 303837478)
        assert client.experiment_models("nothing") == []
        assert client.experiment_models_preview("checkpoints", 1, "a.safetensors") is None
        assert client.view_metadata("checkpoints", "tiny_random_sd15.safetensors") is None
        assert client.view_metadata("loras", "style.safetensors") == {"ss_tag_frequency": "{}"}

    def test_internal_routes(self, others: RecordedServer, connect: Connect) -> None:
        client = connect(others.url, client_id="2d08962c-3543-4ba6-8856-7e845e93e6d9")
        assert "checkpoints" in client.folder_paths()
        assert "adv_00001.png [output]" in client.internal_files()
        with pytest.raises(HTTPError, match="Invalid directory type"):
            client.internal_files("nothing")  # type: ignore[arg-type]  # the wrong question
        assert client.remote_options({"route": "/internal/files/output"}) == client.internal_files()
        client.subscribe_logs()
        client.subscribe_logs(False)

    def test_an_older_server_has_none(self, connect: Connect) -> None:
        exchanges = [
            by_hand("GET", path, 404)
            for path in ("/node_replacements", "/global_subgraphs", "/templates/index.json", "/experiment/models")
        ]
        with recorded_server("08-rest", *exchanges) as server:
            client = connect(server.url)
            assert client.node_replacements() == client.global_subgraphs() == client.i18n() == {}
            assert client.template_index() == client.experiment_models() == []


class TestUsers:
    def test_users_are_listed_and_added(self, connect: Connect) -> None:
        with recorded_server("28-multi-user") as server:
            client = connect(server.url)
            assert client.users() == {}
            assert client.create_user("Anna") == ANNA
            assert client.users() == {ANNA: "Anna"}
            with pytest.raises(HTTPError, match="Duplicate username"):
                client.create_user("Anna")
            with pytest.raises(HTTPError, match="username not provided"):
                client.create_user("")
            assert server.foreign == []

    def test_a_server_with_users_says_whom_it_has(self, connect: Connect) -> None:
        with recorded_server("28-multi-user") as server:
            client = connect(server.url)
            client.users()
            with pytest.raises(Forbidden, match=rf"wants to know whose.*comfy-user.*Anna \({ANNA}\)"):
                client.settings()
            with pytest.raises(HTTPError, match=r"Listing workflows: this server has users.*Anna"):
                client.userdata()
            anna = connect(server.url, headers={"comfy-user": ANNA})
            assert anna.settings() == {}
            assert anna.userdata() == ["a.json"]
            assert anna.save_workflow("a", {}) == "workflows/a.json"

    def test_a_server_without_users(self, others: RecordedServer, connect: Connect) -> None:
        assert connect(others.url).users() == {}

    def test_files_are_kept_moved_and_deleted(self, others: RecordedServer, connect: Connect) -> None:
        client = connect(others.url)
        assert client.list_userdata("workflows") == []
        assert client.store_userdata("a.json", "{}") == "a.json"
        assert client.move_userdata("a.json", "b.json") == "b.json"
        assert client.get_userdata("b.json") == b"{}"
        client.delete_userdata("b.json")
        with pytest.raises(FileGone, match=r"Deleting none\.json: the server has no such file"):
            client.delete_userdata("none.json")
        with pytest.raises(WorkflowError, match=r"'taken\.json' already"):
            client.move_userdata("a.json", "taken.json")

    def test_files_with_their_dates(self, connect: Connect) -> None:
        with recorded_server("08-rest") as server:
            (file,) = connect(server.url).list_userdata("workflows")
            assert (file["path"], file["size"]) == ("workflows/lab.json", 121)
            with pytest.raises(Forbidden):
                connect(server.url).get_userdata("../../comfy.log")

    def test_settings_are_read_and_written(self, others: RecordedServer, connect: Connect) -> None:
        client = connect(others.url)
        client.store_setting("Lab.Key", 5)
        assert client.setting("Lab.Key") == 5
        client.store_settings({"Lab.A": 1, "Lab.B": None})
        assert client.settings() == {}


class TestAssets:
    def test_assets_are_found(self, assets: RecordedServer, connect: Connect) -> None:
        client = connect(assets.url)
        assert [asset["name"] for asset in client.assets()][:1] == ["two.png"]
        assert client.assets(limit=1, sort="name")[0]["name"] == "x_00004.csv"
        assert client.assets(include_tags=["input"], name_contains="asset")[0]["id"] == ASSET
        assert client.asset(ASSET)["hash"] == HASH
        assert client.asset_content(ASSET).startswith(b"\x89PNG")
        assert client.has_asset(HASH)
        assert not client.has_asset("blake3:00")

    def test_assets_are_made_changed_and_deleted(self, assets: RecordedServer, connect: Connect) -> None:
        client = connect(assets.url)
        assert client.upload_asset(io.BytesIO(b"image"), "direct.png")["tags"] == ["input", "uploaded"]
        assert client.asset_from_hash(HASH, "again.png")["name"] == "again.png"
        assert client.update_asset(ASSET, name="renamed.png", tags=["input", "lab"])["name"] == "renamed.png"
        assert client.add_tags(ASSET, "mine") == ["input", "mine", "uploaded"]
        assert client.remove_tags(ASSET, "mine") == ["input"]
        client.delete_asset(ASSET)
        with pytest.raises(FileGone, match="none with 'd138c8f3"):
            client.asset("d138c8f3-8074-4478-8990-ce987fc962ec")

    def test_tags_are_counted(self, assets: RecordedServer, connect: Connect) -> None:
        client = connect(assets.url)
        assert client.tags()["output"] == 11
        assert client.refine_tags()["model_type:checkpoints"] == 1

    def test_the_server_looks_for_files(self, assets: RecordedServer, connect: Connect) -> None:
        client = connect(assets.url)
        assert client.seed_assets("output") is False
        assert client.seed_assets() is True
        assert client.seed_status()["state"] == "IDLE"
        assert client.prune_assets()["status"] == "completed"

    def test_a_server_without_assets_says_how_to_enable_them(self, others: RecordedServer, connect: Connect) -> None:
        client = connect(others.url)
        for ask in (client.assets, client.tags):
            with pytest.raises(HTTPError, match="start it with --enable-assets"):
                ask()  # type: ignore[operator]  # both take nothing
