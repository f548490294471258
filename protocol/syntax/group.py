"""Groups and meters as ovs-ofctl's users write them (ovs-ofctl(8) "Group Syntax")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..actions import Action
from ..flows import ANY_GROUP
from ..groups import Bucket, BucketId, GroupDesc, GroupId, GroupMod, GroupModCommand, GroupType
from ..meters import (
    DropBand,
    DscpRemarkBand,
    MeterBand,
    MeterDesc,
    MeterFlags,
    MeterId,
    MeterMod,
    MeterModCommand,
)
from ..ports import Port
from ..record import Record
from ..version import OF15, Version
from .actions import actions_text, parse_actions, read_action
from .selection import SELECTION, read_selection, selection_words
from .spelling import spelled_actions
from .words import Word, member, number, port, port_text, unknown, words

_CHANGES = (GroupModCommand.ADD, GroupModCommand.MODIFY)


def parse_group(
    text: str, command: GroupModCommand = GroupModCommand.ADD, version: Version = OF15
) -> GroupMod:
    """Read a group; its actions are spelled as `version` does.

    ValueError, with a sentence that says the cure, for what is none. In OF1.5 buckets have
    numbers: those that are not said count up from 0. A bucket of a select group has weight
    1 where none is said.

    >>> parse_group("group_id=1,type=indirect,bucket=output:2")
    GroupMod(group_id=1, type=<GroupType.INDIRECT: 2>, buckets=(Bucket(actions=(Output(port=2),)),))
    """
    head, *texts = _parts(text)
    given: dict[str, Any] = {}
    for word in head:
        if word.name not in SELECTION:
            _read_setting(word, given)
    given["properties"] = read_selection(word for word in head if word.name in SELECTION)
    if "group_id" not in given:
        raise ValueError("a group needs its number; write group_id=…")
    if "type" not in given and command in _CHANGES:
        raise ValueError("a group needs its type; write type=all, select, indirect or ff")
    kind = GroupType(given.pop("type", GroupType.ALL))
    buckets = [_read_bucket(one, kind, at, version) for at, one in enumerate(texts)]
    return GroupMod(type=kind, buckets=tuple(buckets), command=command, **given)


def _parts(text: str) -> Iterator[list[Word]]:
    """Return the words of the group, then those of each bucket."""
    part: list[Word] = []
    for word in words(text):
        if word.name.lower() in ("bucket", "buckets"):
            yield part
            part = list(words(word.value))
        else:
            part.append(word)
    yield part


def _read_group_id(text: str) -> int:
    return member("group", text, GroupId) if text.isalpha() else number("group_id", text, 32)


def _read_type(text: str) -> int:
    return GroupType.FF if text.lower() == "fast_failover" else member("type", text, GroupType)


def _read_bucket_id(text: str) -> int:
    if text.isalpha():
        return member("bucket", text, BucketId)
    return number("command_bucket_id", text, 32)


_SETTINGS: dict[str, Callable[[str], int]] = {
    "group_id": _read_group_id,
    "type": _read_type,
    "command_bucket_id": _read_bucket_id,
}


def _read_setting(word: Word, given: dict[str, Any]) -> None:
    if word.name not in _SETTINGS:
        raise unknown("word of a group", word.name, [*_SETTINGS, *SELECTION, "bucket"])
    if word.name in given:
        raise ValueError(f"{word.name} stands twice; leave one of them out")
    given[word.name] = _SETTINGS[word.name](word.value)


_BUCKET_SETTINGS: dict[str, Callable[[str], int]] = {
    "bucket_id": lambda text: number("bucket_id", text, 32),
    "weight": lambda text: number("weight", text, 16),
    "watch_port": lambda text: port("watch_port", text),
    "watch_group": lambda text: number("watch_group", text, 32),
}


def _read_bucket(found: Iterable[Word], kind: GroupType, at: int, version: Version) -> Bucket:
    given: dict[str, Any] = {"bucket_id": at} if version >= OF15 else {}
    if kind == GroupType.SELECT:
        given["weight"] = 1
    actions: list[Action] = []
    for word in found:
        if word.name in _BUCKET_SETTINGS:
            given[word.name] = _BUCKET_SETTINGS[word.name](word.value)
        elif word.name == "actions":
            actions += parse_actions(word.value)
        elif word.text != "drop":
            actions.append(read_action(word))
    return Bucket(spelled_actions(actions, version), **given)


def group_text(group: GroupMod | GroupDesc) -> str:
    """Return a group as `parse_group` reads it."""
    return ",".join(_group_words(group))


def _group_words(group: GroupMod | GroupDesc) -> Iterator[str]:
    yield f"group_id={_named(group.group_id, GroupId)}"
    yield f"type={_named(group.type, GroupType)}"
    if isinstance(group, GroupMod) and group.command_bucket_id != BucketId.ALL:
        yield f"command_bucket_id={_named(group.command_bucket_id, BucketId)}"
    yield from selection_words(group.properties)
    for bucket in group.buckets:
        yield f"bucket={bucket_text(bucket)}"


def _named(value: int, names: type[GroupId] | type[GroupType] | type[BucketId]) -> str:
    known = value in names._value2member_map_ and value != 0xFFFF_FF00
    return names(value).name.lower() if known else str(int(value))


def bucket_text(bucket: Bucket) -> str:
    """Return a bucket as it stands behind `bucket=`."""
    return ",".join(_bucket_words(bucket))


def _bucket_words(bucket: Bucket) -> Iterator[str]:
    if bucket.bucket_id:
        yield f"bucket_id:{bucket.bucket_id}"
    if bucket.weight is not None:
        yield f"weight:{bucket.weight}"
    if bucket.watch_port != Port.ANY:
        yield f"watch_port:{port_text(bucket.watch_port)}"
    if bucket.watch_group != ANY_GROUP:
        yield f"watch_group:{bucket.watch_group}"
    yield f"actions={actions_text(bucket.actions)}"


# Meters


def parse_meter(text: str, command: MeterModCommand = MeterModCommand.ADD) -> MeterMod:
    """Read a meter; ValueError, with a sentence that says the cure, for what is none.

    >>> parse_meter("meter=1,pktps,bands=type=drop,rate=1000")
    MeterMod(meter_id=1, bands=(DropBand(rate=1000),), flags=<MeterFlags.PKTPS: 2>)
    """
    head, _, bands = text.partition("bands=")
    meter_id: int | None = None
    flags = MeterFlags(0)
    for word in words(head):
        if word.name in ("meter", "meter_id"):
            meter_id = _read_meter_id(word.value)
        elif word.name.upper() in MeterFlags.__members__ and not word.value:
            flags |= MeterFlags[word.name.upper()]
        else:
            known = ["meter", "bands", *(name.lower() for name in MeterFlags.__members__)]
            raise unknown("word of a meter", word.name, known)
    if meter_id is None:
        raise ValueError("a meter needs its number; write meter=…")
    if command is not MeterModCommand.DELETE and not flags & (MeterFlags.KBPS | MeterFlags.PKTPS):
        raise ValueError("a meter needs its unit; write kbps or pktps")
    return MeterMod(meter_id, tuple(_read_bands(words(bands))), command, flags)


def _read_meter_id(text: str) -> int:
    return member("meter", text, MeterId) if text.isalpha() else number("meter", text, 32)


_BANDS: dict[str, type[MeterBand]] = {"drop": DropBand, "dscp_remark": DscpRemarkBand}
_BAND_NUMBERS = {"rate": 32, "burst_size": 32, "prec_level": 8}


def _read_bands(found: Iterable[Word]) -> Iterator[MeterBand]:
    kind: type[MeterBand] | None = None
    given: dict[str, int] = {}
    for word in found:
        if word.name == "type":
            if kind:
                yield _band(kind, given)
            if (kind := _BANDS.get(word.value)) is None:
                raise unknown("type of band", word.value, _BANDS)
            given = {}
        elif kind is None:
            raise ValueError(f"{word.text} stands before its band's type; begin with type=drop")
        elif word.name not in kind.__struct_fields__:
            raise unknown("word of such a band", word.name, ["type", *kind.__struct_fields__])
        else:
            given[word.name] = number(word.name, word.value, _BAND_NUMBERS[word.name])
    if kind:
        yield _band(kind, given)


def _band(kind: type[MeterBand], given: dict[str, int]) -> MeterBand:
    if "rate" not in given:
        raise ValueError("a band needs its rate; write rate=…")
    return kind(**given)


def meter_text(meter: MeterMod | MeterDesc) -> str:
    """Return a meter as `parse_meter` reads it."""
    known = meter.meter_id in MeterId._value2member_map_ and meter.meter_id != MeterId.MAX
    parts = [f"meter={MeterId(meter.meter_id).name.lower() if known else meter.meter_id}"]
    parts += [name.lower() for name, flag in MeterFlags.__members__.items() if meter.flags & flag]
    bands = ",".join(map(_band_text, meter.bands))
    return ",".join([*parts, f"bands={bands}"] if bands else parts)


def _band_text(band: Record) -> str:
    for name, kind in _BANDS.items():
        if type(band) is kind:
            numbers = (f"{field}={getattr(band, field)}" for field in band.__struct_fields__)
            return f"type={name},{','.join(numbers)}"
    return str(band)
