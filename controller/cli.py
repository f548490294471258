"""What `pointsman controller` and `python -m controller` take; and `run`, for scripts."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from protocol.connection import ECHO_INTERVAL
from protocol.endpoint import Endpoint
from protocol.transport.terminal import WrongCall, log_to_terminal, versions_like

from . import loading
from .app import App
from .configuration import DEFAULT_LISTEN, Configuration, ConfigurationError
from .configuration_example import example
from .control.place import default_path
from .processes import PROCESSES_MAX
from .reloading import Reloader, apps_of
from .server import Controller, Duplicates
from .serving import Service, serve, serve_in

EXAMPLES = """\b
Examples:
  pointsman controller                                the learning switch, port 6653
  pointsman controller hub --listen ptcp:6633
  pointsman controller my_app.py --of-version 1.3 --listen ptcp:6653:0.0.0.0
  pointsman controller forwarding --listen pssl:6653 --private-key tls/controller.key \\
      --certificate tls/controller.pem --ca-cert tls/ca.pem
  pointsman controller my_app.py --reload
  pointsman controller learning_switch --processes 2
  pointsman controller forwarding --set topology.interval=2
  pointsman controller --write-config >pointsman.toml
  pointsman controller --config pointsman.toml
  pointsman controller --connect unix:/var/run/openvswitch/br0.mgmt
"""


def run(*apps: App, listen: Sequence[str] = (DEFAULT_LISTEN,)) -> None:
    """Run a controller with these applications until Ctrl-C or SIGTERM.

    `listen` are endpoints as `pointsman controller --listen` takes them. A file that calls
    this can also be given to `pointsman controller`, which then decides where to listen.
    """
    if loading.collect(apps):
        return
    log_to_terminal(False, logging.INFO)
    endpoints = [Endpoint.parse(text) for text in listen]
    sys.exit(serve(Service(Controller(apps), endpoints, default_path())))


class _Command(click.Command):
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Bundled applications"):
            formatter.write_dl(list(loading.bundled().items()))
        super().format_epilog(ctx, formatter)


def _write_config(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(example(), nl=False)
        context.exit()


def apps_like(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the applications that begin so, for shells, else files."""
    found = [
        (name, about) for name, about in loading.known().items() if name.startswith(incomplete)
    ]
    if found:
        return [CompletionItem(name, help=about) for name, about in found]
    return [CompletionItem(incomplete, type="file")]


@click.command(
    name="controller",
    cls=_Command,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("apps", nargs=-1, metavar="[APP]...", shell_complete=apps_like)
@click.option(
    "--listen",
    "listen",
    multiple=True,
    metavar="ENDPOINT",
    help="Where switches connect: ptcp:PORT[:HOST], pssl:PORT[:HOST] or punix:PATH; port 0 for "
    f"a free one.  [{DEFAULT_LISTEN}]",
)
@click.option(
    "--connect",
    "connect",
    multiple=True,
    metavar="ENDPOINT",
    help="Dial a switch that listens: tcp:HOST:PORT, ssl:HOST:PORT or unix:PATH.",
)
@click.option("--private-key", metavar="FILE", help="Our key, for TLS; see pointsman tls init.")
@click.option("--certificate", metavar="FILE", help="Our certificate, which switches look at.")
@click.option("--ca-cert", metavar="FILE", help="The CA that signs for switches, or none.")
@click.option(
    "--of-version",
    "versions",
    multiple=True,
    shell_complete=versions_like,
    metavar="VERSIONS",
    help="Speak these versions of OpenFlow only: 1.3, 1.3+ (and newer) or 1.0-1.3; may be given "
    "several times.  [1.0 to 1.5]",
)
@click.option(
    "--echo-interval",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Silence after which a switch is asked for a sign of life; 0 never asks.  "
    f"[{ECHO_INTERVAL:g}]",
)
@click.option(
    "--duplicates",
    type=click.Choice([one.value for one in Duplicates]),
    help=f"Which of two connections with the same datapath_id stays.  [{Duplicates.NEWEST.value}]",
)
@click.option(
    "--packet-in-rate",
    type=click.FloatRange(min=0),
    metavar="NUMBER",
    help="Packets a second that one switch may bring; those above are dropped.  [all are taken]",
)
@click.option(
    "--processes",
    type=click.IntRange(1, PROCESSES_MAX),
    metavar="NUMBER",
    help="Processes that share the switches, for applications that look at each by itself.  [1]",
)
@click.option(
    "--control",
    type=click.Path(),
    metavar="PATH",
    help="Where `pointsman flows` and the like can ask this controller: a Unix socket.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read all this, and the applications' options, from TOML; what is given here wins.",
)
@click.option(
    "--write-config",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_write_config,
    help="Write a configuration to begin with, and exit.",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="APP.OPTION=VALUE",
    help="Set an option of an application, as pointsman apps shows them.",
)
@click.option(
    "--reload",
    is_flag=True,
    help="Load applications, and read --config, again when files change; switches stay connected.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(
    apps: tuple[str, ...],
    config: Path | None,
    sets: tuple[str, ...],
    reload: bool,
    verbose: bool,
    private_key: str | None,
    certificate: str | None,
    ca_cert: str | None,
    **settings: Any,
) -> None:
    """Run a controller with applications.

    APP is the name of a bundled application, the dotted name of a module, or a file.
    Without one it is the learning switch, or what the configuration names.
    """
    log_to_terminal(verbose, logging.INFO)
    tls = {"private_key": private_key, "certificate": certificate, "ca_cert": ca_cert}
    # All others are called as the settings that they are.
    settings["tls"] = {name: path for name, path in tls.items() if path is not None}
    given = {name: value for name, value in settings.items() if value not in (None, (), {})}
    configuration = Configuration(config, given, apps, sets)
    try:
        plan = configuration.read()
        sources = configuration.load(plan)
    except ConfigurationError as error:
        raise WrongCall(str(error)) from error
    controller = Controller(
        apps_of(sources),
        versions=plan.versions,
        echo_interval=plan.echo_interval,
        tls=plan.tls,
        duplicates=plan.duplicates,
        packet_in_rate=plan.packet_in_rate,
        shares_ports=plan.processes > 1,
    )
    reloader = Reloader(controller, configuration, plan, sources, watches=reload)
    service = Service(controller, plan.endpoints, plan.control or default_path(), reloader)
    sys.exit(serve(service) if plan.processes == 1 else serve_in(plan.processes, service))
