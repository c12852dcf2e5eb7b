"""Writing files so that nothing is lost: whole or not at all, and never over a file unasked."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO


def utf8_bytes(text: str) -> bytes:
    """A text in UTF-8; half an emoji in it, which is no UTF-8, becomes its backslash escape.

    Parameters
    ----------
    text : str
        Whatever a file or a server may have.
    """
    return text.encode("utf-8", "backslashreplace")


def json_bytes(value: Any) -> bytes:
    """A document as indented JSON in UTF-8, also where a text in it has half an emoji.

    Parameters
    ----------
    value : object
        Whatever JSON can hold.
    """
    # The escape of half an emoji is JSON, as it can only stand inside a text.
    return utf8_bytes(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def replace_file(path: Path, content: bytes) -> None:
    """Write a file; one that is there is replaced when the new one is complete, and kept if anything fails.

    Parameters
    ----------
    path : Path
        Where a link stands, the file it leads to is written.
    content : bytes
    """
    with replacing(path) as stream:
        stream.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """The same in pieces: what is written goes beside the file, and takes its place when the block ends well."""
    target = Path(os.path.realpath(path))
    beside = part_of(target)
    try:
        with beside.open("xb") as stream:
            yield stream
        with suppress(OSError):
            shutil.copymode(target, beside)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def add_file(path: Path, content: bytes) -> Path:
    """Write a new file; where the name is taken by other content, a number is added to it.

    Parameters
    ----------
    path : Path
    content : bytes

    Returns
    -------
    Path
        Where it is; an equal file that was there is left alone.
    """
    for candidate in numbered(path):
        try:
            # Nobody else can take the name between the question and the answer.
            candidate.open("xb").close()
        except FileExistsError:
            if candidate.is_file() and _has(candidate, content):
                return candidate
            continue
        try:
            replace_file(candidate, content)
        except BaseException:
            candidate.unlink(missing_ok=True)
            raise
        return candidate
    raise AssertionError("numbers do not end")


def numbered(path: Path) -> Iterator[Path]:
    """``a.png, a (1).png, a (2).png`` and so on."""
    yield path
    count = 1
    while True:
        yield path.with_name(f"{path.stem} ({count}){path.suffix}")
        count += 1


def part_of(path: Path) -> Path:
    """A name beside a file for what is not yet complete; no two are the same."""
    return path.with_name(f".{uuid.uuid4().hex}.part")


def _has(path: Path, content: bytes) -> bool:
    return path.stat().st_size == len(content) and path.read_bytes() == content
