"""The questions of a lesson: what is asked before a run, and how an answer is checked after it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, SupportsIndex

if TYPE_CHECKING:
    from PIL.Image import Image

    from ._schema import QuestionKind

Check = Callable[[Any], Any]
"""Takes what came out (the `Result` of a run, or the widget that was tried) and returns the right answer."""


@dataclass(frozen=True)
class Question:
    """A question of a lesson; `choose`, `order`, `estimate` and `which_changed` make them.

    Attributes
    ----------
    kind : str
        "choose", "order", "estimate" or "changed".
    text : str
        What is asked.
    answer : object or callable
        The right answer, or what computes it of what came out.
    reason : str
        Why it is so; shown with the answer.
    options : tuple of str
        What there is to choose from, or to order.
    pictures : tuple of PIL image or None
        One for each option, where options are images.
    shown : tuple of (str, PIL image)
        Images that belong to the question.
    low, high, step, tolerance : float
        The range of an estimate, its step, and how far off still counts.
    unit : str
        Of an estimate.

    Examples
    --------
    >>> question = choose("Which is right?", ["this", "that"], answer="that")
    >>> question.grade("this", question.right_answer(None)).correct
    False
    """

    kind: QuestionKind
    text: str
    answer: Any = field(repr=False)
    reason: str = field(default="", repr=False)
    options: tuple[str, ...] = ()
    pictures: tuple[Image | None, ...] = field(default=(), repr=False)
    shown: tuple[tuple[str, Image], ...] = field(default=(), repr=False)
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    tolerance: float = 0.0
    unit: str = ""

    def right_answer(self, outcome: Any) -> Any:
        """Return the right answer.

        Parameters
        ----------
        outcome : object
            What came out: a `Result`, or the widget that was tried.

        Returns
        -------
        object
            The label of an option, the labels in order, or a number.

        Raises
        ------
        ValueError
            The lesson's own function gave something that is no answer.

        Examples
        --------
        >>> estimate("How many images?", 0, 8, answer=len, step=1).right_answer(result)
        1.0
        """
        found = self.answer(outcome) if callable(self.answer) else self.answer
        return self.checked(found)

    def checked(self, value: Any) -> Any:
        """Return an answer in its one form.

        Parameters
        ----------
        value : object
            A label or its index; labels or indices in order; a number.

        Returns
        -------
        object
            A label, a tuple of labels, or a float.

        Raises
        ------
        ValueError
            It is no answer to this question.

        Examples
        --------
        >>> choose("Which?", ["this", "that"], answer=0).checked(1)
        'that'
        """
        if self.kind == "estimate":
            try:
                number = float(value)
            except (TypeError, ValueError, OverflowError):
                raise ValueError(f"{value!r} is no answer: it must be a number.") from None
            if not self.low <= number <= self.high:
                raise ValueError(f"{number:g} is no answer: it must be {self.low:g} to {self.high:g}.")
            return number
        if self.kind == "order":
            if isinstance(value, str) or not isinstance(value, Iterable):
                raise ValueError(f"{value!r} is no order of {list(self.options)}.")
            labels = tuple(self._label(one) for one in value)
            if sorted(labels) != sorted(self.options):
                raise ValueError(f"{list(labels)} is no order of {list(self.options)}.")
            return labels
        return self._label(value)

    def grade(self, given: Any, right: Any) -> Grade:
        """Compare a prediction with what is right.

        Parameters
        ----------
        given, right : object
            As `checked` returns them.

        Returns
        -------
        Grade

        Examples
        --------
        >>> estimate("How far?", 0, 10, answer=5, tolerance=2).grade(6.0, 5.0)
        Grade(correct=True, score=1.0, words='Close: 5')
        """
        if self.kind == "estimate":
            far = abs(given - right)
            score = max(0.0, 1 - max(0.0, far - self.tolerance) / ((self.high - self.low) or 1))
            correct = far <= self.tolerance + 1e-9
            exact = far <= self.step / 2
            words = f"{'Right' if exact else 'Close' if correct else 'Not quite'}: {right:g}{self._unit()}"
            return Grade(correct, round(1.0 if correct else score, 3), words)
        if self.kind == "order":
            hits = sum(one == other for one, other in zip(given, right, strict=True))
            words = "Right" if given == right else f"{hits} of {len(right)} stand where they belong"
            return Grade(given == right, round(hits / len(right), 3), words)
        return Grade(given == right, float(given == right), "Right" if given == right else f"Not quite: {right}")

    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""

    def _label(self, value: Any) -> str:
        if isinstance(value, str) and value in self.options:
            return value
        # Also numpy's whole numbers, as argmax gives them.
        if isinstance(value, SupportsIndex) and not isinstance(value, bool):
            with suppress(TypeError):
                index = operator.index(value)
                if 0 <= index < len(self.options):
                    return self.options[index]
        raise ValueError(f"{value!r} is no answer: there are {', '.join(map(repr, self.options))}.")


@dataclass(frozen=True)
class Grade:
    """How good a prediction was.

    Attributes
    ----------
    correct : bool
        Whether it counts as right.
    score : float
        0 to 1; also a prediction that is not right may have some.
    words : str
        The same, for people.

    Examples
    --------
    >>> Grade(correct=True, score=1.0, words="Right").score
    1.0
    """

    correct: bool
    score: float
    words: str


def choose(
    text: str, options: Sequence[str] | Mapping[str, Image], answer: Any | Check, *, reason: str = ""
) -> Question:
    """Ask to choose one of several images or sentences.

    Parameters
    ----------
    text : str
        What is asked.
    options : sequence of str, or dict of str to PIL image
        What there is to choose from; two at least.
    answer : str, int or callable
        The right one: its label, its index, or a function that takes what came out and returns either.
    reason : str, default ""
        Why it is so.

    Returns
    -------
    Question

    Raises
    ------
    ValueError
        There are not two options, or two are alike.
    TypeError
        Something that must be an image is none.

    Examples
    --------
    >>> choose("Which words act?", ["red", "quickly"], answer="red").options
    ('red', 'quickly')
    """
    return Question("choose", text, answer, reason, *_options(options))


def order(
    text: str, options: Sequence[str] | Mapping[str, Image], answer: Any | Check, *, reason: str = ""
) -> Question:
    """Ask to put images or sentences, usually four, into order.

    Parameters
    ----------
    text : str
        What is asked; it says which end is first.
    options : sequence of str, or dict of str to PIL image
        In the order in which they are shown.
    answer : sequence or callable
        Labels or indices in the right order, or a function that takes what came out and returns them.
    reason : str, default ""
        Why it is so.

    Returns
    -------
    Question

    Raises
    ------
    ValueError
        There are not two options, or two are alike.
    TypeError
        Something that must be an image is none.

    Examples
    --------
    >>> order("Smallest first", ["4", "1"], answer=["1", "4"]).right_answer(None)
    ('1', '4')
    """
    return Question("order", text, answer, reason, *_options(options))


def estimate(
    text: str,
    low: float,
    high: float,
    answer: float | Check,
    *,
    step: float = 0.01,
    tolerance: float = 0.0,
    unit: str = "",
    reason: str = "",
) -> Question:
    """Ask for a number, by a slider.

    Parameters
    ----------
    text : str
        What is asked.
    low, high : float
        The slider's ends.
    answer : float or callable
        The right number, or a function that takes what came out and returns it.
    step : float, default 0.01
        Of the slider.
    tolerance : float, default 0.0
        How far off still counts as right.
    unit : str, default ""
        Shown behind numbers.
    reason : str, default ""
        Why it is so.

    Returns
    -------
    Question

    Raises
    ------
    ValueError
        The ends or the step make no slider.

    Examples
    --------
    >>> estimate("How many?", 0, 10, answer=3, step=1).checked(4)
    4.0
    """
    if not low < high or not 0 < step <= high - low:
        raise ValueError(f"An estimate needs low < high and a step between, not {low!r}, {high!r} and {step!r}.")
    return Question("estimate", text, answer, reason, low=low, high=high, step=step, tolerance=tolerance, unit=unit)


def which_changed(
    text: str,
    before: Image,
    after: Image,
    options: Sequence[str],
    answer: str | Check,
    *,
    reason: str = "",
) -> Question:
    """Show two images of the same workflow, and ask which parameter is another.

    Parameters
    ----------
    text : str
        What is asked.
    before, after : PIL image
        The two images.
    options : sequence of str
        Names of parameters; two at least.
    answer : str or callable
        The one that is another, or a function that takes what came out and returns it.
    reason : str, default ""
        Why it shows.

    Returns
    -------
    Question

    Raises
    ------
    ValueError
        There are not two options, or two are alike.
    TypeError
        Something that must be an image is none.

    Examples
    --------
    >>> from PIL import Image
    >>> red, blue = (Image.new("RGB", (8, 8), color) for color in ("red", "blue"))
    >>> which_changed("What?", red, blue, ["seed", "steps"], answer="seed").kind
    'changed'
    """
    labels, pictures = _options(options)
    _check_image("before", before)
    _check_image("after", after)
    return Question("changed", text, answer, reason, labels, pictures, (("before", before), ("after", after)))


def _options(options: Any) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    labels = tuple(map(str, options)) if isinstance(options, Iterable) and not isinstance(options, str) else ()
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ValueError(f"A question needs two options at least, each with its own name, not {options!r}.")
    pictures = tuple(options.values()) if isinstance(options, Mapping) else ()
    for label, picture in zip(labels, pictures, strict=False):
        _check_image(f"The option {label!r}", picture)
    return labels, pictures


def _check_image(what: str, picture: Any) -> None:
    if not hasattr(picture, "convert"):
        raise TypeError(f"{what} is {picture!r}, but must be a PIL image.")
