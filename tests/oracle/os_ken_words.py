"""What os-ken says of a message, side by side with what we read in it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from typing import Any

import protocol
from protocol import (
    OF10,
    Action,
    ApplyActions,
    ErrorMsg,
    FlowCounters,
    Instruction,
    Match,
    Port,
    PortDesc,
    PortMod,
    Version,
)
from protocol.errors import codes_at
from protocol.oxm import OXM
from protocol.record import Record

#: Of these a name is another thing to os-ken than to us, or its number is not the one of
#: the wire: its own lengths and types, OF1.0's wildcards.
_LEFT_OUT = {"len", "length", "type", "actions_len", "wildcards", "body", "data_length"}
#: OF1.0 numbers these bits otherwise.
_BITS_OF_10 = {"capabilities", "curr", "advertised", "supported", "peer", "state", "flags"}
_BASES = {"OFPAction": Action, "OFPInstruction": Instruction, "OFP": Record}
#: Elsewhere what os-ken has as properties are fields to us.
_SAME_PROPERTIES = (PortDesc, PortMod)


def differences(ours: Any, said: Mapping[str, Any], version: Version) -> Iterator[str]:
    """Return where our value and os-ken's fields of the same name differ."""
    said = {name: value for name, value in said.items() if value is not None}
    if isinstance(ours, ErrorMsg) and "experimenter" in said:
        said = _experimenters_error(said)
    if "body" in said:
        yield from _bodies(ours, said["body"], version)
    for name, value in said.items():
        if name in _LEFT_OUT or (version == OF10 and name in _BITS_OF_10):
            continue
        if name == "properties" and not isinstance(ours, _SAME_PROPERTIES):
            continue
        if name == "match":
            yield from _matches(ours.match, value)
        elif name in ("code", "exp_type") and hasattr(ours, "code"):
            yield from _errors(ours.code, said, version)
        elif (found := _field(ours, name)) is not None:
            yield from _values(name, found, value, version)


def _field(ours: Any, name: str) -> Any:
    if name == "actions" and hasattr(ours, "instructions"):  # OF1.0
        first = ours.instructions[:1]
        return first[0].actions if first and isinstance(first[0], ApplyActions) else ()
    for holder in (ours, getattr(ours, "stats", None), *getattr(ours, "properties", ())):
        if hasattr(holder, name):
            return getattr(holder, name)
    return None


def _values(name: str, ours: Any, said: Any, version: Version) -> Iterator[str]:
    match said:
        case dict() if all(key.isdigit() for key in said):
            in_order = [said[str(_plain(port.port_no, name, version))] for port in ours]
            yield from _lists(name, ours, in_order, version)
        case list():
            yield from _lists(name, ours, said, version)
        case dict():
            ((kind, inner),) = said.items()
            if not kind.startswith("NX"):  # an experimenter action to us
                yield from _kinds(ours, kind)
                yield from differences(ours, inner, version)
        case _ if _plain(ours, name, version) != _plain_of_os_ken(ours, said):
            yield f"{name}: {ours!r} is not {said!r}"


def _lists(name: str, ours: Any, said: list[Any], version: Version) -> Iterator[str]:
    if isinstance(ours, bytes):
        if not all(isinstance(one, dict) for one in said) and b"".join(
            one.to_bytes(4, "big") for one in said
        ) != ours.rstrip(b"\0").ljust(4 * len(said), b"\0"):
            yield f"{name}: {ours!r} is not {said!r}"
        return
    if len(ours) != len(said):
        yield f"{name}: {len(ours)} are not {len(said)}"
        return
    for index, (one, other) in enumerate(zip(ours, said, strict=True)):
        yield from _values(f"{name}[{index}]", one, other, version)


def _kinds(ours: Any, kind: str) -> Iterator[str]:
    """A class that both have by the same name must be the same."""
    for prefix, base in _BASES.items():
        if kind.startswith(prefix):
            wanted = getattr(protocol, kind.removeprefix(prefix), None)
            if isinstance(ours, FlowCounters):  # OF1.5's ofp_flow_stats, which was another
                wanted = FlowCounters
            if _is_a(wanted, base) and type(ours) is not wanted:
                yield f"{type(ours).__name__} is no {kind}"
            return


def _is_a(wanted: Any, base: type[Record]) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, base)


def _plain(ours: Any, name: str, version: Version) -> Any:
    is_port = "port" in name and isinstance(ours, int) and ours >= Port.MAX
    return ours & 0xFFFF if version == OF10 and is_port else ours


def _plain_of_os_ken(ours: Any, said: Any) -> Any:
    if isinstance(ours, bytes) and isinstance(said, str):
        return base64.b64decode(said)
    if isinstance(ours, int) and isinstance(said, str):
        if "." in said:
            return int(IPv4Address(said))
        return int(said.replace(":", "").replace("-", ""), 16)
    return said


def _errors(ours: Any, said: Mapping[str, Any], version: Version) -> Iterator[str]:
    pair = (said["type"], said.get("code", said.get("exp_type")))
    named = codes_at(version).get(pair)
    if (named or (ours.type, ours.code)) != (ours if named else pair):
        yield f"{ours} is not {pair}"


def _experimenters_error(said: Mapping[str, Any]) -> dict[str, Any]:
    """To os-ken the experimenter is a field; to us it is where the data begins."""
    experimenter = int(said["experimenter"]).to_bytes(4, "big")
    data = experimenter + base64.b64decode(said["data"])
    return {**said, "data": base64.b64encode(data).decode()}


def _bodies(ours: Any, body: Any, version: Version) -> Iterator[str]:
    """Compare the body of a reply: one record is the message itself, many its list."""
    if isinstance(body, dict):
        ((_, inner),) = body.items()
        yield from differences(ours, inner, version)
    elif isinstance(body, list):
        for name in ("flows", "ports"):
            if hasattr(ours, name):
                yield from _lists(name, getattr(ours, name), body, version)


def _matches(ours: Match, said: Mapping[str, Any]) -> Iterator[str]:
    for one in said["OFPMatch"].get("oxm_fields", ()):
        tlv = one["OXMTlv"]
        if (row := OXM.get(tlv["field"])) is None:
            continue
        value, mask = (
            row.kind.parse(number) if isinstance(number, str) else number
            for number in (tlv["value"], tlv["mask"])
        )
        found = ours.get(row.name)
        if isinstance(found, tuple) and mask is not None and found != (value, mask):
            yield f"{row.name}: {found!r} is not {value!r}/{mask!r}"
        if isinstance(found, int) and found != value:
            yield f"{row.name}: {found!r} is not {value!r}"
