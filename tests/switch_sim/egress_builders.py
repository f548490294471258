"""Switches with egress tables."""

from __future__ import annotations

from msgspec.structs import replace

from protocol import OF15, Match, Output
from protocol.table_features import TableFeatureFlags, TableFeaturesRequest
from tests.switch_sim.builders import Bench, flow
from tests.switch_sim.test_table_requests import features

BOTH = TableFeatureFlags.INGRESS_TABLE | TableFeatureFlags.EGRESS_TABLE
FIRST = BOTH | TableFeatureFlags.FIRST_EGRESS


def first_at(bench: Bench, table_id: int) -> TableFeaturesRequest:
    """The request that lets egress tables begin at a table."""
    return TableFeaturesRequest((replace(features(bench)[table_id], features=FIRST),))


def four_tables() -> Bench:
    """A switch without egress tables that sends what it gets to ports 2 and 3."""
    bench = Bench(OF15, n_tables=4)
    bench.say(flow(Match(), Output(2), Output(3), priority=1))
    return bench


def egress_bench() -> Bench:
    """The same; packets leave through the tables from 2 on."""
    bench = four_tables()
    bench.say(first_at(bench, 2))
    return bench


def stages(bench: Bench) -> list[bool]:
    """Of each table whether it is an egress table, as table features tell it."""
    flags = [bool(one.features & TableFeatureFlags.FIRST_EGRESS) for one in features(bench)]
    return [any(flags[: number + 1]) for number in range(len(flags))]
