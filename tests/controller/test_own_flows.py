"""Cookie spaces: what an application says of entries reaches those of its own."""

from __future__ import annotations

import pytest

from controller import App, Datapath, flow_owners
from controller.app import name_of, names_of
from controller.cookies import CookieSpace, CookieSpaces
from controller.own_flows import views
from controller.testing import Sent, recording
from protocol import (
    ALL_TABLES,
    OF10,
    OF11,
    OF13,
    OF14,
    EncodeError,
    FlowMod,
    FlowModCommand,
    FlowRemoved,
    Group,
    Match,
    Output,
    PacketOut,
    Version,
)
from protocol.bundles import BundleAdd, BundleFlags
from protocol.nicira.flows import FlowMod as NxmFlowMod

SINCE_11 = pytest.mark.parametrize("version", [v for v in Version if v > OF10], ids=str)
HIGH = 0xFFFF << 48
WEB = Match(eth_type=0x0800, ip_proto=6, tcp_dst=80)
ARP = Match(eth_type=0x0806)


def side_by_side(version: Version, *names: str) -> tuple[list[Datapath], list[CookieSpace], Sent]:
    """Return one switch as each of some applications sees it, their spaces, what is sent."""
    datapath, sent = recording(version)
    spaces = CookieSpaces(names)
    owners = [spaces.by_name[name] for name in names]
    return views(datapath, spaces, owners), owners, sent


def flow_mods(sent: Sent) -> list[tuple[FlowModCommand | int, Match, int]]:
    """Return what is told of which entries."""
    return [(one.command, one.match, one.priority) for one in sent if isinstance(one, FlowMod)]


# Spaces


def test_a_space_comes_of_the_name_and_not_of_who_else_runs() -> None:
    alone = CookieSpaces(["hub"]).by_name["hub"]
    assert CookieSpaces(["forwarding", "hub", "topology"]).by_name["hub"] == alone
    assert alone.base & ~HIGH == 0
    assert 0 < alone.base >> 48 < 0xFFFF


def test_names_that_come_to_one_prefix_get_different_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.cookies.crc32", lambda data: 0xFFFD)
    spaces = CookieSpaces(["a", "b", "c"])
    assert [one.base >> 48 for one in spaces.by_name.values()] == [0xFFFE, 1, 2]


def test_an_application_is_called_as_its_class_and_a_second_one_by_number() -> None:
    class LearningSwitch(App): ...

    class ACLFilter(App): ...

    assert name_of(ACLFilter) == "acl_filter"
    apps = [LearningSwitch(), ACLFilter(), LearningSwitch()]
    assert names_of(apps) == ["learning_switch", "acl_filter", "learning_switch_2"]


# What is sent


@pytest.mark.parametrize("version", Version, ids=str)
def test_entries_bear_the_prefix_and_the_cookie_that_the_application_gave(
    version: Version,
) -> None:
    (mine,), (space,), sent = side_by_side(version, "mine")
    mine.add_flow(WEB)
    mine.add_flow(WEB, cookie=0xABC)
    mine.add_flow(WEB, cookie=space.base | 0xABC)
    mine.send(FlowMod(WEB, cookie=5))
    cookies = [one.cookie for one in sent if isinstance(one, FlowMod)]
    assert cookies == [space.base, space.base | 0xABC, space.base | 0xABC, space.base | 5]
    assert mine.is_own(cookies[1])
    assert not mine.is_own(0xABC)


@pytest.mark.parametrize("version", Version, ids=str)
def test_a_cookie_of_another_one_is_refused(version: Version) -> None:
    (mine, _), (_, other), sent = side_by_side(version, "mine", "other")
    with pytest.raises(EncodeError, match=r"its high 16 bits .* mine may have the low 48 bits"):
        mine.add_flow(WEB, cookie=other.base)
    with pytest.raises(EncodeError, match="its high 16 bits"):
        mine.delete_flows(cookie=other.base, cookie_mask=HIGH)
    assert not sent


@SINCE_11
@pytest.mark.parametrize("command", [one for one in FlowModCommand if one != FlowModCommand.ADD])
def test_what_changes_or_deletes_looks_for_the_prefix(
    version: Version, command: FlowModCommand
) -> None:
    (mine,), (space,), sent = side_by_side(version, "mine")
    mine.send(FlowMod(WEB, command=command, cookie=0x10, cookie_mask=0xF0))
    assert sent == [
        FlowMod(WEB, command=command, cookie=space.base | 0x10, cookie_mask=HIGH | 0xF0)
    ]


