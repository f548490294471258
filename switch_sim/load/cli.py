"""What `pointsman load` takes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import click
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as ProgressBar

from protocol import Version
from protocol.endpoint import Endpoint
from protocol.transport.terminal import (
    INTERRUPTED,
    collect_rarely,
    log_to_terminal,
    raise_file_limit,
)
from protocol.transport.tls import TlsFiles, tls_files

from .. import transport
from ..cli import DEFAULT_CONTROLLER, dialling
from ..options import TLS_OPTIONS, gathered, of_version
from .course import Phase
from .outcome import Outcome
from .page import page
from .plan import CONNECT_TIMEOUT, SETTLE, TIMEOUT, Mode, Plan
from .processes import ProcessGone, Progress, run_in_processes
from .sockets import Place
from .tables import told, warnings
from .traffic import MIN_FRAME, MIN_PORTS
from .watch import Watch, processor_seconds

WINDOW = 64  #: packet-ins on their way from each switch, but in the mode latency

EXAMPLES = """\b
Examples:
  pointsman load --controller tcp:127.0.0.1:6653
  pointsman load throughput --switches 64 --hosts 1000 --of-version 1.3
  pointsman load latency --switches 1 --duration 10
  pointsman load rate --rate 20000 --switches 64 --processes 2
  pointsman load storm --switches 2000
  pointsman load flow-mods --duration 30 --json
\b
Modes:
  throughput   packet-ins, --window of them on their way from each switch
  latency      one packet-in on its way from each switch
  rate         --rate packet-ins a second, however slow the answers come
  storm        all switches connect at once; then all send an echo request
  flow-mods    only counts the flow_mods that the controller sends by itself
  stats        tell --flows flow entries whenever the controller asks for them
  flaps        a port goes down or up before each packet-in
  learning     each packet-in is from a host that was never heard before
  unlearning   a flow entry goes, and its host appears at another port
