"""What an application says of entries is said of its own: a switch as one application sees it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Set
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from protocol import EncodeError, FlowMod, FlowModCommand, Match, Message, Version
from protocol.bundles import BundleAdd
from protocol.nicira.flows import FlowMod as NxmFlowMod

from .cookies import ALL_BITS, PREFIX_MASK, CookieSpace, CookieSpaces
from .flow_owners import Entry, FlowOwners
from .overlaps import bits_of
from .senders import Senders

if TYPE_CHECKING:
    from .datapath import Datapath

logger = logging.getLogger("controller")

_ADD = FlowModCommand.ADD
_MODIFIES = {FlowModCommand.MODIFY, FlowModCommand.MODIFY_STRICT}
_NOTHING_SENT = 0  # no message has this xid


def views(
    datapath: Datapath,
    spaces: CookieSpaces,
    owners: Iterable[CookieSpace],
    senders: Senders | None = None,
) -> list[Datapath]:
    """Return a switch as each of some applications sees it.

    Where several run here, it is noted whose entries are whose: OF1.0 needs that to tell
    them apart, and overlaps are told of in the log, once for each two applications.
    `senders` then notes who sent what.
    """
    known = datapath.flow_owners
    if known is None and len(spaces) > 1:
        known = datapath.flow_owners = FlowOwners()
    if known is None or senders is None:
        return [datapath.seen_by(one, spaces, known) for one in owners]
    return [
        datapath.seen_by(one, spaces, known, partial(senders.noting, one.base)) for one in owners
    ]


class OwnFlows:
    """Sends messages of one application, whose entries bear cookies of its space.

    A flow_mod that changes or deletes reaches these only. OF1.0 has no cookie_mask: there,
    where a flow_mod would reach entries of another application, it becomes one strict
    flow_mod for each entry of its own.
    """

    __slots__ = (
        "_base",
        "_datapath",
        "_owners",
        "_send",
        "_spaces",
        "_told_incomplete",
        "space",
    )

    def __init__(
        self,
        space: CookieSpace,
        spaces: CookieSpaces,
        owners: FlowOwners | None,
        send: Callable[[Message], int],
        datapath: Datapath,
    ) -> None:
        self.space, self._base = space, space.base
        self._spaces, self._owners = spaces, owners
        self._send, self._datapath = send, datapath
        self._told_incomplete = False

    def take(self, message: Message) -> int:
        """Send a message; return its xid, 0 where there is no entry that it could change.

        EncodeError also where a cookie is another's.
        """
        if isinstance(message, FlowMod):
            return self._flow_mod(message)
        if isinstance(message, BundleAdd) and isinstance(message.message, FlowMod):
            message = replace(message, message=self._own(message.message))  # there is cookie_mask
        return self._send(message)

    def passing(self) -> Callable[[Message], int]:
        """Return what sends packets, and adds entries whose cookies are of our space already.

        Most go this way, so it is as short as it can be.
        """
        if self._owners is None:
            return self._send
        send, base, add = self._send, self._base, self._owners.add

        def note(message: Message) -> int:
            xid = send(message)
            if type(message) is FlowMod and (met := add(base, message)):
                self._tell_overlaps(message, met)
            return xid

        return note

    def _flow_mod(self, message: FlowMod) -> int:
        if self._datapath.version == Version.OF10 and not isinstance(message, NxmFlowMod):
            return self._flow_mod_10(message)
        return self._send(self._own(message))

    def _own(self, message: FlowMod) -> FlowMod:
        """Return a message that is of our entries, and note what it does."""
        cookie = self._cookie(message.cookie)
        if message.command == _ADD:
            self._note(message)
            return message if cookie == message.cookie else replace(message, cookie=cookie)
        if self._owners is not None and message.command not in _MODIFIES:
            self._owners.delete(self._base, message)
        if isinstance(message, NxmFlowMod):
            return replace(message, cookie=cookie, match=self._own_match(message.match))
        return replace(message, cookie=cookie, cookie_mask=message.cookie_mask | PREFIX_MASK)

    def _flow_mod_10(self, message: FlowMod) -> int:
        owners, cookie = self._owners, self._cookie(message.cookie)
        message = message if cookie == message.cookie else replace(message, cookie=cookie)
        if owners is None or message.command == _ADD:
            self._note(message)
            return self._send(message)
        ours, others = owners.touched(self._base, message)
        modifies = message.command in _MODIFIES
        if not modifies:
            owners.delete(self._base, message)
        if not others or not owners.complete:
            self._tell_incomplete(others)
            return self._send(message)
        if modifies and not ours:  # where nothing is to be modified, it is added (OF1.0 4.6)
            return self._flow_mod_10(replace(message, command=_ADD))
        strict = FlowModCommand.MODIFY_STRICT if modifies else FlowModCommand.DELETE_STRICT
        return self._each(message, strict, ours)

    def _each(self, message: FlowMod, command: FlowModCommand, entries: list[Entry]) -> int:
        xid = _NOTHING_SENT
        for entry in entries:
            one = replace(message, command=command, match=entry.match, priority=entry.priority)
            xid = self._send(one)
        return xid

    def _own_match(self, match: Match) -> Match:
        """Return a match in NXM that is met by our entries only, with the cookie that it has."""
        cookie, mask = bits_of(match).get("cookie", (0, 0))
        return match.replace(cookie=(self._cookie(cookie), mask & ALL_BITS | PREFIX_MASK))

    def _cookie(self, cookie: int) -> int:
        if cookie & PREFIX_MASK in (0, self.space.base):
            return cookie | self.space.base
        raise EncodeError(
            f"cookie {cookie:#x}: its high 16 bits are not yours but say whose an entry is; "
            f"{self.space.app} may have the low 48 bits"
        )

    def _note(self, message: FlowMod) -> None:
        if self._owners is not None:
            self._tell_overlaps(message, self._owners.add(self._base, message))

    def _tell_overlaps(self, message: FlowMod, met: Set[int]) -> None:
        """Warn of the others of whom an entry overlaps with one, once for each two."""
        for base in met:
            other = self._spaces.whose(base)
            if other is not None and self._spaces.first_overlap(self.space, other):
                logger.warning(
                    "%s: %s adds an entry of priority %d for %s, which overlaps with one of %s: "
                    "which of them a packet takes is open; give them different priorities",
                    self._datapath,
                    self.space.app,
                    message.priority,
                    message.match or "all packets",
                    other.app,
                )

    def _tell_incomplete(self, others: list[Entry]) -> None:
        if others and not self._told_incomplete:
            self._told_incomplete = True
            logger.warning(
                "%s: %s changes entries of other applications as well: there are too many to "
                "tell them apart in OpenFlow 1.0",
                self._datapath,
                self.space.app,
            )
