"""OF1.0 by Nicira: tables in commands, and what its own matches have no words for."""

from __future__ import annotations

from msgspec.structs import asdict, replace

from protocol import ALL_TABLES, FlowMod, FlowModCommand, FlowRemoved
from protocol import nicira as nx

_DELETES = (FlowModCommand.DELETE, FlowModCommand.DELETE_STRICT)
_COMMANDS = {int(command): command for command in FlowModCommand}


def in_some_table(message: nx.FlowMod) -> nx.FlowMod:
    """Return a flow_mod of OF1.0 with a table for entries to make, where it leaves that open."""
    if message.table_id != ALL_TABLES or message.command in _DELETES:
        return message
    return replace(message, table_id=0)


def with_table(message: FlowMod) -> nx.FlowMod:
    """Return a flow_mod with the table that its command has in the upper 8 bits."""
    command = message.command & 0xFF
    made = nx.FlowMod(
        match=message.match,
        instructions=message.instructions,
        command=_COMMANDS.get(command, command),
        priority=message.priority,
        idle_timeout=message.idle_timeout,
        hard_timeout=message.hard_timeout,
        table_id=message.command >> 8,
        cookie=message.cookie,
        buffer_id=message.buffer_id,
        out_port=message.out_port,
        flags=message.flags,
        xid=message.xid,
    )
    return in_some_table(made)


def flow_removed_in_nxm(message: FlowRemoved) -> nx.FlowRemoved:
    """Return the message that an entry went with its match in NXM."""
    return nx.FlowRemoved(**asdict(message))