@SINCE_11
def test_deleting_all_deletes_all_of_ones_own(version: Version) -> None:
    (mine,), (space,), sent = side_by_side(version, "mine")
    mine.delete_flows()
    (told,) = sent
    assert isinstance(told, FlowMod)
    assert (told.cookie, told.cookie_mask) == (space.base, HIGH)
    assert told.table_id == (0 if version == OF11 else ALL_TABLES)  # this switch has one table


def test_what_is_in_a_bundle_is_of_ones_own_too() -> None:
    (mine,), (space,), sent = side_by_side(OF14, "mine")
    mine.send(BundleAdd(1, FlowMod(WEB), BundleFlags.ATOMIC))
    mine.send(BundleAdd(1, PacketOut((), b"x"), BundleFlags.ATOMIC))
    assert sent == [
        BundleAdd(1, FlowMod(WEB, cookie=space.base), BundleFlags.ATOMIC),
        BundleAdd(1, PacketOut((), b"x"), BundleFlags.ATOMIC),
    ]


def test_a_match_in_nxm_bears_the_cookie_that_entries_must_have() -> None:
    (mine,), (space,), sent = side_by_side(OF10, "mine")
    mine.send(NxmFlowMod(ARP, command=FlowModCommand.DELETE))
    own = Match(cookie=5)
    mine.send(NxmFlowMod(own, command=FlowModCommand.DELETE))
    first, second = (one.match["cookie"] for one in sent if isinstance(one, NxmFlowMod))
    assert first == (space.base, HIGH)
    assert second == space.base | 5


def test_other_messages_go_as_they_are() -> None:
    (mine,), _, sent = side_by_side(OF13, "mine")
    message = PacketOut((Output(1),), b"x")
    mine.send(message)
    assert sent[0] is message


# OF1.0, which has no cookie_mask (OF1.0.1 5.3.3 "Modify Flow Entry Message")


def test_in_openflow_10_what_reaches_nobody_elses_goes_as_it_is() -> None:
    (mine, other), _, sent = side_by_side(OF10, "mine", "other")
    mine.add_flow(WEB)
    other.add_flow(ARP)
    mine.delete_flows(WEB)
    assert flow_mods(sent)[2:] == [(FlowModCommand.DELETE, WEB, 0x8000)]


def test_in_openflow_10_what_would_reach_others_is_told_of_each_of_ones_own() -> None:
    (mine, other), _, sent = side_by_side(OF10, "mine", "other")
    mine.add_flow(WEB, priority=5)
    mine.add_flow(ARP, priority=6)
    other.add_flow(WEB, priority=7)
    xid = mine.delete_flows()
    strict = FlowModCommand.DELETE_STRICT
    assert flow_mods(sent)[3:] == [(strict, WEB, 5), (strict, ARP, 6)]
    assert xid == 5
    assert mine.delete_flows() == 0  # there is none of its own any more
    assert len(sent) == 5


def test_in_openflow_10_an_entry_of_another_one_is_not_deleted_strictly() -> None:
    (mine, other), _, sent = side_by_side(OF10, "mine", "other")
    other.add_flow(WEB, priority=7)
    mine.send(FlowMod(WEB, command=FlowModCommand.DELETE_STRICT, priority=7))
    assert len(sent) == 1


def test_in_openflow_10_modifying_reaches_ones_own_or_adds() -> None:
    (mine, other), _, sent = side_by_side(OF10, "mine", "other")
    other.add_flow(WEB, priority=7)
    mine.send(FlowMod(Match(), command=FlowModCommand.MODIFY, priority=3))
    mine.send(FlowMod(Match(), command=FlowModCommand.MODIFY, priority=3))
    assert flow_mods(sent)[1:] == [
        (FlowModCommand.ADD, Match(), 3),
        (FlowModCommand.MODIFY_STRICT, Match(), 3),
    ]


def test_an_entry_that_went_is_known_no_more() -> None:
    (mine, other), _, sent = side_by_side(OF10, "mine", "other")
    other.add_flow(WEB, priority=7)
    assert mine.flow_owners is not None
    mine.flow_owners.removed(FlowRemoved(WEB, priority=7))
    mine.delete_flows()
    assert flow_mods(sent)[1:] == [(FlowModCommand.DELETE, Match(), 0x8000)]


