"""The documentation of the public face: every parameter and result is described, and every example runs."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc

import comfy_widgets
from comfy_widgets import ComfyClient, Engine, example

HANDED_OUT = {"Job", "Experiment"}
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


def public_face() -> dict[str, Any]:
    """Every public class, function, method and property by its name."""
    found: dict[str, Any] = {}
    for name in comfy_widgets.__all__:
        value = getattr(comfy_widgets, name)
        found[name] = value
        for key, member in members(value) if inspect.isclass(value) else ():
            found.setdefault(f"{name}.{key}", member)
    return found


FACE = public_face()
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
    named = inspect.signature(value).parameters
    parameters = [
        parameter for parameter in named if parameter not in ("self", "cls") and not parameter.startswith("_")
    ]
    assert [parameter for parameter in parameters if parameter not in described(value)] == []
    assert inspect.isclass(value) or described_twice(value) == []


@pytest.mark.parametrize("name", [name for name, value in CALLABLE.items() if not inspect.isclass(value)])
def test_what_it_returns_is_described(name: str) -> None:
    sections = FunctionDoc(CALLABLE[name])
    if inspect.signature(CALLABLE[name]).return_annotation not in ("None", None):
        assert sections["Returns"] or sections["Yields"]


@pytest.mark.parametrize("name", CALLABLE)
def test_it_has_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(CALLABLE[name]) or "")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What an example may use without saying where it comes from."""
    with Engine() as engine, ComfyClient(engine.url) as client:
        small = example().with_params(width=64, height=64, steps=1)
        folder = tmp_path_factory.mktemp("examples")
        yield {
            **{name: getattr(comfy_widgets, name) for name in comfy_widgets.__all__},
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
