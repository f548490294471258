"""What the switch and those around it tell one another."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol import OF12, Message, PacketInReason, Version
from protocol.features import DEFAULT_MISS_SEND_LEN


class Session:
    """One controller's channel as the switch sees it."""

    __slots__ = ("miss_send_len", "version")

    def __init__(self, version: Version) -> None:
        self.version = version
        self.miss_send_len = DEFAULT_MISS_SEND_LEN  #: bytes; set_config changes it

    def wants_packet_in(self, reason: PacketInReason) -> bool:
        """Whether the controller gets packets for this reason.

        Since OF1.3 it asks for those whose TTL is invalid (OF1.3.5 7.3.10 "Set Asynchronous
        Configuration Message"); before, the switch has a flag for it.
        """
        return self.version <= OF12 or reason != PacketInReason.INVALID_TTL


@dataclass(slots=True)
class Effects:
    """What leaves the switch, in order."""

    frames: list[tuple[int, bytes]] = field(default_factory=list)  #: (port_no, frame)
    messages: list[tuple[Session, Message]] = field(default_factory=list)
