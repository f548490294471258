"""Matches of a shape that comes often are read at once, and mean what they always meant."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import OF12, OF13, OF14, OF15, DecodeError, Version
from protocol.match import OxmMatch
from protocol.oxm import OXM_HEADER, FieldValue
from protocol.oxm_readers import OFTEN, OxmReaders
from protocol.oxm_table import OxmTable, oxm_table
from protocol.record import parse_shape
from protocol.writer import FAULTS

each_version = pytest.mark.parametrize("version", [OF12, OF13, OF14, OF15])
few = settings(max_examples=40, suppress_health_check=list(HealthCheck))


def shapes(version: Version) -> st.SearchStrategy[list[int]]:
    """Return a strategy of headers that may stand in one match."""
    table = oxm_table(version)
    return st.lists(
        st.sampled_from(sorted(table.by_header)),
        min_size=1,
        max_size=6,
        unique_by=lambda header: table.by_header[header].name,
    )


def body(headers: list[int], numbers: bytes) -> bytes:
    """Return fields with these headers, whose numbers are taken from some bytes."""
    found, source = b"", io.BytesIO(numbers)
    for header in headers:
        size = header & 0xFF
        found += OXM_HEADER.pack(header) + source.read(size).ljust(size, b"\0")
    return found


def learnt(version: Version, headers: list[int]) -> OxmTable:
    """Return a table to which matches of this shape came often."""
    table = oxm_table(version)
    for _ in range(OFTEN + 2):
        table.read_all(body(headers, b""))
    return table


def as_construct_reads(version: Version, data: bytes) -> dict[str, FieldValue] | None:
    length = 4 + len(data)
    whole = b"\0\1" + length.to_bytes(2, "big") + data + bytes(-length % 8)
    try:
        match = parse_shape(OxmMatch().at(version), io.BytesIO(whole), {}, "")
    except DecodeError:
        return None
    return dict(match.items())


def as_table_reads(table: OxmTable, data: bytes) -> dict[str, FieldValue] | None:
    try:
        return table.read_all(data)
    except FAULTS:
        return None


@each_version
@few
@given(st.data())
def test_what_is_read_at_once_is_what_construct_reads(
    version: Version, data: st.DataObject
) -> None:
    headers = data.draw(shapes(version))
    try:
        table = learnt(version, headers)
    except FAULTS:  # a mask for a field that has none
        return
    size = sum(header & 0xFF for header in headers)
    for numbers in data.draw(st.lists(st.binary(min_size=size, max_size=size), min_size=5)):
        found = body(headers, numbers)
        assert as_table_reads(table, found) == as_construct_reads(version, found)


@each_version
def test_a_shape_gets_its_function_when_it_has_come_often(version: Version) -> None:
    table = oxm_table(version)
    readers = OxmReaders(table.by_header)
    match = body(
        [_plain(table, "eth_type"), _plain(table, "ipv4_dst")], bytes.fromhex("0800 0a000001")
    )
    for _ in range(OFTEN):
        readers.note(match)
    assert readers.by_length == {}
    readers.note(match)
    (read,) = readers.by_length[len(match)]
    assert read(match) == {"eth_type": 0x0800, "ipv4_dst": 0x0A000001}


def test_a_function_leaves_other_matches_of_the_same_length_alone() -> None:
    table = oxm_table(OF13)
    readers = OxmReaders(table.by_header)
    for _ in range(OFTEN + 1):
        readers.note(body([_plain(table, "ipv4_src")], b""))
    (read,) = readers.by_length[8]
    assert read(body([_plain(table, "ipv4_dst")], b"")) is None


def test_shapes_without_end_do_not_fill_the_memory() -> None:
    readers = OxmReaders(oxm_table(OF13).by_header)
    for number in range(1 << 12):
        unknown = OXM_HEADER.pack(0x7000_0000 | number << 9 | 4) + bytes(4)
        for _ in range(OFTEN + 1):
            readers.note(unknown)
    assert readers.by_length == {}
    assert len(readers) <= 512


def test_a_number_with_too_many_bits_is_refused_after_many_right_ones() -> None:
    headers = [_plain(oxm_table(OF13), "vlan_pcp")]
    table = learnt(OF13, headers)
    assert table.read_all(body(headers, b"\7")) == {"vlan_pcp": 7}
    assert as_table_reads(table, body(headers, b"\x08")) is None


def _plain(table: OxmTable, name: str) -> int:
    return next(
        header for header, row in table.by_header.items() if row.name == name and not header & 0x100
    )
