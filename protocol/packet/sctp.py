"""The Stream Control Transmission Protocol (RFC 9260); chunks are not looked into."""

from __future__ import annotations

from typing import Self

from msgspec import structs

from ..wire import U16, U32, Rest
from .checksum import crc32c
from .header import Header


class Sctp(Header):
    """The common header (RFC 9260 3.1 "SCTP Common Header Field Descriptions")."""

    src: int
    dst: int
    verification_tag: int = 0
    payload: bytes = b""  #: the chunks
    checksum: int | None = None  #: of header and chunks, as the number that its four bytes say

    layout = (
        "src"              / U16,
        "dst"              / U16,
        "verification_tag" / U32,
        "checksum"         / U32,
        "payload"          / Rest,
    )  # fmt: skip

    def completed(self, below: Header | None = None) -> Self:
        """Return the header with its checksum filled in."""
        if self.checksum is not None:
            return self
        crc = crc32c(structs.replace(self, checksum=0).encode_as_is())
        # The CRC is sent with its lowest byte first (RFC 9260 Appendix A).
        return structs.replace(self, checksum=int.from_bytes(crc.to_bytes(4, "little"), "big"))
