"""Forwarding: shortest paths over the links that were found, free of loops on any graph."""

from asyncio import get_running_loop
from collections import defaultdict
from collections.abc import Iterable
from itertools import count, islice
from math import inf
from operator import itemgetter
from typing import Annotated
from zlib import crc32

from msgspec import Meta

from controller import App, Datapath, Options, run
from controller.topology import Host, HostGone, HostMoved, Link, LinkDown, SwitchEnd, Topology
from controller.topology.app import Event
from controller.topology.routes import (
    Entries,
    Pair,
    RouteTable,
    Step,
    along,
    entries,
)
from protocol import (
    Action,
    Bucket,
    Ethernet,
    FlowMod,
    FlowModCommand,
    FlowModFlags,
    FlowRemoved,
    Group,
    GroupMod,
    GroupType,
    MacAddress,
    Match,
    Output,
    PacketIn,
    Port,
)
from protocol.packet import Arp, EthType, Packet

PRIORITY = 100
IDLE_TIMEOUT = 60  # seconds without a packet after which a pair of hosts is forgotten
TAKES_EFFECT = 1.0  # seconds in which a switch has put in an entry that it was sent
PAIRS_AT_ONCE = 200  # that get other routes in one turn of the loop, which takes some 10 ms
ALIKE = Match(in_port=1, eth_src=1, eth_dst=1)  # all entries are: it need not be looked at
FIRST_GROUP = 0x6600_0000  # groups of ours: up to 0x66FF_FFFF
FOR_BRIDGES = bytes.fromhex("0180c20000")  # and 00 to 0f: no bridge forwards what is sent there


Order = tuple[SwitchEnd, Pair, Action, int]  # an entry, by where frames come in, with its flags


class ForwardingOptions(Options):
    """`[apps.forwarding]`."""

    multipath: Annotated[bool, Meta(description="spread pairs of hosts over shortest paths")] = True
    idle_timeout: Annotated[
        int, Meta(ge=1, le=0xFFFF, description="seconds until a silent pair is forgotten")
    ] = IDLE_TIMEOUT


