"""Match fields that the specification does not have, and NXM's own words for those it has."""

from __future__ import annotations

import pytest

from protocol import OF10, OF12, OF13, OF15, DecodeError, FlowMod, Match, Version, nicira
from protocol.oxm import OXM, STANDARD, OptionValue
from protocol.oxm_table import oxm_table


def written(match: Match, version: Version = OF13) -> str:
    """Return the OXM fields of a match in hex."""
    table = oxm_table(version)
    return b"".join(table.write(name, value) for name, value in match.items()).hex(" ", -4)


def read(fields: str, version: Version = OF13) -> Match:
    """Return the match that OXM fields in hex are, read out of a flow_mod."""
    body = bytes.fromhex(fields)
    length = len(body) + 4
    match = b"\x00\x01" + length.to_bytes(2, "big") + body + bytes(-length % 8)
    data = FlowMod().encode(version)[:48] + match
    message = data[:2] + len(data).to_bytes(2, "big") + data[4:]
    found = FlowMod.decode(message)
    assert isinstance(found, FlowMod)
    return found.match


def test_registers_are_fields_like_others() -> None:
    match = Match(reg3="0x5/0xff", ct_state=0x21, tun_ipv4_src="10.0.0.1")
    assert written(match) == "00010708 00000005 000000ff 0001d204 00000021 00013e04 0a000001"
    assert read(written(match)) == match


def test_the_packet_registers_are_pairs_of_registers() -> None:
    assert written(Match(xreg1=0x1122), OF15) == "80010208 00000000 00001122"


def test_a_field_without_an_oxm_number_yet_has_niciras() -> None:
    assert written(Match(tunnel_id=5), OF12) == "00012008 00000000 00000005"
    assert written(Match(tunnel_id=5), OF13) == "80004c08 00000000 00000005"


def test_onf_lent_fields_to_the_versions_before_theirs() -> None:
    tcp = {"eth_type": 0x0800, "ip_proto": 6}
    match = Match(**tcp, tcp_flags=2).without("eth_type", "ip_proto")
    assert written(match, OF13) == "ffff5406 4f4e4600 0002"
    assert written(match, OF15) == "80005402 0002"


def test_an_experimenters_length_counts_the_experimenter() -> None:
    match = Match(nsh_spi=0x123, nsh_c1=(1, 3))
    assert written(match) == "ffff0808 005ad650 00000123 ffff0d0c 005ad650 00000001 00000003"
    assert read(written(match)) == match


def test_fields_of_unknown_experimenters_are_kept() -> None:
    fields = "ffff0e08 00abcdef 01020304"
    match = read(fields)
    assert match == Match.unchecked({"oxm_ffff0e08": bytes.fromhex("00abcdef01020304")})
    assert written(match) == fields


def test_a_field_in_a_spelling_that_the_version_does_not_use_is_kept() -> None:
    fields = "00000406 001122334455"  # NXM_OF_ETH_SRC within an OXM match
    assert written(read(fields)).replace(" ", "") == fields.replace(" ", "")


@pytest.mark.parametrize("size", [1, 4, 8, 124])
def test_an_option_keeps_its_width(size: int) -> None:
    fields = f"000150{size:02x}" + "00" * (size - 1) + "07"
    match = read(fields)
    assert match == Match(tun_metadata0=7)
    assert written(match).replace(" ", "") == fields


def test_an_option_is_as_wide_as_it_needs_to_be() -> None:
    assert written(Match(tun_metadata1=0x1_0000_0000)) == "00015208 00000001 00000000"
    assert written(Match(tun_metadata1=(OptionValue(5), 0xFF))) == "00015308 00000005 000000ff"


def test_an_option_of_no_bytes_says_that_it_is_there() -> None:
    match = read("00015500")
    there = OptionValue(0, size=0)
    assert match == Match(tun_metadata2=(there, there))
    assert written(match) == "00015500"
    assert written(Match(tun_metadata2=(there, there))) == "00015500"


def test_an_option_of_more_than_its_bytes_is_an_error() -> None:
    with pytest.raises(DecodeError, match="tun_metadata0"):
        read(f"0001507d{'00' * 125}")
    with pytest.raises(ValueError, match="992 bits"):
        Match(tun_metadata0=1 << 992)


def test_ports_take_a_mask_where_open_vswitch_lets_them() -> None:
    match = Match(eth_type=0x0800, ip_proto=6, tcp_dst="80/0xfff0")
    assert read(written(match)) == match
    assert not OXM["tcp_dst"].maskable


def test_prerequisites_hold_for_niciras_fields() -> None:
    with pytest.raises(ValueError, match="nw_ttl needs eth_type=0x800 or 0x86dd"):
        Match(nw_ttl=64)


def test_the_standard_fields_are_told_from_the_others() -> None:
    assert "xreg0" in STANDARD
    assert "reg0" not in STANDARD


@pytest.mark.parametrize(
    ("match", "fields"),
    [
        (Match(in_port=0xFFFF_FFFE), "00000002 fffe"),
        (Match(vlan_vid=5), "00000904 1005 1fff"),
        (Match(vlan_vid=5, vlan_pcp=7), "00000802 f005"),
        (Match(vlan_vid=0), "00000802 0000"),
        (Match(vlan_vid=(0x1000, 0x1000)), "00000904 1000 1000"),
        (Match(vlan_vid=(0x1000, 0x1000), vlan_pcp=6), "00000904 d000 f000"),
        (Match(eth_type=0x0800, ip_dscp=60), "00000602 0800 00000a01 f0"),
        (Match(vlan_tci="5/0xfff"), "00000904 0005 0fff"),
    ],
    ids=repr,
)
def test_nxm_has_words_of_its_own_for_the_same_match(match: Match, fields: str) -> None:
    data = nicira.FlowMod(match).encode(OF10)
    body = bytes.fromhex(fields)
    assert data[48 : 48 + len(body)] == body
    assert nicira.FlowMod.decode(data) == nicira.FlowMod(match)


def test_nxm_cannot_say_a_priority_without_a_tag() -> None:
    with pytest.raises(ValueError, match="NXM cannot say vlan_vid=0 with vlan_pcp=5"):
        nicira.FlowMod(Match.unchecked({"vlan_vid": 0, "vlan_pcp": 5})).encode(OF10)
