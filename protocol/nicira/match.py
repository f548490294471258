"""Nicira's form of a match, NXM, which OF1.0 and OF1.1 have in place of OXM.

It is the same Match: what NXM says in other fields (in_port in 16 bits, ip_dscp with the
bits of ECN, vlan_vid and vlan_pcp in one number) becomes the specification's where these
say the same. A field in a spelling that is not NXM's own is kept as it came.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import construct as c

from ..errors import BadMatchCode
from ..exceptions import DecodeError, EncodeError
from ..match import Match, OneOxmShape
from ..oxm import OXM, FieldValue, VlanId
from ..oxm_table import OxmTable, oxm_table, parse_field
from ..ports import port_in_16, port_of_16
from ..version import Version
from ..wire import Versioned
from ..writer import Form

_TRANSLATED = frozenset({"in_port", "in_phy_port", "vlan_vid", "vlan_pcp", "ip_dscp"})
_TCI_ALL, _PCP_MASK, _VID_MASK = 0xFFFF, 0xE000, 0x1FFF
_PCP_SHIFT, _DSCP_SHIFT = 13, 2
_TAG = int(VlanId.PRESENT)


@cache
def nxm_table() -> OxmTable:
    """Return the fields with the numbers that Nicira's messages and actions use."""
    rows = (row for row in OXM.values() if row.name not in _TRANSLATED)
    return OxmTable("NXM", [(row, row.number_in_nxm()) for row in rows])


# From NXM's fields to the specification's


def _standard(fields: dict[str, FieldValue]) -> dict[str, FieldValue]:
    """Return the fields with those that NXM alone has in the specification's words."""
    found: dict[str, FieldValue] = {}
    for name, value in fields.items():
        match name, value:
            case "in_port_nxm", int():
                found["in_port"] = port_of_16(value)
            case "nw_tos", int() if not value & 3:
                found["ip_dscp"] = value >> _DSCP_SHIFT
            case "vlan_tci", _:
                found |= _tag_of(value) or {name: value}
            case _:
                found[name] = value
    return found


def _tag_of(tci: FieldValue) -> dict[str, FieldValue] | None:
    """Return what a number and a mask of VID and priority say, None if only they can."""
    if tci == 0:
        return {"vlan_vid": int(VlanId.NONE)}
    value, mask = _with_mask(tci, _TCI_ALL)
    if not value & _TAG or mask & _PCP_MASK not in (0, _PCP_MASK):
        return None
    vid, vid_mask = value & _VID_MASK, mask & _VID_MASK
    found: dict[str, FieldValue] = {"vlan_vid": vid if vid_mask == _VID_MASK else (vid, vid_mask)}
    return found | {"vlan_pcp": value >> _PCP_SHIFT} if mask & _PCP_MASK else found


def _with_mask(value: FieldValue, all_ones: int) -> tuple[int, int]:
    if isinstance(value, bytes):
        raise ValueError(f"{value!r} is no number")
    return value if isinstance(value, tuple) else (value, all_ones)


# And back


def _nicira(match: Match) -> Iterator[tuple[str, FieldValue]]:
    """Return the fields as NXM has them; ValueError for what it cannot say."""
    fields = dict(match.items())
    while fields:
        name = next(iter(fields))
        value = fields.pop(name)
        if name == "in_port" and isinstance(value, int):
            yield "in_port_nxm", port_in_16(value)
        elif name == "ip_dscp" and isinstance(value, int):
            yield "nw_tos", value << _DSCP_SHIFT
        elif name == "vlan_vid":
            yield "vlan_tci", _tci_of(value, fields.pop("vlan_pcp", None))
        elif name == "vlan_pcp":
            yield "vlan_tci", _tci_of(fields.pop("vlan_vid", None), value)
        else:
            yield name, value


def _tci_of(vid: FieldValue | None, pcp: FieldValue | None) -> FieldValue:
    if vid == VlanId.NONE and pcp is None:
        return 0
    tag, mask = _with_mask(vid or 0, _VID_MASK)
    asked = tag & _TAG or (isinstance(vid, tuple) and pcp is None)
    if not asked or not (pcp is None or (isinstance(pcp, int) and 0 <= pcp < 8)):
        raise ValueError(f"NXM cannot say vlan_vid={vid!r} with vlan_pcp={pcp!r}")
    if pcp is not None:
        tag, mask = tag | pcp << _PCP_SHIFT, mask | _PCP_MASK
    return tag if mask == _TCI_ALL else (tag, mask)


# The shapes


class NxmFields(Versioned):
    """A match as a list of NXM fields up to the end, without type, length and padding."""

    def at(self, version: Version) -> FieldsShape:
        return FieldsShape(nxm_table(), _standard, _nicira)


class OxmFields(Versioned):
    """A match as a list of the version's OXM fields up to the end, without head and padding."""

    def at(self, version: Version) -> FieldsShape:
        return FieldsShape(oxm_table(version), _same, _items)


class OneNxm(Versioned):
    """A Match of one NXM field, without type, length or padding."""

    def at(self, version: Version) -> OneOxmShape:
        return OneOxmShape(nxm_table())


def _same(fields: dict[str, FieldValue]) -> dict[str, FieldValue]:
    return fields


def _items(match: Match) -> Iterable[tuple[str, FieldValue]]:
    return match.items()


class FieldsShape(c.Construct):  # type: ignore[misc]
    """Fields of one table, and how they become those of a Match and come from them."""

    def __init__(
        self,
        table: OxmTable,
        to_match: Callable[[dict[str, FieldValue]], dict[str, FieldValue]],
        to_fields: Callable[[Match], Iterable[tuple[str, FieldValue]]],
    ) -> None:
        super().__init__()
        self.table, self.to_match, self.to_fields = table, to_match, to_fields

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> Match:
        fields: dict[str, FieldValue] = {}
        end = len(stream.getvalue())
        while stream.tell() < end:
            name, value = parse_field(self.table, stream, context, path, {})
            if name in fields:
                raise DecodeError(BadMatchCode.DUP_FIELD, "stands twice", f"{path}.{name}")
            fields[name] = value
        return Match.unchecked(self.to_match(fields))

    def _build(self, match: Any, stream: io.BytesIO, context: Any, path: str) -> Any:
        if not isinstance(match, Match):
            raise EncodeError(f"{path}: {match!r} is no Match")
        stream.write(self._written(match))
        return match

    def _written(self, match: Match) -> bytes:
        write = self.table.write
        return b"".join([write(name, value) for name, value in self.to_fields(match)])

    def compiled(self) -> Form:
        """Return the straight form."""
        read_all, to_match = self.table.read_all, self.to_match

        def decode(buffer: bytes, at: int, end: int) -> tuple[Match, int]:
            return Match.unchecked(to_match(read_all(buffer[at:end]))), end

        return Form(decode, self._written)
