"""Sockets of all kinds, listened at and dialled."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tornado.netutil import bind_sockets

from protocol.endpoint import Endpoint
from protocol.transport import unix

BACKLOG = 4096  #: connections that may wait to be accepted when many switches come at once
DIAL_TIMEOUT = 10.0  #: seconds until an attempt has failed


def listening(endpoint: Endpoint, shared: bool = False) -> tuple[Sequence[socket.socket], Endpoint]:
    """Return sockets that listen at an endpoint, and it with the port that was taken.

    A `shared` port may be listened at by other processes that share it as well. OSError where
    that cannot be; ValueError where the endpoint dials.
    """
    if not endpoint.listens:
        raise ValueError(
            f"{endpoint} dials; a controller listens at ptcp:PORT[:HOST], pssl:PORT[:HOST] or "
            f"punix:PATH"
        )
    if endpoint.path:
        return [unix.listen(endpoint.path, BACKLOG)], endpoint
    sockets = bind_sockets(endpoint.port, endpoint.host, backlog=BACKLOG, reuse_port=shared)
    return sockets, replace(endpoint, port=sockets[0].getsockname()[1])


async def dialled(endpoint: Endpoint) -> socket.socket:
    """Return a socket that is connected to a switch that listens.

    OSError, TimeoutError among them, where nobody is reached.
    """
    async with asyncio.timeout(DIAL_TIMEOUT):
        if endpoint.path:
            return await _connected(socket.AF_UNIX, endpoint.path)
        loop, last = asyncio.get_running_loop(), OSError("the name has no address")
        for family, _, _, _, address in await loop.getaddrinfo(
            endpoint.host, endpoint.port, type=socket.SOCK_STREAM
        ):
            try:
                return await _connected(family, address)
            except OSError as error:
                last = error
        raise last


async def _connected(family: int, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:  # a timeout cancels: the socket must not stay
        sock.close()
        raise
    return sock


def hurry(sock: socket.socket) -> None:
    """Let small messages go at once."""
    with contextlib.suppress(OSError):  # Unix sockets do anyway; some refuse once a peer left
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def name_of(address: Any) -> str:
    """Return how the log calls the other end of a socket.

    >>> name_of(("127.0.0.1", 5)), name_of(("::1", 5, 0, 0)), name_of("")
    ('127.0.0.1:5', '[::1]:5', 'a Unix socket')
    """
    if not isinstance(address, tuple):
        return "a Unix socket"
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
