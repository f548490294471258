"""How switches keep up their channels: what an agent is told once, for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from protocol import ALL_VERSIONS, Version
from protocol.connection import ECHO_INTERVAL, HANDSHAKE_TIMEOUT

from .tls import TlsFiles

MAX_BACKOFF = 8.0  #: seconds between two attempts to dial, at most


@dataclass(frozen=True, slots=True)
class Settings:
    """How the switches of an agent speak with controllers."""

    versions: frozenset[Version] = ALL_VERSIONS  #: that they offer
    echo_interval: float = ECHO_INTERVAL  #: seconds of silence until they ask; 0 never asks
    handshake_timeout: float = HANDSHAKE_TIMEOUT  #: seconds in which a peer must say hello
    max_backoff: float = MAX_BACKOFF  #: seconds between two attempts to dial, at most
    tls: TlsFiles | None = None  #: for endpoints ssl: and pssl:
