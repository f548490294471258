"""A real Open vSwitch refuses none of the controller's messages that it supports.

The messages are those of `tests/oracle/meaningful.py`, told of the ports, groups and meters
that the bridge has, over one of our connections. What Open vSwitch refuses all the same
stands in `refused.py`, by the part of the message, with the error and the reason.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from protocol import (
    OF11,
    OF13,
    BarrierReply,
    BarrierRequest,
    Bucket,
    BundleAdd,
    BundleControl,
    BundleControlType,
    Connection,
    DropBand,
    ErrorMsg,
    FeaturesReply,
    FeaturesRequest,
    FlowMod,
    FlowModFlags,
    GroupMod,
    GroupModCommand,
    GroupType,
    Message,
    MeterMod,
    MeterModCommand,
    Opened,
    Output,
    PacketOut,
    PortDescReply,
    PortDescRequest,
    PortMod,
    Role,
    RoleRequest,
    Version,
)
from protocol.monitors import FlowMonitorCommand, FlowMonitorRequest
from protocol.packets import NO_BUFFER
from protocol.ports import PortDesc
from protocol.queues import QueueDescRequest, QueueId, QueueStatsRequest

from ..oracle.meaningful import meaningful
from ..oracle.meanings.numbers import World
from ..oracle.unsupported import OFP_PRINT
from ..oracle.witness import excuses, parts
from ..protocol.strategies import message_classes
from . import ovs
from .refused import REFUSES, Refuses

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(ovs.missing_tools()), reason=ovs.missing_tools()),
]

WORLD = World(ports=(1, 2, 3), groups=(1, 2, 3, 4), meters=(1, 2, 3))
COUNT = 12  #: messages of each class
FLOW_MODS = 80
PATIENCE = 20.0  #: seconds
FRAME = bytes(12) + b"\x88\xb5" + bytes(46)


class Refusal(NamedTuple):
    """An error that came back."""

    message: Message
    code: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message!r}"


class Channel:
    """One of our connections to a bridge, that waits for answers."""

    def __init__(self, ovs_path: str, version: Version) -> None:
        self.version = version
        self.connection = Connection(time.monotonic(), [version], echo_interval=0)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(ovs_path)
        self._flush()
        while not any(isinstance(event, Opened) for event in self._events()):
            pass

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def _flush(self) -> None:
        self.socket.sendall(self.connection.data_to_send())

    def _events(self) -> list[Any]:
        data = self.socket.recv(65536)
        assert data, "the switch has closed the channel"
        events = self.connection.receive_data(data, time.monotonic())
        self._flush()
        return events

    def ask(self, request: Message, reply: type[Message]) -> Any:
        """Send a request and return its answer."""
        self.connection.send(request)
        self._flush()
        while True:
            for event in self._events():
                if isinstance(event, reply):
                    return event

    def refused(self, messages: list[Message]) -> list[Refusal]:
        """Send messages and a barrier; return what was refused before that is passed."""
        sent = {self.connection.send(message): message for message in messages}
        barrier = self.connection.send(BarrierRequest())
        self._flush()
        refusals = []
        while True:
            for event in self._events():
                if isinstance(event, ErrorMsg) and event.xid in sent:
                    refusals.append(Refusal(sent[event.xid], str(event.code)))
                if isinstance(event, BarrierReply) and event.xid == barrier:
                    return refusals


# What the bridge needs before a message makes sense


class Scenario:
    """Messages for a bridge, each behind what it depends on."""

    def __init__(self, version: Version, ports: dict[int, PortDesc]) -> None:
        self.version, self.ports = version, ports
        self._last = 100  # numbers of what is made on the way

    def _next(self) -> int:
        self._last += 1
        return self._last

    def world(self) -> Iterator[Message]:
        """Return what makes the groups and meters that messages speak of."""
        bucket = Bucket((Output(1),))
        if self.version >= OF11:
            yield from (GroupMod(number, buckets=(bucket,)) for number in WORLD.groups)
        if self.version >= OF13:
            yield from (MeterMod(number, (DropBand(1000),)) for number in WORLD.meters)

    def messages(self, cls: type[Message]) -> Iterator[Message]:
        """Return the messages of one class."""
        count = FLOW_MODS if cls is FlowMod else COUNT
        for made in meaningful(cls, self.version, count, WORLD):
            yield from self._prepared(made)

    def _prepared(self, message: Message) -> Iterator[Message]:
        match message:
            case FlowMod():
                yield flow_mod(message)
            case PacketOut():
                yield replace(message, buffer_id=NO_BUFFER, data=message.data or FRAME)
            case PortMod():
                yield from self._port_mod(message)
            case GroupMod():
                yield from self._group_mod(message)
            case MeterMod():
                yield from self._meter_mod(message)
            case RoleRequest():  # a slave could not go on
                role = Role.MASTER if message.role == Role.SLAVE else message.role
                yield replace(message, role=role, generation_id=self._next())
            case BundleControl():
                yield from self._bundle_control(message)
            case BundleAdd():
                yield BundleControl(
                    number := self._next(), BundleControlType.OPEN_REQUEST, message.flags
                )
                inner = flow_mod(message.message)
                yield replace(message, bundle_id=number, message=replace(inner, xid=message.xid))
                yield BundleControl(number, BundleControlType.DISCARD_REQUEST, message.flags)
            case FlowMonitorRequest():
                yield from self._flow_monitor(message)
            case QueueStatsRequest() | QueueDescRequest():  # the ports have no queues
                yield replace(message, queue_id=QueueId.ALL)
            case _:
                yield message

    def _port_mod(self, message: PortMod) -> Iterator[Message]:
        desc = self.ports[message.port_no]
        yield replace(message, hw_addr=desc.hw_addr)

    def _group_mod(self, message: GroupMod) -> Iterator[Message]:
        one = replace(message, group_id=self._next())
        if one.command == GroupModCommand.ADD:
            yield one
            return
        first = Bucket((Output(1),), **_watches(one))
        yield GroupMod(one.group_id, one.type, (first,))
        yield one

    def _meter_mod(self, message: MeterMod) -> Iterator[Message]:
        one = replace(message, meter_id=self._next())
        if one.command != MeterModCommand.ADD:
            yield MeterMod(one.meter_id, (DropBand(1000),))
        yield one
        if one.command != MeterModCommand.DELETE:  # a bridge has few of them
            yield MeterMod(one.meter_id, command=MeterModCommand.DELETE)

    def _bundle_control(self, message: BundleControl) -> Iterator[Message]:
        number, flags = self._next(), message.flags
        kind = BundleControlType(message.type & ~1)  # replies are the switch's
        if kind != BundleControlType.OPEN_REQUEST:
            yield BundleControl(number, BundleControlType.OPEN_REQUEST, flags)
        yield replace(message, bundle_id=number, type=kind)
        if kind != BundleControlType.COMMIT_REQUEST and kind != BundleControlType.DISCARD_REQUEST:
            yield BundleControl(number, BundleControlType.DISCARD_REQUEST, flags)

    def _flow_monitor(self, message: FlowMonitorRequest) -> Iterator[Message]:
        if excuses(message, self.version, OFP_PRINT):
            return  # Open vSwitch 3.1 loses its way where a monitor is refused, and is silent
        one = replace(message, monitor_id=self._next())
        if one.command != FlowMonitorCommand.ADD:
            yield replace(one, command=FlowMonitorCommand.ADD)
        yield one


def flow_mod(message: Any) -> Any:
    """A flow_mod without what the bridge answers with an error by right."""
    flags = message.flags & ~(FlowModFlags.CHECK_OVERLAP | FlowModFlags.EMERG)
    return replace(message, buffer_id=NO_BUFFER, flags=flags)


def _watches(one: GroupMod) -> dict[str, int]:
    return {"watch_port": 1} if one.type == GroupType.FF else {}


def controllers_classes(version: Version) -> list[type[Message]]:
    """The classes of what a controller says: requests, mods, and the like; groups last."""
    known = list(message_classes(version))
    names = ("FlowMod", "PacketOut", "PortMod", "TableMod", "MeterMod", "GroupMod", "SetConfig")
    names += ("SetAsync", "BundleControl", "BundleAdd", "EchoRequest", "Experimenter")
    found = [cls for cls in known if cls.__name__ in names or cls.__name__.endswith("Request")]
    return sorted(found, key=lambda cls: cls in (GroupMod, MeterMod, RoleRequest))


def ports_of(channel: Channel) -> dict[int, PortDesc]:
    reply = channel.ask(PortDescRequest(), PortDescReply)
    return {desc.port_no: desc for desc in reply.ports}


def excused(refusal: Refusal, version: Version) -> list[Refuses]:
    """Return what is known to be refused in a message with this error."""
    found = parts(refusal.message)
    return [
        one
        for one in REFUSES
        if one.part in found and one.first <= version <= one.last and one.code == refusal.code
    ]


@pytest.fixture(scope="module")
def switch() -> Iterator[ovs.OpenVSwitch]:
    with ovs.OpenVSwitch(dummy=True) as found:
        yield found


@pytest.fixture(scope="module")
def refusals(switch: ovs.OpenVSwitch) -> dict[Version, list[Refusal]]:
    """What the bridge refused, by version."""
    return {version: list(_said(switch, version)) for version in Version}


def _said(switch: ovs.OpenVSwitch, version: Version) -> Iterator[Refusal]:
    name = f"br{int(version)}"
    ports = {number: f"p{int(version)}{number}" for number in WORLD.ports}
    switch.add_bridge(name, datapath_id=int(version), ports=ports)
    with Channel(str(switch.management(name)), version) as channel:
        scenario = Scenario(version, ports_of(channel))
        assert channel.refused(list(scenario.world())) == []
        for cls in controllers_classes(version):
            yield from channel.refused(list(scenario.messages(cls)))
        assert channel.ask(FeaturesRequest(), FeaturesReply)  # it is well, and answers


@pytest.mark.parametrize("version", Version)
def test_open_vswitch_refuses_nothing_that_it_supports(
    refusals: dict[Version, list[Refusal]], version: Version
) -> None:
    assert [str(one) for one in refusals[version] if not excused(one, version)] == []


def test_what_it_does_not_support_it_refuses_still(
    refusals: dict[Version, list[Refusal]],
) -> None:
    needed = {
        known.why
        for version, found in refusals.items()
        for one in found
        for known in excused(one, version)
    }
    assert {one.why for one in REFUSES} == needed
