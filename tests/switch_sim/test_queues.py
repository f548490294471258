"""Queues of ports: who may name them, what they let pass, and what is told of them."""

from __future__ import annotations

from typing import Any

import pytest

from protocol import (
    ALL_VERSIONS,
    OF10,
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    BadActionCode,
    Capabilities,
    Enqueue,
    FeaturesReply,
    FeaturesRequest,
    Group,
    Match,
    Message,
    Output,
    Port,
    PortEthernet,
    PortStatsReply,
    PortStatsRequest,
    QueueOpFailedCode,
    SetQueue,
    Version,
)
from protocol.queues import (
    MaxRate,
    MinRate,
    QueueDesc,
    QueueDescReply,
    QueueDescRequest,
    QueueGetConfigReply,
    QueueGetConfigRequest,
    QueueStats,
    QueueStatsReply,
    QueueStatsRequest,
)
from switch_sim import Switch
from switch_sim.queues import Queues, parse_queue
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow, group, ports

every_version = pytest.mark.parametrize("version", sorted(ALL_VERSIONS))
SIZE = len(frames.TCP)
QUEUES = ("2:0", "2:1,min=10,max=50", "3:1,max=0.1")


def bench_with(version: Version = OF13, *queues: str) -> Bench:
    """A switch of three ports of 1 Mbit/s with queues."""
    bench = Bench(version)
    speed = (PortEthernet(curr_speed=1000),)
    described = [
        type(desc)(desc.port_no, hw_addr=desc.hw_addr, name=desc.name, properties=speed)
        for desc in ports(3)
    ]
    bench.switch = Switch(1, described, queues=map(parse_queue, queues or QUEUES))
    bench.session = bench.switch.connect(version)
    return bench


def stats_of(bench: Bench, port_no: int = 2, queue_id: int = 1, now: float = 0.0) -> QueueStats:
    [reply] = bench.say(QueueStatsRequest(port_no, queue_id), now)
    assert isinstance(reply, QueueStatsReply)
    [stats] = reply.queues
    return stats


def through_queue(version: Version, port_no: int, queue_id: int) -> tuple[Any, ...]:
    if version == OF10:
        return (Enqueue(port_no, queue_id),)
    return (SetQueue(queue_id), Output(port_no))


# Packets


@every_version
def test_packets_of_a_queue_are_counted(version: Version) -> None:
    bench = bench_with(version)
    bench.say(flow(Match(), *through_queue(version, 2, 1)))
    assert bench.out_ports(frames.TCP) == [2]
    stats = stats_of(bench)
    assert (stats.tx_packets, stats.tx_bytes, stats.tx_errors) == (1, SIZE, 0)
    assert stats_of(bench, queue_id=0).tx_packets == 0


def test_a_queue_is_that_of_the_port_that_the_packet_goes_to() -> None:
    bench = bench_with(OF13)
    bench.say(flow(Match(), SetQueue(1), Output(2), Output(3)))
    assert bench.out_ports(frames.TCP) == [2, 3]
    assert [stats_of(bench, port).tx_packets for port in (2, 3)] == [1, 1]


def test_a_port_without_the_queue_sends_all_the_same() -> None:
    bench = bench_with(OF13, "2:1")
    bench.say(flow(Match(), SetQueue(1), Output(3)))
    assert bench.out_ports(frames.TCP) == [3]
    assert stats_of(bench).tx_packets == 0


def test_an_enqueue_is_for_its_own_output_only() -> None:
    bench = bench_with(OF10)
    bench.say(flow(Match(), Enqueue(2, 1), Output(3)))
    assert bench.out_ports(frames.TCP) == [2, 3]
    assert [stats_of(bench, port).tx_packets for port in (2, 3)] == [1, 0]


def test_the_queue_holds_for_the_buckets_of_a_group_and_theirs_for_themselves() -> None:
    bench = bench_with(OF13)
    buckets = "bucket=output:2,bucket=set_queue:0,output:2"
    bench.say(group(f"group_id=1,type=all,{buckets}", OF13))
    bench.say(flow(Match(), SetQueue(1), Group(1), Output(2)))
    assert bench.out_ports(frames.TCP) == [2, 2, 2]
    assert [stats_of(bench, 2, number).tx_packets for number in (0, 1)] == [1, 2]


