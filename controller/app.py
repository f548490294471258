"""App: what a network application overrides."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from protocol import (
    ErrorMsg,
    Experimenter,
    FlowRemoved,
    Message,
    PacketIn,
    PortStatus,
)

if TYPE_CHECKING:
    from .datapath import Datapath

Handler = Callable[..., Coroutine[Any, Any, None]]

logger = logging.getLogger("controller")


class App:
    """The base of applications: each handler is a method named as the message.

    Override what you need, with `async def`. A datapath's events come in order, one after
    the other; those of other datapaths go on meanwhile, as they do while a handler awaits.
    Replies to requests do not come here: `await datapath.request(…)` returns them. What a
    handler raises is logged, and the channel lives on.
    """

    async def switch_ready(self, datapath: Datapath) -> None:
        """A switch finished its handshake: its features and ports are known."""

    async def switch_gone(self, datapath: Datapath) -> None:
        """The channel to a switch ended. Nothing that is sent arrives any more."""

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        """A packet came to the controller."""

    async def flow_removed(self, datapath: Datapath, message: FlowRemoved) -> None:
        """A flow entry went, that had asked to tell so."""

    async def port_status(self, datapath: Datapath, message: PortStatus) -> None:
        """A port came, went or changed; `datapath.ports` has it already."""

    async def error(self, datapath: Datapath, message: ErrorMsg) -> None:
        """The switch refused something that was sent without waiting for an answer."""
        sent = datapath.sent(message.xid)
        told = f" to {sent}" if sent is not None else ""
        logger.warning("%s: the switch answered %s%s", datapath, message.code, told)

    async def experimenter(self, datapath: Datapath, message: Experimenter) -> None:
        """A message came that the specification leaves to others."""

    async def message(self, datapath: Datapath, message: Message) -> None:
        """Any other message came."""

    async def background(self) -> None:
        """What goes on beside the handlers, as long as the controller runs."""


_NAMES: dict[type[Message], str] = {
    PacketIn: "packet_in",
    FlowRemoved: "flow_removed",
    PortStatus: "port_status",
    ErrorMsg: "error",
    Experimenter: "experimenter",
}
_BY_DEFAULT = {"error"}  # handlers of App itself that do something


class Handlers:
    """The handlers that an application has, by the class of the message.

    TypeError if one is no `async def`.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        names = ["switch_ready", "switch_gone", "message", "background", *_NAMES.values()]
        found = {name: handler for name in names if (handler := _handler(app, name))}
        self.ready = found.get("switch_ready")
        self.gone = found.get("switch_gone")
        self.other = found.get("message")
        self.background = found.get("background")
        self._by_class = {cls: found.get(name) for cls, name in _NAMES.items()}

    def of(self, message: Message) -> Handler | None:
        """Return the handler that wants this message, None where there is none."""
        return self._by_class.get(type(message), self.other)


def _handler(app: App, name: str) -> Handler | None:
    handler: Handler = getattr(app, name)
    if name not in _BY_DEFAULT and getattr(type(app), name) is getattr(App, name):
        return None
    if not iscoroutinefunction(handler):
        raise TypeError(f"{type(app).__name__}.{name} must be declared with async def")
    return handler
