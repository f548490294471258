"""Ports: their numbers in OF1.0, and the speeds that became a property."""

from __future__ import annotations

import pytest

from protocol import (
    OF10,
    OF13,
    OF14,
    EncodeError,
    MacAddress,
    Message,
    Output,
    PacketOut,
    Port,
    PortConfig,
    PortDesc,
    PortEthernet,
    PortFeatures,
    PortMod,
    PortModEthernet,
    PortModOptical,
    PortOptical,
    PortReason,
    PortStatus,
    Version,
)

RESERVED = [port for port in Port if port not in (Port.UNSET, Port.MAX)]


def test_openflow_10_has_reserved_ports_of_16_bits() -> None:
    encoded = PacketOut((Output(Port.FLOOD, 0),), b"").encode(OF10)
    assert encoded[16:24].hex(" ", 2) == "0000 0008 fffb 0000"
    assert encoded[12:14].hex() == "fffd"  # in_port: the controller


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("port", RESERVED)
def test_reserved_ports_have_one_number_in_all_versions(port: Port, version: Version) -> None:
    decoded = Message.decode(PacketOut((Output(port),)).encode(version))
    assert isinstance(decoded, PacketOut)
    assert decoded.actions == (Output(port),)


@pytest.mark.parametrize("port", [0xFF00, 0xFFFB, 0x1_0000])
def test_ports_that_openflow_10_has_no_number_for_are_refused(port: int) -> None:
    with pytest.raises(EncodeError):
        PacketOut((Output(port),)).encode(OF10)


def test_features_of_10_stand_four_places_lower() -> None:
    fibre = PortFeatures.FIBER | PortFeatures.RATE_10GB_FD
    desc = PortDesc(1, name="eth1", properties=(PortEthernet(curr=fibre),))
    for version, bits in ((OF10, 0x0140), (OF13, 0x1040), (OF14, 0x1040)):
        status = PortStatus(PortReason.ADD, desc)
        encoded = status.encode(version)
        assert bits.to_bytes(4, "big") in encoded
        assert Message.decode(encoded) == status


def test_a_speed_that_openflow_10_does_not_know_is_refused() -> None:
    desc = PortDesc(1, properties=(PortEthernet(curr=PortFeatures.RATE_40GB_FD),))
    with pytest.raises(EncodeError, match="RATE_40GB_FD"):
        PortStatus(PortReason.ADD, desc).encode(OF10)


def test_a_port_without_speeds_has_zeros_where_they_have_their_place() -> None:
    decoded = Message.decode(PortStatus(PortReason.ADD, PortDesc(1)).encode(OF13))
    assert isinstance(decoded, PortStatus)
    assert decoded.desc.properties == (PortEthernet(),)
    assert decoded.desc.ethernet == PortDesc(1).ethernet == PortEthernet()


def test_light_has_no_place_before_14() -> None:
    optical = PortDesc(1, properties=(PortOptical(),))
    assert Message.decode(PortStatus(PortReason.ADD, optical).encode(OF14))
    with pytest.raises(EncodeError, match="only a PortEthernet"):
        PortStatus(PortReason.ADD, optical).encode(OF13)
    with pytest.raises(EncodeError, match="only a PortModEthernet"):
        PortMod(1, properties=(PortModEthernet(), PortModOptical())).encode(OF13)


def test_the_offset_of_a_frequency_may_be_negative() -> None:
    # OF1.4 7.2.1.2 "Port Modification Properties": int32_t fl_offset
    message = PortMod(1, properties=(PortModOptical(fl_offset=-3),))
    encoded = message.encode(OF14)
    assert encoded[-12:-8].hex() == "fffffffd"
    assert Message.decode(encoded) == message


@pytest.mark.parametrize(
    "raw",
    [
        b"eth0",
        "私のポート".encode(),
        b"caf\xe9",
        b"\xff\xfe\x80",
        b"\xef\x9e\x80",
        b"a\0b",
        b"x" * 16,
    ],
)
def test_any_name_is_read_and_written_back(raw: bytes) -> None:
    desc = PortDesc(1, MacAddress(1), config=PortConfig.PORT_DOWN)
    data = bytearray(PortStatus(PortReason.ADD, desc).encode(OF13))
    data[32:48] = raw.ljust(16, b"\0")
    decoded = Message.decode(bytes(data))
    assert isinstance(decoded, PortStatus)
    assert decoded.encode(OF13) == bytes(data)
    assert decoded.desc.name.encode()  # it is text that any terminal takes


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(EncodeError, match="longer than 16 bytes"):
        PortStatus(PortReason.ADD, PortDesc(1, name="x" * 17)).encode(OF13)
