"""What a conversion tells besides the prompt: where it had to choose, and where it differs from the real front end."""

from __future__ import annotations

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
#: ``unplaced-value``  a value that the file holds found no input, so that the run does without it
#: ``unknown-wire``    a connection that only the browser knows how to make
#: ``browser-only``    a value that only a browser can make
NoteKind: TypeAlias = Literal[
    "missing-class",
    "frontend-differs",
    "substituted",
    "dropped",
    "random-choice",
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
