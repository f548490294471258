"""How a request is refused, from anywhere below a handler."""

from __future__ import annotations

from protocol import ErrorCode


class Refused(Exception):
    """The switch does not do what was asked; `code` is the error to answer with.

    `switch.py` turns it into the ErrorMsg, in words that the channel's version has.
    """

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason

    def __str__(self) -> str:
        return f"{self.reason} [{self.code}]"
