"""Several controllers: their roles, and which asynchronous messages each of them gets."""

from __future__ import annotations

from typing import Any

from protocol import (
    OF14,
    OF15,
    AsyncConfigFailedCode,
    BadPropertyCode,
    GetAsyncReply,
    GetAsyncRequest,
    Role,
    RoleReply,
    RoleRequest,
    RoleRequestFailedCode,
    SetAsync,
    Version,
    nicira,
)
from protocol.async_config import ASYNC_PROPERTIES, AsyncConfig
from protocol.properties import ExperimenterProperty
from protocol.roles import NO_SHORT_ID, ControllerStatusReply, ControllerStatusRequest

from ..asynchronous import known_mask
from ..datapath import Datapath
from ..refused import Refused
from ..request import Request, handles

_ELECTED = (Role.MASTER, Role.SLAVE)


@handles(RoleRequest)
def _role(datapath: Datapath, request: Request[RoleRequest]) -> None:
    """Change a role, or tell it (OF1.3.5 7.3.9 "Role Request Message")."""
    message, session, sessions = request.message, request.session.main, datapath.sessions
    if message.role not in set(Role):
        raise Refused(RoleRequestFailedCode.BAD_ROLE, f"there is no role {message.role}")
    role = Role(message.role)
    sessions.check_short_id(session, message.short_id)
    if role in _ELECTED:
        sessions.elect(message.generation_id)
    if message.short_id != NO_SHORT_ID:
        sessions.name(session, message.short_id, request.effects)
    if role is not Role.NOCHANGE:
        sessions.change_role(session, role, request.effects)
    short_id = session.short_id if request.version >= OF15 else NO_SHORT_ID
    request.answer(RoleReply(session.role, sessions.told_generation_id, short_id))


@handles(ControllerStatusRequest)
def _controller_status(datapath: Datapath, request: Request[ControllerStatusRequest]) -> None:
    request.answer(ControllerStatusReply(datapath.sessions.statuses()))


@handles(GetAsyncRequest)
def _get_async(datapath: Datapath, request: Request[GetAsyncRequest]) -> None:
    masks: dict[str, Any] = {
        name: mask
        for name, mask in request.session.main.masks.items()
        if known_mask(_kind(name), request.version)
    }
    request.answer(GetAsyncReply(**masks))


@handles(SetAsync, nicira.SetAsyncConfig, nicira.SetAsyncConfig2)
def _set_async(datapath: Datapath, request: Request[AsyncConfig]) -> None:
    wanted = _masks(request.message, request.version)
    session = request.session.main
    session.masks = session.masks | wanted


def _masks(message: AsyncConfig, version: Version) -> dict[str, int]:
    """Return the masks that a message changes.

    OF1.4 refuses reasons that it does not know (OF1.4.1 7.3.10 "Set Asynchronous Configuration
    Message"); OF1.3 has no error for them.
    """
    for one in message.properties:
        if isinstance(one, ExperimenterProperty):
            reason = f"experimenter {one.experimenter:#x} is unknown"
            raise Refused(BadPropertyCode.BAD_EXPERIMENTER, reason)
        raise Refused(AsyncConfigFailedCode.UNSUPPORTED, f"{one!r} is not supported")
    found = {}
    for name in ASYNC_PROPERTIES:
        mask = getattr(message, name)
        if mask is None:
            continue
        known = known_mask(_kind(name), version)
        if mask & ~known and version >= OF14:
            raise Refused(AsyncConfigFailedCode.INVALID, f"{name} {mask:#x} is not in {known:#x}")
        found[name] = mask & known
    return found


def _kind(name: str) -> str:
    return name.rpartition("_")[0]
