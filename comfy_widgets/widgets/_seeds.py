"""What becomes of the seeds of a form from one run to the next: fixed, increment, decrement or randomize."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, get_args

from ..errors import WorkflowError
from ..workflow import did_you_mean
from . import _fields as fields
from ._schema import SeedMode

if TYPE_CHECKING:
    from ..workflow import Param, Params, Workflow
    from ._values import ParamValues

MODES: tuple[SeedMode, ...] = get_args(SeedMode)


class Form(Protocol):
    """What seeds need of the form."""

    params: ParamValues

    @property
    def definitions(self) -> Params:
        """The parameters by name."""

    @property
    def locked(self) -> frozenset[str]:
        """The fields that no browser may change."""

    @property
    def workflow(self) -> Workflow:
        """The workflow with the values of the form."""

    def put_all(self, makes: Mapping[str, Callable[[], Any]]) -> None:
        """Set fields, and tell the browsers."""


class Seeds:
    """The modes of a form's seeds, and which of the seeds that stand there have run.

    The form shows the seed of the last run, so that it is the one of the images: a mode counts when the next run
    starts. What stands in a field and has not run yet, because somebody typed or set it, runs as it is.

    Parameters
    ----------
    form : Form
    """

    def __init__(self, form: Form) -> None:
        self._form = form
        self._chosen: dict[str, SeedMode] = {}
        self._have_run: set[str] = set()
        self._drawn: dict[str, int] = {}

    # Reading

    def modes(self) -> dict[str, SeedMode]:
        """Return the mode of each seed, by the names of the fields."""
        definitions = self._form.definitions
        return {name: self._mode(param) for name, param in definitions.items() if fields.kind_of(param) == "seed"}

    def _mode(self, param: Param) -> SeedMode:
        if self._is_random(param):
            return "randomize"
        said = param.control_after_generate
        return self._chosen.get(param.name, said if said in MODES else "fixed")

    def numbers(self) -> dict[str, int]:
        """Return what the fields show that were set to "random": the seed of the last run, before the first one any."""
        definitions = self._form.definitions
        names = self._random_names()
        return {name: self._drawn.setdefault(name, fields.new_seed(definitions[name])) for name in names}

    def find(self, name: str) -> str:
        """Return the name of the field of a seed.

        Raises
        ------
        WorkflowError
            There is no parameter of that name, or it is no seed.
        """
        param = self._form.definitions.find(name)
        if fields.kind_of(param) != "seed":
            raise param.error("is no seed, so it has no mode.")
        return param.name

    def _is_random(self, param: Param) -> bool:
        return fields.is_random(param, self._form.params[param.name])

    def _random_names(self) -> list[str]:
        return [name for name, param in self._form.definitions.items() if self._is_random(param)]

    # Choosing

    def choose(self, modes: Mapping[str, SeedMode]) -> None:
        """Take other modes."""
        shown = self.numbers()
        self._chosen.update(modes)
        # A seed that is "random" no longer is what the browser shows.
        left = [name for name, mode in modes.items() if name in shown and mode != "randomize"]
        self._form.put_all({name: partial(int, shown[name]) for name in left})

    def take(self, modes: Mapping[str, SeedMode]) -> None:
        """Take the modes that a browser sends, as far as there are such seeds and it may change them."""
        known = self.modes().keys() - self._form.locked
        self.choose({name: mode for name, mode in modes.items() if name in known and mode in MODES})

    def keep_random(self) -> None:
        """Go on drawing the seeds that are "random" when a browser sets them to a number."""
        self._chosen.update(dict.fromkeys(self._random_names(), "randomize"))

    def hold(self, names: Iterable[str]) -> None:
        """Let these seeds stand from now on, where they are numbers."""
        self._chosen.update(dict.fromkeys(names, "fixed"))

    # Running

    def was_set(self, name: str) -> None:
        """Hear that a field was set, to what stands there already or to something else."""
        self._have_run.discard(name)

    def have_run(self, values: Mapping[str, Any]) -> None:
        """Hear of the values of a run that has started."""
        for name in self.modes():
            if name in values and self._form.params[name] == values[name]:
                self._have_run.add(name)

    def have_not_run(self, values: Mapping[str, Any]) -> None:
        """Hear that the server has refused a run with these values: what stands there still runs as it is."""
        for name in self.modes():
            if name in values and self._form.params[name] == values[name]:
                self._have_run.discard(name)

    def move(self, *, all_of_them: bool = False) -> dict[str, int]:
        """Let the seeds that have run go on, or all of them, and return those that did."""
        definitions = self._form.definitions
        moved: dict[str, int] = {}
        for name, mode in self.modes().items():
            if mode == "fixed" or self._is_random(definitions[name]) or not (all_of_them or name in self._have_run):
                continue
            moved[name] = fields.next_seed(definitions[name], mode, self._form.params[name])
        if moved:
            self._form.put_all({name: partial(int, seed) for name, seed in moved.items()})
        return moved

    def of_its_own(self) -> dict[str, int]:
        """Return seeds for a further run that would be the same as the one before; the form keeps its own."""
        definitions, modes = self._form.definitions, self.modes()
        if any(mode != "fixed" for mode in modes.values()) or self._texts_vary():
            return {}
        return {name: fields.new_seed(definitions[name]) for name in modes if name not in self._form.locked}

    def _texts_vary(self) -> bool:
        definitions = self._form.definitions
        return any(definitions[name].kind == "text" for name in self._form.workflow.settle().drawn)

    def was_drawn(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """Take over the seeds that were drawn for a run where the fields are "random", and return them."""
        seeds = {name: drawn[name] for name in self._random_names() if name in drawn}
        self._drawn.update(seeds)
        return seeds


class SeedModes(Mapping[str, SeedMode]):
    """The modes of a form's seeds by name, each ``"fixed"``, ``"increment"``, ``"decrement"`` or ``"randomize"``.

    Made by `ComfyPanel.seed_modes`.

    Parameters
    ----------
    seeds : Seeds

    Examples
    --------
    >>> from comfy_widgets import ComfyPanel, example
    >>> panel = ComfyPanel(example(), client)
    >>> panel.seed_modes
    {'seed': 'fixed'}
    >>> panel.seed_modes["seed"] = "increment"
    >>> [panel.run().prompt["3"]["inputs"]["seed"] for _ in range(3)]
    [42, 43, 44]
    """

    def __init__(self, seeds: Seeds) -> None:
        self._seeds = seeds

    def __getitem__(self, name: str) -> SeedMode:
        return self._seeds.modes()[self._seeds.find(name)]

    def __setitem__(self, name: str, mode: SeedMode) -> None:
        self.update({name: mode})

    def __iter__(self) -> Iterator[str]:
        return iter(self._seeds.modes())

    def __len__(self) -> int:
        return len(self._seeds.modes())

    def __contains__(self, name: object) -> bool:
        return name in self._seeds.modes()

    def update(self, modes: Mapping[str, SeedMode]) -> None:
        """Set several modes. Where one does not fit, none is set.

        Parameters
        ----------
        modes : Mapping

        Raises
        ------
        WorkflowError
            There is no such parameter, it is no seed, or there is no such mode.

        Examples
        --------
        >>> panel = ComfyPanel(example(), client)
        >>> panel.seed_modes.update({"seed": "randomize"})
        """
        found = {self._seeds.find(name): mode for name, mode in modes.items()}
        for name, mode in found.items():
            if mode not in MODES:
                hint = did_you_mean(mode, MODES)
                raise WorkflowError(f"The mode of {name} is {mode!r}, which is none of {', '.join(MODES)}.{hint}")
        self._seeds.choose(found)

    def __repr__(self) -> str:
        return repr(self._seeds.modes())
