"""Flow entries, what happens to them, and packets."""

from __future__ import annotations

import re
from typing import Any

import protocol.flows as fl
import protocol.monitors as mo
import protocol.packets as pk
from protocol import Match, Port, Version
from protocol.syntax import Flow
from protocol.syntax.words import port_text
from protocol.version import OF10, OF11, OF12, OF13

from .matches import actions, instructions, matches
from .words import ALL64, Words, duration, missing

_FLOW_MOD = re.compile(
    r": (?P<command>[A-Z_]+)(?: table:(?P<table>\d+))? (?P<rule>[^ ]*) ?(?P<settings>.*?)"
    r" ?actions=(?P<actions>.*)$",
    re.MULTILINE,
)
_COMMANDS = ("ADD", "MOD", "MOD_STRICT", "DEL", "DEL_STRICT")
_FLAG_WORDS = {
    fl.FlowModFlags.SEND_FLOW_REM: "send_flow_rem",
    fl.FlowModFlags.CHECK_OVERLAP: "check_overlap",
    fl.FlowModFlags.RESET_COUNTS: "reset_counts",
    fl.FlowModFlags.NO_PKT_COUNTS: "no_packet_counts",
    fl.FlowModFlags.NO_BYT_COUNTS: "no_byte_counts",
}


def _flag_words(flags: int) -> set[str]:
    return {word for flag, word in _FLAG_WORDS.items() if flags & flag}


def _rule_and_rest(rule: str, rest: str) -> tuple[str, str]:
    """Where there is no match, what stands in its place is a setting."""
    if re.match(r"(cookie|idle|hard|importance|buf|out_port|out_group):", rule):
        return "", f"{rule} {rest}"
    return ("", f"{rule} {rest}") if rule in _FLAG_WORDS.values() else (rule, rest)


def flow_mod(message: fl.FlowMod, version: Version, text: str) -> Words:
    found = _FLOW_MOD.search(text)
    if found is None:
        yield f"{text!r} is no flow_mod"
        return
    rule, rest = _rule_and_rest(found["rule"], found["settings"])
    settings = rest.split()
    wanted = set(_flow_mod_settings(message, version))
    if wanted != set(settings):
        yield f"the settings are {settings}, not {sorted(wanted)}"
    if found["command"] != _COMMANDS[message.command]:
        yield f"the command is {found['command']}"
    if int(found["table"] or 0) != message.table_id and version > OF10:
        yield f"the table is {found['table']}"
    flow = Flow.parse(rule)
    if flow.priority != message.priority:
        yield f"the priority is {flow.priority}"
    yield from matches(message.match, _without_priority(rule))
    yield from instructions(message.instructions, found["actions"], version, message.match)


def _without_priority(rule: str) -> str:
    return ",".join(word for word in rule.split(",") if not word.startswith("priority="))


def _flow_mod_settings(message: fl.FlowMod, version: Version) -> Words:
    add = message.command == fl.FlowModCommand.ADD
    if message.cookie_mask:
        yield f"cookie:{message.cookie:#x}/{message.cookie_mask:#x}"
    elif message.cookie not in (0, ALL64) and (add or _tells_cookie(message, version)):
        yield f"cookie:{message.cookie:#x}"
    if message.idle_timeout:
        yield f"idle:{message.idle_timeout}"
    if message.hard_timeout:
        yield f"hard:{message.hard_timeout}"
    if message.importance:
        yield f"importance:{message.importance}"
    if message.buffer_id != pk.NO_BUFFER:
        yield f"buf:{message.buffer_id:#x}"
    if message.out_port != Port.ANY:
        yield f"out_port:{port_text(message.out_port)}"
    yield from _flag_words(message.flags)


def _tells_cookie(message: fl.FlowMod, version: Version) -> bool:
    deletes = message.command in (fl.FlowModCommand.DELETE, fl.FlowModCommand.DELETE_STRICT)
    return version == OF10 or (version == OF11 and not deletes)


_ENTRY = re.compile(r"^ (?P<settings>.*?)(?P<rule>\S*) actions=(?P<actions>.*)$", re.MULTILINE)


def flow_stats(message: fl.FlowStatsReply, version: Version, text: str) -> Words:
    lines = list(_ENTRY.finditer(text))
    for flow, line in zip(message.flows, lines, strict=True):
        yield from _entry(flow, version, line)


