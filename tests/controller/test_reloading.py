"""Applications are loaded again: when a file changes, or a configuration is read again."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from controller import App, Controller, loading
from controller.configuration import Configuration
from controller.reloading import Reloader, apps_of
from controller.sources import families
from protocol import FlowMod, FlowModCommand
from protocol.endpoint import LOOPBACK, Endpoint

from .fakes import PATIENCE, FakeSwitch

GUARD = """
from controller import App, Datapath, Options
from protocol import Match


class GuardOptions(Options):
    timeout: int = 0


class Guard(App):
    def __init__(self, options: GuardOptions) -> None:
        self.options = options

    async def switch_ready(self, datapath: Datapath) -> None:
        datapath.add_flow(Match(), priority=PRIORITY, hard_timeout=self.options.timeout)
"""
HUB = GUARD.replace("Guard", "Hub")
ADD, DELETE = FlowModCommand.ADD, FlowModCommand.DELETE


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a directory for applications, of which nothing is left afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


class Running:
    """A controller whose applications may be loaded again, with one switch."""

    def __init__(self, controller: Controller, reloader: Reloader, switch: FakeSwitch) -> None:
        self.controller, self.reloader, self.switch = controller, reloader, switch

    @property
    def apps(self) -> list[App]:
        """The applications that run."""
        return [one.app for one in self.controller.handlers]

    async def flow_mods(self, number: int) -> list[tuple[FlowModCommand | int, int]]:
        """Return the next commands and priorities that the switch is told, and no more."""
        told = [await self.switch.expect(FlowMod) for _ in range(number)]
        return [(one.command, one.priority) for one in told]

    async def look_twice(self) -> None:
        """Look at the files: what changed lies still by the second time."""
        await self.reloader.look()
        await self.reloader.look()


@asynccontextmanager
async def running(configuration: Configuration) -> AsyncIterator[Running]:
    """Run what a configuration says."""
    plan = configuration.read()
    sources = configuration.load(plan)
    controller = Controller(apps_of(sources))
    reloader = Reloader(controller, configuration, plan, sources, watches=False)
    at = await controller.listen(Endpoint("ptcp", LOOPBACK, 0))
    switch = await FakeSwitch.dial(at)
    try:
        yield Running(controller, reloader, switch)
    finally:
        await reloader.close()
        await controller.close()
        switch.leave()


def written(place: Path, name: str, text: str) -> str:
    """Write a file that differs from the one before by its time at least; return its path."""
    path = place / name
    stamp = path.stat().st_mtime_ns + 1 if path.exists() else None
    path.write_text(text)
    if stamp is not None:  # a clock that is too coarse for tests
        os.utime(path, ns=(stamp, stamp))
    return str(path)


def prioritized(text: str, priority: int) -> str:
    """Return an application whose entries have a priority, of two digits."""
    return text.replace("PRIORITY", str(priority))


# Files


async def test_a_file_that_changes_is_loaded_again_and_the_switch_stays(place: Path) -> None:
    guard = written(place, "guard.py", prioritized(GUARD, 10))
    async with running(Configuration(apps=[guard])) as both:
        (old,) = both.apps
        assert await both.flow_mods(1) == [(ADD, 10)]
        written(place, "guard.py", prioritized(GUARD, 20))
        await both.look_twice()
        assert await both.flow_mods(2) == [(DELETE, 0x8000), (ADD, 20)]
        (new,) = both.apps
        assert new is not old
        await both.look_twice()
        assert both.apps == [new]


async def test_a_file_that_still_changes_is_left_until_it_is_whole(place: Path) -> None:
    guard = written(place, "guard.py", prioritized(GUARD, 10))
    async with running(Configuration(apps=[guard])) as both:
        (old,) = both.apps
        for _ in range(3):
            written(place, "guard.py", prioritized(GUARD, 20))
            await both.reloader.look()
            assert both.apps == [old]
        (place / "guard.py").rename(place / "elsewhere.py")
        await both.look_twice()
        assert both.apps == [old]
        (place / "elsewhere.py").rename(place / "guard.py")
        await both.look_twice()
        assert both.apps != [old]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = (\n", "guard.py is not valid Python: '(' was never closed ({}/guard.py, line 1)"),
        (
            "\n1 / 0\n",
            "guard.py cannot be loaded: ZeroDivisionError: division by zero ({}/guard.py, line 2)",
        ),
        ("x = 1\n", "guard.py has no class that is an App"),
        (
            prioritized(GUARD, 20).replace("async def switch_ready", "def switch_ready"),
            "Guard.switch_ready must be declared with async def",
        ),
    ],
)
async def test_a_file_that_is_wrong_leaves_the_old_application_running(
    text: str, sentence: str, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    guard = written(place, "guard.py", prioritized(GUARD, 10))
    async with running(Configuration(apps=[guard])) as both:
        (old,) = both.apps
        assert await both.flow_mods(1) == [(ADD, 10)]
        module = sys.modules[type(old).__module__]
        written(place, "guard.py", text)
        await both.look_twice()
        await both.look_twice()
        (told,) = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
        assert sentence.format(place) in told
        assert told.endswith("; what ran goes on as it was")
        assert both.apps == [old]
        assert sys.modules[type(old).__module__] is module
        written(place, "guard.py", prioritized(GUARD, 30))
        await both.look_twice()
        assert await both.flow_mods(2) == [(DELETE, 0x8000), (ADD, 30)]


async def test_what_an_application_uses_beside_it_counts_as_its_file(place: Path) -> None:
    written(place, "priorities.py", "PRIORITY = 11\ndef priority(): return PRIORITY\n")
    text = GUARD.replace("PRIORITY", "priority()").replace(
        "from protocol", "from priorities import priority\nfrom protocol"
    )
    async with running(Configuration(apps=[written(place, "guard.py", text)])) as both:
        assert await both.flow_mods(1) == [(ADD, 11)]
        written(place, "priorities.py", "PRIORITY = 12\ndef priority(): return PRIORITY\n")
        await both.look_twice()
        assert await both.flow_mods(2) == [(DELETE, 0x8000), (ADD, 12)]


async def test_who_has_nothing_to_do_with_it_goes_on(place: Path) -> None:
    guard = written(place, "guard.py", prioritized(GUARD, 10))
    hub = written(place, "hub_of_mine.py", prioritized(HUB, 50))
    async with running(Configuration(apps=[guard, hub])) as both:
        _, staying = both.apps
        assert sorted(await both.flow_mods(2)) == [(ADD, 10), (ADD, 50)]
        written(place, "guard.py", prioritized(GUARD, 20))
        await both.look_twice()
        assert await both.flow_mods(2) == [(DELETE, 0x8000), (ADD, 20)]
        assert both.apps[1] is staying


async def test_who_takes_another_one_begins_anew_with_it(place: Path) -> None:
    written(place, "clock_of_mine.py", "from controller import App\nclass Clock(App): pass\n")
    alarm = written(
        place,
        "alarm.py",
        "from controller import App\nfrom clock_of_mine import Clock\n"
        "class Alarm(App):\n    def __init__(self, clock: Clock) -> None: self.clock = clock\n",
    )
    async with running(Configuration(apps=["clock_of_mine", alarm, "hub"])) as both:
        clock, alarm_app, hub = both.apps
        written(place, "alarm.py", (place / "alarm.py").read_text() + "# new\n")
        await both.look_twice()
        new_clock, new_alarm, same_hub = both.apps
        assert same_hub is hub
        assert new_clock is not clock
        assert new_alarm is not alarm_app
        assert vars(new_alarm)["clock"] is new_clock


def test_families_are_who_takes_whom() -> None:
    hub = loading.load_source("hub")
    forwarding = loading.load_source("forwarding")
    beside = loading.load_source("forwarding", forwarding.apps)
    assert [[one.name for one in group] for group in families([forwarding, hub, beside])] == [
        ["hub"],
        ["forwarding", "forwarding"],
    ]


# The configuration


async def test_an_application_whose_options_changed_begins_anew(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written(place, "guard.py", prioritized(GUARD, 10))
    text = '[apps.guard]\nfrom = "./guard.py"\ntimeout = 5\n[apps.learning_switch]\n'
    config = Path(written(place, "p.toml", text))
    async with running(Configuration(config)) as both:
        old, staying = both.apps
        await both.reloader.reread()
        assert both.apps == [old, staying]
        written(place, "p.toml", "echo_interval = 3\n" + text.replace("5", "7"))
        await both.reloader.reread()
        new, same = both.apps
        assert same is staying
        options: Any = new
        assert options.options.timeout == 7
        assert "echo_interval: changing that takes a restart of the controller" in caplog.text


async def test_a_configuration_that_changes_is_read_again(place: Path) -> None:
    config = Path(written(place, "p.toml", "[apps.hub]\n"))
    async with running(Configuration(config)) as both:
        (hub,) = both.apps
        written(place, "p.toml", "[apps.hub]\n[apps.learning_switch]\n")
        await both.look_twice()
        assert both.apps[0] is hub
        assert len(both.apps) == 2


async def test_applications_come_and_go_with_the_file(place: Path) -> None:
    config = Path(written(place, "p.toml", "[apps.hub]\n"))
    async with running(Configuration(config)) as both:
        (hub,) = both.apps
        written(place, "p.toml", "[apps.learning_switch]\n[apps.hub]\n")
        await both.reloader.reread()
        assert [type(app).__name__ for app in both.apps] == ["LearningSwitch", "Hub"]
        assert both.apps[1] is hub
        written(place, "p.toml", "[apps.learning_switch]\n")
        await both.reloader.reread()
        assert [type(app).__name__ for app in both.apps] == ["LearningSwitch"]


@pytest.mark.parametrize("text", ["[apps.hub\n", "[apps.hub]\nport = 5\n", "[apps.hubb]\n"])
async def test_a_configuration_that_is_wrong_changes_nothing(
    text: str, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = Path(written(place, "p.toml", "[apps.hub]\n"))
    async with running(Configuration(config)) as both:
        (hub,) = both.apps
        written(place, "p.toml", text)
        await both.reloader.reread()
        assert "goes on as it was" in caplog.text
        assert "p.toml" in caplog.text
        assert both.apps == [hub]


# The command


@asynccontextmanager
async def commanded(
    place: Path, *words: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, FakeSwitch]]:
    """Run the command, with a switch."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "controller", *words, "--listen", "ptcp:0",
        "--control", str(place / "control"),
        cwd=Path(__file__).parents[2], stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            line = (await process.stderr.readline()).decode()
            switch = await FakeSwitch.dial(
                Endpoint.parse(line.split("listening at ")[1].split()[0])
            )
            yield process, switch
        switch.leave()
    finally:
        process.kill()
        await process.communicate()


async def test_the_command_loads_again_what_changes(place: Path) -> None:
    guard = written(place, "guard.py", prioritized(GUARD, 10))
    async with commanded(place, guard, "--reload") as (_, switch):
        assert (await switch.expect(FlowMod)).priority == 10
        written(place, "guard.py", prioritized(GUARD, 20))
        assert (await switch.expect(FlowMod)).command == DELETE
        assert (await switch.expect(FlowMod)).priority == 20


async def test_the_command_reads_the_configuration_again_at_sighup(place: Path) -> None:
    written(place, "guard.py", prioritized(GUARD, 10))
    text = '[apps.guard]\nfrom = "./guard.py"\ntimeout = 5\n'
    config = written(place, "p.toml", text)
    async with commanded(place, "--config", config) as (process, switch):
        assert (await switch.expect(FlowMod)).hard_timeout == 5
        written(place, "p.toml", text.replace("5", "7"))
        process.send_signal(signal.SIGHUP)
        assert (await switch.expect(FlowMod)).command == DELETE
        assert (await switch.expect(FlowMod)).hard_timeout == 7
