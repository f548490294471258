"""Links and ports that are chosen by a hash of the packet (ovs-actions(7) "multipath", "bundle").

Which link a packet gets is this switch's own choice; what counts is that packets whose
hashed fields are the same get the same one, and all links get their share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protocol.nicira import (
    Bundle,
    BundleAlgorithm,
    BundleLoad,
    HashFields,
    Multipath,
    MultipathAlgorithm,
)
from protocol.packet import IpProto

from ..flow_key import FlowKey

_HASHES = 1 << 32  # that there are
_MAX_HRW = 64  # links; with more of them highest random weight is too slow
_ADDRESSES = (("ipv4_src", "ipv4_dst"), ("ipv6_src", "ipv6_dst"))
_PORTS = {
    IpProto.TCP: ("tcp_src", "tcp_dst"),
    IpProto.SCTP: ("sctp_src", "sctp_dst"),
    IpProto.UDP: ("udp_src", "udp_dst"),
}

Parts = tuple[int, ...]


def mix(*numbers: int) -> int:
    """Return a hash of 32 bits in which each bit of the numbers counts."""
    mixed = 0
    for number in numbers:
        while True:
            mixed = ((mixed ^ number & 0xFFFF_FFFF) * 0x9E37_79B1) % _HASHES
            mixed ^= mixed >> 15
            number >>= 32
            if not number:
                break
    mixed = (mixed * 0x85EB_CA77) % _HASHES
    mixed ^= mixed >> 13
    mixed = (mixed * 0xC2B2_AE3D) % _HASHES
    return mixed ^ mixed >> 16


# What is hashed


def _l2(key: FlowKey) -> Parts:
    either = (key["eth_src"] or 0) ^ (key["eth_dst"] or 0)
    return either, key["eth_type"] or 0, key["vlan_vid"] or 0


def _l3(key: FlowKey) -> Parts:
    for source, target in _ADDRESSES:
        if source in key:
            return (key[source] ^ key[target],)
    return ()


def _proto(key: FlowKey) -> Parts:
    return (key["ip_proto"] or 0,) if _l3(key) else ()


def _ports(key: FlowKey, protos: Sequence[int]) -> Parts:
    proto = key["ip_proto"]
    if proto not in protos:
        return ()
    source, target = (key[name] for name in _PORTS[IpProto(proto)])
    return () if source is None or target is None else (source ^ target,)


# A datagram may come in fragments, of which later ones have no ports: UDP's are left out.
_SURE = (IpProto.TCP, IpProto.SCTP)


def _address(side: int) -> Callable[[FlowKey], Parts]:
    def parts(key: FlowKey) -> Parts:
        found = (key[names[side]] for names in _ADDRESSES)
        return tuple(one for one in found if one is not None)

    return parts


_HASHED: dict[int, Callable[[FlowKey], Parts]] = {
    HashFields.ETH_SRC: lambda key: (key["eth_src"] or 0,),
    HashFields.SYMMETRIC_L4: lambda key: (
        *_l2(key),
        *_l3(key),
        *_proto(key),
        *_ports(key, _SURE),
    ),
    HashFields.SYMMETRIC_L3L4: lambda key: (*_l3(key), *_proto(key), *_ports(key, _SURE)),
    HashFields.SYMMETRIC_L3L4_UDP: lambda key: (
        *_l3(key),
        *_proto(key),
        *_ports(key, tuple(_PORTS)),
    ),
    HashFields.NW_SRC: _address(0),
    HashFields.NW_DST: _address(1),
    HashFields.SYMMETRIC_L3: _l3,
}


def hash_of(key: FlowKey, fields: int, basis: int) -> int:
    """Return a packet's hash over fields, one of HashFields."""
    return mix(basis, *_HASHED[fields](key))


# What is chosen


def link(key: FlowKey, action: Multipath) -> int:
    """Return the link, from 0 to max_link, that a packet gets."""
    number = hash_of(key, action.fields, action.basis)
    n_links = action.max_link + 1
    match action.algorithm:
        case MultipathAlgorithm.MODULO_N:
            return number % n_links
        case MultipathAlgorithm.HASH_THRESHOLD:
            return number * n_links // _HASHES
        case MultipathAlgorithm.HRW if n_links <= _MAX_HRW:
            return max(range(n_links), key=lambda one: mix(number, one))
        case MultipathAlgorithm.HRW:
            return _iterated(number, n_links, 0)
    return _iterated(number, n_links, action.arg)


def _iterated(number: int, n_links: int, modulo: int) -> int:
    """Hash anew until there is a link of this number: few change when links come or go."""
    if not n_links <= modulo <= 2 * n_links + 1:
        modulo = 1 << (n_links - 1).bit_length()
    step = 0
    while (found := mix(number, step) % modulo) >= n_links:
        step += 1
    return found


def member(key: FlowKey, action: Bundle | BundleLoad, is_live: Callable[[int], bool]) -> int | None:
    """Return the port that a packet gets, None where all are down."""
    live = [(place, port) for place, port in enumerate(action.members) if is_live(port)]
    if not live:
        return None
    if action.algorithm == BundleAlgorithm.ACTIVE_BACKUP:
        return live[0][1]
    number = hash_of(key, action.fields, action.basis)
    return max(live, key=lambda one: mix(number, one[0]))[1]


#: The values that the fields `fields` and `algorithm` of these actions can have.
KNOWN_FIELDS = frozenset(map(int, HashFields))
KNOWN_LINKS = frozenset(map(int, MultipathAlgorithm))
KNOWN_MEMBERS = frozenset(map(int, BundleAlgorithm))
