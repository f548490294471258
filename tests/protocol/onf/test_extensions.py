"""ONF's extensions to OF1.3: the standard's classes in other numbers."""

from __future__ import annotations

import pytest

import protocol
from protocol import (
    OF13,
    OF14,
    BundleControlType,
    DecodeError,
    EchoRequest,
    EncodeError,
    FlowMod,
    Match,
    Message,
    PacketOut,
    bundles,
    onf,
    roles,
)
from protocol.actions import CopyField


def test_they_are_the_standards_and_openflow_1_3s_only() -> None:
    control = onf.BundleControl(1, BundleControlType.OPEN_REQUEST)
    assert isinstance(control, bundles.BundleControl)
    assert issubclass(onf.RoleStatus, roles.RoleStatus)
    with pytest.raises(EncodeError, match=r"BundleControl does not exist in OpenFlow 1\.4"):
        control.encode(OF14)
    with pytest.raises(EncodeError, match=r"BundleControl does not exist in OpenFlow 1\.3"):
        bundles.BundleControl(1, BundleControlType.OPEN_REQUEST).encode(OF13)


def test_a_message_in_a_bundle_has_its_xid() -> None:
    message = onf.BundleAdd(7, FlowMod(Match(reg0=5))).numbered(9)
    found = Message.decode(message.encode(OF13))
    assert isinstance(found, onf.BundleAdd)
    assert (found.xid, found.message.xid) == (9, 9)


def test_a_bundle_has_no_bundle_in_it() -> None:
    data = EchoRequest().encode(OF13)
    for _ in range(2000):
        head = bytes.fromhex("0404") + (len(data) + 24).to_bytes(2, "big") + bytes(4)
        data = head + bytes.fromhex("4f4e4600 000008fd 00000001 00000000") + data
    with pytest.raises(DecodeError, match="messages that carry another do not nest"):
        Message.decode(data)


def test_copy_field_is_onfs_until_openflow_1_5() -> None:
    copy = onf.CopyField(16, "reg0", "nsh_c1", 0, 16)
    assert isinstance(copy, CopyField)
    data = PacketOut((copy,)).encode(OF14)
    assert data[24:].hex(" ", -4) == (
        "ffff0020 4f4e4600 0c800000 00100000 00100000 00010004 ffff0c08 005ad650"
    )
    assert Message.decode(data) == PacketOut((copy,))


def test_a_forwarded_request_is_a_message_in_another() -> None:
    message = onf.RequestForward(protocol.groups.GroupMod(5))
    data = message.encode(OF13)
    assert data[:16].hex(" ", -4) == "04040020 00000000 4f4e4600 0000092e"
    assert Message.decode(data) == message


def test_a_match_of_a_monitor_keeps_the_form_that_it_came_in() -> None:
    """EXT-187 has OXM fields alone, Open vSwitch their type and length, too."""
    alone = bytes.fromhex(
        "04120030 00000000 ffff000000000000 4f4e4600 0000074e"
        "00000001 000f 0008 ffffffff ff 000000 80000004 00000003"
    )
    (monitor,) = Message.decode(alone).monitors  # type: ignore[attr-defined]
    assert monitor.match == Match(in_port=3)
    assert Message.decode(alone).encode(OF13) == alone
    ours = onf.FlowMonitorRequest((onf.FlowMonitor(1, Match(in_port=3)),)).encode(OF13)
    assert ours[40:].hex(" ", -4) == "0001000c 80000004 00000003 00000000"
