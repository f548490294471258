"""All controllers of a switch: who is told what happens in it."""

from __future__ import annotations

from collections.abc import Callable

from protocol import EncodeError, Message, Version

from .session import Effects, Session


class Sessions(list[Session]):
    """The channels that are open, in the order in which they came."""

    def tell(self, effects: Effects, say: Callable[[Version], Message | None]) -> None:
        """Send each controller what `say` makes of an event in its version; None is nothing."""
        for session in self:
            if (message := say(session.version)) is not None:
                effects.messages.append((session, message))


def can_say(message: Message, version: Version) -> bool:
    """Whether a version has words for a message."""
    try:
        message.encode(version)
    except EncodeError:
        return False
    return True
