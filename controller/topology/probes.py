"""The LLDP frames that find links: made so that nobody else can make them, nor use them again."""

from __future__ import annotations

import hmac
import struct
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

_TTL = 120  # seconds, for other listeners; ours go by the nonce
_OUI = b"\x02\x70\x6d"  # a number of our own: locally administered, "pm"
_PROBE = 1  # the one TLV that we have under it
_BODY = struct.Struct(">Q16s")  # nonce, the seal on it
_END = bytes(2)  # the End TLV
_PREFIX = b"dpid:"
_SEAL = 16  # bytes


class Probe(NamedTuple):
    """What an LLDP frame of ours says: out of which port it was sent, the how manieth."""

    end: SwitchEnd
    nonce: int  #: 64 bits


class ForgedProbe(Exception):
    """A frame says that it is a probe of ours, and is not."""


def _seal(key: bytes, probe: Probe) -> bytes:
    text = struct.pack(">QIQ", *probe.end, probe.nonce)
    return hmac.digest(key, text, sha256)[:_SEAL]


def build(key: bytes, probe: Probe, source: MacAddress | int) -> bytes:
    """Return the frame; `source` is the address of the port."""
    return sealed(key, probe, head(probe.end, source))


def head(end: SwitchEnd, source: MacAddress | int) -> bytes:
    """Return what the frames of a port begin with: all but nonce and seal.

    A port is probed for as long as it is there: what is the same each time is built once.
    """
    told = Lldp(
        ChassisId(ChassisIdSubtype.LOCAL, _PREFIX + b"%016x" % end.datapath_id),
        PortId(PortIdSubtype.LOCAL, b"%d" % end.port_no),
        ttl=_TTL,
        tlvs=(OrganizationTlv(_OUI, _PROBE, bytes(_BODY.size)),),
    )
    frame = Ethernet(LLDP_MULTICAST, MacAddress(source), EthType.LLDP, told.encode()).encode()
    return frame[: -_BODY.size - len(_END)]


def sealed(key: bytes, probe: Probe, head: bytes) -> bytes:
    """Return the frame that begins with its port's `head`."""
    return head + _BODY.pack(probe.nonce, _seal(key, probe)) + _END


def parse(key: bytes, frame: bytes) -> Probe | None:
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
        nonce, seal = _BODY.unpack(body)
        end = SwitchEnd(int(told.chassis_id.id.removeprefix(_PREFIX), 16), int(told.port_id.id))
        probe = Probe(end, nonce)
        genuine = hmac.compare_digest(seal, _seal(key, probe))
    except (ValueError, struct.error) as error:
        raise ForgedProbe(f"it cannot be read: {error}") from error
    if not genuine:
        raise ForgedProbe(f"it says that port {end} sent it, and bears a wrong seal")
    return probe
