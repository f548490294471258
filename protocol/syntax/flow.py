"""Flows as ovs-ofctl's users write them (ovs-ofctl(8) "Flow Syntax")."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from .. import nicira
from ..exceptions import EncodeError
from ..flows import (
    ALL_TABLES,
    ANY_GROUP,
    DEFAULT_PRIORITY,
    FlowMod,
    FlowModCommand,
    FlowModFlags,
    FlowStats,
)
from ..instructions import Instruction
from ..match import Match
from ..ports import Port
from ..version import Version
from .actions import instructions_text, parse_instructions
from .match import match_words, read_match
from .spelling import spelled
from .words import Word, masked_number, number, port, port_text, unknown, words

_ALL64 = (1 << 64) - 1
_ALL_PACKETS = Match()
_DELETIONS = (FlowModCommand.DELETE, FlowModCommand.DELETE_STRICT)


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow entry, or which entries are meant, as a line of text says it.

    It belongs to no version: `mod` finds the actions that a version has for it. A line that
    says no actions at all has no instructions, as `actions=drop` has none.

    >>> flow = Flow.parse("table=1,priority=5,ip,nw_src=10.0.0.0/8,actions=output:2,goto_table:3")
    >>> flow.instructions
    (ApplyActions(actions=(Output(port=2),)), GotoTable(table_id=3))
    >>> str(flow)
    'table=1,priority=5,ip,nw_src=10.0.0.0/8 actions=output:2,goto_table:3'
    """

    match: Match = _ALL_PACKETS
    instructions: tuple[Instruction, ...] = ()
    priority: int = DEFAULT_PRIORITY
    table_id: int | None = None  #: None: 0, or all tables where something is deleted
    cookie: int = 0
    cookie_mask: int = 0
    idle_timeout: int = 0
    hard_timeout: int = 0
    importance: int = 0
    flags: int = 0  #: bits of FlowModFlags
    out_port: int = Port.ANY
    out_group: int = ANY_GROUP

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a flow; ValueError, with a sentence that says the cure, for what is none."""
        rule, behind, actions = _divided(text)
        given: dict[str, Any] = {"flags": 0}
        matches: list[Word] = []
        for word in words(rule):
            if not _read_setting(word, given):
                matches.append(word)
        instructions = parse_instructions(actions) if behind else ()
        return cls(match=_read_match(matches), instructions=instructions, **given)

    @classmethod
    def of(cls, entry: FlowMod | FlowStats) -> Self:
        """Return what a message says of an entry; its command, buffer and counters are left out."""
        return cls(**{name: getattr(entry, name) for name in _names_in(type(entry))})

    def mod(
        self, command: FlowModCommand = FlowModCommand.ADD, version: Version = Version.OF15
    ) -> FlowMod:
        """Return the message that does `command` with it, spelled as `version` does.

        Where something is deleted, a cookie without a mask means exactly this cookie. A match
        that OF1.0 cannot say is Nicira's flow_mod there.
        """
        deletes = command in _DELETIONS
        table_id = (ALL_TABLES if deletes else 0) if self.table_id is None else self.table_id
        if version == Version.OF10:
            table_id = 0  # it has no place for it, and one pipeline of one table
        exact = deletes and self.cookie and not self.cookie_mask
        cls = nicira.FlowMod if version == Version.OF10 and self._needs_nxm() else FlowMod
        return cls(
            match=self.match,
            instructions=spelled(self.instructions, version, self.match),
            command=command,
            priority=self.priority,
            idle_timeout=self.idle_timeout,
            hard_timeout=self.hard_timeout,
            table_id=table_id,
            cookie=self.cookie,
            cookie_mask=_ALL64 if exact else self.cookie_mask,
            out_port=self.out_port,
            out_group=self.out_group,
            flags=FlowModFlags(self.flags),
            importance=self.importance,
        )

    def _needs_nxm(self) -> bool:
        """Whether the struct of OF1.0 cannot say the match, and Nicira's form may."""
        try:
            FlowMod(match=self.match).encode(Version.OF10)
        except EncodeError:
            return True
        return False

    def __str__(self) -> str:
        rule = ",".join([*self._settings(), *match_words(self.match)])
        actions = f"actions={instructions_text(self.instructions)}"
        return f"{rule} {actions}" if rule else actions

    def _settings(self) -> Iterator[str]:
        if self.table_id is not None:
            yield f"table={self.table_id}"
        if self.priority != DEFAULT_PRIORITY:
            yield f"priority={self.priority}"
        if self.cookie_mask:
            yield f"cookie={self.cookie:#x}/{self.cookie_mask:#x}"
        elif self.cookie:
            yield f"cookie={self.cookie:#x}"
        for name in ("idle_timeout", "hard_timeout", "importance"):
            if value := getattr(self, name):
                yield f"{name}={value}"
        if flags := int(self.flags):
            for word, flag in _FLAGS.items():
                if flags & flag:
                    yield word
        if self.out_port != Port.ANY:
            yield f"out_port={port_text(self.out_port)}"
        if self.out_group != ANY_GROUP:
            yield f"out_group={self.out_group}"


