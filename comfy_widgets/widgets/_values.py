"""The values of a form as traits: ``panel.params.seed = 7``, ``panel.params.observe(f, "seed")``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from traitlets import HasTraits, TraitType

from ..errors import WorkflowError
from ..workflow import Param, Params, UnknownParam, image_upload, is_image

_TAKEN = frozenset(dir(HasTraits))


class UnknownParamAttribute(UnknownParam, AttributeError):
    """No parameter of that name, asked for as an attribute."""


class ParamTrait(TraitType[Any, Any]):
    """A trait that takes what its parameter takes."""

    def __init__(self, name: str, value: Any) -> None:
        super().__init__(default_value=value)
        self.param_name = name

    def validate(self, obj: ParamValues, value: Any) -> Any:
        """Return the value as the server wants it, or raise a WorkflowError."""
        # What the workflow came with may not fit this server; that shows in the form and when it runs.
        checked = value if value is self.default_value else obj._check(self.param_name, value)
        obj._was_set(self.param_name)
        return checked


class ParamValues(HasTraits):
    """One trait for each parameter of a workflow.

    A name that is no Python identifier, such as ``"KSampler 2.steps"``, is reached with brackets, which take every name
    that `Workflow.with_params` takes. A parameter named like a method of every `HasTraits` gets an underscore. An image
    may be given as a PIL image, a `Path` or bytes: it is uploaded, and its value is the name that it got on the server.

    Parameters
    ----------
    params : Params
    upload : callable
        Takes a file name and the bytes of an image to the server, and returns its name there.
    was_set : callable
        Takes the name of a parameter that is set, before its observers hear of it.
    """

    def __init__(self, params: Params, upload: Callable[[str, bytes], str], was_set: Callable[[str], object]) -> None:
        self.__dict__.update(_definitions=params, _upload=upload, _on_set=was_set)
        super().__init__()
        self.redefine(params)

    def redefine(self, params: Params) -> None:
        """Take new definitions; values that were set stay.

        Parameters
        ----------
        params : Params
        """
        self.__dict__["_definitions"] = params
        new = {attribute(n): ParamTrait(n, p.value) for n, p in params.items() if not self.has_trait(attribute(n))}
        if new:
            self.add_traits(**new)

    def _check(self, name: str, value: Any) -> Any:
        param = self._definitions[name]
        if param.kind == "image" and is_image(value):
            value = self._upload(*image_upload(value))
        return param.check(value)

    def _was_set(self, name: str) -> None:
        # Observers hear of other values alone; whoever sets what stands there already means it.
        self._on_set(name)

    def _param(self, name: str) -> Param:
        definitions: Params = self._definitions
        return definitions.find(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise self._unknown(name)

    def __setattr__(self, name: str, value: Any) -> None:
        # traitlets itself sets `notify_change` while it holds notifications.
        if not name.startswith("_") and not hasattr(type(self), name):
            raise self._unknown(name)
        super().__setattr__(name, value)

    def _unknown(self, name: str) -> UnknownParamAttribute:
        try:
            found = self._param(name)
        except UnknownParam as error:
            return UnknownParamAttribute(str(error))
        return UnknownParamAttribute(f"{name!r} is the parameter {found.name!r}: write params[{found.name!r}].")

    def __getitem__(self, name: str) -> Any:
        return getattr(self, attribute(self._param(name).name))

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, attribute(self._param(name).name), value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._definitions)

    def __len__(self) -> int:
        return len(self._definitions)

    def __contains__(self, name: object) -> bool:
        return name in self._definitions

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.trait_names()})

    def to_dict(self) -> dict[str, Any]:
        """All values by the names of their parameters."""
        return {name: self[name] for name in self}

    def update(self, values: Mapping[str, Any]) -> None:
        """Set several values. Where one does not fit, none is set."""
        for name in values:
            if name in self._definitions and self._definitions[name].dynamic and self[name] != values[name]:
                # What stands behind a choice exists once it is made.
                before = self[name]
                self[name] = values[name]
                try:
                    self.update(values)
                except WorkflowError:
                    self[name] = before
                    raise
                return
        found = {name: self._param(name) for name in values}
        checked = {attribute(found[name].name): self._check(found[name].name, value) for name, value in values.items()}
        with self.hold_trait_notifications():
            for name, value in checked.items():
                setattr(self, name, value)

    def __repr__(self) -> str:
        return "\n".join(f"{name} = {value!r}" for name, value in self.to_dict().items()) or "no parameters"


def attribute(name: str) -> str:
    """The attribute that holds the parameter `name`."""
    return f"{name}_" if name in _TAKEN or name in ("redefine", "to_dict", "update") else name
