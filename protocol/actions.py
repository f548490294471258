"""Actions: what is done to a packet (OF1.5.1 7.2.6 "Action Structures")."""

from __future__ import annotations

from typing import ClassVar

from .addresses import Mac, MacAddress
from .errors import BadActionCode
from .features import ControllerMaxLen
from .field_names import FieldName
from .match import Match, OneOxm, match_field
from .oxm import FieldInput
from .ports import PortNo
from .record import Family, Record
from .version import OF10, OF11, OF12, OF13, OF15
from .wire import U8, U16, U32, Fill, Layout, Pad, Rest, between, by_version, since, until

ActionShape = Family(
    "action",
    length_counts_padding=True,
    unknown=BadActionCode.BAD_TYPE,
    short=BadActionCode.BAD_LEN,
    subtype=U16,
    recurs=True,
)


class Action(Record):
    """The base of all actions."""


@ActionShape.member(0)
class Output(Action):
    """Send the packet out of a port, a real one or a reserved one."""

    port: int
    max_len: int = ControllerMaxLen.NO_BUFFER  #: bytes of it that the controller gets
    layout = ("port" / PortNo, "max_len" / U16, since(OF11, Pad(6)))


@ActionShape.member(by_version({OF10: 1, OF12: None}))
class SetVlanVid(Action):
    """Set the VID. OF1.0 adds a tag where there is none, OF1.1 does not."""

    vlan_vid: int
    layout = ("vlan_vid" / U16, Pad(2))


@ActionShape.member(by_version({OF10: 2, OF12: None}))
class SetVlanPcp(Action):
    """Set the priority of the tag. OF1.0 adds a tag where there is none, OF1.1 does not."""

    vlan_pcp: int
    layout = ("vlan_pcp" / U8, Pad(3))


@ActionShape.member(by_version({OF10: 4, OF11: 3, OF12: None}))
class SetDlSrc(Action):
    """Set the Ethernet source address."""

    dl_addr: MacAddress | int
    layout = ("dl_addr" / Mac, Pad(6))


@ActionShape.member(by_version({OF10: 5, OF11: 4, OF12: None}))
class SetDlDst(Action):
    """Set the Ethernet destination address."""

    dl_addr: MacAddress | int
    layout = ("dl_addr" / Mac, Pad(6))


@ActionShape.member(by_version({OF10: 6, OF11: 5, OF12: None}))
class SetNwSrc(Action):
    """Set the IPv4 source address."""

    nw_addr: int
    layout = ("nw_addr" / U32,)


@ActionShape.member(by_version({OF10: 7, OF11: 6, OF12: None}))
class SetNwDst(Action):
    """Set the IPv4 destination address."""

    nw_addr: int
    layout = ("nw_addr" / U32,)


@ActionShape.member(by_version({OF10: 8, OF11: 7, OF12: None}))
class SetNwTos(Action):
    """Set the DSCP, the upper 6 bits of `nw_tos`."""

    nw_tos: int
    layout = ("nw_tos" / U8, Pad(3))


@ActionShape.member(between(OF11, OF11, 8))
class SetNwEcn(Action):
    """Set the ECN bits."""

    nw_ecn: int
    layout = ("nw_ecn" / U8, Pad(3))


@ActionShape.member(by_version({OF10: 9, OF12: None}))
class SetTpSrc(Action):
    """Set the source port of TCP, UDP or SCTP."""

    tp_port: int
    layout = ("tp_port" / U16, Pad(2))


@ActionShape.member(by_version({OF10: 10, OF12: None}))
class SetTpDst(Action):
    """Set the destination port of TCP, UDP or SCTP."""

    tp_port: int
    layout = ("tp_port" / U16, Pad(2))


@ActionShape.member(until(OF10, 11))
class Enqueue(Action):
    """Send the packet out of a port through one of its queues (OF1.0)."""

    port: int
    queue_id: int
    layout = ("port" / PortNo, Pad(6), "queue_id" / U32)


@ActionShape.member(since(OF11, 11))
class CopyTtlOut(Action):
    """Copy the TTL from the next header to the outermost that has one."""

    layout = (Pad(4),)


@ActionShape.member(since(OF11, 12))
class CopyTtlIn(Action):
    """Copy the TTL from the outermost header that has one to the next."""

    layout = (Pad(4),)


