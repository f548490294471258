"""What a controller is to be: of a file in TOML, and of the command line, which wins."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from protocol import ALL_VERSIONS, Version
from protocol.connection import ECHO_INTERVAL
from protocol.endpoint import Endpoint
from protocol.transport.tls import NO_CA, TlsFiles, tls_files
from protocol.version import parse_versions

from . import loading
from .app import App, names_of
from .options import Key, OptionError, Options, read_options
from .processes import PROCESSES_MAX, objections
from .server import Duplicates
from .sources import Source
from .toml_lines import lines_of

DEFAULT_LISTEN = "ptcp:6653:127.0.0.1"
DEFAULT_APP = "learning_switch"
SIZE_MAX = 1 << 20  #: bytes of a configuration file; who gives more gave another file

_FROM = "from"  # in the table of an application: the file or module that has it
T = TypeVar("T")


class ConfigurationError(ValueError):
    """A configuration that cannot be; the text names file, line, key and cure."""


class TlsSettings(Options):
    """`[tls]`: see `pointsman tls init`."""

    private_key: Annotated[str, Meta(description="our key")] = ""
    certificate: Annotated[str, Meta(description="our certificate")] = ""
    ca_cert: Annotated[str, Meta(description="the CA that signs for switches, or none")] = ""


class Settings(Options):
    """The file, but for what each application is told."""

    listen: Annotated[tuple[str, ...], Meta(description="where switches connect")] = ()
    connect: Annotated[tuple[str, ...], Meta(description="switches that listen")] = ()
    versions: Annotated[tuple[str, ...], Meta(description="of OpenFlow; none named: all")] = ()
    echo_interval: Annotated[
        float, Meta(ge=0, description="seconds of silence until a switch is asked; 0 never")
    ] = ECHO_INTERVAL
    duplicates: Annotated[
        Duplicates, Meta(description="which of two connections with one datapath_id stays")
    ] = Duplicates.NEWEST
    packet_in_rate: Annotated[
        float, Meta(ge=0, description="packets a second of one switch, more are dropped; 0 none")
    ] = 0.0
    processes: Annotated[
        int, Meta(ge=1, le=PROCESSES_MAX, description="how many processes share the switches")
    ] = 1
    control: Annotated[str, Meta(description="the socket at which commands ask")] = ""
    tls: TlsSettings = msgspec.field(default_factory=TlsSettings)
    apps: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Plan:
    """A configuration that was read and is good."""

    endpoints: tuple[Endpoint, ...]
    versions: frozenset[Version]
    echo_interval: float
    duplicates: Duplicates
    packet_in_rate: float
    processes: int
    tls: TlsFiles | None
    control: Path | None  #: None: the usual place
    sources: tuple[str, ...]  #: names, dotted names or files of applications
    tables: loading.Tables = field(default_factory=dict)  #: what applications are told

    def what_differs(self, other: Plan) -> str:
        """Return the names of settings, applications aside, that another plan has otherwise."""
        names = [one.name for one in fields(self) if one.name not in ("sources", "tables")]
        return ", ".join(name for name in names if getattr(self, name) != getattr(other, name))


class Configuration:
    """A file, what the command line says, and how to read both, as often as wanted.

    `given` are settings by their names, `apps` names of applications: both take the place of
    what the file says. `sets` are options of applications, as in forwarding.multipath=false.
    """

    def __init__(
        self,
        path: Path | None = None,
        given: Mapping[str, Any] | None = None,
        apps: Sequence[str] = (),
        sets: Sequence[str] = (),
    ) -> None:
        self.path, self._given, self._apps, self._sets = path, given or {}, apps, sets
        self._text = ""
        self._in_file: list[str] = []  # applications that the file names, not just --set
        self._set_at: dict[Key, str] = {}  # what of the command line set an option

    def read(self) -> Plan:
        """Read the file anew; ConfigurationError."""
        settings = self._told(lambda: read_options(Settings, self._tables()))
        tables = {name: self._table(name, given) for name, given in settings.apps.items()}
        sources = tuple(self._sources(tables))
        default = () if settings.connect else (DEFAULT_LISTEN,)
        listened = self._endpoints("listen", settings.listen or default)
        return Plan(
            listened + self._endpoints("connect", settings.connect),
            self._each("versions", settings.versions, parse_versions) or ALL_VERSIONS,
            settings.echo_interval,
            settings.duplicates,
            settings.packet_in_rate,
            settings.processes,
            self._tls(settings.tls),
            Path(settings.control) if settings.control else None,
            sources,
            tables,
        )

    def load(self, plan: Plan, kept: Sequence[Source] = ()) -> list[Source]:
        """Make the applications, but for those that are kept; ConfigurationError."""
        left = list(kept)
        sources: list[Source] = []
        for name in plan.sources:
            among = [app for one in (*left, *sources) for app in one.apps]
            same = next((one for one in left if one.name == name), None)
            sources.append(same or self._loaded(name, among, plan))
            left = [one for one in left if one is not same]
        apps = [app for one in sources for app in one.apps]
        running = names_of(apps)
        for name in plan.tables:
            # With applications on the command line, others of the file do not run.
            if name not in running and not (self._apps and not self._was_set(name)):
                raise self._error(OptionError(("apps", name), _unknown(name, running)))
        if plan.processes > 1 and (text := objections(apps, plan.endpoints)):
            raise self._error(OptionError(("processes",), text))
        return sources

    def _loaded(self, name: str, among: Sequence[App], plan: Plan) -> Source:
        try:
            return self._told(lambda: loading.load_source(name, among, plan.tables))
        except loading.LoadError as error:
            raise ConfigurationError(str(error)) from error

    # Where what stands

    def _tables(self) -> dict[str, Any]:
        document = self._document()
        tls, given = document.get("tls", {}), self._given.get("tls", {})
        document.update(self._given)
        if given and isinstance(tls, dict):  # each file wins over the one of its kind
            document["tls"] = tls | given
        apps = document.get("apps")
        self._in_file = list(apps) if isinstance(apps, dict) else []
        for text in self._sets:
            self._set(document, text)
        return document

    def _document(self) -> dict[str, Any]:
        if self.path is None:
            return {}
        try:
            data = self.path.read_bytes()
            if len(data) > SIZE_MAX:
                raise ConfigurationError(f"{self.path} has more than {SIZE_MAX} bytes")
            self._text = data.decode()
            return tomllib.loads(self._text)
        except OSError as error:
            raise ConfigurationError(f"{self.path}: {error.strerror}") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(f"{self.path} is not TOML: {error}") from error

    def _set(self, document: dict[str, Any], text: str) -> None:
        name, equals, value = text.partition("=")
        key = ("apps", *name.strip().split("."))
        if not equals or len(key) < 3 or not all(key):
            raise ConfigurationError(
                f"--set {text}: write it as in --set forwarding.multipath=false"
            )
        table = document
        for one in key[:-1]:
            table = table.setdefault(one, {})
            if not isinstance(table, dict):
                raise ConfigurationError(f"--set {text}: {one} has no options below it")
        table[key[-1]] = _read_value(value.strip())
        self._set_at[key] = f"--set {text}"

    def _was_set(self, name: str) -> bool:
        return any(key[1] == name for key in self._set_at)

    def _told(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except OptionError as error:
            raise self._error(error) from error

    def _error(self, error: OptionError) -> ConfigurationError:
        """Return the error with the place of the key, or of the table that it is missed in."""
        for end in range(len(error.key), 0, -1):
            if place := self._place(error.key[:end]):
                return ConfigurationError(f"{place}: {'.'.join(error.key)}: {error}")
        return ConfigurationError(str(error))

    def _place(self, key: Key) -> str:
        """Return where a key, or the first one below it, was given; "" where it was not."""
        if key in self._set_at:
            return self._set_at[key]
        if key[0] in self._given:
            return ""
        lines = lines_of(self._text)
        for at in (key, *(one for one in lines if one[: len(key)] == key)):
            if at in lines:
                return f"{self.path}, line {lines[at]}"
        return next((text for at, text in self._set_at.items() if at[: len(key)] == key), "")

    # What it means

    def _table(self, name: str, given: object) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise self._error(OptionError(("apps", name), f"write a table, [apps.{name}]"))
        return dict(given)

    def _sources(self, tables: dict[str, dict[str, Any]]) -> Iterable[str]:
        """Return what to load, and take out of the tables where it is to be had from."""
        found = {name: table.pop(_FROM, None) for name, table in tables.items()}
        for name, source in found.items():
            if source is not None and not isinstance(source, str):
                raise self._error(OptionError(("apps", name, _FROM), "write a file or a module"))
        wanted = self._apps or [name for name in self._in_file if found[name] or _is_loadable(name)]
        for name in wanted or [DEFAULT_APP]:
            source = found.get(name) or name
            yield self._beside(source) if found.get(name) and _is_file(source) else source

    def _beside(self, path: str) -> str:
        """Return the path of a file that a configuration names, which begins where that is."""
        return str(self.path.parent / path) if self.path is not None else path

    def _endpoints(self, name: str, texts: Sequence[str]) -> tuple[Endpoint, ...]:
        def read(text: str) -> list[Endpoint]:
            one = Endpoint.parse(text)
            if one.listens != (name == "listen"):
                does, cure = ("listens", "listen") if one.listens else ("dials", "connect")
                raise ValueError(f"{one} {does}: write --{cure} {one}")
            return [one]

        return tuple(one for text in texts for one in self._each(name, [text], read))

    def _each(
        self, name: str, texts: Iterable[str], read: Callable[[str], Iterable[T]]
    ) -> frozenset[T]:
        """Return what all texts of a setting mean together."""
        try:
            return frozenset(one for text in texts for one in read(text))
        except ValueError as error:
            raise self._error(OptionError((name,), str(error))) from error

    def _tls(self, settings: TlsSettings) -> TlsFiles | None:
        def found(name: str) -> str:
            path: str = getattr(settings, name)
            is_ours = name in self._given.get("tls", {}) or path in ("", NO_CA)
            return path if is_ours else self._beside(path)

        try:
            return tls_files(found("private_key"), found("certificate"), found("ca_cert"))
        except ValueError as error:
            raise self._error(OptionError(("tls",), str(error))) from error


def _is_file(source: str) -> bool:
    return source.endswith(".py") or "/" in source


def _is_loadable(name: str) -> bool:
    return name in loading.known() or (name.isidentifier() and find_spec(name) is not None)


def _read_value(text: str) -> object:
    """Return what a value on the command line means in TOML, or else the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _unknown(name: str, running: Sequence[str]) -> str:
    if name in loading.known():
        return f"{name} does not run; name it on the command line, or in the file as [apps.{name}]"
    if takers := loading.takers_of(name):
        cure = f"name one on the command line, or in the file as [apps.{takers[0]}]"
        return f"{name} runs beside {' or '.join(takers)}, which does not run; {cure}"
    close = get_close_matches(name, [*running, *loading.known()], 1)
    cure = f"did you mean {close[0]}?" if close else f'say where it is: from = "{name}.py"'
    return f"there is no application {name}; {cure}"
