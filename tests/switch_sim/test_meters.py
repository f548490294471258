"""Meters: what they let pass, what is changed and refused, and what is told of them."""

from __future__ import annotations

from collections import Counter

import pytest

from protocol import (
    OF13,
    OF14,
    OF15,
    BadActionCode,
    BadInstructionCode,
    DropBand,
    DscpRemarkBand,
    ErrorCode,
    FlowModFlags,
    FlowRemoved,
    FlowRemovedReason,
    Match,
    Meter,
    MeterAction,
    MeterFlags,
    MeterMod,
    MeterModCommand,
    MeterModFailedCode,
    Output,
    Port,
    Version,
    WriteActions,
    set_field,
)
from protocol.flows import FlowMod
from protocol.meters import (
    ExperimenterBand,
    MeterBand,
    MeterDesc,
    MeterDescReply,
    MeterDescRequest,
    MeterFeatureFlags,
    MeterFeaturesReply,
    MeterFeaturesRequest,
    MeterId,
    MeterStats,
    MeterStatsReply,
    MeterStatsRequest,
)
from protocol.syntax.actions import parse_actions
from protocol.syntax.group import meter_text, parse_meter
from switch_sim.meter_mods import MAX_BANDS
from tests.switch_sim import frames
from tests.switch_sim.builders import Bench, flow, flows_of, group

since_meters = pytest.mark.parametrize("version", [OF13, OF14, OF15])
Code = MeterModFailedCode
ADD, MODIFY, DELETE = MeterModCommand.ADD, MeterModCommand.MODIFY, MeterModCommand.DELETE
KBPS, PKTPS, BURST = MeterFlags.KBPS, MeterFlags.PKTPS, MeterFlags.BURST


def metered(version: Version, match: Match = Match(), **fields: int) -> FlowMod:  # noqa: B008
    """A flow_mod whose packets go through meter 1 and out of port 2."""
    if version < OF15:
        apply = flow(match, Output(2)).instructions
        return flow(match, instructions=(Meter(1), *apply), **fields)
    return flow(match, MeterAction(1), Output(2), **fields)


def bench_with(meter: str, version: Version = OF13) -> Bench:
    bench = Bench(version)
    bench.say(parse_meter(meter))
    bench.say(metered(version))
    return bench


def passed(bench: Bench, data: bytes, rate: float, seconds: float = 2.0) -> Counter[bytes]:
    """What leaves the switch when a frame comes at a rate, in packets a second."""
    found: Counter[bytes] = Counter()
    for number in range(int(rate * seconds)):
        found.update(data for _, data in bench.frames(data, now=10 + number / rate))
    return found


# Bands (OF1.3.5 5.7.1 "Meter Bands")


@since_meters
def test_a_drop_band_lets_its_rate_of_packets_pass(version: Version) -> None:
    bench = bench_with("meter=1,pktps,bands=type=drop,rate=100", version)
    # Without a burst_size a band lets a tenth of a second's worth pass at once.
    assert passed(bench, frames.TCP, 300) == {frames.TCP: pytest.approx(200 + 10, abs=2)}


@since_meters
def test_a_drop_band_lets_its_rate_of_kilobits_pass(version: Version) -> None:
    bench = bench_with("meter=1,kbps,bands=type=drop,rate=100", version)
    kilobits = len(frames.TCP) * 8 / 1000
    count = passed(bench, frames.TCP, 600)[frames.TCP]
    assert count * kilobits == pytest.approx(200 + 12, abs=2)


def test_what_does_not_come_faster_passes() -> None:
    bench = bench_with("meter=1,pktps,bands=type=drop,rate=100")
    assert passed(bench, frames.TCP, 99) == {frames.TCP: 198}


def test_a_burst_passes_at_once() -> None:
    bench = bench_with("meter=1,pktps,burst,bands=type=drop,rate=100,burst_size=5")
    assert sum(len(bench.frames(frames.TCP, now=1.0)) for _ in range(20)) == 5


