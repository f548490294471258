"""Write tests/protocol/vectors/*.txt: what each message means, and its bytes from others.

    python -m tests.oracle.make_vectors

The bytes come from os-ken's encoders, from what ovs-ofctl and a real Open vSwitch say to
each other, and a few from Open vSwitch's tests (tests/ofp-print.at); none from our encoder.
The meaning is written here by hand, in our words. Both are needed: os-ken==4.2.2, which
knows all versions but 1.1, and Open vSwitch 3.1. The xid of every message is made 0: who
encodes it chose the number, it means nothing. What Open vSwitch says in Nicira's name is
put into the mouth of an experimenter whom nobody knows, as Nicira has chapters of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from protocol.version import OF10, OF11, OF12, OF13, OF15, Version

from .open_vswitch import Channel, Switch
from .open_vswitch_tables import (
    CLASSIC_ACTIONS,
    CLASSIC_MATCHES,
    FACTS,
    OFCTL_FLOWS,
    OFCTL_INSTRUCTIONS,
    P1_MAC,
    SWITCH_SAYS,
    port_desc,
)
from .os_ken import VERSIONS, OsKen, serialized
from .os_ken_tables import ACTIONS, FIELDS, INSTRUCTIONS, MATCH_SETS, OS_KEN_MESSAGES

NICIRA, STRANGER = b"\x00\x00\x23\x20", "0x00ABCDEF"
DIRECTORY = Path(__file__).parents[1] / "protocol" / "vectors"
ARP_FRAME = (
    "in_port(1),eth(src=50:54:00:00:00:05,dst=ff:ff:ff:ff:ff:ff),eth_type(0x0806),arp(sip=192.168.0.1,"
    "tip=192.168.0.2,op=1,sha=50:54:00:00:00:05,tha=00:00:00:00:00:00)"
)
ARP_BYTES = (
    "ffffffffffff 505400000005 0806 0001 0800 06 04 0001"
    " 505400000005 c0a80001 000000000000 c0a80002"
)
NUMBERS = {  # of messages, up to OF1.0 and since OF1.1
    "barrier_request": (18, 20),
    "barrier_reply": (19, 21),
    "flow_mod": (14, 14),
    "multipart_request": (16, 18),
    "multipart_reply": (17, 19),
    "packet_in": (10, 10),
    "packet_out": (13, 13),
    "port_mod": (15, 16),
}


class Vector(NamedTuple):
    """An expression, and the bytes that somebody else writes for it."""

    chapter: str
    meaning: str
    version: Version
    expression: str
    data: bytes


def number_of(name: str, version: Version) -> int:
    """Return the number of a message."""
    return NUMBERS[name][version > OF10]


# os-ken


class Builder(OsKen):
    """os-ken at one version, with what the `build` functions of the tables need."""

    def flow_mod(self, **given: Any) -> Any:
        """Return a flow_mod with our defaults, which are not all os-ken's."""
        ofproto = self.ofproto
        given.setdefault("match", self.parser.OFPMatch())
        defaults = {
            "cookie": 0,
            "command": ofproto.OFPFC_ADD,
            "priority": 0x8000,
            "buffer_id": 0xFFFF_FFFF,
        }
        if self.version > OF10:
            defaults |= {"out_port": ofproto.OFPP_ANY, "out_group": ofproto.OFPG_ANY}
        if self.version == OF12:  # takes all that has no default elsewhere
            rest = ("cookie_mask", "table_id", "idle_timeout", "hard_timeout", "flags")
            defaults |= dict.fromkeys(rest, 0) | {"instructions": []}
        return self.parser.OFPFlowMod(self.datapath, **defaults | given)

    def applied(self, *actions: Any) -> list[Any]:
        """Return instructions that apply these actions."""
        kind = self.ofproto.OFPIT_APPLY_ACTIONS
        return [self.parser.OFPInstructionActions(kind, list(actions))]


def os_ken_vectors() -> Iterator[Vector]:
    """Return all vectors that os-ken writes."""
    for version in VERSIONS:
        os_ken = Builder(version)
        for chapter, meaning, versions, expression, build in OS_KEN_MESSAGES:
            if version in versions:
                yield Vector(chapter, meaning, version, expression, serialized(build(os_ken)))
        if version > OF10:
            yield from _in_flow_mods(os_ken)
            yield from _fields(os_ken)


def _in_flow_mods(os_ken: Builder) -> Iterator[Vector]:
    for name, versions, expression, build in ACTIONS:
        if os_ken.version in versions:
            message = os_ken.flow_mod(instructions=os_ken.applied(build(os_ken)))
            text = f"FlowMod(instructions=(ApplyActions(({expression},)),))"
            yield Vector("actions", name, os_ken.version, text, serialized(message))
    for name, versions, expression, build in INSTRUCTIONS:
        if os_ken.version in versions:
            message = os_ken.flow_mod(instructions=[build(os_ken)])
            text = f"FlowMod(instructions=({expression},))"
            yield Vector("instructions", name, os_ken.version, text, serialized(message))


