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

    Both are asked for at once: each round trip is felt where many switches come together.
    It takes messages one by one, so that what comes behind the last answer, be it in the
    same read, finds the handshake done: no change of a port falls between.
    """

    def __init__(self, version: Version, send: Callable[[Message], int]) -> None:
        self._send = send
        self._features: FeaturesReply | None = None
        self._features_xid = send(FeaturesRequest())
        self._asks_ports = version >= OF13
        self._ports_xid: int | None = None
        self._ask_ports()

    def receive(self, message: Message) -> tuple[FeaturesReply, Sequence[PortDesc]] | None:
        """Return the features and the ports once both are there; auxiliary channels tell none.

        OpenFlowError if the switch refuses, or has nothing to tell to us. Messages that
        answer nothing are passed over: nobody asked for them before the handshake is done.
        """
        if self.answers_ports(message):
            return self._learn_ports(message)
        if message.xid != self._features_xid or self._features is not None:
            return None
        match message:
            case FeaturesReply():
                return self._learn(message)
            case ErrorMsg():
                raise RequestError(message)
        return None

    def answers_ports(self, message: Message) -> bool:
        """Whether this is what a switch answers when it is asked for its ports."""
        return message.xid == self._ports_xid and isinstance(message, PortDescReply | ErrorMsg)

    def _ask_ports(self) -> None:
        if self._asks_ports:
            self._ports_xid = self._send(PortDescRequest())

    def _learn(self, features: FeaturesReply) -> tuple[FeaturesReply, Sequence[PortDesc]] | None:
        if not features.datapath_id:
            raise OpenFlowError(
                "its datapath_id is 0, as that of any switch that was given none: give it one, "
                "with Open vSwitch by ovs-vsctl set bridge BRIDGE other-config:datapath-id=…"
            )
        if not self._asks_ports or features.auxiliary_id:
            return features, features.ports
        self._features = features
        if self._ports_xid is None:
            self._ask_ports()
        return None

    def _learn_ports(self, answer: Message) -> tuple[FeaturesReply, Sequence[PortDesc]] | None:
        if self._features is None:  # ports may change before it tells who it is: ask again then
            self._ports_xid = None
            return None
        if isinstance(answer, PortDescReply):
            return self._features, answer.ports
        assert isinstance(answer, ErrorMsg)
        name = f"datapath {self._features.datapath_id:#018x}"
        logger.warning("%s: it tells no ports: %s", name, answer.code)
        return self._features, ()
