"""The command line: ``comfy-widgets demo | engine | run | sweep | fleet | convert | replay | doctor``."""

from __future__ import annotations

import argparse
import json
import math
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ._writing import json_bytes, replace_file
from .errors import ComfyError
from .protocol import plain, printable

_TEXTS = ("text", "string", "image")


class _UsageError(ComfyError):
    """What was typed, or a file that it names, cannot be used."""


class _Parser(argparse.ArgumentParser):
    """One sentence for what was typed wrong."""

    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{message[:1].upper()}{message[1:]}. See: {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        Words of the command line; the process's own by default.

    Returns
    -------
    int
        The exit code: 0; 1 with a sentence on standard error, 2 where what was typed cannot be used; 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that cannot show a letter still gets the rest.
            stream.reconfigure(errors="backslashreplace")
    try:
        return _command(list(sys.argv[1:] if argv is None else argv))
    except _UsageError as error:
        _say(str(error))
        return 2
    except (ComfyError, OSError) as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        _say("\nCancelled.")
        return 130


def _command(words: list[str]) -> int:
    if words[:1] == ["engine"]:
        # The engine reads its own options, so that `python -m comfy_widgets.engine` takes the same.
        from .engine import main as engine

        try:
            return engine(words[1:])
        except SystemExit as error:
            if error.code == 2:
                return 2
            raise
    parser = _parser()
    if not words:
        # Whoever types the name alone asks what there is.
        parser.print_help(sys.stderr)
        return 2
    options = parser.parse_args(words)
    with warnings.catch_warnings():
        # What is to be known is told here, once.
        warnings.simplefilter("ignore", UserWarning)
        return int(options.command(options) or 0)


def _parser() -> argparse.ArgumentParser:
    from .experiments import add_arguments

    parser = _Parser(prog="comfy-widgets", description="ComfyUI for notebooks, from the command line.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    demo = commands.add_parser("demo", help="make a few images with the embedded engine, and open a notebook or a page")
    demo.add_argument("-o", "--output", type=Path, default=Path("demo-output"), help="directory for the images")
    demo.add_argument("--no-open", dest="open", action="store_false", help="open nothing")
    demo.set_defaults(command=_demo)

    commands.add_parser("engine", help="serve the embedded engine, as ComfyUI does (see: comfy-widgets engine --help)")

    run = commands.add_parser("run", help="run a workflow and save what it makes")
    run.add_argument("workflow", help="a workflow file: JSON, PNG, ...")
    run.add_argument("-p", "--param", action="append", default=[], metavar="NAME=VALUE", help="set a parameter")
    run.add_argument("-o", "--output", type=Path, default=Path("output"), help="directory for the results")
    run.add_argument("--timeout", type=_seconds, help="seconds to wait")
    run.set_defaults(command=_run)

    sweep = commands.add_parser("sweep", help="run a workflow with all combinations of some values")
    add_arguments(sweep)
    sweep.set_defaults(command=_sweep)

    fleet = commands.add_parser("fleet", help="say how several servers stand")
    fleet.add_argument("action", choices=["status"], help="queues, versions, free memory, models")
    fleet.add_argument("servers", nargs="+", metavar="URL", help="the servers' addresses")
    fleet.set_defaults(command=_fleet)

    convert = commands.add_parser("convert", help="turn an editor's workflow into the API format")
    convert.add_argument("workflow", help="a workflow file: JSON, PNG, ...")
    convert.add_argument("-o", "--output", type=Path, help="the file to write; standard output by default")
    convert.add_argument("--object-info", type=Path, help="a saved /object_info instead of a server")
    convert.set_defaults(command=_convert)

    replay = commands.add_parser("replay", help="serve the recorded runs of a cassette")
    replay.add_argument("cassette", help="the file that record() wrote")
    replay.add_argument("--port", type=_port, default=8188, help="of this machine; 8188 by default, 0 for a free one")
    replay.add_argument(
        "--speed", default="1", metavar="SPEED", help='1 as recorded, 4 four times as fast, or "instant"'
    )
    replay.add_argument("--list", action="store_true", help="only say what is in it")
    replay.set_defaults(command=_replay)

    lessons = commands.add_parser("lessons", help="copy the twelve lessons on diffusion into a folder")
    lessons.add_argument("folder", nargs="?", type=Path, default=Path("lessons"), help="where to; lessons by default")
    lessons.set_defaults(command=_lessons)

    doctor = commands.add_parser("doctor", help="check this installation and a server")
    doctor.set_defaults(command=_doctor)

    for command in (run, sweep, convert, doctor):
        command.add_argument("--url", help="the server's address; found as ComfyClient() finds it by default")
    return parser


def _out(text: str) -> None:
    # Texts of workflows and servers are shown to people, not to their terminal.
    sys.stdout.write(printable(text.replace("\r\n", "\n")) + "\n")


def _say(text: str) -> None:
    sys.stderr.write(printable(plain(text)) + "\n")


def _demo(options: argparse.Namespace) -> None:
    from ._demo import make_images, show

    made = make_images(options.output, _out)
    if options.open:
        show(made, _out)


def _run(options: argparse.Namespace) -> None:
    from .client import ComfyClient
    from .workflow import Workflow

    assigned = [_assignment(text) for text in options.param]
    workflow = Workflow.load(_path(options.workflow))
    with ComfyClient(options.url) as client:
        workflow = workflow.bind(client.object_info())
        params = workflow.params()
        values = {name: _value(name, text, params[name].kind if name in params else "") for name, text in assigned}
        workflow = workflow.with_params(values)
        result = _follow(client.submit(workflow), options.timeout)
        saved = result.save(options.output)
    for warning in result.warnings:
        _say(warning)
    for text in result.texts:
        _out(text)
    for path in saved:
        _out(str(path))


def _sweep(options: argparse.Namespace) -> int:
    from .client import ComfyClient
    from .experiments import run_command

    if options.workflow is not None:
        options.workflow = _path(options.workflow)
    with ComfyClient(options.url) as client:
        return run_command(options, client)


def _fleet(options: argparse.Namespace) -> int:
    from .experiments import fleet_status

    return int(fleet_status(options.servers, _out) > 0)


def _replay(options: argparse.Namespace) -> None:
    import threading

    from .cassettes import Cassette, CassettePlayer

    cassette = Cassette(options.cassette)
    count = len(cassette.runs)
    _out(f"{cassette.title or cassette.path.name}: {count} run{'s' if count != 1 else ''}")
    for (node, name), values in cassette.varied().items():
        _out(f"  {name} (node {node}): {', '.join(map(json.dumps, values))}")
    if options.list:
        return
    try:
        player = CassettePlayer(cassette, speed=options.speed, port=options.port)
    except OSError as error:
        raise ComfyError(
            f"Port {options.port} cannot be used: {error.strerror or error}. Name another --port."
        ) from error
    with player:
        _out(f"Playing at {player.url}; Ctrl-C ends it.")
        sys.stdout.flush()
        while True:
            threading.Event().wait(3600)


def _lessons(options: argparse.Namespace) -> None:
    from .teaching import copy_lessons

    for path in copy_lessons(options.folder):
        _out(str(path))
    _say(f"Open them with: jupyter lab {options.folder}")


def _follow(job: Any, timeout: float | None = None) -> Any:
    """Wait for a job; a terminal shows how far it is."""
    if not sys.stderr.isatty():
        return job.result(timeout)

    def show(progress: Any) -> None:
        bar = ("#" * round(progress.fraction * 24)).ljust(24, ".")
        sys.stderr.write(
            f"\r\033[K[{bar}] {progress.fraction:4.0%}  {printable(' '.join(progress.message.split()))[:60]}"
        )
        sys.stderr.flush()

    subscription = job.on("progress", show)
    try:
        return job.result(timeout)
    finally:
        subscription.cancel()
        sys.stderr.write("\r\033[K")


def _convert(options: argparse.Namespace) -> None:
    from .workflow import Workflow

    workflow = Workflow.load(_path(options.workflow))
    if workflow.form == "ui":
        if options.object_info is not None:
            object_info = _object_info(options.object_info)
        else:
            from .client import ComfyClient

            with ComfyClient(options.url) as client:
                object_info = client.object_info()
        workflow = workflow.bind(object_info)
    document = workflow.to_prompt()
    if options.output is None:
        _out(json.dumps(document, indent=2))
    else:
        replace_file(options.output, json_bytes(document))


def _path(text: str) -> str | Path:
    if text.startswith(("http://", "https://")):
        return text
    path = Path(text)
    if path.is_dir():
        raise ComfyError(f"{text!r} is a folder; name a workflow file in it.")
    if not path.is_file():
        raise ComfyError(f"There is no file {text!r}.")
    return path


def _object_info(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise _UsageError(f"{path} cannot be read as JSON: {why}.") from error
    if not isinstance(found, dict) or not any(isinstance(item, dict) and "input" in item for item in found.values()):
        raise _UsageError(f"{path} holds no node classes: save what a server gives under /object_info.")
    return found


def _seconds(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return number


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return number


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ComfyError(f"{text!r} is no parameter: write it as NAME=VALUE, for example seed=7.")
    return name.strip(), value


def _value(name: str, text: str, kind: str) -> Any:
    """What stands on the command line as a value: JSON where it is any, but "42" for a prompt is text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    except RecursionError:
        raise _UsageError(f"The value of {name} is nested too deeply.") from None
    return text if kind in _TEXTS and not isinstance(value, str) else value


def _doctor(options: argparse.Namespace) -> int:
    from ._doctor import examine

    return int(examine(options.url, _out) > 0)


if __name__ == "__main__":
    sys.exit(main())