def _entry(flow: fl.FlowStats, version: Version, line: re.Match[str]) -> Words:
    settings, rule = line["settings"], line["rule"]
    stats = flow.stats
    wanted = [
        f"cookie={flow.cookie:#x}",
        f"table={flow.table_id}",
    ]
    if stats.duration_sec is not None:
        wanted.append(f"duration={duration(stats.duration_sec, stats.duration_nsec)}")
    if stats.packet_count is not None:
        wanted.append(f"n_packets={stats.packet_count}")
    if stats.byte_count is not None:
        wanted.append(f"n_bytes={stats.byte_count}")
    wanted += [f"idle_timeout={flow.idle_timeout}"] if flow.idle_timeout else []
    wanted += [f"hard_timeout={flow.hard_timeout}"] if flow.hard_timeout else []
    wanted += [f"importance={flow.importance}"] if flow.importance else []
    if version >= OF13:
        wanted += sorted(_flag_words(flow.flags))
    yield from missing(settings, *wanted)
    if Flow.parse(rule).priority != flow.priority:
        yield f"the priority of {rule!r} is not {flow.priority}"
    yield from matches(flow.match, _without_priority(rule))
    yield from instructions(flow.instructions, line["actions"], version, flow.match)


_WHICH = re.compile(r"\):(?: table=(\d+))?(?: out_port=(\S+))?(?: (\S*))?$", re.MULTILINE)


def which_flows(message: Any, version: Version, text: str) -> Words:
    found = _WHICH.search(text)
    if found is None:
        yield f"{text!r} is no request for flows"
        return
    table = int(found[1]) if found[1] else fl.ALL_TABLES
    if table != message.table_id:
        yield f"the table is {table}"
    if (found[2] or "ANY") != port_text(message.out_port):
        yield f"the port is {found[2]}"
    yield from matches(message.match, found[3] or "")


_REASONS = {
    fl.FlowRemovedReason.IDLE_TIMEOUT: "idle",
    fl.FlowRemovedReason.HARD_TIMEOUT: "hard",
    fl.FlowRemovedReason.DELETE: "delete",
    fl.FlowRemovedReason.GROUP_DELETE: "group_delete",
    fl.FlowRemovedReason.METER_DELETE: "meter_delete",
    fl.FlowRemovedReason.EVICTION: "eviction",
}


def flow_removed(message: fl.FlowRemoved, version: Version, text: str) -> Words:
    rule = text.partition("): ")[2].split(" ")[0]
    rule = "" if rule.startswith("reason=") else rule
    stats = message.stats
    wanted = [
        f"reason={_REASONS[fl.FlowRemovedReason(message.reason)]}",
        *([] if stats.packet_count is None else [f"pkts{stats.packet_count}"]),
        *([] if stats.byte_count is None else [f"bytes{stats.byte_count}"]),
        f"idle{message.idle_timeout}",
    ]
    if stats.duration_sec is not None:
        wanted.append(f"duration{duration(stats.duration_sec, stats.duration_nsec)}")
    wanted += [f"cookie:{message.cookie:#x}"] if message.cookie else []
    wanted += [f"table_id={message.table_id}"] if version > OF10 else []
    if message.hard_timeout and version >= OF12:
        wanted.append(f"hard{message.hard_timeout}")
    yield from missing(text, *wanted)
    if Flow.parse(rule).priority != message.priority:
        yield f"the priority of {rule!r} is not {message.priority}"
    yield from matches(message.match, _without_priority(rule))


def aggregate(message: fl.AggregateStatsReply, version: Version, text: str) -> Words:
    stats = message.stats
    told = {"packet": stats.packet_count, "byte": stats.byte_count, "flow": stats.flow_count}
    for name, number in told.items():
        if number is not None:
            yield from missing(text, f"{name}_count={number}")


# Packets