class Forwarding(App):
    """Frames take all shortest paths; what all must get is handed to each host's port.

    A pair of hosts that speaks gets entries on the switches between them, for each way the
    frames may come. Where several links lead nearer, a select group spreads the pairs over
    them, or in OF1.0, which has no groups, a hash. Broadcasts go from here to the ports
    where hosts are, over no link: none can go round, whatever the graph is just now.
    """

    sees_all = True

    def __init__(
        self,
        topology: Topology,
        options: ForwardingOptions = ForwardingOptions(),  # noqa: B008  it is not changed
    ) -> None:
        self.topology, self.options = topology, options
        self.datapaths: dict[int, Datapath] = {}
        self.routes = RouteTable()
        self.orders: defaultdict[int, list[Order]] = defaultdict(list)  # switch -> to be told
        self.waiting: dict[Pair, bool] = {}  # for routes, and whether all entries go again
        self.dead_ends: list[SwitchEnd] = []  # of links that went
        self.put_in: dict[Pair, float] = {}  # when all entries of a pair went out last
        self.groups: dict[int, dict[tuple[int, ...], int]] = {}  # switch -> ports -> group_id
        self.group_ids = count(FIRST_GROUP)
        topology.subscribe(self.changed)

    async def switch_ready(self, datapath: Datapath) -> None:
        self.datapaths[datapath.datapath_id] = datapath
        self.groups[datapath.datapath_id] = {}
        self.topology.graph.forget_notes(datapath.datapath_id)
        if datapath.speaks(GroupMod):  # what is left of an earlier run may lead astray
            datapath.delete_flows()
            for desc in await datapath.group_desc():
                if desc.group_id >> 24 == FIRST_GROUP >> 24:
                    datapath.delete_group(desc.group_id)
        datapath.add_flow(Match(), [Output(Port.CONTROLLER)], priority=0)
        self.reroute(self.routes.through(datapath.datapath_id), again=True)

    async def switch_gone(self, datapath: Datapath) -> None:
        if self.datapaths.get(datapath.datapath_id) is datapath:
            del self.datapaths[datapath.datapath_id], self.groups[datapath.datapath_id]

    async def packet_in(self, datapath: Datapath, message: PacketIn) -> None:
        if message.data.startswith(FOR_BRIDGES) and message.data[5:6] < b"\x10":
            return  # as probes are, which come often: no look into the frame is needed
        frame = Ethernet.parse(message.data)
        if frame.eth_type == EthType.LLDP:
            return
        source = self.topology.hear(datapath, message, frame)
        target = self.topology.hosts.get(frame.dst) or self.asked_for(frame, message)
        if target is None:
            if source is not None:
                self.flood(source.end, message.data)
        elif target.end != SwitchEnd(datapath.datapath_id, message.in_port):
            speaker = source or self.topology.hosts.get(frame.src)  # who is elsewhere: see order
            if speaker is not None and frame.dst == target.mac:
                self.order(speaker, target, again=not self.is_put_in_now(speaker, target))
                self.tell()
            self.send(target.end, message.data)

    async def flow_removed(self, datapath: Datapath, message: FlowRemoved) -> None:
        source, target = message.match.number("eth_src"), message.match.number("eth_dst")
        if datapath.is_own(message.cookie) and source is not None and target is not None:
            self.forget(Pair(MacAddress(source), MacAddress(target)))

    def asked_for(self, frame: Ethernet, message: PacketIn) -> Host | None:
        """Return the host that an ARP request looks for, if it is known."""
        if frame.eth_type != EthType.ARP or not frame.dst.is_multicast:
            return None
        arp = Packet.parse(message.data).get(Arp)
        return self.topology.hosts.with_ip(arp.tpa) if arp else None

    def flood(self, source: SwitchEnd, data: bytes) -> None:
        """Hand a frame to every port where hosts are."""
        for number, datapath in self.datapaths.items():
            ports = [p for p in self.topology.edges(datapath) if (number, p) != source]
            if ports:
                datapath.packet_out(data, [Output(port) for port in ports])

    def send(self, end: SwitchEnd, data: bytes) -> None:
        """Hand a frame to one port."""
        if datapath := self.datapaths.get(end.datapath_id):
            datapath.packet_out(data, [Output(end.port_no)])

    # Routes

    def is_put_in_now(self, source: Host, target: Host) -> bool:
        """Return whether a pair's entries went out just now, so that some frames passed them."""
        since = self.put_in.get(Pair(source.mac, target.mac), -inf)
        return get_running_loop().time() - since < TAKES_EFFECT

    def order(self, source: Host, target: Host, again: bool = False) -> None:
        """Order the entries of a pair, which `tell` puts in place.

        Those that are thought to be there are put in `again` where a switch shows that it
        has lost some: it asks about a frame on its way, or it connected anew. Those that no
        frame comes to any more go by themselves: to delete them would take as long again.
        """
        pair = Pair(source.mac, target.mac)
        before, wanted = self.routes.get(pair), self.ways(pair, source.end, target.end)
        if source.end not in wanted or source.end not in before:  # frames begin elsewhere now
            for end in before.keys() - wanted.keys():
                self.take_out(end, pair)
        if again or pair not in self.routes:
            self.put_in[pair] = get_running_loop().time()
        changed, first, orders = self.routes.put(pair, wanted), source.end, self.orders
        for end, action in (wanted if again else changed).items():
            flags = FlowModFlags.SEND_FLOW_REM if end == first else 0
            orders[end.datapath_id].append((end, pair, action, flags))
        if oldest := self.routes.oldest_above_limit():
            self.forget(oldest)

    def tell(self) -> None:
        """Tell each switch its entries, all at once: to go to and fro takes longer."""
        orders, self.orders = self.orders, defaultdict(list)
        timeout = self.options.idle_timeout
        for switch, told in orders.items():
            if datapath := self.datapaths.get(switch):
                for end, pair, action, flags in told:
                    datapath.add_flow(
                        match_of(end, pair), [action],
                        priority=PRIORITY, idle_timeout=timeout, flags=flags,
                    )  # fmt: skip

    def ways(self, pair: Pair, source: SwitchEnd, target: SwitchEnd) -> Entries:
        """Return the entries that lead a pair's frames; none where no links do."""
        graph = self.topology.graph
        steps: dict[int, Step] = graph.notes(target.datapath_id)

        def find(switch: int) -> Step | None:
            links = graph.next_links(switch, target.datapath_id)
            return self.step(switch, links, pair, steps) if links else None

        return entries(source, target, steps, find) or {}

    def step(self, switch: int, links: list[Link], pair: Pair, steps: dict[int, Step]) -> Step:
        """Return what sends a pair's frames over links; in `steps` what is so for all pairs."""
        datapath = self.datapaths.get(switch)
        if len(links) == 1 or not self.options.multipath:
            steps[switch] = step = along(links[0])
        elif datapath is not None and datapath.speaks(GroupMod):
            ports = tuple([link.src.port_no for link in links])
            step = Group(self.group(datapath, ports)), [link.dst for link in links]
            steps[switch] = step
        else:
            step = along(links[crc32(b"%x-%x" % pair) % len(links)])
        return step

    def group(self, datapath: Datapath, ports: tuple[int, ...]) -> int:
        """Return the group that spreads frames over some ports of a switch."""
        groups = self.groups.setdefault(datapath.datapath_id, {})
        if ports not in groups:
            groups[ports] = next(self.group_ids)
            buckets = [Bucket((Output(port),), weight=1) for port in ports]
            datapath.add_group(groups[ports], GroupType.SELECT, buckets)
        return groups[ports]

    def forget(self, pair: Pair) -> None:
        """Take a pair's entries out."""
        self.tell()  # which may be some of these
        self.put_in.pop(pair, None)
        for end in self.routes.pop(pair):
            self.take_out(end, pair)

    def take_out(self, end: SwitchEnd, pair: Pair) -> None:
        """Delete one entry."""
        if datapath := self.datapaths.get(end.datapath_id):
            strict = FlowModCommand.DELETE_STRICT
            datapath.send(FlowMod(match_of(end, pair), command=strict, priority=PRIORITY))

    # Changes

    def changed(self, event: Event) -> None:
        """Reroute those whom a change of the topology touches."""
        match event:
            case LinkDown(link=link):
                self.dead_ends.append(link.src)
                self.reroute([*self.routes.over(link), *self.routes.over(link.back)])
            case HostMoved(host=host) | HostGone(host=host):
                self.reroute(self.routes.of_host(host.mac))

    def reroute(self, pairs: Iterable[Pair], again: bool = False) -> None:
        """Give each pair the routes that there are now: some at once, others in later turns."""
        is_under_way = bool(self.waiting)
        for pair in sorted(pairs, key=itemgetter(1, 0)):  # what leads to one target, together
            self.waiting[pair] = again or self.waiting.get(pair, False)
        if not is_under_way:
            self.reroute_some()

    def reroute_some(self) -> None:
        """Give routes to as many pairs as one turn of the loop has time for."""
        turn = list(islice(self.waiting.items(), PAIRS_AT_ONCE))
        for pair, _ in turn:
            del self.waiting[pair]
        if self.waiting:  # first, so that others get theirs whatever goes wrong with these
            get_running_loop().call_soon(self.reroute_some)
        for pair, again in turn:
            source, target = map(self.topology.hosts.get, pair)
            if pair not in self.routes:
                continue  # it was given up meanwhile
            if source is not None and target is not None:
                self.order(source, target, again)
            else:
                self.forget(pair)
        self.tell()
        if not self.waiting:
            self.drop_groups()

    def drop_groups(self) -> None:
        """Delete the groups that would send into links that are gone, as nobody uses them now."""
        for end in self.dead_ends:
            groups = self.groups.get(end.datapath_id, {})
            if end.port_no in self.topology.graph.links_of(end.datapath_id):
                continue  # it is back
            for ports in [ports for ports in groups if end.port_no in ports]:
                group_id = groups.pop(ports)
                if datapath := self.datapaths.get(end.datapath_id):
                    datapath.delete_group(group_id)
        self.dead_ends.clear()


def match_of(end: SwitchEnd, pair: Pair) -> Match:
    """Return the match of a pair's entry for frames that come in by a port."""
    in_port, (source, target) = end.port_no, pair
    return ALIKE.alike({"in_port": in_port, "eth_src": source, "eth_dst": target})


if __name__ == "__main__":
    links = Topology()
    run(links, Forwarding(links))
