"""What controllers do with bundles."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from protocol import (
    BadPropertyCode,
    BadRequestCode,
    BundleAdd,
    BundleControl,
    BundleControlType,
    BundleFailedCode,
    onf,
)
from protocol.bundles import BundleFeatureFlags, BundleFeaturesReply, BundleFeaturesRequest
from protocol.record import Record

from ..bundles import SUPPORTED_FLAGS, Bundle, check_flags
from ..commit import commit
from ..datapath import Datapath
from ..refused import Refused
from ..request import Request, handles

_Code = BundleFailedCode
_Control = Request[BundleControl]


@handles(BundleControl, onf.BundleControl)
def _bundle_control(datapath: Datapath, request: Request[BundleControl]) -> None:
    """Open, close, commit or discard a bundle (OF1.4.1 7.3.9 "Bundle Messages")."""
    message = request.message
    act = _ACTS.get(message.type)
    if act is None:
        raise Refused(_Code.BAD_TYPE, f"nothing is done to a bundle by {message.type}")
    _check_properties(message.properties)
    act(datapath, request)
    # The types of requests are even, and each answer's is the next.
    request.answer(replace(message, type=BundleControlType(message.type + 1), properties=()))


def _open(datapath: Datapath, request: _Control) -> None:
    datapath.bundles.open(request.session, request.message, request.now)


def _close(datapath: Datapath, request: _Control) -> None:
    bundle = datapath.bundles.find_open(request.session, request.message, request.now)
    bundle.is_closed = True


def _commit(datapath: Datapath, request: _Control) -> None:
    check_flags(request.message.flags)
    commit(datapath, request, _taken(datapath, request).messages)


def _discard(datapath: Datapath, request: _Control) -> None:
    _taken(datapath, request)


def _taken(datapath: Datapath, request: _Control) -> Bundle:
    bundle = datapath.bundles.find(request.session, request.message, request.now)
    datapath.bundles.discard(request.session, request.message.bundle_id)
    return bundle


_ACTS: dict[int, Callable[[Datapath, _Control], None]] = {
    BundleControlType.OPEN_REQUEST: _open,
    BundleControlType.CLOSE_REQUEST: _close,
    BundleControlType.COMMIT_REQUEST: _commit,
    BundleControlType.DISCARD_REQUEST: _discard,
}


@handles(BundleAdd, onf.BundleAdd)
def _bundle_add(datapath: Datapath, request: Request[BundleAdd]) -> None:
    """Put a message into a bundle (OF1.4.1 7.3.9 "Bundle Messages")."""
    message = request.message
    if message.message.xid != message.xid:
        reason = f"xid {message.message.xid} is in a message of xid {message.xid}"
        raise Refused(_Code.MSG_BAD_XID, reason)
    _check_properties(message.properties)
    datapath.bundles.add(request.session, message, request.now)


@handles(BundleFeaturesRequest)
def _bundle_features(datapath: Datapath, request: Request[BundleFeaturesRequest]) -> None:
    if request.message.feature_request_flags & BundleFeatureFlags.TIME_SET_SCHED:
        reason = "bundles are committed at once, so there is no tolerance to set"
        raise Refused(BadRequestCode.MULTIPART_BAD_SCHED, reason)
    request.answer(BundleFeaturesReply(SUPPORTED_FLAGS))


def _check_properties(properties: tuple[Record, ...]) -> None:
    for one in properties:
        raise Refused(BadPropertyCode.BAD_EXPERIMENTER, f"{one!r} is unknown")
