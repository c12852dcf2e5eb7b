"""Reads prompts for the checkpoints of digits: they know the digits, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from .lexicon import FILLERS, SEPARATORS
from .vocabulary import CHECK_EVERY, MOST_TOLD, STOPS, Meaning, Wish, merged, weighted

_WORDS = {
    "0": "zero nought null cero zéro \u96f6 \u3007",
    "1": "one eins uno \u4e00",
    "2": "two zwei dos deux \u4e8c \u4e24",
    "3": "three drei tres trois \u4e09",
    "4": "four vier cuatro quatre \u56db",
    "5": "five fünf cinco cinq \u4e94",
    "6": "six sechs seis \u516d",
    "7": "seven sieben siete sept \u4e03",
    "8": "eight acht ocho huit \u516b",
    "9": "nine neun nueve neuf \u4e5d",
}
_DIGIT_OF = {word: digit for digit, words in _WORDS.items() for word in words.split()}
_SAYING_NOTHING = frozenset(
    {"a", "an", "or", "the", "number", "digit", "figure", "handwritten", "written", "hand", "of"}
    | {"und", "oder", "y", "o", "et", "ou", "ein", "eine", "einen", "un", "una", "une"}
)


def understand_digits(text: str, check: Callable[[], None] = lambda: None) -> Meaning:
    """Read a prompt: "a seven", "7", "(three:0.5)"; each digit of a number counts.

    Parameters
    ----------
    text : str
        Any text; unknown words are listed and otherwise ignored.
    check : callable
        Called now and then while a long text is read; may raise to stop.
    """
    wishes: list[Wish] = []
    unknown: dict[str, None] = {}
    for number, (token, weight) in enumerate(weighted(text.lower())):
        if number % CHECK_EVERY == 0:
            check()
        words = list(token) if token.isdecimal() or "\u3400" <= token[0] <= "\u9fff" else [token]
        for word in words:
            digit = _DIGIT_OF.get(word, word if word in _WORDS else None)
            if digit is not None:
                wishes.append(Wish("digit", digit, weight=weight))
            elif word not in FILLERS | SEPARATORS | _SAYING_NOTHING and word not in STOPS and word.isalpha():
                unknown[word] = None
    return Meaning(merged(wishes), tuple(unknown))


def told_of_unknown_digits(meaning: Meaning) -> str:
    """Return a sentence about the words that a prompt has and the model does not know; empty where there are none."""
    words = ", ".join(f'"{word}"' for word in meaning.unknown[:MOST_TOLD])
    more = len(meaning.unknown) - MOST_TOLD
    also = f" and {more} more" if more > 0 else ""
    if not words:
        return ""
    return f"This small model knows the digits 0 to 9 alone, and not {words}{also}. Such words change nothing."
