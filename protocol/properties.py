"""Properties: the TLVs at the end of many structures since OF1.4."""

from __future__ import annotations

from typing import Any

from .errors import BadPropertyCode
from .record import Family, Record
from .version import OF14
from .wire import U32, Rest, since


class ExperimenterProperty(Record):
    """A property that the specification leaves to others."""

    experimenter: int
    exp_type: int = 0
    data: bytes = b""
    layout = ("experimenter" / U32, "exp_type" / U32, "data" / Rest)


def properties(of: str, unknown: Any = None) -> Family:
    """Return a new family of properties. What is unknown is kept, unless an error is named."""
    family = Family(
        f"{of} property",
        length_counts_padding=False,
        unknown=unknown,
        short=BadPropertyCode.BAD_LEN,
    )
    family.member(since(OF14, 0xFFFF))(ExperimenterProperty)
    return family
