"""Bundles: messages that wait to be done together (OF1.4.1 7.3.9 "Bundle Messages").

A bundle is known to the channel that opened it. All its messages are done or none, whatever
its flags say; they are done in their order, and no packet and no other message comes between:
that is ATOMIC and ORDERED.
"""

from __future__ import annotations

from protocol import (
    BundleAdd,
    BundleControl,
    BundleFailedCode,
    BundleFlags,
    FlowMod,
    GroupMod,
    Message,
    MeterMod,
    PacketOut,
    PortMod,
    TableMod,
)

from .refused import Refused
from .session import Session

MAX_BUNDLES = 64  #: that a channel may have open
MAX_STAGED = 65_536  #: messages in all bundles of a channel; some 60 MB
BUNDLE_TIMEOUT = 10.0  #: seconds in which something must happen to a bundle

SUPPORTED_FLAGS = BundleFlags.ATOMIC | BundleFlags.ORDERED
_CONTENTS = (FlowMod, GroupMod, MeterMod, PacketOut, PortMod, TableMod)

_Code = BundleFailedCode


_AboutBundle = BundleControl | BundleAdd


class Bundle:
    """Messages of a bundle, which is open until it is closed."""

    __slots__ = ("flags", "is_closed", "last", "messages", "touched")

    def __init__(self, request: _AboutBundle, now: float) -> None:
        self.flags = request.flags
        self.messages: list[Message] = []
        self.is_closed = False
        self.touch(request, now)

    def touch(self, request: _AboutBundle, now: float) -> None:
        """Note that something happened to it."""
        self.last, self.touched = request, now


class Bundles:
    """All bundles of a switch by channel and bundle_id."""

    def __init__(self) -> None:
        self._of: dict[Session, dict[int, Bundle]] = {}

    def open(self, session: Session, request: _AboutBundle, now: float) -> None:
        """Begin a bundle; where there is one already, that is an error and its end."""
        check_flags(request.flags)
        bundle_id = request.bundle_id
        if bundle_id in self._of.get(session, ()):
            self.discard(session, bundle_id)
            reason = f"there was a bundle {bundle_id}; it is discarded"
            raise Refused(_Code.BUNDLE_EXIST, reason)
        own = self._of.setdefault(session, {})
        if len(own) >= MAX_BUNDLES:
            raise Refused(_Code.OUT_OF_BUNDLES, f"there are {MAX_BUNDLES} bundles already")
        own[bundle_id] = Bundle(request, now)

    def find(self, session: Session, request: _AboutBundle, now: float) -> Bundle:
        """Return a bundle that is there; other flags than at first are an error and its end."""
        bundle_id = request.bundle_id
        bundle = self._of.get(session, {}).get(bundle_id)
        if bundle is None:
            raise Refused(_Code.BAD_ID, f"there is no bundle {bundle_id}")
        if bundle.flags != request.flags:
            self.discard(session, bundle_id)
            raise Refused(_Code.BAD_FLAGS, f"bundle {bundle_id} has flags {bundle.flags:#x}")
        bundle.touch(request, now)
        return bundle

    def find_open(self, session: Session, request: _AboutBundle, now: float) -> Bundle:
        """Return a bundle that is not closed; one that is, is an error and its end."""
        bundle = self.find(session, request, now)
        if bundle.is_closed:
            self.discard(session, request.bundle_id)
            raise Refused(_Code.BUNDLE_CLOSED, f"bundle {request.bundle_id} is closed already")
        return bundle

    def add(self, session: Session, request: BundleAdd, now: float) -> None:
        """Put a message into a bundle, which that opens where it is not there."""
        check_content(request.message)
        if request.bundle_id not in self._of.get(session, ()):
            self.open(session, request, now)
        bundle = self.find_open(session, request, now)
        if sum(len(one.messages) for one in self._of[session].values()) >= MAX_STAGED:
            reason = f"{MAX_STAGED} messages wait in bundles already"
            raise Refused(_Code.MSG_TOO_MANY, reason)
        bundle.messages.append(request.message)

    def discard(self, session: Session, bundle_id: int) -> None:
        """Forget a bundle."""
        own = self._of[session]
        del own[bundle_id]
        if not own:
            del self._of[session]

    def forget(self, session: Session) -> None:
        """Forget all bundles of a channel that ended."""
        self._of.pop(session, None)

    # Time

    def deadline(self) -> float | None:
        """Return when `expire` is due; None as long as there is no bundle."""
        touched = (bundle.touched for own in self._of.values() for bundle in own.values())
        first = min(touched, default=None)
        return None if first is None else first + BUNDLE_TIMEOUT

    def expire(self, now: float) -> list[tuple[Session, Bundle]]:
        """Forget and return the bundles to which nothing happened for too long."""
        late = [
            (session, bundle_id, bundle)
            for session, own in self._of.items()
            for bundle_id, bundle in own.items()
            if bundle.touched + BUNDLE_TIMEOUT <= now
        ]
        for session, bundle_id, _ in late:
            self.discard(session, bundle_id)
        return [(session, bundle) for session, _, bundle in late]


def check_flags(flags: int) -> None:
    """Refuse what no bundle can be."""
    if flags & BundleFlags.TIME:
        raise Refused(_Code.SCHED_NOT_SUPPORTED, "bundles are committed at once")
    if flags & ~int(SUPPORTED_FLAGS):
        raise Refused(_Code.BAD_FLAGS, f"flags {flags:#x} are unknown")


def check_content(message: Message) -> None:
    """Refuse what no bundle can have in it."""
    if not isinstance(message, _CONTENTS):
        reason = f"{type(message).__name__} cannot be in a bundle"
        raise Refused(_Code.MSG_UNSUP, reason)
