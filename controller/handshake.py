"""What follows the hello: the switch tells who it is and which ports it has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from protocol import (
    OF13,
    ErrorMsg,
    FeaturesReply,
    FeaturesRequest,
    Message,
    OpenFlowError,
    PortDesc,
    PortDescReply,
    PortDescRequest,
    RequestError,
    Version,
)

logger = logging.getLogger("controller")


class Handshake:
    """Asks a switch for its features; since OF1.3 its ports have a message of their own.

    It takes messages one by one, so that what comes behind the last answer, be it in the
    same read, finds the handshake done: no change of a port falls between.
    """

    def __init__(self, version: Version, send: Callable[[Message], int]) -> None:
        self._version, self._send = version, send
        self._features: FeaturesReply | None = None
        self._xid = send(FeaturesRequest())

    def receive(self, message: Message) -> tuple[FeaturesReply, Sequence[PortDesc]] | None:
        """Return the features and the ports once both are there; auxiliary channels tell none.

        OpenFlowError if the switch refuses, or has nothing to tell to us. Messages that
        answer nothing are passed over: nobody asked for them before the handshake is done.
        """
        if message.xid != self._xid:
            return None
        match message:
            case FeaturesReply() if self._features is None:
                return self._learn(message)
            case PortDescReply() if self._features is not None:
                return self._features, message.ports
            case ErrorMsg() if self._features is not None:
                name = f"datapath {self._features.datapath_id:#018x}"
                logger.warning("%s: it tells no ports: %s", name, message.code)
                return self._features, ()
            case ErrorMsg():
                raise RequestError(message)
        return None

    def _learn(self, features: FeaturesReply) -> tuple[FeaturesReply, Sequence[PortDesc]] | None:
        if not features.datapath_id:
            raise OpenFlowError(
                "its datapath_id is 0, as that of any switch that was given none: give it one, "
                "with Open vSwitch by ovs-vsctl set bridge BRIDGE other-config:datapath-id=…"
            )
        if self._version < OF13 or features.auxiliary_id:
            return features, features.ports
        self._features = features
        self._xid = self._send(PortDescRequest())
        return None
