"""Tables, and the switch as a whole: features, configuration, controllers, bundles."""

from __future__ import annotations

import re
from typing import Any

import protocol.bundles as b
import protocol.features as f
import protocol.flows as fl
import protocol.groups as g
import protocol.meters as me
import protocol.roles as ro
import protocol.symmetric as sy
import protocol.tables as ta
from protocol import Version
from protocol.version import OF12, OF14

from .flows import flow_mod
from .groups import group_mod, meter_mod
from .ports import port_descs
from .words import ALL64, Words, missing, said_words


def _table_id(number: int) -> str:
    return "table_id: ALL_TABLES" if number == fl.ALL_TABLES else f"table_id={number}"


def table_mod(message: ta.TableMod, version: Version, text: str) -> Words:
    yield from missing(text, _table_id(message.table_id))
    if version <= OF12:
        names = {0: "controller", 1: "continue", 2: "drop"}
        yield from missing(text, f"flow_miss_config={names[int(message.config)]}")
    if version >= OF14:
        yield from missing(text, *(word for word in _table_words(message) if "_" not in word))
        for one in message.properties:
            if isinstance(one, ta.TableVacancy) and message.config & ta.TableConfig.VACANCY_EVENTS:
                yield from missing(text, f"vacancy:{one.vacancy_down},{one.vacancy_up}")


def _table_words(one: Any) -> Words:
    if not any(isinstance(each, ta.TableEviction) for each in one.properties):
        yield "eviction=" + ("on" if one.config & ta.TableConfig.EVICTION else "off")
    on = bool(one.config & ta.TableConfig.VACANCY_EVENTS)
    yield "vacancy=" + ("on" if on else "off")
    for each in one.properties:
        if isinstance(each, ta.TableVacancy) and on:
            yield f"vacancy_down={each.vacancy_down}%"
            yield f"vacancy_up={each.vacancy_up}%"


def table_descs(message: ta.TableDescReply, version: Version, text: str) -> Words:
    parts = re.split(r"^  table ", text, flags=re.MULTILINE)[1:]
    for one, part in zip(message.tables, parts, strict=True):
        yield from missing(part, f"{one.table_id}", *_table_words(one))


def table_status(message: ta.TableStatus, version: Version, text: str) -> Words:
    reason = ta.TableReason(message.reason).name
    yield from missing(text, f"reason={reason}", f"table {message.table.table_id}:")
    yield from missing(text, *_table_words(message.table))


def table_stats(message: ta.TableStatsReply, version: Version, text: str) -> Words:
    parts = re.split(r"^  table ", text, flags=re.MULTILINE)[1:]
    for one, part in zip(message.tables, parts, strict=True):
        wanted = [
            f"active={one.active_count},",
            f"lookup={one.lookup_count},",
            f"matched={one.matched_count}",
        ]
        if version <= OF12:
            wanted += [f'{one.table_id} ("{one.name}"):' if one.name else f"{one.table_id}:"]
            wanted += [f"max_entries={one.max_entries}"] if one.max_entries else []
        else:
            wanted += [f"{one.table_id}:"]
        if "(same features)" in part:
            wanted = [word for word in wanted if not word.startswith("max_entries")]
        yield from (f"{part!r} does not say {word}" for word in wanted if word not in part)


def table_features(message: Any, version: Version, text: str) -> Words:
    parts = re.split(r"^(?=  table )", text, flags=re.MULTILINE)[1:]
    for one, part in zip(message.tables, parts, strict=True):
        wanted = [f"table {one.table_id}"]
        wanted += [f"max_entries={one.max_entries}"] if one.max_entries else []
        yield from missing(part, *wanted)
        if one.metadata_match not in (0, ALL64) or one.metadata_write not in (0, ALL64):
            yield from missing(
                part, f"match={one.metadata_match:#x}" if one.metadata_match else "match=0"
            )


# The rest


def features(message: f.FeaturesReply, version: Version, text: str) -> Words:
    wanted = [
        f"dpid:{message.datapath_id:016x}",
        f"n_tables:{message.n_tables}",
        f"n_buffers:{message.n_buffers}",
    ]
    if message.auxiliary_id:
        wanted.append(f"auxiliary_id:{message.auxiliary_id}")
    yield from missing(text, *wanted)
    names = {flag.name for flag in f.Capabilities if message.capabilities & flag}
    said = said_words(text, "capabilities")
    if said != names:
        yield f"capabilities are {sorted(said)}, not {names}"
    if version <= OF12:
        yield from port_descs(message, version, text)


_FRAGMENTS = {0: "normal", 1: "drop", 2: "reassemble"}


def config(message: Any, version: Version, text: str) -> Words:
    fragments = _FRAGMENTS.get(message.flags & 3)
    if fragments:
        yield from missing(text, f"frags={fragments}")
    yield from missing(text, f"miss_send_len={message.miss_send_len}")
    if message.flags & f.ConfigFlags.INVALID_TTL_TO_CONTROLLER:
        yield from missing(text, "invalid_ttl_to_controller")