@pytest.mark.parametrize("unit", ["kbps", "pktps"])
def test_with_a_burst_of_0_the_rate_is_kept_strictly(unit: str) -> None:
    bench = bench_with(f"meter=1,{unit},burst,bands=type=drop,rate=100,burst_size=0")
    size = len(frames.TCP) * 8 / 1000 if unit == "kbps" else 1
    # What becomes free between two packets is lost where nothing is saved up.
    assert 170 < passed(bench, frames.TCP, 500)[frames.TCP] * size <= 201


def test_a_meter_without_bands_counts_only() -> None:
    bench = bench_with("meter=1,kbps")
    assert passed(bench, frames.TCP, 500) == {frames.TCP: 1000}
    stats = meter_stats(bench)
    assert (stats.packet_in_count, stats.byte_in_count) == (1000, 1000 * len(frames.TCP))


def test_what_is_dropped_meets_no_later_instruction() -> None:
    bench = Bench()
    bench.say(parse_meter("meter=1,pktps,burst,bands=type=drop,rate=1,burst_size=1"))
    bench.say(flow(Match(), instructions=(Meter(1), WriteActions((Output(2),)))))
    assert [bench.out_ports(frames.TCP) for _ in range(2)] == [[2], []]


def dscp_of(data: bytes) -> int:
    return (int.from_bytes(data[14:16], "big") >> 6 if data[12] == 0x86 else data[15] >> 2) & 0x3F


def with_dscp(dscp: int) -> bytes:
    """TCP with another DSCP, made by the switch's own set_field; its bytes are proven there."""
    bench = Bench(OF13)
    bench.say(flow(Match(eth_type=0x0800), set_field(ip_dscp=dscp), Output(2)))
    [(_, data)] = bench.frames(frames.TCP)
    return data


AF21, AF22, AF23 = 18, 20, 22


def test_a_remark_band_raises_the_drop_precedence_of_what_comes_faster() -> None:
    bench = bench_with("meter=1,pktps,bands=type=dscp_remark,rate=100,prec_level=1")
    counts = passed(bench, with_dscp(AF21), 200)
    assert counts.total() == 400
    assert counts[with_dscp(AF22)] == pytest.approx(190, abs=2)
    assert counts[with_dscp(AF21)] == pytest.approx(210, abs=2)


@pytest.mark.parametrize(
    ("before", "level", "after"),
    [
        *((AF21, 1, AF22), (AF21, 2, AF23), (AF22, 2, AF23), (AF23, 1, AF23), (AF21, 0, AF21)),
        *((10, 1, 12), (34, 1, 36)),  # the other classes
        *((0, 1, 0), (46, 1, 46), (8, 1, 8), (42, 1, 42), (19, 1, 19)),  # no assured forwarding
    ],
)
def test_only_assured_forwarding_has_a_drop_precedence(before: int, level: int, after: int) -> None:
    # RFC 2597 6 "Recommended Codepoints"
    bench = bench_with(f"meter=1,pktps,bands=type=dscp_remark,rate=0,prec_level={level}")
    bench.frames(frames.TCP)  # the burst of one packet
    assert bench.frames(with_dscp(before)) == [(2, with_dscp(after))]


def test_ipv6_is_marked_and_what_is_no_ip_left_as_it_is() -> None:
    bench = bench_with("meter=1,pktps,bands=type=dscp_remark,rate=0,prec_level=1")
    bench.frames(frames.TCP)
    marked = frames.TCP6[:14] + bytes.fromhex("6480") + frames.TCP6[16:]  # AF21
    expected = frames.TCP6[:14] + bytes.fromhex("6500") + frames.TCP6[16:]
    assert (dscp_of(marked), dscp_of(expected)) == (AF21, AF22)
    assert bench.frames(marked) == [(2, expected)]
    assert bench.frames(frames.ARP) == [(2, frames.ARP)]


def test_the_band_of_the_highest_rate_that_is_exceeded_applies() -> None:
    bench = bench_with(
        "meter=1,pktps,bands=type=dscp_remark,rate=100,prec_level=1,type=drop,rate=200"
    )
    below = passed(bench, with_dscp(AF21), 150)
    assert below.total() == 300
    bench = bench_with(
        "meter=1,pktps,bands=type=dscp_remark,rate=100,prec_level=1,type=drop,rate=200"
    )
    above = passed(bench, with_dscp(AF21), 400)
    assert above[with_dscp(AF21)] == pytest.approx(200 + 10, abs=2)
    assert above.total() == pytest.approx(400 + 20, abs=2)


