"""How much of the specification there is, counted on the registry.

The numbers are those of the specification's tables (its openflow.h), experimenter members
included.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import pytest

import protocol
from protocol import instructions, message, multipart
from protocol.actions import ActionShape
from protocol.async_config import ASYNC_PROPERTIES, AsyncPropertyShape
from protocol.bundles import (
    BundleControlType,
    BundleFeaturesPropertyShape,
    BundlePropertyShape,
)
from protocol.groups import BucketPropertyShape, GroupPropertyShape
from protocol.instructions import InstructionsShape
from protocol.meters import BandShape
from protocol.monitors import FlowMonitorCommand, FlowUpdateShape
from protocol.oxm import OPENFLOW_BASIC, OXM, PACKET_REGS
from protocol.ports import (
    PortDescReply,
    PortDescRequest,
    PortModPropertyShape,
    PortPropertyShape,
    PortStatsPropertyShape,
)
from protocol.queues import QueuePropertyShape, QueueStatsPropertyShape
from protocol.record import Family
from protocol.roles import ControllerStatusPropertyShape, RolePropertyShape
from protocol.stats import OXS
from protocol.symmetric import ElementsShape
from protocol.table_features import TableFeaturePropertyShape
from protocol.tables import TablePropertyShape
from protocol.version import OF10, OF11, OF12, OF13, OF14, OF15, Version
from protocol.wire import resolve

VERSIONS = (OF10, OF11, OF12, OF13, OF14, OF15)


def counts(*numbers: int) -> pytest.MarkDecorator:
    """One number for each version, the last ones."""
    return pytest.mark.parametrize(
        ("version", "count"), list(zip(VERSIONS[-len(numbers) :], numbers, strict=True))
    )


def members(family: Family, version: Version) -> set[int]:
    return set(family.at(version).class_of)


@counts(22, 24, 26, 30, 33, 34)
def test_message_types(version: Version, count: int) -> None:
    found = {resolve(shape, version) for shape, _ in message._registry}
    assert len(found - {None}) == count


@counts(7, 9, 10, 15, 18, 21)
def test_multipart_types(version: Version, count: int) -> None:
    for classes in (multipart._requests, multipart._replies):
        lent = {PortDescRequest, PortDescReply} if version <= OF12 else set()  # Open vSwitch's
        found = {resolve(shape, version) for cls, shape in classes.items() if cls not in lent}
        assert len(found - {None}) == count


@counts(13, 26, 15, 17, 17, 19)
def test_actions(version: Version, count: int) -> None:
    assert len(members(ActionShape, version)) == count


@counts(6, 6, 7, 7, 8)
def test_instructions(version: Version, count: int) -> None:
    assert len(InstructionsShape.at(version).class_of) == count


@counts(36, 40, 41, 44)
def test_match_fields(version: Version, count: int) -> None:
    basic = [row for row in OXM.values() if row.oxm_class == OPENFLOW_BASIC]
    assert len([row for row in basic if row.first <= version]) == count


def test_packet_registers() -> None:
    assert [row.name for row in OXM.values() if row.oxm_class == PACKET_REGS]


def test_statistics_of_flow_entries() -> None:
    assert len(OXS) == 5


@counts(3, 3, 3)
def test_meter_bands(version: Version, count: int) -> None:
    assert len(members(BandShape, version)) == count


@counts(16, 17, 22)
def test_table_feature_properties(version: Version, count: int) -> None:
    assert len(members(TableFeaturePropertyShape, version)) == count


EXPERIMENTER = 0xFFFF
#: The numbers of a family's members in the versions that have the family, the last ones.
FAMILIES: dict[Family, list[set[int]]] = {
    # ofp_hello_elem_type has come with OF1.3.1, and is understood in the hello of any version.
    ElementsShape: [{1}] * 6,
    # OFPQT_NONE, 0, of OF1.0 and OF1.1 is no property.
    QueuePropertyShape: [{1}, {1}] + [{1, 2, EXPERIMENTER}] * 4,
    QueueStatsPropertyShape: [{EXPERIMENTER}] * 2,
    PortPropertyShape: [{0, 1, EXPERIMENTER}, {0, 1, 2, 3, 4, EXPERIMENTER}],
    PortModPropertyShape: [{0, 1, EXPERIMENTER}] * 2,
    PortStatsPropertyShape: [{0, 1, EXPERIMENTER}] * 2,
    TablePropertyShape: [{2, 3, EXPERIMENTER}] * 2,
    RolePropertyShape: [{EXPERIMENTER}] * 2,
    BundlePropertyShape: [{EXPERIMENTER}, {1, EXPERIMENTER}],
    BundleFeaturesPropertyShape: [{1, EXPERIMENTER}],
    GroupPropertyShape: [{EXPERIMENTER}],
    BucketPropertyShape: [{0, 1, 2, EXPERIMENTER}],
    ControllerStatusPropertyShape: [{0, EXPERIMENTER}],
}
#: Families that have a test of their own here.
COUNTED = {
    ActionShape,
    instructions._InstructionFamily,
    BandShape,
    TableFeaturePropertyShape,
    AsyncPropertyShape,
    FlowUpdateShape,
}


@pytest.mark.parametrize(
    ("family", "version", "numbers"),
    [
        pytest.param(family, version, numbers, id=f"{version}-{family.family}")
        for family, of_versions in FAMILIES.items()
        for version, numbers in zip(VERSIONS[-len(of_versions) :], of_versions, strict=True)
    ],
)
def test_members_of_families(family: Family, version: Version, numbers: set[int]) -> None:
    assert members(family, version) == numbers


def test_no_family_is_left_uncounted() -> None:
    chapters = [import_module(f"protocol.{one.name}") for one in iter_modules(protocol.__path__)]
    found = [one for chapter in chapters for one in vars(chapter).values()]
    families = {one for one in found if isinstance(one, Family)}
    assert families - set(FAMILIES) - COUNTED == set()


@counts(14, 18)
def test_async_properties(version: Version, count: int) -> None:
    masks = {resolve(number, version) for number in ASYNC_PROPERTIES.values()} - {None}
    assert len(masks | members(AsyncPropertyShape, version)) == count


def test_bundle_control_types() -> None:
    assert len(BundleControlType) == 8


@counts(7, 7)
def test_flow_monitor_commands_and_events(version: Version, count: int) -> None:
    assert len(FlowMonitorCommand) == 3
    assert len(members(FlowUpdateShape, version)) == count
