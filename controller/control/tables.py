"""What a running controller asks its switches for: flow entries, groups, meters, ports."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from protocol import PortDesc, PortState
from protocol.as_data import as_data
from protocol.groups import GroupDescRequest
from protocol.meters import MeterDescRequest
from protocol.ports import PortConfig
from protocol.syntax import Flow, group_text, meter_text

from ..datapath import Datapath
from ..server import Controller
from .which import some_switches

Answer = dict[str, Any]


def _of(datapath: Datapath) -> Answer:
    return {"datapath_id": f"{datapath.datapath_id:#x}"}


async def ports(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell the ports of one switch, or of all."""
    for datapath in some_switches(controller, question):
        for desc in sorted(datapath.ports.values(), key=lambda one: one.port_no):
            yield {**_of(datapath), **_port(desc)}


def _port(desc: PortDesc) -> Answer:
    down = desc.state & PortState.LINK_DOWN
    return {
        "port_no": int(desc.port_no),
        "name": desc.name,
        "hw_addr": str(desc.hw_addr),
        "link": "down" if down else "up",
        "config": [flag.name for flag in PortConfig if desc.config & flag],
    }


async def port_stats(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell what the ports of one switch counted, or of all."""
    for datapath in some_switches(controller, question):
        for entry in sorted(await datapath.port_stats(), key=lambda one: one.port_no):
            yield {**_of(datapath), **as_data(entry, datapath.version)}


async def flows(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell the flow entries of one switch, or of all, as ovs-ofctl writes them."""
    for datapath in some_switches(controller, question):
        # Not as a stream: a reader of ours that is slow must not slow the switch down.
        for entry in await datapath.flow_stats():
            fields = as_data(entry, datapath.version)
            del fields["stats"]
            owner = controller.spaces.whose(entry.cookie)
            yield {
                **_of(datapath),
                "app": None if owner is None else owner.app,
                "flow": str(Flow.of(entry)),
                "packet_count": entry.stats.packet_count,
                "byte_count": entry.stats.byte_count,
                "duration_sec": entry.stats.duration_sec,
                **fields,
            }


async def groups(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell the groups of one switch, or of all."""
    for datapath in some_switches(controller, question):
        if datapath.speaks(GroupDescRequest):
            for desc in await datapath.group_desc():
                fields = as_data(desc, datapath.version)
                yield {**_of(datapath), "group": group_text(desc), **fields}


async def meters(controller: Controller, question: Answer) -> AsyncGenerator[Answer, None]:
    """Tell the meters of one switch, or of all."""
    for datapath in some_switches(controller, question):
        if datapath.speaks(MeterDescRequest):
            for desc in await datapath.meter_desc():
                fields = as_data(desc, datapath.version)
                yield {**_of(datapath), "meter": meter_text(desc), **fields}


QUESTIONS = {
    "ports": ports,
    "port_stats": port_stats,
    "flows": flows,
    "groups": groups,
    "meters": meters,
}
