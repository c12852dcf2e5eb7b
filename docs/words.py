"""The page about the words that the embedded engine's model knows, made from the model itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from comfy_widgets.engine._model import lexicon
from comfy_widgets.engine._model.languages import ENGLISH_FOR

_HEAD = """# What the embedded engine can draw

The model of the embedded engine is a small world of drawn landscapes, and these are its words. Words that it does not
know change nothing; it says them in the result, each with the nearest word that it knows. Colours, numbers and sizes go
to the noun that follows ("two small red balloons over blue mountains"), and `(night:1.3)` weighs a word as
everywhere in ComfyUI.

"""
_TITLES = {
    "figure": "Things",
    "mood": "Times of day and light",
    "land": "Lands",
    "weather": "Weather",
}


def page() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD]
    for kind, title in _TITLES.items():
        parts.append(f"## {title}\n\n{_table(_by_name(lexicon.NOUN_OF[kind]))}")
    parts.append(f"## Colours\n\n{_table(_by_name(lexicon.COLOUR_OF))}")
    more = {kind: sorted(lexicon.NOUN_OF[kind]) for kind in ("water", "clouds", "sky", "ground")}
    parts.append(f"## More\n\n{_table(more)}")
    parts.append(
        f"## Other languages\n\n{len(ENGLISH_FOR)} words of German, Spanish, French and Chinese mean the same: "
        "*ein roter Ballon über blauen Bergen*, *un globo rojo sobre montañas azules*.\n"
    )
    return "\n".join(parts)


def _by_name(words: Mapping[str, str]) -> dict[str, list[str]]:
    """Turn {word: name} into {name: words}."""
    named: dict[str, list[str]] = {}
    for word, name in words.items():
        named.setdefault(name, []).append(word)
    return named


def _table(rows: Mapping[str, Iterable[str]]) -> str:
    lines = "\n".join(f"| {name} | {', '.join(words)} |" for name, words in rows.items())
    return f"| drawn | words |\n| --- | --- |\n{lines}\n"
