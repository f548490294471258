"""What the switch is and can, its configuration, and what needs no answer."""

from __future__ import annotations

from typing import Any

from protocol import (
    OF10,
    OF11,
    OF12,
    OF14,
    BadRequestCode,
    BarrierReply,
    BarrierRequest,
    Capabilities,
    ConfigFlags,
    ControllerMaxLen,
    DescRequest,
    EchoReply,
    ErrorMsg,
    Experimenter,
    ExperimenterMultipartRequest,
    FeaturesReply,
    FeaturesRequest,
    GetConfigReply,
    GetConfigRequest,
    Hello,
    Message,
    SetConfig,
    SwitchConfigFailedCode,
)
from protocol.nicira.fields import NICIRA
from protocol.oxm import ONF

from ..datapath import Datapath
from ..refused import Refused
from ..request import Request, handles

# What OF1.0 lists as bits: the types of the actions it has, 0 to 11 (OF1.0 5.3.1 "Handshake").
_ACTIONS10 = (1 << 12) - 1
_FRAGMENTS = ConfigFlags.FRAG_DROP | ConfigFlags.FRAG_REASM  # one of them, or none
_MAX, _NO_BUFFER = ControllerMaxLen.MAX, ControllerMaxLen.NO_BUFFER


@handles(Hello, EchoReply, ErrorMsg)
def _ignore(datapath: Datapath, request: Request[Message]) -> None:
    """Do nothing: a hello or an echo that comes late, an error that nobody here can mend."""


@handles(Experimenter, ExperimenterMultipartRequest)
def _unknown_experimenter(datapath: Datapath, request: Request[Any]) -> None:
    message = request.message
    known = message.experimenter in (NICIRA, ONF)
    code = BadRequestCode.BAD_EXP_TYPE if known else BadRequestCode.BAD_EXPERIMENTER
    raise Refused(code, f"{type(message).__name__}: {message.experimenter:#x} has no such here")


@handles(FeaturesRequest)
def _features(datapath: Datapath, request: Request[FeaturesRequest]) -> None:
    version = request.version
    capabilities = Capabilities.FLOW_STATS | Capabilities.TABLE_STATS | Capabilities.PORT_STATS
    capabilities |= Capabilities.QUEUE_STATS | Capabilities.IP_REASM
    if version <= OF11:
        capabilities |= Capabilities.ARP_MATCH_IP
    if version >= OF11:
        capabilities |= Capabilities.GROUP_STATS
    if version >= OF14:  # since OF1.4.1, to be exact, which has the same number
        capabilities |= Capabilities.BUNDLES | Capabilities.FLOW_MONITORING
    request.answer(
        FeaturesReply(
            datapath.datapath_id,
            n_buffers=datapath.buffers.size,
            n_tables=datapath.tables.n_tables,
            auxiliary_id=request.session.auxiliary_id,
            capabilities=capabilities,
            actions=_ACTIONS10 if version == OF10 else 0,
            ports=datapath.ports.described(version) if version <= OF12 else (),
        )
    )


@handles(GetConfigRequest)
def _get_config(datapath: Datapath, request: Request[GetConfigRequest]) -> None:
    request.answer(GetConfigReply(datapath.flags, request.session.miss_send_len))


@handles(SetConfig)
def _set_config(datapath: Datapath, request: Request[SetConfig]) -> None:
    message = request.message
    allowed = ConfigFlags.FRAG_DROP | ConfigFlags.FRAG_REASM
    if request.version in (OF11, OF12):
        allowed |= ConfigFlags.INVALID_TTL_TO_CONTROLLER
    if request.version >= OF12 and _MAX < message.miss_send_len < _NO_BUFFER:
        reason = f"miss_send_len is at most {_MAX:#x}, or {_NO_BUFFER:#x} for all"
        raise Refused(SwitchConfigFailedCode.BAD_LEN, reason)
    both = message.flags & _FRAGMENTS == _FRAGMENTS
    if both or message.flags & ~int(allowed):  # the inverse of a flag has the known bits only
        reason = f"flags {message.flags:#x} are not supported"
        raise Refused(SwitchConfigFailedCode.BAD_FLAGS, reason)
    datapath.flags = flags = ConfigFlags(message.flags)
    datapath.fast_path.treat_fragments(
        drop=bool(flags & ConfigFlags.FRAG_DROP), reassemble=bool(flags & ConfigFlags.FRAG_REASM)
    )
    datapath.pipeline.tells_invalid_ttl = bool(flags & ConfigFlags.INVALID_TTL_TO_CONTROLLER)
    request.session.miss_send_len = message.miss_send_len


@handles(BarrierRequest)
def _barrier(datapath: Datapath, request: Request[BarrierRequest]) -> None:
    # Every message is done before the next one is looked at.
    request.answer(BarrierReply())


@handles(DescRequest)
def _desc(datapath: Datapath, request: Request[DescRequest]) -> None:
    request.answer(datapath.desc)
