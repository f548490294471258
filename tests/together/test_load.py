"""`pointsman load` and our own controller: each mode, small."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from controller import App, Controller, Datapath
from controller.apps.learning_switch import LearningSwitch
from controller.certificates import make
from protocol import (
    OF10,
    OF13,
    OF15,
    FlowStatsReply,
    FlowStatsRequest,
    Match,
    PacketIn,
    Version,
)
from protocol.endpoint import Endpoint
from protocol.transport.tls import TlsFiles
from switch_sim.load.cli import command
from switch_sim.load.outcome import Outcome
from switch_sim.load.plan import Mode, Plan
from switch_sim.load.processes import run_in_processes
from switch_sim.load.sockets import Place

from .test_transports import files_of

PLAN = Plan(
    Mode.THROUGHPUT,
    switches=4,
    hosts=16,
    window=4,
    flows=200,
    warm_up=0.0,
    duration=0.1,
    timeout=5.0,
    settle=0.05,
)


def unlimited(apps: Sequence[App], tls: TlsFiles | None = None) -> Controller:
    """A controller that answers each packet_in, however many come."""
    return Controller(apps, tls=tls, packet_in_rate=0)


async def outcome(
    plan: Plan,
    apps: Sequence[App],
    tls: tuple[TlsFiles, TlsFiles] | None = None,
    processes: int = 1,
) -> Outcome:
    """Put load on a controller with these applications."""
    controller = unlimited(apps, tls=tls[0] if tls else None)
    try:
        bound = await controller.listen(Endpoint.parse("pssl:0" if tls else "ptcp:0"))
        place, files = Place.of(bound), tls[1] if tls else None
        return await asyncio.to_thread(
            run_in_processes, plan, processes, place, files, lambda found: None
        )
    finally:
        await controller.close()


@pytest.mark.parametrize(
    ("version", "buffered"),
    [*((version, True) for version in Version), (OF10, False), (OF15, False)],
)
async def test_a_learning_switch_adds_an_entry_and_lets_the_packet_go(
    version: Version, buffered: bool
) -> None:
    plan = replace(PLAN, versions=frozenset({version}), buffered=buffered)
    found = await outcome(plan, [LearningSwitch()])
    assert found.switches == 4
    assert found.answered > 10
    assert found.tally.lost == found.tally.strays == found.tally.errors == 0
    # Of the messages for one packet the measured time may have the first and not the second.
    assert found.flow_mods == pytest.approx(found.packet_outs, abs=16)
    assert found.packet_outs == pytest.approx(found.answered, abs=16)


@pytest.mark.parametrize("mode", [Mode.LATENCY, Mode.FLAPS, Mode.LEARNING, Mode.UNLEARNING])
async def test_all_is_answered(mode: Mode) -> None:
    found = await outcome(replace(PLAN, mode=mode, window=1), [LearningSwitch()])
    assert found.answered > 10
    assert found.tally.lost == found.tally.errors == 0


async def test_a_rate_that_the_controller_keeps_up_with_is_the_rate_of_answers() -> None:
    found = await outcome(replace(PLAN, mode=Mode.RATE, rate=500, duration=0.4), [LearningSwitch()])
    assert found.tally.packet_ins == pytest.approx(200, abs=2)
    assert found.tally.lost == 0
    assert found.tally.late.count == found.tally.packet_ins


async def test_looking_without_a_pause_counts_as_work_only_where_something_came() -> None:
    plan = replace(PLAN, mode=Mode.RATE, rate=100, duration=0.5, busy=True)
    found = await outcome(plan, [LearningSwitch()])
    assert found.answered > 10
    assert found.tally.lost == 0
    assert found.load < 0.5


async def test_a_storm_of_switches_comes_up() -> None:
    found = await outcome(replace(PLAN, mode=Mode.STORM, switches=50), [LearningSwitch()])
    assert (found.switches, found.up.count, found.tally.latency.count) == (50, 50, 50)


class Installer(App):
    """Adds entries as long as there is a switch."""

    async def background(self) -> None:
        while True:
            for datapath in self.switches:
                datapath.add_flow(Match(), priority=1)
            await asyncio.sleep(0.001)

    def __init__(self) -> None:
        self.switches: list[Datapath] = []

    async def switch_ready(self, datapath: Datapath) -> None:
        self.switches.append(datapath)


async def test_flow_mods_are_counted_that_the_controller_sends_by_itself() -> None:
    found = await outcome(replace(PLAN, mode=Mode.FLOW_MODS, settle=0.0), [Installer()])
    assert found.flow_mods > 10
    assert found.tally.packet_ins == 0


class Poller(App):
    """Asks for all entries, again and again."""

    def __init__(self) -> None:
        self.told: set[int] = set()

    async def switch_ready(self, datapath: Datapath) -> None:
        while True:
            reply = await datapath.request(FlowStatsRequest(), FlowStatsReply)
            self.told.add(len(reply.flows))


async def test_statistics_are_told_as_often_as_they_are_asked_for() -> None:
    poller = Poller()
    found = await outcome(replace(PLAN, mode=Mode.STATS, settle=0.0), [poller])
    assert poller.told == {200}
    assert 0 < found.tally.latency.count <= found.tally.stats_requests


class Forgetful(LearningSwitch):
    """Does not answer each fifth packet for one host."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        self.seen += message.data[0] != 0xFF
        if message.data[0] == 0xFF or self.seen % 5:
            await super().packet_in(datapath, message)


