"""The engine's command line."""

from __future__ import annotations

import argparse
import errno
import importlib.util
import json
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ._model.names import PREVIEW_METHODS
from ._run.wire import NEWEST, VERSIONS, Wire

if TYPE_CHECKING:
    from ._serve.app import Server

HANDSHAKE = "comfy_widgets.engine ready "
"""Starts the line on stdout that tells a parent process the URL, as JSON."""

_NEEDS = ("aiohttp", "numpy", "PIL")
_PARENT_CHECK_SECONDS = 1.0
_EXIT_GRACE_SECONDS = 3.0


def missing_modules() -> list[str]:
    """Return the names of the modules that the engine needs and this Python does not have."""
    return [name for name in _NEEDS if importlib.util.find_spec(name) is None]


def install_hint(missing: Sequence[str]) -> str:
    """Return the sentence for a Python without the engine's dependencies."""
    return (
        f"The embedded engine needs {', '.join(missing)}, which this Python ({sys.executable}) does not have. "
        "Install it with:  pip install 'comfy_widgets[engine]'"
    )


_EDITOR_HINT = (
    "ComfyUI's editor is not installed for this Python. Install it with:  pip install 'comfy_widgets[editor]'"
)


def _editor_folder() -> Path | None:
    from ._serve.editor import editor_folder

    return editor_folder()


class _Parser(argparse.ArgumentParser):
    """One sentence for what was typed wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message[:1].upper()}{message[1:]}. See: {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the engine's options."""
    parser = _Parser(
        prog="comfy-widgets engine",
        description="A ComfyUI-compatible server with a small procedural model, for machines without ComfyUI or a GPU.",
    )
    parser.add_argument("--host", "--listen", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8188, help="port, 0 for a free one (default: %(default)s)")
    parser.add_argument("--base-directory", type=Path, help="keep input, output, temp and user files here")
    parser.add_argument("--output-directory", type=Path, help="put results here")
    parser.add_argument(
        "--custom-nodes",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.py",
        help="a file with NODE_CLASS_MAPPINGS",
    )
    parser.add_argument(
        "--preview-method",
        choices=PREVIEW_METHODS,
        help="previews of samplers where a prompt does not say (default: none, and auto with --editor); "
        "all but none are the same",
    )
    parser.add_argument(
        "--comfyui-version",
        choices=VERSIONS,
        default=NEWEST,
        help="which ComfyUI to answer like (default: %(default)s)",
    )
    parser.add_argument(
        "--editor",
        action="store_true",
        help="serve ComfyUI's own editor too, for a browser; models of any name are stood in for",
    )
    parser.add_argument(
        "--stand-in",
        action="store_true",
        help="take models of any name: the engine's own one stands in for them, and says so",
    )
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text[:9]) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 1 to 65535, or 0 for a free one")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server; return the exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; None takes those of the process.

    Returns
    -------
    int
        0 after it was stopped, 1 where it could not start; why stands on standard error.

    Raises
    ------
    SystemExit
        After ``--help``, with status 0, and for an option that cannot be used, with status 2.

    Examples
    --------
    >>> main(["--port", "8189"])              # doctest: +SKIP
    >>> main(["--port", "eighty"])
    Traceback (most recent call last):
    ...
    SystemExit: 2
    """
    options = build_parser().parse_args(argv)
    missing = missing_modules()
    if missing:
        return _fail(install_hint(missing))
    editor = _editor_folder() if options.editor else None
    if options.editor and editor is None:
        return _fail(_EDITOR_HINT)
    # The sampler's products are small: more threads would only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    logging.getLogger("comfy_widgets.engine").setLevel(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="comfy_widgets-", ignore_cleanup_errors=True) as scratch:
        from ._serve.app import Server, Settings

        base = options.base_directory or Path(scratch)
        server = Server(
            Settings(
                options.host,
                options.port,
                base,
                options.output_directory,
                tuple(options.custom_nodes),
                tuple(sys.argv if argv is None else ["comfy_widgets.engine", *argv]),
                options.preview_method or ("auto" if options.editor else "none"),
                Wire(options.comfyui_version),
                options.stand_in or options.editor,
                editor,
            )
        )
        if options.child:
            threading.Thread(target=_follow_parent, args=(server,), daemon=True).start()
        try:
            server.run(_tell_parent if options.child else lambda url: _greet(url, options, base))
        except OSError as error:
            return _fail(_address_problem(error, options.host, options.port))
        except ValueError as error:
            return _fail(str(error))
    return 0


def _fail(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 1


def _address_problem(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken: another server, maybe a ComfyUI, listens there. "
            "Choose another with --port, or --port 0 for any free one."
        )
    return f"The engine cannot listen on {host}:{port}: {error.strerror or error}."


def _tell_parent(url: str) -> None:
    sys.stdout.write(HANDSHAKE + json.dumps({"url": url}) + "\n")
    sys.stdout.flush()


def _greet(url: str, options: argparse.Namespace, base: Path) -> None:
    results = options.output_directory or (base / "output" if options.base_directory else None)
    kept = (
        f"Results go to {results}." if results else "Results are kept until it stops (--output-directory keeps them)."
    )
    sys.stdout.write(
        f"comfy_widgets engine (embedded, small procedural model; not Stable Diffusion)\n"
        f"  {url}\n  {kept}\n"
        f"{'  Open that address in a browser for the editor.' + chr(10) if options.editor else ''}"
        f"  In a notebook: ComfyClient({url!r}).  Ctrl-C stops it.\n"
    )
    sys.stdout.flush()


def _follow_parent(server: Server) -> None:
    """End with the process that started us: its end of our stdin closes, or we get another parent."""
    parent = os.getppid()
    gone = threading.Event()

    def read_to_end() -> None:
        # Not by sys.stdin: Python could not take its lock from this thread when it ends, and would abort.
        while os.read(0, 4096):
            pass
        gone.set()

    threading.Thread(target=read_to_end, daemon=True).start()
    while not gone.wait(_PARENT_CHECK_SECONDS) and os.getppid() == parent:
        pass
    server.stop()
    # A node in the middle of a long computation must not keep the process alive.
    time.sleep(_EXIT_GRACE_SECONDS)
    os._exit(0)