def _fields(os_ken: Builder) -> Iterator[Vector]:
    """Each field in the first version that has it, and in the last one."""
    for name, first, value, mask, needs in FIELDS:
        if os_ken.version not in (first, OF15):
            continue
        yield _matched(os_ken, f"{name}", {**needs, name: value})
        if mask is not None:
            yield _matched(os_ken, f"{name} under a mask", {**needs, name: (value, mask)})
    for meaning, versions, fields in MATCH_SETS:
        if os_ken.version in versions:
            yield _matched(os_ken, meaning, fields)


def _matched(os_ken: Builder, meaning: str, fields: dict[str, Any]) -> Vector:
    message = os_ken.flow_mod(match=os_ken.parser.OFPMatch(**fields))
    text = ", ".join(f"{name}={value!r}" for name, value in fields.items())
    expression = f"FlowMod(match=Match({text}))"
    return Vector("match", meaning, os_ken.version, expression, serialized(message))


# Open vSwitch


def ofctl_vectors(switch: Switch) -> Iterator[Vector]:
    """Return what ovs-ofctl and the switch say to each other."""
    for version in Version:
        for chapter, meaning, versions, command, number, expression in SWITCH_SAYS:
            if version in versions:
                heard = switch.ofctl(version, *command)
                yield Vector(chapter, meaning, version, expression, picked(heard, number, version))
        yield from _ofctl_flows(switch, version)
        switch.ofctl(version, "del-flows")


def _ofctl_flows(switch: Switch, version: Version) -> Iterator[Vector]:
    def add(chapter: str, meaning: str, flow: str, expression: str) -> Vector:
        heard = switch.ofctl(version, "add-flow", flow)
        return Vector(chapter, meaning, version, expression, picked(heard, "flow_mod", version))

    for versions, match, expression in CLASSIC_MATCHES:
        if version in versions:
            other = "~ " if expression.startswith("~") else ""
            text = f"{other}FlowMod(match=Match({expression.removeprefix('~')}))"
            yield add("match", match, f"{match},actions=drop", text)
    for versions, match, action, expression, fields in CLASSIC_ACTIONS:
        if version in versions:
            text = f"FlowMod(match=Match({fields}), instructions=(ApplyActions(({expression},)),))"
            yield add("actions", action, f"{match},actions={action}", text)
    for versions, actions, expression in OFCTL_INSTRUCTIONS:
        if version in versions:
            text = f"FlowMod(instructions=({expression},))"
            yield add("instructions", actions, f"actions={actions}", text)
    for versions, command, flow, meaning, expression in OFCTL_FLOWS:
        if version in versions:
            if version == OF10:  # there is no place for a table
                flow = flow.replace("table=0,", "")
            strict = "STRICT" in expression
            heard = switch.ofctl(version, command, flow, strict=strict)
            data = picked(heard, "flow_mod", version)
            yield Vector("flows", meaning, version, expression, data)


def picked(heard: Iterable[bytes], name: str, version: Version) -> bytes:
    """Return the first message of this number; behind a dot may stand a multipart type."""
    name, _, kind = name.partition(".")
    number = int(name) if name.isdigit() else number_of(name, version)
    found = [
        message
        for message in heard
        if message[:2] == bytes([version, number])
        and (not kind or message[8:10] == int(kind).to_bytes(2, "big"))
    ]
    if not found:
        raise LookupError(f"nobody said {name} {kind}")
    return found[0]


def told_vectors(switch: Switch) -> Iterator[Vector]:
    """Return what the switch tells a controller of its own accord."""
    for version in Version:
        with switch.talk(version) as channel:
            channel.settle()
            yield _refused(version, channel)
            yield from _an_entry(switch, version, channel)
            yield _port_changed(switch, version, channel)


def _refused(version: Version, channel: Channel) -> Vector:
    channel.say(77)
    return Vector(
        "symmetric",
        "there is no message 77; the data is the message that was wrong",
        version,
        f"ErrorMsg(BadRequestCode.BAD_TYPE, bytes.fromhex('{version:02x}4d0008 00000007'))",
        channel.hear(1),
    )


