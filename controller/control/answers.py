"""What a running controller answers: switches, ports, flows, topology, and what was said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any

from protocol import (
    DecodeError,
    FlowModCommand,
    FlowStatsReply,
    FlowStatsRequest,
    Message,
    PortConfig,
    PortDesc,
    PortState,
    RequestTimeout,
)
from protocol.groups import GroupDescReply, GroupDescRequest
from protocol.meters import MeterDescReply, MeterDescRequest
from protocol.syntax import Flow, group_text, meter_text

from ..datapath import Datapath
from ..recorder import Joiner, Note, Said
from ..server import Controller
from ..topology import Topology

Answer = dict[str, Any]
MAX_WAITING = 4096  # notes that a follower has not taken; above that some are left out
_REPLY_TIMEOUT = 2.0  # seconds in which a message sent by hand may have an answer


class Unanswerable(Exception):
    """A question cannot be answered; the text is a sentence with the cure."""


def parse_datapath_id(text: str) -> int:
    """Read a switch's number: hex as in 0x1f or with 16 digits, decimal, or s3 as Mininet has it.

    >>> parse_datapath_id("s3"), parse_datapath_id("0x1f"), parse_datapath_id("000000000000001f")
    (3, 31, 31)
    """
    word = text.strip().lower()
    try:
        if word.startswith("s"):
            return int(word[1:])
        return int(word, 16 if len(word) == 16 else 0)
    except ValueError:
        cure = "write it as 3, 0x1f or s3"
        raise Unanswerable(f"{text!r} is no datapath_id: {cure}") from None


def _one(controller: Controller, question: Answer) -> Datapath:
    number = parse_datapath_id(str(question["switch"]))
    if number not in controller.datapaths:
        known = ", ".join(f"{one:#x}" for one in sorted(controller.datapaths)) or "none at all"
        raise Unanswerable(f"switch {number:#x} is not connected; connected are {known}")
    return controller.datapaths[number]


def _some(controller: Controller, question: Answer) -> Iterable[Datapath]:
    if question.get("switch"):
        return [_one(controller, question)]
    return [datapath for _, datapath in sorted(controller.datapaths.items())]


def _topology(controller: Controller) -> Topology:
    for handlers in controller.handlers:
        if isinstance(handlers.app, Topology):
            return handlers.app
    raise Unanswerable("no application keeps the topology; start forwarding, which does")


# Questions


async def switches(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell each switch that is connected."""
    for datapath in _some(controller, question):
        yield {
            "datapath_id": f"{datapath.datapath_id:#x}",
            "version": str(datapath.version),
            "peer": datapath.peer,
            "ports": len(datapath.ports),
            "tables": datapath.features.n_tables,
        }


