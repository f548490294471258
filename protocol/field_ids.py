"""Lists of match fields, as what tables and ports can do is told: OXM headers alone."""

from __future__ import annotations

from functools import cache, lru_cache
from struct import Struct

from .oxm import EXPERIMENTER_CLASS, OXM, OxmNumber, oxm_header, oxm_name
from .record import Record
from .wire import Converted, Rest


class FieldId(Record):
    """A match field; `masked` where it takes a mask. Experimenters' have their number."""

    name: str
    masked: bool = False
    experimenter: int = 0


_HEADER = Struct(">I")
_BOTH = (False, True)
_KEPT = 32  # lists whose bytes are kept: a switch says the same few of each of its tables


@cache
def _names() -> dict[tuple[int, int], str]:
    rows = OXM.values()
    return {(row.header(masked), row.experimenter): row.name for row in rows for masked in _BOTH}


def _field_ids(raw: bytes) -> tuple[FieldId, ...]:
    found, at = [], 0
    while at < len(raw):
        if at + 4 > len(raw):
            raise ValueError("half an OXM header")
        (header,) = _HEADER.unpack_from(raw, at)
        at += 4
        experimenter = 0
        if header >> 16 == EXPERIMENTER_CLASS:
            if at + 4 > len(raw):
                raise ValueError("an OXM header of an experimenter without the experimenter")
            (experimenter,) = _HEADER.unpack_from(raw, at)
            at += 4
        found.append(_field_id(header, experimenter))
    return tuple(found)


def _field_id(header: int, experimenter: int) -> FieldId:
    masked = bool(header & 0x100)
    if name := _names().get((header, experimenter)):
        return FieldId(name, masked)
    return FieldId(oxm_name(header), masked, experimenter)


def _field_bytes(ids: tuple[FieldId, ...]) -> bytes:
    return _joined(tuple(ids))  # which somebody may have written as a list


@lru_cache(maxsize=_KEPT)
def _joined(ids: tuple[FieldId, ...]) -> bytes:
    return b"".join(map(_one_field, ids))


def _one_field(one: FieldId) -> bytes:
    if one.name in OXM:
        row = OXM[one.name]
        return row.packed(OxmNumber(row.oxm_class, row.number, row.experimenter), one.masked)
    header = oxm_header(one.name)
    if header is None:
        raise ValueError(f"there is no match field {one.name}")
    if header >> 16 == EXPERIMENTER_CLASS:
        return _HEADER.pack(header) + _HEADER.pack(one.experimenter)
    return _HEADER.pack(header)


#: The fields up to the end of the record.
FieldIds = Converted(Rest, _field_ids, _field_bytes)
