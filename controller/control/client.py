"""Asks a running controller."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(dict[str, Any]).decode


class NoAnswer(Exception):
    """The controller cannot be asked, or refuses; the text is a sentence with the cure."""


def ask(
    path: Path, question: str, *, timeout: float | None = None, **arguments: Any
) -> Iterator[dict[str, Any]]:
    """Yield what the controller at `path` answers, as it comes; NoAnswer where it does not.

    `timeout` is in seconds, for each answer; None waits as long as it takes.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise NoAnswer("this system has no Unix sockets, at which a controller would answer")
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(timeout)
        try:
            channel.connect(str(path))
        except OSError as error:
            cure = "start one with pointsman controller, or name its socket with --control"
            reason = error.strerror or error
            raise NoAnswer(f"no controller answers at {path}: {reason}; {cure}") from error
        channel.sendall(_encode({"question": question, **arguments}) + b"\n")
        with channel.makefile("rb") as lines:
            for line in _in_time(lines, path):
                answer = _decode(line)
                if answer.keys() == {"error"}:  # a message that was recorded has one among others
                    raise NoAnswer(str(answer["error"]))
                yield answer


def _in_time(lines: Iterable[bytes], path: Path) -> Iterator[bytes]:
    try:
        yield from lines
    except TimeoutError as error:
        raise NoAnswer(f"the controller at {path} does not answer in time") from error
    except ConnectionError as error:
        raise NoAnswer(f"the controller at {path} went away: {error.strerror or error}") from error
