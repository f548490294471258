"""Which message answers which: replies and errors find what they are about."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from protocol import DecodeError, ErrorMsg, Message, UnknownError
from protocol.bundles import BundleControl
from protocol.error_words import words_of
from protocol.message import HEADER
from protocol.spec_names import class_name, message_name
from protocol.version import Version

from ..recorder import Said, Tape

MAX_KEPT = 8192  #: messages whose answer may still come; the oldest go
MAX_BYTES = 1 << 24  #: and the bytes of all of them
QUOTED = 64  # bytes of a message that an error brings back at least (OF1.5.1 7.5.4)
_VERSIONS = {int(version): version for version in Version}

_Key = tuple[Tape, bool, int, str]


@dataclass(frozen=True, slots=True)
class Heard:
    """One message that was said, and what it answers."""

    said: Said
    message: Message | None  #: None where the bytes say nothing
    fault: str  #: why they do not
    answers: Heard | None = None  #: the request of a reply, what an error is about

    @property
    def is_fault(self) -> bool:
        """Whether it is an error, or what nobody can read."""
        return self.message is None or isinstance(self.message, ErrorMsg)

    @property
    def after(self) -> float | None:
        """Return the seconds since what it answers; None where it answers nothing."""
        return None if self.answers is None else max(0.0, self.said.at - self.answers.said.at)

    def text(self) -> str:
        """Return the message as one line, or why there is none."""
        if self.message is None:
            return f"{len(self.said.data)} bytes that are no message: {self.fault}"
        return str(self.message)

    def as_data(self) -> dict[str, Any]:
        """Return it as `pointsman record --json` prints it."""
        said, message, number = self.said, self.message, self.said.tape.datapath_id
        version = _VERSIONS.get(said.data[0])
        return {
            "at": said.at,
            "peer": said.tape.peer,
            "datapath_id": None if number is None else f"{number:#x}",
            "from_switch": said.from_switch,
            "version": None if version is None else str(version),
            "type": None if message is None else message_name(type(message)),
            "xid": HEADER.unpack_from(said.data)[3],
            "text": self.text(),
            "error": self.fault or _error_words(message),
            "answers": None if self.answers is None else self.answers.text(),
            "after": self.after,
            "hex": said.data.hex(),
        }


def _error_words(message: Message | None) -> str | None:
    if not isinstance(message, ErrorMsg):
        return None
    return str(message.code) if isinstance(message.code, UnknownError) else words_of(message.code)


class Exchanges:
    """Remembers what was said lately, in a bounded number of bytes, and joins answers to it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, Heard] = OrderedDict()
        self._size = 0

    def hear(self, said: Said) -> Heard:
        """Return a message with what it answers; messages come in the order they were said in."""
        try:
            heard = Heard(said, said.message(), "")
        except DecodeError as error:
            return Heard(said, None, str(error))
        assert heard.message is not None
        if (asked := self._asked_by(heard.message, said)) is not None:
            return Heard(said, heard.message, "", asked)
        for key in _keys(heard.message, said):
            self._keep(key, heard)
        return heard

    def _asked_by(self, message: Message, said: Said) -> Heard | None:
        """Return what a message answers, where it is an answer and that is kept."""
        subject = _answered(message)
        if subject is None:
            return None
        found = self._kept.get((said.tape, not said.from_switch, message.xid, subject))
        if found and isinstance(message, ErrorMsg) and not _quotes(message, found):
            return None
        return found

    def _keep(self, key: _Key, heard: Heard) -> None:
        if before := self._kept.pop(key, None):
            self._size -= len(before.said.data)
        self._kept[key] = heard
        self._size += len(heard.said.data)
        while self._size > MAX_BYTES or len(self._kept) > MAX_KEPT:
            _, gone = self._kept.popitem(last=False)
            self._size -= len(gone.said.data)


def _keys(message: Message, said: Said) -> Iterator[_Key]:
    """Yield the names under which its answer may ask for a message: errors know its xid only."""
    end = (said.tape, said.from_switch, message.xid)
    yield (*end, "")
    if subject := _asked(message):
        yield (*end, subject)


def _asked(message: Message) -> str:
    """Return what a request is about: `Barrier`; "" where it is none."""
    if isinstance(message, BundleControl):
        return "BundleControl"
    name = class_name(type(message))
    return name.removesuffix("Request") if name.endswith("Request") else ""


def _answered(message: Message) -> str | None:
    """Return what a reply is about, "" for an error, which may be about anything."""
    if isinstance(message, ErrorMsg):
        return ""
    if isinstance(message, BundleControl):
        return "BundleControl" if message.type % 2 else None  # each reply follows its request
    name = class_name(type(message))
    return name.removesuffix("Reply") if name.endswith("Reply") else None


def _quotes(error: ErrorMsg, found: Heard) -> bool:
    """Whether an error may be about a message: xids of switches are often all the same."""
    if isinstance(error.code, UnknownError):  # experimenters' data begins with other things
        return True
    return error.data[:QUOTED] in found.said.data
