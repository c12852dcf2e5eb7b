"""The documentation of the public face: every parameter and result is described, and every example runs."""

from __future__ import annotations

import dataclasses
import doctest
import inspect
from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any, get_origin

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc, NumpyDocString

import comfy_widgets
from comfy_widgets import ComfyClient, Engine, example
from comfy_widgets.testing import FaultProxy, ScriptedServer, Stage, text_to_image

ROOMS = (
    "comfy_widgets",
    "comfy_widgets.cassettes",
    "comfy_widgets.client",
    "comfy_widgets.engine",
    "comfy_widgets.errors",
    "comfy_widgets.experiments",
    "comfy_widgets.teaching",
    "comfy_widgets.widgets",
    "comfy_widgets.workflow",
    "comfy_widgets.protocol",
    "comfy_widgets.protocol.requests",
    "comfy_widgets.testing",
)
"""Where the public names stand; a name that several rooms have is looked at once."""

TYPED = ("comfy_widgets.protocol", "comfy_widgets.protocol.requests", "comfy_widgets.testing")
"""The rooms where every parameter, field, result and exception has a type and words, and no example is skipped."""

HANDED_OUT = {
    "Job",
    "Experiment",
    "client.Batch",
    "client.Events",
    "client.JobRelay",
    "client.Subscription",
    "experiments.Cell",
    "testing.Stage",
}
"""Classes that nobody makes by hand: what makes them is documented."""


def members(owner: type) -> Iterator[tuple[str, Any]]:
    """Yield the public functions and properties of a class, also those of its bases in this package."""
    for base in owner.__mro__:
        for key, member in vars(base).items() if base.__module__.startswith("comfy_widgets") else ():
            function = getattr(member, "__func__", member)
            if not key.startswith("_") and (
                inspect.isfunction(function) or isinstance(member, (property, cached_property))
            ):
                yield key, function


def is_plain(owner: type) -> bool:
    """Whether the example of the class is enough for its methods too: exceptions, enums and frozen dataclasses."""
    frozen = dataclasses.is_dataclass(owner) and owner.__dataclass_params__.frozen  # type: ignore[attr-defined]
    return frozen or issubclass(owner, (BaseException, Enum))


def room(name: str) -> str:
    """The room that a name of the public face belongs to."""
    full = f"comfy_widgets.{name}."
    return max((room for room in ROOMS if full.startswith(f"{room}.")), key=len)


def public_names(room: str) -> dict[str, Any]:
    """All that a room says is public."""
    return {name: getattr(import_module(room), name) for name in import_module(room).__all__}


def public_face() -> tuple[dict[str, Any], set[str]]:
    """Every public class, function, method and property by its name, and which need an example of their own."""
    found: dict[str, Any] = {}
    exemplary: set[str] = set()
    seen: set[int] = set()
    for room in ROOMS:
        for name, value in public_names(room).items():
            # Python 3.10 takes a name for a type, as Callable[...], for a class.
            is_class = inspect.isclass(value) and get_origin(value) is None
            if not (is_class or inspect.isfunction(value)) or id(value) in seen:
                continue
            seen.add(id(value))
            full = f"{room}.{name}".removeprefix("comfy_widgets.")
            found[full] = value
            exemplary.add(full)
            plain = inspect.isclass(value) and is_plain(value)
            for key, member in members(value) if inspect.isclass(value) else ():
                found.setdefault(f"{full}.{key}", member)
                if not plain and not isinstance(member, (property, cached_property)):
                    exemplary.add(f"{full}.{key}")
    return found, exemplary


FACE, EXEMPLARY = public_face()
CALLABLE = {name: value for name, value in FACE.items() if not isinstance(value, (property, cached_property))}


def described(value: Any) -> set[str]:
    """The names that a docstring describes."""
    sections = ClassDoc(value) if inspect.isclass(value) else FunctionDoc(value)
    entries = [*sections["Parameters"], *sections["Attributes"]]
    return {name.strip().lstrip("*") for entry in entries for name in entry.name.split(",")}


def described_twice(value: Any) -> list[str]:
    """The parameters that a docstring describes more than once."""
    entries = FunctionDoc(value)["Parameters"]
    names = [name.strip().lstrip("*") for entry in entries for name in entry.name.split(",")]
    return sorted({name for name in names if names.count(name) > 1})


@pytest.mark.parametrize("name", FACE)
def test_it_has_a_docstring(name: str) -> None:
    assert (inspect.getdoc(FACE[name]) or "").strip()


