"""How a select group chooses (ovs-ofctl(8) "Group Syntax", `selection_method`)."""

from __future__ import annotations

from ..groups import GroupPropertyShape
from ..match import Match
from ..oxm_table import oxm_table
from ..record import Record
from ..version import OF15
from ..wire import U64, Converted, Pad, Rest, Text, since
from ..writer import FAULTS

NETRONOME = 0x0000_154D  #: the experimenter, who proposed it
ADD_OR_MODIFY = 0x8000  #: the command of a group_mod that adds, or modifies what is there

_SELECTION_METHOD = 1
_TABLE = oxm_table(OF15)


def _match_of(data: bytes) -> Match:
    try:
        return Match.unchecked(_TABLE.read_all(data))
    except FAULTS as error:
        raise ValueError("the fields are no OXM fields") from error


def _bytes_of(match: Match) -> bytes:
    return b"".join(_TABLE.write(name, value) for name, value in match.items())


@GroupPropertyShape.experimenter(NETRONOME, _SELECTION_METHOD, since(OF15, 0xFFFF))
class SelectionMethod(Record):
    """By what a select group tells packets apart; without it, the switch chooses freely."""

    selection_method: str = ""  #: hash, dp_hash
    selection_method_param: int = 0  #: where the hash begins
    fields: Match = Match()  #: what is hashed; the values are masks
    layout = (
        Pad(4),
        "selection_method" / Text(16),
        "selection_method_param" / U64,
        "fields" / Converted(Rest, _match_of, _bytes_of),
    )
