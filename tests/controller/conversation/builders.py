"""Conversations to look at: messages said at certain times over certain channels."""

from __future__ import annotations

from typing import Any

from controller.conversation.exchanges import Exchanges, Heard
from controller.recorder import Said, Tape
from protocol import OF13, Message, Version


def tape(datapath_id: int | None = 1, peer: str = "127.0.0.1:50001") -> Tape:
    """Return a channel with a switch."""
    found = Tape(peer)
    found.datapath_id = datapath_id
    return found


class Conversation:
    """What was said, one message after another, a second between them."""

    def __init__(self, version: Version = OF13) -> None:
        self.version = version
        self.exchanges = Exchanges()
        self.now = 0.0
        self.channel = tape()

    def switch(self, message: Message | bytes, channel: Tape | None = None) -> Heard:
        """Let the switch say something."""
        return self._say(message, True, channel)

    def controller(self, message: Message | bytes, channel: Tape | None = None) -> Heard:
        """Let the controller say something."""
        return self._say(message, False, channel)

    def _say(self, message: Message | bytes, from_switch: bool, channel: Tape | None) -> Heard:
        data = message if isinstance(message, bytes) else message.encode(self.version)
        self.now += 1.0
        return self.exchanges.hear(Said(self.now, channel or self.channel, from_switch, data))


def told(heard: Heard) -> dict[str, Any]:
    """Return a message as the command gets it."""
    return {**heard.as_data(), "missed": 0}