async def ports(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell the ports of one switch, or of all."""
    for datapath in _some(controller, question):
        for desc in sorted(datapath.ports.values(), key=lambda one: one.port_no):
            yield {"datapath_id": f"{datapath.datapath_id:#x}", **_port(desc)}


def _port(desc: PortDesc) -> Answer:
    down = desc.state & PortState.LINK_DOWN
    return {
        "port_no": int(desc.port_no),
        "name": desc.name,
        "hw_addr": str(desc.hw_addr),
        "link": "down" if down else "up",
        "config": [flag.name for flag in PortConfig if desc.config & flag],
    }


async def flows(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell the flow entries of one switch, or of all, as ovs-ofctl writes them."""
    for datapath in _some(controller, question):
        reply = await datapath.request(FlowStatsRequest(), FlowStatsReply)
        for entry in reply.flows:
            yield {
                "datapath_id": f"{datapath.datapath_id:#x}",
                "flow": str(Flow.of(entry)),
                "packets": entry.stats.packet_count,
                "bytes": entry.stats.byte_count,
                "seconds": entry.stats.duration_sec,
            }


async def flow_mod(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Add, modify or delete entries, and wait until the switch has done it."""
    datapath = _one(controller, question)
    command = FlowModCommand[str(question["command"]).upper()]
    message = Flow.parse(str(question["flow"])).mod(command, datapath.version)
    await datapath.confirm(message)
    yield {"datapath_id": f"{datapath.datapath_id:#x}", "done": str(message)}


async def groups(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell the groups of one switch, or of all."""
    for datapath in _some(controller, question):
        if datapath.speaks(GroupDescRequest):
            reply = await datapath.request(GroupDescRequest(), GroupDescReply)
            for desc in reply.groups:
                yield {"datapath_id": f"{datapath.datapath_id:#x}", "group": group_text(desc)}


async def meters(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell the meters of one switch, or of all."""
    for datapath in _some(controller, question):
        if datapath.speaks(MeterDescRequest):
            reply = await datapath.request(MeterDescRequest(), MeterDescReply)
            for desc in reply.meters:
                yield {"datapath_id": f"{datapath.datapath_id:#x}", "meter": meter_text(desc)}


async def topology(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell the links, and how far discovery is."""
    known = _topology(controller)
    for link in sorted(known.graph.links.values()):
        latency = known.latency.get(link)
        yield {
            "src": str(link.src),
            "dst": str(link.dst),
            "both_ways": known.graph.both_ways(link),
            "latency_ms": None if latency is None else round(latency * 1000, 3),
        }
    yield {"progress": known.progress(), "switches": len(known.graph.switches)}


async def hosts(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell the hosts that were heard of."""
    now = asyncio.get_running_loop().time()
    for host in sorted(_topology(controller).hosts, key=lambda one: one.mac):
        yield {
            "mac": str(host.mac),
            "addresses": [str(one) for one in host.addresses],
            "at": str(host.end),
            "silent_for": round(now - host.last_seen, 1),
        }


async def send(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Send a message in hex, and tell what the switch answers within two seconds."""
    datapath = _one(controller, question)
    try:
        message = Message.decode(bytes.fromhex(str(question["message"])))
    except (ValueError, DecodeError) as error:
        raise Unanswerable(f"this is no message in hex: {error}") from error
    try:
        reply = await datapath.request(message, timeout=_REPLY_TIMEOUT)
    except RequestTimeout:
        yield {"sent": str(message), "answer": None}
    else:
        yield {"sent": str(message), "answer": str(reply)}


async def record(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell what was said, and with `follow` what is said from now on."""
    wanted = parse_datapath_id(str(question["switch"])) if question.get("switch") else None
    for said in controller.recorder.said():
        if _is_wanted(said, wanted):
            yield _said(said)
    if question.get("follow"):
        async for said in _followed(controller):
            if _is_wanted(said, wanted):
                yield _said(said)


def _is_wanted(said: Said, datapath_id: int | None) -> bool:
    return datapath_id is None or said.tape.datapath_id == datapath_id


def _said(said: Said) -> Answer:
    number = said.tape.datapath_id
    return {
        "at": said.at,
        "peer": said.tape.peer,
        "datapath_id": None if number is None else f"{number:#x}",
        "from_switch": said.from_switch,
        "text": said.text(),
        "hex": said.data.hex(),
    }


async def _followed(controller: Controller) -> AsyncGenerator[Said, None]:
    waiting: asyncio.Queue[Note] = asyncio.Queue(MAX_WAITING)

    def take(note: Note) -> None:
        if not waiting.full():  # who reads too slowly misses some; the channels do not wait
            waiting.put_nowait(note)

    end, joiner = controller.recorder.follow(take), Joiner()
    try:
        while True:
            for said in joiner.add(await waiting.get()):
                yield said
    finally:
        end()


QUESTIONS: dict[str, Callable[[Controller, Answer], AsyncGenerator[Answer, None]]] = {
    "switches": switches,
    "ports": ports,
    "flows": flows,
    "flow_mod": flow_mod,
    "groups": groups,
    "meters": meters,
    "topology": topology,
    "hosts": hosts,
    "send": send,
    "record": record,
}
