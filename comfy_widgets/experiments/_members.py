"""The servers of a fleet: found, compared and described."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..client import ComfyClient, NotAComfyServer, Pace, ServerError, ServerTimeout, ServerUnreachable
from ..protocol import Address, ComfyError

if TYPE_CHECKING:
    from ..client import Subscription
    from ._task import Task

_FOR_EVER = 7 * 24 * 3600.0


@dataclass(frozen=True)
class ServerRow:
    """How a server of a fleet stands.

    Attributes
    ----------
    server : str
        Its address.
    status : str
        "ready", "working", "drained" or "no answer".
    running, waiting : int
        Prompts of this fleet that it runs, and that wait there.
    strangers : int
        Prompts of other programs that run or wait there.
    model : str
        The files that it loaded last.
    completed, failed, lost : int
        How many prompts of this fleet it finished, could not finish, and forgot.
    seconds : float or None
        What one of them took in the mean; None before the first.
    version : str
        Of ComfyUI.
    error : str
        Why it does not answer, or what went wrong there last.
    barred : tuple of str
        Models, with the sizes from which on its memory did not suffice.

    Examples
    --------
    >>> fleet.servers[0].status
    'ready'
    """

    server: str
    status: str
    running: int = 0
    waiting: int = 0
    strangers: int = 0
    model: str = ""
    completed: int = 0
    failed: int = 0
    lost: int = 0
    seconds: float | None = None
    version: str = ""
    error: str = ""
    barred: tuple[str, ...] = ()


@dataclass(eq=False)
class Member:
    """A server and its client.

    Attributes
    ----------
    client : ComfyClient
        Talks to it.
    owned : bool
        Whether the fleet made the client, and closes it.
    embedded : bool
        Whether it is the embedded engine.
    definitions : dict or None
        Its ``/object_info``; None while it has never answered.
    uploads : set of str
        Images that were brought there through the fleet.
    orphans : dict of Task
        What was given to other servers while this one did not answer, by prompt id.
    looking : bool
        Whether somebody asks just now whether it answers again.
    """

    client: ComfyClient
    owned: bool
    embedded: bool = False
    definitions: dict[str, Any] | None = None
    version: str = ""
    error: str = ""
    completed: int = 0
    failed: int = 0
    lost: int = 0
    seconds: float = 0.0
    uploads: set[str] = field(default_factory=set)
    orphans: dict[str, Task] = field(default_factory=dict)
    subscription: Subscription | None = None
    looking: bool = False

    @property
    def name(self) -> str:
        """Its address."""
        return self.client.url

    @property
    def shown(self) -> str:
        """What those are told whose work it does."""
        return self.client.name

    def look(self) -> None:
        """Ask the server what it is and has.

        Raises
        ------
        ComfyError
            It does not answer, or is no ComfyUI.
        """
        system = self.client.system_stats().system
        self.version = system.comfyui_version or ""
        self.embedded = bool(system.extra.get("embedded_engine"))
        self.definitions = self.client.object_info(refresh=self.definitions is not None)
        self.error = ""

    def close(self) -> None:
        """Let go of it."""
        if self.subscription is not None:
            self.subscription.cancel()
        if self.owned:
            self.client.close()


def member_of(server: Any) -> Member:
    """Return a server of whatever people name it by: a URL, a client, an engine.

    Raises
    ------
    ComfyError
        It is none of these, or the URL cannot be read.
    """
    if isinstance(server, ComfyClient):
        return Member(server, owned=False)
    url = server if isinstance(server, str) else getattr(server, "url", None)
    if not isinstance(url, str):
        raise ComfyError(
            f"A fleet is made of URLs, ComfyClients and Engines, not of {type(server).__name__}: "
            "Fleet(['http://gpu1:8188', Engine()])."
        )
    # The fleet itself decides when a server counts as gone; its client goes on to look for what is there.
    return Member(ComfyClient(url, pace=Pace(lost_after=_FOR_EVER)), owned=True)


def identity(url: str) -> str:
    """Return the same text for all spellings of a server's address."""
    return Address.parse(url).identity


def gather(servers: Iterable[Any]) -> list[Member]:
    """Return the servers of a fleet, each asked what it has; those that do not answer are kept, and told.

    Raises
    ------
    ComfyError
        There is none, none answers, one is named twice, or one is no ComfyUI.
    """
    if isinstance(servers, (str, ComfyClient)) or not isinstance(servers, Iterable):
        servers = [servers]
    members: list[Member] = []
    try:
        for server in servers:
            add_to(members, server)
        if not members:
            raise ComfyError("A fleet needs at least one server: Fleet(['http://gpu1:8188', 'http://gpu2:8188']).")
        if all(member.definitions is None for member in members):
            said = "\n".join(f"- {member.error}" for member in members)
            raise ServerUnreachable(f"No server of the fleet answers.\n{said}", url=members[0].name)
    except BaseException:
        for member in members:
            member.close()
        raise
    tell_differences(members)
    return members


def add_to(members: list[Member], server: Any) -> Member:
    """Take one more server in.

    Raises
    ------
    ComfyError
        It is there already, or is no ComfyUI.
    """
    member = member_of(server)
    try:
        same = next((known for known in members if identity(known.name) == identity(member.name)), None)
        if same is not None:
            spelled = f", as {same.name}" if same.name != member.name else ""
            raise ComfyError(f"The server {member.name} is in the fleet already{spelled}. Name each server once.")
        try:
            member.look()
        except (ServerUnreachable, ServerTimeout) as error:
            # It may be starting; whatever is there by then is taken into the fleet.
            member.error = str(error)
        except ServerError as error:
            hint = "" if isinstance(error, NotAComfyServer) else " It cannot be a server of the fleet."
            error.args = (f"{error}{hint}", *error.args[1:])
            raise
    except BaseException:
        member.close()
        raise
    members.append(member)
    return member


def tell_differences(members: Iterable[Member]) -> None:
    """Warn of servers that do not answer, and where versions differ."""
    silent = [member for member in members if member.definitions is None]
    for member in silent:
        warnings.warn(f"{member.error} It joins the fleet as soon as it answers.", UserWarning, stacklevel=4)
    versions = {member.name: member.version for member in members if member.version}
    if len(set(versions.values())) > 1:
        listed = ", ".join(f"{version} at {name}" for name, version in versions.items())
        warnings.warn(
            f"The servers of the fleet run different versions of ComfyUI: {listed}. A seed may give another image.",
            UserWarning,
            stacklevel=4,
        )
