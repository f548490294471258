"""TLS between a socket and a connection, without a stream: bytes in, bytes out."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from protocol.transport.tls import TlsFiles

logger = logging.getLogger("controller")

_READ = 1 << 16  # bytes that are decrypted at once


class TlsLayer:
    """One TLS session: what the socket brings becomes plain, what we say becomes secret.

    It holds no socket. ssl.SSLError where the peer breaks the protocol or is not trusted;
    `data_to_send` then has the alert that tells it why.
    """

    def __init__(self, context: ssl.SSLContext, *, listens: bool) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_side=listens)
        self._is_agreed = False
        self._waiting = b""  # plain, until both sides are agreed

    def start(self) -> None:
        """Begin the handshake, where it is we who dialled."""
        self._shake_hands()

    def receive_data(self, data: bytes) -> bytes:
        """Take in what the socket brought; return what is plain by now."""
        self._incoming.write(data)
        if not self._is_agreed:
            self._shake_hands()
        parts = []
        while self._is_agreed:
            try:
                part = self._session.read(_READ)
            except ssl.SSLWantReadError:
                break
            if not part:
                break
            parts.append(part)
        return b"".join(parts)

    def send(self, data: bytes) -> None:
        """Take what is to be said."""
        if not self._is_agreed:
            self._waiting += data
        elif data:
            self._session.write(data)

    def data_to_send(self) -> bytes:
        """Return what goes to the socket, and forget it."""
        return self._outgoing.read()

    def _shake_hands(self) -> None:
        try:
            self._session.do_handshake()
        except ssl.SSLWantReadError:
            return
        self._is_agreed = True
        waiting, self._waiting = self._waiting, b""
        self.send(waiting)


class Certificates:
    """The TLS context of files that may be renewed: new connections use what is there now."""

    def __init__(self, files: TlsFiles, make: Callable[[TlsFiles], ssl.SSLContext]) -> None:
        self._files, self._make = files, make
        self._seen = self._look()
        self._context = make(files)

    def context(self) -> ssl.SSLContext:
        """Return the context; new files that are of no use are told, and the old ones stay."""
        if self._look() != self._seen:
            self.renew()
        return self._context

    def renew(self) -> None:
        """Read the files now, and tell what became of that."""
        self._seen = self._look()
        try:
            self._context = self._make(self._files)
            logger.info("TLS: the certificates were renewed")
        except ValueError as error:
            logger.error("TLS: the renewed certificates are not used: %s", error)

    def _look(self) -> list[tuple[int, int] | None]:
        names = (self._files.private_key, self._files.certificate, self._files.ca_cert)
        return [_state(Path(name)) for name in names]


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:  # in the middle of being replaced, or `none`
        return None
    return found.st_mtime_ns, found.st_size
