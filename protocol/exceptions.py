"""What can go wrong, in Python. The class tells whose fault it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import ErrorCode
    from .symmetric import ErrorMsg


class OpenFlowError(Exception):
    """The base of all that this library raises on purpose."""


class DecodeError(OpenFlowError):
    """The peer's bytes break the protocol.

    `code` is what to answer with; None while it is not yet known which structure the bytes
    belong to. `path` names the field (`FlowMod.match.ipv4_src`).
    """

    def __init__(self, code: ErrorCode | None, reason: str, path: str = "") -> None:
        super().__init__(code, reason, path)
        self.code, self.reason, self.path = code, reason, path

    def __str__(self) -> str:
        name = f" [{self.code}]" if self.code is not None else ""
        return f"{self.path}: {self.reason}{name}" if self.path else f"{self.reason}{name}"


class EncodeError(OpenFlowError, ValueError):
    """Our message cannot be said in this version, or a value does not fit its field."""


class RequestError(OpenFlowError):
    """The peer answered our request with OFPT_ERROR; `error` is that message."""

    def __init__(self, error: ErrorMsg) -> None:
        super().__init__(error)
        self.error = error

    def __str__(self) -> str:
        return f"the peer refused the request: {self.error.code}"


class RequestTimeout(OpenFlowError, TimeoutError):
    """No answer came in time."""


class NegotiationError(OpenFlowError):
    """The two sides have no version in common, or the peer sent HELLO_FAILED."""


class ChannelClosed(OpenFlowError, ConnectionError):
    """The channel ended; requests that were waiting raise this."""
