"""Several controllers: roles, and who is told what (OF1.5.1 7.3.8, 7.3.10, 7.4.4, 7.4.7)."""

from __future__ import annotations

from enum import IntEnum

from .message import Message, message
from .multipart import MultipartReply, MultipartRequest, multipart_reply, multipart_request
from .properties import properties
from .record import ListOf, Record, RecordOf
from .version import OF12, OF14, OF15
from .wire import U8, U16, U32, U64, Converted, Enum, Length, Pad, Rest, by_version, since


class Role(IntEnum):
    """What a controller is to a switch."""

    NOCHANGE = 0
    EQUAL = 1
    MASTER = 2
    SLAVE = 3


_role_layout = (
    "role" / Enum(U32, Role),
    by_version({OF12: Pad(4), OF15: None}),
    "short_id" / since(OF15, U16),
    since(OF15, Pad(2)),
    "generation_id" / U64,
)
NO_SHORT_ID = 0xFFFF


@message(since(OF12, 24))
class RoleRequest(Message):
    """Asks for another role, or, with NOCHANGE, which one it is (OF1.5.1 7.3.8)."""

    role: Role | int = Role.NOCHANGE
    generation_id: int = 0  #: rises with each election of a master
    short_id: int = NO_SHORT_ID
    layout = _role_layout


@message(since(OF12, 25))
class RoleReply(Message):
    """The role the controller has now."""

    role: Role | int
    generation_id: int = 0
    short_id: int = NO_SHORT_ID
    layout = _role_layout


class RoleReason(IntEnum):
    """Why a role changed."""

    MASTER_REQUEST = 0
    CONFIG = 1
    EXPERIMENTER = 2


RolePropertyShape = properties("role")


@message(since(OF14, 30))
class RoleStatus(Message):
    """The controller has another role, since another one asked (OF1.5.1 7.4.4)."""

    role: Role | int
    reason: RoleReason | int = RoleReason.MASTER_REQUEST
    generation_id: int = 0
    properties: tuple[Record, ...] = ()
    layout = (
        "role" / Enum(U32, Role),
        "reason" / Enum(U8, RoleReason),
        Pad(3),
        "generation_id" / U64,
        "properties" / RolePropertyShape,
    )


class ControllerStatusReason(IntEnum):
    """Why a controller's status is told."""

    REQUEST = 0
    CHANNEL_STATUS = 1
    ROLE = 2
    CONTROLLER_ADDED = 3
    CONTROLLER_REMOVED = 4
    SHORT_ID = 5
    EXPERIMENTER = 6


class ChannelStatus(IntEnum):
    """Whether a controller is connected."""

    UP = 0
    DOWN = 1


ControllerStatusPropertyShape = properties("controller status")


@ControllerStatusPropertyShape.member(since(OF15, 0))
class ControllerUri(Record):
    """Where a controller is (OF1.5.1 6.3.1 "Connection URI")."""

    uri: str
    layout = (
        "uri"
        / Converted(Rest, lambda raw: raw.decode("latin-1"), lambda text: text.encode("latin-1")),
    )


class ControllerStatusEntry(Record):
    """What a switch knows of one of its controllers."""

    short_id: int
    role: Role | int = Role.EQUAL
    reason: ControllerStatusReason | int = ControllerStatusReason.REQUEST
    channel_status: ChannelStatus | int = ChannelStatus.UP
    properties: tuple[Record, ...] = ()
    layout = (
        Length(U16),
        "short_id" / U16,
        "role" / Enum(U32, Role),
        "reason" / Enum(U8, ControllerStatusReason),
        "channel_status" / Enum(U8, ChannelStatus),
        Pad(6),
        "properties" / ControllerStatusPropertyShape,
    )


@message(since(OF15, 35))
class ControllerStatus(Message):
    """Something changed with one of the switch's controllers (OF1.5.1 7.4.7)."""

    status: ControllerStatusEntry
    layout = ("status" / RecordOf(ControllerStatusEntry),)


@multipart_request(since(OF15, 18))
class ControllerStatusRequest(MultipartRequest):
    """Asks for the switch's controllers (OF1.5.1 7.3.5.19 "Controller Status Multipart")."""


@multipart_reply(since(OF15, 18))
class ControllerStatusReply(MultipartReply):
    """The switch's controllers."""

    controllers: tuple[ControllerStatusEntry, ...] = ()
    layout = ("controllers" / ListOf(ControllerStatusEntry),)
    gathers = "controllers"
