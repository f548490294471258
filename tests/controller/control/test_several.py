"""A controller in several processes: the first asks the others, no longer than it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from controller import App, Controller
from controller.control.server import Control
from controller.recorder import Tape
from protocol import OF13, BarrierRequest

from ..fakes import PATIENCE, eventually


@pytest.fixture
def place() -> Iterator[Path]:
    """Return where sockets can be: their paths must be short."""
    with TemporaryDirectory() as directory:
        yield Path(directory)


async def left(control: Control) -> None:
    """Let its controller say something, until it notices that nobody hears it."""
    async with asyncio.timeout(PATIENCE):
        while control._clients:
            said = BarrierRequest(xid=1).encode(OF13)
            control.controller.recorder.note(0.0, Tape("x"), True, True, said)
            await asyncio.sleep(0.01)


async def test_who_follows_hears_the_other_processes(place: Path) -> None:
    other = Control(Controller([App()]))
    first = Control(Controller([App()]), [place / "other"])
    await other.listen(place / "other")
    await first.listen(place / "first")
    reader, writer = await asyncio.open_unix_connection(place / "first")
    writer.write(b'{"question": "record", "follow": true}\n')
    await eventually(lambda: len(other._clients) == 1)
    said = BarrierRequest(xid=1).encode(OF13)
    other.controller.recorder.note(0.0, Tape("y"), True, True, said)
    assert b'"peer":"y"' in await asyncio.wait_for(reader.readline(), PATIENCE)
    writer.close()
    await first.close()
    await other.close()


async def test_when_who_follows_has_left_the_other_processes_are_not_asked_any_more(
    place: Path,
) -> None:
    asked, is_asked_no_more = asyncio.Event(), asyncio.Event()

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.set()
        await reader.read()  # and says nothing, as its switches say nothing
        is_asked_no_more.set()
        writer.close()

    first = Control(Controller([App()]), [place / "other"])
    async with await asyncio.start_unix_server(other, place / "other"):
        await first.listen(place / "first")
        _, writer = await asyncio.open_unix_connection(place / "first")
        writer.write(b'{"question": "record", "follow": true}\n')
        await asyncio.wait_for(asked.wait(), PATIENCE)
        writer.close()
        await left(first)
        await asyncio.wait_for(is_asked_no_more.wait(), PATIENCE)
        await first.close()