def test_max_rate_is_a_share_of_the_speed_of_the_port() -> None:
    bench = bench_with(OF13)
    bench.say(flow(Match(), SetQueue(1), Output(2)))
    kilobits = SIZE * 8 / 1000
    offered = 4000  # in two seconds, some 1056 kbit/s
    passed = sum(len(bench.frames(frames.TCP, now=n / 2000)) for n in range(offered))
    assert passed * kilobits == pytest.approx(2 * 500 + 50, rel=0.02)
    stats = stats_of(bench)
    assert (stats.tx_packets, stats.tx_errors) == (passed, offered - passed)
    assert bench.switch.ports[2].counters.tx_dropped == offered - passed


def test_without_a_max_rate_or_a_speed_there_is_no_limit() -> None:
    bench = bench_with(OF13)
    bench.say(flow(Match(), SetQueue(0), Output(2)))
    assert sum(len(bench.frames(frames.TCP)) for _ in range(1000)) == 1000
    bench = Bench(OF13, queues=[parse_queue("2:1,max=1")])
    bench.say(flow(Match(), SetQueue(1), Output(2)))
    assert sum(len(bench.frames(frames.TCP)) for _ in range(1000)) == 1000


def test_what_a_port_that_is_down_does_not_send_is_none_of_the_queue() -> None:
    bench = bench_with(OF13)
    bench.say(flow(Match(), SetQueue(1), Output(2)))
    bench.switch.set_link(2, False, 0.0)
    assert bench.frames(frames.TCP) == []
    stats = stats_of(bench)
    assert (stats.tx_packets, stats.tx_errors) == (0, 0)


# Refusals


@every_version
def test_a_queue_that_is_not_there_cannot_be_used(version: Version) -> None:
    bench = bench_with(version)
    message = flow(Match(), *through_queue(version, 2, 7))
    assert bench.refusal(message) == BadActionCode.BAD_QUEUE


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (Enqueue(Port.FLOOD, 7), BadActionCode.BAD_OUT_PORT),  # the port counts first
        (Enqueue(1, 1), BadActionCode.BAD_QUEUE),
        (Enqueue(77, 1), BadActionCode.BAD_QUEUE),
        (Enqueue(Port.IN_PORT, 7), BadActionCode.BAD_QUEUE),
        (Enqueue(Port.IN_PORT, 1), None),
        (Enqueue(3, 1), None),
    ],
)
def test_an_enqueue_names_a_queue_of_its_port(action: Enqueue, code: object) -> None:
    assert bench_with(OF10).refusal(flow(Match(), action)) == code


@every_version
def test_statistics_are_refused_for_what_is_not_there(version: Version) -> None:
    bench = bench_with(version)
    assert bench.refusal(QueueStatsRequest(9)) == QueueOpFailedCode.BAD_PORT
    assert bench.refusal(QueueStatsRequest(9, 99)) == QueueOpFailedCode.BAD_PORT
    assert bench.refusal(QueueStatsRequest(2, 99)) == QueueOpFailedCode.BAD_QUEUE
    assert bench.refusal(QueueStatsRequest(Port.ANY, 99)) == QueueOpFailedCode.BAD_QUEUE


# What is told


@pytest.mark.parametrize("version", [OF10, OF11, OF12, OF13])
def test_queues_of_a_port_are_described(version: Version) -> None:
    bench = bench_with(version)
    [reply] = bench.say(QueueGetConfigRequest(2))
    assert isinstance(reply, QueueGetConfigReply)
    assert [queue.queue_id for queue in reply.queues] == [0, 1]
    # OF1.0 and OF1.1 know no max_rate.
    rates = (MinRate(100), MaxRate(500)) if version >= OF12 else (MinRate(100),)
    assert [queue.properties for queue in reply.queues] == [(), rates]
    assert bench.say(QueueGetConfigRequest(1)) == [QueueGetConfigReply(1)]
    assert bench.refusal(QueueGetConfigRequest(9)) == QueueOpFailedCode.BAD_PORT


@pytest.mark.parametrize("version", [OF12, OF13])
def test_since_openflow_12_the_queues_of_all_ports_can_be_asked_for(version: Version) -> None:
    [reply] = bench_with(version).say(QueueGetConfigRequest(Port.ANY))
    assert isinstance(reply, QueueGetConfigReply)
    assert [(one.port_no, one.queue_id) for one in reply.queues] == [(2, 0), (2, 1), (3, 1)]


