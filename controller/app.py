"""App: what a network application overrides."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Coroutine, Iterable
from functools import wraps
from inspect import iscoroutinefunction
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

from protocol import (
    ErrorMsg,
    Experimenter,
    FlowRemoved,
    Message,
    PacketIn,
    PortStatus,
)

from .cookies import CookieSpaces
from .ration import Ration

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

    hears_all_removed: ClassVar[bool] = False
    #: Whether it has to see all switches, so that several processes cannot share them.
    sees_all: ClassVar[bool] = False

    async def switch_ready(self, datapath: Datapath) -> None:
        """A switch finished its handshake: its features and ports are known."""

    async def switch_gone(self, datapath: Datapath) -> None:
        """The channel to a switch ended. Nothing that is sent arrives any more."""

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        """A packet came to the controller."""

    async def flow_removed(self, datapath: Datapath, message: FlowRemoved) -> None:
        """A flow entry went, that had asked to tell so.

        Entries of other applications are theirs to hear of; those of nobody who runs here
        are told to all. An application whose `hears_all_removed` is True hears of all.
        """

    async def port_status(self, datapath: Datapath, message: PortStatus) -> None:
        """A port came, went or changed; `datapath.ports` has it already."""

    async def error(self, datapath: Datapath, message: ErrorMsg) -> None:
        """The switch refused something that this application sent without waiting for an answer.

        `datapath.sent(message.xid)` is what. Errors come to all applications where it is not
        known, or not any more, which of them they are due to.
        """
        _tell_error(datapath, message)

    async def experimenter(self, datapath: Datapath, message: Experimenter) -> None:
        """A message came that the specification leaves to others."""

    async def message(self, datapath: Datapath, message: Message) -> None:
        """Any other message came."""

    async def background(self) -> None:
        """What goes on beside the handlers, as long as the controller runs."""


def _tell_error(datapath: Datapath, message: ErrorMsg, also: str = "") -> None:
    sent = datapath.sent(message.xid)
    told = f" to {sent}" if sent is not None else ""
    logger.warning("%s: the switch answered %s%s%s", datapath, message.code, told, also)


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

    `spaces` are those of all applications that run, among them this one by its name.
    TypeError if a handler is no `async def`.
    """

    def __init__(self, app: App, name: str = "", spaces: CookieSpaces | None = None) -> None:
        self.app, self.name = app, name or name_of(app)
        self.spaces = spaces or CookieSpaces([self.name])
        self.space = self.spaces.by_name[self.name]
        self.faults = Ration()  #: what its handlers do wrong, over all datapaths
        names = ["switch_ready", "switch_gone", "message", "background", *_NAMES.values()]
        found = {name: handler for name in names if (handler := _handler(app, name))}
        self.ready = found.get("switch_ready")
        self.gone = found.get("switch_gone")
        self.other = found.get("message")
        self.background = found.get("background")
        if (removed := found.get("flow_removed")) and not app.hears_all_removed:
            found["flow_removed"] = self._of_own(removed)
        if type(app).error is App.error:
            found["error"] = self._tell_error
        #: what wants a message of a class, None where nothing does; `other` wants all others
        self.by_class = {cls: found.get(name) for cls, name in _NAMES.items()}

    async def _tell_error(self, datapath: Datapath, message: ErrorMsg) -> None:
        """Do as `App.error`, but not without end where a switch refuses all that is sent."""
        if (also := self.faults.told(("error", message.code))) is not None:
            _tell_error(datapath, message, also)

    def _of_own(self, handler: Handler) -> Handler:
        """Return a handler that is called for entries of this application, or of nobody."""

        @wraps(handler)
        async def filtered(datapath: Datapath, message: FlowRemoved) -> None:
            if self.spaces.whose(message.cookie) in (self.space, None):
                await handler(datapath, message)

        return filtered


def name_of(app: App | type[App]) -> str:
    """Return what an application is called in a configuration and in the log.

    >>> class LearningSwitch(App): ...
    >>> name_of(LearningSwitch)
    'learning_switch'
    """
    cls = app if isinstance(app, type) else type(app)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()


def names_of(apps: Iterable[App], taken: Iterable[str] = ()) -> list[str]:
    """Return names for applications, none of them taken; a second hub is called hub_2."""
    names: list[str] = []
    for app in apps:
        name = name_of(app)
        free = (f"{name}_{number}" if number > 1 else name for number in count(1))
        names.append(next(one for one in free if one not in (*names, *taken)))
    return names


def _handler(app: App, name: str) -> Handler | None:
    handler: Handler = getattr(app, name)
    if name not in _BY_DEFAULT and getattr(type(app), name) is getattr(App, name):
        return None
    if not iscoroutinefunction(handler):
        raise TypeError(f"{type(app).__name__}.{name} must be declared with async def")
    return handler