# Messages (OF1.3.5 6.6 "Meter Modification Messages")


def meters_of(bench: Bench) -> list[str]:
    [reply] = bench.say(MeterDescRequest())
    assert isinstance(reply, MeterDescReply)
    return [meter_text(desc) for desc in reply.meters]


def meter_stats(bench: Bench, meter_id: int = 1, now: float = 0.0) -> MeterStats:
    [reply] = bench.say(MeterStatsRequest(meter_id), now)
    assert isinstance(reply, MeterStatsReply)
    [stats] = reply.meters
    return stats


@since_meters
@pytest.mark.parametrize(
    "text",
    [
        "meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=100",
        "meter=1,pktps,bands=type=drop,rate=10,burst_size=0",
        "meter=1,kbps,burst,bands=type=drop,rate=10,burst_size=0",
        "meter=1,pktps,bands=type=dscp_remark,rate=10,burst_size=7,prec_level=2",
        "meter=1,kbps",
    ],
)
def test_a_meter_is_described_as_it_was_added(version: Version, text: str) -> None:
    bench = Bench(version)
    bench.say(parse_meter(text))
    assert meters_of(bench) == [text]


@since_meters
def test_a_modified_meter_keeps_its_counters_but_not_those_of_its_bands(version: Version) -> None:
    # "the meter entry's statistics are preserved (continued), band statistics are reset"
    bench = bench_with("meter=1,pktps,burst,bands=type=drop,rate=1,burst_size=1", version)
    for _ in range(3):
        bench.frames(frames.TCP)
    size = len(frames.TCP)
    stats = meter_stats(bench)
    assert (stats.packet_in_count, stats.byte_in_count) == (3, 3 * size)
    [band] = stats.band_stats
    assert (band.packet_band_count, band.byte_band_count) == (2, 2 * size)
    bench.say(parse_meter("meter=1,pktps,bands=type=drop,rate=9", MODIFY))
    stats = meter_stats(bench)
    assert (stats.packet_in_count, stats.byte_in_count) == (3, 3 * size)
    assert [one.packet_band_count for one in stats.band_stats] == [0]
    assert bench.out_ports(frames.TCP) == [2]


@since_meters
def test_what_uses_a_deleted_meter_goes_with_it(version: Version) -> None:
    bench = Bench(version)
    bench.say(parse_meter("meter=1,kbps"))
    bench.say(metered(version, Match(in_port=1), flags=FlowModFlags.SEND_FLOW_REM))
    bench.say(flow(Match(in_port=2), Output(1)))
    assert meter_stats(bench).flow_count == 1
    [told] = bench.say(MeterMod(1, command=DELETE))
    assert isinstance(told, FlowRemoved)
    reason = FlowRemovedReason.METER_DELETE if version >= OF14 else FlowRemovedReason.DELETE
    assert (told.match, told.reason) == (Match(in_port=1), reason)
    assert [entry.match for entry in flows_of(bench)] == [Match(in_port=2)]
    assert meters_of(bench) == []


@since_meters
def test_to_delete_only_the_number_is_needed_and_it_need_not_be_there(version: Version) -> None:
    Bench(version).say(MeterMod(1, (ExperimenterBand(1),), DELETE, flags=99))


@since_meters
def test_all_meters_are_deleted_with_one_message_but_the_virtual_ones(version: Version) -> None:
    # "Virtual meters can never be removed"
    bench = Bench(version)
    for number in (1, 2, MeterId.CONTROLLER):
        bench.say(MeterMod(number))
    bench.say(MeterMod(MeterId.ALL, command=DELETE))
    assert meters_of(bench) == ["meter=controller,kbps"]
    refusal = bench.refusal(MeterMod(MeterId.CONTROLLER, command=DELETE))
    assert refusal == Code.INVALID_METER


def test_a_meter_tells_how_long_it_is_there() -> None:
    bench = Bench()
    bench.say(MeterMod(1), now=10.0)
    bench.say(MeterMod(1, command=MODIFY), now=11.0)
    stats = meter_stats(bench, now=12.5)
    assert (stats.duration_sec, stats.duration_nsec) == (2, 500_000_000)


