"""The switch's ports: what they are, how they are changed, what they count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from protocol import (
    OF10,
    OF11,
    OF14,
    BadPropertyCode,
    BadRequestCode,
    Port,
    PortConfig,
    PortDesc,
    PortEthernet,
    PortMod,
    PortModEthernet,
    PortModFailedCode,
    PortState,
    Version,
)
from protocol.ports import PortPropertyShape
from protocol.record import Record

from .flow_key import MIN_FRAME
from .refused import Refused

_DEAF = PortConfig.NO_RECV | PortConfig.NO_RECV_STP
_CONFIG10 = sum(PortConfig)
_CONFIG = PortConfig.PORT_DOWN | PortConfig.NO_RECV | PortConfig.NO_FWD | PortConfig.NO_PACKET_IN
_STATE10 = PortState.LINK_DOWN | PortState.STP_LEARN | PortState.STP_FORWARD
_STATE = PortState.LINK_DOWN | PortState.BLOCKED | PortState.LIVE
_FIRST_RESERVED10 = 0xFF00  # numbers that OF1.0 cannot say begin here
_SPANNING_TREE = bytes.fromhex("0180c2000000")  # where IEEE 802.1D frames go


def can_say(port_no: int, version: Version) -> bool:
    """Whether a version has a number for a port: OF1.0 has 16 bits."""
    return version > OF10 or not _FIRST_RESERVED10 <= port_no < Port.MAX


@dataclass(slots=True)
class PortCounters:
    """What a port has counted (OF1.3.5 5.8 "Counters")."""

    rx_packets: int = 0
    tx_packets: int = 0
    rx_bytes: int = 0
    tx_bytes: int = 0
    rx_dropped: int = 0
    tx_dropped: int = 0


class SwitchPort:
    """A port with its configuration and counters (OF1.3.5 4.2 "Standard Ports")."""

    __slots__ = (
        "_desc",
        "_version",
        "can_receive",
        "can_send",
        "counters",
        "created",
        "in_flood",
        "is_silent",
        "is_up",
    )

    def __init__(self, desc: PortDesc, now: float = 0.0) -> None:
        self.counters = PortCounters()
        self.created = now
        self._version = OF11  # in whose words the configuration is
        self.desc = desc

    @property
    def desc(self) -> PortDesc:
        """The port as it is now."""
        return self._desc

    @desc.setter
    def desc(self, desc: PortDesc) -> None:
        # Each frame asks for these; flags of an enumeration take their time to answer.
        self._desc = desc
        config, state = desc.config, desc.state
        self.is_up = desc.is_up
        self.can_send = self.is_up and not config & PortConfig.NO_FWD
        self.can_receive = self.is_up and not config & _DEAF
        self.in_flood = not (config & PortConfig.NO_FLOOD or state & PortState.BLOCKED)
        self.is_silent = bool(config & PortConfig.NO_PACKET_IN)

    @property
    def port_no(self) -> int:
        """The port's number."""
        return self._desc.port_no

    def receive(self, data: bytes) -> bool:
        """Count a frame that comes in; return whether it goes on into the switch."""
        counters = self.counters
        if len(data) >= MIN_FRAME and (self.can_receive or self._takes_still(data)):
            counters.rx_packets += 1
            counters.rx_bytes += len(data)
            return True
        counters.rx_dropped += 1
        return False

    def _takes_still(self, data: bytes) -> bool:
        """Whether a port that is not to receive all takes this frame."""
        config = self._desc.config
        if not self.is_up:
            return False
        # In OF1.0 NO_RECV leaves spanning tree to the bit of its own (OF1.0 5.2.1
        # "Port Structures").
        if self._version == OF10 and data.startswith(_SPANNING_TREE):
            return not config & PortConfig.NO_RECV_STP
        return not config & PortConfig.NO_RECV

    def why_not_received(self, data: bytes) -> str:
        """Return why a frame does not go on into the switch, empty where it does."""
        config, state = self._desc.config, self._desc.state
        if len(data) < MIN_FRAME:
            return f"{len(data)} bytes are no frame"
        if config & PortConfig.PORT_DOWN:
            return "the port's config has PORT_DOWN"
        if state & PortState.LINK_DOWN:
            return "the port's state is LINK_DOWN"
        if self.can_receive or self._takes_still(data):
            return ""
        return "the port's config has NO_RECV"

    def send(self, data: bytes) -> bool:
        """Count a frame that goes out; return whether it does."""
        counters = self.counters
        if self.can_send:
            counters.tx_packets += 1
            counters.tx_bytes += len(data)
            return True
        counters.tx_dropped += 1
        return False

    def why_not_sent(self) -> str:
        """Return why no frame goes out, empty where one does."""
        config, state = self._desc.config, self._desc.state
        if config & PortConfig.PORT_DOWN:
            return "not sent: the port's config has PORT_DOWN"
        if state & PortState.LINK_DOWN:
            return "not sent: the port's state is LINK_DOWN"
        return "not sent: the port's config has NO_FWD" if config & PortConfig.NO_FWD else ""

    def lose(self, data: bytes) -> None:
        """Tell that a frame which was counted as sent did not get onto its link."""
        counters = self.counters
        counters.tx_packets -= 1
        counters.tx_bytes -= len(data)
        counters.tx_dropped += 1

    def set_link(self, up: bool) -> bool:
        """Tell the port of its link; return whether that is a change."""
        state = int(self._desc.state)
        changed = state & ~PortState.LINK_DOWN if up else state | PortState.LINK_DOWN
        self.desc = replace(self._desc, state=PortState(changed))
        return changed != state

    def memory(self) -> Callable[[], None]:
        """Return how to let the port be as it is now."""
        before = self._version, self._desc

        def restore() -> None:
            self._version, self.desc = before

        return restore

    def modify(self, message: PortMod, version: Version) -> None:
        """Do what a port_mod says (OF1.3.5 7.3.4.3 "Port Modification Message")."""
        if message.hw_addr != self._desc.hw_addr:
            raise Refused(PortModFailedCode.BAD_HW_ADDR, "the port has another hw_addr")
        allowed = _CONFIG10 if version == OF10 else int(_CONFIG)
        if message.mask & ~allowed:
            raise Refused(PortModFailedCode.BAD_CONFIG, f"config {message.mask:#x} is unknown")
        advertised = self._advertised(message.properties)
        config = int(self._desc.config) & ~int(message.mask) | int(message.config & message.mask)
        self._version = version
        self.desc = replace(self._desc, config=PortConfig(config), properties=advertised)

    def _advertised(self, wanted: tuple[Record, ...]) -> tuple[Record, ...]:
        """Return the port's properties with what it is to advertise from now on."""
        properties = self._desc.properties
        for one in wanted:
            if not isinstance(one, PortModEthernet):
                raise Refused(BadPropertyCode.BAD_TYPE, f"{one!r} is not supported")
            if not one.advertise:
                continue
            if one.advertise & ~int(self._desc.ethernet.supported):
                raise Refused(PortModFailedCode.BAD_ADVERTISE, "the port does not support that")
            properties = tuple(
                replace(mine, advertised=one.advertise) if isinstance(mine, PortEthernet) else mine
                for mine in properties
            )
        return properties

    def desc_in(self, version: Version) -> PortDesc | None:
        """Return what a version can say of the port; None if not even its number."""
        desc = self._desc
        config, state = int(desc.config), int(desc.state)
        if self.is_up:
            state |= PortState.LIVE
        if not can_say(desc.port_no, version):
            return None
        if version == OF10:
            config, state = config & _CONFIG10, state & _STATE10
        else:
            config, state = config & _CONFIG, state & _STATE
        return replace(
            desc,
            config=PortConfig(config),
            state=PortState(state),
            properties=_properties_in(desc, version),
        )


