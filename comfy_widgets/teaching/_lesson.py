"""`Lesson`: first a prediction, then the run, then both side by side."""

from __future__ import annotations

import base64
import io
import logging
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from html import escape
from typing import TYPE_CHECKING, Any

from .._timeouts import check_timeout
from ..client import Result
from ..widgets import ComfyPanel, sendable
from ._answers import answer_line
from ._card import LessonCard

if TYPE_CHECKING:
    from PIL.Image import Image

    from ._questions import Question

logger = logging.getLogger(__name__)

_THUMBNAIL = 160
_MAX_VALUE = 200

_given: dict[tuple[str, str], list[dict[str, Any]]] = {}
_shown: dict[tuple[str, str], tuple[dict[str, Any], dict[str, bytes]]] = {}
"""What was answered in this kernel, by lesson and question: a cell that is run again still has it."""


class Lesson:
    """A question before a run, and the answer after it.

    The thing to try opens once a prediction is made: for a panel that is Run. When the run has ended, prediction and
    outcome stand side by side with the reason. Each answer stays in the notebook's output as one line of JSON, for
    `answers` and for graders, with a readable card for people; nothing is sent anywhere.

    It helps to learn, and is no exam security: who looks into the notebook's source finds the answers.

    Parameters
    ----------
    target : ComfyPanel or widget
        What is tried. With a panel the outcome is the `Result` of its next run; with another widget the outcome is the
        widget itself, when "Show the answer" is pressed.
    predict : Question
        What `choose`, `order`, `estimate` or `which_changed` gives. A ValueError of its function is shown on the card,
        as "Move the slider first."
    lock : iterable of str, or dict
        Names of parameters of the panel that cannot be changed in the browser; in a dict with the values they have.
    notes : str or sequence of str
        What stands above the question, a paragraph each.
    title : str
        The heading; the panel's title by default.

    Attributes
    ----------
    target : object
        What is tried.
    question : Question
        What is asked.

    Raises
    ------
    UnknownParam
        The panel has no parameter of a name in `lock`.
    TypeError
        `lock` was given without a panel, `target` is no widget, or `predict` no question.

    Examples
    --------
    >>> from comfy_widgets import ComfyPanel, Lesson
    >>> from comfy_widgets.teaching import choose
    >>> panel = ComfyPanel(example().with_params(width=64, height=64, steps=2), client)
    >>> lesson = Lesson(
    ...     panel, lock=["seed"], notes="The seed is the noise.",
    ...     predict=choose("How many images come?", ["one", "two"], answer=lambda result: len(result.images) - 1),
    ... )
    >>> lesson.predict("one")
    >>> _ = panel.run().result()
    >>> lesson.wait(60)["correct"]
    True
    """

    def __init__(
        self,
        target: Any,
        *,
        predict: Question,
        lock: Iterable[str] | Mapping[str, Any] = (),
        notes: str | Sequence[str] = (),
        title: str = "",
    ) -> None:
        from ipywidgets import VBox, Widget

        from ._questions import Question

        if not isinstance(target, Widget):
            raise TypeError(f"A lesson is about a ComfyPanel or another widget, not a {type(target).__name__}.")
        if not isinstance(predict, Question):
            raise TypeError(f"predict is {predict!r}, but must be a question: choose(...), order(...), estimate(...).")
        lock = [lock] if isinstance(lock, str) else lock
        self.target: Any = target
        self.question: Question = predict
        panel = target if isinstance(target, ComfyPanel) else None
        if lock and panel is None:
            raise TypeError("lock names parameters of a panel, and this lesson has none.")
        if panel is not None:
            for name, value in dict(lock).items() if isinstance(lock, Mapping) else ():
                panel.params[name] = value
            panel.lock(*lock)
        heading = title or (panel.title if panel is not None else "")
        self._key = (heading, predict.text)
        self._display_id = f"comfy-widgets-lesson-{uuid.uuid4().hex}"
        self._is_displayed = False
        self._changed = threading.Condition(threading.RLock())
        self._prediction: Any = None
        self._earlier: str | None = None
        self._answer: dict[str, Any] | None = None
        self._card = LessonCard(
            predict,
            heading,
            [notes] if isinstance(notes, str) else list(notes),
            "run" if panel is not None else "look",
            self.predict,
            self.reveal,
            self.begin_again,
        )
        self._box: Any = VBox()
        self._arrange(is_open=False)
        if panel is not None:
            panel.observe(self._on_result, "result")
        if self._key in _shown:
            self._restore()

    # What it does

    def predict(self, answer: Any) -> None:
        """Make a prediction, as a click in the browser does, and open the thing to try.

        Parameters
        ----------
        answer : object
            A label or its index; labels or indices in order; a number.

        Raises
        ------
        ValueError
            It is no answer to the question.

        Examples
        --------
        >>> from comfy_widgets import ComfyPanel, Lesson
        >>> from comfy_widgets.teaching import estimate
        >>> lesson = Lesson(ComfyPanel(example(), client), predict=estimate("How many?", 1, 9, answer=1, step=1))
        >>> lesson.predict(3)
        """
        prediction = self.question.checked(answer)
        with self._changed:
            self._prediction, self._answer = prediction, None
            job = self.target.job if isinstance(self.target, ComfyPanel) else None
            self._earlier = job.prompt_id if job is not None else None
            self._card.predicted(prediction)
            self._arrange(is_open=True)

    def reveal(self) -> None:
        """Show the answer now; a panel's lesson does so when its run ends.

        Examples
        --------
        >>> from comfy_widgets import Lesson, NoiseExplorer
        >>> from comfy_widgets.teaching import estimate
        >>> explorer = NoiseExplorer(result.images[0], sigma=2.0)
        >>> lesson = Lesson(explorer, predict=estimate("Which sigma?", 0, 4, answer=lambda widget: widget.sigma))
        >>> lesson.predict(2)
        >>> lesson.reveal()
        >>> lesson.answer["correct"]
        True
        """
        outcome = self.target.result if isinstance(self.target, ComfyPanel) else self.target
        self._show_answer(outcome)

    def begin_again(self) -> None:
        """Ask once more; what was answered stays in the notebook.

        Examples
        --------
        >>> from comfy_widgets import ComfyPanel, Lesson
        >>> from comfy_widgets.teaching import estimate
        >>> lesson = Lesson(ComfyPanel(example(), client), predict=estimate("How many?", 1, 9, answer=1, step=1))
        >>> lesson.begin_again()
        """
        with self._changed:
            self._prediction = self._answer = None
            self._card.begin_again()
            self._arrange(is_open=False)

    @property
    def title(self) -> str:
        """The heading."""
        return self._key[0]

    @property
    def answer(self) -> dict[str, Any] | None:
        """The answer that was given, with what is right; None before it is shown."""
        return self._answer

    def wait(self, timeout: float | None = None) -> dict[str, Any]:
        """Wait until the answer is shown.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Returns
        -------
        dict
            ``lesson``, ``question``, ``kind``, ``answer``, ``right``, ``correct``, ``score``, ``at`` and ``values``.

        Raises
        ------
        TimeoutError
            It was not shown in this time.

        Examples
        --------
        >>> from comfy_widgets import Lesson, NoiseExplorer
        >>> from comfy_widgets.teaching import choose
        >>> lesson = Lesson(NoiseExplorer(result.images[0]), predict=choose("Noise?", ["yes", "no"], answer="no"))
        >>> lesson.predict("yes")
        >>> lesson.reveal()
        >>> lesson.wait(10)["score"]
        0.0
        """
        check_timeout(timeout)
        with self._changed:
            if not self._changed.wait_for(lambda: self._answer is not None, timeout):
                raise TimeoutError(f"The lesson was not answered within {timeout:g} s.")
            assert self._answer is not None
            return self._answer

    @property
    def box(self) -> Any:
        """All of it as one widget, to be put into others; displayed so, it leaves no record."""
        return self._box

    def close(self) -> None:
        """End it in the browser; the panel goes on.

        Examples
        --------
        >>> from comfy_widgets import Lesson, NoiseExplorer
        >>> from comfy_widgets.teaching import choose
        >>> lesson = Lesson(NoiseExplorer(result.images[0]), predict=choose("Noise?", ["yes", "no"], answer="no"))
        >>> lesson.close()
        """
        if isinstance(self.target, ComfyPanel):
            self.target.unobserve(self._on_result, "result")
        self._box.close()
        self._card.close()

    # Showing

    def _ipython_display_(self, **_: Any) -> None:
        from IPython.display import display

        display(self._box)  # type: ignore[no-untyped-call]
        self._is_displayed = True
        self._display_record(update=False)

    def _display_record(self, update: bool) -> None:
        from IPython.display import display

        data = sendable(_record(_given.get(self._key, []), _shown.get(self._key)))
        display(data, raw=True, display_id=self._display_id, update=update)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return f"<Lesson {self._key[0]!r}: {self.question.text}>"

    def _arrange(self, *, is_open: bool) -> None:
        if isinstance(self.target, ComfyPanel):
            panel = self.target
            shown = [panel.form, panel.controls, panel.stage] if is_open else [panel.form]
        else:
            shown = [self.target] if is_open else []
        self._box.children = [self._card, *shown]

    def _on_result(self, change: Any) -> None:
        result = change["new"]
        if result is None or str(result.status) != "completed":
            return
        with self._changed:
            # A run that was there before the prediction may be told of only now.
            is_wanted = self._prediction is not None and self._answer is None and result.prompt_id != self._earlier
        if is_wanted:
            self._show_answer(result)

    def _show_answer(self, outcome: Any) -> None:
        with self._changed:
            if self._prediction is None or self._answer is not None:
                return
            try:
                right = self.question.right_answer(outcome)
            except ValueError as error:
                # The lesson's own word for what is still to be done.
                self._card.trouble(str(error))
                return
            except Exception as error:
                logger.warning("the check of a lesson failed", exc_info=error)
                self._card.trouble(f"The lesson could not check this. {type(error).__name__}: {error}")
                return
            grade = self.question.grade(self._prediction, right)
            self._card.answered(right, grade.correct, grade.words, _images(outcome))
            answer = {
                "lesson": self._key[0],
                "question": self.question.text,
                "kind": self.question.kind,
                "answer": self._prediction,
                "right": right,
                "correct": grade.correct,
                "score": grade.score,
                "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "values": _values(self.target),
            }
            _given.setdefault(self._key, []).append(answer)
            _shown[self._key] = self._card.snapshot()
            if self._is_displayed:
                self._display_record(update=True)
            self._answer = answer
            self._changed.notify_all()

    def _restore(self) -> None:
        """Show what was answered before the cell was run again."""
        self._answer = _given[self._key][-1]
        self._prediction = self._answer["answer"]
        self._card.restored(*_shown[self._key])
        self._arrange(is_open=True)


