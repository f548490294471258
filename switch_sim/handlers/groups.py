"""What controllers do to groups, and ask of them."""

from __future__ import annotations

from protocol import FlowRemovedReason, GroupMod
from protocol.groups import GroupDescRequest, GroupFeaturesRequest, GroupStatsRequest

from ..asynchronous import GROUP_MOD
from ..datapath import Datapath
from ..group_stats import group_descs, group_features, group_stats
from ..request import Request, handles


@handles(GroupMod)
def _group_mod(datapath: Datapath, request: Request[GroupMod]) -> None:
    gone = datapath.group_mods.apply(request.message, request.version, request.now)
    for group_id in gone:
        # What leads to a group goes with it (OF1.3.5 6.5 "Group Table Modification Messages").
        entries = datapath.tables.references.of_group(group_id)
        reason = FlowRemovedReason.GROUP_DELETE
        datapath.remove_entries(entries, reason, request)
    datapath.sessions.forward(request.session, request.message, GROUP_MOD, request.effects)


@handles(GroupStatsRequest)
def _group_stats(datapath: Datapath, request: Request[GroupStatsRequest]) -> None:
    references, group_id = datapath.tables.references, request.message.group_id
    request.answer_in_parts(
        group_stats(datapath.groups, references, group_id, request.version, request.now)
    )


@handles(GroupDescRequest)
def _group_desc(datapath: Datapath, request: Request[GroupDescRequest]) -> None:
    # Up to OF1.4 the request has no group_id, and it stands at ALL.
    group_id = request.message.group_id
    request.answer_in_parts(group_descs(datapath.groups, group_id, request.version))


@handles(GroupFeaturesRequest)
def _group_features(datapath: Datapath, request: Request[GroupFeaturesRequest]) -> None:
    request.answer(group_features(datapath.groups, request.version))
