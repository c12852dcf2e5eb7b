"""The state of a form: a workflow, the values set for it, and what the browser is told of both."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ComfyError, WorkflowError
from ..workflow import Param, Params
from . import _fields as fields
from ._choices import Hints
from ._form_files import FormFiles
from ._remote import RemoteChoices
from ._run_state import FieldName, NotOnServer, Place
from ._seeds import Seeds
from ._values import ParamValues, attribute

if TYPE_CHECKING:
    from ..client import ComfyClient
    from ..workflow import Choose, Workflow
    from ._schema import (
        Edit,
        FormSpec,
        Frame,
        Values,
    )

logger = logging.getLogger(__name__)

_MOST_SENTENCES = 4
"""Things that a server lacks of which each gets a sentence of its own."""


class FormBrowser(Protocol):
    """A widget whose browser shows the form: it has the traits `_form` and `_values`."""

    def set_trait(self, name: str, value: Any) -> None:
        """Set one of the two traits."""


class FormState:
    """The state of a form, however many widgets show it.

    Parameters
    ----------
    workflow : object
        Anything that `Workflow.load` takes.
    client : ComfyClient
    params : iterable of str, or Mapping, optional
        What the form shows at once; see `Workflow.expose`.
    title : str, optional

    Attributes
    ----------
    params : ParamValues
        The values as traits.
    problem : ComfyError or None
        Why the server's definitions could not be had, or the workflow not be read with them.
    outputs : tuple of str
        Ids of the nodes whose outputs the workflow's author chose to show; empty where nothing was chosen.
    spec : FormSpec
        The trait `_form`.
    """

    def __init__(
        self, workflow: Any, client: ComfyClient, params: Choose | None = None, *, title: str | None = None
    ) -> None:
        self.client = client
        self.problem: ComfyError | None = None
        self._warnings: list[str] = []
        self._caused: list[str] = []
        # Held while values are put together and sent, so that the last values sent are the last ones there were.
        self._publishing = threading.RLock()
        self._browsers: list[FormBrowser] = []
        from ..workflow import Workflow

        self._loaded = Workflow.load(workflow)
        self._choose = params
        self._title = title
        self._errors: dict[str, str] = {}
        self._hints = Hints()
        self.seeds: Seeds = Seeds(self)
        self._locked: frozenset[str] = frozenset()
        self._acks: dict[str, int] = {}
        self._taking = False
        self.files: FormFiles = FormFiles(self)
        self.outputs: tuple[str, ...] = ()
        self._image_nodes = 1
        self._remote = RemoteChoices(client, self.redefine, self.warn)
        # Choices of other routes may come before this is done.
        with self._publishing:
            self._definitions = self._define()
            self.params: ParamValues = ParamValues(self._definitions, self.files.to_server, self.seeds.was_set)
            self.params.observe(self._on_change)
            self.spec: FormSpec = self._describe()

    # Reading

    @property
    def workflow(self) -> Workflow:
        """The workflow with the values of the form."""
        defined = self._definitions
        changed = {
            name: value
            for name, value in self.params.to_dict().items()
            # A file's own "random" is no value for a server: here it becomes a seed.
            if value != defined[name].value or fields.is_random(defined[name], value)
        }
        return self._loaded.with_params(changed)

    @property
    def frame(self) -> Frame:
        """The images that a run would make."""
        return fields.frame(self._definitions, self.params.to_dict(), self._image_nodes)

    @property
    def places(self) -> dict[Place, FieldName]:
        """The fields by node id and input name."""
        return {(p.node_id, p.input_name): FieldName(name, p.label) for name, p in self._definitions.items()}

    def missing_error(self) -> WorkflowError | None:
        """Return what this server lacks for the workflow, nodes and models."""
        workflow = self.workflow
        missing = workflow.missing()
        found = [
            (p.message, p.class_type or p.message)
            for p in workflow.check()
            if p.severity == "error" and not p.input_name
        ]
        found += [(f"The server does not have the model {model.name}.", model.name) for model in missing.models]
        if not found:
            return None
        first, rest = (found, []) if len(found) <= _MOST_SENTENCES else (found[:3], found[3:])
        lines = [sentence for sentence, _ in first]
        lines += [f"And {len(rest)} more: {', '.join(name for _, name in rest)}."] if rest else []
        return NotOnServer("\n".join(lines), str(missing) if missing else "")

    def refused_error(self) -> WorkflowError:
        """Return why the values that a browser gave last cannot run."""
        return WorkflowError("\n".join(self._errors.values()))

    def values(self) -> Values:
        """Return the trait `_values`."""
        values = {**self.params.to_dict(), **self.seeds.numbers()}
        return {
            "values": {name: fields.to_wire(param, values[name]) for name, param in self._definitions.items()},
            "errors": {name: error for name, error in self._errors.items() if name in self._definitions},
            "hints": self._hints.of(self._definitions, values),
            "modes": {name: mode for name, mode in self.seeds.modes().items() if name not in self._locked},
            "frame": self.frame,
            "warnings": [*self._warnings],
            "acks": dict(self._acks),
        }

    # Changing

    def started(self, values: Mapping[str, Any], drawn: Mapping[str, Any]) -> dict[str, Any]:
        """Hear of a run with these values, and of what was drawn for it; return the values that it really has."""
        with self._publishing:
            seeds = self.seeds.was_drawn(drawn)
            self.seeds.have_run(values)
            if seeds:
                self._publish()
        return {**values, **seeds}

    def attach(self, browser: FormBrowser) -> None:
        """Keep a widget's traits up to date from now on."""
        with self._publishing:
            self._browsers.append(browser)
            # What has changed since it read them.
            browser.set_trait("_form", self.spec)
            browser.set_trait("_values", self.values())

    def detach(self, browser: FormBrowser) -> None:
        """Tell a widget nothing more."""
        with self._publishing:
            self._browsers = [known for known in self._browsers if known is not browser]

    def close(self) -> None:
        """Let go of all widgets and observers."""
        with self._publishing:
            self._browsers = []
        self.params.unobserve_all()

    def refresh(self) -> None:
        """Ask the server for its definitions again."""
        self.client.object_info(refresh=True)
        chosen = self._remote.ask_again(self._definitions)
        self.redefine()
        self.use({name: value for name, value in chosen.items() if name not in self._locked})
        if self.problem is not None:
            raise self.problem

    def redefine(self) -> None:
        """Describe the form anew, after the server's definitions have come."""
        with self._publishing:
            self._definitions = self._define()
            self._hints = Hints()
            self.params.redefine(self._definitions)
            self.spec = self._describe()
            try:
                self._tell("_form", self.spec)
            finally:
                self._publish()

    def lock(self, names: Iterable[str]) -> None:
        """Let no browser change these fields, and every other one."""
        locked = frozenset(names)
        for name in locked:
            # Raises, with the nearest name, where there is no such parameter.
            self._definitions[name]
        with self._publishing:
            self._locked = locked
            self.seeds.hold(locked)
            self.redefine()

    def use(self, values: Mapping[str, Any]) -> None:
        """Take over the values of an earlier run, as far as the form has them and they still fit."""
        names = sorted(values, key=self._is_dynamic, reverse=True)
        self.put_all({name: partial(_same, values[name]) for name in names})

    def put_all(self, makes: Mapping[str, Callable[[], Any]]) -> None:
        """Set fields, as far as there are such, and tell the browsers once."""
        with self._publishing:
            taking, self._taking = self._taking, True
            for name, make in makes.items():
                if name in self._definitions:
                    self._set(name, make)
            self._taking = taking
            try:
                self._publish()
            except Exception as error:
                self.warn("An observer of the values", error)

    @property
    def definitions(self) -> Params:
        """The parameters by name."""
        return self._definitions

    @property
    def locked(self) -> frozenset[str]:
        """The fields that no browser may change."""
        return self._locked

    def _define(self) -> Params:
        """Read the parameters with the server's definitions; without them as well as can be guessed."""
        self.problem = None
        try:
            self._loaded = self._loaded.bind(self.client.object_info())
        except ComfyError as error:
            self.problem = error
        try:
            if self._choose is not None:
                self._loaded = self._loaded.expose(self._choose)
            params = self._remote.fill(self._loaded.params())
            prompt = self._loaded.to_prompt()
        except ComfyError as error:
            if self.problem is None:
                raise
            # An editor's workflow cannot be read without definitions: the server is what is missing.
            logger.info("the workflow waits for the server's definitions: %s", error)
            return Params(())
        self.outputs = self._loaded.outputs
        self._image_nodes = fields.outputs_of({node: prompt[node] for node in self.outputs if node in prompt} or prompt)
        return params

    def _describe(self) -> FormSpec:
        try:
            text = self.client.description
            embedded = self.client.embedded
        except ComfyError:
            text, embedded = f"Not connected · {self.client.url}", False
        name = text.split(" · ")[0] if embedded else text
        return {
            "title": self._title or self._name(),
            "server": {"text": name[:1].upper() + name[1:], "embedded": embedded, "ok": self.problem is None},
            "fields": [
                {**fields.field(param), "locked": name in self._locked} for name, param in self._definitions.items()
            ],
        }

    def _name(self) -> str:
        """Return the name of the file that the workflow came from, as words."""
        file = re.fullmatch(r"(?:.*[/\\])?([^/\\]+)\.\w{2,5}", self._loaded.source)
        words = re.sub(r"[_\s]+", " ", file[1]).strip() if file else ""
        return words[:1].upper() + words[1:] if words else "ComfyUI workflow"

    def _publish(self) -> None:
        with self._publishing:
            if self._taking:
                return
            self._tell("_values", self.values())

    def _tell(self, name: str, value: object) -> None:
        failed: Exception | None = None
        for browser in self._browsers:
            try:
                browser.set_trait(name, value)
            except Exception as error:
                # An observer's; the other browsers hear of it all the same.
                failed = error
        if failed is not None:
            raise failed

    def warn(self, what: str, error: Exception) -> None:
        """Tell the browser that something of the user's own has failed."""
        logger.error("%s failed", what, exc_info=error)
        with self._publishing:
            told = f"{what} failed. {type(error).__name__}: {error}"
            if told not in self._warnings:
                self._warnings.append(told)
            if self._taking:
                self._caused.append(told)
            with contextlib.suppress(Exception):
                self._publish()

    def _on_change(self, change: Mapping[str, Any]) -> None:
        for name in [name for name in self._errors if attribute(name) == change["name"]]:
            del self._errors[name]
        changed = next((name for name in self._definitions if attribute(name) == change["name"]), "")
        if self._is_dynamic(changed):
            self._follow(changed)
        self._publish()

    def _is_dynamic(self, name: str) -> bool:
        """Tell whether other fields stand behind this one."""
        return name in self._definitions and self._definitions[name].dynamic

    def _follow(self, name: str) -> None:
        """Show the fields that stand behind another choice; what fits there keeps its value."""
        with self._publishing:
            taking, self._taking = self._taking, True
            try:
                self._loaded = self._loaded.with_params({name: self.params[name]})
                self.redefine()
                chosen = self._definitions[name]
                for inner, param in self._definitions.items():
                    if param.node_id == chosen.node_id and param.input_name.startswith(f"{chosen.input_name}."):
                        self._set(inner, partial(self._fitting, param))
            finally:
                self._taking = taking

    def _fitting(self, param: Param) -> Any:
        try:
            return param.check(self.params[param.name])
        except WorkflowError:
            return param.value

    # What the browser says

    def take(self, message: Edit) -> bool:
        """Take values from a browser; False where one of them does not fit."""
        with self._answer(message["page"], message["n"]):
            self.seeds.keep_random()
            fits = [
                self._set(name, partial(self._from_wire, name, wired))
                for name, wired in message["values"].items()
                if name not in self._locked
            ]
            self.seeds.take(message["modes"])
        return all(fits)

    @contextlib.contextmanager
    def _answer(self, page: str, n: int) -> Iterator[None]:
        """Answer an edit with one set of values that includes all of it."""
        with self._publishing:
            self._taking = True
            # Run comes right after an edit, and is one itself: what the edit before has caused is still to be read.
            self._warnings, self._caused = self._caused, []
            try:
                yield
            finally:
                self._taking = False
                self._acks = {**self._acks, page: n}
                try:
                    self._publish()
                except Exception as error:
                    self.warn("An observer of the values", error)

    def put(self, name: str, make: Callable[[], Any], edit: tuple[str, int] | None = None) -> None:
        """Set a field; `edit` is the page and the number of what is answered by it."""
        with self._publishing:
            if edit is None:
                self._set(name, make)
                self._publish()
                return
            with self._answer(*edit):
                self._set(name, make)

    def _from_wire(self, name: str, value: Any) -> Any:
        return fields.from_wire(self._definitions[name], value)

    def _set(self, name: str, make: Callable[[], Any]) -> bool:
        self._errors.pop(name, None)
        try:
            self.params[name] = make()
        except ComfyError as error:
            self._errors[name] = str(error)
            return False
        except Exception as error:
            # The value is set, and the browser must hear of it.
            self.warn(f"An observer of {name!r}", error)
        return True


def _same(value: Any) -> Any:
    return value
