"""All controllers of a switch: their roles, and who is told what happens in it."""

from __future__ import annotations

from collections.abc import Callable

from protocol import (
    OF14,
    OF15,
    EncodeError,
    Message,
    Role,
    RoleRequestFailedCode,
    RoleStatus,
    Version,
)
from protocol.bundles import RequestForward
from protocol.roles import (
    NO_SHORT_ID,
    ChannelStatus,
    ControllerStatus,
    ControllerStatusEntry,
    ControllerStatusReason,
    ControllerUri,
    RoleReason,
)

from .refused import Refused
from .session import Effects, Session

_NO_GENERATION = 0xFFFF_FFFF_FFFF_FFFF  # told as long as no controller named one
_HALF = 1 << 63


class Sessions(list[Session]):
    """The main channels that are open, in the order in which they came.

    Auxiliary ones get nothing asynchronous (OF1.3.5 6.3.6 "Auxiliary Connections" leaves it
    to the switch), so they are not here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.generation_id: int | None = None  #: of the last election of a master
        self._configured: dict[str, None] = {}  # where controllers are that the switch dials

    def tell(
        self,
        effects: Effects,
        kind: str,
        reason: int,
        say: Callable[[Version], Message | None],
        but: Session | None = None,
    ) -> None:
        """Send an asynchronous message to each controller that wants it, `but` one.

        `kind` is the message's name in the asynchronous configuration. `say` returns it in
        the words of a version, or None where it has no words.
        """
        for session in self:
            if session is but or not session.wants(kind, reason):
                continue
            if (message := say(session.version)) is not None:
                effects.messages.append((session, message))

    def forward(self, session: Session, message: Message, reason: int, effects: Effects) -> None:
        """Tell the others of a request that was done (OF1.4.1 7.4.6 "Request Forward Message")."""

        def say(version: Version) -> Message | None:
            forwarded = RequestForward(message)
            return forwarded if version >= OF14 and can_say(forwarded, version) else None

        self.tell(effects, "requestforward", reason, say, but=session.main)

    # Roles (OF1.3.5 6.3.5 "Multiple Controllers")

    def change_role(self, session: Session, role: Role, effects: Effects) -> None:
        """Give a controller another role; where it becomes the master, the old one is a slave."""
        session = session.main
        changed = [(session, role)] if session.role is not role else []
        if role is Role.MASTER:
            others = [one for one in self if one is not session and one.role is Role.MASTER]
            changed += [(other, Role.SLAVE) for other in others]
        for one, new in changed:
            one.role = new
            if one is not session:
                self._tell_role(one, effects)
            self.tell_status(one, ControllerStatusReason.ROLE, effects)

    def elect(self, generation_id: int) -> None:
        """Take note of an election; Refused (STALE) where it is older than one that was heard of.

        OF1.3.5 7.3.9 "Role Request Message": the numbers go round, so a distance decides.
        """
        known = self.generation_id
        if known is not None and (generation_id - known) % (2 * _HALF) >= _HALF:
            reason = f"generation_id {generation_id} is older than {known}"
            raise Refused(RoleRequestFailedCode.STALE, reason)
        self.generation_id = generation_id

    @property
    def told_generation_id(self) -> int:
        """The generation_id as replies have it."""
        return _NO_GENERATION if self.generation_id is None else self.generation_id

    def _tell_role(self, session: Session, effects: Effects) -> None:
        reason = RoleReason.MASTER_REQUEST
        if session.version >= OF14 and session.wants("role_status", reason):
            status = RoleStatus(session.role, reason, self.told_generation_id)
            effects.messages.append((session, status))

    # What OF1.5 tells controllers of each other

    def check_short_id(self, session: Session, short_id: int) -> None:
        """Refuse (ID_IN_USE) the number of another controller."""
        taken = {one.short_id for one in self if one is not session.main}
        if short_id in taken - {NO_SHORT_ID}:
            raise Refused(RoleRequestFailedCode.ID_IN_USE, f"short_id {short_id} is taken")

    def name(self, session: Session, short_id: int, effects: Effects) -> None:
        """Give a controller a number (OF1.5.1 7.3.8 "Role Request Message")."""
        if session.main.short_id != short_id:
            session.main.short_id = short_id
            self.tell_status(session.main, ControllerStatusReason.SHORT_ID, effects)

    def configure(self, uri: str, effects: Effects) -> None:
        """Take note of a controller that the switch is to have, connected or not."""
        if uri not in self._configured:
            self._configured[uri] = None
            reason = ControllerStatusReason.CONTROLLER_ADDED
            self.tell_status(Session(OF15, uri), reason, effects, ChannelStatus.DOWN)

    def statuses(self) -> tuple[ControllerStatusEntry, ...]:
        """Return what is told of all controllers: those that are there, then the others."""
        request, missing = ControllerStatusReason.REQUEST, dict(self._configured)
        for session in self:
            missing.pop(session.uri, None)
        absent = (status_of(Session(OF15, uri), request, ChannelStatus.DOWN) for uri in missing)
        return (*(status_of(session, request) for session in self), *absent)

    def tell_status(
        self,
        session: Session,
        reason: ControllerStatusReason,
        effects: Effects,
        channel: ChannelStatus = ChannelStatus.UP,
    ) -> None:
        """Tell the others what became of a controller (OF1.5.1 7.4.7 "Controller Status")."""

        def say(version: Version) -> Message | None:
            if version < OF15:
                return None
            return ControllerStatus(status_of(session, reason, channel))

        self.tell(effects, "controller_status", reason, say, but=session)


def status_of(
    session: Session,
    reason: ControllerStatusReason,
    channel: ChannelStatus = ChannelStatus.UP,
) -> ControllerStatusEntry:
    """Return what is told of a controller."""
    uri = (ControllerUri(session.uri),) if session.uri else ()
    return ControllerStatusEntry(session.short_id, session.role, reason, channel, uri)


def can_say(message: Message, version: Version) -> bool:
    """Whether a version has words for a message."""
    try:
        message.encode(version)
    except EncodeError:
        return False
    return True
