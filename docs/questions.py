"""What strangers search for, and the page that has to be among the first that the site's own search shows them."""

from __future__ import annotations

import json
from pathlib import Path

import snowballstemmer

QUESTIONS = {
    "use a token": "howto/tokens",
    "image missing": "troubleshooting",
    "run without GPU": "howto/engine",
    "write sweep": "howto/sweep",
    "add node engine": "howto/engine",
    "how to release": "contributing",
    "path prefix": "howto/prefix",
    "self-signed certificate": "howto/tls",
    "ssh tunnel": "howto/ssh",
    "jupyterhub": "howto/jupyterhub",
    "test own code": "howto/testing",
}
SHOWN = 3
"""How many results a person reads."""
_TITLE, _TEXT = 15, 5  # what Sphinx gives for a word in a title and in the text


def lost(index: Path) -> list[str]:
    """Return the questions whose page does not come up among the first.

    Parameters
    ----------
    index : Path
        The ``searchindex.js`` of a built site.

    Returns
    -------
    list of str
        A sentence for each.
    """
    found = json.loads(index.read_text(encoding="utf-8").partition("(")[2].rpartition(")")[0])
    pages, stem = found["docnames"], snowballstemmer.stemmer("english").stemWord

    def having(word: str, terms: dict[str, int | list[int]]) -> set[int]:
        hits = terms.get(stem(word.lower()), [])
        return {hits} if isinstance(hits, int) else set(hits)

    def first(question: str) -> list[str]:
        words = [
            word for word in question.replace("-", " ").split() if word not in ("a", "to", "how", "own", "without")
        ]
        scores = {}
        for page in set.intersection(
            *(having(word, found["terms"]) | having(word, found["titleterms"]) for word in words)
        ):
            scores[pages[page]] = sum(_TITLE if page in having(word, found["titleterms"]) else _TEXT for word in words)
        return sorted(scores, key=lambda page: -scores[page])[:SHOWN]

    return [
        f"Who searches for {question!r} does not find {page} among {', '.join(first(question)) or 'nothing'}."
        for question, page in QUESTIONS.items()
        if page not in first(question)
    ]
