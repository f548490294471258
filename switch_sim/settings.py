"""How switches keep up their channels: what an agent is told once, for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from protocol import ALL_VERSIONS, Version
from protocol.connection import ECHO_INTERVAL, ECHO_TIMEOUT, HANDSHAKE_TIMEOUT
from protocol.transport.tls import TlsFiles

from .token_bucket import TokenBucket

MAX_BACKOFF = 8.0  #: seconds between two attempts to dial, at most
MAX_AUXILIARY = 255  # auxiliary_id has 8 bits, and 0 is the main channel
FAIL_PROBES = 3  # signs of life that could have come, until a switch gives its controllers up


@dataclass(frozen=True, slots=True)
class Settings:
    """How the switches of an agent speak with controllers."""

    versions: frozenset[Version] = ALL_VERSIONS  #: that they offer
    echo_interval: float = ECHO_INTERVAL  #: seconds of silence until they ask; 0 never asks
    echo_timeout: float = ECHO_TIMEOUT  #: seconds in which the controller must answer
    handshake_timeout: float = HANDSHAKE_TIMEOUT  #: seconds in which a peer must say hello
    max_backoff: float = MAX_BACKOFF  #: seconds between two attempts to dial, at most
    packet_in_rate: float = 0.0  #: packet_ins a second to each controller; 0 without a limit
    packet_in_burst: int = 0  #: and at once; 0 is a quarter of the rate
    fail_standalone: bool = False  #: whether switches without a controller forward by themselves
    auxiliary: int = 0  #: channels beside the main one of each controller that is dialled
    tls: TlsFiles | None = None  #: for endpoints ssl: and pssl:

    @property
    def fail_after(self) -> float:
        """Seconds without a controller after which a switch stands alone."""
        return FAIL_PROBES * self.echo_interval

    def packet_in_limit(self, now: float) -> TokenBucket | None:
        """Return a limit for the packet_ins of one controller, None where there is none."""
        if not self.packet_in_rate:
            return None
        burst = self.packet_in_burst or max(1.0, self.packet_in_rate / 4)
        return TokenBucket(self.packet_in_rate, burst, now)
