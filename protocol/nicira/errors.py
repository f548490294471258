"""Nicira's own errors, which the specification has no numbers for.

Since OF1.2 they are an experimenter's errors; before, Nicira has a type of its own, with the
experimenter and the numbers behind it.
"""

from __future__ import annotations

import struct
from enum import Enum

from ..symmetric import UnknownError
from ..version import OF12, Version
from .fields import NICIRA

_EXPERIMENTER = 0xFFFF  # the type of errors of experimenters
_VENDOR, _VENDOR_ERROR = 0xB0C2, 1  # the type and code of Nicira's errors before there was that
_NUMBERS10 = struct.Struct(">IHH")  # experimenter, type, code
_NUMBERS = struct.Struct(">I")


class NiciraCode(Enum):
    """What went wrong: type and code before OF1.2, and the experimenter's type since."""

    CONJUNCTION = (2, 526, 15)  #: conjunction stands beside other actions, or cannot be
    TLV_BAD_COMMAND = (1, 527, 16)
    TLV_BAD_LENGTH = (1, 528, 17)  #: of an option of a tunnel
    TLV_BAD_INDEX = (1, 529, 18)
    TLV_TABLE_FULL = (1, 530, 19)
    TLV_ALREADY_MAPPED = (1, 531, 20)
    TLV_DUPLICATE = (1, 532, 21)  #: the option stands for another field already
    RESUME_STALE = (1, 534, 35)  #: no packet waits with this continuation
    BAD_HEADER_TYPE = (2, 0, 39)  #: encap or decap of what the switch does not know; OF1.3 on

    def told_in(self, version: Version) -> tuple[UnknownError, bytes]:
        """Return the numbers of an ErrorMsg, and what its data begins with."""
        kind, code, exp_type = self.value
        if version >= OF12:
            return UnknownError(_EXPERIMENTER, exp_type), _NUMBERS.pack(NICIRA)
        return UnknownError(_VENDOR, _VENDOR_ERROR), _NUMBERS10.pack(NICIRA, kind, code)
