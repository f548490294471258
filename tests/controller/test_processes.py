"""Several processes share the switches: each has some, commands see all, and all end together."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from controller.cli import command
from controller.control.client import NoAnswer, ask
from controller.control.place import place_of
from protocol.endpoint import Endpoint

from .fakes import FakeSwitch

PATIENCE = 60.0
SWITCHES = 24  # that all of them come to one of two processes happens once in 8 million times
LISTENING = re.compile(r".* listening at (\S+) for .*")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")


class Running:
    """A controller in several processes."""

    def __init__(self, process: asyncio.subprocess.Process, at: Endpoint, control: Path) -> None:
        self.process, self.at, self.control = process, at, control

    async def connected(self, number: int | None = None) -> set[str]:
        """Return the switches of one of the processes, of all where none is named."""
        path = self.control if number is None else place_of(self.control, number)
        found = await asyncio.to_thread(lambda: list(ask(path, "switches", timeout=PATIENCE)))
        return {one["datapath_id"] for one in found}

    async def line(self, pattern: str) -> str:
        """Return the next line of the log that has something in it."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while True:
                line = (await self.process.stderr.readline()).decode()
                assert line, "the log ended"
                if re.search(pattern, line):
                    return line


@asynccontextmanager
async def running(processes: int = 2) -> AsyncIterator[Running]:
    """Run the learning switch in several processes on a free port."""
    with TemporaryDirectory() as directory:  # the path of a socket must be short
        control = Path(directory) / "control"
        words = ["learning_switch", "--processes", str(processes), "--control", str(control)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "controller", *words, "--listen", "ptcp:0:127.0.0.1",
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        one = Running(process, Endpoint.parse("ptcp:1"), control)
        try:
            found = LISTENING.fullmatch((await one.line("listening at")).rstrip("\n"))
            assert found
            one.at = Endpoint.parse(found[1])
            for number in range(processes):
                await _answers(one, number)
            yield one
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), PATIENCE)


async def _answers(one: Running, number: int) -> set[str]:
    """Wait until a process answers."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await one.connected(number)
            except NoAnswer:
                await asyncio.sleep(0.01)


async def _all_connected(one: Running) -> set[str]:
    async with asyncio.timeout(PATIENCE):
        while len(found := await one.connected()) < SWITCHES:
            await asyncio.sleep(0.01)
    return found


async def test_each_process_has_some_of_the_switches_and_commands_see_all() -> None:
    async with running() as one:
        switches = [await FakeSwitch.dial(one.at, datapath_id=n + 1) for n in range(SWITCHES)]
        assert await _all_connected(one) == {f"{n + 1:#x}" for n in range(SWITCHES)}
        of_second = await one.connected(1)
        assert 0 < len(of_second) < SWITCHES
        for switch in switches:
            switch.leave()


async def test_a_question_about_one_switch_is_answered_by_the_process_that_has_it() -> None:
    async with running() as one:
        switches = [await FakeSwitch.dial(one.at, datapath_id=n + 1) for n in range(SWITCHES)]
        await _all_connected(one)
        for name in sorted(await one.connected(1))[:2]:
            asked = await asyncio.to_thread(
                lambda name=name: list(ask(one.control, "switches", switch=name))
            )
            assert [answer["datapath_id"] for answer in asked] == [name]
        with pytest.raises(NoAnswer, match="0x63 is not connected"):
            await asyncio.to_thread(
                lambda: list(ask(one.control, "send", switch="s99", message="barrier_request"))
            )
        for switch in switches:
            switch.leave()


async def test_a_process_that_died_is_started_again() -> None:
    async with running() as one:
        children = Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children")
        if not children.exists():
            pytest.skip("this system does not tell the children of a process")
        victim = int(children.read_text().split()[0])
        os.kill(victim, signal.SIGKILL)
        await one.line(r"process \d died \(-9\); it is started again")
        for number in range(2):
            await _answers(one, number)
        assert len(children.read_text().split()) == 2


async def test_all_end_together() -> None:
    async with running(3) as one:
        one.process.terminate()
        assert await asyncio.wait_for(one.process.wait(), PATIENCE) == 0
        for number in range(3):
            with pytest.raises(NoAnswer):
                list(ask(place_of(one.control, number), "switches"))


async def test_processes_end_whose_watcher_was_killed() -> None:
    async with running() as one:
        one.process.kill()
        await one.process.wait()
        async with asyncio.timeout(PATIENCE):
            while any(place_of(one.control, number).exists() for number in range(2)):
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["forwarding", "--processes", "2"],
            "Forwarding must see all switches, which several processes share; let processes be 1",
        ),
        (["hub", "--processes", "2", "--connect", "tcp:127.0.0.1:6634"], "cannot be shared"),
        (["hub", "--processes", "2", "--listen", "punix:/tmp/of.sock"], "cannot be shared"),
    ],
)
def test_what_several_processes_cannot_share_is_one_sentence(
    words: list[str], sentence: str
) -> None:
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 2
    assert sentence in result.output
    assert result.output.count("\n") == 1


async def test_what_a_process_raises_is_told_before_it_ends() -> None:
    program = (
        "from controller.processes import Processes\n"
        "import sys\n"
        "sys.exit(Processes(1, lambda number, alive: number // 0).run())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 1
    assert b"process 1 ends" in said
    assert b"ZeroDivisionError" in said
