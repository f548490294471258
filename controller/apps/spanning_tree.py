"""Spanning tree: switches agree with their neighbours on a tree of links (IEEE 802.1D)."""

import asyncio
import logging
from collections.abc import Iterable
from heapq import heappop, heappush
from math import inf
from typing import Annotated

from msgspec import Meta

from controller import App, Datapath, Options, run
from controller.spanning_tree import (
    MAX_PORT_NO,
    Bridge,
    Forget,
    PortChanged,
    PortState,
    Send,
    Times,
    path_cost,
)
from controller.spanning_tree.bridge import Event
from protocol import (
    Ethernet,
    FlowMod,
    FlowModCommand,
    MacAddress,
    Match,
    Output,
    PacketIn,
    Port,
    PortDesc,
    PortReason,
    PortStatus,
)
from protocol.packet import BRIDGE_GROUP, BridgeId, Llc, Packet, build

BPDU_PRIORITY = 0xFFFE  # of the entry that brings BPDUs here, whatever the state of their port
PORT_PRIORITY = 0xFFF0  # of the entries that keep frames from ports which do not forward
AGEING_TIME = 300  # seconds after which an entry goes that no frame needed (802.1D 7.9.2)
NAMES = 0x1000  # of bridges with the same address: beside the priority there are 12 bits
MAX_STATIONS = 16_384  # of a switch; above that the one learned first is forgotten

logger = logging.getLogger("controller")


class SpanningTreeOptions(Options):
    """`[apps.spanning_tree]`; the defaults are the standard's (802.1D-1998 8.10.2).

    All bridges go by the times of the root. Shorter ones are for demonstrations.
    """

    priority: Annotated[
        int, Meta(ge=0, le=0xF000, multiple_of=0x1000, description="the lowest becomes the root")
    ] = 0x8000
    hello_time: Annotated[
        float, Meta(ge=0.1, le=10, description="seconds between two words of the root")
    ] = 2.0
    max_age: Annotated[
        float, Meta(le=40, description="seconds after which what was said is forgotten")
    ] = 20.0
    forward_delay: Annotated[
        float, Meta(ge=0.1, le=30, description="seconds of listening, and again of learning")
    ] = 15.0

    def __post_init__(self) -> None:
        if self.max_age < 2 * self.hello_time:
            raise ValueError(
                f"max_age {self.max_age:g} lets a bridge be forgotten that speaks each "
                f"{self.hello_time:g} s: make it at least twice the hello_time"
            )


