"""The LLDP frames that find links: made so that nobody else can make them, nor use them again."""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from protocol import DecodeError, Ethernet, MacAddress
from protocol.packet import (
    LLDP_MULTICAST,
    ChassisId,
    ChassisIdSubtype,
    EthType,
    Lldp,
    OrganizationTlv,
    PortId,
    PortIdSubtype,
)

from .graph import SwitchEnd

TO = int(LLDP_MULTICAST).to_bytes(6, "big")  #: what all probes begin with
NONCE = 8  #: bytes
_TTL = 120  # seconds, for other listeners; ours go by the nonce
_OUI = b"\x02\x70\x6d"  # a number of our own: locally administered, "pm"
_PROBE = 1  # the one TLV that we have under it
_NAME = struct.Struct(">QI")  # the port, as the seal covers it
_BODY = struct.Struct(f">{NONCE}s16s")  # nonce, the seal on it
_END = bytes(2)  # the End TLV
_PREFIX = b"dpid:"
_SEAL = 16  # bytes
_BLOCK = 64  # bytes that SHA-256 takes at once
_STENCILS = 4096  # port numbers whose heads are kept ready

Seal = Callable[[bytes], bytes]  #: makes the seal on a text


class Probe(NamedTuple):
    """What an LLDP frame of ours says: out of which port it was sent, the how manieth."""

    end: SwitchEnd
    nonce: bytes  #: `NONCE` of them


class ForgedProbe(Exception):
    """A frame says that it is a probe of ours, and is not."""


def sealing(key: bytes) -> Seal:
    """Return what makes seals: HMAC-SHA256 of which 128 bits are used (RFC 2104 2 and 5).

    What hangs on the key alone is hashed once (RFC 2104 4 "Implementation Note"), which
    takes half the time that the library's HMAC does for texts as short as ours.
    """
    if len(key) > _BLOCK:
        key = sha256(key).digest()
    key = key.ljust(_BLOCK, b"\0")
    inner, outer = (
        sha256(bytes(one ^ 0x36 for one in key)),
        sha256(bytes(one ^ 0x5C for one in key)),
    )

    def seal(text: bytes) -> bytes:
        first, second = inner.copy(), outer.copy()
        first.update(text)
        second.update(first.digest())
        return second.digest()[:_SEAL]

    return seal


def name(end: SwitchEnd) -> bytes:
    """Return a port as the seal covers it."""
    return _NAME.pack(*end)


def build(key: bytes, probe: Probe, source: MacAddress | int) -> bytes:
    """Return the frame; `source` is the address of the port."""
    return sealed(sealing(key), head(probe.end, source), name(probe.end), probe.nonce)


def head(end: SwitchEnd, source: MacAddress | int) -> bytes:
    """Return what the frames of a port begin with: all but nonce and seal.

    A port is probed for as long as it is there: what is the same each time is built once.
    """
    to, between, rest = _stencil(end.port_no)
    return b"%b%b%b%016x%b" % (to, source.to_bytes(6, "big"), between, end.datapath_id, rest)


@lru_cache(_STENCILS)
def _stencil(port_no: int) -> tuple[bytes, bytes, bytes]:
    """Return the head without the port's address and its switch, which stand between."""
    source, datapath_id = MacAddress(0xFFFF_FFFF_FFFF), b"%016x" % 0xFFFF_FFFF_FFFF_FFFF
    told = Lldp(
        ChassisId(ChassisIdSubtype.LOCAL, _PREFIX + datapath_id),
        PortId(PortIdSubtype.LOCAL, b"%d" % port_no),
        ttl=_TTL,
        tlvs=(OrganizationTlv(_OUI, _PROBE, bytes(_BODY.size)),),
    )
    frame = Ethernet(LLDP_MULTICAST, source, EthType.LLDP, told.encode()).encode()
    to, rest = frame[: -_BODY.size - len(_END)].split(source.to_bytes(6, "big"), 1)
    between, rest = rest.split(datapath_id, 1)
    return to, between, rest


def sealed(seal: Seal, head: bytes, name: bytes, nonce: bytes) -> bytes:
    """Return the frame that begins with its port's `head`; `name` is the port's."""
    return head + nonce + seal(name + nonce) + _END


def parse(seal: Seal, frame: bytes) -> Probe | None:
    """Return the probe that a frame is, None for LLDP of others; ForgedProbe if it lies."""
    try:
        told = Lldp.parse(Ethernet.parse(frame).payload)
    except DecodeError:
        return None
    body = next(
        (
            tlv.info
            for tlv in told.tlvs
            if isinstance(tlv, OrganizationTlv) and (tlv.oui, tlv.subtype) == (_OUI, _PROBE)
        ),
        None,
    )
    if body is None:
        return None
    try:
        nonce, found = _BODY.unpack(body)
        end = SwitchEnd(int(told.chassis_id.id.removeprefix(_PREFIX), 16), int(told.port_id.id))
        genuine = hmac.compare_digest(found, seal(name(end) + nonce))
    except (ValueError, struct.error) as error:
        raise ForgedProbe(f"it cannot be read: {error}") from error
    if not genuine:
        raise ForgedProbe(f"it says that port {end} sent it, and bears a wrong seal")
    return Probe(end, nonce)