REMARK = DscpRemarkBand(1, prec_level=3)


def mod(meter_id: int, *bands: MeterBand, flags: int = KBPS, command: int = ADD) -> MeterMod:
    return MeterMod(meter_id, bands, command, flags)


@pytest.mark.parametrize("version", [OF13, OF15])
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        # the command
        (mod(0, command=3), Code.BAD_COMMAND),
        # the meter_id
        (mod(0, flags=99), Code.INVALID_METER),
        (mod(MeterId.MAX + 1), Code.INVALID_METER),
        (mod(MeterId.ALL), Code.INVALID_METER),
        (mod(MeterId.ALL, command=MODIFY), Code.INVALID_METER),
        (mod(0, command=DELETE), Code.INVALID_METER),
        # the flags
        (mod(9, REMARK, flags=1 << 4), Code.BAD_FLAGS),
        (mod(9, REMARK, flags=KBPS | PKTPS), Code.BAD_FLAGS),
        # the bands
        (mod(9, *[REMARK] * (MAX_BANDS + 1)), Code.OUT_OF_BANDS),
        (mod(1, REMARK), Code.BAD_BAND_VALUE),
        (mod(1, ExperimenterBand(1)), Code.BAD_BAND),
        # whether the meter is there
        (mod(1), Code.METER_EXISTS),
        (mod(9, command=MODIFY), Code.UNKNOWN_METER),
        # room
        (mod(9), Code.OUT_OF_METERS),
        # nothing is wrong with these
        (mod(1, *[DropBand(1)] * MAX_BANDS, flags=0, command=MODIFY), None),
        (mod(9, command=DELETE), None),
    ],
)
def test_what_cannot_be_is_refused(
    version: Version, message: MeterMod, expected: ErrorCode | None
) -> None:
    bench = Bench(version)
    bench.switch.datapath.meters.max_meters = 1
    bench.say(mod(1))
    before = meters_of(bench)
    assert bench.refusal(message) == expected
    if expected is not None:
        assert meters_of(bench) == before


@since_meters
@pytest.mark.parametrize("request_", [MeterStatsRequest(7), MeterDescRequest(7)])
def test_a_meter_that_is_not_there_tells_nothing(
    version: Version, request_: MeterStatsRequest | MeterDescRequest
) -> None:
    assert Bench(version).refusal(request_) == Code.UNKNOWN_METER


@since_meters
def test_a_flow_entry_cannot_use_a_meter_that_is_not_there(version: Version) -> None:
    bench = Bench(version)
    expected = Code.UNKNOWN_METER if version < OF15 else BadActionCode.BAD_METER
    assert bench.refusal(metered(version)) == expected
    bench.say(MeterMod(1))
    bench.say(metered(version))


def test_openflow_15_has_an_action_for_the_instruction() -> None:
    bench = Bench(OF15)
    bench.say(MeterMod(1))
    message = flow(Match(), instructions=(Meter(1),))
    assert bench.refusal(message) == BadInstructionCode.UNSUP_INST


def test_a_flow_entry_cannot_use_a_virtual_meter() -> None:
    bench = Bench()
    bench.say(MeterMod(MeterId.CONTROLLER))
    message = flow(Match(), instructions=(Meter(MeterId.CONTROLLER),))
    assert bench.refusal(message) == Code.UNKNOWN_METER


# OF1.5: an action, at any place and more than once


def test_a_meter_may_stand_between_actions_and_another_one_behind_it() -> None:
    bench = Bench(OF15)
    for number in (1, 2):
        bench.say(parse_meter(f"meter={number},pktps,burst,bands=type=drop,rate=1,burst_size=1"))
    bench.say(flow(Match(), Output(2), MeterAction(1), MeterAction(2), Output(3)))
    assert [bench.out_ports(frames.TCP) for _ in range(2)] == [[2, 3], [2]]
    counts = [meter_stats(bench, number).packet_in_count for number in (1, 2)]
    assert counts == [2, 1]