def _images(outcome: Any) -> list[Image]:
    if isinstance(outcome, Result):
        return list(outcome.images[:4])
    return []


def _values(target: Any) -> dict[str, Any]:
    values = target.value if isinstance(target, ComfyPanel) else {}
    return {name: value[:_MAX_VALUE] if isinstance(value, str) else value for name, value in values.items()}


def _record(
    given: Sequence[Mapping[str, Any]], shown: tuple[dict[str, Any], dict[str, bytes]] | None
) -> dict[str, str]:
    """Return what stands in the notebook when no kernel is there: a line of JSON an answer, and a card to be read."""
    if not given or shown is None:
        return {"text/html": '<div class="comfy-widgets-record" hidden></div>', "text/plain": ""}
    state, pictures = shown
    parts = [f"<h4>{escape(state['title'])}</h4>" if state["title"] else ""]
    parts += [f"<p><b>{escape(state['question'])}</b></p>"]
    for answer in given:
        mark = "✓" if answer["correct"] else "✗"
        parts.append(
            f"<p>{mark} Predicted: {escape(_plain(answer['answer']))}. It is: {escape(_plain(answer['right']))}.</p>"
        )
    parts.append(f"<p>{escape(state['reason'])}</p>" if state["reason"] else "")
    parts += [f'<img alt="what came out" src="data:image/jpeg;base64,{_thumbnail(p)}">' for p in pictures.values()]
    return {
        "text/html": f'<div class="comfy-widgets-record">{"".join(parts)}</div>',
        "text/plain": "\n".join(answer_line(answer) for answer in given),
    }


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _thumbnail(content: bytes) -> str:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        small = image.convert("RGB")
        small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=80)
    return base64.b64encode(stream.getvalue()).decode()
