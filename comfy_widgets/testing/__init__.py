"""Test your own notebooks and scripts against ComfyUI without a ComfyUI.

* `ScriptedServer` is a real server on a real port that plays runs from a script and answers as a test tells it to.
* `FaultProxy` stands between a client and any server and makes faults: cuts, delays, lost replies, outages.
* `replay` reads recorded traffic.

Nothing here needs more than the standard library and Pillow, and nothing here shares code with the client or with the
embedded engine: a mistake in one of them cannot hide in the other.

In the examples of this package, ``server`` is a running `ScriptedServer`, ``proxy`` a `FaultProxy` before it and
``client`` a `ComfyClient` of the proxy.

Examples
--------
>>> from comfy_widgets import ComfyClient
>>> from comfy_widgets.testing import FaultProxy, ScriptedServer, text_to_image
>>> with ScriptedServer() as server, FaultProxy(server.url) as proxy, ComfyClient(proxy.url) as client:
...     fault = proxy.cut_websocket(after_messages=5, manner="reset")
...     result = client.run(text_to_image())
>>> len(result.images), fault.hits, server.count("POST", "/prompt")
(1, 1, 1)
"""

from __future__ import annotations

from ._catalog import image, node_info, text_to_image
from ._faults import Fault, Manner
from ._http_server import Reply, Request
from ._proxy import FaultProxy
from ._recordings import RecordedConnection, RecordedExchange, RecordedFrame, replay
from ._server import ScriptedServer
from ._stage import Gate, NodeError, Script, Stage, dead_worker, standard_run
from ._traffic import SeenMessage, SeenRequest, SeenWebSocket, Traffic

__all__ = [
    "Fault",
    "FaultProxy",
    "Gate",
    "Manner",
    "NodeError",
    "RecordedConnection",
    "RecordedExchange",
    "RecordedFrame",
    "Reply",
    "Request",
    "Script",
    "ScriptedServer",
    "SeenMessage",
    "SeenRequest",
    "SeenWebSocket",
    "Stage",
    "Traffic",
    "dead_worker",
    "image",
    "node_info",
    "replay",
    "standard_run",
    "text_to_image",
]
