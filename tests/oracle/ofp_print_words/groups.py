"""Groups and meters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

import protocol.flows as fl
import protocol.groups as g
import protocol.meters as me
from protocol import Match, Port, Version
from protocol.syntax.words import port_text
from protocol.version import OF13, OF15

from .matches import actions
from .words import Words, counted, duration, missing

_GROUP_COMMANDS = {0: "ADD", 1: "MOD", 2: "DEL", 3: "INSERT_BUCKET", 5: "REMOVE_BUCKET"}
_BUCKET_WORDS = re.compile(r"(bucket_id|weight|watch_port|watch_group):([^,]+),")


def group(one: Any, version: Version, line: str) -> Words:
    """Compare a group with its line."""
    yield from missing(line, f"group_id={one.group_id}")
    if "type=" in line:
        yield from missing(line, f"type={g.GroupType(one.type).name.lower()}")
    buckets = line.split(",bucket=")[1:]
    for bucket, text in zip(one.buckets, buckets, strict=True):
        head, _, does = text.partition("actions=")
        wanted = set()
        if version >= OF15:
            wanted.add(("bucket_id", str(bucket.bucket_id)))
        if one.type == g.GroupType.SELECT and bucket.weight != 1:
            wanted.add(("weight", str(bucket.weight)))
        if bucket.watch_port != Port.ANY:
            wanted.add(("watch_port", port_text(bucket.watch_port)))
        if bucket.watch_group != fl.ANY_GROUP:
            wanted.add(("watch_group", str(bucket.watch_group)))
        said = set(_BUCKET_WORDS.findall(head))
        if said - {("weight", "1")} != wanted:
            yield f"the bucket is {said}, not {wanted}"
        yield from actions(bucket.actions, does, version, Match())


def group_mod(message: g.GroupMod, version: Version, text: str) -> Words:
    line = text.partition("):")[2].strip()
    yield from missing(line, _GROUP_COMMANDS[message.command])
    yield from group(message, version, line)
    bucket_id = message.command_bucket_id
    if message.command >= g.GroupModCommand.INSERT_BUCKET:
        names = {one.value: one.name.lower() for one in g.BucketId}
        yield from missing(line, f"command_bucket_id:{names.get(bucket_id, bucket_id)}")


def group_desc_request(message: g.GroupDescRequest, version: Version, text: str) -> Words:
    if version >= OF15:  # the others ask for all
        group_id = "ALL" if message.group_id == g.GroupId.ALL else message.group_id
        yield from missing(text, f"group_id={group_id}")


def group_descs(message: g.GroupDescReply, version: Version, text: str) -> Words:
    lines = text.splitlines()[1:]
    for one, line in zip(message.groups, lines, strict=True):
        yield from group(one, version, line)


def group_stats(message: g.GroupStatsReply, version: Version, text: str) -> Words:
    lines = text.splitlines()[1:]
    for one, line in zip(message.groups, lines, strict=True):
        wanted = [f"group_id={one.group_id}", f"ref_count={one.ref_count}"]
        wanted += [f"packet_count={one.packet_count}", f"byte_count={one.byte_count}"]
        if version >= OF13 and one.duration_sec != 0xFFFF_FFFF:
            wanted.append(f"duration={duration(one.duration_sec, one.duration_nsec)}")
        for index, bucket in enumerate(one.bucket_stats):
            wanted.append(
                f"bucket{index}:packet_count={counted(bucket.packet_count)},"
                f"byte_count={counted(bucket.byte_count)}"
            )
        yield from missing(line, *wanted)


def group_features(message: g.GroupFeaturesReply, version: Version, text: str) -> Words:
    yield from missing(
        text, f"Types:  {message.types:#x}", f"Capabilities:  {int(message.capabilities):#x}"
    )
    for kind, most in zip(g.GroupType, message.max_groups, strict=True):
        if message.types & 1 << kind:
            yield from missing(text, f"max_groups={most:#x}")


def one_or_all(name: str, word: str, every: int, shown: str) -> Callable[..., Words]:
    """Compare a request for one group or meter, or for all."""

    def compare(message: Any, version: Version, text: str) -> Words:
        number = getattr(message, name)
        yield from missing(text, f"{word}={shown if number == every else int(number)}")

    return compare


def _meter(one: Any, text: str, sign: str = "=") -> Words:
    name = {0xFFFF_FFFF: "all", 0xFFFF_FFFE: "controller"}.get(one.meter_id, str(one.meter_id))
    wanted = [f"meter{sign}{name}"]
    wanted += [flag.name.lower() for flag in me.MeterFlags if one.flags & flag]  # type: ignore[union-attr]
    yield from missing(text, *wanted)
    bands = [line for line in text.splitlines() if line.startswith("type=")]
    for band, line in zip(one.bands, bands, strict=True):
        kind = "drop" if isinstance(band, me.DropBand) else "dscp_remark"
        words = [f"type={kind}", f"rate={band.rate}"]
        words += [f"burst_size={band.burst_size}"] if one.flags & me.MeterFlags.BURST else []
        words += [f"prec_level={band.prec_level}"] if kind == "dscp_remark" else []
        yield from missing(line, *words)


def meter_mod(message: me.MeterMod, version: Version, text: str) -> Words:
    yield from missing(text, _GROUP_COMMANDS[message.command])
    deletes = message.command == me.MeterModCommand.DELETE  # then there are no flags
    yield from _meter(replace(message, flags=0) if deletes else message, text)


def meter_descs(message: me.MeterDescReply, version: Version, text: str) -> Words:
    parts = re.split(r"^(?=meter=)", text, flags=re.MULTILINE)[1:]
    for one, part in zip(message.meters, parts, strict=True):
        yield from _meter(one, part)


def meter_stats(message: me.MeterStatsReply, version: Version, text: str) -> Words:
    parts = re.split(r"^(?=meter:)", text, flags=re.MULTILINE)[1:]
    for one, part in zip(message.meters, parts, strict=True):
        yield from missing(
            part,
            f"meter:{one.meter_id}",
            f"flow_count:{one.flow_count}",
            f"packet_in_count:{one.packet_in_count}",
            f"byte_in_count:{one.byte_in_count}",
            f"duration:{duration(one.duration_sec, one.duration_nsec)}",
            *(
                f"{index}: packet_count:{band.packet_band_count} byte_count:{band.byte_band_count}"
                for index, band in enumerate(one.band_stats)
            ),
        )


def meter_features(message: me.MeterFeaturesReply, version: Version, text: str) -> Words:
    yield from missing(
        text,
        f"max_meter:{message.max_meter}",
        f"max_bands:{message.max_bands}",
        f"max_color:{message.max_color}",
    )
