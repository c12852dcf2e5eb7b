"""No secret gets into a cassette: everything that could hold one is planted with some, and the file is searched."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from comfy_widgets import ComfyClient, ComfyError, record
from comfy_widgets.cassettes import scrubbed
from comfy_widgets.testing import NodeError, Reply, Request, ScriptedServer, Stage, text_to_image

PLANTED = {
    "password": "hunter2-of-anna",
    "query": "q-tok-8c1f",
    "header": "hdr-5d2a9",
    "bearer": "brr-77aa12bb",
    "cookie": "ck-sess-991",
    "api_key": "comfyui-0123456789abcdef0123456789abcdef",
    "input": "sk-input-abcdefgh12345678",
    "png": "png-secret-4411",
    "exif": "exif-secret-0912",
    "icc": "icc-secret-7788",
    "frame exif": "frame-exif-3310",
    "frame icc": "frame-icc-5529",
    "text": "ghp_abcdefghijklmnopqrstuvwxyz0123",
    "url": "pw-in-url-42",
    "windows": "Anna Maria",
    "home": "annas-home",
}


def png() -> bytes:
    info = PngInfo()
    info.add_text("prompt", PLANTED["png"])
    image = Image.new("RGB", (16, 16), "red")
    exif = Image.Exif()
    exif[0x010E] = PLANTED["exif"]
    stream = io.BytesIO()
    image.save(stream, "PNG", pnginfo=info, exif=exif, icc_profile=PLANTED["icc"].encode())
    return stream.getvalue()


def frame() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = PLANTED["frame exif"]
    stream = io.BytesIO()
    image = Image.new("RGB", (16, 16), "blue")
    image.save(stream, "JPEG", exif=exif, icc_profile=PLANTED["frame icc"].encode())
    return stream.getvalue()


def script(stage: Stage) -> None:
    stage.start()
    stage.begin("3")
    stage.preview("3", frame(), "image/jpeg")
    stage.progress_text("3", f"loading /home/{PLANTED['home']}/models/x.safetensors with token={PLANTED['text']}")
    stage.begin("9")
    item = stage.server.files.add("secret", png())
    stage.executed("9", {"images": [item], "text": [f"Cookie: session={PLANTED['cookie']}; path=/"]})
    if stage.prompt["3"]["inputs"]["seed"] == 2:
        raise NodeError("3", f"401 for https://anna:{PLANTED['url']}@host/x; Authorization: Bearer {PLANTED['bearer']}")
    stage.success()


def everything_in(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        parts = [path.read_bytes(), *(archive.read(name) for name in archive.namelist())]
        parts += [name.encode() for name in archive.namelist()]
    return b"\n".join(parts).decode("latin-1")


def kept_frames(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [name for name in archive.namelist() if archive.read(name).startswith(b"\xff\xd8")]


def test_nothing_that_was_planted_is_in_the_file(tmp_path: Path) -> None:
    with ScriptedServer(script=script) as server:
        cookie = {"Set-Cookie": f"session={PLANTED['cookie']}"}
        server.on("GET", "/queue", lambda request: _with_headers(server.default(request), cookie))
        url = server.url.replace("://", f"://anna:{PLANTED['password']}@") + f"?token={PLANTED['query']}"
        headers = {"X-Token": PLANTED["header"], "Cookie": f"session={PLANTED['cookie']}"}
        with ComfyClient(url, headers=headers, api_key=PLANTED["api_key"], journal=False) as client:
            with record(tmp_path / "lesson.cassette", client, title=f"At home/{PLANTED['query']}"):
                for seed in (1, 2):
                    prompt: dict[str, Any] = text_to_image(
                        seed=seed, text=f"a boat, {PLANTED['header']}, C:\\Users\\{PLANTED['windows']}\\boat.png"
                    )
                    prompt["4"]["inputs"]["api_key"] = PLANTED["input"]
                    prompt["9"]["inputs"]["filename_prefix"] = f"/home/{PLANTED['home']}/out"
                    prompt["3"]["_meta"] = {"title": f"Sampler of {PLANTED['query']}"}
                    job = client.submit(prompt, extra_data={"extra_pnginfo": {"secret": PLANTED["png"]}})
                    job.wait(60)
            client_id, prompt_id = client.client_id, job.prompt_id
    found = everything_in(tmp_path / "lesson.cassette")
    # The frame is there, and nothing but its pixels.
    assert kept_frames(tmp_path / "lesson.cassette")
    assert [name for name, secret in PLANTED.items() if secret in found] == []
    assert client_id not in found and prompt_id not in found and "anna" not in found.lower()
    assert "127.0.0.1" not in found and str(tmp_path) not in found
    # It is still a recording: the same prompt, with the same secrets in it, is found again.
    with ComfyClient(f"cassette:{tmp_path / 'lesson.cassette'}?speed=instant") as replayed:
        prompt["3"]["inputs"]["seed"] = 1
        prompt["6"]["inputs"]["text"] = f"a boat, ***, C:\\Users\\{PLANTED['windows']}\\boat.png"
        assert replayed.run(prompt).images[0].size == (16, 16)


def _with_headers(reply: Reply, headers: dict[str, str]) -> Reply:
    reply.headers.update(headers)
    return reply


def test_a_file_that_is_no_image_and_holds_a_secret_is_left_out(tmp_path: Path) -> None:
    def with_file(stage: Stage) -> None:
        stage.start()
        stage.begin("9")
        item = stage.server.files.put("notes.txt", f"token={PLANTED['text']}".encode(), folder="output")
        good = stage.server.files.put("good.txt", b"nothing of interest", folder="output")
        stage.executed("9", {"files": [item, good]})
        stage.success()

    with (
        ScriptedServer(script=with_file) as server,
        ComfyClient(server.url, journal=False) as client,
        pytest.warns(UserWarning, match="'notes.txt' was left out: it holds what looks like a secret"),
        record(tmp_path / "files.cassette", client),
    ):
        client.run(text_to_image())
    assert PLANTED["text"] not in everything_in(tmp_path / "files.cassette")
    assert "good" in everything_in(tmp_path / "files.cassette")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a red balloon over blue mountains, (sunset:1.2)", None),
        ("cat and/or dog, 16/9, 50% grey, key: gold, cookie on a plate", None),
        ("see https://example.org/a/b.png?size=3", None),
        ("<lora:detail:0.5> photo of a ~ sea", None),
        ("/home/anna/x.png", "x.png"),
        ("~/pictures/x.png", "x.png"),
        ("C:\\Users\\Anna Maria\\x.png", "x.png"),
        ("\\\\server\\share\\x.png", "x.png"),
        ('File "/home/anna maria/ComfyUI/nodes.py", line 3', 'File "nodes.py", line 3'),
        ("no file /mnt/models/x.ckpt there", "no file x.ckpt there"),
        ("https://me:secret@host/x", "https://***@host/x"),
        ("https://host/x?token=abcd1234&size=3", "https://host/x?token=***&size=3"),
        ("Authorization: Bearer abc\nnext", "Authorization: ***\nnext"),
        ("Set-Cookie: session=abc; path=/\nnext", "Set-Cookie: ***\nnext"),
        ("Cookie: a=b", "Cookie: ***"),
        ('{"api_key": "abcd1234"}', '{"api_key": "***"}'),
        ("hf_abcdefghijklmnopqrstuv", "***"),
    ],
)
def test_texts_lose_secrets_and_nothing_else(text: str, clean: str | None) -> None:
    assert scrubbed(text) == (text if clean is None else clean)
    assert scrubbed(scrubbed(text)) == scrubbed(text)


def test_the_name_of_an_input_tells_that_it_is_secret() -> None:
    inputs = {"auth_token": "abc", "api_key": "x", "token_count": 3, "tokenizer": "clip", "password": "", "steps": 4}
    assert scrubbed(inputs) == {
        "auth_token": "***", "api_key": "***", "token_count": 3, "tokenizer": "clip", "password": "", "steps": 4,
    }  # fmt: skip


def test_the_error_of_a_hostile_title_is_one_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ComfyError):
        ComfyClient(f"cassette:{tmp_path}")
    assert isinstance(Request("GET", "/"), Request)
