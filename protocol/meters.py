"""Meters: meter_mod and its bands, statistics, configuration, features (OF1.5.1 7.3.4.5)."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from .errors import MeterModFailedCode
from .message import Message, message
from .multipart import MultipartReply, MultipartRequest, multipart_reply, multipart_request
from .record import Family, ListOf, Record
from .version import OF13, OF15
from .wire import U8, U16, U32, U64, Converted, Enum, Flags, Length, Pad, Rest, since


class MeterId(IntEnum):
    """The meters that are no meters."""

    MAX = 0xFFFF_0000
    SLOWPATH = 0xFFFF_FFFD
    CONTROLLER = 0xFFFF_FFFE
    ALL = 0xFFFF_FFFF


class MeterFlags(IntFlag):
    """How a meter counts."""

    KBPS = 1 << 0
    PKTPS = 1 << 1
    BURST = 1 << 2
    STATS = 1 << 3


BandShape = Family(
    "meter band",
    length_counts_padding=True,
    unknown=MeterModFailedCode.BAD_BAND,
    short=MeterModFailedCode.BAD_BAND,
)


class MeterBand(Record):
    """The base of all bands; each works from its rate on."""


@BandShape.member(since(OF13, 1))
class DropBand(MeterBand):
    """Drop what comes faster."""

    rate: int  #: kbit/s or packets/s, as the meter's flags say
    burst_size: int = 0  #: kbit or packets
    layout = ("rate" / U32, "burst_size" / U32, Pad(4))


@BandShape.member(since(OF13, 2))
class DscpRemarkBand(MeterBand):
    """Make what comes faster more likely to be dropped later, by its DSCP."""

    rate: int
    burst_size: int = 0
    prec_level: int = 1  #: by how much the drop precedence rises
    layout = ("rate" / U32, "burst_size" / U32, "prec_level" / U8, Pad(3))


@BandShape.member(since(OF13, 0xFFFF))
class ExperimenterBand(MeterBand):
    """A band that the specification leaves to others."""

    rate: int
    burst_size: int = 0
    experimenter: int = 0
    data: bytes = b""
    layout = ("rate" / U32, "burst_size" / U32, "experimenter" / U32, "data" / Rest)


class MeterModCommand(IntEnum):
    """What a meter_mod does."""

    ADD = 0
    MODIFY = 1
    DELETE = 2


@message(since(OF13, 29))
class MeterMod(Message):
    """Adds, changes or deletes a meter (OF1.5.1 7.3.4.5 "Meter Modification Message")."""

    meter_id: int
    bands: tuple[MeterBand, ...] = ()
    command: MeterModCommand | int = MeterModCommand.ADD
    flags: MeterFlags | int = MeterFlags.KBPS
    layout = (
        "command" / Enum(U16, MeterModCommand),
        "flags" / Flags(U16, MeterFlags),
        "meter_id" / Enum(U32, MeterId),
        "bands" / BandShape,
    )


_one_meter = ("meter_id" / Enum(U32, MeterId), Pad(4))


@multipart_request(since(OF13, 9))
class MeterStatsRequest(MultipartRequest):
    """Asks what meters counted (OF1.5.1 7.3.5 "Meter Statistics")."""

    meter_id: int = MeterId.ALL
    layout = _one_meter


class BandStats(Record):
    """What a band counted."""

    packet_band_count: int = 0
    byte_band_count: int = 0
    layout = ("packet_band_count" / U64, "byte_band_count" / U64)


class MeterStats(Record):
    """What a meter counted."""

    meter_id: int
    flow_count: int = 0  #: since OF1.5 ref_count: flow entries or other references
    packet_in_count: int = 0
    byte_in_count: int = 0
    duration_sec: int = 0
    duration_nsec: int = 0
    band_stats: tuple[BandStats, ...] = ()
    layout = (
        "meter_id" / U32,
        Length(U16),
        Pad(6),
        "flow_count" / U32,
        "packet_in_count" / U64,
        "byte_in_count" / U64,
        "duration_sec" / U32,
        "duration_nsec" / U32,
        "band_stats" / ListOf(BandStats),
    )


@multipart_reply(since(OF13, 9))
class MeterStatsReply(MultipartReply):
    """What the meters asked for counted."""

    meters: tuple[MeterStats, ...] = ()
    layout = ("meters" / ListOf(MeterStats),)
    gathers = "meters"


@multipart_request(since(OF13, 10))
class MeterDescRequest(MultipartRequest):
    """Asks how meters are configured; up to OF1.4 METER_CONFIG (OF1.5.1 7.3.5)."""

    meter_id: int = MeterId.ALL
    layout = _one_meter


class MeterDesc(Record):
    """How a meter is configured."""

    meter_id: int
    bands: tuple[MeterBand, ...] = ()
    flags: MeterFlags | int = 0
    layout = (
        Length(U16),
        "flags" / Flags(U16, MeterFlags),
        "meter_id" / Enum(U32, MeterId),
        "bands" / BandShape,
    )


@multipart_reply(since(OF13, 10))
class MeterDescReply(MultipartReply):
    """How the meters asked for are configured."""

    meters: tuple[MeterDesc, ...] = ()
    layout = ("meters" / ListOf(MeterDesc),)
    gathers = "meters"


@multipart_request(since(OF13, 11))
class MeterFeaturesRequest(MultipartRequest):
    """Asks what meters the switch can do (OF1.5.1 7.3.5 "Meter Features Statistics")."""


class MeterFeatureFlags(IntFlag):
    """What may be done with meters, since OF1.5."""

    ACTION_SET = 1 << 0
    ANY_POSITION = 1 << 1
    MULTI_LIST = 1 << 2


class _Features(Record):
    """The end that OF1.5 gives a reply, and that Open vSwitch leaves out."""

    features: MeterFeatureFlags | int = 0
    layout = ("features" / Flags(U32, MeterFeatureFlags), Pad(4))


def _features_of(found: tuple[_Features, ...]) -> MeterFeatureFlags | int | None:
    if len(found) > 1:
        raise ValueError(f"{len(found)} sets of features")
    return found[0].features if found else None


def _end_with(features: MeterFeatureFlags | int | None) -> tuple[_Features, ...]:
    return () if features is None else (_Features(features),)


@multipart_reply(since(OF13, 11))
class MeterFeaturesReply(MultipartReply):
    """What meters the switch can do."""

    max_meter: int = 0
    band_types: int = 0  #: a bit for each type of band
    capabilities: MeterFlags | int = 0
    max_bands: int = 0
    max_color: int = 0
    features: MeterFeatureFlags | int | None = None  #: since OF1.5; None where it is not said
    layout = (
        "max_meter" / U32,
        "band_types" / U32,
        "capabilities" / Flags(U32, MeterFlags),
        "max_bands" / U8,
        "max_color" / U8,
        Pad(2),
        "features" / since(OF15, Converted(ListOf(_Features), _features_of, _end_with)),
    )
    report = True
