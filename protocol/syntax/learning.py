"""`learn` as ovs-ofctl's users write it (ovs-actions(7) "The learn action")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..actions import Action
from ..flows import DEFAULT_PRIORITY
from ..nicira import (
    FlowModSpec,
    Learn,
    Learn2,
    LearnFlags,
    LoadSpec,
    MatchSpec,
    OutputSpec,
    Subfield,
)
from ..oxm import OXM
from .match import ALIASES, read_value, value_text
from .subfields import (
    SHOWN_NAMES,
    action_field,
    bits_text,
    one_bit,
    subfield,
    subfield_text,
)
from .words import Word, number, unknown, words

_NUMBERS = {
    "table": 8,
    "idle_timeout": 16,
    "hard_timeout": 16,
    "fin_idle_timeout": 16,
    "fin_hard_timeout": 16,
    "priority": 16,
    "cookie": 64,
    "limit": 32,
}
_FLAGS = {
    "send_flow_rem": LearnFlags.SEND_FLOW_REM,
    "delete_learned": LearnFlags.DELETE_LEARNED,
}


def read_learn(text: str) -> Action:
    """Read what stands in the parentheses of `learn`."""
    given: dict[str, Any] = {"flags": LearnFlags(0)}
    specs: list[FlowModSpec] = []
    for word in words(text):
        if word.name in _FLAGS and not word.value:
            given["flags"] |= _FLAGS[word.name]
        elif word.name == "result_dst":
            bit = one_bit(word.value, "learn: result_dst")
            given |= {"result_dst": bit.field, "result_offset": bit.offset}
            given["flags"] |= LearnFlags.WRITE_RESULT
        elif word.name in _NUMBERS:
            name = "table_id" if word.name == "table" else word.name
            given[name] = number(f"learn: {word.name}", word.value, _NUMBERS[word.name])
        else:
            specs.append(_read_spec(word))
    newer = "result_dst" in given or "limit" in given
    return (Learn2 if newer else Learn)(specs=tuple(specs), **given)


def _read_spec(word: Word) -> FlowModSpec:
    if word.name == "load":
        source, arrow, target = word.value.partition("->")
        if not arrow:
            raise ValueError(f"learn: {word.text} does not say where to; write load:…->FIELD[]")
        dst = subfield(target, "learn: load")
        return LoadSpec(_source(source, dst.n_bits), dst)
    if word.name == "output":
        source = word.value if "[" in word.value else f"{word.value}[]"
        return OutputSpec(subfield(source, "learn: output"))
    if "[" in word.name:
        dst = subfield(word.name, "learn")
        return MatchSpec(_source(word.value, dst.n_bits) if word.value else dst, dst)
    return _read_whole(word)


def _source(text: str, n_bits: int) -> Subfield | int:
    if "[" not in text:
        return number("learn", text, n_bits)
    src = subfield(text, "learn")
    if src.n_bits != n_bits:
        raise ValueError(f"learn: {text} has {src.n_bits} bits where {n_bits} are; name as many")
    return src


def _read_whole(word: Word) -> MatchSpec:
    """Read `eth_type=0x800`, or `eth_dst=eth_src`: all of a field."""
    name = "in_port_nxm" if word.name == "in_port" else word.name
    try:
        row = action_field(name)
    except ValueError:
        known = [*_NUMBERS, *_FLAGS, "result_dst", "load", "output", *OXM, *ALIASES]
        raise unknown("word of learn", word.name, known) from None
    dst = Subfield(row.name)
    if not word.value:
        return MatchSpec(dst, dst)
    value = read_value(row, word.value)
    if not isinstance(value, int):
        raise ValueError(f"learn: {word.text} has a mask, which learning does not take")
    return MatchSpec(value, dst)


def show_learn(action: Learn) -> str:
    """Return the action as `read_learn` reads it, its word included."""
    return f"learn({','.join(_words(action))})"


def _words(action: Learn) -> Iterator[str]:
    yield f"table={action.table_id}"
    for name in ("idle_timeout", "hard_timeout", "fin_idle_timeout", "fin_hard_timeout"):
        if value := getattr(action, name):
            yield f"{name}={value}"
    if action.priority != DEFAULT_PRIORITY:
        yield f"priority={action.priority}"
    for word, flag in _FLAGS.items():
        if action.flags & flag:
            yield word
    if action.cookie:
        yield f"cookie={action.cookie:#x}"
    if isinstance(action, Learn2):
        if action.limit:
            yield f"limit={action.limit}"
        if action.result_dst:
            yield f"result_dst={bits_text(action.result_dst, action.result_offset, 1)}"
    yield from map(_spec_text, action.specs)


def _spec_text(spec: FlowModSpec) -> str:
    match spec:
        case OutputSpec(src=src):
            return f"output:{subfield_text(src)}"
        case LoadSpec(src=Subfield() as src, dst=dst):
            return f"load:{subfield_text(src)}->{subfield_text(dst)}"
        case LoadSpec(src=int(value), dst=dst):
            return f"load:{value:#x}->{subfield_text(dst)}"
        case MatchSpec(src=Subfield() as src, dst=dst):
            same = src == dst
            return subfield_text(dst) if same else f"{subfield_text(dst)}={subfield_text(src)}"
        case MatchSpec(src=int(value), dst=dst):
            return _immediate_text(value, dst)
    return str(spec)


def _immediate_text(value: int, dst: Subfield) -> str:
    row = OXM.get(dst.field)
    if row is None or (dst.offset, dst.n_bits) != (0, row.bits):
        return f"{subfield_text(dst)}={value:#x}"
    if dst.field == "in_port_nxm":
        return f"in_port={value}"
    return f"{SHOWN_NAMES.get(dst.field, dst.field)}={value_text(dst.field, value)}"
