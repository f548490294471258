"""Port numbers; what a port is, how it is changed, how changes are told (OF1.5.1 7.2.1)."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from .addresses import Mac, MacAddress
from .errors import BadPropertyCode
from .field_ids import FieldId, FieldIds
from .message import Message, message
from .multipart import MultipartReply, MultipartRequest, multipart_reply, multipart_request
from .properties import properties
from .record import ListOf, Record, RecordOf
from .version import OF10, OF11, OF13, OF14, OF15
from .wire import (
    S32,
    U8,
    U16,
    U32,
    U64,
    Converted,
    Enum,
    Flags,
    Length,
    Numbers,
    Pad,
    Text,
    between,
    by_version,
    since,
    until,
)


class Port(IntEnum):
    """The reserved ports, with the numbers that all versions but OF1.0 have."""

    MAX = 0xFFFF_FF00
    UNSET = 0xFFFF_FFF7
    IN_PORT = 0xFFFF_FFF8
    TABLE = 0xFFFF_FFF9
    NORMAL = 0xFFFF_FFFA
    FLOOD = 0xFFFF_FFFB
    ALL = 0xFFFF_FFFC
    CONTROLLER = 0xFFFF_FFFD
    LOCAL = 0xFFFF_FFFE
    ANY = 0xFFFF_FFFF


# OF1.0 has 16 bits; its numbers from 0xff00 on are the reserved ones.
RESERVED10, _RESERVED = 0xFF00, 0xFFFF_FF00
_SHIFT = _RESERVED - RESERVED10


def port_of_16(number: int) -> int:
    """Return the port that 16 bits name."""
    return number + _SHIFT if number >= RESERVED10 else number


def port_in_16(number: int) -> int:
    """Return a port's number in 16 bits; ValueError if it has none."""
    if number < RESERVED10:
        return number
    if number < _RESERVED:
        raise ValueError("ports of OpenFlow 1.0 have numbers below 0xff00")
    return number - _SHIFT


#: A port number in 16 bits.
Port16 = Enum(Converted(U16, port_of_16, port_in_16), Port)
#: A port number as each version writes it.
PortNo = by_version({OF10: Port16, OF11: Enum(U32, Port)})


class PortConfig(IntFlag):
    """How the controller wants a port to be. NO_STP, NO_RECV_STP, NO_FLOOD: OF1.0 only."""

    PORT_DOWN = 1 << 0
    NO_STP = 1 << 1
    NO_RECV = 1 << 2
    NO_RECV_STP = 1 << 3
    NO_FLOOD = 1 << 4
    NO_FWD = 1 << 5
    NO_PACKET_IN = 1 << 6


class PortState(IntFlag):
    """How a port is. The STP bits exist in OF1.0 only, both together mean blocked."""

    LINK_DOWN = 1 << 0
    BLOCKED = 1 << 1
    LIVE = 1 << 2
    STP_LEARN = 1 << 8
    STP_FORWARD = 1 << 9


class PortFeatures(IntFlag):
    """Speeds and abilities of an Ethernet port."""

    RATE_10MB_HD = 1 << 0
    RATE_10MB_FD = 1 << 1
    RATE_100MB_HD = 1 << 2
    RATE_100MB_FD = 1 << 3
    RATE_1GB_HD = 1 << 4
    RATE_1GB_FD = 1 << 5
    RATE_10GB_FD = 1 << 6
    RATE_40GB_FD = 1 << 7
    RATE_100GB_FD = 1 << 8
    RATE_1TB_FD = 1 << 9
    OTHER = 1 << 10
    COPPER = 1 << 11
    FIBER = 1 << 12
    AUTONEG = 1 << 13
    PAUSE = 1 << 14
    PAUSE_ASYM = 1 << 15


# OF1.0 ends with 10 Gb/s, so that the bits behind stand four places lower.
_FEATURES10 = {
    **{PortFeatures(1 << bit): 1 << bit for bit in range(7)},
    **{PortFeatures(1 << bit): 1 << bit - 4 for bit in range(11, 16)},
}
FeaturesShape = by_version(
    {OF10: Flags(U32, PortFeatures, _FEATURES10), OF11: Flags(U32, PortFeatures)}
)
ConfigShape = Flags(U32, PortConfig)

PortPropertyShape = properties("port")


@PortPropertyShape.member(since(OF14, 0))
class PortEthernet(Record):
    """Speeds of an Ethernet port: up to OF1.3 part of the port, since OF1.4 a property."""

    curr: PortFeatures | int = 0
    advertised: PortFeatures | int = 0
    supported: PortFeatures | int = 0
    peer: PortFeatures | int = 0
    curr_speed: int = 0  #: kbit/s
    max_speed: int = 0  #: kbit/s
    report = recurs = True
    layout = (
        since(OF14, Pad(4)),
        "curr" / FeaturesShape,
        "advertised" / FeaturesShape,
        "supported" / FeaturesShape,
        "peer" / FeaturesShape,
        "curr_speed" / since(OF11, U32),
        "max_speed" / since(OF11, U32),
    )


