"""LLDP frames: what a neighbour tells, and what is no LLDP."""

from __future__ import annotations

import pytest

from protocol.exceptions import DecodeError, EncodeError
from protocol.packet import (
    ChassisId,
    ChassisIdSubtype,
    Lldp,
    LldpType,
    OrganizationTlv,
    PortId,
    PortIdSubtype,
    Tlv,
)

# Chassis 00:00:00:00:00:01, port eth3, 120 seconds, system name s1, an organisation's own; os-ken
HEAD = "0207 04000000000001 0405 0565746833 0602 0078"
FRAME = bytes.fromhex(HEAD + "0a02 7331 fe0a 0026e100 647069643a31 0000")
MEANING = Lldp(
    ChassisId(ChassisIdSubtype.MAC_ADDRESS, bytes.fromhex("000000000001")),
    PortId(PortIdSubtype.INTERFACE_NAME, b"eth3"),
    ttl=120,
    tlvs=(
        Tlv(LldpType.SYSTEM_NAME, b"s1"),
        OrganizationTlv(bytes.fromhex("0026e1"), 0, b"dpid:1"),
    ),
)


def test_a_frame_is_read_as_what_it_means() -> None:
    assert Lldp.parse(FRAME) == MEANING


def test_a_meaning_is_written_as_the_same_bytes() -> None:
    assert MEANING.encode() == FRAME


def test_what_stands_behind_the_end_is_kept() -> None:
    lldp = Lldp.parse(FRAME + bytes(10))
    assert lldp.trailer == bytes(10)
    assert lldp.encode() == FRAME + bytes(10)


def test_a_tlv_may_be_empty() -> None:
    lldp = Lldp.parse(bytes.fromhex(HEAD + "0a00 0800 0000"))
    assert lldp.tlvs == (Tlv(LldpType.SYSTEM_NAME), Tlv(LldpType.PORT_DESCRIPTION))


def test_the_longest_tlv_fits() -> None:
    lldp = MEANING.replace(tlvs=(Tlv(9, bytes(511)),))
    assert Lldp.parse(lldp.encode()) == lldp


def test_many_tlvs_are_read() -> None:
    data = bytes.fromhex(HEAD) + bytes.fromhex("1200") * 30_000 + bytes(2)
    assert len(Lldp.parse(data).tlvs) == 30_000


@pytest.mark.parametrize("size", range(len(FRAME)))
def test_a_frame_cut_short_is_refused(size: int) -> None:
    with pytest.raises(DecodeError):
        Lldp.parse(FRAME[:size])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a TLV is missing"),
        ("0000", "type 0 stands where 1 must"),
        ("0200 0405 0565746833 0602 0078 0000", "expected 1, found 0"),
        ("0201 04 0405 0565746833 0602 0078 0000", "at least one byte"),
        ("0405 0565746833 0602 0078 0000", "type 2 stands where 1 must"),
        ("0207 04000000000001 0405 0565746833 0601 78 0000", "a TTL has 2 bytes, not 1"),
        (HEAD, "a TLV is missing"),
        (HEAD + "0a02 7331", "a TLV is missing"),
        (HEAD + "0bff 7331 0000", "a TLV is missing"),
        (HEAD + "0001 00", "the End TLV is not empty"),
        (HEAD + "fe03 0026e1 0000", "expected 1, found 0"),
    ],
)
def test_what_is_no_lldp_is_refused(text: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        Lldp.parse(bytes.fromhex(text))


@pytest.mark.parametrize(
    "lldp",
    [
        MEANING.replace(ttl=0x1_0000),
        MEANING.replace(port_id=PortId(PortIdSubtype.LOCAL, b"")),
        MEANING.replace(port_id=PortId(PortIdSubtype.LOCAL, bytes(511))),
        MEANING.replace(tlvs=(Tlv(LldpType.END),)),
        MEANING.replace(tlvs=(Tlv(128),)),
        MEANING.replace(tlvs=(Tlv(9, bytes(512)),)),
        MEANING.replace(tlvs=(OrganizationTlv(b"four", 0),)),
    ],
)
def test_what_lldp_cannot_say_is_refused(lldp: Lldp) -> None:
    with pytest.raises(EncodeError):
        lldp.encode()
