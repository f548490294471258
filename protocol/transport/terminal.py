"""What all commands share: the log, the signals that end them, file limits, wrong calls."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable

import click
from click.shell_completion import CompletionItem
from rich.console import Console
from rich.logging import RichHandler

from ..version import Version

logger = logging.getLogger("transport")

INTERRUPTED = 130  #: the status of a command that Ctrl-C ended before its time
YOUNG, MIDDLE, OLD = 2_000, 10, 500  # objects; runs over the young ones; over those in between
STOPS = (signal.SIGINT, signal.SIGTERM)


class WrongCall(click.ClickException):
    """The command was called wrongly; the text is a sentence with the cure."""

    exit_code = 2


def versions_like(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the versions that begin so, for shells: one, and one with all that are newer."""
    texts = [text for version in Version for text in (str(version), f"{version}+")]
    return [CompletionItem(text) for text in texts if text.startswith(incomplete)]


def log_to_terminal(verbose: bool, level: int = logging.WARNING) -> None:
    """Log from `level` on, or all: for the eye at a terminal, elsewhere a line an event."""
    handler: logging.Handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    if sys.stderr.isatty():
        console = Console(stderr=True)
        handler = RichHandler(console=console, show_path=False, markup=False)
        handler.setFormatter(logging.Formatter("%(message)s"))
    level = logging.DEBUG if verbose else level
    logging.basicConfig(level=level, handlers=[handler])
    if not verbose:  # Tornado tells faults of TLS that we tell as well, with the cure
        logging.getLogger("tornado.general").setLevel(logging.ERROR)


class Lines(logging.Formatter):
    """A line an event: when, how bad, and what; the time of one second is written once."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._second, self._text = 0, ""

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info or record.stack_info:
            return super().format(record)
        return f"{self.formatTime(record)} {record.levelname} {record.getMessage()}"

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        second = int(record.created)
        if second != self._second:
            self._second, self._text = second, super().formatTime(record, self.default_time_format)
        return f"{self._text},{int(record.msecs):03}"


def raise_file_limit() -> None:
    """Take as many file descriptors as we may: each channel costs one."""
    try:
        import resource
    except ImportError:  # on Windows, which has no such limit
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:  # macOS refuses what it calls infinity
        logger.debug("the limit of file descriptors stays: %s", error)


def collect_rarely() -> None:
    """Let Python look for garbage among all that lives long much less often.

    With 100,000 flow entries that stops everything for some 100 ms, and finds nothing: what
    goes is freed at once, but for what refers to itself, like a channel that ended.
    """
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def stop_event() -> asyncio.Event:
    """Return an event that Ctrl-C and SIGTERM set."""
    stop = asyncio.Event()
    for number in STOPS:
        on_signal(number, stop.set)
    return stop


def on_signal(number: signal.Signals, act: Callable[[], object]) -> None:
    """Let the running loop do something when a signal comes.

    Not on Windows, whose loops take none: there Ctrl-C raises KeyboardInterrupt instead.
    """
    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(number, act)
