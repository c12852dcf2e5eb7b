"""Words: which of them the model knows, and what they ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

_COLOURS = {
    "red": "red scarlet crimson ruby cherry", "orange": "orange amber copper tangerine autumn",
    "yellow": "yellow gold golden lemon sunny", "green": "green emerald lime olive", "teal": "teal turquoise cyan mint",
    "blue": "blue azure navy indigo sapphire", "purple": "purple violet lilac lavender magenta",
    "pink": "pink rose rosy cherry-blossom", "white": "white ivory snowy pale", "brown": "brown wooden chestnut beige",
    "black": "black dark-coloured ebony",
}  # fmt: skip
_MOODS = {
    "day": "day daylight noon midday daytime blue-sky bright", "morning": "morning dawn sunrise daybreak spring",
    "sunset": "sunset evening sundown golden-hour dramatic", "dusk": "dusk twilight blue-hour gloaming",
    "night": "night midnight moonlight moonlit moon nighttime nocturnal starry stars star dark",
    "galaxy": "galaxy nebula space cosmos cosmic milky universe aurora magic magical fantasy",
    "storm": "storm stormy overcast grey gray gloomy",
}  # fmt: skip
_LANDS = {
    "hills": "hill meadow field countryside valley grass lawn farm prairie pasture garden",
    "mountains": "mountain peak alps summit cliff rock ridge volcano",
    "sea": "sea ocean coast beach shore island bay harbour harbor waves wave",
    "desert": "desert dune sand sahara canyon",
    "city": "city town skyline skyscraper building street downtown urban",
    "snow": "snow winter arctic ice icy glacier frozen christmas",
}  # fmt: skip
_WEATHERS = {
    "rain": "rain rainy raining drizzle", "snowfall": "snowfall snowing snowflake blizzard", "rainbow": "rainbow",
    "mist": "mist misty fog foggy haze hazy", "clear": "clear cloudless",
}  # fmt: skip
_FIGURES = {
    "castle": "castle fortress palace tower", "windmill": "windmill mill", "lighthouse": "lighthouse beacon",
    "house": "house cottage cabin home hut barn village", "pine": "pine fir conifer spruce forest wood",
    "tree": "tree oak maple blossom orchard bush", "boat": "boat sailboat ship sail yacht sailing",
    "birds": "bird seagull gull swallow crow", "balloon": "balloon airship hot-air", "rocket": "rocket spaceship spacecraft",
    "flower": "flower tulip rose daisy poppy bloom wildflower", "mushroom": "mushroom toadstool fungus",
    "cat": "cat kitten kitty feline", "bottle": "bottle flask jar vial",
}  # fmt: skip
_WATER = ["lake", "water", "river", "pond", "reflection", "sea-side", "lakeside"]
_CLOUDS = ["cloud", "cloudy", "clouds"]
_SKY = ["sky", "heaven", "skies"]
_SUN = ["sun", "sunlight", "sunshine"]
_LAND_WORDS = ["land", "ground", "landscape", "scenery", "nature"]
_SIZES = {"big": "big large huge giant enormous tall great", "small": "small little tiny mini distant far"}
_PLACES = {"left": "left", "right": "right", "centre": "center centre middle centered"}
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "single": 1, "lone": 1, "lonely": 1, "two": 2, "pair": 2, "couple": 2, "three": 3, "four": 4,
    "five": 5, "six": 6, "seven": 7, "many": 8, "several": 4, "few": 3, "some": 3, "dozens": 12, "flock": 7,
}  # fmt: skip
_FILLERS = set(
    ["a", "an", "the", "of", "in", "on", "at", "over", "under", "above", "below", "near", "by", "with", "and", "or", "to", "from", "into", "against", "behind", "before", "beside", "between", "beautiful", "pretty", "lovely", "nice", "charming", "scenery", "nature", "landscape", "picture", "painting", "illustration", "image", "photo", "art", "style", "very", "is", "are", "it", "its", "this", "that", "there", "view", "scene", "flat", "design", "minimal", "simple", "glass", "hot", "air", "high", "quality", "best", "masterpiece", "detailed", "digital", "sitting", "standing", "flying", "floating", "sailing", "through", "up", "down"]
)
_BREAKS = set(["over", "under", "above", "below", "near", "by", "with", "and", "in", "on", "at", "behind", "before", "beside", "between", "of", "against"])
_TOKEN = re.compile(r"[a-z]+(?:-[a-z]+)*|\d+(?:\.\d+)?|[(),:;.]")


@dataclass(frozen=True)
class Wish:
    """One thing that a prompt asks for.

    Parameters
    ----------
    kind
        "mood", "land", "weather", "figure", "sky", "ground", "water", "clouds" or "sun".
    value
        Its name in the grammar; empty for the kinds that have one value.
    colour, count, size, place
        What else was said about it; None where nothing was.
    weight
        From ``(words:1.3)``; 1 is usual.
    """

    kind: str
    value: str = ""
    colour: str | None = None
    count: int | None = None
    size: str | None = None
    place: str | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Meaning:
    """What a prompt means to the model.

    Parameters
    ----------
    wishes
        What it asks for, one entry for each thing.
    unknown
        Words without meaning here; they change nothing.
    """

    wishes: tuple[Wish, ...] = ()
    unknown: tuple[str, ...] = field(default=(), compare=False)


def _index(groups: dict[str, str]) -> dict[str, str]:
    return {word: name for name, words in groups.items() for word in words.split()}


_COLOUR_OF, _MOOD_OF, _LAND_OF = _index(_COLOURS), _index(_MOODS), _index(_LANDS)
_WEATHER_OF, _FIGURE_OF = _index(_WEATHERS), _index(_FIGURES)
_SIZE_OF, _PLACE_OF = _index(_SIZES), _index(_PLACES)


def _forms(word: str) -> Iterator[str]:
    """Yield a word and what it may be the plural of."""
    yield word
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]


def _noun(word: str) -> Wish | None:
    for form in _forms(word):
        for kind, index in (("figure", _FIGURE_OF), ("mood", _MOOD_OF), ("land", _LAND_OF), ("weather", _WEATHER_OF)):
            if form in index:
                return Wish(kind, index[form])
        for kind, words in (("water", _WATER), ("clouds", _CLOUDS), ("sky", _SKY), ("sun", _SUN), ("ground", _LAND_WORDS)):
            if form in words:
                return Wish(kind)
    return None


def understand(text: str) -> Meaning:
    """Read a prompt.

    Colours, numbers and sizes go to the noun that follows ("a red balloon over blue mountains"); a comma ends their
    reach. ``(words)`` and ``(words:1.3)`` weigh more, as everywhere in ComfyUI.

    Parameters
    ----------
    text
        Any text; unknown words are listed and otherwise ignored.
    """
    wishes: list[Wish] = []
    unknown: list[str] = []
    said = Wish("")
    for word, weight in _weighted(text.lower()):
        if word in ",;.":
            if said.colour and wishes and wishes[-1].colour is None:
                wishes[-1] = replace(wishes[-1], colour=said.colour)
            said = Wish("")
            continue
        noun = _noun(word)
        if noun is not None and not (word in _NUMBERS and noun.kind != "figure"):
            wish = replace(
                noun, colour=said.colour, count=said.count, size=said.size, place=said.place, weight=weight
            )
            if noun.kind == "figure" and said.count is None and word != noun.value and word.endswith("s"):
                wish = replace(wish, count=0)
            if noun.kind != "ground" or said.colour:
                wishes.append(wish)
            if noun.kind == "figure":
                said = Wish("")
            continue
        if word in _COLOUR_OF:
            said = replace(said, colour=_COLOUR_OF[word])
        elif word in _SIZE_OF:
            said = replace(said, size=_SIZE_OF[word])
        elif word in _PLACE_OF:
            if wishes and wishes[-1].kind == "figure":
                wishes[-1] = replace(wishes[-1], place=_PLACE_OF[word])
        elif word in _NUMBERS or word.isdecimal():
            count = _NUMBERS.get(word) or int(word)
            said = replace(said, count=max(1, min(count, 12)))
        elif word in _BREAKS:
            said = Wish("")
        elif word not in _FILLERS and not word.replace(".", "").isdecimal():
            unknown.append(word)
    if said.colour and wishes and wishes[-1].colour is None:
        wishes[-1] = replace(wishes[-1], colour=said.colour)
    return Meaning(_merged(wishes), tuple(dict.fromkeys(unknown)))


def _merged(wishes: list[Wish]) -> tuple[Wish, ...]:
    """Keep one wish for each thing: the last of those said of it, with the heaviest weight."""
    merged: dict[tuple[str, str], Wish] = {}
    for wish in wishes:
        key = (wish.kind, wish.value)
        earlier = merged.get(key)
        if earlier is not None:
            wish = replace(
                wish,
                colour=wish.colour or earlier.colour,
                count=wish.count if wish.count is not None else earlier.count,
                size=wish.size or earlier.size,
                place=wish.place or earlier.place,
                weight=max(wish.weight, earlier.weight),
            )
        merged[key] = wish
    return tuple(merged[key] for key in sorted(merged))


def _weighted(text: str) -> Iterator[tuple[str, float]]:
    """Yield each word with its weight from parentheses."""
    tokens = _TOKEN.findall(text)
    weights: list[float] = [1.0]
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token == "(":
            weights.append(weights[-1] * _closing_weight(tokens, position))
        elif token == ")":
            if len(weights) > 1:
                weights.pop()
        elif token == ":":
            position += 1
        else:
            yield token, weights[-1]
        position += 1


def _closing_weight(tokens: list[str], opening: int) -> float:
    """Return the weight of the parenthesis that opens here: 1.1, or the number before its end."""
    depth = 0
    for position in range(opening, len(tokens)):
        if tokens[position] == "(":
            depth += 1
        elif tokens[position] == ")":
            depth -= 1
            if depth == 0:
                if tokens[position - 2 : position - 1] == [":"]:
                    try:
                        return float(tokens[position - 1])
                    except ValueError:
                        break
                break
    return 1.1
