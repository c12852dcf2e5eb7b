"""Choices that a definition does not list: it names a route of the server that does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import ComfyError
from ..workflow import Params
from ._pump import asker

if TYPE_CHECKING:
    from ..client import ComfyClient
    from ..workflow import Param


class RemoteChoices:
    """What the routes that a form's fields name have given.

    Parameters
    ----------
    client : ComfyClient
    came : callable
        Called, in another thread, when choices have come.
    failed : callable
        Called with what could not be done, and why.
    """

    def __init__(
        self, client: ComfyClient, came: Callable[[], object], failed: Callable[[str, Exception], object]
    ) -> None:
        self._client = client
        self._came = came
        self._failed = failed
        self._found: dict[str, tuple[Any, ...]] = {}
        self._asked: set[str] = set()

    def fill(self, params: Params) -> Params:
        """Return the parameters with the choices that are known; others are asked for, and come later."""
        lacking = [param for param in params.values() if (key := _key(param)) and key not in self._asked]
        if lacking:
            self._asked |= {_key(param) for param in lacking}
            asker.submit(partial(self._fetch, lacking))
        known = {param.name: self._found[_key(param)] for param in params.values() if _key(param) in self._found}
        if not known:
            return params
        filled = (replace(param, choices=known.get(param.name, param.choices)) for param in params.values())
        return Params(filled, params.single)

    def ask_again(self, params: Params) -> dict[str, Any]:
        """Ask all routes anew; return the values that fields get by that, by their names.

        A definition may want the first or the last choice to be taken after that (``control_after_refresh``): it is,
        where it is another than before.
        """
        before = dict(self._found)
        self._ask([param for param in params.values() if _key(param)])
        values = {}
        for name, param in params.items():
            key = _key(param)
            if not key:
                continue
            old, new = before.get(key, ()), self._found.get(key, ())
            place = {"first": 0, "last": -1}.get(str(param.options["remote"].get("control_after_refresh")))
            if place is not None and new and new[place] not in old:
                values[name] = new[place]
        return values

    def _fetch(self, params: list[Param]) -> None:
        if self._ask(params):
            self._came()

    def _ask(self, params: list[Param]) -> bool:
        for key, param in {_key(param): param for param in params}.items():
            self._asked.add(key)
            try:
                self._found[key] = tuple(self._client.remote_options(param.options["remote"]))
            except (ComfyError, ValueError) as error:
                self._failed(f"Fetching the choices of {param.label!r}", error)
        return any(_key(param) in self._found for param in params)


def _key(param: Param) -> str:
    """Tell one route from the others; nothing for a parameter whose definition names none."""
    remote = param.options.get("remote")
    return json.dumps(remote, sort_keys=True, default=str) if isinstance(remote, Mapping) and remote else ""
