"""All that a text with choices can become."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

from ..protocol import WorkflowError

if TYPE_CHECKING:
    from _typeshed import SupportsLenAndGetItem

_T = TypeVar("_T")
_LIMIT = 1000


def prompt_variants(text: str, *, limit: int = _LIMIT) -> list[str]:
    """Return every text that a dynamic prompt can become, for an axis of a sweep.

    Parameters
    ----------
    text : str
        With choices as in ComfyUI's editor: ``"a {red|green} hill"``. They may be nested.
    limit : int
        The most variants that are returned; 1000 by default.

    Returns
    -------
    list of str
        Each once, in the order of the choices; the text alone if it holds none.

    Raises
    ------
    WorkflowError
        If there are more than `limit`.

    Examples
    --------
    >>> prompt_variants("a {red|green} hill")
    ['a red hill', 'a green hill']

    As an axis of a sweep:

    >>> from comfy_widgets import sweep
    >>> sweep(example(), client, positive=prompt_variants("a {red|green} hill"))  # doctest: +SKIP
    """
    from ._convert import expand_dynamic_prompt

    found: dict[str, None] = {}
    walk = _Walk()
    for _ in range(limit + 1):
        found[expand_dynamic_prompt(text, walk)] = None
        if not walk.next_way():
            return list(found)
    raise WorkflowError(f"The text has more than {limit} variants. Take some of its choices out.")


class _Walk(random.Random):
    """Makes every sequence of choices once, the last choice first."""

    def __init__(self) -> None:
        super().__init__(0)
        self._way: list[int] = []
        self._counts: list[int] = []

    def choice(self, seq: SupportsLenAndGetItem[_T]) -> _T:
        depth = len(self._counts)
        if depth == len(self._way):
            self._way.append(0)
        self._counts.append(len(seq))
        return seq[self._way[depth]]

    def next_way(self) -> bool:
        """Step to the next sequence; False when all were made."""
        way, counts = self._way, self._counts
        while way and way[-1] + 1 == counts[len(way) - 1]:
            way.pop()
        if way:
            way[-1] += 1
        self._counts = []
        return bool(way)
