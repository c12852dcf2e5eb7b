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
from typing import Any

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc

import comfy_widgets
from comfy_widgets import ComfyClient, Engine, example

ROOMS = (
    "comfy_widgets",
    "comfy_widgets.client",
    "comfy_widgets.engine",
    "comfy_widgets.errors",
    "comfy_widgets.experiments",
    "comfy_widgets.widgets",
    "comfy_widgets.workflow",
)
"""Where the public names stand; a name that several rooms have is looked at once."""

HANDED_OUT = {"Job", "Experiment", "client.Events", "client.Subscription", "experiments.Cell"}
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


def public_face() -> tuple[dict[str, Any], set[str]]:
    """Every public class, function, method and property by its name, and which need an example of their own."""
    found: dict[str, Any] = {}
    exemplary: set[str] = set()
    seen: set[int] = set()
    for room in ROOMS:
        for name in import_module(room).__all__:
            value = getattr(import_module(room), name)
            if not (inspect.isclass(value) or inspect.isfunction(value)) or id(value) in seen:
                continue
            seen.add(id(value))
            full = f"{room}.{name}".removeprefix("comfy_widgets.")
            found[full] = value
            exemplary.add(full)
            for key, member in members(value) if inspect.isclass(value) else ():
                found.setdefault(f"{full}.{key}", member)
                if not is_plain(value) and not isinstance(member, (property, cached_property)):
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
    if inspect.isclass(value) and not getattr(value.__init__, "__module__", "").startswith("comfy_widgets"):
        pytest.skip("its parameters are those of a base class")
    known = described(value)
    parameters = [parameter for parameter in inspect.signature(value).parameters if parameter not in ("self", "cls")]
    if inspect.isclass(value) and issubclass(value, Exception):
        # The message speaks for itself, and what describes the base class holds for those that derive from it.
        parameters = [parameter for parameter in parameters if parameter not in ("message", "refusal")]
        known = set().union(*(described(base) for base in value.__mro__ if base.__module__.startswith("comfy_widgets")))
    elif inspect.isclass(value) and issubclass(value, Enum):
        parameters = []
    assert [name for name in parameters if name not in known and not name.startswith("_")] == []
    assert inspect.isclass(value) or described_twice(value) == []


@pytest.mark.parametrize("name", [name for name, value in CALLABLE.items() if not inspect.isclass(value)])
def test_what_it_returns_is_described(name: str) -> None:
    sections = FunctionDoc(CALLABLE[name])
    if inspect.signature(CALLABLE[name]).return_annotation not in ("None", None):
        assert sections["Returns"] or sections["Yields"]


@pytest.mark.parametrize("name", sorted(EXEMPLARY))
def test_it_has_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(FACE[name]) or "")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What an example may use without saying where it comes from."""
    with Engine() as engine, ComfyClient(engine.url) as client:
        small = example().with_params(width=64, height=64, steps=1)
        folder = tmp_path_factory.mktemp("examples")
        yield {
            **{name: getattr(import_module(room), name) for room in ROOMS for name in import_module(room).__all__},
            "engine": engine,
            "client": client,
            "workflow": example(),
            "result": client.run(small),
            "run": comfy_widgets.sweep(small, seed=range(2), client=client, folder=folder / "sweep").wait(60),
            "folder": folder,
        }


@pytest.mark.parametrize("name", FACE)
def test_its_example_runs(name: str, world: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMFYUI_URL", world["engine"].url)
    said: list[str] = []
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(optionflags=flags)
    text = inspect.getdoc(FACE[name]) or ""
    found = doctest.DocTestParser().get_doctest(text, dict(world), name, None, None)
    assert runner.run(found, out=said.append).failed == 0, "".join(said)
