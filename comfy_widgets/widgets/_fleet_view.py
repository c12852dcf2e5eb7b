"""`FleetView`: the servers of a fleet, alive while they work."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from ..errors import ComfyError
from ..experiments import Fleet, ServerRow
from ._base import Handler, Widget
from ._pump import pump, worker

if TYPE_CHECKING:
    from ._schema import FleetAct, FleetRow, FleetState

_SHOWN = 400
_SPAN = 300.0
_MINUTE = 60.0


class FleetView(Widget):
    """The servers of a fleet as rows, alive while they work, with what each did when.

    A row tells the queue, the model, runs a minute, the seconds of one, and what went wrong; its buttons drain the
    server, take it back, or let it go. Another one is added by its address.

    Parameters
    ----------
    fleet : Fleet
        Whose servers.
    layout : ipywidgets.Layout, optional
        Its size and place, as for every widget of ipywidgets.

    Attributes
    ----------
    fleet : Fleet
        What it shows.

    Raises
    ------
    TypeError
        `fleet` is no fleet.

    Examples
    --------
    >>> view = FleetView(fleet)
    >>> view.fleet is fleet
    True
    """

    _bundle: ClassVar[str] = "fleet"

    _fleet = traitlets.Dict().tag(sync=True)

    def __init__(self, fleet: Fleet, *, layout: Any = None) -> None:
        if not isinstance(fleet, Fleet):
            raise TypeError(f"FleetView shows a Fleet, not a {type(fleet).__name__}.")
        self.fleet: Fleet = fleet
        self._error = ""
        super().__init__(_fleet=self._state(), layout=layout)
        self._feed = _Feed(self, fleet)

    def _about(self) -> str:
        return f"of {self.fleet!r}"

    def close(self) -> None:
        """End the widget in the browser. The fleet goes on.

        Examples
        --------
        >>> FleetView(fleet).close()
        """
        if hasattr(self, "_feed"):
            self._feed.stop()
        super().close()

    def refresh(self) -> None:
        """Show how the fleet stands now; it does so by itself whenever something changes.

        Examples
        --------
        >>> FleetView(fleet).refresh()
        """
        self.set_trait("_fleet", self._state())

    def _state(self) -> FleetState:
        now = time.time()
        rows, timeline = self.fleet.servers, self.fleet.timeline[-_SHOWN:]
        numbers = {row.server: number for number, row in enumerate(rows)}
        shown = [stint for stint in timeline if stint.server in numbers and now - stint.ended < _SPAN]
        recent = [stint.server for stint in shown if stint.outcome == "completed" and now - stint.ended < _MINUTE]
        first = min((stint.began for stint in timeline), default=now)
        minutes = min(_MINUTE, max(1.0, now - first)) / _MINUTE
        span = min(_SPAN, max(10.0, *(now - stint.began for stint in shown), 10.0))
        return {
            "rows": [_row(row, recent.count(row.server) / minutes) for row in rows],
            "stints": [
                (numbers[s.server], round(now - s.began, 2), round(now - s.ended, 2), s.outcome, s.label) for s in shown
            ],
            "span": round(span, 1),
            "waiting": self.fleet.waiting,
            "error": self._error,
        }

    def _message_handlers(self) -> Mapping[str, Handler]:
        return {**super()._message_handlers(), "fleet": self._on_fleet}

    def _on_fleet(self, message: FleetAct, buffers: list[memoryview]) -> None:
        # A server that is added is asked what it has, which may take a while.
        worker.submit(lambda: self._act(message["act"], message["server"]))

    def _act(self, act: str, server: str) -> None:
        acts = {
            "add": self.fleet.add,
            "drain": self.fleet.drain,
            "resume": lambda name: self.fleet.drain(name, False),
            "remove": self.fleet.remove,
        }
        try:
            acts[act](server)
            self._error = ""
        except ComfyError as error:
            self._error = str(error)
        pump.wake(self._feed)

    def _ipython_display_(self, **kwargs: Any) -> None:
        from IPython.display import display

        bundle = self._repr_mimebundle_()
        if bundle is not None:
            data, metadata = bundle
            display({**data, "text/plain": repr(self.fleet)}, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]


class _Feed:
    """Tells the browser how the fleet stands; what leaves, leaves from the pump's thread."""

    ending = False

    def __init__(self, widget: FleetView, fleet: Fleet) -> None:
        self._widget = widget
        self._stopped = False
        self._unsubscribe = fleet.on_change(lambda: pump.wake(self))

    def flush(self) -> float | None:
        """Tell what is new; while somebody works, the timeline goes on by itself."""
        if self._stopped:
            return None
        self._widget.refresh()
        return 1.0 if any(row["status"] == "working" for row in self._widget._fleet["rows"]) else None

    def stop(self) -> None:
        """Tell the browser nothing more."""
        self._stopped = True
        self._unsubscribe()
        pump.drop(self)


def _row(row: ServerRow, rate: float) -> FleetRow:
    barred = [f"Its memory does not suffice for {models}." for models in row.barred]
    return {
        "server": row.server,
        "status": row.status,  # type: ignore[typeddict-item]
        "running": row.running,
        "waiting": row.waiting,
        "strangers": row.strangers,
        "model": row.model,
        "completed": row.completed,
        "failed": row.failed,
        "lost": row.lost,
        "seconds": row.seconds,
        "rate": round(rate, 1),
        "version": row.version,
        "trouble": " ".join([row.error, *barred]).strip(),
    }
