"""What vectors of Nicira's actions cannot say: what is refused, and what is kept."""

from __future__ import annotations

import pytest

from protocol import (
    OF10,
    OF13,
    OF14,
    OF15,
    DecodeError,
    EncodeError,
    Experimenter,
    ExperimenterAction,
    Message,
    Output,
    PacketOut,
    SetQueue,
    Version,
    nicira,
)
from protocol.actions import Action
from protocol.nicira.nesting import MAX_NESTING


def sent(actions: str, version: Version = OF10) -> bytes:
    """Return a packet_out with these actions, written by hand."""
    body = bytes.fromhex(actions)
    padding = bytes(0 if version == OF10 else 6)
    port = "ffff" if version == OF10 else "fffffffd"
    head = bytes.fromhex("ffffffff" + port) + len(body).to_bytes(2, "big") + padding
    message = head + body
    return bytes([version, 13]) + (8 + len(message)).to_bytes(2, "big") + bytes(4) + message


def read(actions: str, version: Version = OF10) -> tuple[Action, ...]:
    """Return what the actions are read as."""
    message = Message.decode(sent(actions, version))
    assert isinstance(message, PacketOut)
    assert message.encode(version) == sent(actions, version)
    return message.actions


def nested(depth: int) -> str:
    """Return clones within each other."""
    inner = ""
    for _ in range(depth):
        inner = f"ffff{16 + len(inner) // 2:04x}00002320002a000000000000{inner}"
    return inner


def test_actions_nest() -> None:
    clone = nicira.Clone((nicira.Ct(actions=(nicira.Nat(),)), Output(3, 0)))
    data = PacketOut((clone,)).encode(OF13)
    assert Message.decode(data) == PacketOut((clone,))


def test_actions_do_not_nest_deeper_than_a_stack_can_bear() -> None:
    read(nested(MAX_NESTING + 1))
    with pytest.raises(DecodeError, match="more than 8 levels of actions"):
        Message.decode(sent(nested(MAX_NESTING + 2)))
    with pytest.raises(DecodeError, match="more than 8 levels of actions"):
        Message.decode(sent(nested(4000)))


@pytest.mark.parametrize("version", [OF10, OF13])
def test_actions_that_nicira_does_not_have_are_kept(version: Version) -> None:
    assert read("ffff0010 00002320 7777 010203040506", version) == (
        ExperimenterAction(0x2320, bytes.fromhex("7777 010203040506")),
    )


def test_actions_of_other_experimenters_are_kept() -> None:
    unknown = ExperimenterAction(0x00AB_CDEF, bytes.fromhex("0001 000200000000"))
    assert read("ffff0010 00abcdef 0001 000200000000") == (unknown,)


def test_messages_of_nicira_that_we_do_not_know_are_kept() -> None:
    data = bytes.fromhex("04 04 0014 00000000 00002320 00007777 01020304")
    assert Message.decode(data) == Experimenter(0x2320, 0x7777, b"\1\2\3\4")
    assert Message.decode(data).encode(OF13) == data


def test_what_openflow_1_1_took_over_is_niciras_in_openflow_1_0_only() -> None:
    PacketOut((nicira.SetQueue(7),)).encode(OF10)
    with pytest.raises(EncodeError, match=r"SetQueue does not exist in OpenFlow 1\.3"):
        PacketOut((nicira.SetQueue(7),)).encode(OF13)
    with pytest.raises(EncodeError, match=r"SetQueue does not exist in OpenFlow 1\.0"):
        PacketOut((SetQueue(7),)).encode(OF10)


def test_reg_load_ends_where_set_field_takes_a_mask() -> None:
    load = nicira.RegLoad(nicira.Subfield("reg0"), 5)
    PacketOut((load,)).encode(OF14)
    with pytest.raises(EncodeError, match=r"RegLoad does not exist in OpenFlow 1\.5"):
        PacketOut((load,)).encode(OF15)


