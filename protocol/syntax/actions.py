"""Actions and instructions as ovs-ofctl's users write them (ovs-actions(7)).

Each class has its word: `mod_dl_src` is SetDlSrc, `set_field` is SetField. Which of the two a
version has is another question; `spelling.py` answers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from .. import actions as a
from .. import nicira, onf
from ..addresses import MacAddress
from ..instructions import (
    ApplyActions,
    ClearActions,
    ExperimenterInstruction,
    GotoTable,
    Instruction,
    Meter,
    StatTrigger,
    WriteActions,
    WriteMetadata,
)
from ..match import Match
from ..oxm import DECIMAL, HEX, IPV4, MAC, Kind, VlanId
from ..ports import Port
from ..record import Record
from .encapsulating import read_decap, read_encap, show_decap, show_encap
from .learning import read_learn, show_learn
from .match import read_value, value_text
from .nicira import READERS, read_controller, read_dec_ttl, read_output
from .nicira import SHOWERS as NICIRA_SHOWERS
from .subfields import SHOWN_NAMES, action_field
from .tracking import read_ct, read_nat, show_ct, show_nat
from .triggers import (
    experimenter_words,
    read_experimenter_instruction,
    read_stat_trigger,
    show_experimenter_instruction,
    show_stat_trigger,
)
from .words import Word, masked_number, number, port, port_text, unknown, words

_ALL64 = (1 << 64) - 1


_ETHERTYPE = Kind(HEX.parse, "{:#06x}".format)


class _Row(NamedTuple):
    """An action of at most one number; `form` is how the number follows the name."""

    name: str
    cls: type[a.Action]
    field: str = ""
    bits: int = 0
    kind: Kind = DECIMAL
    form: str = ":{}"

    def read(self, text: str) -> a.Action:
        if not self.field:
            if text:
                raise ValueError(f"{self.name} takes no value; take {text!r} away")
            return self.cls()
        if not text:
            raise ValueError(f"{self.name} lacks its value; write {self.name}:…")
        if self.kind in (DECIMAL, _ETHERTYPE):
            return self.cls(number(self.name, text, self.bits))
        try:
            value = self.kind.parse(text)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None
        return self.cls(MacAddress(value) if self.kind is MAC else value)

    def show(self, action: a.Action) -> str:
        if not self.field:
            return self.name
        return self.name + self.form.format(self.kind.show(getattr(action, self.field)))


_ROWS = (
    _Row("mod_vlan_vid", a.SetVlanVid, "vlan_vid", 12),
    _Row("mod_vlan_pcp", a.SetVlanPcp, "vlan_pcp", 3),
    _Row("mod_dl_src", a.SetDlSrc, "dl_addr", 48, MAC),
    _Row("mod_dl_dst", a.SetDlDst, "dl_addr", 48, MAC),
    _Row("mod_nw_src", a.SetNwSrc, "nw_addr", 32, IPV4),
    _Row("mod_nw_dst", a.SetNwDst, "nw_addr", 32, IPV4),
    _Row("mod_nw_tos", a.SetNwTos, "nw_tos", 8),
    _Row("mod_nw_ecn", a.SetNwEcn, "nw_ecn", 2),
    _Row("mod_nw_ttl", a.SetNwTtl, "nw_ttl", 8),
    _Row("mod_tp_src", a.SetTpSrc, "tp_port", 16),
    _Row("mod_tp_dst", a.SetTpDst, "tp_port", 16),
    _Row("dec_ttl", a.DecNwTtl),
    _Row("copy_ttl_out", a.CopyTtlOut),
    _Row("copy_ttl_in", a.CopyTtlIn),
    _Row("set_mpls_label", a.SetMplsLabel, "mpls_label", 20, form="({})"),
    _Row("set_mpls_tc", a.SetMplsTc, "mpls_tc", 3, form="({})"),
    _Row("set_mpls_ttl", a.SetMplsTtl, "mpls_ttl", 8, form="({})"),
    _Row("dec_mpls_ttl", a.DecMplsTtl),
    _Row("push_vlan", a.PushVlan, "ethertype", 16, _ETHERTYPE),
    _Row("pop_vlan", a.PopVlan),
    _Row("strip_vlan", a.PopVlan),
    _Row("push_mpls", a.PushMpls, "ethertype", 16, _ETHERTYPE),
    _Row("pop_mpls", a.PopMpls, "ethertype", 16, _ETHERTYPE),
    _Row("push_pbb", a.PushPbb, "ethertype", 16, _ETHERTYPE),
    _Row("pop_pbb", a.PopPbb),
    _Row("set_queue", a.SetQueue, "queue_id", 32),
    _Row("group", a.Group, "group_id", 32),
    _Row("meter", a.MeterAction, "meter_id", 32),
)
_ROW_OF_CLASS: dict[type[Record], _Row] = {row.cls: row for row in reversed(_ROWS)}
#: What Nicira has for OF1.0 in place of actions that came with OF1.1.
NICIRAS: dict[type[Record], type[a.Action]] = {
    a.SetQueue: nicira.SetQueue,
    a.Group: nicira.Group,
    a.DecNwTtl: nicira.DecTtl,
    a.PushMpls: nicira.PushMpls,
    a.PopMpls: nicira.PopMpls,
    a.SetMplsTtl: nicira.SetMplsTtl,
    a.DecMplsTtl: nicira.DecMplsTtl,
    a.SetMplsLabel: nicira.SetMplsLabel,
    a.SetMplsTc: nicira.SetMplsTc,
}


# Actions with a form of their own


def _show_output(action: a.Output) -> str:
    if action.port == Port.CONTROLLER:
        return f"CONTROLLER:{action.max_len}"
    if action.port in _PLAIN_PORTS:
        return port_text(action.port)
    return f"output:{port_text(action.port)}"


_PLAIN_PORTS = {
    Port.IN_PORT, Port.TABLE, Port.NORMAL, Port.FLOOD, Port.ALL, Port.LOCAL, Port.CONTROLLER,
}  # fmt: skip


def _read_set_field(text: str) -> a.Action:
    value, arrow, name = text.rpartition("->")
    if not arrow:
        raise ValueError(f"set_field:{text} does not say which field; write set_field:VALUE->FIELD")
    row = action_field(name)
    return a.SetField(Match.unchecked({row.name: read_value(row, value)}))


def _show_set_field(action: a.SetField) -> str:
    return ",".join(
        f"set_field:{value_text(name, value)}->{SHOWN_NAMES.get(name, name)}"
        for name, value in action.field.items()
    )


def _read_set_vlan_vid(text: str) -> a.Action:
    vid = number("set_vlan_vid", text, 12)
    return a.SetField(Match.unchecked({"vlan_vid": VlanId.PRESENT | vid}))


def _read_set_vlan_pcp(text: str) -> a.Action:
    return a.SetField(Match.unchecked({"vlan_pcp": number("set_vlan_pcp", text, 3)}))


def _read_enqueue(text: str) -> a.Action:
    name, found, queue_id = text.replace(",", ":").partition(":")
    if not found:
        raise ValueError(f"enqueue:{text} does not say which queue; write enqueue:PORT:QUEUE")
    return a.Enqueue(port("enqueue", name), number("queue", queue_id, 32))


def _show_enqueue(action: a.Enqueue) -> str:
    return f"enqueue:{port_text(action.port)}:{action.queue_id}"


# Actions that have others in them, and those that are not in any chapter


def _show_clone(action: nicira.Clone) -> str:
    return f"clone({_inner_text(action.actions)})"


def _read_experimenter(text: str) -> a.Action:
    """Read an action that we do not know: who has it, and its bytes."""
    experimenter, data = experimenter_words("experimenter", text)
    return a.ExperimenterAction(experimenter, data)


def _show_experimenter(action: a.ExperimenterAction) -> str:
    return f"experimenter({action.experimenter:#x},{action.data.hex()})"


_READERS: dict[str, Callable[[str], a.Action]] = {
    **{row.name: row.read for row in _ROWS},
    **READERS,
    "output": read_output,
    "controller": read_controller,
    "dec_ttl": read_dec_ttl,
    "set_field": _read_set_field,
    "set_vlan_vid": _read_set_vlan_vid,
    "set_vlan_pcp": _read_set_vlan_pcp,
    "enqueue": _read_enqueue,
    "clone": lambda text: nicira.Clone(_some_actions(text)),
    "ct": lambda text: read_ct(text, _some_actions),
    "nat": read_nat,
    "learn": read_learn,
    "encap": read_encap,
    "decap": read_decap,
    "experimenter": _read_experimenter,
}
#: How each class of action is written.
SHOWERS: dict[type[Record], Callable[[Any], str]] = {
    **{cls: row.show for cls, row in _ROW_OF_CLASS.items()},
    **{NICIRAS[cls]: row.show for cls, row in _ROW_OF_CLASS.items() if cls in NICIRAS},
    **NICIRA_SHOWERS,
    a.Output: _show_output,
    a.SetField: _show_set_field,
    a.Enqueue: _show_enqueue,
    nicira.RegLoad2: _show_set_field,
    onf.CopyField: NICIRA_SHOWERS[a.CopyField],
    nicira.Clone: _show_clone,
    nicira.Ct: lambda action: show_ct(action, _inner_text),
    nicira.Nat: show_nat,
    nicira.Learn: show_learn,
    nicira.Learn2: show_learn,
    nicira.Encap: show_encap,
    nicira.Decap: show_decap,
    a.ExperimenterAction: _show_experimenter,
}


def read_action(word: Word) -> a.Action:
    """Make an action of a word; a port alone is an Output."""
    name = word.name.lower()
    if name in _READERS:
        return _READERS[name](word.value)
    if not word.value and (name.isdecimal() or name.upper() in Port.__members__):
        return a.Output(port("output", name))
    known = [*_READERS, *_INSTRUCTIONS, "drop", *(one.name.lower() for one in _PLAIN_PORTS)]
    raise unknown("action", word.name, known)


def parse_actions(text: str) -> tuple[a.Action, ...]:
    """Read actions; `drop`, alone, or nothing at all is none.

    >>> parse_actions("pop_vlan,output:2")
    (PopVlan(), Output(port=2))
    """
    found = list(words(text))
    if [word.text.lower() for word in found] == ["drop"]:
        return ()
    return tuple(map(_not_drop, found))


def _some_actions(text: str) -> tuple[a.Action, ...]:
    """Read actions that stand in another one."""
    return tuple(map(_not_drop, words(text)))


def _inner_text(found: Iterable[Record]) -> str:
    return ",".join(map(action_text, found))


def _not_drop(word: Word) -> a.Action:
    if word.text.lower() == "drop":
        raise ValueError("drop stands beside other actions; leave it or them out")
    return read_action(word)


def action_text(action: Record) -> str:
    """Return an action as `parse_actions` reads it."""
    show = SHOWERS.get(type(action))
    return show(action) if show else str(action)


def actions_text(actions: Iterable[Record]) -> str:
    """Return actions as `parse_actions` reads them; `drop` where there are none."""
    return ",".join(map(action_text, actions)) or "drop"


# Instructions


def _read_goto_table(text: str) -> Instruction:
    return GotoTable(number("goto_table", text, 8))


def _read_write_metadata(text: str) -> Instruction:
    value, mask = masked_number("write_metadata", text, 64)
    return WriteMetadata(value, _ALL64 if mask is None else mask)


def _read_clear_actions(text: str) -> Instruction:
    if text:
        raise ValueError(f"clear_actions takes no value; take {text!r} away")
    return ClearActions()


_INSTRUCTIONS: dict[str, Callable[[str], Instruction]] = {
    "goto_table": _read_goto_table,
    "write_metadata": _read_write_metadata,
    "clear_actions": _read_clear_actions,
    "write_actions": lambda text: WriteActions(parse_actions(text)),
    "apply_actions": lambda text: ApplyActions(parse_actions(text)),
    "meter": lambda text: Meter(number("meter", text, 32)),
    "stat_trigger": read_stat_trigger,
    "experimenter_instruction": read_experimenter_instruction,
}


def parse_instructions(text: str) -> tuple[Instruction, ...]:
    """Read what stands behind `actions=`: plain actions are one ApplyActions.

    `meter` before all actions is the instruction, among actions it is OF1.5's action.

    >>> parse_instructions("meter:1,pop_vlan,goto_table:3")
    (Meter(meter_id=1), ApplyActions(actions=(PopVlan(),)), GotoTable(table_id=3))
    """
    found = list(words(text))
    if [word.text.lower() for word in found] == ["drop"]:
        return ()
    read: list[Instruction] = []
    plain: list[a.Action] | None = None
    for word in found:
        name = word.name.lower()
        if name in _INSTRUCTIONS and not (name == "meter" and plain is not None):
            read += [ApplyActions(tuple(plain))] if plain else []
            plain = None
            read.append(_INSTRUCTIONS[name](word.value))
        else:
            plain = [] if plain is None else plain
            plain.append(_not_drop(word))
    read += [ApplyActions(tuple(plain))] if plain else []
    _check_once(read)
    return tuple(read)


#: The word of each class of instruction; ovs-ofctl has none for the last two.
INSTRUCTION_NAMES: dict[type[Record], str] = {
    ApplyActions: "apply_actions",
    WriteActions: "write_actions",
    ClearActions: "clear_actions",
    GotoTable: "goto_table",
    WriteMetadata: "write_metadata",
    Meter: "meter",
    StatTrigger: "stat_trigger",
    ExperimenterInstruction: "experimenter_instruction",
}


def _check_once(found: list[Instruction]) -> None:
    kinds = [type(one) for one in found]
    for kind in kinds:
        if kinds.count(kind) > 1 and kind is not ExperimenterInstruction:
            name = INSTRUCTION_NAMES[kind]
            raise ValueError(f"{name} stands twice, or is divided by others; put it in one place")


def instructions_text(instructions: Iterable[Record]) -> str:
    """Return instructions as `parse_instructions` reads them; `drop` where there are none."""
    found = tuple(instructions)
    plain = [_is_plain(one, behind) for one, behind in zip(found, (*found, None)[1:], strict=True)]
    return ",".join(map(instruction_text, found, plain)) or "drop"


def _is_plain(one: Record, behind: Record | None) -> bool:
    """Whether the actions may stand alone, and what is next is not taken for one of them."""
    return (
        isinstance(one, ApplyActions)
        and bool(one.actions)
        and not isinstance(one.actions[0], a.MeterAction)
        and not isinstance(behind, Meter | ApplyActions)
    )


def instruction_text(one: Record, plain: bool = False) -> str:
    """Return an instruction; actions to apply without their name where they are `plain`."""
    match one:
        case ApplyActions(actions=found) if plain:
            return ",".join(map(action_text, found))
        case ApplyActions(actions=found) | WriteActions(actions=found):
            return f"{INSTRUCTION_NAMES[type(one)]}({','.join(map(action_text, found))})"
        case GotoTable(table_id=number) | Meter(meter_id=number):
            return f"{INSTRUCTION_NAMES[type(one)]}:{number}"
        case WriteMetadata(metadata=value, metadata_mask=mask):
            return f"write_metadata:{value:#x}" + (f"/{mask:#x}" if mask != _ALL64 else "")
        case StatTrigger():
            return show_stat_trigger(one)
        case ExperimenterInstruction():
            return show_experimenter_instruction(one)
    return INSTRUCTION_NAMES.get(type(one)) or str(one)
