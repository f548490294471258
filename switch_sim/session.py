"""What the switch and those around it tell one another."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol import Message, Version
from protocol.features import DEFAULT_MISS_SEND_LEN


class Session:
    """One controller's channel as the switch sees it."""

    __slots__ = ("miss_send_len", "version")

    def __init__(self, version: Version) -> None:
        self.version = version
        self.miss_send_len = DEFAULT_MISS_SEND_LEN  #: bytes; set_config changes it


@dataclass(slots=True)
class Effects:
    """What leaves the switch, in order."""

    frames: list[tuple[int, bytes]] = field(default_factory=list)  #: (port_no, frame)
    messages: list[tuple[Session, Message]] = field(default_factory=list)
