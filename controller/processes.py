"""Several processes that share the switches: each has those that the system gives it.

It is for applications that look at each switch by itself. One process watches over the others:
it passes signals on, starts one again that died, and ends when they have ended. Whoever is
left without it ends as well.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from types import FrameType

from protocol.endpoint import Endpoint

from .app import App

logger = logging.getLogger("controller")

PROCESSES_MAX = 64
PAUSE = 1.0  # seconds until a process is started again that died
_PASSED_ON = (signal.SIGINT, signal.SIGTERM)


def objections(apps: Sequence[App], endpoints: Sequence[Endpoint]) -> str:
    """Return why several processes cannot share the switches, with the cure, or nothing."""
    if not hasattr(os, "fork") or not hasattr(socket, "SO_REUSEPORT"):
        return "on this system processes cannot share a port; let processes be 1"
    if names := [type(app).__name__ for app in apps if app.sees_all]:
        listed = ", ".join(names)
        return f"{listed} must see all switches, which several processes share; let processes be 1"
    if others := [str(one) for one in endpoints if not one.listens or one.path]:
        return f"{', '.join(others)} cannot be shared by several processes; let processes be 1"
    return ""


@contextmanager
def reserved(endpoints: Sequence[Endpoint]) -> Iterator[list[Endpoint]]:
    """Yield endpoints with the same free port for all processes where port 0 asks for one.

    OSError where there is none.
    """
    with ExitStack() as kept:
        yield [kept.enter_context(_with_port(one)) for one in endpoints]


@contextmanager
def _with_port(endpoint: Endpoint) -> Iterator[Endpoint]:
    if endpoint.port:
        yield endpoint
        return
    found = socket.getaddrinfo(endpoint.host or None, 0, type=socket.SOCK_STREAM)
    family, _, _, _, address = found[0]
    with socket.socket(family) as keeps:  # it does not listen, so that nobody comes to it
        keeps.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeps.bind(address)
        yield replace(endpoint, port=keeps.getsockname()[1])


class Processes:
    """Runs `work(number, alive)` in each of some processes, until a signal.

    `alive` is a file that comes to its end when we do.
    """

    def __init__(self, count: int, work: Callable[[int, int], int]) -> None:
        self._work = work
        self._waiting = set(range(count))
        self._running: dict[int, int] = {}  # pid -> number
        self._ends = False
        self._status = 0
        self._alive, self._ours = os.pipe()

    def run(self) -> int:
        """Run them; return the worst of their statuses."""
        for number in _PASSED_ON:
            signal.signal(number, self._end)
        signal.signal(signal.SIGHUP, self._pass_on)
        while self._running or (self._waiting and not self._ends):
            while self._waiting and not self._ends:
                self._start(self._waiting.pop())
            self._await_one()
        return self._status

    def _start(self, number: int) -> None:
        pid = os.fork()
        if pid:
            self._running[pid] = number
            if self._ends:  # a signal came meanwhile, and did not reach this one
                os.kill(pid, signal.SIGTERM)
            return
        status = 1
        try:
            for one in (*_PASSED_ON, signal.SIGHUP):
                signal.signal(one, signal.SIG_DFL)
            os.close(self._ours)
            status = self._work(number, self._alive)
        except Exception:  # nothing else would tell of it, as this process ends below
            logger.exception("process %d ends", number + 1)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _await_one(self) -> None:
        pid, ended = os.wait()
        number, status = self._running.pop(pid), os.waitstatus_to_exitcode(ended)
        if self._ends:
            self._status = max(self._status, 0 if status == -signal.SIGTERM else abs(status))
        elif status > 0:  # it said why
            self._status = status
            self._end(signal.SIGTERM, None)
        else:
            logger.error("process %d died (%s); it is started again", number + 1, status)
            time.sleep(PAUSE)
            self._waiting.add(number)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._ends = True
        self._pass_on(signal.SIGTERM, frame)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        for pid in list(self._running):
            with suppress(ProcessLookupError):  # it ended, and is just being taken note of
                os.kill(pid, number)
