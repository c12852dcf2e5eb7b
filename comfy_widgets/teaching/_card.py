"""The card of a lesson: its notes, the question, and prediction and outcome side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ._base import TeachingWidget, webp
from ._questions import Question

if TYPE_CHECKING:
    from PIL.Image import Image

    from ._schema import LessonState

MAX_RESULTS = 4
_SIDE = 384


class LessonCard(TeachingWidget):
    """What a lesson shows beside the thing to try; made by `Lesson`."""

    _bundle: ClassVar[str] = "lesson"

    def __init__(
        self,
        question: Question,
        title: str,
        notes: Sequence[str],
        action: str,
        on_predict: Callable[[Any], object],
        on_reveal: Callable[[], object],
        on_again: Callable[[], object],
    ) -> None:
        self._question = question
        self._on_predict, self._on_reveal, self._on_again = on_predict, on_reveal, on_again
        pictures = {f"option{n}": webp(p, _SIDE) for n, p in enumerate(question.pictures) if p is not None}
        pictures |= {f"shown{n}": webp(picture, _SIDE) for n, (_, picture) in enumerate(question.shown)}
        options = [
            {"label": label, "picture": f"option{n}" if f"option{n}" in pictures else ""}
            for n, label in enumerate(question.options)
        ]
        state: LessonState = {
            "title": title,
            "notes": list(notes),
            "kind": question.kind,
            "question": question.text,
            "options": options,  # type: ignore[typeddict-item]
            "shown": [{"label": label, "picture": f"shown{n}"} for n, (label, _) in enumerate(question.shown)],
            "range": [question.low, question.high, question.step],
            "unit": question.unit,
            "phase": "predict",
            "action": action,
            "answer": None,
            "right": None,
            "correct": None,
            "verdict": "",
            "reason": "",
            "results": [],
            "problem": "",
        }
        super().__init__(state)
        self._put_pictures(pictures)

    def predicted(self, answer: Any) -> None:
        """Show what was predicted, and that it is to be tried now."""
        self._set_state(phase="try", answer=self._on_wire(answer), problem="")

    def answered(self, right: Any, correct: bool, verdict: str, images: Sequence[Image]) -> None:
        """Show prediction and outcome side by side."""
        results = {f"result{n}": webp(image, _SIDE) for n, image in enumerate(images[:MAX_RESULTS])}
        self._put_pictures(results)
        self._set_state(
            phase="answered",
            right=self._on_wire(right),
            correct=correct,
            verdict=verdict,
            reason=self._question.reason,
            results=list(results),
            problem="",
        )

    def restored(self, state: Mapping[str, Any], pictures: Mapping[str, bytes]) -> None:
        """Show what an earlier card of the same question showed in the end."""
        self._put_pictures(pictures)
        names = ("phase", "answer", "right", "correct", "verdict", "reason", "results")
        self._set_state(**{name: state[name] for name in names})

    def begin_again(self) -> None:
        """Ask once more."""
        self._set_state(phase="predict", answer=None, right=None, correct=None, verdict="", reason="", results=[])

    def trouble(self, words: str) -> None:
        """Say that something went wrong."""
        self._set_state(problem=words)

    def snapshot(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return what it shows."""
        results = {name: self._pictures[name] for name in self._state["results"]}
        return dict(self._state), results

    def _on_wire(self, answer: Any) -> Any:
        options = self._question.options
        if self._question.kind == "estimate":
            return answer
        if self._question.kind == "order":
            return [options.index(label) for label in answer]
        return options.index(answer)

    def _changes(self) -> Mapping[str, Callable[[Any], object]]:
        return {
            "answer": self._take,
            "reveal": lambda _: self._on_reveal(),
            "again": lambda _: self._on_again(),
        }

    def _take(self, value: Any) -> None:
        try:
            self._on_predict(value)
        except (TypeError, ValueError) as error:
            self.trouble(str(error))