def _properties_in(desc: PortDesc, version: Version) -> tuple[Record, ...]:
    if version >= OF14:
        later = PortPropertyShape.members.keys() - PortPropertyShape.at(version).number_of.keys()
        return tuple(one for one in desc.properties if type(one) not in later)
    # Before properties came, a port had the speeds of Ethernet and nothing else.
    return tuple(one for one in desc.properties if isinstance(one, PortEthernet))[:1]


class Ports(dict[int, SwitchPort]):
    """The ports by number, in the order of their numbers."""

    def __init__(self, descs: Iterable[PortDesc] = (), now: float = 0.0) -> None:
        super().__init__()
        for desc in sorted(descs, key=lambda one: one.port_no):
            if desc.port_no in self:
                raise ValueError(f"there are two ports {desc.port_no}")
            self[desc.port_no] = SwitchPort(desc, now)

    def described(self, version: Version) -> tuple[PortDesc, ...]:
        """Return all ports as a version can say them."""
        found = (port.desc_in(version) for port in self.values())
        return tuple(desc for desc in found if desc is not None)

    def named(self, port_no: int) -> SwitchPort:
        """Return a port that a request names; Refused where there is none."""
        if port_no not in self:
            raise Refused(BadRequestCode.BAD_PORT, f"there is no port {port_no}")
        return self[port_no]
