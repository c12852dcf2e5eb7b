"""The pre-flight check: what a server would refuse, said before anything is sent, in words and with node titles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._check_values import Severity, article, judge
from ._convert.replace import replace_classes
from ._convert.resolve import compatible
from ._dynamic import declared_input
from ._missing import Missing, ModelFile, find_missing, pack_of
from ._param import did_you_mean
from ._prompt import Prompt, flow_order, is_link, links, unique_titles, unwrap
from ._specs import DynamicCombo, InputSpec, NodeSpec, NodeSpecs

if TYPE_CHECKING:
    from ._convert import Note

# Of a class's name, only one that is nearly the same is a guess worth making.
_NEAR_CLASS = 0.85
_TOLD_AS_WARNINGS = frozenset({"unplaced-value", "unknown-wire", "browser-only"})


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a workflow on a server.

    Attributes
    ----------
    severity : {"error", "warning"}
        The server refuses an error. With a warning it runs, though perhaps not as you mean.
    message : str
        One or two sentences for a person: where, what, and what to do.
    node_id, node_title, class_type, input_name : str
        Where, for a program; empty where it concerns the whole workflow.

    Examples
    --------
    >>> workflow = example().remove("Save Image")
    >>> problem = workflow.check(client.object_info())[0]
    >>> problem.severity, str(problem)
    ('error', 'No node gives a result, so there is nothing to run. Add one, such as Save Image.')
    """

    severity: Severity
    message: str
    node_id: str = ""
    node_title: str = ""
    class_type: str = ""
    input_name: str = ""

    def __str__(self) -> str:
        return self.message


def check_prompt(
    prompt: Prompt,
    specs: NodeSpecs,
    uploads: Collection[str] = (),
    *,
    models: Mapping[str, ModelFile] | None = None,
    notes: Sequence[Note] = (),
) -> list[Problem]:
    """Return all problems of a prompt, errors first.

    Parameters
    ----------
    prompt : dict
        API format.
    specs : NodeSpecs
        The server's definitions.
    uploads : collection of str
        Names of images that will be on the server by the time it runs.
    models : Mapping, optional
        What the file says of its models, by name.
    notes : sequence of Note
        What the conversion had to say; what is lost by it is a warning.
    """
    prompt = replace_classes(prompt, specs)
    wireless = any(note.kind == "unknown-wire" for note in notes)
    found = list(_Check(prompt, specs, uploads, models or {}, wireless=wireless).problems())
    found += [_told(note, prompt) for note in notes if note.kind in _TOLD_AS_WARNINGS]
    return sorted(found, key=lambda problem: problem.severity != "error")


def _told(note: Note, prompt: Prompt) -> Problem:
    node_id = note.node_id or ""
    class_type = prompt[node_id]["class_type"] if node_id in prompt else ""
    return Problem("warning", note.message, node_id, note.node_title or "", class_type, note.input_name or "")


