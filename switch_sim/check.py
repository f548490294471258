"""What the switch refuses: matches, instructions and actions that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from protocol import (
    OF12,
    OF15,
    Action,
    ApplyActions,
    BadActionCode,
    BadInstructionCode,
    BadMatchCode,
    BadRequestCode,
    ClearActions,
    CopyField,
    DecMplsTtl,
    DecNwTtl,
    Enqueue,
    ExperimenterAction,
    ExperimenterInstruction,
    FlowMod,
    FlowModFailedCode,
    GotoTable,
    Group,
    Instruction,
    Match,
    Output,
    PopMpls,
    PopPbb,
    PopVlan,
    Port,
    PushMpls,
    PushPbb,
    PushVlan,
    SetField,
    SetMplsLabel,
    SetMplsTc,
    SetMplsTtl,
    SetNwEcn,
    SetNwTos,
    SetNwTtl,
    SetQueue,
    SetVlanPcp,
    SetVlanVid,
    Version,
    VlanId,
    WriteActions,
    WriteMetadata,
    onf,
)
from protocol import nicira as nx
from protocol.nicira.fields import NICIRA
from protocol.oxm import ONF, OPENFLOW_BASIC, OXM, FieldValue, OxmField
from protocol.packet import EthType

from .execute import EFFECTS
from .fields import SETTABLE
from .flow_entry import Doing
from .flow_key import TAG_TYPES
from .nicira import fields as nicira
from .nicira.touches import touched
from .refused import Refused
from .stages import Stages

_IP = (EthType.IPV4, EthType.IPV6)
_MPLS = (EthType.MPLS, EthType.MPLS_MULTICAST)
_OUTPUTS = frozenset(
    {
        Port.IN_PORT,
        Port.NORMAL,
        Port.FLOOD,
        Port.ALL,
        Port.CONTROLLER,
        Port.LOCAL,
    }
)
#: The actions that in an action set say where the packet goes.
DIRECTING: tuple[type[Action], ...] = (Output, Enqueue, Group, nx.Group)
#: The reserved ports that an enqueue can lead to (OF1.0 5.2.4 "Flow Action Structures").
QUEUED = frozenset({Port.IN_PORT, Port.LOCAL})

# OF1.0 says NONE where there is no in_port, the others CONTROLLER; all have LOCAL.
_SENDERS = frozenset({Port.CONTROLLER, Port.LOCAL, Port.ANY})


#: The fields of the specification, all of which the switch finds in packets.
MATCHABLE = frozenset(row.name for row in OXM.values() if row.oxm_class == OPENFLOW_BASIC)
# Beside them there are Nicira's, of which table features do not tell.
_MATCHABLE = MATCHABLE | nicira.MATCHABLE
_SETTABLE = SETTABLE | nicira.SETTABLE


def check_match(match: Match, version: Version) -> None:
    """Refuse a match that says what no packet has.

    What a field depends on: OF1.3.5 7.2.3.6 "Flow Match Field Prerequisite".
    """
    for name in match:
        if name not in _MATCHABLE:
            raise Refused(BadMatchCode.BAD_FIELD, f"match field {name} is unknown")
    # The structs of OF1.0 and OF1.1 have all fields always; what does not apply is ignored.
    if version >= OF12 and (problem := match.missing()):
        raise Refused(BadMatchCode.BAD_PREREQ, problem)


# The fields of which it depends whether others are there; of these the values count.
_DECIDING = frozenset(needed for row in OXM.values() for needed, _ in row.requires)
_SHAPES = 1024  # of matches, kept; a controller has a few
_PASSED = 512  # entries of which it is kept that their like is right


@lru_cache(_SHAPES)
def _deciding(names: tuple[str, ...]) -> Callable[[tuple[FieldValue, ...]], object]:
    """Return what takes the deciding values out of those of the fields with these names."""
    places = [place for place, name in enumerate(names) if name in _DECIDING]
    return itemgetter(*places) if places else lambda values: None


# What can be asked of a switch at one time, and is refused at another, is none of these.
_SETTLED = (frozenset(EFFECTS) | {Output}) - {SetQueue}


def _is_settled(instructions: Iterable[Instruction]) -> bool:
    """Whether it depends on themselves, and on the match, if instructions are refused."""
    for instruction in instructions:
        if isinstance(instruction, ApplyActions | WriteActions):
            if not _SETTLED.issuperset(map(type, instruction.actions)):
                return False
        elif not isinstance(instruction, GotoTable | ClearActions | WriteMetadata):
            return False
    return True


class Checker:
    """Knows what there is in the switch that instructions may name.

    Groups, meters and extensions put into `actions` and `instructions` what refuses theirs.
    """

    def __init__(self, stages: Stages) -> None:
        self.stages, self.n_tables = stages, stages.n_tables
        self.actions: dict[type[Action], Callable[[Any, Version], None]] = {}
        self.instructions: dict[type[Instruction], Callable[[Any, Version], None]] = {}
        # What is right whatever else changes in the switch.
        self._passed: set[object] = set()
        self.lists: list[Callable[[Sequence[Action]], None]] = []  #: what refuses actions together

    def check_flow(self, message: FlowMod, version: Version) -> Doing:
        """Refuse an entry that cannot be: its match, its table, its instructions.

        Most entries of a controller are like others before, but for addresses and the like.
        Return what it is to do.
        """
        match, instructions = message.match, message.instructions
        names, doing = tuple(match.keys()), Doing.of(instructions)
        deciding = _deciding(names)(tuple(match.values()))
        table_id, first_egress = message.table_id, self.stages.first_egress
        case = (names, deciding, doing, table_id, first_egress, version)
        if case in self._passed:
            return doing
        check_match(match, version)
        if message.table_id >= self.n_tables:
            raise Refused(FlowModFailedCode.BAD_TABLE_ID, f"there is no table {message.table_id}")
        self.check_instructions(instructions, match, message.table_id, version)
        if _is_settled(instructions):
            if len(self._passed) >= _PASSED:
                self._passed.clear()
            self._passed.add(case)
        return doing

    def check_instructions(
        self, instructions: Sequence[Instruction], match: Match, table_id: int, version: Version
    ) -> None:
        """Refuse what an entry cannot say (OF1.3.5 5.9 "Instructions")."""
        kinds = [type(instruction) for instruction in instructions]
        if len(set(kinds)) < len(kinds):
            raise Refused(BadInstructionCode.DUP_INST, "an instruction stands twice")
        for instruction in instructions:
            if check := self.instructions.get(type(instruction)):
                check(instruction, version)
                continue
            match instruction:
                case ApplyActions(actions=actions) | WriteActions(actions=actions):
                    self.check_actions(actions, version, Known(match, version))
                    if type(instruction) is WriteActions and self.stages.is_egress(table_id):
                        _check_undirected(actions, table_id)
                case GotoTable(table_id=target):
                    if target not in self.stages.tables_behind(table_id):
                        reason = f"table {table_id} cannot go to table {target}"
                        raise Refused(BadInstructionCode.BAD_TABLE_ID, reason)
                case ExperimenterInstruction(experimenter=who):
                    reason = f"experimenter {who:#x} is unknown"
                    raise Refused(BadInstructionCode.BAD_EXPERIMENTER, reason)
                case ClearActions() | WriteMetadata():
                    pass
                case _:
                    reason = f"{type(instruction).__name__} is not supported"
                    raise Refused(BadInstructionCode.UNSUP_INST, reason)

    def check_actions(
        self,
        actions: Iterable[Action],
        version: Version,
        known: Known | None = None,
        in_packet_out: bool = False,
    ) -> None:
        """Refuse what cannot be done (OF1.3.5 7.4.4 "Error Message": BAD_ACTION).

        `known` is what the match says of the packets; without it their fields are not asked.
        """
        actions = tuple(actions)
        for check_list in self.lists:
            check_list(actions)
        for action in actions:
            if own_check := self.actions.get(type(action)):
                own_check(action, version)
            else:
                self._check_kind(action, in_packet_out)
            if check := _ARGUMENTS.get(type(action)):
                check(action, version)
            if known is not None:
                known.follow(action)

    def _check_kind(self, action: Action, in_packet_out: bool) -> None:
        match action:
            case Output(port=port):
                check_output(port, _OUTPUTS, in_packet_out)
            case ExperimenterAction(experimenter=who):
                raise Refused(_unknown_action(who), f"an action of {who:#x} is unknown")
            case _ if type(action) not in EFFECTS:
                raise Refused(BadActionCode.BAD_TYPE, f"{action!r} is not supported")


def _check_undirected(actions: Iterable[Action], table_id: int) -> None:
    """Refuse to write another output beside that which an egress action set begins with.

    Egress tables have no such types of WriteActions, as their features say, so that it is
    BAD_TYPE (OF1.5.1 5.1 "Pipeline Processing").
    """
    for action in actions:
        if isinstance(action, DIRECTING):
            reason = f"egress table {table_id} cannot write {action!r}: the port is chosen"
            raise Refused(BadActionCode.BAD_TYPE, reason)


def _unknown_action(experimenter: int) -> BadActionCode:
    known = experimenter in (NICIRA, ONF)
    return BadActionCode.BAD_EXP_TYPE if known else BadActionCode.BAD_EXPERIMENTER


def check_output(port: int, reserved: frozenset[Port], in_packet_out: bool) -> None:
    """Refuse a port that will never be; one that is not there yet is none of these."""
    if 0 < port <= Port.MAX or port in reserved or (in_packet_out and port == Port.TABLE):
        return
    raise Refused(BadActionCode.BAD_OUT_PORT, f"nothing can be sent to port {port:#x}")


def _at_most(attribute: str, limit: int) -> Callable[[Any, Version], None]:
    def check(action: Any, version: Version) -> None:
        if getattr(action, attribute) > limit:
            reason = f"{attribute} {getattr(action, attribute):#x} is above {limit:#x}"
            raise Refused(BadActionCode.BAD_ARGUMENT, reason)

    return check


def _one_of(*ethertypes: int) -> Callable[[Any, Version], None]:
    def check(action: Any, version: Version) -> None:
        if action.ethertype not in ethertypes:
            reason = f"{type(action).__name__} cannot push {action.ethertype:#x}"
            raise Refused(BadActionCode.BAD_ARGUMENT, reason)

    return check


def _check_tos(action: SetNwTos, version: Version) -> None:
    if action.nw_tos & 3:
        raise Refused(BadActionCode.BAD_ARGUMENT, "the lower two bits of nw_tos are no DSCP")


def _settable(name: str, version: Version) -> OxmField:
    """Return the row of a field that may be set (OF1.3.5 7.2.5 "Action Structures")."""
    if name not in _SETTABLE or (name == "metadata" and version < OF15):
        raise Refused(BadActionCode.BAD_SET_TYPE, f"{name} cannot be set")
    return OXM[name]


def _check_set_field(action: SetField, version: Version) -> None:
    for name, value in action.field.items():
        _settable(name, version)
        if isinstance(value, tuple) and version < OF15:
            reason = f"{name} can be set with a mask since OF1.5 only"
            raise Refused(BadActionCode.BAD_SET_MASK, reason)
        if name == "vlan_vid" and isinstance(value, int) and not value & VlanId.PRESENT:
            raise Refused(BadActionCode.BAD_SET_ARGUMENT, "a VID is set with PRESENT only")


def _check_copy_field(action: CopyField, version: Version) -> None:
    source, target = OXM.get(action.src), _settable(action.dst, version)
    if source is None or source.name not in _SETTABLE | {"in_port", "in_phy_port"}:
        raise Refused(BadActionCode.BAD_SET_TYPE, f"{action.src} cannot be copied")
    fits = (
        action.src_offset + action.n_bits <= source.bits
        and action.dst_offset + action.n_bits <= target.bits
    )
    if not action.n_bits or not fits:
        reason = f"{action.n_bits} bits do not fit into {target.name} or {source.name}"
        raise Refused(BadActionCode.BAD_SET_LEN, reason)


_ARGUMENTS: dict[type[Action], Callable[[Any, Version], None]] = {
    SetVlanVid: _at_most("vlan_vid", 0xFFF),
    SetVlanPcp: _at_most("vlan_pcp", 7),
    SetNwTos: _check_tos,
    SetNwEcn: _at_most("nw_ecn", 3),
    SetMplsLabel: _at_most("mpls_label", 0xF_FFFF),
    SetMplsTc: _at_most("mpls_tc", 7),
    PushVlan: _one_of(*TAG_TYPES),
    PushMpls: _one_of(*_MPLS),
    PushPbb: _one_of(EthType.PBB),
    SetField: _check_set_field,
    CopyField: _check_copy_field,
    onf.CopyField: _check_copy_field,
}


_NO_TAG = {"vlan_vid": VlanId.NONE}


class Known:
    """What is known of the packets that an entry matches, action by action.

    Up to OF1.1 actions have no prerequisites: they pass over packets without the field.
    """

    def __init__(self, match: Match, version: Version) -> None:
        self.fields: dict[str, FieldValue] = dict(match.items())
        self.is_open = version < OF12  # the packets may have any field

    def follow(self, action: Action) -> None:
        """Refuse an action that cannot apply (MATCH_INCONSISTENT); note what it changes."""
        if self.is_open:
            return
        match action:
            case SetField(field=field):
                self._set(field)
            case CopyField(src=source, dst=target):
                self._want_prerequisites(source)
                self._want_prerequisites(target)
                self._change(target, None)
            case PushVlan():
                self.fields["vlan_vid"] = int(VlanId.PRESENT)
            case PopVlan():
                self._want_tag("PopVlan")
                self._forget("vlan_vid", "vlan_pcp")
            case PushMpls(ethertype=eth_type) | PushPbb(ethertype=eth_type):
                self._become(eth_type)
            case PopMpls(ethertype=eth_type):
                self._want_type(_MPLS, "PopMpls")
                self._become(eth_type)
            case PopPbb():
                self._want_type((EthType.PBB,), "PopPbb")
                self.is_open = True  # whatever the frame is that was inside
            case SetMplsTtl() | DecMplsTtl():
                self._want_type(_MPLS, type(action).__name__)
            case SetNwTtl() | DecNwTtl():
                self._want_type(_IP, type(action).__name__)
            case nx.Ct():
                self._want_type(_IP, "ct")
            case nx.ResubmitTableCt():
                self._want_tracked()
            case _:
                read, written = touched(action)
                for name in (*read, *written):
                    self._want_prerequisites(name)
                for name in written:
                    self._change(name, None)

    def _set(self, field: Match) -> None:
        for name, value in field.items():
            self._want_prerequisites(name)
            if name == "vlan_vid":
                self._want_tag("set_field of vlan_vid")
            self._change(name, value)

    def _change(self, name: str, value: FieldValue | None) -> None:
        if name == "eth_type" and isinstance(value, int):
            self._become(value)
        elif isinstance(value, int):
            self.fields[name] = value
        else:
            self._forget(name)

    def _become(self, eth_type: int) -> None:
        """Forget all that depends on the Ethernet type."""
        self.fields = {n: v for n, v in self.fields.items() if not _depends(OXM[n], "eth_type")}
        self.fields["eth_type"] = eth_type

    def _forget(self, *names: str) -> None:
        for name in names:
            self.fields.pop(name, None)

    def _want_prerequisites(self, name: str) -> None:
        row = OXM[name]
        for needed, values in row.requires:
            found = self.fields.get(needed)
            if found is None or (values and found not in values) or found == _NO_TAG.get(needed):
                _inconsistent(f"{name} needs another {needed}")

    def _want_type(self, eth_types: Sequence[int], what: str) -> None:
        if self.fields.get("eth_type", eth_types[0]) not in eth_types:
            _inconsistent(f"{what} does not apply to this eth_type")

    def _want_tracked(self) -> None:
        """Refuse where it is not sure that there is a connection's tuple."""
        state = self.fields.get("ct_state")
        value, mask = state if isinstance(state, tuple) else (state, -1)
        tracked, invalid = nx.CtState.TRACKED, nx.CtState.INVALID
        is_valid = isinstance(value, int) and (
            value & ~(tracked | invalid) or (value & tracked and mask & invalid & ~value)
        )
        if not is_valid:
            _inconsistent("resubmit with ct needs a ct_state that is valid, such as +trk-inv")

    def _want_tag(self, what: str) -> None:
        if self.fields.get("vlan_vid") == VlanId.NONE:
            _inconsistent(f"{what} needs a tag")


def _depends(row: OxmField, name: str) -> bool:
    return any(needed == name for needed, _ in row.requires)


def _inconsistent(reason: str) -> None:
    raise Refused(BadActionCode.MATCH_INCONSISTENT, reason)


def check_in_port(port: int) -> None:
    """Refuse what a packet_out cannot have come in by (OF1.3.5 7.3.7 "Packet-Out Message")."""
    if not (0 < port <= Port.MAX or port in _SENDERS):
        raise Refused(BadRequestCode.BAD_PORT, f"no packet can come in by port {port:#x}")
