"""What a running controller is told to change: each waits until the switch has done it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any

from msgspec.structs import replace

from protocol import (
    ALL_TABLES,
    OF10,
    OF11,
    FlowMod,
    FlowModCommand,
    GroupModCommand,
    Message,
    MeterModCommand,
    PortConfig,
)
from protocol.spec_names import message_name
from protocol.syntax import Flow, parse_group, parse_meter
from protocol.text import brief_text

from ..datapath import Datapath
from ..orders import Orders
from ..server import Controller
from .which import Unanswerable, one_switch

Answer = dict[str, Any]


async def _do(datapath: Datapath, message: Message, *more: Message) -> Answer:
    await datapath.confirm(message, *more)
    done = f"{message_name(type(message))}: {brief_text(message)}"
    return {"datapath_id": f"{datapath.datapath_id:#x}", "done": done}


async def flow_mod(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Add, modify or delete entries."""
    datapath = one_switch(controller, question)
    command, flow = FlowModCommand[question["command"]], Flow.parse(str(question["text"]))
    if datapath.version == OF10 and flow.table_id:
        cure = f"leave table={flow.table_id} out"
        raise Unanswerable(f"{datapath}: OpenFlow 1.0 has one table, 1.1 to 1.5 have more: {cure}")
    yield await _do(datapath, *_for_tables(datapath, flow.mod(command, datapath.version)))


def _for_tables(datapath: Datapath, message: FlowMod) -> Iterable[FlowMod]:
    """Return it for each table where all are meant and OF1.1, unlike OF1.2, cannot say that."""
    if datapath.version != OF11 or message.table_id != ALL_TABLES:
        return [message]
    return (replace(message, table_id=one) for one in range(datapath.n_tables))


async def group_mod(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Add, modify or delete a group, or its buckets."""
    datapath = one_switch(controller, question)
    command = GroupModCommand[question["command"]]
    yield await _do(datapath, parse_group(str(question["text"]), command, datapath.version))


async def meter_mod(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Add, modify or delete a meter."""
    datapath = one_switch(controller, question)
    yield await _do(
        datapath, parse_meter(str(question["text"]), MeterModCommand[question["command"]])
    )


async def port_mod(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Set or clear a bit of a port's configuration."""
    datapath = one_switch(controller, question)
    flag = PortConfig[question["flag"]]
    draft = _Draft(datapath)
    draft.port_mod(
        _port_no(datapath, str(question["port"])), flag if question["value"] else 0, flag
    )
    yield await _do(datapath, *draft.messages)


def _port_no(datapath: Datapath, text: str) -> int:
    """Return the number of a port, which is called by it or by its name."""
    for port_no, desc in datapath.ports.items():
        if text in (desc.name, str(int(port_no))):
            return port_no
    known = ", ".join(f"{int(no)} ({datapath.ports[no].name})" for no in sorted(datapath.ports))
    raise Unanswerable(f"switch {datapath} has no port {text!r}; it has {known or 'none at all'}")


class _Draft(Orders):
    """Keeps messages instead of sending them, so that their errors can be waited for."""

    def __init__(self, datapath: Datapath) -> None:
        self._datapath = datapath
        self.version, self.n_tables = datapath.version, datapath.n_tables
        self.ports = datapath.ports
        self.messages: list[Message] = []
        self._take = self._pass = _keeping(self.messages)

    def __str__(self) -> str:
        return str(self._datapath)


def _keeping(messages: list[Message]) -> Callable[[Message], int]:
    def keep(message: Message) -> int:
        messages.append(message)
        return message.xid

    return keep


QUESTIONS = {
    "flow_mod": flow_mod,
    "group_mod": group_mod,
    "meter_mod": meter_mod,
    "port_mod": port_mod,
}
