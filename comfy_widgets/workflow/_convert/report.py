"""What a conversion tells besides the prompt: where it had to choose, and where it differs from the real front end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from .run_texts import RunTexts

#: What a note is about.
#:
#: ``missing-class``   the server has no such node class; its values were emitted as well as can be
#: ``frontend-differs`` the real front end sends something else here, or nothing at all
#: ``substituted``     a value that cannot be sent (null, NaN) was replaced by the default
#: ``dropped``         something in the file could not be used and was left out
#: ``random-choice``   a text held ``{a|b}`` choices; one was picked, or they were left as they are
#: ``replaced``        the server has another class for it now
#: ``unplaced-value``  a value that the file holds found no input, so that the run does without it
#: ``unknown-wire``    a connection that only the browser knows how to make
#: ``browser-only``    a value that only a browser can make
NoteKind: TypeAlias = Literal[
    "missing-class",
    "frontend-differs",
    "substituted",
    "dropped",
    "random-choice",
    "replaced",
    "unplaced-value",
    "unknown-wire",
    "browser-only",
]


@dataclass(frozen=True)
class Note:
    """One remark about a conversion. ``str(note)`` is a sentence for a person."""

    kind: NoteKind
    message: str
    node_id: str | None = None
    node_title: str | None = None
    input_name: str | None = None

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Conversion:
    """An API prompt, what there is to say about how it came to be, and what of it is written anew for each run."""

    prompt: dict[str, dict[str, Any]]
    report: tuple[Note, ...] = ()
    texts: RunTexts = field(default_factory=RunTexts)


@dataclass
class Report:
    """Collects notes, each once."""

    notes: dict[Note, None] = field(default_factory=dict)

    def add(self, kind: NoteKind, message: str, node: tuple[str, str] | None = None, input_name: str = "") -> None:
        """Note `message`; `node` is ``(execution id, title)``."""
        node_id, title = node or (None, None)
        self.notes[Note(kind, message, node_id, title, input_name or None)] = None


def unplaced_values(title: str, class_type: str, values: Sequence[tuple[str, Any]]) -> str:
    """A sentence on values of a node that found no input, each with its name if that is known."""
    node = f'"{title}"' if title == class_type else f'"{title}" ({class_type})'
    what, them, they = (
        ("a value", "it", "It comes") if len(values) == 1 else (f"{len(values)} values", "them", "They come")
    )
    return (
        f"{node} holds {what} that none of its inputs on this server takes, so the run does without {them}: "
        f"{_listed(values)}. {they} from another version of the node, or from a widget that its pack adds in the "
        "browser."
    )


def browser_only(title: str, class_type: str, does: str, name: str) -> str:
    """A sentence on a node that runs on what only the browser makes."""
    return (
        f'"{title}" ({class_type}) can only run from a browser: the front end {does} and puts that into its {name}, '
        "which the file does not hold. Put a node that loads a file in its place, or take the prompt of a run that was "
        "started in the browser."
    )


def missing_class(title: str, class_type: str, values: Sequence[tuple[str, Any]]) -> str:
    """A sentence on a node whose class the server lacks, and on those of its values that nobody can name."""
    sent = "It is sent as well as can be read."
    if values:
        sent = (
            f"It is sent as well as can be read, without values whose inputs only the server knows: {_listed(values)}."
        )
    return f'"{title}" is a {class_type}, which this server does not have. {sent}'


def _listed(values: Sequence[tuple[str, Any]]) -> str:
    shown = [f"{name} {_shortened(value)}" if name else _shortened(value) for name, value in values[:4]]
    return ", ".join(shown) + (", ..." if len(values) > len(shown) else "")


def _shortened(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
