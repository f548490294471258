"""Who blocks the event loop: a thread that asks the loop for a sign of life.

It costs handlers nothing: only when the loop is late does it look at what runs there.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from inspect import unwrap
from types import CodeType, FrameType, FunctionType

from .app import App
from .ration import Ration

logger = logging.getLogger("controller")

BLOCKED_TIME = 1.0  #: seconds without a turn of the loop, after which who blocks it is named
_GRACE = 0.02  # seconds
_FRAMES_SHOWN = 10  # of the stack, the innermost ones


@contextmanager
def watched(
    apps: Callable[[], Iterable[App]], blocked_time: float = BLOCKED_TIME
) -> Iterator[None]:
    """Name in the log which of the applications blocks the running loop, and where."""
    dog = _Watchdog(apps, blocked_time)
    dog.start()
    try:
        yield
    finally:
        dog.stop()


class _Watchdog:
    def __init__(self, apps: Callable[[], Iterable[App]], blocked_time: float) -> None:
        self._apps, self._blocked_time = apps, blocked_time
        self._loop, self._watched = asyncio.get_running_loop(), threading.get_ident()
        self._stopped, self._alive = threading.Event(), threading.Event()
        self._ration = Ration()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End at once, whatever the thread waits for."""
        self._stopped.set()
        self._alive.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(self._blocked_time):
            self._alive, began = threading.Event(), time.monotonic()
            self._loop.call_soon_threadsafe(self._alive.set)
            if self._alive.wait(self._blocked_time) or self._stopped.is_set():
                continue
            if self._alive.wait(_GRACE):  # the whole process slept, and the loop is just waking
                continue
            told = self._tell(sys._current_frames().get(self._watched))
            self._alive.wait()
            if told and not self._stopped.is_set():
                logger.warning("the controller goes on after %.1f s", time.monotonic() - began)

    def _tell(self, frame: FrameType | None) -> bool:
        """Tell what runs; return whether it was told."""
        if frame is None:
            return False
        name, stack = self._blamed(frame)
        also = self._ration.told(name)
        if also is None:
            return False
        logger.error(
            "%s blocks the controller for more than %g s, and nothing else goes on%s: it should "
            "await, or leave long work to asyncio.to_thread\n%s",
            name,
            self._blocked_time,
            also,
            "".join(stack[-_FRAMES_SHOWN:]).rstrip(),
        )
        return True

    def _blamed(self, frame: FrameType) -> tuple[str, list[str]]:
        """Return the innermost method of an application that runs, and the stack from there."""
        methods = dict(self._methods())
        at: FrameType | None = frame
        while at is not None:
            if name := methods.get(at.f_code):
                return name, traceback.format_stack(frame)[-_depth(frame, at) :]
            at = at.f_back
        return "something outside all applications", traceback.format_stack(frame)

    def _methods(self) -> Iterator[tuple[CodeType, str]]:
        for app in self._apps():
            for cls in type(app).__mro__:
                if cls in (App, object):
                    break
                for name, value in vars(cls).items():
                    function = unwrap(value) if callable(value) else value
                    if isinstance(function, FunctionType):
                        yield function.__code__, f"{type(app).__name__}.{name}"


def _depth(inner: FrameType, outer: FrameType) -> int:
    """Return how many frames there are from one to another that called it."""
    count, at = 1, inner
    while at is not outer and at.f_back is not None:
        count, at = count + 1, at.f_back
    return count
