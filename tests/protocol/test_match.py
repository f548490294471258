"""Match: what users write, what they are told when it means nothing, what it holds."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Network

import pytest

from protocol import (
    OF10,
    OF11,
    OF13,
    BadMatchCode,
    DecodeError,
    EncodeError,
    FlowMod,
    MacAddress,
    Match,
    Message,
    Port,
)
from protocol.oxm import FieldInput


@pytest.mark.parametrize(
    "given",
    [
        0x0A000001,
        "10.0.0.1",
        "10.0.0.1/32",
        "10.0.0.1/255.255.255.255",
        "0x0a000001",
        IPv4Address("10.0.0.1"),
        IPv4Network("10.0.0.1/32"),
        ("10.0.0.1", 0xFFFF_FFFF),
    ],
)
def test_an_address_may_be_written_in_many_ways(given: FieldInput) -> None:
    assert Match(eth_type=0x0800, ipv4_dst=given)["ipv4_dst"] == 0x0A000001


@pytest.mark.parametrize(
    "given",
    [
        "10.0.0.0/8",
        "10.1.2.3/8",
        "10.0.0.0/255.0.0.0",
        IPv4Network("10.0.0.0/8"),
        IPv4Interface("10.1.2.3/8"),
        (0x0A000000, 0xFF000000),
        ("10.1.2.3", "255.0.0.0"),
    ],
)
def test_bits_outside_of_the_mask_are_cleared(given: FieldInput) -> None:
    assert Match(eth_type=0x0800, ipv4_dst=given)["ipv4_dst"] == (0x0A000000, 0xFF000000)


def test_ipv6_takes_networks() -> None:
    match = Match(eth_type=0x86DD, ipv6_src=IPv6Network("2001:db8::/32"), ipv6_dst="::1")
    assert match["ipv6_src"] == (0x20010DB8 << 96, 0xFFFFFFFF << 96)
    assert match["ipv6_dst"] == int(IPv6Address("::1"))


def test_an_ethernet_address_is_text_or_a_number() -> None:
    address = MacAddress.parse("00:00:00:00:00:2a")
    assert Match(eth_src="00-00-00-00-00-2A") == Match(eth_src=address) == Match(eth_src=42)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tcp_dst": 80}, "tcp_dst needs eth_type=0x800 or 0x86dd and ip_proto=6"),
        ({"eth_type": 0x0800, "tcp_dst": 80}, "tcp_dst needs eth_type=0x800 or 0x86dd"),
        ({"ipv4_src": "10.0.0.1"}, "ipv4_src needs eth_type=0x800"),
        ({"in_phy_port": 1}, "in_phy_port needs in_port"),
        ({"vlan_pcp": 1}, "vlan_pcp needs vlan_vid"),
        ({"vlan_vid": 0, "vlan_pcp": 1}, "vlan_pcp needs vlan_vid"),
        ({"tcp_dts": 80}, "there is no match field tcp_dts; did you mean tcp_dst?"),
        ({"eth_type": 0x0800, "ip_dscp": 64}, "ip_dscp has 6 bits, 0x40 does not fit"),
        ({"in_port": -1}, "in_port has 32 bits"),
        ({"in_port": "1/1"}, "in_port takes no mask"),
        ({"eth_src": "nobody"}, "eth_src cannot be 'nobody'"),
        ({"eth_type": 0x0800, "ipv4_src": "10.0.0.0/33"}, "there is no prefix of 33 bits"),
    ],
)
def test_what_means_nothing_is_refused_with_the_cure(
    fields: dict[str, FieldInput], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        Match(**fields)


def test_a_bare_vid_means_a_tag_with_this_vid() -> None:
    assert Match(vlan_vid=5)["vlan_vid"] == 0x1005
    assert Match(vlan_vid=0)["vlan_vid"] == 0
    assert Match(vlan_vid="0x1000/0x1000")["vlan_vid"] == (0x1000, 0x1000)


def test_a_mask_of_all_ones_is_none() -> None:
    assert Match(metadata=(5, (1 << 64) - 1)) == Match(metadata=5)


def test_the_order_of_fields_does_not_matter() -> None:
    one, other = Match(in_port=1, eth_type=0x0806), Match(eth_type=0x0806, in_port=1)
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1


def test_the_type_of_packets_stands_before_their_headers() -> None:
    for match in (
        Match(eth_type=0x0800, packet_type=0),
        Match(ip_proto=6, eth_type=0x0800, packet_type=0),
    ):
        assert next(iter(match)) == "packet_type"


def test_replace_and_without_leave_the_match_alone() -> None:
    match = Match(in_port=1)
    assert match.replace(eth_type=0x0806) == Match(in_port=1, eth_type=0x0806)
    assert match.replace(in_port=2) == Match(in_port=2)
    assert match.without("in_port") == Match()
    assert match == Match(in_port=1)


def test_what_a_match_shows_makes_the_same_match() -> None:
    match = Match(
        eth_dst="01:00:00:00:00:00/01:00:00:00:00:00",
        eth_type=0x86DD,
        ipv6_src="2001:db8::/32",
        metadata=7,
        vlan_vid=5,
    )
    assert eval(repr(match), {"Match": Match}) == match


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"eth_type": 0x86DD, "ipv6_src": "::1"}, "ipv6_src does not exist in OpenFlow 1.0"),
        ({"eth_dst": "01:00:00:00:00:00/01:00:00:00:00:00"}, "eth_dst takes no mask"),
        ({"eth_type": 0x0800, "ipv4_src": (1, 1)}, "ipv4_src takes prefixes only"),
        ({"vlan_vid": (0x1000, 0x1000)}, "cannot match on any tag"),
        ({"eth_type": 0x0806, "arp_op": 256}, "arp_op is at most 0xff"),
        ({"in_port": 0xFF00}, "below 0xff00"),
    ],
)
def test_what_openflow_10_cannot_say_is_an_encode_error(
    fields: dict[str, FieldInput], told: str
) -> None:
    with pytest.raises(EncodeError, match=told):
        FlowMod(Match(**fields)).encode(OF10)


@pytest.mark.parametrize("field", ["ip_dscp", "ip_proto"])
def test_openflow_11_has_headers_of_ipv4_only(field: str) -> None:
    # OF1.1 A.2.3 "Flow Match Structures": IP headers are ignored under other Ethernet types.
    with pytest.raises(EncodeError, match=f"{field} does not exist in OpenFlow 1.1"):
        FlowMod(Match(eth_type=0x86DD, **{field: 6})).encode(OF11)


@pytest.mark.parametrize("name", ["mpls_label", "mpls_tc"])
def test_openflow_11_has_labels_in_packets_of_mpls_only(name: str) -> None:
    with pytest.raises(EncodeError, match=name):  # a reader of the struct would not see them
        FlowMod(Match.unchecked({"eth_type": 0x0800, name: 5})).encode(OF11)


def test_openflow_10_knows_reserved_ports_by_16_bits() -> None:
    encoded = FlowMod(Match(in_port=Port.LOCAL)).encode(OF10)
    assert encoded[12:14].hex() == "fffe"
    decoded = Message.decode(encoded)
    assert isinstance(decoded, FlowMod)
    assert decoded.match == Match(in_port=Port.LOCAL)


def test_what_stands_under_a_wildcard_is_written_back() -> None:
    data = bytearray(FlowMod(Match(in_port=3)).encode(OF10))
    data[40:44] = bytes(4)  # nw_tos, nw_proto and padding
    data[36:40] = b"\x0a\x00\x00\x01"  # nw_src, which is a wildcard
    decoded = Message.decode(bytes(data))
    assert isinstance(decoded, FlowMod)
    assert decoded.match == Match(in_port=3)
    assert decoded.encode(OF10) == bytes(data)


def test_the_struct_of_openflow_11_has_one_type() -> None:
    data = bytearray(FlowMod().encode(OF11))
    data[48:50] = b"\x00\x07"
    with pytest.raises(DecodeError):
        Message.decode(bytes(data))


def oxm_match(*fields: str) -> bytes:
    """Return a flow_mod of OF1.3 with these bytes as its match."""
    body = bytes.fromhex("".join(fields))
    match = b"\x00\x01" + (len(body) + 4).to_bytes(2, "big") + body
    data = FlowMod().encode(OF13)[:48] + match + bytes(-len(match) % 8)
    return data[:2] + len(data).to_bytes(2, "big") + data[4:]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (["80000004 00000001"] * 2, BadMatchCode.DUP_FIELD),
        (["80000003 000001"], BadMatchCode.BAD_LEN),
        (["80000e01 08"], BadMatchCode.BAD_VALUE),
        (["80000108 00000001 00000001"], BadMatchCode.BAD_MASK),
        (["80000510 0000000000000001 0000000000000002"], BadMatchCode.BAD_WILDCARDS),
        (["80000004 0000"], BadMatchCode.BAD_LEN),
    ],
)
def test_a_wrong_field_says_which_error_to_answer_with(
    fields: list[str], code: BadMatchCode
) -> None:
    with pytest.raises(DecodeError) as caught:
        Message.decode(oxm_match(*fields))
    assert caught.value.code is code
    assert caught.value.path.startswith("FlowMod.match")


def test_an_unknown_field_is_kept() -> None:
    data = oxm_match("70000202 abcd")
    decoded = Message.decode(data)
    assert isinstance(decoded, FlowMod)
    assert decoded.match["oxm_70000202"] == b"\xab\xcd"
    assert decoded.encode(OF13) == data
