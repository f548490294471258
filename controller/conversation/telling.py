"""What was said, as a controller tells it to who asks: bytes, which that one has to read.

A recorder keeps some hundred thousand messages. To read them all takes a while, in which a
controller has better things to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..recorder import Said, Tape

Answer = dict[str, Any]
MAX_CHANNELS = 4096  #: that who asks tells apart at once; the one that was silent longest goes


def as_answer(said: Said, missed: int) -> Answer:
    """Return a message for the way to who asks; `missed` notes before it were left out."""
    number = said.tape.datapath_id
    return {
        "at": said.at,
        "channel": said.tape.number,
        "peer": said.tape.peer,
        "datapath_id": None if number is None else f"{number:#x}",
        "from_switch": said.from_switch,
        "hex": said.data.hex(),
        "missed": missed,
    }


def from_answers(answers: Iterable[Answer]) -> Iterator[tuple[Said, int]]:
    """Yield the messages again, each with how many notes were left out before it."""
    tapes: dict[int, Tape] = {}
    for one in answers:
        tape = tapes.pop(one["channel"], None) or Tape(one["peer"])
        tapes[one["channel"]] = tape
        if len(tapes) > MAX_CHANNELS:
            del tapes[next(iter(tapes))]
        if one["datapath_id"] is not None:
            tape.datapath_id = int(one["datapath_id"], 16)
        said = Said(one["at"], tape, one["from_switch"], bytes.fromhex(one["hex"]))
        yield said, one["missed"]
