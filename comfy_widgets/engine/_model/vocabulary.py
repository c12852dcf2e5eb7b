"""Reads prompts: what a text asks for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from .languages import ENGLISH_FOR
from .lexicon import COLOUR_OF, CROWD_OF, FILLERS, MOST, NEAREST, NOUN_OF, NUMBER_OF, PLACE_OF, SEPARATORS, SIZE_OF

PLURAL = 0
"""The count of a bare plural: "balloons"."""
# The last ones are the comma, full stop, semicolon and enumeration comma of Chinese.
_TOKEN = re.compile(r"[\u3400-\u9fff]+|[^\W\d_\u3400-\u9fff]+|\d+(?:\.\d+)?|[(),:;.\uff0c\u3002\uff1b\u3001]")
STOPS = ",;.\uff0c\u3002\uff1b\u3001"
_EMPHASIS = 1.1
_HEAVIEST = 1000.0
_LONGEST = 4
CHECK_EVERY = 2000
_LONG_WORD = 20
MOST_TOLD = 8
_KNOWN = sorted({*COLOUR_OF, *SIZE_OF, *CROWD_OF, *(word for names in NOUN_OF.values() for word in names)})
_SPELLED_LIKE = 0.82


@dataclass(frozen=True)
class Wish:
    """One thing that a prompt asks for.

    Parameters
    ----------
    kind : str
        "mood", "land", "weather", "figure", "sky", "ground", "water" or "clouds"; to the models of digits "digit".
    value : str
        Its name in the grammar; empty for the kinds that have one value.
    colour, count, size, place : str or int, optional
        What else was said about it; None where nothing was.
    weight : float
        From ``(words:1.3)``; 1 is usual, 0 takes the thing back.
    colour_weight, count_weight, size_weight : float
        The same for what was said about it: ``(red:1.3) balloon``.
    """

    kind: str
    value: str = ""
    colour: str | None = None
    count: int | None = None
    size: str | None = None
    place: str | None = None
    weight: float = 1.0
    colour_weight: float = 1.0
    count_weight: float = 1.0
    size_weight: float = 1.0


@dataclass(frozen=True)
class Meaning:
    """What a prompt means to the model.

    Parameters
    ----------
    wishes : tuple of Wish
        What it asks for, one entry for each thing, in a fixed order.
    unknown : tuple of str
        Words without meaning here; they change nothing, not even whether two meanings are equal.
    """

    wishes: tuple[Wish, ...] = ()
    unknown: tuple[str, ...] = field(default=(), compare=False)


def told_of_unknown(meaning: Meaning) -> str:
    """Return a sentence about the words that a prompt has and the model does not know; empty where there are none.

    Parameters
    ----------
    meaning : Meaning
        What was understood.
    """
    words = []
    for word in meaning.unknown[:MOST_TOLD]:
        near = nearest(word)
        words.append(f'"{word}" (the nearest that it knows is "{near}")' if near else f'"{word}"')
    more = len(meaning.unknown) - len(words)
    listed = ", ".join(words) + (f" and {more} more" if more > 0 else "")
    return f"This small model does not know {listed}. Such words change nothing." if words else ""


def nearest(word: str) -> str | None:
    """Return the known word that is nearest to an unknown one, in meaning or in spelling; None where none is near."""
    singulars = tuple(_singulars(word))
    alike = next((known for known, others in NEAREST.items() if not others.isdisjoint(singulars)), None)
    return alike or next(iter(difflib.get_close_matches(word[:_LONG_WORD], _KNOWN, 1, _SPELLED_LIKE)), None)


def understand(text: str, check: Callable[[], None] = lambda: None) -> Meaning:
    """Read a prompt.

    Colours, numbers and sizes go to the noun that follows ("a red balloon over blue mountains"); commas and words such
    as "over" end their reach. ``(words)`` and ``(words:1.3)`` weigh more, as everywhere in ComfyUI.

    Parameters
    ----------
    text : str
        Any text; unknown words are listed and otherwise ignored. German, Spanish, French and Chinese words for what the
        model knows are known too.
    check : callable
        Called now and then while a long text is read; may raise to stop.
    """
    reader = _Reader()
    for number, (word, weight) in enumerate(weighted(text.lower())):
        if number % CHECK_EVERY == 0:
            check()
        reader.read(word, weight)
    reader.stop()
    return Meaning(merged(reader.wishes), tuple(dict.fromkeys(reader.unknown)))


def joined(meanings: Sequence[Meaning]) -> Meaning:
    """Return what several texts ask for when they are read one after the other."""
    unknown = dict.fromkeys(word for meaning in meanings for word in meaning.unknown)
    return Meaning(merged([wish for meaning in meanings for wish in meaning.wishes]), tuple(unknown))


def blended(one: Meaning, other: Meaning, share: float) -> Meaning:
    """Return a blend of two meanings: at 1 the first alone, at 0 the second alone.

    What both ask for keeps its weight; the rest counts by its share.
    """
    weighed: list[Wish] = []
    for meaning, others, part in ((one, other, share), (other, one, 1 - share)):
        both = {(wish.kind, wish.value): wish for wish in others.wishes}
        for wish in meaning.wishes:
            is_shared = both.get((wish.kind, wish.value)) == wish
            weighed.append(wish if is_shared else replace(wish, weight=wish.weight * part))
    return Meaning(merged(weighed), tuple(dict.fromkeys((*one.unknown, *other.unknown))))


class _Reader:
    """Collects wishes word by word; `_said` holds what was said about a noun that has not come yet."""

    def __init__(self) -> None:
        self.wishes: list[Wish] = []
        self.unknown: list[str] = []
        self._said = Wish("")

    def read(self, word: str, weight: float) -> None:
        noun = _noun(word)
        if word in STOPS:
            self.stop()
        elif noun is not None:
            self._noun(word, noun, weight)
        elif word in COLOUR_OF:
            self._said = replace(self._said, colour=COLOUR_OF[word], colour_weight=weight)
        elif word in SIZE_OF:
            self._said = replace(self._said, size=SIZE_OF[word], size_weight=weight)
        elif word in PLACE_OF:
            if self.wishes and self.wishes[-1].kind == "figure":
                self.wishes[-1] = replace(self.wishes[-1], place=PLACE_OF[word])
        elif word in NUMBER_OF or word.isdecimal():
            count = NUMBER_OF[word] if word in NUMBER_OF else int(word)
            self._said = replace(self._said, count=max(1, min(count, MOST)), count_weight=weight)
        elif word in SEPARATORS:
            self.stop()
        elif word in ENGLISH_FOR:
            self.read(ENGLISH_FOR[word], weight)
        elif word not in FILLERS and word.isalpha():
            self.unknown.append(word)

    def stop(self) -> None:
        """Take a comma, or the end: a colour that found no noun belongs to the last one ("sky blue")."""
        if self._said.colour and self.wishes and self.wishes[-1].colour is None:
            said = self._said
            self.wishes[-1] = replace(self.wishes[-1], colour=said.colour, colour_weight=said.colour_weight)
        self._said = Wish("")

    def _noun(self, word: str, noun: Wish, weight: float) -> None:
        said = self._said
        wish = replace(noun, colour=said.colour, weight=weight, colour_weight=said.colour_weight)
        if noun.kind == "figure":
            count = said.count
            if word in CROWD_OF:
                count = CROWD_OF[word]
            elif count is None and word.endswith("s") and word != noun.value:
                count = PLURAL
            wish = replace(
                wish,
                count=count,
                size=said.size,
                place=said.place,
                count_weight=said.count_weight,
                size_weight=said.size_weight,
            )
            self._said = Wish("")
        self.wishes.append(wish)


def _noun(word: str) -> Wish | None:
    for form in _singulars(word):
        for kind, names in NOUN_OF.items():
            if form in names:
                return Wish(kind, names[form])
    return None


def _singulars(word: str) -> Iterator[str]:
    """Yield a word and what it may be the plural of."""
    yield word
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]


def merged(wishes: list[Wish]) -> tuple[Wish, ...]:
    """Keep one wish for each thing: the last of those said of it, with the heaviest weight. Weight 0 takes it back."""
    found: dict[tuple[str, str], Wish] = {}
    for wish in wishes:
        earlier = found.get((wish.kind, wish.value))
        found[wish.kind, wish.value] = wish if earlier is None else _both(earlier, wish)
    asked = (_without_nothing(found[key]) for key in sorted(found) if found[key].weight > 0)
    # "landscape" or "sky" alone asks for nothing; "purple landscape" does.
    return tuple(wish for wish in asked if wish.kind not in ("ground", "sky") or wish.colour)


def _both(earlier: Wish, later: Wish) -> Wish:
    """Join two wishes for one thing."""
    colour, count, size = (
        later if getattr(later, said) is not None else earlier for said in ("colour", "count", "size")
    )
    return replace(
        later,
        colour=colour.colour,
        colour_weight=colour.colour_weight,
        count=count.count,
        count_weight=count.count_weight,
        size=size.size,
        size_weight=size.size_weight,
        place=later.place or earlier.place,
        weight=max(later.weight, earlier.weight),
    )


def _without_nothing(wish: Wish) -> Wish:
    """Take back what was said with weight 0, and forget the weights of what was not said."""
    colour = wish.colour if wish.colour_weight > 0 else None
    count = wish.count if wish.count_weight > 0 else None
    size = wish.size if wish.size_weight > 0 else None
    return replace(
        wish,
        colour=colour,
        count=count,
        size=size,
        colour_weight=wish.colour_weight if colour is not None else 1.0,
        count_weight=wish.count_weight if count is not None else 1.0,
        size_weight=wish.size_weight if size is not None else 1.0,
    )


def weighted(text: str) -> Iterator[tuple[str, float]]:
    """Yield each word with its weight from parentheses."""
    tokens = _TOKEN.findall(text)
    group_weights = _weights_of_groups(tokens)
    weights = [1.0]
    skip = False
    for position, token in enumerate(tokens):
        if skip:
            skip = False
        elif token == "(":
            weights.append(min(weights[-1] * group_weights[position], _HEAVIEST))
        elif token == ")":
            weights = weights[:-1] or [1.0]
        elif token == ":":
            skip = True
        else:
            yield from ((word, weights[-1]) for word in _words_of(token))


def _words_of(token: str) -> Iterator[str]:
    """Yield a token, or the words of a row of Chinese characters: the longest that are known, from the left."""
    if not "\u3400" <= token[0] <= "\u9fff":
        yield token
        return
    start, unknown = 0, ""
    while start < len(token):
        known = next(
            (
                token[start : start + size]
                for size in range(_LONGEST, 0, -1)
                if token[start : start + size] in ENGLISH_FOR
            ),
            "",
        )
        if known and unknown:
            yield unknown
            unknown = ""
        if known:
            yield known
        else:
            unknown += token[start]
        start += max(1, len(known))
    if unknown:
        yield unknown


def _weights_of_groups(tokens: list[str]) -> dict[int, float]:
    """Return for each opening parenthesis the number before its end, else 1.1."""
    found: dict[int, float] = {}
    unclosed: list[int] = []
    for position, token in enumerate(tokens):
        if token == "(":
            found[position] = _EMPHASIS
            unclosed.append(position)
        elif token == ")" and unclosed:
            number = tokens[position - 1]
            weighed = tokens[position - 2] == ":" and number.replace(".", "", 1).isdecimal()
            found[unclosed.pop()] = float(number) if weighed else _EMPHASIS
    return found
