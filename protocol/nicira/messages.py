"""Nicira's messages that set the channel up: roles, formats, tunnels, connections."""

from __future__ import annotations

from enum import IntEnum

from ..async_config import ASYNC_PROPERTIES, MASKS, AsyncConfig, Mask
from ..bundles import RequestForward as ForwardedRequest
from ..message import Message
from ..record import ListOf, Record
from ..symmetric import EXPERIMENTER_NUMBER, experimenter_message
from ..version import OF10, OF12, OF13
from ..wire import U8, U16, U32, Enum, Pad, Spread, until
from .fields import NICIRA
from .properties import Properties, number, record

_OF10 = until(OF10, EXPERIMENTER_NUMBER)
_UNTIL_OF12 = until(OF12, EXPERIMENTER_NUMBER)
_UNTIL_OF13 = until(OF13, EXPERIMENTER_NUMBER)


# Roles, and who gets what


class Role(IntEnum):
    """What a controller is to the switch, in Nicira's numbers."""

    OTHER = 0  #: what OF1.2 calls equal
    PRIMARY = 1
    SECONDARY = 2


@experimenter_message(NICIRA, 10)
class RoleRequest(Message):
    """Asks for another role."""

    role: Role | int
    layout = ("role" / Enum(U32, Role),)


@experimenter_message(NICIRA, 11)
class RoleReply(Message):
    """The role the controller has now."""

    role: Role | int
    layout = ("role" / Enum(U32, Role),)


@experimenter_message(NICIRA, 19)
class SetAsyncConfig(AsyncConfig):
    """Says which packet_in, port_status and flow_removed the controller wants."""

    layout = (
        "packet_in_master" / Mask,
        "packet_in_slave" / Mask,
        "port_status_master" / Mask,
        "port_status_slave" / Mask,
        "flow_removed_master" / Mask,
        "flow_removed_slave" / Mask,
    )


@experimenter_message(NICIRA, 27, _UNTIL_OF13)
class SetAsyncConfig2(AsyncConfig):
    """Says which asynchronous messages the controller wants, as OF1.4 does."""

    layout = (Spread(MASKS, *ASYNC_PROPERTIES, "properties"),)


@experimenter_message(NICIRA, 20)
class SetControllerId(Message):
    """Gives the controller a number, by which the actions of entries can name it."""

    controller_id: int
    layout = (Pad(6), "controller_id" / U16)


@experimenter_message(NICIRA, 132, _UNTIL_OF12)
class RequestForward(ForwardedRequest):
    """Tells of a group_mod or meter_mod that another controller sent."""


# What forms messages have


class FlowFormat(IntEnum):
    """How entries are written."""

    OPENFLOW10 = 0
    NXM = 2


@experimenter_message(NICIRA, 12, _OF10)
class SetFlowFormat(Message):
    """Says how the switch is to write entries."""

    format: FlowFormat | int
    layout = ("format" / Enum(U32, FlowFormat),)


class PacketInFormat(IntEnum):
    """How packets for the controller are written."""

    STANDARD = 0
    NXT_PACKET_IN = 1
    NXT_PACKET_IN2 = 2


@experimenter_message(NICIRA, 16)
class SetPacketInFormat(Message):
    """Says how the switch is to write packets for the controller."""

    format: PacketInFormat | int
    layout = ("format" / Enum(U32, PacketInFormat),)


@experimenter_message(NICIRA, 15)
class FlowModTableId(Message):
    """Lets the upper 8 bits of the command be the table_id, in OF1.0's flow_mod and Nicira's."""

    set: int = 1
    layout = ("set" / U8, Pad(7))


@experimenter_message(NICIRA, 18)
class FlowAge(Message):
    """Lets the switch tell how long entries are idle; Open vSwitch always does."""


# Options of tunnels


class TlvTableCommand(IntEnum):
    """What is done with the table of options."""

    ADD = 0
    DELETE = 1
    CLEAR = 2


class TlvMap(Record):
    """The option of a tunnel that the field tun_metadata`index` stands for."""

    index: int
    option_class: int = 0
    option_type: int = 0
    option_len: int = 0  #: a multiple of 4
    layout = ("option_class" / U16, "option_type" / U8, "option_len" / U8, "index" / U16, Pad(2))


@experimenter_message(NICIRA, 24)
class TlvTableMod(Message):
    """Says for which options of tunnels the fields tun_metadata0 … stand."""

    command: TlvTableCommand | int
    maps: tuple[TlvMap, ...] = ()
    layout = ("command" / Enum(U16, TlvTableCommand), Pad(6), "maps" / ListOf(TlvMap))


@experimenter_message(NICIRA, 25)
class TlvTableRequest(Message):
    """Asks for which options of tunnels the fields stand."""


@experimenter_message(NICIRA, 26)
class TlvTableReply(Message):
    """For which options of tunnels the fields stand, and how many there can be."""

    max_option_space: int = 0  #: bytes of all together
    max_fields: int = 0
    maps: tuple[TlvMap, ...] = ()
    layout = (
        "max_option_space" / U32,
        "max_fields" / U16,
        Pad(10),
        "maps" / ListOf(TlvMap),
    )


# Connections


@experimenter_message(NICIRA, 29)
class CtFlushZone(Message):
    """Forgets all connections of a zone."""

    zone_id: int
    layout = (Pad(6), "zone_id" / U16)


class CtTuple(Record):
    """Addresses and ports of connections; None where any will do."""

    src: int | None = None  #: an IPv6 address, or an IPv4 address mapped into one
    dst: int | None = None
    src_port: int | None = None
    dst_port: int | None = None
    icmp_id: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    properties: tuple[Record, ...] = ()  #: those that are no field
    layout = (
        Pad(4),
        Properties(
            "ct tuple",
            src=number(0, 16),
            dst=number(1, 16),
            src_port=number(2, 2),
            dst_port=number(3, 2),
            icmp_id=number(4, 2),
            icmp_type=number(5, 1),
            icmp_code=number(6, 1),
        ),
    )


@experimenter_message(NICIRA, 32)
class CtFlush(Message):
    """Forgets the connections that are such; None where any will do."""

    ip_proto: int = 0
    orig: CtTuple | None = None  #: of the packet that the connection began with
    reply: CtTuple | None = None
    zone_id: int | None = None
    mark: int | None = None
    mark_mask: int | None = None
    labels: int | None = None
    labels_mask: int | None = None
    properties: tuple[Record, ...] = ()  #: those that are no field
    layout = (
        "ip_proto" / U8,
        Pad(7),
        Properties(
            "ct flush",
            orig=record(0, CtTuple),
            reply=record(1, CtTuple),
            zone_id=number(2, 2),
            mark=number(3, 4),
            mark_mask=number(4, 4),
            labels=number(5, 16),
            labels_mask=number(6, 16),
        ),
    )