def _an_entry(switch: Switch, version: Version, channel: Channel) -> Iterator[Vector]:
    """An entry is added, a packet comes, the entry is asked about and deleted."""
    # Open vSwitch tells of hard_timeout in OF1.1, too, where the specification has padding.
    timeouts = "idle_timeout=60" if version == OF11 else "idle_timeout=60,hard_timeout=90"
    flow = f"arp,priority=3,cookie=9,send_flow_rem,{timeouts}"
    switch.ofctl(version, "add-flow", f"{flow},actions=controller:64,output:1")
    switch.appctl("revalidator/purge")
    switch.appctl("netdev-dummy/receive", "p1", ARP_FRAME)
    cookie = "cookie=9, " if version >= OF13 else ""
    yield Vector(
        "packets",
        "an ARP request that an entry sent to the controller",
        version,
        f"PacketIn(total_len=42, reason=PacketInReason.ACTION, {cookie}match=Match(in_port=1),"
        f" data=bytes.fromhex('{ARP_BYTES}'))",
        channel.hear(number_of("packet_in", version)),
    )
    switch.appctl("time/warp", "2000")
    entry = "Match(eth_type=0x0806), cookie=9, priority=3, idle_timeout=60"
    counted = "stats=Stats(duration_sec=2, duration_nsec=0{}, packet_count=1, byte_count=42)"
    heard = switch.ofctl(version, "dump-flows")
    flags = ", flags=FlowModFlags.SEND_FLOW_REM" if version >= OF13 else ""
    stats = counted.format(", idle_sec=2, idle_nsec=0" if version >= OF15 else "")
    hard = "" if version == OF11 else ", hard_timeout=90"
    actions = "(ApplyActions((Output(Port.CONTROLLER, 64), Output(1, 0))),)"
    yield Vector(
        "flows",
        "one entry; in OF1.1 Open vSwitch writes its match as Nicira's OXM",
        version,
        f"{'~ ' if version == OF11 else ''}FlowStatsReply((FlowStats({entry}{hard}{flags},"
        f" {stats}, instructions={actions}),))",
        picked(heard, "multipart_reply.1", version),
    )
    switch.ofctl(version, "del-flows", "arp")
    hard = hard if version >= OF12 else ""
    yield Vector(
        "flows",
        "an entry was deleted after two seconds and one packet",
        version,
        f"FlowRemoved({entry}{hard}, reason=FlowRemovedReason.DELETE, {counted.format('')})",
        channel.hear(11),
    )


def _port_changed(switch: Switch, version: Version, channel: Channel) -> Vector:
    switch.ofctl(version, "mod-port", "1", "no-packet-in")
    port = port_desc(version, "1", P1_MAC, "p1", "PortConfig.NO_PACKET_IN")
    status = channel.hear(12)
    switch.ofctl(version, "mod-port", "1", "packet-in")
    return Vector(
        "ports", "port 1 was changed", version, f"PortStatus(PortReason.MODIFY, {port})", status
    )


# The files


def with_xid_0(data: bytes) -> bytes:
    """Return the message with an xid that means nothing."""
    return data[:4] + bytes(4) + data[8:]


def by_a_stranger(vector: Vector) -> bytes:
    """Return the message with an experimenter that nobody knows in place of Nicira."""
    if STRANGER not in vector.expression:
        return vector.data
    return vector.data.replace(NICIRA, bytes.fromhex(STRANGER.removeprefix("0x")))


def written(vectors: Iterable[Vector]) -> str:
    """Return vectors as text, those of the same meaning under one comment."""
    lines: list[str] = []
    meaning = ""
    for vector in vectors:
        lines.append("")
        if vector.meaning != meaning:
            meaning = vector.meaning
            lines.append(f"# {meaning}")
        lines.append(f"OF1{vector.version - 1}  {vector.expression}")
        lines += [f"      {line}" for line in _hex_lines(with_xid_0(by_a_stranger(vector)))]
    return "\n".join(lines).lstrip("\n") + "\n"


def _hex_lines(data: bytes) -> Iterator[str]:
    yield f"{data[:1].hex()} {data[1:2].hex()} {data[2:4].hex()} {data[4:8].hex()}"
    for at in range(8, len(data), 16):
        yield data[at : at + 16].hex(" ", -4)


def main() -> None:
    chapters: dict[str, list[Vector]] = defaultdict(list)
    with Switch() as switch:
        found = [*os_ken_vectors(), *ofctl_vectors(switch), *told_vectors(switch)]
    for chapter, meaning, version, expression, hexadecimal in FACTS:
        found.append(Vector(chapter, meaning, version, expression, bytes.fromhex(hexadecimal)))
    order = {vector.meaning: place for place, vector in reversed(list(enumerate(found)))}
    found.sort(key=lambda vector: (order[vector.meaning], vector.version))
    for vector in found:
        chapters[vector.chapter].append(vector)
    DIRECTORY.mkdir(exist_ok=True)
    for chapter, vectors in chapters.items():
        (DIRECTORY / f"{chapter}.txt").write_text(written(vectors))


if __name__ == "__main__":
    main()
