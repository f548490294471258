"""A datapath without a switch, for tests of applications: what is sent is kept in a list.

datapath, sent = recording(OF13)
await MyApp().switch_ready(datapath)
assert sent == [FlowMod(…)]
"""

from __future__ import annotations

from collections.abc import Iterable

from protocol import OF13, FeaturesReply, Message, PortDesc, Version

from .datapath import Datapath
from .requests import Requests


class Sent(list[Message]):
    """What a datapath said, in order; each message is checked to be sayable in its version."""

    def __init__(self, version: Version) -> None:
        super().__init__()
        self.version = version

    def __call__(self, message: Message) -> int:
        """Take a message as a channel does; EncodeError where the version cannot say it."""
        message.encode(self.version)
        self.append(message)
        return len(self)


def recording(
    version: Version = OF13, datapath_id: int = 1, ports: Iterable[int] = (1, 2)
) -> tuple[Datapath, Sent]:
    """Return a datapath without a channel, and the list of what is sent on it.

    Requests on it wait for an answer that does not come.
    """
    sent = Sent(version)
    found = [PortDesc(port) for port in ports]
    requests = Requests(lambda: None)
    return Datapath(FeaturesReply(datapath_id), found, version, sent, requests), sent
