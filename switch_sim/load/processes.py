"""A run shared by several processes, which begin at the same moment."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait

from protocol.transport.terminal import collect_rarely, raise_file_limit
from protocol.transport.tls import TlsFiles

from .course import Course, Phase
from .outcome import Outcome
from .plan import Plan
from .run import run
from .sockets import Place

_SPAWN = multiprocessing.get_context("spawn")  # nothing of the parent's is theirs
_ENDING = 5.0  # seconds that a process has to end in


class ProcessGone(Exception):
    """A process ended without a word of what it brought."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a process is."""

    phase: Phase
    connected: int  #: switches with a controller
    counted: int  #: answers, or what the controller sends by itself


Show = Callable[[list[Progress]], None]


def progress(course: Course) -> Progress:
    """Return how far a course is."""
    tally = course.tally
    return Progress(course.phase, len(course.alive), tally.answered or tally.flow_mods)


def run_in_processes(
    plan: Plan, count: int, place: Place, tls: TlsFiles | None, show: Show
) -> Outcome:
    """Run with so many processes; `show` gets the progress of all of them, now and then."""
    if count == 1:

        def watch(course: Course) -> bool:
            show([progress(course)])
            return True

        return run(plan, place, tls, watch)
    workers = [_Worker(share, place, tls) for share in _shares(plan, count)]
    try:
        return _collect(workers, show)
    finally:
        for worker in workers:
            worker.end()


def _shares(plan: Plan, count: int) -> Iterator[Plan]:
    """Yield what each process does: switches of its own, and its part of the rate."""
    first = plan.first
    for number in range(count):
        switches = plan.switches // count + (number < plan.switches % count)
        rate = plan.rate * switches / plan.switches
        yield replace(plan, first=first, switches=switches, rate=rate)
        first += switches


def _collect(workers: list[_Worker], show: Show) -> Outcome:
    """Let all begin when all are ready; return what they brought together."""
    going = False
    while not all(worker.outcome for worker in workers):
        waiting = {worker.pipe: worker for worker in workers if worker.outcome is None}
        for pipe in wait(list(waiting)):
            waiting[pipe].hear()  # type: ignore[index]  # of what we gave it
        show([worker.progress for worker in workers if worker.progress])
        ready = [worker.progress and worker.progress.phase is Phase.READY for worker in workers]
        if all(ready) and not going:
            going = True
            for worker in workers:
                worker.pipe.send(None)
    whole, *others = [worker.outcome for worker in workers if worker.outcome]
    for other in others:
        whole.merge(other)
    return whole


class _Worker:
    """A process as its parent sees it."""

    def __init__(self, plan: Plan, place: Place, tls: TlsFiles | None) -> None:
        self.pipe, theirs = _SPAWN.Pipe()
        self.progress: Progress | None = None
        self.outcome: Outcome | None = None
        self._process = _SPAWN.Process(target=_work, args=(theirs, plan, place, tls), daemon=True)
        self._process.start()
        theirs.close()

    def hear(self) -> None:
        """Take in one thing that the process says."""
        try:
            said = self.pipe.recv()
        except EOFError as error:
            raise ProcessGone("a process of the switches ended too early") from error
        if isinstance(said, Outcome):
            self.outcome = said
        else:
            self.progress = said

    def end(self) -> None:
        """Let the process end."""
        self.pipe.close()
        self._process.join(_ENDING if self.outcome else 0)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


def _work(pipe: Connection, plan: Plan, place: Place, tls: TlsFiles | None) -> None:
    """Be one of the processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    raise_file_limit()
    collect_rarely()

    def watch(course: Course) -> bool:
        pipe.send(progress(course))
        if not pipe.poll():
            return False
        pipe.recv()
        return True

    with suppress(BrokenPipeError):  # the parent gave up
        pipe.send(run(plan, place, tls, watch))
