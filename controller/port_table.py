"""The ports of a switch, as it tells of them: how many there may be, and what has a new number."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from protocol import MacAddress, PortDesc, PortReason, PortStatus

PORTS_MAX = 1 << 14  #: of one switch; it may tell of more, but we remember no others

_Identity = tuple[str, MacAddress | int]


class PortTable:
    """Ports by number; `_numbers` finds them by what stays when they get another one.

    That is made when a port comes that was not there before: most switches have the same ones
    all the time.
    """

    def __init__(self, ports: Iterable[PortDesc]) -> None:
        left = iter(ports)
        self.ports = {desc.port_no: desc for desc in islice(left, PORTS_MAX)}
        self._numbers: dict[_Identity, int] | None = None
        self.is_full = False  #: whether some were not taken
        for desc in left:
            self._put(desc)

    def learn(self, message: PortStatus) -> list[PortStatus]:
        """Take in what became of a port; return what there is to tell.

        A port may come under another number without a word of the old one, as when a card is
        put into another slot: then that is gone, which is told before. Nothing is to be told
        of ports for which there is no room.
        """
        desc = message.desc
        if message.reason == PortReason.DELETE:
            self._drop(desc.port_no)
            return [message]
        gone = [] if desc.port_no in self.ports else self._renumbered(desc)
        return [*gone, message] if self._put(desc) else gone

    def _renumbered(self, desc: PortDesc) -> list[PortStatus]:
        if self._numbers is None:
            self._numbers = {(one.name, one.hw_addr): no for no, one in self.ports.items()}
        old = self._numbers.get((desc.name, desc.hw_addr)) if desc.name and desc.hw_addr else None
        if old is None:
            return []
        before = self.ports[old]
        self._drop(old)
        return [PortStatus(PortReason.DELETE, before)]

    def _put(self, desc: PortDesc) -> bool:
        """Remember a port; return whether there is room."""
        if desc.port_no not in self.ports and len(self.ports) >= PORTS_MAX:
            self.is_full = True
            return False
        self._drop(desc.port_no)
        self.ports[desc.port_no] = desc
        if self._numbers is not None:
            self._numbers[desc.name, desc.hw_addr] = desc.port_no
        return True

    def _drop(self, port_no: int) -> None:
        desc, numbers = self.ports.pop(port_no, None), self._numbers
        if desc is None or numbers is None:
            return
        if numbers.get((desc.name, desc.hw_addr)) == port_no:
            del numbers[desc.name, desc.hw_addr]