"""


def _plan(mode: str, window: int | None, versions: frozenset[Version], **given: Any) -> Plan:
    chosen = Mode(mode)
    if window is None:
        window = 1 if chosen is Mode.LATENCY else min(WINDOW, given["hosts"])
    try:
        return Plan(chosen, versions, window=window, **given)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _files(**files: str | None) -> TlsFiles | None:
    try:
        return tls_files(**files)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _seconds(option: str, default: float, what: str) -> Callable[..., Any]:
    return click.option(
        option,
        type=click.FloatRange(min=0),
        default=default,
        show_default=True,
        metavar="SECONDS",
        help=what,
    )


def _number(option: str, default: int, what: str, least: int = 1) -> Callable[..., Any]:
    return click.option(
        option,
        type=click.IntRange(min=least),
        default=default,
        show_default=True,
        metavar="NUMBER",
        help=what,
    )


plan_options = gathered(
    "plan",
    _plan,
    click.argument(
        "mode",
        type=click.Choice([one.value for one in Mode]),
        default=Mode.THROUGHPUT.value,
        metavar="[MODE]",
    ),
    of_version,
    _number("--switches", 16, "How many switches connect."),
    _number("--hosts", 1_000, "How many hosts each has: as many at each port."),
    _number("--ports", MIN_PORTS, f"How many ports each has, from {MIN_PORTS} on."),
    click.option(
        "--window",
        type=click.IntRange(min=1),
        metavar="NUMBER",
        help=f"Packet-ins on their way from each switch.  [{WINDOW}; latency: 1]",
    ),
    click.option(
        "--rate",
        type=click.FloatRange(min=0),
        default=0.0,
        metavar="NUMBER",
        help="Packet-ins a second, of all switches together, however slow the answers come. "
        "Answers are timed from when the packet-in was due.  [as the window allows]",
    ),
    click.option(
        "--buffered/--unbuffered",
        default=True,
        help="Whether a packet-in has a buffer_id beside the packet.  [buffered]",
    ),
    click.option(
        "--busy",
        is_flag=True,
        help="Look for answers without a pause, as cbench does: it takes a processor for each "
        "process, and answers are not late by the time that waking one takes.",
    ),
    _number("--frame-size", MIN_FRAME, "Bytes of each packet.", MIN_FRAME),
    _number("--flows", 100, "Flow entries that a switch tells of when it is asked.", 0),
    click.option(
        "--learn/--no-learn",
        default=True,
        help="Whether each host first says once where it is.  [learn]",
    ),
    click.option("--first", type=click.IntRange(min=1), default=1, metavar="DATAPATH_ID",
        help="The datapath_id of the first switch; the others follow.  [1]"),
    _seconds("--warm-up", 1.0, "How long it runs before it is measured."),
    _seconds("--duration", 5.0, "How long it is measured."),
    _seconds("--timeout", TIMEOUT, "When a packet-in without an answer counts as lost."),
    _seconds("--settle", SETTLE, "Silence after which a controller counts as ready."),
    _seconds("--connect-timeout", CONNECT_TIMEOUT, "When all switches must be connected."),
)  # fmt: skip
tls_options = gathered("tls", _files, *TLS_OPTIONS)


@click.command(
    short_help="Put load on a controller, and measure it.",
    name="load",
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@plan_options
@click.option(
    "--controller",
    default=DEFAULT_CONTROLLER,
    show_default=True,
    metavar="ENDPOINT",
    help="Whom the switches connect to: tcp:HOST:PORT, ssl:HOST:PORT or unix:PATH.",
)
@tls_options
@_number("--processes", 1, "Processes that share the switches.")
@click.option(
    "--max-lost",
    type=click.FloatRange(0, 100),
    default=0.0,
    show_default=True,
    metavar="PERCENT",
    help="How many packet-ins may stay without an answer; above it the status is 1.",
)
@click.option(
    "--controller-pid",
    type=click.IntRange(min=1),
    metavar="PID",
    help="The controller's process on this machine: tell what it took of a processor.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True),
    metavar="FILE",
    help="Write a page with charts as well: one file of HTML that needs nothing else.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(
    plan: Plan,
    controller: str,
    tls: TlsFiles | None,
    processes: int,
    max_lost: float,
    controller_pid: int | None,
    report: str | None,
    as_json: bool,
    verbose: bool,
) -> None:
    """Put the load of many switches on a controller, and measure what it does.

    The switches do nothing but ask and count. A packet-in is answered by the first
    packet_out, or flow_mod with its buffer_id, that lets its packet go.

    Status 0 if all went well; 1 if switches have no controller, or more answers than
    --max-lost did not come; 2 for what cannot be asked for.
    """
    log_to_terminal(verbose)
    place, files = _place(controller, tls)
    if controller_pid is not None and processor_seconds(controller_pid) is None:
        raise click.UsageError(f"--controller-pid {controller_pid}: there is no such process here")
    raise_file_limit()
    collect_rarely()
    try:
        with _Bar(plan, quiet=as_json) as bar:
            watch = Watch(bar.show, controller_pid)
            count = min(processes, plan.switches)
            outcome = run_in_processes(plan, count, place, files, watch.show)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ProcessGone as error:
        raise click.ClickException(str(error)) from error
    outcome.controller_processor = watch.spent
    _tell(plan, outcome, as_json)
    if report is not None:
        _write(report, page(plan, outcome))
    fine = outcome.switches == plan.switches and outcome.lost_share * 100 <= max_lost
    sys.exit(0 if fine else 1)


def _place(text: str, tls: TlsFiles | None) -> tuple[Place, TlsFiles | None]:
    """Return where the controller is, and what TLS to it needs."""
    try:
        endpoint = Endpoint.parse(text)
        if endpoint.listens:
            raise ValueError(f"{endpoint} listens: write {dialling(endpoint)}")
        transport.context(endpoint, tls)  # says what is missing
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        place = Place.of(endpoint)
    except (OSError, UnicodeError) as error:
        raise click.ClickException(f"{endpoint}: {transport.words(error)}") from error
    return place, tls if endpoint.secure else None


def _tell(plan: Plan, outcome: Outcome, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(outcome.as_data(plan)))
    else:
        Console().print(*told(plan, outcome), sep="\n", highlight=False)
    for line in warnings(outcome):
        click.echo(f"Note: {line}", err=True)


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise click.ClickException(f"--report {path}: {error.strerror}") from error


class _Bar:
    """How far the run is, on a terminal."""

    def __init__(self, plan: Plan, quiet: bool) -> None:
        self._plan, console = plan, Console(stderr=True)
        self._bar = ProgressBar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[said]}"),
            console=console,
            auto_refresh=False,  # no thread beside what is measured
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._bar.add_task("connecting", total=plan.switches, said="")
        self._phase: Phase | None = None
        self._since = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._bar.stop()

    def show(self, found: list[Progress]) -> None:
        """Show where all processes are together."""
        now, phase = time.monotonic(), found[0].phase
        if phase is not self._phase:
            self._phase, self._since = phase, now
        connected = sum(one.connected for one in found)
        counted = sum(one.counted for one in found)
        lasts = {Phase.WARM_UP: self._plan.warm_up, Phase.MEASURING: self._plan.duration}
        total = lasts.get(phase, self._plan.switches)
        self._bar.update(
            self._task,
            description=phase.value,
            total=total,
            completed=now - self._since if phase in lasts else connected,
            said=f"{connected} switches, {counted:,} counted",
        )
        self._bar.refresh()