def packet_in(message: pk.PacketIn, version: Version, text: str) -> Words:
    reason = pk.PacketInReason(message.reason)
    wanted = [f"total_len={message.total_len}", f"data_len={len(message.data)}"]
    wanted += [f"(via {reason.name.lower()})"]
    wanted += [f"table_id={message.table_id}"] if version > OF10 and message.table_id else []
    if version >= OF13 and message.cookie != ALL64:
        wanted.append(f"cookie={message.cookie:#x}")
    if message.buffer_id == pk.NO_BUFFER:
        wanted.append("(unbuffered)")
    else:
        wanted.append(f"buffer={message.buffer_id:#010x}")
    yield from (f"it does not say {word!r}" for word in wanted if word not in text)
    yield from missing(text, f"in_port={port_text(message.in_port)}")
    for name, word in (("metadata", "metadata"), ("tunnel_id", "tun_id")):
        if value := message.match.number(name):
            yield from missing(text, f"{word}={value:#x}")


_PACKET_OUT = re.compile(r"in_port=(\S+) (?:metadata=\S+ )?actions=(.*) (data_len|buffer)=(\S+)$")


def packet_out(message: pk.PacketOut, version: Version, text: str) -> Words:
    found = _PACKET_OUT.search(text.splitlines()[0])
    if found is None:
        yield f"{text!r} is no packet_out"
        return
    if found[1] != port_text(message.in_port):
        yield f"the port is {found[1]}"
    data = str(len(message.data)) if message.data else f"{message.buffer_id:#010x}"
    if found[4] != data:
        yield f"the data is {found[4]}, not {data}"
    yield from actions(message.actions, found[2], version, Match())


_EVENTS = {
    "FlowInitial": "INITIAL",
    "FlowAdded": "ADDED",
    "FlowDeleted": "DELETED",
    "FlowModified": "MODIFIED",
    "FlowAbbreviated": "ABBREV",
    "MonitorPaused": "PAUSED",
    "MonitorResumed": "RESUMED",
}


def flow_updates(message: mo.FlowMonitorReply, version: Version, text: str) -> Words:
    parts = re.split(r"^ event=", text, flags=re.MULTILINE)[1:]
    for one, part in zip(message.updates, parts, strict=True):
        yield from missing(part, _EVENTS[type(one).__name__])
        if isinstance(one, mo.FlowAbbreviated):
            yield from missing(part, f"xid={one.xid:#x}")
        if isinstance(one, mo._FullUpdate):
            yield from _full_update(one, version, part.rstrip("\n"))


def _full_update(one: mo._FullUpdate, version: Version, part: str) -> Words:
    wanted = [f"table={one.table_id}", f"cookie={one.cookie:#x}".replace("=0x0", "=0")]
    wanted += [f"idle_timeout={one.idle_timeout}"] if one.idle_timeout else []
    wanted += [f"hard_timeout={one.hard_timeout}"] if one.hard_timeout else []
    if isinstance(one, mo.FlowDeleted):
        wanted.append(f"reason={_REASONS[fl.FlowRemovedReason(one.reason)]}")
    yield from missing(part, *wanted)
    head, _, does = part.partition(" actions=")
    rule = re.sub(r".* cookie=\S+ ?", "", head)
    yield from matches(one.match, rule)  # without its priority
    yield from instructions(one.instructions, does or "drop", version, one.match)


def flow_monitor(message: mo.FlowMonitorRequest, version: Version, text: str) -> Words:
    yield from missing(text, f"id={message.monitor_id}")
    if message.command == mo.FlowMonitorCommand.DELETE:
        return
    said = set(re.findall(r"initial|add|delete|modify", text.partition("flags=")[2].split(" ")[0]))
    wanted = {word for flag, word in _MONITOR_FLAGS.items() if message.monitor_flags & flag}
    if said != wanted:
        yield f"the flags are {sorted(said)}, not {sorted(wanted)}"
    if message.out_port != Port.ANY:
        yield from missing(text, f"out_port={port_text(message.out_port)}")
    if message.table_id != fl.ALL_TABLES:
        yield from missing(text, f"table={message.table_id}")
    words = text.rstrip("\n").split(" ")
    rule = "" if "=" in words[-1] and words[-1].split("=")[0] in _MONITOR_WORDS else words[-1]
    yield from matches(message.match, rule)


_MONITOR_FLAGS = {
    mo.FlowMonitorFlags.INITIAL: "initial",
    mo.FlowMonitorFlags.ADD: "add",
    mo.FlowMonitorFlags.REMOVED: "delete",
    mo.FlowMonitorFlags.MODIFY: "modify",
}
_MONITOR_WORDS = {"id", "flags", "out_port", "out_group", "table"}
