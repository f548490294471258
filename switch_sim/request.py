"""A controller's request on its way through the switch, and who handles it.

A handler is a function that says which message it takes. Being imported registers it:

    @handles(BarrierRequest)
    def barrier(datapath: Datapath, request: Request[BarrierRequest]) -> None:
        request.answer(BarrierReply())

It answers with `request.answer`, or raises Refused, which becomes the ErrorMsg.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from msgspec.structs import replace

from protocol import (
    BadRequestCode,
    Message,
    MultipartFlags,
    MultipartReply,
    MultipartRequest,
    Version,
)
from protocol.symmetric import is_experimenters

from .refused import Refused
from .session import Effects, Session
from .slaves import check_slave

if TYPE_CHECKING:
    from .datapath import Datapath

M = TypeVar("M", bound=Message)


class Request(msgspec.Struct, Generic[M]):
    """What a controller said, and where the answers go."""

    session: Session
    message: M
    now: float  #: seconds, as in all that happens to the switch
    effects: Effects
    #: What cannot be taken back, where it has to wait until all else is known to be done.
    later: list[Callable[[], None]] | None = None

    def do(self, step: Callable[[], None]) -> None:
        """Do what cannot be taken back, such as sending a packet."""
        if self.later is None:
            step()
        else:
            self.later.append(step)

    @property
    def version(self) -> Version:
        """The version that the controller speaks."""
        return self.session.version

    def answer(self, *replies: Message) -> None:
        """Send answers, which get the xid of the request."""
        self.answer_in_parts(replies)

    def answer_in_parts(self, parts: Iterable[Message]) -> None:
        """Send the parts of a multipart reply."""
        xid = self.message.xid
        self.effects.messages += [(self.session, replace(part, xid=xid)) for part in parts]

    def answer_while_read(self, parts: Iterator[MultipartReply]) -> None:
        """Send a reply whose parts are made one by one, as the controller reads them.

        The first one is made now, so that what is wrong with the request shows. The others
        have to stand changes that come in between.
        """
        xid = self.message.xid
        for part in parts:
            self.effects.messages.append((self.session, replace(part, xid=xid)))
            if part.flags & MultipartFlags.MORE:
                rest = (replace(one, xid=xid) for one in parts)
                self.effects.answers.append((self.session, rest))
                return


Handler = Callable[["Datapath", Request[M]], None]
_handlers: dict[type[Message], Handler[Any]] = {}


def handles(*kinds: type[M]) -> Callable[[Handler[M]], Handler[M]]:
    """Register a function as the handler of messages."""

    def register(handler: Handler[M]) -> Handler[M]:
        for kind in kinds:
            assert kind not in _handlers, f"{kind.__name__} has two handlers"
            _handlers[kind] = handler
        return handler

    return register


def _unknown(kind: type[Message]) -> BadRequestCode:
    """Return the error for a message that is known to the library, but not done here."""
    return BadRequestCode.BAD_EXP_TYPE if is_experimenters(kind) else BadRequestCode.BAD_TYPE


def dispatch(datapath: Datapath, request: Request[Any]) -> None:
    """Let the handler of a message do what it asks; Refused where that cannot be done."""
    if request.session.is_slave:
        check_slave(request.message)
    kind = type(request.message)
    handler = _handlers.get(kind)
    if handler is None:
        if issubclass(kind, MultipartRequest):
            reason = f"{kind.__name__}: the switch has no such statistics"
            raise Refused(BadRequestCode.BAD_MULTIPART, reason)
        reason = f"{kind.__name__}: the switch takes no such message"
        raise Refused(_unknown(kind), reason)
    handler(datapath, request)