def desc(message: f.DescReply, version: Version, text: str) -> Words:
    yield from missing(
        text,
        f"Manufacturer: {message.mfr_desc}",
        f"Hardware: {message.hw_desc}",
        f"Software: {message.sw_desc}",
        f"Serial Num: {message.serial_num}",
        f"DP Description: {message.dp_desc}",
    )


def hello(message: sy.Hello, version: Version, text: str) -> Words:
    versions = message.versions or frozenset(range(1, version + 1))
    listed = ", ".join(f"{number:#04x}" for number in sorted(versions))
    yield from missing(text, f"version bitmap: {listed}")


#: Errors that Open vSwitch calls as OF1.0 does, in all versions.
_ERROR_NAMES = {
    "BAD_EXP_TYPE": ("BAD_VENDOR_TYPE", "BAD_SUBTYPE"),
    "BAD_EXPERIMENTER": ("BAD_VENDOR",),
    "BAD_MULTIPART": ("BAD_STAT",),
    "IS_SLAVE": ("IS_SECONDARY",),
    "BAD_ARGUMENT": ("BPC_BAD_VALUE",),
}


def error(message: sy.ErrorMsg, version: Version, text: str) -> Words:
    code = message.code
    assert not isinstance(code, sy.UnknownError)
    names = (str(code.name), *_ERROR_NAMES.get(str(code.name), ()))
    if not any(name in text for name in names):
        yield f"it does not say {code}"


def echo(message: Any, version: Version, text: str) -> Words:
    yield from missing(text, f"{len(message.data)} bytes of payload")
    dumped = re.findall(r"^[0-9a-f]{8}  (.{48,}?)\|", text, re.MULTILINE)
    said = bytes.fromhex("".join(re.sub(r"[^0-9a-f]", "", line) for line in dumped))
    if said != message.data:
        yield f"the data is {said.hex()}"


_ROLES = {0: "nochange", 1: "equal", 2: "primary", 3: "secondary"}
_ROLE_REASONS = ("primary_request", "configuration_changed", "experimenter_data_changed")


def role(message: Any, version: Version, text: str) -> Words:
    yield from missing(text, f"role={_ROLES[message.role]}")
    if message.role >= ro.Role.MASTER and message.generation_id != ALL64:
        yield from missing(text, f"generation_id={message.generation_id}")


def role_status(message: ro.RoleStatus, version: Version, text: str) -> Words:
    yield from role(message, version, text)
    yield from missing(text, f"reason={_ROLE_REASONS[message.reason]}")


_ASYNC_WORDS = {
    "packet_in": ("no_match", "action", "invalid_ttl", "action_set", "group", "packet_out"),
    "port_status": ("add", "delete", "modify"),
    "flow_removed": ("idle", "hard", "delete", "group_delete", "meter_delete", "eviction"),
    "role_status": ("primary_request", "configuration_changed", "experimenter_data_changed"),
    "table_status": ("", "", "", "vacancy_down", "vacancy_up"),
    "requestforward": ("group_mod_request", "meter_mod_request"),
}


def async_config(message: Any, version: Version, text: str) -> Words:
    master, _, slave = text.partition("secondary:")
    for kind, names in _ASYNC_WORDS.items():
        for half, side in ((master, "master"), (slave, "slave")):
            mask = getattr(message, f"{kind}_{side}")
            if mask is None:
                continue
            wanted = {name for bit, name in enumerate(names) if mask >> bit & 1}
            said = said_words(half, kind.upper()) - {"(off)"}
            if said != wanted:
                yield f"{kind}_{side} is {sorted(said)}, not {sorted(wanted)}"


def bundle_control(message: b.BundleControl, version: Version, text: str) -> Words:
    kind = b.BundleControlType(message.type).name
    yield from missing(text, f"bundle_id={message.bundle_id:#x}".replace("=0x0", "=0"))
    yield from missing(text, f"type={kind}")
    for flag in (b.BundleFlags.ATOMIC, b.BundleFlags.ORDERED):
        if message.flags & flag:
            yield from missing(text, (flag.name or "").lower())


def bundle_add(message: b.BundleAdd, version: Version, text: str) -> Words:
    yield from missing(text, f"bundle_id={message.bundle_id:#x}".replace("=0x0", "=0"))
    for flag in (b.BundleFlags.ATOMIC, b.BundleFlags.ORDERED):
        if message.flags & flag:
            yield from missing(text, (flag.name or "").lower())
    inner = "OFPT_FLOW_MOD" + text.partition("\nOFPT_FLOW_MOD")[2]
    assert isinstance(message.message, fl.FlowMod)
    yield from flow_mod(message.message, version, inner)


def request_forward(message: b.RequestForward, version: Version, text: str) -> Words:
    if isinstance(message.request, me.MeterMod):
        yield from missing(text, "reason=meter_mod")
        yield from meter_mod(message.request, version, text)
    else:
        assert isinstance(message.request, g.GroupMod)
        yield from missing(text, "reason=group_mod")
        yield from group_mod(message.request, version, "):" + text.partition("group_mod")[2])
