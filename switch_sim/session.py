"""What the switch and those around it tell one another."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from protocol import Message, PacketInReason, Role, Version
from protocol.features import DEFAULT_MISS_SEND_LEN
from protocol.nicira import PacketInFormat
from protocol.roles import NO_SHORT_ID

from .asynchronous import default_masks, reason_in


class Session:
    """One channel of a controller as the switch sees it.

    A controller has a main channel and perhaps auxiliary ones (OF1.3.5 6.3.6 "Auxiliary
    Connections"). What belongs to the controller (role, masks, short_id) is that of `main`.
    """

    __slots__ = (
        "auxiliary_id",
        "controller_id",
        "is_congested",
        "main",
        "masks",
        "miss_send_len",
        "names_tables",
        "packet_in_format",
        "role",
        "short_id",
        "uri",
        "version",
        "wants_nxm",
    )

    def __init__(
        self,
        version: Version,
        uri: str = "",
        *,
        main: Session | None = None,
        auxiliary_id: int = 0,
    ) -> None:
        self.version = version
        self.uri = uri  #: where the controller is, as OF1.5 tells the other ones
        self.main = main or self
        self.auxiliary_id = auxiliary_id  #: 0 on the main channel
        self.miss_send_len = DEFAULT_MISS_SEND_LEN  #: bytes; set_config changes it
        self.packet_in_format = PacketInFormat.STANDARD  #: SetPacketInFormat changes it
        self.wants_nxm = False  #: by SetFlowFormat: what OF1.0 has no words for is told in NXM
        self.names_tables = False  #: in the commands of OF1.0's flow_mods, by FlowModTableId
        self.controller_id = 0  #: by which Nicira's actions name it; SetControllerId changes it
        self.is_congested = False  #: the shell's word: much waits that nobody reads
        self.role = Role.EQUAL
        self.short_id = NO_SHORT_ID
        self.masks = default_masks(version)  #: shared; a new one takes its place

    @property
    def is_slave(self) -> bool:
        """Whether the controller may ask only, not change anything."""
        return self.main.role is Role.SLAVE

    def wants(self, kind: str, reason: int) -> bool:
        """Whether the controller gets the asynchronous message `kind` for this reason.

        OF1.3.5 7.3.10 "Set Asynchronous Configuration Message".
        """
        role = "slave" if self.is_slave else "master"
        reason = reason_in(kind, reason, self.version)
        return bool(self.main.masks[f"{kind}_{role}"] >> reason & 1)

    def wants_packet_in(self, reason: PacketInReason) -> bool:
        """Whether the controller gets packets for this reason."""
        return self.wants("packet_in", reason)


class Effects(msgspec.Struct):
    """What leaves the switch, in order. A struct, as each message and each frame makes one."""

    frames: list[tuple[int, bytes]] = []  #: (port_no, frame)
    messages: list[tuple[Session, Message]] = []
    #: What follows the messages: parts of long answers, made when they are asked for.
    answers: list[tuple[Session, Iterator[Message]]] = []
