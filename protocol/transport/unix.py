"""Unix sockets to listen at, in the place of those that ended without removing theirs."""

from __future__ import annotations

import errno
import os
import socket
import stat


def listen(path: str, backlog: int) -> socket.socket:
    """Return a socket that listens at `path`; OSError where another one does, or a file is."""
    remove_leftover(path)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.setblocking(False)
        sock.bind(path)
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def remove_leftover(path: str) -> None:
    """Remove a socket at which nobody listens any more; what is something else stays."""
    if not os.path.exists(path) or not stat.S_ISSOCK(os.stat(path).st_mode):
        return  # a file that is no socket stays: bind says that the name is taken
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(path) == errno.ECONNREFUSED:
            os.unlink(path)