@pytest.mark.parametrize("version", [OF10, OF11])
def test_before_a_port_has_to_be_named(version: Version) -> None:
    refusal = bench_with(version).refusal(QueueGetConfigRequest(Port.ANY))
    assert refusal == QueueOpFailedCode.BAD_PORT


@pytest.mark.parametrize("version", [OF14, OF15])
def test_since_openflow_14_queues_are_described_in_a_multipart(version: Version) -> None:
    bench = bench_with(version)
    [reply] = bench.say(QueueDescRequest())
    assert isinstance(reply, QueueDescReply)
    assert reply.queues == (
        QueueDesc(0, 2),
        QueueDesc(1, 2, (MinRate(100), MaxRate(500))),
        QueueDesc(1, 3, (MaxRate(1),)),
    )
    [reply] = bench.say(QueueDescRequest(Port.ANY, 0))
    assert isinstance(reply, QueueDescReply)
    assert [one.port_no for one in reply.queues] == [2]
    assert bench.refusal(QueueDescRequest(9)) == QueueOpFailedCode.BAD_PORT
    assert bench.refusal(QueueDescRequest(2, 9)) == QueueOpFailedCode.BAD_QUEUE


@every_version
@pytest.mark.parametrize("everywhere", [Port.ANY, Port.ALL])
def test_statistics_of_all_queues_can_be_asked_for(version: Version, everywhere: Port) -> None:
    [reply] = bench_with(version).say(QueueStatsRequest(everywhere), now=2.5)
    assert isinstance(reply, QueueStatsReply)
    assert [(one.port_no, one.queue_id) for one in reply.queues] == [(2, 0), (2, 1), (3, 1)]


def test_queues_and_ports_tell_how_long_they_are_there() -> None:
    bench = Bench(OF13, queues=[parse_queue("2:1")], now=10.0)
    stats = stats_of(bench, now=12.5)
    assert (stats.duration_sec, stats.duration_nsec) == (2, 500_000_000)
    [reply] = bench.say(PortStatsRequest(2), now=12.5)
    assert isinstance(reply, PortStatsReply)
    assert reply.ports[0].duration_sec == 2


@every_version
def test_the_switch_says_that_it_counts_queues(version: Version) -> None:
    [reply] = Bench(version).say(FeaturesRequest())
    assert isinstance(reply, FeaturesReply)
    assert reply.capabilities & Capabilities.QUEUE_STATS


def test_a_switch_without_queues_tells_of_none() -> None:
    bench = Bench(OF13)
    assert bench.say(QueueStatsRequest()) == [QueueStatsReply()]
    assert bench.say(QueueGetConfigRequest(1)) == [QueueGetConfigReply(1)]


def test_many_queues_are_told_in_many_parts() -> None:
    queues = [QueueDesc(number, 2, (MinRate(1), MaxRate(2))) for number in range(3000)]
    bench = Bench(OF15, queues=queues)
    for request in (QueueStatsRequest(), QueueDescRequest()):
        replies = bench.say(request)
        assert len(replies) > 1
        assert [number for reply in replies for number in _ids(reply)] == list(range(3000))


def _ids(reply: Message) -> list[int]:
    assert isinstance(reply, QueueStatsReply | QueueDescReply)
    return [one.queue_id for one in reply.queues]


# Their making


@pytest.mark.parametrize(
    ("texts", "cure"),
    [
        (["1:1", "1:1"], "two queues 1: take one out"),
        (["0:1"], "can have no queues"),
        ([f"{Port.FLOOD.value}:1"], "can have no queues"),
        (["1:4294967295"], "can have no queue"),
        (["1"], "write PORT:QUEUE"),
        (["a:1"], "write PORT:QUEUE"),
        (["1:1,min"], "0 to 100 percent"),
        (["1:1,speed=7"], "0 to 100 percent"),
        (["1:1,max=101"], "0 to 100 percent"),
        (["1:1,max=inf"], "0 to 100 percent"),
        (["1:1,max=nan"], "0 to 100 percent"),
    ],
)
def test_queues_that_cannot_be_are_one_sentence_with_the_cure(texts: list[str], cure: str) -> None:
    with pytest.raises(ValueError, match=cure):
        Queues(map(parse_queue, texts))
