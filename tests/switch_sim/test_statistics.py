"""What the switch tells of its tables and ports."""

from __future__ import annotations

import pytest

from protocol import (
    ALL_VERSIONS,
    OF10,
    OF11,
    OF12,
    OF13,
    BadRequestCode,
    Match,
    Message,
    MultipartFlags,
    Output,
    PortStatsReply,
    PortStatsRequest,
    Stats,
    TableStatsReply,
    TableStatsRequest,
    Version,
)
from protocol.flows import AggregateStatsReply, AggregateStatsRequest
from protocol.oxm import OXM
from protocol.ports import PortStatsEthernet
from protocol.table_features import (
    NextTables,
    TableFeaturesReply,
    TableFeaturesRequest,
    TableMatch,
)
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow

each_version = pytest.mark.parametrize("version", sorted(ALL_VERSIONS))


def only(replies: list[Message]) -> Message:
    (reply,) = replies
    return reply


@each_version
def test_an_aggregate_adds_up_what_entries_counted(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(Match(in_port=1), Output(2)))
    bench.say(flow(Match(in_port=2), Output(1)))
    for port in (1, 1, 2):
        bench.switch.receive_frame(port, frames.TCP, 0.0)
    reply = only(bench.say(AggregateStatsRequest()))
    assert isinstance(reply, AggregateStatsReply)
    size = len(frames.TCP)
    assert reply.stats == Stats(flow_count=2, packet_count=3, byte_count=3 * size)


@each_version
def test_ports_count_what_goes_in_and_out(version: Version) -> None:
    bench = Bench(version)
    bench.say(flow(Match(in_port=1), Output(2)))
    bench.switch.receive_frame(1, frames.TCP, 0.0)
    reply = only(bench.say(PortStatsRequest(), now=2.5))
    assert isinstance(reply, PortStatsReply)
    one, two, three = reply.ports
    assert (one.rx_packets, one.rx_bytes, one.tx_packets) == (1, len(frames.TCP), 0)
    assert (two.tx_packets, two.tx_bytes, two.rx_packets) == (1, len(frames.TCP), 0)
    assert three.rx_packets == three.tx_packets == 0
    assert (one.duration_sec, one.duration_nsec) == (2, 500_000_000)


def test_one_port_can_be_asked_for() -> None:
    reply = only(Bench().say(PortStatsRequest(2)))
    assert isinstance(reply, PortStatsReply)
    assert [port.port_no for port in reply.ports] == [2]


@each_version
def test_a_port_has_the_counters_of_ethernet(version: Version) -> None:
    """Since OF1.4 they are a property ("Port Statistics"), before they stand in the struct."""
    reply = only(Bench(version).say(PortStatsRequest(2)))
    assert isinstance(reply, PortStatsReply)
    told = Message.decode(reply.encode(version))
    assert isinstance(told, PortStatsReply)
    assert told.ports[0].properties == (PortStatsEthernet(),)


def test_a_port_that_is_not_there_tells_nothing() -> None:
    assert Bench().refusal(PortStatsRequest(9)) is BadRequestCode.BAD_PORT


@each_version
def test_tables_count_look_ups_and_matches(version: Version) -> None:
    bench = Bench(version, n_tables=3)
    bench.say(flow(Match(in_port=1), Output(2)))
    bench.switch.receive_frame(1, frames.TCP, 0.0)
    bench.switch.receive_frame(2, frames.TCP, 0.0)
    reply = only(bench.say(TableStatsRequest()))
    assert isinstance(reply, TableStatsReply)
    assert [table.table_id for table in reply.tables] == [0, 1, 2]
    first = reply.tables[0]
    assert (first.active_count, first.lookup_count, first.matched_count) == (1, 2, 1)
    assert reply.tables[1].active_count == 0


def test_of10_wildcards_are_all_that_its_match_has() -> None:
    reply = only(Bench(OF10, n_tables=1).say(TableStatsRequest()))
    assert isinstance(reply, TableStatsReply)
    assert reply.tables[0].wildcards == 0x3FFFFF


def test_of11_and_of12_tell_abilities_as_bits() -> None:
    for version, n_fields in ((OF11, 16), (OF12, 36)):
        reply = only(Bench(version, n_tables=1).say(TableStatsRequest()))
        assert isinstance(reply, TableStatsReply)
        table = reply.tables[0]
        assert table.match == table.wildcards == (1 << n_fields) - 1
        assert table.instructions == 0b111110
        assert table.apply_actions == table.write_actions
        assert table.apply_actions & 1, "OFPAT_OUTPUT is 0"


def test_a_question_makes_no_tables() -> None:
    bench = Bench(n_tables=200)
    bench.say(TableStatsRequest())
    assert len(bench.switch.tables) <= 1


@pytest.mark.parametrize("version", [v for v in sorted(ALL_VERSIONS) if v >= OF13])
def test_table_features_name_all_fields_of_the_version(version: Version) -> None:
    bench = Bench(version, n_tables=2)
    reply = only(bench.say(TableFeaturesRequest()))
    assert isinstance(reply, TableFeaturesReply)
    first, last = reply.tables
    found = {type(one): one for one in first.properties}
    matched = found[TableMatch]
    assert isinstance(matched, TableMatch)
    basic = [row.name for row in OXM.values() if row.oxm_class == 0x8000 and row.first <= version]
    assert [one.name for one in matched.fields] == sorted(basic, key=lambda n: OXM[n].number)
    assert NextTables((1,)) in first.properties
    assert NextTables(()) in last.properties


def test_table_features_come_in_parts_that_fit() -> None:
    bench = Bench(OF13)
    replies = bench.say(TableFeaturesRequest())
    assert len(replies) > 1
    for reply in replies:
        assert isinstance(reply, TableFeaturesReply)
        assert len(reply.encode(OF13)) < 65536
    flags = [reply.flags for reply in replies if isinstance(reply, TableFeaturesReply)]
    assert flags == [MultipartFlags.MORE] * (len(flags) - 1) + [MultipartFlags(0)]