def test_what_a_narrow_deletion_may_have_left_stays_known() -> None:
    (mine, other), _, sent = side_by_side(OF10, "mine", "other")
    mine.add_flow(WEB, [Output(1)], priority=5)
    other.add_flow(WEB, priority=7)
    mine.delete_flows(out_port=2)
    mine.delete_flows()
    strict = FlowModCommand.DELETE_STRICT
    assert flow_mods(sent)[2:] == [(strict, WEB, 5), (strict, WEB, 5)]


def test_an_entry_that_is_added_again_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_owners, "OWNED_MAX", 2)
    (mine, other), _, sent = side_by_side(OF10, "mine", "other")
    mine.add_flow(Match(in_port=1))
    mine.delete_flows()
    mine.add_flow(Match(in_port=1))
    for _ in range(5):
        other.add_flow(WEB, priority=1)
    mine.delete_flows()
    strict = FlowModCommand.DELETE_STRICT
    assert flow_mods(sent)[8:] == [(strict, Match(in_port=1), 0x8000)]


def test_of_entries_without_room_those_of_the_others_are_not_known(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(flow_owners, "OWNED_MAX", 2)
    (mine, other), _, sent = side_by_side(OF10, "mine", "other")
    for port in (1, 2, 3):
        other.add_flow(Match(in_port=port))
    mine.delete_flows()
    assert flow_mods(sent)[3:] == [(FlowModCommand.DELETE, Match(), 0x8000)]
    assert "mine changes entries of other applications as well" in caplog.text


def test_where_too_many_entries_are_there_it_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(flow_owners, "OWNED_MAX", 2)
    (mine, other), _, sent = side_by_side(OF10, "mine", "other")
    for priority in (1, 2, 3):
        other.add_flow(WEB, priority=priority)
    mine.delete_flows()
    other.add_flow(WEB, priority=4)
    mine.delete_flows()
    assert [command for command, _, _ in flow_mods(sent)].count(FlowModCommand.DELETE) == 2
    assert caplog.text.count("mine changes entries of other applications as well") == 1


# Overlaps (OF1.3.5 6.4 "Flow Table Modification Messages")


def overlaps(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the log says of overlaps."""
    return [text for one in caplog.records if "overlaps" in (text := one.getMessage())]


def test_entries_that_overlap_are_told_once_for_two_applications(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (mine, other), _, _ = side_by_side(OF13, "mine", "other")
    mine.add_flow(Match(eth_type=0x0800, ipv4_dst="10.0.0.0/8"), priority=5)
    other.add_flow(WEB, priority=5)
    mine.add_flow(WEB, priority=5)
    assert overlaps(caplog) == [
        "datapath 0x0000000000000001: other adds an entry of priority 5 for "
        f"{WEB}, which overlaps with one of mine: which of them a packet takes is open; "
        "give them different priorities"
    ]


def test_entries_of_other_priorities_tables_or_packets_do_not_overlap(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (mine, other), _, _ = side_by_side(OF13, "mine", "other")
    mine.add_flow(WEB, priority=5)
    mine.add_flow(Match(), [Group(1)], priority=5)
    mine.delete_flows(Match(eth_type=0x0800))
    mine.send(FlowMod(Match(), command=FlowModCommand.DELETE_STRICT, priority=5))
    mine.add_flow(Match(), priority=4)
    other.add_flow(Match(), priority=5)
    other.add_flow(Match(), priority=4, table_id=1)
    assert overlaps(caplog) == []
    other.add_flow(Match(), priority=4)
    assert len(overlaps(caplog)) == 1


def test_who_never_overlaps_is_compared_no_more_but_what_takes_anothers_place_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(flow_owners, "COMPARED_MAX", 2)
    (mine, other), _, _ = side_by_side(OF13, "mine", "other")
    mine.add_flow(WEB)
    for port in (1, 2, 3):
        other.add_flow(Match(eth_type=0x0806, in_port=port))
    other.add_flow(Match(eth_type=0x0800))
    assert overlaps(caplog) == []
    other.add_flow(WEB)
    assert len(overlaps(caplog)) == 1


def test_one_application_alone_costs_no_record() -> None:
    (mine,), _, _ = side_by_side(OF13, "mine")
    assert mine.flow_owners is None
