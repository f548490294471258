"""Where a channel begins or ends, as Open vSwitch's users write it: tcp:HOST:PORT, punix:PATH."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, get_args

OPENFLOW_PORT = 6653  #: what IANA gave OpenFlow; meant where no port is said
LOOPBACK = "127.0.0.1"  #: meant where no host is said, so that nothing is open by accident
MAX_PORT = 0xFFFF  # TCP's ports have 16 bits
MAX_PATH = 107  # bytes of a Unix socket's path: sun_path has 108 on Linux, one of them a zero

Kind = Literal["tcp", "ptcp", "ssl", "pssl", "unix", "punix"]
_KINDS: tuple[Kind, ...] = get_args(Kind)
_FORMS = "tcp:HOST:PORT, ssl:HOST:PORT, unix:PATH, ptcp:PORT[:HOST], pssl:PORT[:HOST] or punix:PATH"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a channel: `tcp`, `ssl` (TLS) and `unix` dial; with a p (passive) they listen.

    >>> Endpoint.parse("tcp:192.0.2.1:6633")
    Endpoint(kind='tcp', host='192.0.2.1', port=6633, path='')
    >>> Endpoint.parse("punix:/run/s1.sock").path
    '/run/s1.sock'
    >>> str(Endpoint("pssl", "::1", 6653))
    'pssl:6653:[::1]'
    """

    kind: Kind
    host: str = LOOPBACK
    port: int = OPENFLOW_PORT  #: 0 lets a listener pick a free one
    path: str = ""  #: of a Unix socket, which has neither host nor port

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `tcp:HOST[:PORT]`, `ptcp:[PORT][:HOST]`, the same with ssl, or `unix:PATH`.

        An IPv6 address stands in brackets. Raises ValueError, in one sentence with the cure,
        for anything else.
        """
        word, colon, rest = text.partition(":")
        kind = next((kind for kind in _KINDS if colon and kind == word), None)
        if kind is None:
            raise ValueError(f"{text!r} is no endpoint: write {_FORMS}")
        if kind == "unix" or kind == "punix":
            return cls(kind, path=_path(rest, text))
        if kind == "tcp" or kind == "ssl":
            host, port = _split_host(rest, text)
            return cls(kind, _host(host, text, kind), _port(port, text, 1))
        port, _, host = rest.partition(":")
        host, left = _split_host(host, text)
        if left:
            raise ValueError(f"{text!r} has {left!r} after the host: write {kind}:PORT[:HOST]")
        return cls(kind, host or LOOPBACK, _port(port, text, 0))

    @property
    def listens(self) -> bool:
        """Whether the other side dials."""
        return self.kind.startswith("p")

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.kind in ("ssl", "pssl")

    def __str__(self) -> str:
        if self.path:
            return f"{self.kind}:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        parts = (self.port, host) if self.listens else (host, self.port)
        return f"{self.kind}:{parts[0]}:{parts[1]}"


def _path(path: str, text: str) -> str:
    if not path or "\0" in path:
        raise ValueError(f"{text!r} names no file: write unix:PATH or punix:PATH")
    if (size := len(path.encode(errors="surrogateescape"))) > MAX_PATH:
        raise ValueError(
            f"{text!r} has a path of {size} bytes, the system takes {MAX_PATH}: "
            f"name one nearer to the root, or relative to where you are"
        )
    return path


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


def _host(host: str, text: str, kind: Kind) -> str:
    if not host:
        raise ValueError(f"{text!r} names no host to dial: write {kind}:HOST:PORT")
    return host


def _port(port: str, text: str, lowest: int) -> int:
    if not port:
        return OPENFLOW_PORT
    if port.isascii() and port.isdigit() and len(port) <= 5 and lowest <= int(port) <= MAX_PORT:
        return int(port)
    raise ValueError(f"{text!r} has port {port!r}, which is not from {lowest} to {MAX_PORT}")
