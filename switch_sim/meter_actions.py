"""A packet through meters: dropped, marked, or left as it is (OF1.3.5 5.7 "Meter Table")."""

from __future__ import annotations

from protocol import (
    OF15,
    BadActionCode,
    BadInstructionCode,
    DscpRemarkBand,
    ErrorCode,
    Meter,
    MeterAction,
    MeterFlags,
    MeterModFailedCode,
    Version,
)
from protocol.meters import MeterId

from .check import Checker
from .fields import set_field
from .forwarding import Forwarding
from .meter_table import BandEntry, MeterEntry, MeterTable
from .packet import Dropped, Packet
from .pipeline import Pipeline
from .refused import Refused

_CLASSES = range(1, 5)  # of assured forwarding, in the upper three bits (RFC 2597 6)
_HIGHEST = 3  # drop precedence, in the next two; the lowest bit is 0


class MeterActions:
    """Does the instruction Meter and OF1.5's action of a pipeline; refuses what is not there.

    Packets for controllers go through the virtual meter CONTROLLER where it has bands.
    """

    def __init__(
        self, meters: MeterTable, pipeline: Pipeline, checker: Checker, forwarding: Forwarding
    ) -> None:
        self.meters = meters
        pipeline.instructions[Meter] = lambda packet, one: self._do(packet, one.meter_id)
        pipeline.actions[MeterAction] = lambda packet, one: self._do(packet, one.meter_id)
        checker.instructions[Meter] = self._check_instruction
        checker.actions[MeterAction] = lambda one, version: self._check(
            one.meter_id, BadActionCode.BAD_METER
        )
        forwarding.limits.append(self._limit)

    def _check_instruction(self, one: Meter, version: Version) -> None:
        if version >= OF15:  # where its number is deprecated, as there is an action
            raise Refused(BadInstructionCode.UNSUP_INST, "OF1.5 meters by an action")
        self._check(one.meter_id, MeterModFailedCode.UNKNOWN_METER)

    def _check(self, meter_id: int, code: ErrorCode) -> None:
        if meter_id not in self.meters or meter_id > MeterId.MAX:
            raise Refused(code, f"there is no meter {meter_id}")

    def _do(self, packet: Packet, meter_id: int) -> None:
        # A meter that a bucket names may be gone: it limits nothing then.
        if entry := self.meters.get(meter_id):
            _police(packet, entry)

    def _limit(self, packet: Packet) -> Packet:
        """Return what of a packet the controllers may get; Dropped for nothing."""
        entry = self.meters.get(MeterId.CONTROLLER)
        if entry is None:
            return packet
        copy = packet.copy()
        copy.action_set = packet.action_set
        _police(copy, entry)
        return copy


def _police(packet: Packet, entry: MeterEntry) -> None:
    """Take a packet through a meter; Dropped where a band says so."""
    size = len(packet.data)
    if packet.witness is None:
        found = entry.measure(size, packet.now)
    else:
        found = entry.foresee(size, packet.now)
        verdict = _verdict(entry, found) if found else "within the rate"
        packet.witness.remark(f"meter {entry.meter_id}", verdict)
    if found is None:
        return
    if isinstance(found.band, DscpRemarkBand):
        _remark(packet, found.band.prec_level)
    else:
        raise Dropped(f"meter {entry.meter_id} {_verdict(entry, found)}")


def _verdict(entry: MeterEntry, found: BandEntry) -> str:
    unit = "packets/s" if entry.flags & MeterFlags.PKTPS else "kbit/s"
    what = "marks" if isinstance(found.band, DscpRemarkBand) else "drops"
    return f"{what} what comes faster than {found.band.rate} {unit}"


def _remark(packet: Packet, prec_level: int) -> None:
    """Raise the drop precedence (OF1.3.5 5.7.1 "Meter Bands"); other DSCPs have none."""
    dscp = packet.key["ip_dscp"]
    if dscp is None:
        return
    precedence = dscp >> 1 & _HIGHEST
    if dscp >> 3 in _CLASSES and precedence and not dscp & 1:
        raised = min(precedence + prec_level, _HIGHEST)
        set_field(packet, "ip_dscp", dscp & ~(_HIGHEST << 1) | raised << 1)