@pytest.mark.parametrize("name", [name for name in CALLABLE if name not in HANDED_OUT])
def test_every_parameter_is_described(name: str) -> None:
    value = CALLABLE[name]
    made_here = getattr(value.__init__, "__module__", "").startswith("comfy_widgets")
    if inspect.isclass(value) and not made_here and not hasattr(value, "_fields"):
        pytest.skip("its parameters are those of a base class")
    known = described(value)
    # A class's own signature would be that of `__new__` in Python 3.10, where a base class has one.
    called = value.__init__ if inspect.isclass(value) and made_here else value
    parameters = [parameter for parameter in inspect.signature(called).parameters if parameter not in ("self", "cls")]
    if inspect.isclass(value) and issubclass(value, Exception):
        # The message speaks for itself, and what describes the base class holds for those that derive from it.
        parameters = [parameter for parameter in parameters if parameter not in ("message", "refusal")]
        known = set().union(*(described(base) for base in value.__mro__ if base.__module__.startswith("comfy_widgets")))
    elif inspect.isclass(value) and issubclass(value, Enum):
        parameters = []
    assert [name for name in parameters if name not in known and not name.startswith("_")] == []
    assert inspect.isclass(value) or described_twice(value) == []


@pytest.mark.parametrize("name", [name for name in CALLABLE if room(name) in TYPED])
def test_all_that_is_described_has_a_type_and_words(name: str) -> None:
    sections = NumpyDocString(inspect.getdoc(CALLABLE[name]) or "")
    kinds = ("Parameters", "Attributes", "Returns", "Yields", "Raises")
    entries = [entry for kind in kinds for entry in sections[kind]]
    assert [entry.name or entry.type for entry in entries if not entry.type or not "".join(entry.desc)] == []


@pytest.mark.parametrize("name", [name for name, value in CALLABLE.items() if not inspect.isclass(value)])
def test_what_it_returns_is_described(name: str) -> None:
    sections = FunctionDoc(CALLABLE[name])
    if inspect.signature(CALLABLE[name]).return_annotation not in ("None", None):
        assert sections["Returns"] or sections["Yields"]


@pytest.mark.parametrize("name", sorted(EXEMPLARY))
def test_it_has_an_example(name: str) -> None:
    text = inspect.getdoc(FACE[name]) or ""
    assert ">>>" in text
    assert room(name) not in TYPED or "+SKIP" not in text


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What an example may use without saying where it comes from."""
    with Engine() as engine, ComfyClient(engine.url) as client:
        small = example().with_params(width=64, height=64, steps=1)
        folder = tmp_path_factory.mktemp("examples")
        yield {
            **{name: value for room in ROOMS for name, value in public_names(room).items()},
            "engine": engine,
            "client": client,
            "workflow": example(),
            "result": client.run(small),
            "fleet": comfy_widgets.Fleet([client]),
            "run": comfy_widgets.sweep(small, seed=range(2), client=client, folder=folder / "sweep").wait(60),
            "folder": folder,
        }


@pytest.fixture
def scripted() -> Iterator[dict[str, Any]]:
    """What an example of the testing room may use: a server, a proxy before it, its client, and a run's stage."""
    stages: SimpleQueue[Stage] = SimpleQueue()

    def hand_over(stage: Stage) -> None:
        stages.put(stage)
        stage.hang()

    with ScriptedServer() as played, ScriptedServer() as server, FaultProxy(server.url) as proxy:
        played.play(hand_over)
        played.accept("a1", 0, text_to_image(), {"client_id": "me"}, ["9"])
        with ComfyClient(proxy.url) as client:
            # On a busy machine a run may be over before the websocket is open.
            assert client.wait_connected(30)
            yield {"server": server, "proxy": proxy, "client": client, "stage": stages.get(timeout=30)}


@pytest.mark.parametrize("name", [*FACE, "testing"])
def test_its_example_runs(
    name: str,
    world: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMFYUI_URL", world["engine"].url)
    text = inspect.getdoc(FACE.get(name) or import_module(f"comfy_widgets.{name}")) or ""
    names = {**world, **public_names(room(name))}
    if room(name) == "comfy_widgets.testing" and ">>>" in text:
        names |= {"folder": tmp_path} | request.getfixturevalue("scripted")
    said: list[str] = []
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(optionflags=flags)
    found = doctest.DocTestParser().get_doctest(text, names, name, None, None)
    assert runner.run(found, out=said.append).failed == 0, "".join(said)
