"""What controllers do to meters, and ask of them."""

from __future__ import annotations

from protocol import FlowRemovedReason, MeterMod
from protocol.meters import MeterDescRequest, MeterFeaturesRequest, MeterStatsRequest

from ..asynchronous import METER_MOD
from ..datapath import Datapath
from ..meter_stats import meter_descs, meter_features, meter_stats
from ..request import Request, handles


@handles(MeterMod)
def _meter_mod(datapath: Datapath, request: Request[MeterMod]) -> None:
    for meter_id in datapath.meter_mods.apply(request.message, request.now):
        # What uses a meter goes with it (OF1.3.5 6.6 "Meter Modification Messages").
        entries = datapath.tables.references.of_meter(meter_id)
        reason = FlowRemovedReason.METER_DELETE
        datapath.remove_entries(entries, reason, request)
    datapath.sessions.forward(request.session, request.message, METER_MOD, request.effects)


@handles(MeterStatsRequest)
def _meter_stats(datapath: Datapath, request: Request[MeterStatsRequest]) -> None:
    references, meter_id = datapath.tables.references, request.message.meter_id
    request.answer_in_parts(
        meter_stats(datapath.meters, references, meter_id, request.version, request.now)
    )


@handles(MeterDescRequest)
def _meter_descs(datapath: Datapath, request: Request[MeterDescRequest]) -> None:
    request.answer_in_parts(meter_descs(datapath.meters, request.message.meter_id, request.version))


@handles(MeterFeaturesRequest)
def _meter_features(datapath: Datapath, request: Request[MeterFeaturesRequest]) -> None:
    request.answer(meter_features(datapath.meters, request.version))
