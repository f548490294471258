"""Ports and queues."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import protocol.ports as po
import protocol.queues as q
from protocol import Port, Version
from protocol.syntax.words import port_text
from protocol.version import OF10, OF13, OF14, OF15

from .words import Words, counted, duration, missing, said_words


def _feature_words(bits: int) -> set[str]:
    words = set()
    for flag in po.PortFeatures:
        if bits & flag:
            name = flag.name or ""
            name = name.removeprefix("RATE_").replace("_HD", "-HD").replace("_FD", "-FD")
            words.add({"AUTONEG": "AUTO_NEG"}.get(name, name.replace("PAUSE", "AUTO_PAUSE")))
    return words


def _config_words(config: int) -> set[str]:
    return {flag.name or "" for flag in po.PortConfig if config & flag}


def port_desc(desc: po.PortDesc, version: Version, text: str) -> Words:
    yield from missing(text, f"{port_text(desc.port_no)}({desc.name})", f"addr:{desc.hw_addr}")
    sets = [("config", said_words(text, "config"), _config_words(desc.config))]
    if version > OF10:
        state = {flag.name or "" for flag in po.PortState if desc.state & flag}
        sets.append(("state", said_words(text, "state"), state))
    for one in desc.properties:
        if isinstance(one, po.PortEthernet):
            for title in ("curr", "advertised", "supported", "peer"):
                word = "current" if title == "curr" else title
                sets.append((title, said_words(text, word), _feature_words(getattr(one, title))))
            if version > OF10:
                speeds = (
                    f"speed: {one.curr_speed // 1000} Mbps now, {one.max_speed // 1000} Mbps max"
                )
                yield from missing(text, speeds)
    for title, said, wanted in sets:
        if said != wanted:
            yield f"{title} is {sorted(said)}, not {sorted(wanted)}"


def port_descs(message: Any, version: Version, text: str) -> Words:
    parts = re.split(r"^ (?=\S+\()", text, flags=re.MULTILINE)[1:]
    if len(parts) != len(message.ports):
        yield f"{len(parts)} ports are not {len(message.ports)}"
        return
    # Open vSwitch sorts them.
    for desc in message.ports:
        found = [list(port_desc(desc, version, part)) for part in parts]
        if all(found):
            yield f"no port is {desc}: {min(found, key=len)}"


def port_desc_request(message: po.PortDescRequest, version: Version, text: str) -> Words:
    if version >= OF15:  # the others ask for all
        yield from missing(text, f"port={port_text(message.port_no)}")


def port_status(message: po.PortStatus, version: Version, text: str) -> Words:
    yield from missing(text, ("ADD", "DEL", "MOD")[message.reason])
    yield from port_desc(message.desc, version, text)


def port_mod(message: po.PortMod, version: Version, text: str) -> Words:
    yield from missing(text, f"port: {port_text(message.port_no)}", f"addr:{message.hw_addr}")
    # Bits that the mask leaves out are not kept.
    config = _config_words(message.config & message.mask)
    sets = [("config", said_words(text, "config"), config)]
    sets.append(("mask", said_words(text, "mask"), _config_words(message.mask)))
    for one in message.properties:
        if isinstance(one, po.PortModEthernet) and one.advertise:
            sets.append(("advertise", said_words(text, "advertise"), _feature_words(one.advertise)))
    for title, said, wanted in sets:
        if said != wanted:
            yield f"{title} is {sorted(said)}, not {sorted(wanted)}"


def port_stats(message: po.PortStatsReply, version: Version, text: str) -> Words:
    parts = re.split(r"^  port ", text, flags=re.MULTILINE)[1:]
    for port, part in zip(message.ports, parts, strict=True):
        received, sent, *_ = part.splitlines()
        ethernet = next(
            (one for one in port.properties if isinstance(one, po.PortStatsEthernet)), None
        )
        if not re.match(rf" *{port_text(port.port_no)}:", part):
            yield f"{part!r} is not of port {port_text(port.port_no)}"
        for line, words in (
            (received, _received(port, ethernet)),
            (sent, _sent(port, ethernet)),
        ):
            yield from (f"{line!r} does not say {word}" for word in words if word not in line + ",")
        if version >= OF13:
            wanted = f"duration={duration(port.duration_sec, port.duration_nsec)}"
            if port.duration_sec != 0xFFFF_FFFF:
                yield from missing(part, wanted)


def _received(port: po.PortStats, ethernet: po.PortStatsEthernet | None) -> list[str]:
    words = [
        f"pkts={counted(port.rx_packets)},",
        f"bytes={counted(port.rx_bytes)},",
        f"drop={counted(port.rx_dropped)},",
        f"errs={counted(port.rx_errors)},",
    ]
    if ethernet:
        words += [
            f"frame={counted(ethernet.rx_frame_err)},",
            f"over={counted(ethernet.rx_over_err)},",
            f"crc={counted(ethernet.rx_crc_err)},",
        ]
    return words


def _sent(port: po.PortStats, ethernet: po.PortStatsEthernet | None) -> list[str]:
    words = [
        f"pkts={counted(port.tx_packets)},",
        f"bytes={counted(port.tx_bytes)},",
        f"drop={counted(port.tx_dropped)},",
        f"errs={counted(port.tx_errors)},",
    ]
    return words + ([f"coll={counted(ethernet.collisions)},"] if ethernet else [])


def port_of(name: str, word: str, none: int = Port.ANY) -> Callable[..., Words]:
    """Compare a request that names a port."""

    def compare(message: Any, version: Version, text: str) -> Words:
        yield from missing(text, f"{word}={port_text(getattr(message, name))}")

    return compare


# Queues


def _queue_properties(desc: q.QueueDesc) -> list[str]:
    words = []
    for one in desc.properties:
        if isinstance(one, q.MinRate | q.MaxRate) and one.rate != q.DISABLED:
            name = "min_rate" if isinstance(one, q.MinRate) else "max_rate"
            rate = f"{one.rate // 10}.{one.rate % 10}%" if one.rate <= 1000 else "(disabled)"
            words.append(f"{name}:{rate}")
    return words


def queue_descs(message: Any, version: Version, text: str) -> Words:
    lines = [line for line in text.splitlines() if line.startswith("queue ")]
    wanted = sorted(
        sorted([f"queue {one.queue_id}:", *_queue_properties(one)]) for one in message.queues
    )
    said = sorted(sorted([line.split(":")[0] + ":", *line.split()[2:]]) for line in lines)
    if said != wanted:
        yield f"the queues are {said}, not {wanted}"
    for one in message.queues if version >= OF14 else ():
        yield from missing(text, f"port={port_text(one.port_no)}")


def queue_stats(message: q.QueueStatsReply, version: Version, text: str) -> Words:
    lines = [line for line in text.splitlines() if line.startswith("  port ")]
    for queue, line in zip(message.queues, lines, strict=True):
        wanted = [
            f"port {port_text(queue.port_no)} queue {queue.queue_id}:",
            f"bytes={counted(queue.tx_bytes)},",
            f"pkts={counted(queue.tx_packets)},",
            f"errors={counted(queue.tx_errors)}",
        ]
        if version >= OF13 and queue.duration_sec != 0xFFFF_FFFF:
            wanted.append(f"duration={duration(queue.duration_sec, queue.duration_nsec)}")
        yield from (f"{line!r} does not say {word}" for word in wanted if word not in line)


def queue_request(message: Any, version: Version, text: str) -> Words:
    yield from missing(text, f"port={port_text(message.port_no)}")
    if message.queue_id != q.QueueId.ALL:
        yield from missing(text, f"queue={message.queue_id}")
