"""How much of the specification there is, counted on the registry.

The numbers are those of the specification's tables, experimenter members included.
"""

from __future__ import annotations

import pytest

from protocol import message, multipart
from protocol.actions import ActionShape
from protocol.async_config import ASYNC_PROPERTIES, AsyncPropertyShape
from protocol.bundles import BundleControlType
from protocol.instructions import InstructionsShape
from protocol.meters import BandShape
from protocol.monitors import FlowMonitorCommand, FlowUpdateShape
from protocol.oxm import OPENFLOW_BASIC, OXM, PACKET_REGS
from protocol.ports import PortDescReply, PortDescRequest
from protocol.record import Family
from protocol.stats import OXS
from protocol.table_features import TableFeaturePropertyShape
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
