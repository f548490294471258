"""Asks a running controller."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(dict[str, Any]).decode


class NoAnswer(Exception):
    """The controller cannot be asked, or refuses; the text is a sentence with the cure."""


def ask(path: Path, question: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    """Yield what the controller at `path` answers, as it comes; NoAnswer where it does not."""
    with socket.socket(socket.AF_UNIX) as channel:
        try:
            channel.connect(str(path))
        except OSError as error:
            cure = "start one with pointsman controller, or name its socket with --control"
            reason = error.strerror or error
            raise NoAnswer(f"no controller answers at {path}: {reason}; {cure}") from error
        channel.sendall(_encode({"question": question, **arguments}) + b"\n")
        with channel.makefile("rb") as lines:
            for line in lines:
                answer = _decode(line)
                if "error" in answer:
                    raise NoAnswer(str(answer["error"]))
                yield answer
