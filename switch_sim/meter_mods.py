"""What a meter_mod does (OF1.3.5 6.6 "Meter Modification Messages").

A message is judged in this order: its command; its meter_id; its flags; how many bands it
has, and each of them; whether the meter is there; room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protocol import DropBand, DscpRemarkBand, MeterFlags, MeterMod, MeterModCommand
from protocol import MeterModFailedCode as Code
from protocol.meters import MeterBand, MeterId

from .meter_table import Band, BandEntry, MeterEntry, MeterTable
from .refused import Refused

MAX_BANDS = 16  #: of a meter; each packet may have to ask them all
MAX_PREC_LEVEL = 2  #: there are three drop precedences (RFC 2597 2 "The AF PHB Group")
_FLAGS = sum(MeterFlags)
_UNITS = MeterFlags.KBPS | MeterFlags.PKTPS

#: The meters of what is no flow; they may have bands, but never go (OF1.3.5 7.3.4.4
#: "Meter Modification Message"). Nothing takes a slow path here, so that SLOWPATH counts nothing.
VIRTUAL = frozenset({MeterId.SLOWPATH, MeterId.CONTROLLER})


class MeterMods:
    """Does meter_mods, each wholly or, where it is refused, not at all."""

    def __init__(self, meters: MeterTable) -> None:
        self.meters = meters
        self._commands: dict[int, Callable[[MeterMod, float], list[int]]] = {
            MeterModCommand.ADD: self._add,
            MeterModCommand.MODIFY: self._modify,
            MeterModCommand.DELETE: self._delete,
        }

    def apply(self, message: MeterMod, now: float) -> list[int]:
        """Do what a message says; return the meters that are deleted.

        Refused, with the error that the specification names, where it cannot be done.
        """
        command = self._commands.get(message.command)
        if command is None:
            raise Refused(Code.BAD_COMMAND, f"meter_mod has no command {message.command}")
        return command(message, now)

    def _add(self, message: MeterMod, now: float) -> list[int]:
        bands = _checked(message)
        if message.meter_id in self.meters:
            raise Refused(Code.METER_EXISTS, f"there is a meter {message.meter_id} already")
        if len(self.meters) >= self.meters.max_meters:
            reason = f"there are {self.meters.max_meters} meters already"
            raise Refused(Code.OUT_OF_METERS, reason)
        self._put(MeterEntry(message.meter_id, now), message.flags, bands, now)
        return []

    def _modify(self, message: MeterMod, now: float) -> list[int]:
        bands = _checked(message)
        entry = self.meters.get(message.meter_id)
        if entry is None:
            raise Refused(Code.UNKNOWN_METER, f"there is no meter {message.meter_id}")
        self._put(entry, message.flags, bands, now)
        return []

    def _put(self, entry: MeterEntry, flags: int, bands: Sequence[Band], now: float) -> None:
        self.meters.put(entry, flags, [BandEntry(band, flags, now) for band in bands])

    def _delete(self, message: MeterMod, now: float) -> list[int]:
        meter_id = message.meter_id
        if meter_id == MeterId.ALL:
            gone = sorted(self.meters.keys() - VIRTUAL)
        elif not 0 < meter_id <= MeterId.MAX:
            raise Refused(Code.INVALID_METER, f"meter {meter_id:#x} cannot be deleted")
        else:
            gone = [meter_id] if meter_id in self.meters else []
        for one in gone:
            self.meters.take(one)
        return gone


def _checked(message: MeterMod) -> list[Band]:
    """Return the bands of a message; Refused where no meter can be so."""
    if not (0 < message.meter_id <= MeterId.MAX or message.meter_id in VIRTUAL):
        raise Refused(Code.INVALID_METER, f"no meter can be {message.meter_id:#x}")
    if message.flags & ~_FLAGS:
        raise Refused(Code.BAD_FLAGS, f"flags {message.flags:#x} are unknown")
    if message.flags & _UNITS == _UNITS:
        raise Refused(Code.BAD_FLAGS, "a rate is of kbit or of packets, not of both")
    if len(message.bands) > MAX_BANDS:
        raise Refused(Code.OUT_OF_BANDS, f"a meter has at most {MAX_BANDS} bands")
    return [_checked_band(band) for band in message.bands]


def _checked_band(band: MeterBand) -> Band:
    match band:
        case DscpRemarkBand(prec_level=level) if level > MAX_PREC_LEVEL:
            raise Refused(Code.BAD_BAND_VALUE, f"no drop precedence can rise by {level}")
        case DropBand() | DscpRemarkBand():
            return band
    raise Refused(Code.BAD_BAND, f"{band!r} is unknown")
