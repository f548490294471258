"""Nicira's actions as ovs-ofctl's users write them (ovs-actions(7)).

A word may stand for several actions: `controller` with nothing that is new in it is the
standard's Output, with userdata Controller2. What learns, tracks and encapsulates has files
of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from .. import actions, nicira
from ..features import ControllerMaxLen
from ..instructions import WriteMetadata
from ..oxm import HEX
from ..packets import PacketInReason
from ..ports import Port
from ..record import Record
from .subfields import (
    action_field,
    bits_text,
    nicira_name,
    one_bit,
    subfield,
    subfield_text,
)
from .words import Word, member, number, port, port_text, unknown, words

_NO_BUFFER = int(ControllerMaxLen.NO_BUFFER)
_ALL_64 = (1 << 64) - 1
_THIS_TABLE = 0xFF


def named(word: str, text: str, bits: dict[str, int]) -> dict[str, int]:
    """Read `name=number` words, each of so many bits."""
    found: dict[str, int] = {}
    for one in words(text):
        if one.name not in bits:
            raise unknown(f"word of {word}", one.name, bits)
        found[one.name] = number(f"{word}: {one.name}", one.value, bits[one.name])
    return found


def nothing(cls: type[actions.Action], word: str) -> Callable[[str], actions.Action]:
    """Return the reader of an action that takes no value."""

    def read(text: str) -> actions.Action:
        if text:
            raise ValueError(f"{word} takes no value; take {text!r} away")
        return cls()

    return read


# Resubmitting


def _read_resubmit(text: str) -> actions.Action:
    parts = [part.strip() for part in text.split(",")]
    in_port = Port.IN_PORT if not parts[0] else port("resubmit", parts[0])
    table = parts[1] if len(parts) > 1 else ""
    if not any(parts) or parts[2:] not in ([], ["ct"]):
        raise ValueError(f"resubmit cannot be {text!r}; write resubmit(PORT,TABLE) or (,TABLE,ct)")
    if parts[2:]:
        return nicira.ResubmitTableCt(in_port, number("resubmit", table, 8))
    return nicira.ResubmitTable(in_port, number("resubmit", table, 8) if table else _THIS_TABLE)


def _show_resubmit_table(action: nicira.ResubmitTable | nicira.ResubmitTableCt) -> str:
    if action.table_id == _THIS_TABLE and type(action) is nicira.ResubmitTable:
        return f"resubmit:{port_text(action.in_port)}"
    in_port = "" if action.in_port == Port.IN_PORT else port_text(action.in_port)
    tracked = ",ct" if isinstance(action, nicira.ResubmitTableCt) else ""
    return f"resubmit({in_port},{action.table_id}{tracked})"


# Fields


def _arrow(word: str, text: str) -> tuple[str, str]:
    source, arrow, target = text.rpartition("->")
    if not arrow:
        raise ValueError(f"{word}:{text} does not say where to; write {word}:…->FIELD[]")
    return source, target


def _read_load(text: str) -> actions.Action:
    value, target = _arrow("load", text)
    dst = subfield(target, "load")
    if dst.n_bits > 64:
        raise ValueError(f"load sets 64 bits at most; write set_field:{value}->{dst.field}")
    return nicira.RegLoad(dst, number("load", value, dst.n_bits))


def _show_load(action: nicira.RegLoad) -> str:
    return f"load:{HEX.show(action.value)}->{subfield_text(action.dst)}"


def _read_move(text: str) -> actions.Action:
    source, target = _arrow("move", text)
    src, dst = subfield(source, "move"), subfield(target, "move")
    if src.n_bits != dst.n_bits:
        reason = f"{source} has {src.n_bits} bits, {target} has {dst.n_bits}"
        raise ValueError(f"move: {reason}; move as many")
    return actions.CopyField(src.n_bits, src.field, dst.field, src.offset, dst.offset)


def _show_copy(action: actions.CopyField) -> str:
    source = bits_text(action.src, action.src_offset, action.n_bits)
    return f"move:{source}->{bits_text(action.dst, action.dst_offset, action.n_bits)}"


def _read_check_pkt_larger(text: str) -> actions.Action:
    size, target = _arrow("check_pkt_larger", text)
    dst = one_bit(target, "check_pkt_larger")
    return nicira.CheckPktLarger(
        number("check_pkt_larger", size.strip("()"), 16), dst.field, dst.offset
    )


def _show_check_pkt_larger(action: nicira.CheckPktLarger) -> str:
    return f"check_pkt_larger({action.pkt_len})->{nicira_name(action.dst)}[{action.offset}]"


def _read_set_tunnel(text: str) -> actions.Action:
    key = number("set_tunnel", text, 64)
    return nicira.SetTunnel(key) if key < 1 << 32 else nicira.SetTunnel64(key)


def _show_metadata(action: nicira.WriteMetadata | WriteMetadata) -> str:
    mask = f"/{action.metadata_mask:#x}" if action.metadata_mask != _ALL_64 else ""
    return f"write_metadata:{HEX.show(action.metadata)}{mask}"


# Sending


def read_output(text: str) -> actions.Action:
    """Read what stands behind `output`: a port, bits that name it, or a port and a length."""
    if not text:
        raise ValueError("output lacks its port; write output:…")
    if "[" in text:
        return _output_of(text)
    if "=" in text:
        return _read_truncated(text)
    name, colon, max_len = text.partition(":")
    found = port("output", name)
    return actions.Output(found, number("max_len", max_len, 16)) if colon else actions.Output(found)


def _output_of(text: str) -> actions.Action:
    src = subfield(text, "output")
    own = action_field(src.field).number_in_nxm().experimenter
    return nicira.OutputReg2(src) if own else nicira.OutputReg(src)


def _read_truncated(text: str) -> actions.Action:
    found = {one.name: one.value for one in words(text)}
    if found.keys() != {"port", "max_len"}:
        raise ValueError(f"output({text}) is none; write output(port=…,max_len=…)")
    return nicira.OutputTrunc(
        port("output", found["port"]), number("max_len", found["max_len"], 32)
    )


def _show_truncated(action: nicira.OutputTrunc) -> str:
    return f"output(port={port_text(action.port)},max_len={action.max_len})"


_CONTROLLER = {"max_len": 16, "id": 16, "meter_id": 32}


def read_controller(text: str) -> actions.Action:
    """Read `controller`, `controller:128`, or its words in parentheses."""
    if text.isdecimal():
        return actions.Output(Port.CONTROLLER, number("controller", text, 16))
    given: dict[str, Any] = {"max_len": _NO_BUFFER, "id": 0, "reason": PacketInReason.ACTION}
    for word in words(text):
        given[word.name] = _controller_word(word)
    userdata, pause = given.get("userdata"), "pause" in given
    if userdata or pause or "meter_id" in given:
        return nicira.Controller2(
            _unless(given["max_len"], _NO_BUFFER),
            _unless(given["id"], 0),
            _unless(given["reason"], PacketInReason.ACTION),
            userdata or None,
            pause,
            given.get("meter_id"),
        )
    if given["id"] or given["reason"] != PacketInReason.ACTION:
        return nicira.Controller(given["max_len"], given["id"], given["reason"])
    return actions.Output(Port.CONTROLLER, given["max_len"])


def _unless(value: int, default: int) -> int | None:
    return None if value == default else value


def _controller_word(word: Word) -> Any:
    if word.name in _CONTROLLER:
        return number(f"controller: {word.name}", word.value, _CONTROLLER[word.name])
    if word.name == "reason":
        return member("reason", word.value, PacketInReason)
    if word.name == "userdata":
        return read_bytes("userdata", word.value)
    if word.name == "pause" and not word.value:
        return True
    raise unknown("word of controller", word.name, [*_CONTROLLER, "reason", "userdata", "pause"])


def read_bytes(word: str, text: str) -> bytes:
    """Read bytes in hex, which dots may divide."""
    try:
        return bytes.fromhex(text.replace(".", ""))
    except ValueError:
        raise ValueError(f"{word} cannot be {text!r}; it is bytes in hex, as in 01.02") from None


def _show_controller(action: nicira.Controller) -> str:
    if action.reason == PacketInReason.ACTION and not action.controller_id:
        return f"CONTROLLER:{action.max_len}"  # what the standard's Output says
    shown = []
    if action.reason != PacketInReason.ACTION:
        shown.append(f"reason={_lower(action.reason)}")
    if action.max_len != _NO_BUFFER:
        shown.append(f"max_len={action.max_len}")
    if action.controller_id:
        shown.append(f"id={action.controller_id}")
    return f"controller({','.join(shown)})"


def _show_controller2(action: nicira.Controller2) -> str:
    shown = []
    if action.reason is not None:
        shown.append(f"reason={_lower(action.reason)}")
    if action.max_len is not None:
        shown.append(f"max_len={action.max_len}")
    if action.controller_id is not None:
        shown.append(f"id={action.controller_id}")
    if action.userdata is not None:
        shown.append(f"userdata={action.userdata.hex('.')}")
    if action.pause:
        shown.append("pause")
    if action.meter_id is not None:
        shown.append(f"meter_id={action.meter_id}")
    return f"controller({','.join(shown)})"


def _lower(value: int) -> str:
    return value.name.lower() if isinstance(value, IntEnum) else str(value)


# Choosing


_HASHES = {"symmetric_l3l4+udp": nicira.HashFields.SYMMETRIC_L3L4_UDP}
_HASH_WORDS = {one: word for word, one in _HASHES.items()}


def _read_hash(word: str, text: str) -> nicira.HashFields:
    return _HASHES.get(text) or member(f"{word}: fields", text, nicira.HashFields)


def _show_hash(fields: int) -> str:
    return _HASH_WORDS.get(fields) or _lower(fields)  # type: ignore[call-overload]


def _read_multipath(text: str) -> actions.Action:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 6:
        form = "multipath(FIELDS,BASIS,ALGORITHM,LINKS,ARG,FIELD[])"
        raise ValueError(f"multipath takes 6 words, not {len(parts)}; write {form}")
    fields, basis, algorithm, links, arg, dst = parts
    n_links = number("multipath: links", links, 16)
    if not n_links:
        raise ValueError("multipath needs a link at least; write 1 or more")
    return nicira.Multipath(
        subfield(dst, "multipath"),
        _read_hash("multipath", fields),
        number("multipath: basis", basis, 16),
        member("multipath: algorithm", algorithm, nicira.MultipathAlgorithm),
        n_links - 1,
        number("multipath: arg", arg, 32),
    )


def _show_multipath(action: nicira.Multipath) -> str:
    parts = (
        _show_hash(action.fields),
        str(action.basis),
        _lower(action.algorithm),
        str(action.max_link + 1),
        str(action.arg),
        subfield_text(action.dst),
    )
    return f"multipath({','.join(parts)})"


def _bundle(word: str, text: str, n_words: int) -> tuple[list[str], dict[str, Any]]:
    """Return what is the same in both bundles, and the words before it that are not."""
    head, found, ports = text.partition("members:")
    if not found:
        head, found, ports = text.partition("slaves:")  # what it was called before
    parts = [part.strip() for part in head.split(",") if part.strip()]
    if not found or len(parts) != n_words or parts[3] != "ofport":
        form = "FIELDS,BASIS,ALGORITHM,ofport" + (",FIELD[]" if n_words == 5 else "")
        raise ValueError(f"{word}({text}) is none; write {word}({form},members:1,2)")
    return parts, {
        "members": tuple(port(word, one.text) for one in words(ports)),
        "algorithm": member(f"{word}: algorithm", parts[2], nicira.BundleAlgorithm),
        "fields": _read_hash(word, parts[0]),
        "basis": number(f"{word}: basis", parts[1], 16),
    }


def _read_bundle(text: str) -> actions.Action:
    return nicira.Bundle(**_bundle("bundle", text, 4)[1])


def _read_bundle_load(text: str) -> actions.Action:
    parts, shared = _bundle("bundle_load", text, 5)
    return nicira.BundleLoad(subfield(parts[4], "bundle_load"), **shared)


def _show_bundle(action: nicira.Bundle | nicira.BundleLoad) -> str:
    head = f"{_show_hash(action.fields)},{action.basis},{_lower(action.algorithm)},ofport"
    members = ",".join(map(port_text, action.members))
    if isinstance(action, nicira.BundleLoad):
        return f"bundle_load({head},{subfield_text(action.dst)},members:{members})"
    return f"bundle({head},members:{members})"


def _read_conjunction(text: str) -> actions.Action:
    found, comma, clauses = text.partition(",")
    clause, slash, n_clauses = clauses.partition("/")
    if not (comma and slash):
        raise ValueError(f"conjunction({text}) is none; write conjunction(ID,CLAUSE/CLAUSES)")
    at, of = number("clause", clause, 8), number("clauses", n_clauses, 8)
    if not 1 <= at <= of or not 2 <= of <= 64:
        raise ValueError(f"clause {at} of {of} cannot be; they are 1 to n, and n is 2 to 64")
    return nicira.Conjunction(number("conjunction", found, 32), at - 1, of)


def _show_conjunction(action: nicira.Conjunction) -> str:
    return f"conjunction({action.id},{action.clause + 1}/{action.n_clauses})"


# Others


def _read_note(text: str) -> actions.Action:
    note = read_bytes("note", text)
    return nicira.Note(note + bytes((6 - len(note)) % 8))  # as it comes back


def _read_fin_timeout(text: str) -> actions.Action:
    given = named("fin_timeout", text, {"idle_timeout": 16, "hard_timeout": 16})
    return nicira.FinTimeout(given.get("idle_timeout", 0), given.get("hard_timeout", 0))


def _show_fin_timeout(action: nicira.FinTimeout) -> str:
    given = {
        "idle_timeout": action.fin_idle_timeout,
        "hard_timeout": action.fin_hard_timeout,
    }
    shown = ",".join(f"{name}={value}" for name, value in given.items() if value)
    return f"fin_timeout({shown})"


def read_dec_ttl(text: str) -> actions.Action:
    """Read `dec_ttl`, or with the numbers of the controllers that are told."""
    if not text:
        return actions.DecNwTtl()
    ids = tuple(number("dec_ttl", one.text, 16) for one in words(text))
    return nicira.DecTtlCntIds(ids)


def _show_dec_ttl(action: nicira.DecTtlCntIds) -> str:
    return f"dec_ttl({','.join(map(str, action.controller_ids))})"


_SAMPLED = {"probability": 16, "collector_set_id": 32}
_OBSERVED = ("obs_domain_id", "obs_point_id")
_DIRECTIONS = {"ingress": nicira.SampleDirection.INGRESS, "egress": nicira.SampleDirection.EGRESS}


def _read_sample(text: str) -> actions.Action:
    given: dict[str, Any] = {}
    for word in words(text):
        if word.name in _DIRECTIONS and not word.value:
            given["direction"] = _DIRECTIONS[word.name]
        else:
            given[word.name] = _sample_word(word)
    if not given.get("probability"):
        raise ValueError("sample needs a probability from 1 to 65535; write probability=…")
    if any(isinstance(given.get(name), nicira.Subfield) for name in _OBSERVED):
        return nicira.Sample4(**given)
    if "direction" in given:
        return nicira.Sample3(**given)
    return nicira.Sample2(**given) if "sampling_port" in given else nicira.Sample(**given)


def _sample_word(word: Word) -> Any:
    if word.name in _SAMPLED:
        return number(word.name, word.value, _SAMPLED[word.name])
    if word.name in _OBSERVED:
        of_field = "[" in word.value
        return subfield(word.value, word.name) if of_field else number(word.name, word.value, 32)
    if word.name == "sampling_port":
        return port("sampling_port", word.value)
    known = [*_SAMPLED, *_OBSERVED, "sampling_port", *_DIRECTIONS]
    raise unknown("word of sample", word.name, known)


def _show_sample(action: Any) -> str:
    shown = [f"{name}={getattr(action, name)}" for name in _SAMPLED]
    for name in _OBSERVED:
        value = getattr(action, name)
        text = subfield_text(value) if isinstance(value, nicira.Subfield) else str(value)
        shown.append(f"{name}={text}")
    if (sampling_port := getattr(action, "sampling_port", Port.ANY)) != Port.ANY:
        shown.append(f"sampling_port={port_text(sampling_port)}")
    for word, direction in _DIRECTIONS.items():
        if getattr(action, "direction", None) == direction:
            shown.append(word)
    return f"sample({','.join(shown)})"


#: The readers by word; those of words that the standard has, too, are imported by name.
READERS: dict[str, Callable[[str], actions.Action]] = {
    "resubmit": _read_resubmit,
    "exit": nothing(nicira.Exit, "exit"),
    "load": _read_load,
    "move": _read_move,
    "push": lambda text: nicira.StackPush(subfield(text, "push")),
    "pop": lambda text: nicira.StackPop(subfield(text, "pop")),
    "check_pkt_larger": _read_check_pkt_larger,
    "delete_field": lambda text: nicira.DeleteField(action_field(text).name),
    "set_tunnel": _read_set_tunnel,
    "set_tunnel64": lambda text: nicira.SetTunnel64(number("set_tunnel64", text, 64)),
    "pop_queue": nothing(nicira.PopQueue, "pop_queue"),
    "multipath": _read_multipath,
    "bundle": _read_bundle,
    "bundle_load": _read_bundle_load,
    "conjunction": _read_conjunction,
    "note": _read_note,
    "fin_timeout": _read_fin_timeout,
    "sample": _read_sample,
    "ct_clear": nothing(nicira.CtClear, "ct_clear"),
    "dec_nsh_ttl": nothing(nicira.DecNshTtl, "dec_nsh_ttl"),
}
SHOWERS: dict[type[Record], Callable[[Any], str]] = {
    nicira.Resubmit: lambda one: f"resubmit:{port_text(one.in_port)}",
    nicira.ResubmitTable: _show_resubmit_table,
    nicira.ResubmitTableCt: _show_resubmit_table,
    nicira.Exit: lambda one: "exit",
    nicira.RegLoad: _show_load,
    nicira.RegMove: lambda one: f"move:{subfield_text(one.src)}->{subfield_text(one.dst)}",
    actions.CopyField: _show_copy,
    nicira.StackPush: lambda one: f"push:{subfield_text(one.subfield)}",
    nicira.StackPop: lambda one: f"pop:{subfield_text(one.subfield)}",
    nicira.CheckPktLarger: _show_check_pkt_larger,
    nicira.DeleteField: lambda one: f"delete_field:{one.field}",
    nicira.WriteMetadata: _show_metadata,
    nicira.SetTunnel: lambda one: f"set_tunnel:{HEX.show(one.tun_id)}",
    nicira.SetTunnel64: lambda one: f"set_tunnel64:{HEX.show(one.tun_id)}",
    nicira.PopQueue: lambda one: "pop_queue",
    nicira.DecTtlCntIds: _show_dec_ttl,
    nicira.OutputReg: lambda one: f"output:{subfield_text(one.src)}",
    nicira.OutputReg2: lambda one: f"output:{subfield_text(one.src)}",
    nicira.OutputTrunc: _show_truncated,
    nicira.Controller: _show_controller,
    nicira.Controller2: _show_controller2,
    nicira.Multipath: _show_multipath,
    nicira.Bundle: _show_bundle,
    nicira.BundleLoad: _show_bundle,
    nicira.Conjunction: _show_conjunction,
    nicira.Note: lambda one: f"note:{one.note.hex('.')}",
    nicira.FinTimeout: _show_fin_timeout,
    nicira.Sample: _show_sample,
    nicira.Sample2: _show_sample,
    nicira.Sample3: _show_sample,
    nicira.Sample4: _show_sample,
    nicira.CtClear: lambda one: "ct_clear",
    nicira.DecNshTtl: lambda one: "dec_nsh_ttl",
}
