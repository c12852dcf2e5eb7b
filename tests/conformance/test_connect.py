"""Statements 1 to 8: reaching a server."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import comfy_widgets
from comfy_widgets import ComfyClient, ComfyError
from comfy_widgets.errors import Forbidden, NotAComfyServer, ServerUnreachable
from comfy_widgets.testing import FaultProxy, Gate, Reply, Request, ScriptedServer, image, standard_run

from ..hostile.server import Exchange, Hostile
from .helpers import PACE, PROMPT, conformance
from .tls_front import AUTHORITY, tls

Connect = Callable[..., ComfyClient]


def exercise(client: ComfyClient) -> None:
    """Use every kind of call there is."""
    assert len(client.run(PROMPT, timeout=30).images) == 1
    file = client.upload_image(image("x"), "x.png")
    assert client.view(file) == image("x")
    client.system_stats()
    client.object_info()
    client.features()
    client.queue()
    client.history("nothing")
    client.interrupt("nothing")
    client.models()
    client.embeddings()


@conformance(1)
@pytest.mark.parametrize("prefix", ["", "/comfy", "/a/b"])
@pytest.mark.parametrize("typed", ["", "/", "/api", "/api/"])
def test_every_route_has_its_place(connect: Connect, prefix: str, typed: str) -> None:
    with ScriptedServer(prefix=prefix) as server, FaultProxy(server.url) as proxy:
        exercise(connect(proxy.url + typed))
        targets = {request.target.split("?")[0] for request in proxy.requests}
        assert f"{prefix}/ws" in targets
        assert all(target.startswith(f"{prefix}/api/") for target in targets - {f"{prefix}/ws"})
        assert all(request.status != 404 for request in proxy.requests)


@conformance(1)
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("verify", [AUTHORITY, False])
def test_every_route_over_tls(connect: Connect, verify: bool | str) -> None:
    with ScriptedServer(prefix="/comfy") as server, tls(server.url) as url:
        exercise(connect(url, verify=verify))
        assert server.traffic.websockets


@conformance(1)
def test_a_certificate_that_nobody_vouches_for(server: ScriptedServer, connect: Connect) -> None:
    with tls(server.url) as url, pytest.raises(ServerUnreachable, match="verify"):
        connect(url).system_stats()


@conformance(2)
def test_no_header_of_a_browser(server: ScriptedServer, connect: Connect) -> None:
    client = connect(server.url)
    exercise(client)
    assert {request.method for request in server.traffic.requests} == {"GET", "POST"}
    for request in server.traffic.requests:
        names = {name.lower() for name, _ in request.headers}
        assert "origin" not in names, request.target
        assert not any(name.startswith("sec-fetch-") for name in names), request.target
    assert any(request.path == "/ws" for request in server.traffic.requests if isinstance(request, Request))


@conformance(3)
def test_a_403_names_the_origin_guard(server: ScriptedServer, connect: Connect) -> None:
    server.on("*", "/*", Reply(403))
    client = connect(server.url)
    for call in (client.system_stats, client.object_info, lambda: client.prompt(PROMPT)):
        with pytest.raises(Forbidden) as caught:
            call()
        text = str(caught.value)
        assert "origin" in text.lower()
        assert "--enable-cors-header" in text
        assert "proxy" in text
    error = client.submit(PROMPT).exception(timeout=20)
    assert isinstance(error, Forbidden)


@conformance(4)
def test_the_page_has_no_way_to_the_server() -> None:
    package = Path(comfy_widgets.__file__).parent
    sources = [*(package.parent / "js" / "src").rglob("*.ts*"), *(package / "static").rglob("*.js")]
    assert sources, "neither source nor bundle of the front end is there"
    ways = re.compile(
        r"\bfetch\s*\(|\bXMLHttpRequest\b|\bnew\s+WebSocket\b|\bEventSource\b|\bsendBeacon\b|\bimportScripts\b"
        r"|/api/view|/view\?|127\.0\.0\.1|:8188"
    )
    imports = []
    for source in sources:
        if ".test." in source.name:
            continue
        text = source.read_text(encoding="utf-8")
        found = ways.search(text)
        assert found is None, f"{source.name}: {found and found.group()}"
        if source.suffix != ".js":
            imports += [source.name] * len(re.findall(r"\bimport\s*\(", text))
    # One place takes the modules that came over the widget's own messages, and their addresses are those of blobs.
    assert imports == ["code.ts"]
    code = (package.parent / "js" / "src" / "host" / "code.ts").read_text(encoding="utf-8")
    assert re.findall(r"#urls\.set\(name, (.*)\);", code) == ["URL.createObjectURL(module)"]
    assert len(re.findall(r"#urls\.set\(", code)) == len(re.findall(r"\barrived\(url\)", code)) == 1
    bundled = "".join(path.read_text(encoding="utf-8") for path in (package / "static").rglob("*.js"))
    assert len(re.findall(r"(?<![\w.$])import\s*\(", bundled)) <= 1


@conformance(5)
def test_an_old_server(connect: Connect) -> None:
    with ScriptedServer(features=None, jobs_api=None) as server:
        client = connect(server.url)
        begun = time.monotonic()
        result = client.run(PROMPT, timeout=30)
        assert time.monotonic() - begun < 20
        assert len(result.images) == 1
        assert client.features() == {}


@conformance(6)
def test_headers_go_with_everything(server: ScriptedServer, connect: Connect) -> None:
    headers = {"Authorization": "Bearer abc", "X-API-Key": "def", "Cookie": "session=1"}
    exercise(connect(server.url, headers=headers))
    for request in server.traffic.requests:
        for name, value in headers.items():
            assert request.header(name) == value, (request.target, name)


@conformance(6)
@pytest.mark.parametrize("in_url", [True, False])
def test_basic_auth_goes_with_everything(server: ScriptedServer, connect: Connect, in_url: bool) -> None:
    url = server.url.replace("http://", "http://me:s%C3%A9cret@") if in_url else server.url
    exercise(connect(url, **({} if in_url else {"auth": ("me", "sécret")})))
    sent = {request.header("Authorization") for request in server.traffic.requests}
    assert sent == {"Basic bWU6c8OpY3JldA=="}


@conformance(6)
@pytest.mark.parametrize("options", [{}, {"auth": ("me", "secret")}])
def test_a_token_in_the_query_goes_with_everything(
    server: ScriptedServer, connect: Connect, options: dict[str, Any]
) -> None:
    client = connect(f"{server.url}/?token=abc", **options)
    exercise(client)
    assert "abc" not in repr(client) + client.url + client.description
    for request in server.traffic.requests:
        assert isinstance(request, Request)
        assert request.query.get("token") == "abc", request.target


@conformance(6)
def test_credentials_do_not_follow_to_another_host(server: ScriptedServer, connect: Connect) -> None:
    with ScriptedServer() as other:
        other.files.put("x.png", image("x"), folder="output")
        away = f"{other.url}/api/view?filename=x.png"
        server.on("GET", "/view", Reply(302, headers={"Location": away}))
        client = connect(
            f"{server.url}/?token=abc", headers={"Authorization": "Bearer abc", "X-API-Key": "def", "Cookie": "a=b"}
        )
        assert client.view({"filename": "x.png"}) == image("x")
        (request,) = other.traffic.requests
        assert "token" not in request.target
        for name in ("Authorization", "X-API-Key", "Cookie"):
            assert request.header(name) is None, name


CALLS: dict[str, Callable[[ComfyClient], Any]] = {
    "system_stats": lambda client: client.system_stats(),
    "queue": lambda client: client.queue(),
    "history": lambda client: client.history("x"),
    "object_info": lambda client: client.object_info(),
    "one class": lambda client: client.object_info("KSampler"),
    "features": lambda client: client.features(),
    "models": lambda client: client.models(),
    "embeddings": lambda client: client.embeddings(),
    "prompt": lambda client: client.prompt(PROMPT),
    "interrupt": lambda client: client.interrupt(),
    "upload": lambda client: client.upload_image(b"x", "x.png"),
    "run": lambda client: client.run(PROMPT, timeout=20),
}
BODIES = {
    "login page": Reply.text("<html><body>Log in</body></html>", content_type="text/html"),
    "plain 500": Reply.text("500 Internal Server Error\n\nServer got itself in trouble", 500),
    "empty 200": Reply(200),
    "html 400": Reply.text("<html>Bad request</html>", 400, "text/html"),
    "a page that calls itself JSON": Reply.text("<html></html>", content_type="application/json"),
    "cut short": Reply.text('{"queue_running": [', content_type="application/json"),
    "too deep": Reply.text("[" * 200_000, content_type="application/json"),
    "no text": Reply(200, b"\xff\xfe{}", headers={"Content-Type": "application/json"}),
}
JSON_OF_ANOTHER_KIND = {"list": Reply.json([1, 2]), "null": Reply.json(None)}
NEED_NO_JSON = {"interrupt"}
"""ComfyUI answers these without a body, so that only an error or a web page speaks against success."""
FIT_ANY_JSON = {"features", "models", "embeddings"}


@conformance(7)
@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_json(server: ScriptedServer, connect: Connect, body: str) -> None:
    server.on("*", "/*", BODIES[body])
    client = connect(server.url, pace=replace(PACE, lost_after=1.0))
    status = BODIES[body].status
    for name, call in CALLS.items():
        if name in NEED_NO_JSON and status == 200 and body != "login page":
            call(client)
            continue
        # Whatever else is raised, such as a ValueError of the parser, fails here.
        with pytest.raises(ComfyError) as caught:
            call(client)
        said = str(caught.value)
        assert len(said) > 20, name
        assert not re.search(r"JSONDecodeError|Expecting value|Extra data|codec|recursion|json instead of JSON", said)
        if status == 200:
            assert isinstance(caught.value, NotAComfyServer), name
            assert f"{server.url}/api/" in said, name
            assert "proxy" in said, name
        if body == "login page" or (body == "html 400" and name == "upload"):
            assert "a web page" in said, name


@conformance(7)
@pytest.mark.parametrize("body", JSON_OF_ANOTHER_KIND)
def test_json_of_another_kind(server: ScriptedServer, connect: Connect, body: str) -> None:
    server.on("*", "/*", JSON_OF_ANOTHER_KIND[body])
    client = connect(server.url, pace=replace(PACE, lost_after=1.0))
    for name in CALLS.keys() - NEED_NO_JSON - FIT_ANY_JSON:
        with pytest.raises(NotAComfyServer):
            CALLS[name](client)


@conformance(8)
def test_a_stalled_server_blocks_nothing_and_fails_nothing(
    server: ScriptedServer, proxy: FaultProxy, connect: Connect
) -> None:
    client = connect(proxy.url, timeout=0.3)
    gate = Gate()
    server.play(standard_run(gate=gate))
    job = client.submit(PROMPT)
    gate.wait_reached()
    stalls = [proxy.stall("GET", "/*", times=None)]
    proxy.cut_websockets_now("silent")
    begun = time.monotonic()
    second = client.submit(PROMPT)
    with pytest.raises(TimeoutError):
        job.wait(0.1)
    assert time.monotonic() - begun < 10
    with pytest.raises(ComfyError):
        client.queue()
    gate.open()
    proxy.wait_for(lambda: stalls[0].hits >= 5)
    assert not job.done()
    assert not second.done()
    for stall in stalls:
        stall.lift()
    assert len(job.result(30).images) == len(second.result(30).images) == 1


@conformance(8)
@pytest.mark.parametrize("route", ["POST /prompt", "GET /history/*", "GET /ws", "GET /queue"])
def test_a_reply_that_drips_ends_and_holds_up_no_other_job(connect: Connect, route: str) -> None:
    ended = threading.Event()

    def drip_once(exchange: Exchange) -> None:
        del server.handlers[route]
        if exchange.method == "POST":
            # It was taken: only the answer does not come.
            posted = json.loads(exchange.body)
            server.finish(posted["prompt_id"], posted["prompt"])
        try:
            exchange.drip_for_ever(0.05)
        finally:
            ended.set()

    with Hostile({route: drip_once}) as server:
        client = connect(server.url, timeout=3.0, pace=replace(PACE, lost_after=30.0))
        first = client.submit(PROMPT)
        server.wait_for(lambda: route not in server.handlers)
        second = client.submit(PROMPT)
        assert second.wait(30).status == "completed"
        if route != "GET /queue":
            assert not ended.is_set(), "the second job waited for the end of what dripped for the first"
        assert first.wait(30).status == "completed"
        # The client hung up; the server would have gone on for ever.
        assert ended.wait(30)
