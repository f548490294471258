"""Which bits of a frame decide what look-ups find.

What a field is depends on its own bits, and on all that say where it lies or whether it is
there: types, tags, versions, header lengths, fragments. Frames that agree in those bits, and
are long enough for the same headers, have the same value. So what a walk through the tables
has looked at is a mask over the frame, with a few lengths. A frame whose structure is odd
(cut short, of IEEE 802.3, with options of neighbour discovery that are asked for) is taken
whole: then all of its bytes count.

Masks are integers in which byte n of a frame has bits 8n to 8n + 7: little-endian, so that
they do not depend on the frame's length.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from operator import or_
from typing import Any, NamedTuple

import msgspec

from .fields import HEADERS, locate
from .flow_entry import Masks
from .flow_key import PIPELINE_FIELDS, TAG_TYPES, FlowKey
from .tuple_space import Tuple

# How far into a frame one must look to find a field; WHOLE: that is not easily told.
FRAME, TAG, TYPE, NETWORK, TRANSPORT, WHOLE = range(6)
_DEPTH_OF = {
    "frame": FRAME,
    "vlan": TAG,
    "type_at": TYPE,
    "mpls": NETWORK,
    "pbb": NETWORK,
    "network": NETWORK,
    "proto_at": NETWORK,
    "transport": TRANSPORT,
    "nd_address": WHOLE,
}
_DEPTHS = {name: _DEPTH_OF[header] for name, header in HEADERS.items()} | {"ipv6_exthdr": NETWORK}

_LAYOUTS = 1024  # kept; a network has a few, who sends nonsense makes more
_FIRST_TYPE = 0x0600
_FIRST_HEADER, _PLAIN_IPV4 = 14, b"\x08\x00\x45"  # behind Ethernet; IPv4 of 20 bytes
_ARP, _IPV4, _IPV6, _MPLS, _PBB = 0x0806, 0x0800, 0x86DD, (0x8847, 0x8848), 0x88E7
_TRANSPORT_SIZES = {6: 20, 17: 8, 132: 12}  # bytes that a header must have to be one
_ICMP_SIZE, _ICMP = 4, {_IPV4: 1, _IPV6: 58}
_NEIGHBOUR_DISCOVERY = frozenset({"ipv6_nd_target", "ipv6_nd_sll", "ipv6_nd_tll"})


class Lengths(NamedTuple):
    """How long a frame must be to have the same headers."""

    at_least: int  #: bytes of the frame
    length_at: int = 0  #: where an IP header says how long it is with all behind; 0: not asked
    length: int = 0  #: the least that it must say


class Layout:
    """Where the headers of a frame lie, and what that is known by.

    `decisive` and `lengths` are by depth: FRAME to TRANSPORT; each includes those before it.
    From `odd` on, nothing but the whole frame tells.
    """

    def __init__(self, key: FlowKey, first: int, is_tagged: bool, is_later: bool) -> None:
        self._key = key
        self._first, self._is_later = first, is_later  # byte of the IP header; fragment
        self.decisive = [0]
        self.lengths = [Lengths(14)]
        self.odd = WHOLE
        for find in (self._tag, self._type, self._network, self._transport):
            found = find(is_tagged)
            if found is None:
                self.odd = len(self.decisive)
                break
            mask, lengths = found
            self.decisive.append(self.decisive[-1] | mask)
            self.lengths.append(lengths)

    def footprint(self, masks: Masks) -> tuple[int, int]:
        """Return the mask of what decides these fields, and the depth of the deepest one."""
        bits, depth = 0, FRAME
        for name, mask in masks:
            if name in PIPELINE_FIELDS:
                continue
            reach = self._depth(name)
            if reach >= self.odd:
                return 0, WHOLE
            depth = max(depth, reach)
            if name in HEADERS and (place := locate(self._key, name)):
                at, (_, _, size, width, shift) = place
                bits |= _bits(at, size, (mask & (1 << width) - 1) << shift)
        return bits | self.decisive[depth], depth

    def _depth(self, name: str) -> int:
        if name in _NEIGHBOUR_DISCOVERY:
            return WHOLE if "icmpv6_type" in self._key else TRANSPORT
        return _DEPTHS.get(name, WHOLE)

    # What says that the headers lie as they do; None where that is not so easily told

    def _tag(self, is_tagged: bool) -> tuple[int, Lengths] | None:
        if not is_tagged or (not self._key.vlan and self._key["eth_type"] in TAG_TYPES):
            return None
        return _bytes(12, 2), Lengths(18 if self._key.vlan else 14)

    def _type(self, is_tagged: bool) -> tuple[int, Lengths] | None:
        eth_type, type_at = self._key.get("eth_type", 0), self._key.type_at
        if eth_type < _FIRST_TYPE or eth_type in TAG_TYPES:
            return None
        mask = sum(_bytes(at, 2) for at in range(12, type_at + 1, 4))
        return mask, Lengths(type_at + 2)

    def _network(self, is_tagged: bool) -> tuple[int, Lengths] | None:
        key, eth_type = self._key, self._key["eth_type"]
        if eth_type in _MPLS:
            return (0, Lengths(key.mpls + 4)) if key.mpls else None
        if eth_type == _PBB:
            return (0, Lengths(key.pbb + 18)) if key.pbb else None
        if eth_type not in (_ARP, _IPV4, _IPV6):
            return 0, self.lengths[TYPE]
        if not key.network:
            return None
        if eth_type == _ARP:
            return _bytes(key.network, 6), Lengths(key.network + 28)
        if eth_type == _IPV4:
            size = (self._first & 0xF) * 4
            return _bytes(key.network, 1), Lengths(key.network + size, key.network + 2, size)
        return self._network6()

    def _network6(self) -> tuple[int, Lengths] | None:
        key = self._key
        mask = _bits(key.network, 1, 0xF0) | _bytes(key.network + 6, 1)
        end = key.network + 40
        if not key.get("ipv6_exthdr", 0):
            return mask, Lengths(end)
        if not key.transport:
            return None
        size = self._transport_size()
        if size is None:
            return None
        mask |= _bytes(end, key.transport - end)
        length = key.transport - end + size
        return mask, Lengths(key.transport + size, key.network + 4, length)

    def _transport(self, is_tagged: bool) -> tuple[int, Lengths] | None:
        key, eth_type = self._key, self._key["eth_type"]
        if eth_type not in (_IPV4, _IPV6):
            return 0, self.lengths[NETWORK]
        mask, base, length_at = _bytes(key.network + 6, 1), key.network + 40, key.network + 4
        if eth_type == _IPV4:
            mask = _bytes(key.network + 9, 1) | _bits(key.network + 6, 2, 0x3FFF)
            base, length_at = key.network, key.network + 2
        size = self._transport_size()
        if not key.transport:
            # A protocol that we do not know, or what is behind the first fragment.
            return (mask, self.lengths[NETWORK]) if size is None or self._is_later else None
        if size is None:
            return None
        end = key.transport + size
        return mask, Lengths(end, length_at, end - base)

    def _transport_size(self) -> int | None:
        proto = self._key.get("ip_proto", -1)
        if proto == _ICMP[self._key["eth_type"]]:
            return _ICMP_SIZE
        return _TRANSPORT_SIZES.get(proto)


def layout(data: bytes, key: FlowKey) -> Layout:
    """Return the layout of a frame; frames of the same one share it."""
    return _layout(*_signs(data, key))


def _short_signs(data: bytes, key: FlowKey) -> tuple[Any, ...] | None:
    """Return by what the layout is known of a frame as most are, None for all others.

    Without a tag and without options, IPv4 leaves little open.
    """
    if key.network != _FIRST_HEADER or data[12:15] != _PLAIN_IPV4:
        return None
    transport = key.transport
    return transport, key["ip_proto"], transport or _is_later(data, key)


def _is_later(data: bytes, key: FlowKey) -> bool:
    """Whether IP says that this is a fragment, and not the first one."""
    at = key.network
    return key.is_fragment and bool(data[at + 6] & 0x1F or data[at + 7])


def _signs(data: bytes, key: FlowKey) -> tuple[Any, ...]:
    """Return all by which the layout is known."""
    network, type_at = key.network, key.type_at
    is_tagged = type_at == 12 or (bool(key.vlan) and _follows_tags(data, type_at))
    is_later = False
    if network and not key.transport:
        is_later = _is_later(data, key)
    return (
        type_at, key.vlan, key.mpls, key.pbb, network, key.proto_at, key.transport, key.nd_address,
        data[network] if network else 0, is_tagged, is_later,
        key["eth_type"], key.get("ip_proto"), key.get("ipv6_exthdr"), tuple(key),
    )  # fmt: skip


def _follows_tags(data: bytes, type_at: int) -> bool:
    types = (int.from_bytes(data[at : at + 2], "big") for at in range(12, type_at, 4))
    return TAG_TYPES.issuperset(types)


@lru_cache(_LAYOUTS)
def _layout(
    type_at: int, vlan: int, mpls: int, pbb: int, network: int, proto_at: int, transport: int,
    nd_address: int, first: int, is_tagged: bool, is_later: bool,
    eth_type: int, ip_proto: int | None, exthdr: int | None, names: tuple[str, ...],
) -> Layout:  # fmt: skip
    key = FlowKey(dict.fromkeys(names, 0))
    key["eth_type"] = eth_type
    if ip_proto is not None:
        key["ip_proto"] = ip_proto
    if exthdr is not None:
        key["ipv6_exthdr"] = exthdr
    key.type_at, key.vlan, key.mpls, key.pbb = type_at, vlan, mpls, pbb
    key.network, key.proto_at = network, proto_at
    key.transport, key.nd_address = transport, nd_address
    return Layout(key, first, is_tagged, is_later)


def _bytes(at: int, count: int) -> int:
    return (1 << 8 * count) - 1 << 8 * at


def _bits(at: int, size: int, word: int) -> int:
    """Return the mask of bits in a big-endian word of a frame."""
    return int.from_bytes(word.to_bytes(size, "big"), "little") << 8 * at


#: The bits that count and the lengths, None for all of the frame.
Sight = tuple[int, Lengths | None]
Kept = dict[Any, Sight]  #: by what tells the layout, and how many tuples are asked


def _sight(here: Layout, groups: Sequence[Tuple]) -> Sight:
    """Return what a look for the entries of some tuples sees."""
    each = [here.footprint(group.masks) for group in groups]
    mask = reduce(or_, (bits for bits, _ in each), 0)
    depth = max((reach for _, reach in each), default=FRAME)
    return mask, here.lengths[depth] if depth < WHOLE else None


class Shift(NamedTuple):
    """Where an action moved the bytes of a frame: at `at`, `added` ones for `removed` ones."""

    at: int
    removed: int
    added: int


class Footprint(msgspec.Struct):
    """What look-ups have seen of a frame as it came in, though actions have changed it since."""

    mask: int = 0
    at_least: int = 14
    length_at: int = 0
    length: int = 0
    is_whole: bool = False  #: all bytes count
    shifts: tuple[Shift, ...] = ()

    def look(self, data: bytes, key: FlowKey, groups: Sequence[Tuple], kept: Kept) -> None:
        """Note a look for the entries of some tuples.

        `kept` is of their table: what looks at so many of its tuples have seen.
        """
        if self.is_whole:
            return
        signs = _short_signs(data, key) or _signs(data, key)
        found = kept.get((signs, len(groups)))
        if found is None:
            if len(kept) >= _LAYOUTS:
                kept.clear()
            found = kept[signs, len(groups)] = _sight(layout(data, key), groups)
        self._add(*found)

    def look_at(self, data: bytes, key: FlowKey, *names: str) -> None:
        """Note a look at whole fields."""
        here = layout(data, key)
        mask, depth = here.footprint(tuple((name, -1) for name in names))
        self._add(mask, here.lengths[depth] if depth < WHOLE else None)

    def look_for_fragments(self, data: bytes, key: FlowKey) -> None:
        """Note that it was looked whether the frame is a fragment."""
        here = layout(data, key)
        if here.odd > TRANSPORT:
            self._add(here.decisive[TRANSPORT], here.lengths[TRANSPORT])
        else:
            self.is_whole = True

    def move(self, at: int, removed: int, added: int) -> None:
        """Note that bytes are moved by what was looked at."""
        self.shifts += (Shift(at, removed, added),)

    def _add(self, mask: int, lengths: Lengths | None) -> None:
        if lengths is None:
            self.is_whole = True
            return
        at_least, length_at, length = lengths
        if self.shifts:
            for at, removed, added in reversed(self.shifts):
                mask = mask & (1 << 8 * at) - 1 | mask >> 8 * (at + added) << 8 * (at + removed)
                at_least += removed - added
                if length_at:
                    length_at += removed - added
        self.mask |= mask
        if at_least > self.at_least:
            self.at_least = at_least
        if not length_at:
            return
        if self.length_at and self.length_at != length_at:
            self.is_whole = True  # IP within IP: one length is asked for, not two
        else:
            self.length_at, self.length = length_at, max(self.length, length)
