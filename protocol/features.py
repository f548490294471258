"""What a switch is and can: features, configuration, description; and the barrier."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from .message import Message, message
from .multipart import MultipartReply, MultipartRequest, multipart_reply, multipart_request
from .ports import PortDesc
from .record import ListOf
from .version import OF10, OF11, OF12, OF13
from .wire import U8, U16, U32, U64, Flags, Pad, Text, by_version, since, until


@message(5)
class FeaturesRequest(Message):
    """Asks what the switch is (OF1.5.1 7.3.1 "Handshake")."""


class Capabilities(IntFlag):
    """What the switch can do. STP exists in OF1.0 only, ARP_MATCH_IP up to OF1.1."""

    FLOW_STATS = 1 << 0
    TABLE_STATS = 1 << 1
    PORT_STATS = 1 << 2
    GROUP_STATS = 1 << 3
    IP_REASM = 1 << 5
    QUEUE_STATS = 1 << 6
    ARP_MATCH_IP = 1 << 7
    PORT_BLOCKED = 1 << 8
    BUNDLES = 1 << 9
    FLOW_MONITORING = 1 << 10
    STP = 1 << 31


# OF1.0 has STP where the others have GROUP_STATS.
_CAPABILITIES10 = {
    Capabilities.FLOW_STATS: 1 << 0,
    Capabilities.TABLE_STATS: 1 << 1,
    Capabilities.PORT_STATS: 1 << 2,
    Capabilities.STP: 1 << 3,
    Capabilities.IP_REASM: 1 << 5,
    Capabilities.QUEUE_STATS: 1 << 6,
    Capabilities.ARP_MATCH_IP: 1 << 7,
}


@message(6)
class FeaturesReply(Message):
    """What the switch is (OF1.5.1 7.3.1 "Handshake")."""

    datapath_id: int  #: 64 bits; the lower 48 are often an Ethernet address
    n_buffers: int = 0  #: packets the switch can hold
    n_tables: int = 1
    auxiliary_id: int = 0  #: 0 on the main connection
    capabilities: Capabilities | int = 0
    actions: int = 0  #: OF1.0: a bit for each action type; OF1.1 and OF1.2: reserved
    ports: tuple[PortDesc, ...] = ()  #: up to OF1.2; since OF1.3 ask PortDescRequest
    report = True
    layout = (
        "datapath_id" / U64,
        "n_buffers" / U32,
        "n_tables" / U8,
        "auxiliary_id" / since(OF13, U8),
        by_version({OF10: Pad(3), OF13: Pad(2)}),
        "capabilities"
        / by_version(
            {OF10: Flags(U32, Capabilities, _CAPABILITIES10), OF11: Flags(U32, Capabilities)}
        ),
        "actions" / until(OF12, U32),
        since(OF13, Pad(4)),
        "ports" / until(OF12, ListOf(PortDesc)),
    )


class ConfigFlags(IntFlag):
    """What to do with IP fragments, 0: nothing special. INVALID_TTL: OF1.1 and OF1.2."""

    FRAG_DROP = 1 << 0
    FRAG_REASM = 1 << 1
    INVALID_TTL_TO_CONTROLLER = 1 << 2


class ControllerMaxLen(IntEnum):
    """Values of miss_send_len and of an Output's max_len."""

    MAX = 0xFFE5
    NO_BUFFER = 0xFFFF  #: the whole packet, and it is not kept


DEFAULT_MISS_SEND_LEN = 128  #: bytes (OF1.5.1 7.3.2)


@message(7)
class GetConfigRequest(Message):
    """Asks for the switch's configuration (OF1.5.1 7.3.2 "Switch Configuration")."""


_config_layout = ("flags" / Flags(U16, ConfigFlags), "miss_send_len" / U16)


@message(8)
class GetConfigReply(Message):
    """The switch's configuration."""

    flags: ConfigFlags | int = 0
    miss_send_len: int = DEFAULT_MISS_SEND_LEN  #: bytes of a packet that a packet_in carries
    layout = _config_layout


@message(9)
class SetConfig(Message):
    """Changes the switch's configuration."""

    flags: ConfigFlags | int = 0
    miss_send_len: int = DEFAULT_MISS_SEND_LEN
    layout = _config_layout


@message(by_version({OF10: 18, OF11: 20}))
class BarrierRequest(Message):
    """Asks to finish all before it before all behind it (OF1.5.1 7.3.7 "Barrier Message")."""


@message(by_version({OF10: 19, OF11: 21}))
class BarrierReply(Message):
    """All before the request is done."""


@multipart_request(0)
class DescRequest(MultipartRequest):
    """Asks who made the switch (OF1.5.1 7.3.5.1 "Description")."""


@multipart_reply(0)
class DescReply(MultipartReply):
    """Who made the switch, in words."""

    mfr_desc: str = ""
    hw_desc: str = ""
    sw_desc: str = ""
    serial_num: str = ""
    dp_desc: str = ""
    layout = (
        "mfr_desc" / Text(256),
        "hw_desc" / Text(256),
        "sw_desc" / Text(256),
        "serial_num" / Text(32),
        "dp_desc" / Text(256),
    )
