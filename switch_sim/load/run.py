"""One process's share of a run: lanes, their sockets and their course."""

from __future__ import annotations

import time
from collections.abc import Callable

from protocol.transport.tls import TlsFiles

from .answers import Answers
from .course import Course, Phase
from .lane import Lane
from .outcome import Outcome
from .plan import Plan
from .sockets import Place, Sockets
from .tally import Tally

TOLD_EVERY = 0.25  # seconds between two reports of how far it is
_ENDING = (Phase.DRAINING, Phase.DONE)

Watch = Callable[[Course], bool]


def run(plan: Plan, place: Place, tls: TlsFiles | None, watch: Watch) -> Outcome:
    """Run to the end, and return what it brought.

    `watch` is shown the course now and then, and whenever a phase begins; in READY it says
    whether to go on.
    """
    began, tally = time.monotonic(), Tally()
    numbers = range(plan.first, plan.first + plan.switches)
    answers = (Answers(number, plan.ports, plan.flows) for number in numbers)
    lanes = [Lane(one, plan.versions, tally, began) for one in answers]
    course = Course(plan, lanes, began)
    sockets = Sockets(lanes, place, tls.client() if tls else None, busy=plan.busy)
    clock = _ProcessorClock(sockets.worked)
    told, shown = began, course.phase

    def done() -> bool:
        nonlocal told, shown
        now = time.monotonic()
        if now - told >= TOLD_EVERY or course.phase is not shown or shown is Phase.READY:
            clock.see(course.phase)
            told, shown = now, course.phase
            if watch(course) and course.phase is Phase.READY:
                course.go(now)
                sockets.flush(course)
        return course.phase is Phase.DONE

    try:
        sockets.run(course, done)
    finally:
        sockets.close()
    return Outcome.of(course, clock.spent)


class _ProcessorClock:
    """How long the processor worked for us while it was measured."""

    def __init__(self, worked: Callable[[], float]) -> None:
        self.spent = 0.0
        self._worked = worked
        self._began: float | None = None

    def see(self, phase: Phase) -> None:
        if phase is Phase.MEASURING and self._began is None:
            self._began = self._worked()
        elif phase in _ENDING and self._began is not None:
            self.spent = self._worked() - self._began
            self._began = None
