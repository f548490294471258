"""The Tornado shell that keeps one switch connected to one controller."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from ssl import SSLContext
from typing import TYPE_CHECKING

from protocol import OF13
from protocol.endpoint import Endpoint
from protocol.transport.backoff import backoff

from . import transport
from .channel import Channel, Line
from .session import Session

if TYPE_CHECKING:
    from .agent import Agent

logger = logging.getLogger("switch_sim")


class Dialler:
    """Dials a controller again and again; beside the main channel, its auxiliary ones."""

    def __init__(
        self, agent: Agent, switch: str, endpoint: Endpoint, tls: SSLContext | None
    ) -> None:
        self._agent, self._endpoint, self._tls = agent, endpoint, tls
        self._line = Line(switch, str(endpoint), dialled=True)

    async def run(self) -> None:
        """Keep the channels up until this is cancelled."""
        await self._keep_up(self._line)

    async def _keep_up(self, line: Line) -> None:
        longest, clock = self._agent.settings.max_backoff, self._agent.clock
        delays, told = backoff(longest), ""
        while True:
            began = clock()
            fault = await self._dial(line)
            if fault and fault != told:
                name = self._agent.name(line.switch)
                logger.warning("%s: cannot reach %s: %s", name, self._endpoint, fault)
            told = fault
            delay = next(delays)
            if not fault and clock() - began > delay:
                delays = backoff(longest)  # it was up for a while, so the trouble is a new one
                delay = next(delays)
            await asyncio.sleep(delay)

    async def _dial(self, line: Line) -> str:
        """Run a channel to its end; return why there was none."""
        try:
            async with self._agent.dialling:
                stream = await transport.dial(self._endpoint, self._tls)
        except transport.CannotDial as fault:
            return str(fault)
        channel = Channel(self._agent, line, stream)
        if line.main is None and self._agent.settings.auxiliary:
            await self._run_with_auxiliaries(channel)
        else:
            await channel.run()
        if channel.session is not None or channel.faults:
            return ""
        doubt = ": does it trust our certificate?" if self._endpoint.secure else ""
        return f"it hung up before it said hello{doubt}"

    async def _run_with_auxiliaries(self, channel: Channel) -> None:
        """Run a main channel; others begin when it is open, and end with it.

        OF1.3.5 6.3.6 "Auxiliary Connections": an earlier one of them would be an error, and
        when the main one breaks, all go.
        """
        channel.when_open = asyncio.get_running_loop().create_future()
        others = asyncio.create_task(self._keep_auxiliaries(channel.when_open))
        try:
            await channel.run()
        finally:
            others.cancel()
            await asyncio.gather(others, return_exceptions=True)

    async def _keep_auxiliaries(self, when_open: asyncio.Future[Session]) -> None:
        session = await when_open
        if session.version < OF13:
            return  # which had no auxiliary_id yet
        numbers = range(1, self._agent.settings.auxiliary + 1)
        lines = [replace(self._line, main=session, auxiliary_id=number) for number in numbers]
        await asyncio.gather(*map(self._keep_up, lines))
