"""Downloads from a server that cuts, lies about what it has, or has something else by now."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from comfy_widgets.client import ComfyClient
from comfy_widgets.errors import FileGone, HTTPError, ServerError
from comfy_widgets.protocol import File

from .server import Exchange, Hostile

Connect = Callable[..., ComfyClient]

CONTENT = bytes(range(256)) * 4000
OTHER = CONTENT[::-1]


class Files:
    """Serves one file by ranges; each answer breaks off after ``cuts[n]`` bytes, until there are no cuts left."""

    def __init__(self, *cuts: int, validators: bool = True) -> None:
        self.content = CONTENT
        self.tag = '"first"'
        self.cuts = list(cuts)
        self.validators = validators
        self.asked: list[tuple[str, str]] = []

    def __call__(self, exchange: Exchange) -> None:
        start = re.search(r"(?im)^range: bytes=(\d+)-", exchange.head)
        expected = re.search(r"(?im)^if-range: *(.+?)\r?$", exchange.head)
        self.asked.append((start[1] if start else "", expected[1] if expected else ""))
        at = int(start[1]) if start and (expected is None or expected[1] == self.tag) else 0
        if at >= len(self.content) > 0:
            exchange.reply(b"", "416 Range Not Satisfiable", f"Content-Range: bytes */{len(self.content)}\r\n")
            return
        headers = f"ETag: {self.tag}\r\n" if self.validators else ""
        status = "200 OK"
        if at:
            status = "206 Partial Content"
            headers += f"Content-Range: bytes {at}-{len(self.content) - 1}/{len(self.content)}\r\n"
        body = self.content[at:]
        exchange.head_of_reply(len(body), status, headers)
        if self.cuts:
            exchange.raw(body[: self.cuts.pop(0)])
            exchange.end()
        else:
            exchange.raw(body)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "state")


@pytest.mark.parametrize("validators", [True, False])
def test_a_download_goes_on_where_it_was(connect: Connect, tmp_path: Path, validators: bool) -> None:
    files = Files(300_000, 1000, 0, 200_000, validators=validators)
    with Hostile({"GET /view": files}) as server:
        path = connect(server.url).download(File("v.mp4"), tmp_path)
    assert path.read_bytes() == CONTENT
    assert left(tmp_path) == ["v.mp4"]
    # What came of the last block before a cut is asked for again.
    places = [int(at or 0) for at, _ in files.asked]
    assert places == sorted(places)
    assert all(0 <= cut - place < 1 << 16 for place, cut in zip(places, (0, 300_000), strict=False))
    assert len(places) == 5
    assert {tag for at, tag in files.asked if at} == ({'"first"'} if validators else {""})


def test_a_file_that_was_written_anew_meanwhile_is_not_mixed(connect: Connect, tmp_path: Path) -> None:
    files = Files(300_000)

    def change(exchange: Exchange) -> None:
        if files.asked:
            files.content, files.tag = OTHER, '"second"'
        files(exchange)

    with Hostile({"GET /view": change}) as server:
        path = connect(server.url).download(File("v.mp4"), tmp_path)
    assert path.read_bytes() == OTHER


def test_a_shorter_file_without_etag_is_not_mixed(connect: Connect, tmp_path: Path) -> None:
    files = Files(300_000, validators=False)

    def change(exchange: Exchange) -> None:
        if files.asked:
            files.content = OTHER[:400_000]
        files(exchange)

    with Hostile({"GET /view": change}) as server:
        path = connect(server.url).download(File("v.mp4"), tmp_path)
    assert path.read_bytes() == OTHER[:400_000]


def test_what_arrived_is_kept_for_the_next_download(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comfy_widgets.client._downloads._PAUSES", (0.01,))
    files = Files(600_000, 0, 0, 0, 0)
    with Hostile({"GET /view": files}) as server:
        client = connect(server.url)
        with pytest.raises(ServerError):
            client.download(File("v.mp4"), tmp_path)
        (kept,) = left(tmp_path)
        assert kept.startswith(".")
        files.cuts.clear()
        files.asked.clear()
        assert client.download(File("v.mp4"), tmp_path).read_bytes() == CONTENT
        ((at, tag),) = files.asked
        assert 500_000 < int(at) <= 600_000
        assert tag == '"first"'
        assert left(tmp_path) == ["v.mp4"]


def test_a_server_that_is_not_there_is_told_soon(connect: Connect, tmp_path: Path) -> None:
    with pytest.raises(ServerError):
        connect("http://127.0.0.1:9").download(File("v.mp4"), tmp_path)
    assert left(tmp_path) == []


@pytest.mark.parametrize("overwrite", [True, False])
def test_nothing_of_the_users_is_touched_unasked(connect: Connect, tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "v.mp4").write_bytes(b"mine")
    (tmp_path / "v.mp4.part").write_bytes(b"mine too")
    with Hostile({"GET /view": Files(100)}) as server:
        client = connect(server.url)
        path = client.download(File("v.mp4"), tmp_path, overwrite=overwrite)
        assert path.name == ("v.mp4" if overwrite else "v (1).mp4")
        assert path.read_bytes() == CONTENT
        # The same again is the same file.
        assert client.download(File("v.mp4"), tmp_path / path.name) == path
    assert (tmp_path / "v.mp4.part").read_bytes() == b"mine too"
    assert (tmp_path / "v.mp4").read_bytes() == (CONTENT if overwrite else b"mine")


def test_a_failed_download_leaves_what_was_there(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_bytes(b"mine")
    for status, error in (("404 Not Found", FileGone), ("400 Bad Request", HTTPError)):
        with Hostile({"GET /view": lambda exchange, status=status: exchange.reply(b"no", status)}) as server:
            with pytest.raises(error):
                connect(server.url).download(File("v.mp4"), tmp_path, overwrite=True)
            assert server.count("GET", "/view") == 1
    assert left(tmp_path) == ["v.mp4"]
    assert (tmp_path / "v.mp4").read_bytes() == b"mine"


def test_ranges_that_lie_end(connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comfy_widgets.client._downloads._PAUSES", (0.01, 0.01))

    def lie(exchange: Exchange) -> None:
        if "range:" in exchange.head.lower():
            exchange.reply(b"zz", "206 Partial Content", "Content-Range: bytes 5-6/9\r\n")
        else:
            exchange.head_of_reply(10, headers='ETag: "a"\r\n')
            exchange.raw(b"x" * 4)
            exchange.end()

    with Hostile({"GET /view": lie}) as server, pytest.raises(ServerError):
        connect(server.url).download(File("v.mp4"), tmp_path)