@pytest.mark.parametrize("version", [OF10, OF13], ids=str)
async def test_a_controller_that_loses_packets_is_noticed(version: Version) -> None:
    plan = replace(PLAN, versions=frozenset({version}), timeout=0.5, duration=0.3)
    found = await outcome(plan, [Forgetful()])
    assert found.tally.lost > 0
    assert found.lost_share == pytest.approx(0.2, abs=0.1)


async def test_two_processes_share_the_switches() -> None:
    found = await outcome(replace(PLAN, switches=3), [LearningSwitch()], processes=2)
    assert (found.switches, found.processes) == (3, 2)
    assert found.answered > 10
    assert found.tally.lost == 0


async def test_over_tls_all_the_same(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="cryptography, which makes certificates")
    make(tmp_path / "tls")
    files = files_of(tmp_path / "tls", "controller"), files_of(tmp_path / "tls", "switch")
    found = await outcome(PLAN, [LearningSwitch()], tls=files)
    assert found.answered > 10
    assert found.tally.lost == 0


async def test_nobody_there_is_said() -> None:
    place = Place.of(Endpoint.parse("tcp:127.0.0.1:1"))
    found = await asyncio.to_thread(
        run_in_processes, replace(PLAN, connect_timeout=0.1), 1, place, None, lambda found: None
    )
    assert (found.switches, found.reasons) == (0, {"Connection refused": 4})


async def test_the_command_tells_what_it_measured(tmp_path: Path) -> None:
    controller, page = unlimited([LearningSwitch()]), tmp_path / "report.html"
    bound = await controller.listen(Endpoint.parse("ptcp:0"))
    where = f"tcp:{bound.host}:{bound.port}"
    options = ["--controller", where, "--switches", "2", "--warm-up", "0", "--duration", "0.3"]
    options += ["--json", "--report", str(page), "--controller-pid", str(os.getpid())]
    try:
        result = await asyncio.to_thread(CliRunner().invoke, command, options)
    finally:
        await controller.close()
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    assert (data["switches"], data["lost"]) == (2, 0)
    assert data["answered_per_second"] > 10
    assert data["controller_processor_seconds"] > 0
    assert page.read_text("utf-8").count("<svg") == 3


@pytest.mark.parametrize(("allowed", "status"), [("0", 1), ("50", 0)])
async def test_more_lost_than_allowed_is_a_failure(allowed: str, status: int) -> None:
    controller = unlimited([Forgetful()])
    bound = await controller.listen(Endpoint.parse("ptcp:0"))
    options = ["--controller", f"tcp:{bound.host}:{bound.port}", "--max-lost", allowed]
    options += ["--timeout", "0.5", "--warm-up", "0", "--duration", "0.3", "--hosts", "16"]
    options += ["--switches", "2", "--window", "8"]
    try:
        result = await asyncio.to_thread(CliRunner().invoke, command, options)
    finally:
        await controller.close()
    assert result.exit_code == status
