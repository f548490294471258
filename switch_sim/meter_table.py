"""The meters: how fast packets come, and which band that calls for."""

from __future__ import annotations

from collections.abc import Sequence

from protocol import DropBand, DscpRemarkBand, MeterFlags

from .token_bucket import FRAME, TokenBucket, kilobits, usual_burst
from .undo import UndoLog

MAX_METERS = 65_536
Band = DropBand | DscpRemarkBand  #: that the switch can apply


class BandEntry:
    """A band, and what it has been applied to."""

    __slots__ = ("band", "bucket", "byte_count", "packet_count")

    def __init__(self, band: Band, flags: int, now: float) -> None:
        self.band = band
        self.packet_count = self.byte_count = 0
        self.bucket = TokenBucket(band.rate, _burst(band, flags), now)


class MeterEntry:
    """A meter (OF1.3.5 5.7 "Meter Table"), and what it has counted since `created`."""

    __slots__ = ("_by_rate", "bands", "byte_count", "created", "flags", "meter_id", "packet_count")

    def __init__(self, meter_id: int, now: float) -> None:
        self.meter_id = meter_id
        self.created = now
        self.packet_count = self.byte_count = 0
        self.configure(0, ())

    def configure(self, flags: int, bands: Sequence[BandEntry]) -> None:
        """Have these bands from now on; what was counted stays."""
        self.flags, self.bands = flags, tuple(bands)
        self._by_rate = sorted(self.bands, key=lambda one: one.band.rate, reverse=True)

    def measure(self, size: int, now: float) -> BandEntry | None:
        """Count a packet of so many bytes; return the band to apply to it, None for none.

        That is the one with the highest rate that the packets exceed (OF1.3.5 5.7.1 "Meter
        Bands"). What a band of a higher rate is applied to does not count for those below.
        """
        self.packet_count += 1
        self.byte_count += size
        amount = self._amount(size)
        for entry in self._by_rate:
            if not entry.bucket.take(amount, now):
                entry.packet_count += 1
                entry.byte_count += size
                return entry
        return None

    def foresee(self, size: int, now: float) -> BandEntry | None:
        """Return what `measure` would, and change nothing."""
        amount = self._amount(size)
        return next((one for one in self._by_rate if not one.bucket.has(amount, now)), None)

    def _amount(self, size: int) -> float:
        return 1 if self.flags & MeterFlags.PKTPS else kilobits(size)


class MeterTable(dict[int, MeterEntry]):
    """The meters by meter_id.

    `tells_features` is whether OF1.5's features are told: ovs-ofctl cannot read them.
    """

    def __init__(
        self,
        undo: UndoLog | None = None,
        max_meters: int = MAX_METERS,
        tells_features: bool = True,
    ) -> None:
        super().__init__()
        self.max_meters, self.tells_features = max_meters, tells_features
        self._undo = UndoLog() if undo is None else undo

    def put(self, entry: MeterEntry, flags: int, bands: Sequence[BandEntry]) -> None:
        """Add a meter, or change one that is there."""
        if entry.meter_id in self:
            before = entry.flags, entry.bands
            self._undo.note(lambda: entry.configure(*before))
        else:
            self._undo.note(lambda: self.take(entry.meter_id))
        entry.configure(flags, bands)
        self[entry.meter_id] = entry

    def take(self, meter_id: int) -> None:
        """Take a meter out."""
        entry = self.pop(meter_id)
        self._undo.note(lambda: self.put(entry, entry.flags, entry.bands))


def _burst(band: Band, flags: int) -> float:
    """Return how many kbit or packets a band lets pass at once."""
    if flags & MeterFlags.BURST:
        return band.burst_size
    return usual_burst(band.rate, 1 if flags & MeterFlags.PKTPS else FRAME)
