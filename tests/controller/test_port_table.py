"""Ports that come, go, get another number, or are too many."""

from __future__ import annotations

import logging

import pytest

from controller import Datapath, peer, port_table
from controller.port_table import PortTable
from protocol import MacAddress, PacketIn, PortDesc, PortReason, PortStatus

from .fakes import FakeSwitch, Recorder, eventually, lines, serving

ADD, DELETE, MODIFY = PortReason.ADD, PortReason.DELETE, PortReason.MODIFY


def desc(port_no: int, name: str = "", mac: int = 0) -> PortDesc:
    """Return a port."""
    return PortDesc(port_no, MacAddress(mac), name)


def test_a_port_under_another_number_takes_the_place_of_the_old_one() -> None:
    table = PortTable([desc(1, "eth0", 10), desc(2, "eth1", 11)])
    moved = PortStatus(ADD, desc(7, "eth0", 10))
    assert table.learn(moved) == [PortStatus(DELETE, desc(1, "eth0", 10)), moved]
    assert sorted(table.ports) == [2, 7]
    back = PortStatus(MODIFY, desc(1, "eth0", 10))
    assert table.learn(back) == [PortStatus(DELETE, desc(7, "eth0", 10)), back]


def test_two_ports_that_change_places_are_both_kept() -> None:
    table = PortTable([desc(1, "eth0", 10), desc(2, "eth1", 11)])
    for changed in (desc(1, "eth1", 11), desc(2, "eth0", 10)):
        assert len(table.learn(PortStatus(MODIFY, changed))) == 1
    assert [table.ports[number].name for number in (1, 2)] == ["eth1", "eth0"]
    assert len(table.learn(PortStatus(ADD, desc(3, "eth1", 11)))) == 2
    assert sorted(table.ports) == [2, 3]


@pytest.mark.parametrize("other", [desc(2, "eth0", 11), desc(2, "eth1", 10), desc(2)], ids=str)
def test_a_port_that_shares_a_name_an_address_or_nothing_is_another_one(other: PortDesc) -> None:
    table = PortTable([desc(1, "eth0", 10), desc(9)])
    assert len(table.learn(PortStatus(ADD, other))) == 1
    assert sorted(table.ports) == [1, 2, 9]


def test_ports_for_which_there_is_no_room_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_table, "PORTS_MAX", 3)
    table = PortTable(desc(number) for number in range(1, 3))
    for number in range(2, 100):
        told = table.learn(PortStatus(ADD, desc(number, f"p{number}", number)))
        assert len(told) == (number <= 3)
    assert sorted(table.ports) == [1, 2, 3]
    assert len(table._numbers or ()) == 3
    table.learn(PortStatus(DELETE, desc(1)))
    assert table.learn(PortStatus(ADD, desc(50)))


async def test_applications_hear_that_the_old_number_is_gone_before_they_hear_of_the_new() -> None:
    class Looking(Recorder):
        async def port_status(self, datapath: Datapath, message: PortStatus) -> None:
            await super().port_status(datapath, message)
            seen.append(sorted(datapath.ports))

    seen: list[list[int]] = []
    app = Looking()
    async with serving(app) as (controller, at):
        switch = await FakeSwitch.dial(at)
        await app.until("switch_ready")
        switch.send(PortStatus(MODIFY, desc(1, "eth0", 10)), PortStatus(ADD, desc(5, "eth0", 10)))
        told = await app.until("port_status", 3)
        assert [(one.reason, one.desc.port_no) for one in told] == [
            (MODIFY, 1),
            (DELETE, 1),
            (ADD, 5),
        ]
        assert sorted(controller.datapaths[1].ports) == [5]
        switch.leave()


async def test_a_flood_of_ports_is_cut_and_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "controller")
    for module in (port_table, peer):
        monkeypatch.setattr(module, "PORTS_MAX", 10)
    app = Recorder()
    async with serving(app) as (controller, at):
        switch = await FakeSwitch.dial(at, ports=range(1, 9))
        await app.until("switch_ready")
        switch.send(*(PortStatus(ADD, desc(number)) for number in range(1, 100)), PacketIn())
        await app.until("packet_in")
        assert len(controller.datapaths[1].ports) == 10
        assert len(app.messages("port_status")) == 10
        told = lines(caplog, "datapath 0x0000000000000001")
        assert told == ["it has more than 10 ports, others are left out"]
        switch.leave()


async def test_of_a_handshake_with_too_many_ports_the_first_are_taken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for module in (port_table, peer):
        monkeypatch.setattr(module, "PORTS_MAX", 10)
    async with serving(Recorder()) as (controller, at):
        switch = await FakeSwitch.dial(at, ports=range(1, 99))
        await eventually(lambda: bool(controller.datapaths))
        assert sorted(controller.datapaths[1].ports) == list(range(1, 11))
        told = lines(caplog, "datapath 0x0000000000000001")
        assert told == ["it has more than 10 ports, others are left out"]
        switch.leave()