@cache
def _names_in(cls: type[FlowMod] | type[FlowStats]) -> tuple[str, ...]:
    """Return what a message tells of a flow."""
    return tuple(name for name in Flow.__slots__ if name in cls.__struct_fields__)


_FLAGS = {
    "send_flow_rem": FlowModFlags.SEND_FLOW_REM,
    "check_overlap": FlowModFlags.CHECK_OVERLAP,
    "reset_counts": FlowModFlags.RESET_COUNTS,
    "no_packet_counts": FlowModFlags.NO_PKT_COUNTS,
    "no_byte_counts": FlowModFlags.NO_BYT_COUNTS,
    "emerg": FlowModFlags.EMERG,
}


def _of_bits(name: str, bits: int) -> Callable[[str], dict[str, int]]:
    field = "table_id" if name == "table" else name
    return lambda text: {field: number(name, text, bits)}


def _read_cookie(text: str) -> dict[str, int]:
    value, mask = masked_number("cookie", text, 64)
    return {"cookie": value} if mask is None else {"cookie": value, "cookie_mask": mask}


_SETTINGS: dict[str, Callable[[str], dict[str, int]]] = {
    "table": _of_bits("table", 8),
    "table_id": _of_bits("table", 8),
    "priority": _of_bits("priority", 16),
    "cookie": _read_cookie,
    "idle_timeout": _of_bits("idle_timeout", 16),
    "hard_timeout": _of_bits("hard_timeout", 16),
    "importance": _of_bits("importance", 16),
    "out_port": lambda text: {"out_port": port("out_port", text)},
    "out_group": _of_bits("out_group", 32),
}
#: What ovs-ofctl prints of an entry and does not read.
_PASSED_OVER = {"duration", "n_packets", "n_bytes", "idle_age", "hard_age"}


def _divided(text: str) -> tuple[str, bool, str]:
    """Return what stands before `actions=`, whether that is there, and what is behind."""
    at = 0
    for word in words(text):
        at = text.index(word.text, at)
        if word.name.lower() in ("actions", "action", "instructions") and word.text != word.name:
            return text[:at], True, text[at + len(word.name) + 1 :]
        at += len(word.text)
    return text, False, ""


def _read_setting(word: Word, given: dict[str, Any]) -> bool:
    """Put what a word says of the entry itself into `given`; False if it is of the match."""
    name = word.name.lower()
    if name in _FLAGS and not word.value:
        given["flags"] |= _FLAGS[name]
        return True
    if name in _PASSED_OVER:
        return True
    if name not in _SETTINGS:
        return False
    found = _SETTINGS[name](word.value)
    if given.keys() & found.keys():
        raise ValueError(f"{name} stands twice; leave one of them out")
    given |= found
    return True


def _read_match(found: list[Word]) -> Match:
    """Read the rest of the words; they may be meant for the entry as well as for the match."""
    try:
        return read_match(found)
    except ValueError as error:
        for word in found:
            close = unknown("word", word.name, [*_SETTINGS, *_FLAGS, "actions"])
            if f"match field {word.name!r}" in str(error) and "did you mean" not in str(error):
                raise close from None
        raise
