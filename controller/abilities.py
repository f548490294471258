"""What versions lack, told in one kind of sentence before anything is sent."""

from __future__ import annotations

from collections.abc import Collection

from protocol import EncodeError, GetAsyncRequest, GroupMod, Message, MeterMod, TableMod, Version
from protocol.flows import FlowCountersRequest
from protocol.groups import GroupDescRequest, GroupFeaturesRequest, GroupStatsRequest
from protocol.meters import MeterDescRequest, MeterFeaturesRequest, MeterStatsRequest
from protocol.roles import ControllerStatusRequest
from protocol.table_features import TableFeaturesRequest
from protocol.tables import TableDescRequest

_GROUPS = "groups", "let the flow entries name their output ports"
_METERS = "meters", "send packets through queues, which have rates"
# What a message is for, and what to do where there is no such message.
_MESSAGES: dict[type[Message], tuple[str, str]] = {
    GroupMod: _GROUPS,
    GroupStatsRequest: _GROUPS,
    GroupDescRequest: _GROUPS,
    GroupFeaturesRequest: ("features of groups", "try a group with confirm()"),
    MeterMod: _METERS,
    MeterStatsRequest: _METERS,
    MeterDescRequest: _METERS,
    MeterFeaturesRequest: _METERS,
    TableMod: ("table_mod", "add an entry of priority 0 for what no other entry matches"),
    TableDescRequest: ("descriptions of tables", "ask for table_stats()"),
    TableFeaturesRequest: ("features of tables", "table_stats() tell what a table can do"),
    FlowCountersRequest: ("statistics without entries", "flow_stats() tell both"),
    GetAsyncRequest: ("way to ask for masks", "remember what set_async() was given"),
    ControllerStatusRequest: ("list of controllers", "look into the switch, as with ovs-vsctl"),
}
# What to do where a version lacks a part of a message, by the first word of the EncodeError.
_PARTS = {
    "FlowMod.importance": "let idle_timeout and hard_timeout make room in the table",
    "FlowMod.table_id": "put all into one table",
    "FlowMod.cookie_mask": "tell entries apart by their matches and priorities",
    "FlowStatsRequest.cookie_mask": "look at the cookies of all entries that come back",
    "FlowMod.instructions:": "put all into one table, as actions that are applied",
    "Group": _GROUPS[1],
    "Meter": _METERS[1],
    "TableMod.properties": "let idle_timeout and hard_timeout make room in the table",
}


def need(
    who: object, version: Version, thing: str, having: Collection[Version], instead: str
) -> None:
    """EncodeError, with what to do instead, unless the version is among those that have it."""
    if version not in having:
        raise _lacking(who, version, thing, having, instead)


def refusal(who: object, message: Message, version: Version, error: EncodeError) -> EncodeError:
    """Return what to raise where a version cannot say a message."""
    cls = type(message)
    having = [one for one in Version if _has(cls, one)]
    if version in having or not having:
        cure = _PARTS.get(str(error).partition(" ")[0])
        return EncodeError(f"{who}: {error}: {cure}" if cure else f"{who}: {error}")
    thing, instead = _MESSAGES.get(cls, (cls.__name__, "ask speaks() before"))
    return _lacking(who, version, thing, having, instead)


def _lacking(
    who: object, version: Version, thing: str, having: Collection[Version], instead: str
) -> EncodeError:
    first, last = min(having), max(having)
    others = f"{first} does" if first == last else f"{first} to {last} do"
    return EncodeError(f"{who}: OpenFlow {version} has no {thing}, {others}: {instead}")


def _has(cls: type[Message], version: Version) -> bool:
    try:
        cls.at(version)
    except (EncodeError, AttributeError):  # the latter for what is no message at all
        return False
    return True
