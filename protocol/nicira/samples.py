"""The actions that tell IPFIX collectors of packets (ovs-actions(7) "The sample action")."""

from __future__ import annotations

from enum import IntEnum

from ..actions import Action, ActionShape
from ..ports import Port, Port16
from ..wire import U8, U16, U32, Enum, Pad
from .fields import NICIRA
from .subfields import Source, Subfield


class SampleDirection(IntEnum):
    """Which way a sampled packet goes."""

    DEFAULT = 0
    INGRESS = 1
    EGRESS = 2


_which = ("probability" / U16, "collector_set_id" / U32)
_observed = ("obs_domain_id" / U32, "obs_point_id" / U32)
_where = ("sampling_port" / Port16, "direction" / Enum(U8, SampleDirection), Pad(5))


@ActionShape.experimenter(NICIRA, 29)
class Sample(Action):
    """Tell a set of collectors of some packets."""

    probability: int  #: of 65536
    collector_set_id: int = 0
    obs_domain_id: int = 0
    obs_point_id: int = 0
    layout = (*_which, *_observed)


@ActionShape.experimenter(NICIRA, 38)
class Sample2(Action):
    """Tell a set of collectors of some packets, and of the tunnel behind a port."""

    probability: int
    collector_set_id: int = 0
    obs_domain_id: int = 0
    obs_point_id: int = 0
    sampling_port: int = Port.ANY
    layout = (*_which, *_observed, _where[0], Pad(6))


@ActionShape.experimenter(NICIRA, 41)
class Sample3(Action):
    """Tell a set of collectors of some packets that go one way."""

    probability: int
    collector_set_id: int = 0
    obs_domain_id: int = 0
    obs_point_id: int = 0
    sampling_port: int = Port.ANY
    direction: SampleDirection | int = SampleDirection.DEFAULT
    layout = (*_which, *_observed, *_where)


@ActionShape.experimenter(NICIRA, 51)
class Sample4(Action):
    """Tell a set of collectors of some packets, by numbers that fields may have."""

    probability: int
    collector_set_id: int = 0
    obs_domain_id: int | Subfield = 0
    obs_point_id: int | Subfield = 0
    sampling_port: int = Port.ANY
    direction: SampleDirection | int = SampleDirection.DEFAULT
    layout = (*_which, "obs_domain_id" / Source(4), "obs_point_id" / Source(4), *_where)