def test_a_meter_in_a_bucket_drops_its_own_copy() -> None:
    bench = Bench(OF15)
    bench.say(parse_meter("meter=1,pktps,burst,bands=type=drop,rate=1,burst_size=1"))
    bench.say(
        group(
            "group_id=1,type=all,bucket=bucket_id:1,meter:1,output:2,bucket=bucket_id:2,output:3",
            OF15,
        )
    )
    bench.say(flow(Match(), *parse_actions("group:1")))
    assert [bench.out_ports(frames.TCP) for _ in range(2)] == [[2, 3], [3]]
    # A bucket that names a meter outlives it, and is limited no more.
    bench.say(MeterMod(1, command=DELETE))
    assert bench.out_ports(frames.TCP) == [2, 3]


def test_a_bucket_cannot_use_a_meter_that_is_not_there() -> None:
    bench = Bench(OF15)
    message = group("group_id=1,type=all,bucket=meter:1,output:2", OF15)
    assert bench.refusal(message) == BadActionCode.BAD_METER


# The virtual meter of packets for controllers


def test_packets_for_controllers_go_through_their_meter() -> None:
    bench = Bench()
    bench.say(parse_meter("meter=controller,pktps,burst,bands=type=drop,rate=1,burst_size=2"))
    bench.say(flow(Match(), Output(Port.CONTROLLER), Output(2)))
    assert [len(bench.packet_ins(frames.TCP)) for _ in range(4)] == [1, 1, 0, 0]
    assert bench.out_ports(frames.TCP) == [2]
    stats = meter_stats(bench, MeterId.CONTROLLER)
    assert (stats.packet_in_count, stats.band_stats[0].packet_band_count) == (5, 3)


def test_packets_for_controllers_are_marked_and_others_are_not() -> None:
    bench = Bench()
    bench.say(parse_meter("meter=controller,pktps,bands=type=dscp_remark,rate=0,prec_level=1"))
    bench.say(flow(Match(), Output(Port.CONTROLLER), Output(2)))
    bench.frames(frames.TCP)
    effects = bench.switch.receive_frame(1, with_dscp(AF21), 0.0)
    assert effects.frames == [(2, with_dscp(AF21))]
    assert [message.data for _, message in effects.messages] == [with_dscp(AF22)]


# What is told


@since_meters
def test_features_tell_what_meters_can_do(version: Version) -> None:
    [reply] = Bench(version).say(MeterFeaturesRequest())
    everything = MeterFeatureFlags(sum(MeterFeatureFlags)) if version >= OF15 else None
    assert reply == MeterFeaturesReply(
        max_meter=65_536,
        band_types=0b110,
        capabilities=MeterFlags(0b1111),
        max_bands=MAX_BANDS,
        max_color=0,
        features=everything,
    )


def test_what_openflow_15_added_to_the_features_can_be_left_out() -> None:
    # Open vSwitch 3.1.0 does, and ovs-ofctl refuses what it does not expect.
    [whole] = Bench(OF15).say(MeterFeaturesRequest())
    [short] = Bench(OF15, meter_features=False).say(MeterFeaturesRequest())
    assert isinstance(short, MeterFeaturesReply)
    assert short.features is None
    assert whole.encode(OF15)[4:-8] == short.encode(OF15)[4:]


def test_meters_are_told_in_many_parts() -> None:
    bench = Bench()
    for number in range(1, 8001):
        bench.say(MeterMod(number))
    replies = bench.say(MeterDescRequest())
    assert len(replies) > 1
    told: list[MeterDesc] = []
    for reply in replies:
        assert isinstance(reply, MeterDescReply)
        told += reply.meters
    assert [desc.meter_id for desc in told] == list(range(1, 8001))


def test_meters_are_as_before_when_all_is_taken_back() -> None:
    bench = bench_with("meter=1,pktps,bands=type=drop,rate=1,burst_size=0")
    bench.say(MeterMod(2))
    before, undo = meters_of(bench), bench.switch.datapath.undo
    undo.begin()
    bench.say(MeterMod(2, flags=PKTPS, command=MODIFY))
    bench.say(MeterMod(3))
    bench.say(MeterMod(1, command=DELETE))
    assert meters_of(bench) == ["meter=2,pktps", "meter=3,kbps"]
    undo.roll_back()
    assert meters_of(bench) == before
    assert meter_stats(bench).flow_count == 1