class SpanningTree(App):
    """Each switch is a bridge, which speaks the standard's protocol with all its neighbours.

    These may be bridges of ours or any others. A port that does not forward has an entry
    that drops what comes in (or, in learning, brings it here), and is left out when we flood.
    Where it forwards, we learn who is where, as a learning switch does.
    """

    sees_all = True

    def __init__(
        self,
        options: SpanningTreeOptions = SpanningTreeOptions(),  # noqa: B008  it is not changed
    ) -> None:
        self.options = options
        self.times = Times(options.hello_time, options.max_age, options.forward_delay)
        self.bridges: dict[int, Bridge] = {}  # datapath_id -> its state
        self.names: dict[BridgeId, int] = {}  # of these bridges -> datapath_id
        self.stations: dict[int, dict[MacAddress, int]] = {}  # datapath_id -> MAC -> port
        self.datapaths: dict[int, Datapath] = {}
        self.timers: list[tuple[float, int]] = []  # a heap of when bridges are due
        self.due: dict[int, float] = {}  # datapath_id -> its first entry there
        self.wake = asyncio.Event()  # one is due sooner than we thought

    async def switch_ready(self, datapath: Datapath) -> None:
        number = datapath.datapath_id
        self.datapaths[number], self.stations[number] = datapath, {}
        self.bridges[number] = Bridge(self.name(number), self.times)
        self.forget(datapath)  # what is left of an earlier run
        to_us = [Output(Port.CONTROLLER)]
        datapath.add_flow(Match(eth_dst=BRIDGE_GROUP), to_us, priority=BPDU_PRIORITY)
        for desc in list(datapath.ports.values()):
            self.set_port(datapath, desc, desc.is_up)
        datapath.add_flow(Match(), to_us, priority=0)

    async def switch_gone(self, datapath: Datapath) -> None:
        if self.datapaths.get(datapath.datapath_id) is datapath:
            if bridge := self.bridges.get(datapath.datapath_id):
                self.names.pop(bridge.bridge_id, None)
            for known in (self.datapaths, self.stations, self.bridges, self.due):
                known.pop(datapath.datapath_id, None)

    def name(self, datapath_id: int) -> BridgeId:
        """Return a name for a switch that no other one of ours has; it keeps the one it had."""
        if before := self.bridges.get(datapath_id):
            return before.bridge_id
        for extra in range(NAMES):
            name = bridge_id(datapath_id, self.options.priority, extra)
            if self.names.setdefault(name, datapath_id) == datapath_id:
                break
        else:
            logger.warning("datapath %#x: all names of bridges like it are taken", datapath_id)
        return name

    async def port_status(self, datapath: Datapath, message: PortStatus) -> None:
        exists = message.reason != PortReason.DELETE
        self.set_port(datapath, message.desc, exists and message.desc.is_up)

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        frame, bridge = Ethernet.parse(message.data), self.bridges[datapath.datapath_id]
        if frame.dst == BRIDGE_GROUP:
            packet = Packet.parse(message.data)
            self.apply(datapath, bridge.receive(message.in_port, packet, now()))
        elif frame.dst & ~0xF != BRIDGE_GROUP:  # no bridge forwards these 16 (802.1D 7.12.6)
            self.forward(datapath, message, frame)

    async def background(self) -> None:
        """Let the bridges do what is due."""
        while True:
            while self.timers and self.timers[0][0] <= now():
                at, number = heappop(self.timers)
                if self.due.get(number) == at:  # else it was due sooner, or is gone
                    del self.due[number]
                    self.apply(self.datapaths[number], self.bridges[number].handle_timer(now()))
            self.wake.clear()
            try:
                async with asyncio.timeout_at(self.timers[0][0] if self.timers else None):
                    await self.wake.wait()
            except TimeoutError:
                pass

    def schedule(self, number: int) -> None:
        """Note when a bridge is due, if that is sooner than what is noted."""
        at = self.bridges[number].deadline()
        if at is not None and at < self.due.get(number, inf):
            self.due[number] = at
            heappush(self.timers, (at, number))
            if self.timers[0][1] == number:
                self.wake.set()

    # The tree

    def set_port(self, datapath: Datapath, desc: PortDesc, up: bool) -> None:
        """Let a port take part, or no more."""
        bridge = self.bridges[datapath.datapath_id]
        if desc.port_no > MAX_PORT_NO:
            if desc.port_no < Port.MAX:  # those above are no ports with links
                logger.warning("%s: port %d is left out: its number", datapath, desc.port_no)
                self.keep(datapath, desc.port_no, PortState.DISABLED)
        elif up:
            self.apply(datapath, bridge.add_port(desc.port_no, path_cost(desc), now()))
        else:
            self.apply(datapath, bridge.remove_port(desc.port_no, now()))

    def apply(self, datapath: Datapath, events: Iterable[Event]) -> None:
        """Do what a bridge decided."""
        for event in events:
            match event:
                case Send(port_no=port_no, headers=headers) if desc := datapath.ports.get(port_no):
                    source = Ethernet(BRIDGE_GROUP, MacAddress(desc.hw_addr))
                    datapath.packet_out(build(source, Llc(), *headers), [Output(port_no)])
                case PortChanged(port_no=port_no, state=state):
                    logger.info("%s: port %d is %s", datapath, port_no, state.name.lower())
                    self.keep(datapath, port_no, state)
                case Forget():
                    self.forget(datapath)
        self.schedule(datapath.datapath_id)

    def keep(self, datapath: Datapath, port_no: int, state: PortState) -> None:
        """Let a port take the frames that its state allows."""
        match = Match(in_port=port_no)
        if state is PortState.FORWARDING:
            strict = FlowModCommand.DELETE_STRICT
            datapath.send(FlowMod(match, command=strict, priority=PORT_PRIORITY))
            return
        to = [Output(Port.CONTROLLER)] if state is PortState.LEARNING else []
        datapath.add_flow(match, to, priority=PORT_PRIORITY)
        if state <= PortState.BLOCKING:
            self.forget(datapath)
        if port_no not in datapath.ports:  # it is gone, and entries to it are not
            datapath.delete_flows(out_port=port_no)

    # Frames

    def forward(self, datapath: Datapath, message: PacketIn, frame: Ethernet) -> None:
        """Learn who sent a frame, and bring it on its way."""
        bridge, stations = self.bridges[datapath.datapath_id], self.stations[datapath.datapath_id]
        state = bridge.state(message.in_port)
        if state >= PortState.LEARNING and not frame.src.is_multicast:
            self.learn(datapath, frame.src, message.in_port)
        if state is not PortState.FORWARDING:
            return
        port = stations.get(frame.dst)
        if port is None:
            ports = [one.port_no for one in bridge.ports.values() if one.state is state]
            out = [Output(one) for one in ports if one != message.in_port]
        elif port == message.in_port:
            out = []  # who sent it reaches the station without us
        else:
            out = [Output(port)]
            match = Match(in_port=message.in_port, eth_src=frame.src, eth_dst=frame.dst)
            datapath.add_flow(match, out, idle_timeout=AGEING_TIME)
        datapath.packet_out(message, out)

    def learn(self, datapath: Datapath, station: MacAddress, port_no: int) -> None:
        """Note where a station is."""
        stations = self.stations[datapath.datapath_id]
        before = stations.get(station)
        if before != port_no:
            stations[station] = port_no
            if before is not None:  # it moved: entries lead to where it was
                datapath.delete_flows(Match(eth_dst=station))
            if len(stations) > MAX_STATIONS:
                del stations[next(iter(stations))]

    def forget(self, datapath: Datapath) -> None:
        """Forget where stations are, and all entries that lead to them."""
        self.stations[datapath.datapath_id].clear()
        for port_no in datapath.ports:
            datapath.delete_flows(out_port=port_no)


def bridge_id(datapath_id: int, priority: int, extra: int = 0) -> BridgeId:
    """Return the name of a switch as a bridge: of its 64 bits all but four.

    Those that differ in these four only are told apart by `extra`, as a name has no room for
    them: 12 bits beside the priority (802.1D-2004 9.2.5) and 48 of an address.
    """
    low, high = datapath_id & 0xFFFF_FFFF_FFFF, (datapath_id >> 48) + extra
    return BridgeId(priority | high % NAMES, MacAddress(low))


def now() -> float:
    """Return the time in seconds on the loop's clock."""
    return asyncio.get_running_loop().time()


if __name__ == "__main__":
    run(SpanningTree())
