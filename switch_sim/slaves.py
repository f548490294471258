"""What a controller that is slave may not say (OF1.3.5 6.3.5 "Multiple Controllers")."""

from __future__ import annotations

from protocol import (
    BadRequestCode,
    BundleAdd,
    BundleControl,
    FlowMod,
    GroupMod,
    Message,
    MeterMod,
    PacketOut,
    PortMod,
    TableMod,
)
from protocol import nicira as nx
from protocol.table_features import TableFeaturesRequest

from .refused import Refused

# Meters and bundles are in no list of the specification; they change the switch all the same.
_CHANGES = (PacketOut, FlowMod, GroupMod, PortMod, TableMod, MeterMod, BundleControl, BundleAdd)
_NICIRAS = (nx.Resume, nx.CtFlush, nx.CtFlushZone, nx.TlvTableMod)


def check_slave(message: Message) -> None:
    """Refuse (IS_SLAVE) what changes the switch."""
    sets_features = isinstance(message, TableFeaturesRequest) and message.tables
    if isinstance(message, _CHANGES + _NICIRAS) or sets_features:
        reason = f"a slave may not send {type(message).__name__}"
        raise Refused(BadRequestCode.IS_SLAVE, reason)
