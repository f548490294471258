"""A controller served until a signal comes: in one process, or in several."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from protocol.endpoint import Endpoint
from protocol.transport.terminal import (
    INTERRUPTED,
    collect_rarely,
    on_signal,
    raise_file_limit,
    stop_event,
)

from .control.place import place_of
from .control.server import Control
from .processes import Processes, reserved
from .reloading import Reloader
from .server import Controller
from .watchdog import watched

logger = logging.getLogger("controller")


@dataclass(frozen=True)
class Service:
    """A controller, where switches come and commands ask, and which of several processes it is."""

    controller: Controller
    endpoints: Sequence[Endpoint]
    control: Path
    reloader: Reloader | None = None
    others: Sequence[Path] = ()  #: where other processes answer, for the first
    number: int = 0
    alive: int | None = None  #: a file that ends when this process should


def serve(service: Service) -> int:
    """Serve until a signal; return the exit status."""
    raise_file_limit()
    collect_rarely()
    try:
        return asyncio.run(_serve_until_signal(service))
    except KeyboardInterrupt:
        return INTERRUPTED


def serve_in(processes: int, service: Service) -> int:
    """Serve in several processes."""
    path = service.control
    others = [place_of(path, number) for number in range(1, processes)]

    def work(number: int, alive: int) -> int:
        mine = replace(
            service,
            endpoints=endpoints,
            control=place_of(path, number),
            others=() if number else others,
            number=number,
            alive=alive,
        )
        return serve(mine)

    logger.info("%d processes share the switches", processes)
    with ExitStack() as kept:
        try:
            endpoints = kept.enter_context(reserved(service.endpoints))
        except OSError as error:
            logger.error("%s", _cannot_listen(service.endpoints[0], error))
            return 1
        return Processes(processes, work).run()


async def _serve_until_signal(service: Service) -> int:
    stop, controller, reloader = stop_event(), service.controller, service.reloader
    if sys.platform != "win32":  # which has no SIGHUP
        on_signal(signal.SIGHUP, partial(_read_again, controller, reloader))
    if service.alive is not None:
        asyncio.get_running_loop().add_reader(service.alive, stop.set)
    try:
        await _open(controller, service.endpoints, tells=service.number == 0)
    except ValueError as error:
        logger.error("%s", error)
        await controller.close()
        return 1
    control = Control(controller, service.others)
    try:
        await control.listen(service.control)
    except OSError as error:
        logger.warning("the other commands cannot ask this controller: %s", error)
    if reloader is not None:
        reloader.start()
    with watched(lambda: [handlers.app for handlers in controller.handlers]):
        await stop.wait()
    if reloader is not None:
        await reloader.close()
    await control.close()
    await controller.close()
    return 0


def _read_again(controller: Controller, reloader: Reloader | None) -> None:
    controller.reload()
    if reloader is not None:
        reloader.reread_soon()


async def _open(controller: Controller, endpoints: Sequence[Endpoint], tells: bool) -> None:
    """Listen at endpoints, or dial them; ValueError, with the cure, where one cannot be had."""
    names = ", ".join(type(handlers.app).__name__ for handlers in controller.handlers)
    for endpoint in endpoints:
        if not endpoint.listens:
            controller.dial(endpoint)
            continue
        try:
            bound = await controller.listen(endpoint)
        except (OSError, UnicodeError) as error:  # the latter for names that cannot be looked up
            raise ValueError(_cannot_listen(endpoint, error)) from error
        if tells:
            logger.info("listening at %s for %s", bound, names)


def _cannot_listen(endpoint: Endpoint, error: OSError | UnicodeError) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    cure = "name an address of this machine, as in ptcp:6653:127.0.0.1"
    if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
        cure = "take another port, or port 0 for any that is free"
    return f"cannot listen at {endpoint}: {reason}; {cure}"