class _Check:
    def __init__(
        self,
        prompt: Prompt,
        specs: NodeSpecs,
        uploads: Collection[str],
        models: Mapping[str, ModelFile],
        *,
        wireless: bool,
    ) -> None:
        self.prompt = prompt
        self.specs = specs
        self.uploads = uploads
        self.models = models
        self.wireless = wireless
        self.titles = unique_titles(prompt, specs)
        self.needed = self._needed()
        self.missing = find_missing(prompt, specs, models)

    def problems(self) -> Iterator[Problem]:
        yield from self._missing_classes()
        yield from self._to_install()
        yield from self._cycles()
        known = [node["class_type"] in self.specs for node in self.prompt.values()]
        if all(known) and not any(self.specs[node["class_type"]].output_node for node in self.prompt.values()):
            yield Problem("error", "No node gives a result, so there is nothing to run. Add one, such as Save Image.")
        for node_id in flow_order(self.prompt):
            if self.prompt[node_id]["class_type"] in self.specs:
                yield from self._node(node_id)

    def _needed(self) -> set[str]:
        """Collect the nodes that some result needs: the server looks at no others."""
        queue = [
            node_id
            for node_id, node in self.prompt.items()
            if node["class_type"] not in self.specs or self.specs[node["class_type"]].output_node
        ]
        needed = set(queue)
        for node_id in queue:
            fresh = {origin for _, origin, _ in links(self.prompt[node_id])} & self.prompt.keys() - needed
            needed |= fresh
            queue += fresh
        return needed

    def _problem(self, node_id: str, input_name: str, what: str, severity: Severity) -> Problem:
        title = self.titles[node_id]
        if severity == "error" and node_id not in self.needed:
            severity, what = "warning", f"{what} (No result needs this node, so the server will not mind.)"
        class_type = self.prompt[node_id]["class_type"]
        return Problem(severity, f"{title}: {what}", node_id, title, class_type, input_name)

    # -- the whole graph -------------------------------------------------------------------------------------------

    def _missing_classes(self) -> Iterator[Problem]:
        missing: dict[str, list[str]] = {}
        for node_id in flow_order(self.prompt):
            if self.prompt[node_id]["class_type"] not in self.specs:
                missing.setdefault(self.prompt[node_id]["class_type"], []).append(node_id)
        for class_type, ids in missing.items():
            titles = ", ".join(repr(self.titles[node_id]) for node_id in ids[:3]) + (", ..." if len(ids) > 3 else "")
            advice = self._where_from(class_type, ids)
            used = f"the node {titles}" if len(ids) == 1 else f"{len(ids)} nodes: {titles}"
            yield Problem(
                "error",
                f"The server does not know the node class {class_type!r} (used by {used}).{advice}",
                ids[0],
                self.titles[ids[0]],
                class_type,
            )

    def _where_from(self, class_type: str, ids: list[str]) -> str:
        pack = next((found for node_id in ids if (found := pack_of(self.prompt[node_id])).id), None)
        if pack is None:
            return did_you_mean(class_type, self.specs, _NEAR_CLASS) or " Install the pack that has it."
        if pack.is_core:
            made = f" of version {pack.version}" if pack.version else ""
            return f" It is a part of ComfyUI{made} itself: the server is too old for it. Update the server."
        return f" It comes from the pack {pack.id!r}: install that on the server."

    def _to_install(self) -> Iterator[Problem]:
        packs = [pack for pack in self.missing.packs if pack.id and not pack.is_core]
        if len(packs) > 1:
            yield Problem("warning", f"To install all missing packs at once: {Missing(packs=tuple(packs))}")

    def _cycles(self) -> Iterator[Problem]:
        for cycle in find_cycles(self.prompt):
            round_trip = " -> ".join(self.titles[node_id] for node_id in [*cycle, cycle[0]])
            first = cycle[0]
            yield Problem(
                "error",
                f"These nodes wait for each other: {round_trip}. Take out one of the links.",
                first,
                self.titles[first],
                self.prompt[first]["class_type"],
            )

    # -- one node --------------------------------------------------------------------------------------------------

    def _node(self, node_id: str) -> Iterator[Problem]:
        node = self.prompt[node_id]
        spec = self.specs[node["class_type"]]
        yield from self._missing_inputs(node_id, spec.inputs, "")
        for name, value in node["inputs"].items():
            declared = declared_input(spec, name, node["inputs"])
            if is_link(value):
                yield from self._link(node_id, name, value, declared)
            elif declared is not None:
                for severity, what in judge(name, unwrap(value), declared, self.uploads, self.models):
                    yield self._problem(node_id, name, what, severity)
            else:
                yield from self._undeclared(node_id, name, spec)

    def _missing_inputs(self, node_id: str, inputs: tuple[InputSpec, ...], prefix: str) -> Iterator[Problem]:
        given = self.prompt[node_id]["inputs"]
        for spec in inputs:
            name = prefix + spec.name
            growing = spec.dynamic is not None and not spec.is_widget and spec.type != "COMFY_MATCHTYPE_V3"
            if name not in given:
                if spec.required and not growing and spec.type != "COMFY_DYNAMICGROUP_V3":
                    how = "needs a value" if spec.is_widget else f"is not connected; it needs {article(spec.type)}"
                    hint = " Use Everywhere may connect it in the browser: see the warning." if self.wireless else ""
                    yield self._problem(node_id, name, f"{name} {how}.{'' if spec.is_widget else hint}", "error")
            elif isinstance(spec.dynamic, DynamicCombo):
                variant = spec.dynamic.variant(given[name])
                if variant is not None:
                    yield from self._missing_inputs(node_id, variant.inputs, f"{name}.")

    def _link(self, node_id: str, name: str, link: list[Any], declared: InputSpec | None) -> Iterator[Problem]:
        origin_id, slot = link
        origin = self.prompt.get(origin_id)
        if origin is None:
            what = f"{name} is linked to node {origin_id!r}, which is not in the workflow."
            yield self._problem(node_id, name, what, "error")
            return
        if origin["class_type"] not in self.specs:
            return
        outputs = self.specs[origin["class_type"]].outputs
        title = self.titles[origin_id]
        if not 0 <= slot < len(outputs):
            count = "no outputs" if not outputs else f"only {len(outputs)} output{'s' * (len(outputs) > 1)}"
            what = f"{name} is linked to output {slot} of {title}, which has {count} (counted from 0)."
            yield self._problem(node_id, name, what, "error")
        elif declared is not None and not compatible(outputs[slot].type, _socket_type(declared)):
            what = f"{name} wants {article(declared.type)}, but {title} gives {article(outputs[slot].type)} there."
            yield self._problem(node_id, name, what, "error")

    def _undeclared(self, node_id: str, name: str, spec: NodeSpec) -> Iterator[Problem]:
        # Editors send inputs that the class does not declare, and the server ignores them: only a likely slip is told.
        absent = [known.name for known in spec.inputs if known.name not in self.prompt[node_id]["inputs"]]
        if hint := did_you_mean(name, absent):
            yield self._problem(node_id, name, f"it has no input {name!r}, so that value is ignored.{hint}", "warning")


def find_cycles(prompt: Prompt) -> list[list[str]]:
    """Return each knot of nodes that wait for one another, as a round trip in the direction of the work."""
    state: dict[str, int] = {}
    cycles: list[list[str]] = []
    for start in prompt:
        if start in state:
            continue
        path: list[str] = [start]
        stack = [links(prompt[start])]
        state[start] = 1
        while stack:
            for _, origin, _ in stack[-1]:
                if origin not in prompt or state.get(origin) == 2:
                    continue
                if state.get(origin) == 1:
                    cycles.append(path[path.index(origin) :][::-1])
                    continue
                state[origin] = 1
                path.append(origin)
                stack.append(links(prompt[origin]))
                break
            else:
                stack.pop()
                state[path.pop()] = 2
    return cycles


def _socket_type(spec: InputSpec) -> str:
    allowed = getattr(spec.dynamic, "allowed_types", None) or getattr(spec.dynamic, "slot_type", None)
    if allowed:
        return str(allowed)
    return "*" if spec.dynamic is not None and not spec.is_widget else spec.type