def test_a_subfield_is_the_rest_of_its_field() -> None:
    assert nicira.Subfield("reg0") == nicira.Subfield("reg0", 0, 32)
    assert nicira.Subfield("reg0", 16) == nicira.Subfield("reg0", 16, 16)
    with pytest.raises(ValueError, match="reg0 has no bit 32"):
        nicira.Subfield("reg0", 32)
    with pytest.raises(ValueError, match="did you mean reg1"):
        nicira.Subfield("reg1_")


def test_both_sides_of_a_move_have_as_many_bits() -> None:
    move = nicira.RegMove(nicira.Subfield("reg0"), nicira.Subfield("eth_src"))
    with pytest.raises(EncodeError, match="32 bits cannot be moved to 48"):
        PacketOut((move,)).encode(OF13)


def test_a_field_of_an_experimenter_has_no_place_in_32_bits() -> None:
    load = nicira.RegLoad(nicira.Subfield("nsh_c1"), 5)
    with pytest.raises(EncodeError, match="nsh_c1 has no number of 32 bits"):
        PacketOut((load,)).encode(OF13)
    move = nicira.RegMove(nicira.Subfield("nsh_c1"), nicira.Subfield("reg0"))
    data = PacketOut((move,)).encode(OF13)
    assert data[40:56].hex(" ", -4) == "ffff0c08 005ad650 00010004 00000000"
    assert Message.decode(data) == PacketOut((move,))


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        ("ffff0018 00002320 0006 0000 0000 0000 00010004 00010204", "a field of no bits"),
        ("ffff0018 00002320 0024 0000 0001 0040 000000000000 0000", "the ranges 0x40 are unknown"),
        ("ffff0018 00002320 0024 0000 0001 0004 000000000000 0000", "the ranges have 18 bytes"),
        ("ffff0018 00002320 002e 0000 0001894f 0004010300000000", "length 3 cannot be"),
        ("ffff0018 00002320 002e 0000 0001894f 0004010000000000", "length 0 cannot be"),
        ("ffff0018 00002320 0025 000000000000 0000000000000000", "length 0 cannot be"),
        ("ffff0018 00002320 0025 000000000000 0001000904d20000", "9 bytes are needed, 8 are"),
    ],
)
def test_what_cannot_be_is_a_decode_error(actions: str, reason: str) -> None:
    version = OF13 if "002e" in actions else OF10
    with pytest.raises(DecodeError, match=reason):
        Message.decode(sent(actions, version))


LEARN = "ffff{:04x} 00002320 0010 0000 0000 8000 0000000000000000 0000 01 00 0000 0000 {}"


@pytest.mark.parametrize(
    ("specs", "reason"),
    [
        ("1810 00000002 0000 0000000000000000", "the spec 0x1810 is unknown"),
        ("3010 0063 00000002 0000 0000000000 00", "the spec 0x3010 is unknown"),
        ("2000 0000 0000 0000", "the spec 0x2000 is unknown"),
        ("0010 00000002 0000", "6 bytes are needed, 0 are left"),
        ("0000 0000 0000 0000", "8 bytes too many"),
        ("0000 0000 0000 0001", "8 bytes too many"),
    ],
)
def test_a_spec_of_learn_that_cannot_be_is_a_decode_error(specs: str, reason: str) -> None:
    raw = bytes.fromhex(specs)
    with pytest.raises(DecodeError, match=reason):
        Message.decode(sent(LEARN.format(32 + len(raw), specs)))


def test_the_result_of_learn_and_its_flag_belong_together() -> None:
    with pytest.raises(ValueError, match="WRITE_RESULT belong together"):
        nicira.Learn2(result_dst="reg0")


def test_properties_that_are_unknown_are_kept() -> None:
    (action,) = read("ffff0018 00002320 0025 000000000000 0077000601020000")
    assert isinstance(action, nicira.Controller2)
    assert action.max_len is None
    assert [(one.number, one.body) for one in action.properties] == [(0x77, b"\1\2")]