@ActionShape.member(between(OF11, OF11, 13))
class SetMplsLabel(Action):
    """Set the label of the outermost MPLS header."""

    mpls_label: int
    layout = ("mpls_label" / U32,)


@ActionShape.member(between(OF11, OF11, 14))
class SetMplsTc(Action):
    """Set the traffic class of the outermost MPLS header."""

    mpls_tc: int
    layout = ("mpls_tc" / U8, Pad(3))


@ActionShape.member(since(OF11, 15))
class SetMplsTtl(Action):
    """Set the TTL of the outermost MPLS header."""

    mpls_ttl: int
    layout = ("mpls_ttl" / U8, Pad(3))


@ActionShape.member(since(OF11, 16))
class DecMplsTtl(Action):
    """Take one from the TTL of the outermost MPLS header."""

    layout = (Pad(4),)


@ActionShape.member(since(OF11, 17))
class PushVlan(Action):
    """Put a new tag before the packet's first one."""

    ethertype: int = 0x8100
    layout = ("ethertype" / U16, Pad(2))


@ActionShape.member(by_version({OF10: 3, OF11: 18}))
class PopVlan(Action):
    """Take the outermost tag off. OF1.0 calls it STRIP_VLAN."""

    layout = (Pad(4),)


@ActionShape.member(since(OF11, 19))
class PushMpls(Action):
    """Put a new MPLS header before the packet's first one."""

    ethertype: int = 0x8847
    layout = ("ethertype" / U16, Pad(2))


@ActionShape.member(since(OF11, 20))
class PopMpls(Action):
    """Take the outermost MPLS header off; what follows is of `ethertype`."""

    ethertype: int
    layout = ("ethertype" / U16, Pad(2))


@ActionShape.member(since(OF11, 21))
class SetQueue(Action):
    """Choose the queue that a later Output uses."""

    queue_id: int
    layout = ("queue_id" / U32,)


@ActionShape.member(since(OF11, 22))
class Group(Action):
    """Let a group decide."""

    group_id: int
    layout = ("group_id" / U32,)


@ActionShape.member(since(OF11, 23))
class SetNwTtl(Action):
    """Set the TTL or hop limit."""

    nw_ttl: int
    layout = ("nw_ttl" / U8, Pad(3))


@ActionShape.member(since(OF11, 24))
class DecNwTtl(Action):
    """Take one from the TTL or hop limit."""

    layout = (Pad(4),)


@ActionShape.member(since(OF12, 25))
class SetField(Action):
    """Set a field of the packet: the one in `field`. `set_field(eth_dst=…)` makes one."""

    field: Match
    layout = ("field" / OneOxm(), Fill(8))


def set_field(**field: FieldInput) -> SetField:
    """Return the action that sets a field.

    >>> set_field(ipv4_dst="10.0.0.1")
    SetField(field=Match(ipv4_dst='10.0.0.1'))
    """
    if len(field) != 1:
        raise ValueError(f"set_field sets one field, not {len(field)}")
    ((name, given),) = field.items()
    return SetField(Match.unchecked({name: match_field(name).read(given)}))


@ActionShape.member(since(OF13, 26))
class PushPbb(Action):
    """Put a new PBB service tag before the packet."""

    ethertype: int = 0x88E7
    layout = ("ethertype" / U16, Pad(2))


@ActionShape.member(since(OF13, 27))
class PopPbb(Action):
    """Take the outermost PBB service tag off."""

    layout = (Pad(4),)


@ActionShape.member(since(OF15, 28))
class CopyField(Action):
    """Copy bits from one field to another."""

    n_bits: int
    src: str  #: a match field's name
    dst: str
    src_offset: int = 0
    dst_offset: int = 0
    layout: ClassVar[Layout] = (
        "n_bits" / U16,
        "src_offset" / U16,
        "dst_offset" / U16,
        Pad(2),
        "src" / FieldName(),
        "dst" / FieldName(),
        Fill(8),
    )


@ActionShape.member(since(OF15, 29))
class MeterAction(Action):
    """Let a meter decide. Up to OF1.4 it is the instruction Meter."""

    meter_id: int
    layout = ("meter_id" / U32,)


@ActionShape.member(0xFFFF)
class ExperimenterAction(Action):
    """An action that the specification leaves to others."""

    experimenter: int
    data: bytes = b""  #: all behind the experimenter, its padding included
    layout = ("experimenter" / U32, "data" / Rest, Fill(8))
