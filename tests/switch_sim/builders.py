"""Builders of what tests of the switch talk about; they fill in the rest."""

from __future__ import annotations

from copy import copy
from typing import Any

from protocol import (
    OF13,
    Action,
    ApplyActions,
    ErrorCode,
    ErrorMsg,
    FlowMod,
    GroupMod,
    GroupModCommand,
    Instruction,
    MacAddress,
    Match,
    Message,
    PacketIn,
    PortDesc,
    UnknownError,
    Version,
)
from protocol.groups import (
    GroupDescReply,
    GroupDescRequest,
    GroupStats,
    GroupStatsReply,
    GroupStatsRequest,
)
from protocol.syntax.group import group_text, parse_group
from switch_sim import Effects, Session, Switch
from switch_sim.flow_entry import FlowEntry
from switch_sim.packet import Packet

NO_MATCH = Match()
ADD = GroupModCommand.ADD


def ports(count: int) -> list[PortDesc]:
    return [
        PortDesc(number, hw_addr=MacAddress(0xA0 + number), name=f"eth{number}")
        for number in range(1, count + 1)
    ]


def flow(match: Match = NO_MATCH, *actions: Action, **fields: Any) -> FlowMod:
    """A flow_mod that applies actions, or has the instructions given."""
    instructions: tuple[Instruction, ...] = (ApplyActions(actions),) if actions else ()
    return FlowMod(match, **{"instructions": instructions, **fields})


def entry(match: Match = NO_MATCH, version: Version = OF13, **fields: Any) -> FlowEntry:
    return FlowEntry(flow(match, **fields), version, now=0.0)


def group(text: str, version: Version, command: GroupModCommand = ADD) -> GroupMod:
    """A group as users of ovs-ofctl write it."""
    return parse_group(text, command, version)


def packet(data: bytes, in_port: int = 1, version: Version = OF13) -> Packet:
    return Packet(data, in_port, version, 0.0, Effects())


class Bench:
    """A switch with ports 1, 2 … and one controller."""

    def __init__(self, version: Version = OF13, n_ports: int = 3, **options: Any) -> None:
        self.switch = Switch(1, ports(n_ports), **options)
        self.version = version
        self.session: Session = self.switch.connect(version)

    def other(self, version: Version | None = None) -> Bench:
        """Another controller at the same switch."""
        other = copy(self)
        other.version = version or self.version
        other.session = self.switch.connect(other.version)
        return other

    def heard(self, effects: Effects) -> list[Message]:
        """What of some effects this controller hears."""
        return [message for session, message in effects.messages if session is self.session]

    def say(self, message: Message, now: float = 0.0) -> list[Message]:
        """Say what must not be refused, as it is read off the wire; return the answers."""
        answers = self.ask(message, now)
        assert not any(isinstance(one, ErrorMsg) for one in answers), answers
        return answers

    def ask(self, message: Message, now: float = 0.0) -> list[Message]:
        return self.heard(self.effects_of(message, now))

    def effects_of(self, message: Message, now: float = 0.0) -> Effects:
        raw = message.encode(self.version)
        effects = self.switch.handle(self.session, Message.decode(raw), now, raw)
        effects.messages += [(session, part) for session, rest in effects.answers for part in rest]
        for session, answer in effects.messages:
            assert Message.decode(answer.encode(session.version))
        return effects

    def refusal(self, message: Message) -> ErrorCode | UnknownError | None:
        """The code of the error that a message meets, None if it is done."""
        for answer in self.ask(message):
            if isinstance(answer, ErrorMsg):
                return answer.code
        return None

    def frames(self, data: bytes, in_port: int = 1, now: float = 0.0) -> list[tuple[int, bytes]]:
        """What leaves the ports when a frame comes in."""
        return self.switch.receive_frame(in_port, data, now).frames

    def out_ports(self, data: bytes, in_port: int = 1, now: float = 0.0) -> list[int]:
        return [port_no for port_no, _ in self.frames(data, in_port, now)]

    def packet_ins(self, data: bytes, in_port: int = 1) -> list[PacketIn]:
        effects = self.switch.receive_frame(in_port, data, 0.0)
        for _, message in effects.messages:
            assert Message.decode(message.encode(self.version))
        return [message for _, message in effects.messages if isinstance(message, PacketIn)]


def flows_of(bench: Bench) -> list[FlowEntry]:
    return [entry for table in bench.switch.tables.values() for entry in table]


def groups_of(bench: Bench) -> list[str]:
    """The groups as users of ovs-ofctl write them."""
    [reply] = bench.say(GroupDescRequest())
    assert isinstance(reply, GroupDescReply)
    return [group_text(desc) for desc in reply.groups]


def group_stats(bench: Bench, group_id: int, now: float = 0.0) -> GroupStats:
    [reply] = bench.say(GroupStatsRequest(group_id), now)
    assert isinstance(reply, GroupStatsReply)
    [stats] = reply.groups
    return stats
