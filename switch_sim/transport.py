"""Sockets of all kinds, as Tornado's streams: TCP, TLS and Unix, dialled and listened at."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import bind_sockets
from tornado.tcpclient import TCPClient
from tornado.util import TimeoutError as DialTimeout

from protocol.endpoint import Endpoint
from protocol.transport import unix
from protocol.transport.tls import TlsFiles, tls_fault

DIAL_TIMEOUT = 10.0  #: seconds until an attempt has failed
BACKLOG = 128


class CannotDial(Exception):
    """Nobody was reached; the sentence says why."""


async def dial(endpoint: Endpoint, tls: ssl.SSLContext | None) -> IOStream:
    """Connect to an endpoint; CannotDial where that fails."""
    try:
        if endpoint.path:
            return await _connect(socket.AF_UNIX, endpoint.path, None)
        if family := _family(endpoint.host):
            address = (endpoint.host, endpoint.port)
            return await _connect(family, address, tls if endpoint.secure else None)
        return await TCPClient().connect(
            endpoint.host,
            endpoint.port,
            timeout=DIAL_TIMEOUT,
            ssl_options=tls if endpoint.secure else None,
        )
    except (DialTimeout, TimeoutError) as error:
        raise CannotDial(f"no answer within {DIAL_TIMEOUT:g} s") from error
    except StreamClosedError as error:
        raise CannotDial(words(error.real_error)) from error
    except (OSError, UnicodeError) as error:  # the latter for names that cannot be looked up
        raise CannotDial(words(error)) from error


def _family(host: str) -> int:
    """Return the family of an address, 0 of a name: those a thread has to look up."""
    try:
        return socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    except ValueError:
        return 0


async def _connect(family: int, address: Any, tls: ssl.SSLContext | None) -> IOStream:
    stream = IOStream(socket.socket(family))
    try:
        async with asyncio.timeout(DIAL_TIMEOUT):
            await stream.connect(address)
            return stream if tls is None else await stream.start_tls(False, tls)
    except TimeoutError:
        stream.close()
        raise


def listen(endpoint: Endpoint) -> tuple[Sequence[socket.socket], Endpoint]:
    """Listen at an endpoint; return the sockets, and the endpoint with the port that was taken.

    OSError or UnicodeError where that cannot be.
    """
    if endpoint.path:
        return [unix.listen(endpoint.path, BACKLOG)], endpoint
    sockets = bind_sockets(endpoint.port, endpoint.host, backlog=BACKLOG)
    return sockets, replace(endpoint, port=sockets[0].getsockname()[1])


def context(endpoint: Endpoint, tls: TlsFiles | None) -> ssl.SSLContext | None:
    """Return what an endpoint needs of TLS; ValueError, with the cure, where that is missing."""
    if not endpoint.secure:
        return None
    if tls is None:
        raise ValueError(f"{endpoint} needs --private-key, --certificate and --ca-cert")
    return _context(tls, endpoint.listens)


@lru_cache(maxsize=8)
def _context(tls: TlsFiles, listens: bool) -> ssl.SSLContext:
    """Read the files once, however many switches use them."""
    return tls.server() if listens else tls.client()


def words(error: BaseException | None) -> str:
    """Return what went wrong, as the operating system calls it."""
    if isinstance(error, ssl.SSLError):
        return tls_fault(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) if error else "the connection was closed"