@PortPropertyShape.member(since(OF14, 1))
class PortOptical(Record):
    """Light of an optical port; frequencies or wavelengths as `supported` says."""

    supported: int = 0
    tx_min_freq_lmda: int = 0
    tx_max_freq_lmda: int = 0
    tx_grid_freq_lmda: int = 0
    rx_min_freq_lmda: int = 0
    rx_max_freq_lmda: int = 0
    rx_grid_freq_lmda: int = 0
    tx_pwr_min: int = 0  #: dBm * 10
    tx_pwr_max: int = 0  #: dBm * 10
    layout = (
        Pad(4),
        "supported" / U32,
        "tx_min_freq_lmda" / U32,
        "tx_max_freq_lmda" / U32,
        "tx_grid_freq_lmda" / U32,
        "rx_min_freq_lmda" / U32,
        "rx_max_freq_lmda" / U32,
        "rx_grid_freq_lmda" / U32,
        "tx_pwr_min" / U16,
        "tx_pwr_max" / U16,
    )


@PortPropertyShape.member(since(OF15, 2))
class PortPipelineInput(Record):
    """The pipeline fields that packets bring along when they come in from the port."""

    oxm_ids: tuple[FieldId, ...] = ()
    layout = ("oxm_ids" / FieldIds,)


@PortPropertyShape.member(since(OF15, 3))
class PortPipelineOutput(Record):
    """The pipeline fields that the port hands on with the packets that leave by it."""

    oxm_ids: tuple[FieldId, ...] = ()
    layout = ("oxm_ids" / FieldIds,)


@PortPropertyShape.member(since(OF15, 4))
class PortRecirculate(Record):
    """The ports by which packets come in again that leave by this one."""

    port_nos: tuple[int, ...] = ()
    layout = ("port_nos" / Numbers("I"),)


PortModPropertyShape = properties("port_mod", BadPropertyCode.BAD_TYPE)


@PortModPropertyShape.member(since(OF14, 0))
class PortModEthernet(Record):
    """What an Ethernet port is to advertise; 0 changes nothing."""

    advertise: PortFeatures | int = 0
    layout = ("advertise" / FeaturesShape, until(OF13, Pad(4)))


@PortModPropertyShape.member(since(OF14, 1))
class PortModOptical(Record):
    """How an optical port is to be tuned."""

    configure: int = 0
    freq_lmda: int = 0
    fl_offset: int = 0  #: may be negative
    grid_span: int = 0
    tx_pwr: int = 0
    layout = (
        "configure" / U32,
        "freq_lmda" / U32,
        "fl_offset" / S32,
        "grid_span" / U32,
        "tx_pwr" / U32,
    )


def _only(cls: type[Record]) -> Converted:
    """The one property that a version without properties has, in its fixed place."""

    def to_wire(properties: tuple[Record, ...]) -> Record:
        if len(properties) > 1 or not all(type(one) is cls for one in properties):
            raise ValueError(f"only a {cls.__name__} can be said in this version")
        return properties[0] if properties else cls()

    return Converted(RecordOf(cls), lambda value: (value,), to_wire)


class PortDesc(Record):
    """A port (OF1.5.1 7.2.1.1 "Port Description Structures": ofp_port)."""

    port_no: int
    hw_addr: MacAddress | int = 0
    name: str = ""
    config: PortConfig | int = 0
    state: PortState | int = 0
    properties: tuple[Record, ...] = ()
    layout = (
        "port_no" / PortNo,
        between(OF11, OF13, Pad(4)),
        since(OF14, Length(U16)),
        since(OF14, Pad(2)),
        "hw_addr" / Mac,
        since(OF11, Pad(2)),
        "name" / Text(16),
        "config" / ConfigShape,
        "state" / Flags(U32, PortState),
        "properties" / by_version({OF10: _only(PortEthernet), OF14: PortPropertyShape}),
    )

    @property
    def is_up(self) -> bool:
        """Whether frames can come and go by the port."""
        return not (self.config & PortConfig.PORT_DOWN or self.state & PortState.LINK_DOWN)

    @property
    def ethernet(self) -> PortEthernet:
        """The port's speeds; all zero where it is no Ethernet port."""
        return next((one for one in self.properties if isinstance(one, PortEthernet)), _NO_SPEEDS)


_NO_SPEEDS = PortEthernet()


class PortReason(IntEnum):
    """What happened to a port."""

    ADD = 0
    DELETE = 1
    MODIFY = 2


@message(12)
class PortStatus(Message):
    """A port came, went or changed (OF1.5.1 7.4.3 "Port Status Message")."""

    reason: PortReason | int
    desc: PortDesc
    layout = ("reason" / Enum(U8, PortReason), Pad(7), "desc" / RecordOf(PortDesc))


