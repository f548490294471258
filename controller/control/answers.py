"""What a running controller answers: switches, topology, hosts, and what was said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from protocol import DecodeError, Message, RequestTimeout

from ..conversation.listener import Listener
from ..conversation.selection import class_called
from ..conversation.telling import as_answer
from ..server import Controller
from ..topology import Topology
from . import changes, tables
from .which import Unanswerable, bridge_name, datapath_id_of, one_switch, some_switches

Answer = dict[str, Any]
_REPLY_TIMEOUT = 2.0  # seconds in which a message sent by hand may have an answer


def _topology(controller: Controller) -> Topology:
    for handlers in controller.handlers:
        if isinstance(handlers.app, Topology):
            return handlers.app
    raise Unanswerable("no application keeps the topology; start forwarding, which does")


# Questions


async def switches(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell each switch that is connected."""
    for datapath in some_switches(controller, question):
        yield {
            "datapath_id": f"{datapath.datapath_id:#x}",
            "name": bridge_name(datapath),
            "version": str(datapath.version),
            "peer": datapath.peer,
            "ports": len(datapath.ports),
            "tables": datapath.features.n_tables,
        }


async def topology(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell the links, and how far discovery is."""
    known = _topology(controller)
    for link in sorted(known.graph.links.values()):
        latency = known.latency(link)
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
    """Send a message in hex or by name, and tell what the switch answers within two seconds."""
    datapath = one_switch(controller, question)
    message = _message(str(question["message"]))
    try:
        reply = await datapath.request(message, timeout=_REPLY_TIMEOUT)
    except RequestTimeout:
        yield {"sent": str(message), "answer": None}
    else:
        yield {"sent": str(message.numbered(reply.xid)), "answer": str(reply)}


def _message(text: str) -> Message:
    if (cls := class_called(text)) is not None:
        try:
            return cls()
        except TypeError as error:
            cure = "write the whole message in hex"
            raise Unanswerable(f"{text} needs to be told more than its name: {cure}") from error
    try:
        return Message.decode(bytes.fromhex(text))
    except (ValueError, DecodeError) as error:
        raise Unanswerable(f"this is neither a message in hex nor the name of one: {error}") from (
            error
        )


async def record(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell what was said, and with `follow` what is said from now on."""
    numbers = {datapath_id_of(controller, str(one)) for one in question.get("switches", ())}
    missed = 0
    with Listener(controller.recorder) as listener:
        async for said, gap in listener.heard(bool(question.get("follow"))):
            missed += gap
            if not numbers or said.tape.datapath_id in numbers:
                yield as_answer(said, missed)
                missed = 0


QUESTIONS: dict[str, Callable[[Controller, Answer], AsyncGenerator[Answer, None]]] = {
    "switches": switches,
    **tables.QUESTIONS,
    **changes.QUESTIONS,
    "topology": topology,
    "hosts": hosts,
    "send": send,
    "record": record,
}
