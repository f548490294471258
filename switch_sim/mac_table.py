"""Where Ethernet addresses were last heard: what NORMAL forwarding knows."""

from __future__ import annotations

MAX_ADDRESSES = 8192  # the one heard longest ago makes room
_AGEING_TIME = 300.0  # seconds (IEEE 802.1D-2004 table 7-5)


class MacTable:
    """Ports by VLAN and address, as a learning bridge keeps them."""

    def __init__(self, size: int = MAX_ADDRESSES) -> None:
        self.size = size
        self._heard: dict[tuple[int, int], tuple[int, float]] = {}  # -> port_no, when

    def __len__(self) -> int:
        return len(self._heard)

    def learn(self, vlan_vid: int, address: int, port_no: int, now: float) -> None:
        """Note where an address was heard."""
        self._heard.pop((vlan_vid, address), None)
        if len(self._heard) >= self.size:
            del self._heard[next(iter(self._heard))]
        self._heard[vlan_vid, address] = (port_no, now)

    def find(self, vlan_vid: int, address: int, now: float) -> int | None:
        """Return the port behind which an address is, None if that is not known."""
        port_no, heard = self._heard.get((vlan_vid, address), (None, 0.0))
        return None if now - heard > _AGEING_TIME else port_no

    def forget_port(self, port_no: int) -> None:
        """Forget what was heard on a port."""
        self._heard = {key: heard for key, heard in self._heard.items() if heard[0] != port_no}
