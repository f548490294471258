"""How several messages are done together or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from protocol import BundleFailedCode, Message

from .refused import Refused, error_of
from .request import Request, dispatch
from .session import Effects

if TYPE_CHECKING:
    from .datapath import Datapath


def commit(datapath: Datapath, request: Request[Any], messages: Sequence[Message]) -> None:
    """Do all messages in their order; Refused (MSG_FAILED) where one cannot be done.

    Then the switch is as it was, and the controller gets the error of that message, too
    (OF1.4.1 7.3.9 "Bundle Messages").

    A packet that is sent cannot be called back. So they are first done without packets, and
    where there are some, taken back and done again with each packet at its place.
    """
    packets: list[object] = []
    staged = _try(datapath, request, messages, packets)
    if packets:
        datapath.undo.roll_back()
        staged = _try(datapath, request, messages, None)
    datapath.undo.keep()
    request.effects.frames += staged.frames
    request.effects.messages += staged.messages
    request.effects.answers += staged.answers


def _try(
    datapath: Datapath,
    request: Request[Any],
    messages: Sequence[Message],
    later: list[Any] | None,
) -> Effects:
    """Do messages so that it can be taken back; return what would leave the switch."""
    staged = Effects()
    datapath.undo.begin()
    for message in messages:
        one = Request(request.session, message, request.now, staged, later)
        try:
            dispatch(datapath, one)
        except Refused as refusal:
            datapath.undo.roll_back()
            error = error_of(refusal, message, request.version)
            request.effects.messages.append((request.session, error))
            reason = f"{type(message).__name__} cannot be done: {refusal}"
            raise Refused(BundleFailedCode.MSG_FAILED, reason) from refusal
    return staged
