"""What the switch tells of its meters (OF1.3.5 7.3.5.12 to 7.3.5.14)."""

from __future__ import annotations

from collections.abc import Iterator

from protocol import OF15, MeterFlags, Version
from protocol import MeterModFailedCode as Code
from protocol.meters import (
    BandShape,
    BandStats,
    DropBand,
    DscpRemarkBand,
    MeterDesc,
    MeterDescReply,
    MeterFeatureFlags,
    MeterFeaturesReply,
    MeterId,
    MeterStats,
    MeterStatsReply,
)

from .flow_entry import split_seconds
from .meter_mods import MAX_BANDS
from .meter_table import MeterEntry, MeterTable
from .references import References
from .refused import Refused
from .statistics import in_sized_parts

_FEATURES = MeterFeatureFlags(sum(MeterFeatureFlags))


def meter_stats(
    meters: MeterTable, references: References, meter_id: int, version: Version, now: float
) -> Iterator[MeterStatsReply]:
    """Yield what meters counted (OF1.3.5 7.3.5.12 "Meter Statistics")."""
    told = (
        _stats(entry, len(references.of_meter(entry.meter_id)), now)
        for entry in _named(meters, meter_id)
    )
    return in_sized_parts(told, version, MeterStatsReply)


def _stats(entry: MeterEntry, flow_count: int, now: float) -> MeterStats:
    seconds, nanoseconds = split_seconds(now - entry.created)
    return MeterStats(
        entry.meter_id,
        flow_count,
        entry.packet_count,
        entry.byte_count,
        seconds,
        nanoseconds,
        tuple(BandStats(one.packet_count, one.byte_count) for one in entry.bands),
    )


def meter_descs(meters: MeterTable, meter_id: int, version: Version) -> Iterator[MeterDescReply]:
    """Yield how meters are configured (OF1.3.5 7.3.5.13 "Meter Configuration Statistics")."""
    told = (
        MeterDesc(entry.meter_id, tuple(one.band for one in entry.bands), MeterFlags(entry.flags))
        for entry in _named(meters, meter_id)
    )
    return in_sized_parts(told, version, MeterDescReply)


def _named(meters: MeterTable, meter_id: int) -> list[MeterEntry]:
    """Return the meters that a request means; Refused where there is none of this number."""
    if meter_id == MeterId.ALL:
        return [meters[one] for one in sorted(meters)]
    if meter_id not in meters:
        raise Refused(Code.UNKNOWN_METER, f"there is no meter {meter_id}")
    return [meters[meter_id]]


def meter_features(meters: MeterTable, version: Version) -> MeterFeaturesReply:
    """Return what meters can do here (OF1.3.5 7.3.5.14 "Meter Features Statistics")."""
    numbers = BandShape.at(version).number_of
    return MeterFeaturesReply(
        max_meter=meters.max_meters,
        band_types=sum(1 << numbers[kind] for kind in (DropBand, DscpRemarkBand)),
        capabilities=MeterFlags(sum(MeterFlags)),
        max_bands=MAX_BANDS,
        # Packets have no colour that one meter tells another.
        max_color=0,
        features=_FEATURES if meters.tells_features and version >= OF15 else None,
    )