@message(by_version({OF10: 15, OF11: 16}))
class PortMod(Message):
    """Changes a port's configuration (OF1.5.1 7.3.4.4 "Port Modification Message")."""

    port_no: int
    hw_addr: MacAddress | int = 0  #: must be the port's, as a safeguard
    config: PortConfig | int = 0
    mask: PortConfig | int = 0  #: the bits of config that change
    properties: tuple[Record, ...] = ()
    layout = (
        "port_no" / PortNo,
        since(OF11, Pad(4)),
        "hw_addr" / Mac,
        since(OF11, Pad(2)),
        "config" / ConfigShape,
        "mask" / ConfigShape,
        "properties" / by_version({OF10: _only(PortModEthernet), OF14: PortModPropertyShape}),
    )


# Up to OF1.2 this is no part of the specification, but Open vSwitch asks and answers it.
@multipart_request(13)
class PortDescRequest(MultipartRequest):
    """Asks for the ports; OF1.5 can ask for one (OF1.5.1 7.3.5 "Port Description")."""

    port_no: int = Port.ANY
    layout = ("port_no" / since(OF15, PortNo), since(OF15, Pad(4)))


@multipart_reply(13)
class PortDescReply(MultipartReply):
    """All ports, or those asked for. Up to OF1.2 they stand in FeaturesReply as well."""

    ports: tuple[PortDesc, ...] = ()
    layout = ("ports" / ListOf(PortDesc),)
    gathers = "ports"


@multipart_request(4)
class PortStatsRequest(MultipartRequest):
    """Asks what ports counted (OF1.5.1 7.3.5 "Port Statistics")."""

    port_no: int = Port.ANY
    layout = ("port_no" / PortNo, by_version({OF10: Pad(6), OF11: Pad(4)}))


PortStatsPropertyShape = properties("port stats")


@PortStatsPropertyShape.member(since(OF14, 0))
class PortStatsEthernet(Record):
    """Errors of an Ethernet port: up to OF1.3 part of the statistics, then a property."""

    rx_frame_err: int = 0
    rx_over_err: int = 0
    rx_crc_err: int = 0
    collisions: int = 0
    layout = (
        since(OF14, Pad(4)),
        "rx_frame_err" / U64,
        "rx_over_err" / U64,
        "rx_crc_err" / U64,
        "collisions" / U64,
    )


@PortStatsPropertyShape.member(since(OF14, 1))
class PortStatsOptical(Record):
    """How an optical port is tuned now."""

    flags: int = 0
    tx_freq_lmda: int = 0
    tx_offset: int = 0
    tx_grid_span: int = 0
    rx_freq_lmda: int = 0
    rx_offset: int = 0
    rx_grid_span: int = 0
    tx_pwr: int = 0
    rx_pwr: int = 0
    bias_current: int = 0
    temperature: int = 0
    layout = (
        Pad(4),
        "flags" / U32,
        "tx_freq_lmda" / U32,
        "tx_offset" / U32,
        "tx_grid_span" / U32,
        "rx_freq_lmda" / U32,
        "rx_offset" / U32,
        "rx_grid_span" / U32,
        "tx_pwr" / U16,
        "rx_pwr" / U16,
        "bias_current" / U16,
        "temperature" / U16,
    )


class PortStats(Record):
    """What a port counted; all ones for what it does not count."""

    port_no: int
    rx_packets: int = 0
    tx_packets: int = 0
    rx_bytes: int = 0
    tx_bytes: int = 0
    rx_dropped: int = 0
    tx_dropped: int = 0
    rx_errors: int = 0
    tx_errors: int = 0
    duration_sec: int = 0
    duration_nsec: int = 0
    properties: tuple[Record, ...] = ()
    layout = (
        since(OF14, Length(U16)),
        since(OF14, Pad(2)),
        "port_no" / PortNo,
        by_version({OF10: Pad(6), OF11: Pad(4), OF14: None}),
        "duration_sec" / since(OF14, U32),
        "duration_nsec" / since(OF14, U32),
        "rx_packets" / U64,
        "tx_packets" / U64,
        "rx_bytes" / U64,
        "tx_bytes" / U64,
        "rx_dropped" / U64,
        "tx_dropped" / U64,
        "rx_errors" / U64,
        "tx_errors" / U64,
        "properties" / by_version({OF10: _only(PortStatsEthernet), OF14: PortStatsPropertyShape}),
        "duration_sec" / between(OF13, OF13, U32),
        "duration_nsec" / between(OF13, OF13, U32),
    )
    report = True


@multipart_reply(4)
class PortStatsReply(MultipartReply):
    """What the ports asked for counted."""

    ports: tuple[PortStats, ...] = ()
    layout = ("ports" / ListOf(PortStats),)
    gathers = "ports"
