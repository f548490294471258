"""Where a channel begins or ends, as Open vSwitch's users write it: tcp:HOST:PORT, ptcp:PORT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, get_args

OPENFLOW_PORT = 6653  #: what IANA gave OpenFlow; meant where no port is said
LOOPBACK = "127.0.0.1"  #: meant where no host is said, so that nothing is open by accident
MAX_PORT = 0xFFFF  # TCP's ports have 16 bits

Kind = Literal["tcp", "ptcp"]
_KINDS: tuple[Kind, ...] = get_args(Kind)
_NOT_YET = {"ssl": "tcp", "pssl": "ptcp", "unix": "tcp", "punix": "ptcp"}  # -> what does instead


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a channel: `tcp` dials, `ptcp` (p as in passive) listens.

    >>> Endpoint.parse("tcp:192.0.2.1:6633")
    Endpoint(kind='tcp', host='192.0.2.1', port=6633)
    >>> Endpoint.parse("ptcp:6653")
    Endpoint(kind='ptcp', host='127.0.0.1', port=6653)
    >>> str(Endpoint("ptcp", "::1", 6653))
    'ptcp:6653:[::1]'
    """

    kind: Kind
    host: str = LOOPBACK
    port: int = OPENFLOW_PORT  #: 0 lets a listener pick a free one

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `tcp:HOST[:PORT]` or `ptcp:[PORT][:HOST]`, an IPv6 address in brackets.

        Raises ValueError, in one sentence with the cure, for anything else.
        """
        word, colon, rest = text.partition(":")
        kind = _kind(word, text) if colon else None
        if kind is None:
            raise ValueError(f"{text!r} is no endpoint: write tcp:HOST:PORT or ptcp:PORT[:HOST]")
        if kind == "tcp":
            host, port = _split_host(rest, text)
            return cls(kind, _host(host, text), _port(port, text, 1))
        port, _, host = rest.partition(":")
        host, left = _split_host(host, text)
        if left:
            raise ValueError(f"{text!r} has {left!r} after the host: write ptcp:PORT[:HOST]")
        return cls(kind, host or LOOPBACK, _port(port, text, 0))

    @property
    def listens(self) -> bool:
        """Whether the other side dials."""
        return self.kind == "ptcp"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ptcp:{self.port}:{host}" if self.listens else f"tcp:{host}:{self.port}"


def _kind(word: str, text: str) -> Kind | None:
    if instead := _NOT_YET.get(word):
        raise ValueError(f"{text!r}: {word} is not supported yet, use {instead} instead")
    return next((kind for kind in _KINDS if kind == word), None)


def _split_host(text: str, whole: str) -> tuple[str, str]:
    """Take apart HOST and what follows its colon."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{whole!r} has brackets that do not enclose an IPv6 address")
        return host, rest[1:]
    if text.count(":") > 1:
        raise ValueError(f"{whole!r} has an IPv6 address without brackets: write [::1]")
    host, _, rest = text.partition(":")
    return host, rest


def _host(host: str, text: str) -> str:
    if not host:
        raise ValueError(f"{text!r} names no host to dial: write tcp:HOST:PORT")
    return host


def _port(port: str, text: str, lowest: int) -> int:
    if not port:
        return OPENFLOW_PORT
    if port.isascii() and port.isdigit() and len(port) <= 5 and lowest <= int(port) <= MAX_PORT:
        return int(port)
    raise ValueError(f"{text!r} has port {port!r}, which is not from {lowest} to {MAX_PORT}")
