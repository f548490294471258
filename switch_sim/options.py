"""The options of `pointsman switches` that come in groups: each becomes one value."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from protocol import ALL_VERSIONS, Version
from protocol.connection import ECHO_INTERVAL
from protocol.transport.terminal import WrongCall, versions_like
from protocol.transport.tls import NO_CA, tls_files
from protocol.version import parse_versions

from .flow_table import MAX_ENTRIES
from .queues import Queues, parse_queue
from .settings import FAIL_PROBES, MAX_AUXILIARY, MAX_BACKOFF, Settings
from .switch import N_BUFFERS, N_TABLES

DESC_LENGTH, SERIAL_LENGTH = 255, 31  # bytes; a zero ends them (OF1.3.5 7.3.5.1 "Description")
MAX_TABLES = 255  # 0 to 0xFE; 0xFF stands for all of them (OF1.3.5 7.3.4.1 "Modify Flow Entry")
MAX_BUFFERS = 65_536  # packets, each of which may have 64 KB

Command = Callable[..., None]


def gathered(
    name: str, make: Callable[..., Any], *options: Callable[[Command], Command]
) -> Callable[[Command], Command]:
    """Give a command these options, and the function below it one argument for all of them.

    `make` is called with the values; a ValueError of it is told as what is wrong with them.
    """

    def decorate(function: Command) -> Command:
        @wraps(function)
        def command(**given: Any) -> None:
            own = {key: given.pop(key) for key in names}
            try:
                value = make(**own)
            except ValueError as error:
                raise WrongCall(str(error)) from error
            function(**{name: value}, **given)

        before = {one.name for one in getattr(function, "__click_params__", ())}
        decorated: Command = command
        for option in reversed(options):
            decorated = option(decorated)
        names = {one.name for one in getattr(decorated, "__click_params__", ())} - before
        return decorated

    return decorate


def _versions(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> frozenset[Version]:
    try:
        return frozenset().union(*map(parse_versions, texts)) or ALL_VERSIONS
    except ValueError as error:
        raise WrongCall(str(error)) from error


def of_version(function: Command) -> Command:
    """Add the option that limits the versions spoken."""
    return click.option(
        "--of-version",
        "versions",
        multiple=True,
        callback=_versions,
        shell_complete=versions_like,
        metavar="VERSIONS",
        help="Speak these versions of OpenFlow only: 1.3, 1.3+ (and newer) or 1.0-1.3; may be "
        "given several times.  [1.0 to 1.5]",
    )(function)


def _settings(
    private_key: str | None,
    certificate: str | None,
    ca_cert: str | None,
    fail_mode: str,
    **others: Any,
) -> Settings:
    return Settings(
        tls=tls_files(private_key, certificate, ca_cert),
        fail_standalone=fail_mode == "standalone",
        **others,
    )


TLS_OPTIONS = (
    click.option(
        "--private-key",
        metavar="FILE",
        help="For ssl: and pssl: the key of the switches, in PEM.",
    ),
    click.option("--certificate", metavar="FILE", help="And the certificate that belongs to it."),
    click.option(
        "--ca-cert",
        metavar="FILE",
        help="And that of the CA which signs for the controllers. The names in their "
        f"certificates are not looked at. '{NO_CA}' trusts everyone.",
    ),
)

channel_options = gathered(
    "settings",
    _settings,
    of_version,
    click.option(
        "--echo-interval",
        type=click.FloatRange(min=0),
        default=ECHO_INTERVAL,
        show_default=True,
        metavar="SECONDS",
        help="Silence after which a controller is asked for a sign of life; 0 never asks.",
    ),
    click.option(
        "--max-backoff",
        type=click.FloatRange(min=0, min_open=True),
        default=MAX_BACKOFF,
        show_default=True,
        metavar="SECONDS",
        help="The longest wait between two attempts to reach a controller.",
    ),
    click.option(
        "--packet-in-rate",
        type=click.FloatRange(min=0),
        default=0.0,
        metavar="NUMBER",
        help="How many packets a second a switch sends to each of its controllers; what is more "
        "is dropped.  [no limit]",
    ),
    click.option(
        "--packet-in-burst",
        type=click.IntRange(min=0),
        default=0,
        metavar="NUMBER",
        help="And how many at once after a pause.  [a quarter of the rate]",
    ),
    click.option(
        "--fail-mode",
        type=click.Choice(["secure", "standalone"]),
        default="secure",
        show_default=True,
        help="What a switch does without any controller: go on as its flow entries say, or, after "
        f"{FAIL_PROBES} echo intervals, forward as a learning switch until one comes back.",
    ),
    click.option(
        "--auxiliary",
        type=click.IntRange(0, MAX_AUXILIARY),
        default=0,
        metavar="NUMBER",
        help="Auxiliary channels beside the main one to each controller.  [0]",
    ),
    *TLS_OPTIONS,
)


def _words(longest: int) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    def check(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
        if text is not None and (size := len(text.encode(errors="surrogateescape"))) > longest:
            raise click.BadParameter(f"has {size} bytes, OpenFlow takes {longest}: shorten it")
        return text

    return check


def _description(queues: tuple[str, ...], **given: Any) -> dict[str, Any]:
    if queues:
        given["queues"] = descs = tuple(map(parse_queue, queues))
        Queues(descs)  # says what is wrong with them before there is a switch
    return {name: value for name, value in given.items() if value is not None}


def _desc(option: str, name: str, what: str, longest: int = DESC_LENGTH) -> Any:
    return click.option(option, name, metavar="TEXT", callback=_words(longest), help=what)


switch_options = gathered(
    "switch_options",
    _description,
    _desc("--mfr-desc", "mfr_desc", "Who made the switches, as they say it."),
    _desc("--hw-desc", "hw_desc", "What hardware they say they are."),
    _desc("--sw-desc", "sw_desc", "What software they say they run."),
    _desc("--serial", "serial_num", "Their serial number.", SERIAL_LENGTH),
    _desc("--dp-desc", "dp_desc", "What each is called.  [its name in the topology]"),
    click.option(
        "--n-tables",
        type=click.IntRange(1, MAX_TABLES),
        metavar="NUMBER",
        help=f"How many flow tables each has.  [{N_TABLES}]",
    ),
    click.option(
        "--n-buffers",
        type=click.IntRange(0, MAX_BUFFERS),
        metavar="NUMBER",
        help=f"How many packets each can keep for its controllers.  [{N_BUFFERS}]",
    ),
    click.option(
        "--max-entries",
        type=click.IntRange(min=1),
        metavar="NUMBER",
        help=f"How many flow entries a table takes.  [{MAX_ENTRIES}]",
    ),
    click.option(
        "--queue",
        "queues",
        multiple=True,
        metavar="PORT:QUEUE[,min=PERCENT][,max=PERCENT]",
        help="A queue that a port of each has, with its rates; several times for several queues.",
    ),
    click.option(
        "--no-meter-features",
        "meter_features",
        flag_value=False,
        default=None,
        type=bool,
        help="Leave out what OpenFlow 1.5 added to the features of meters, as Open vSwitch does: "
        "ovs-ofctl reads no other reply.",
    ),
)
