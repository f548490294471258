"""Groups, meters and queues: what `ovs-ofctl` prints of a simulated switch and of a real one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from protocol.syntax.group import parse_group
from tests.interop import ovs
from tests.interop.simulated import simulated_switch

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(ovs.missing_tools()), reason=ovs.missing_tools()),
]

PORTS = 4
with_groups = pytest.mark.parametrize("version", ["11", "12", "13", "14", "15"])
with_features = pytest.mark.parametrize("version", ["12", "13", "14", "15"])
with_meters = pytest.mark.parametrize("version", ["13", "14", "15"])
each_version = pytest.mark.parametrize("version", ["10", "11", "12", "13", "14", "15"])

GROUPS = [
    "group_id=1,type=select,bucket=weight:3,output:1,bucket=weight:1,output:2",
    "group_id=2,type=select,bucket=watch_port:1,output:1,bucket=watch_group:1,output:2",
    "group_id=3,type=ff,bucket=watch_port:1,output:1,bucket=watch_port:2,watch_group:2,output:2",
    "group_id=4,type=all,bucket=output:1,bucket=mod_dl_src:00:00:00:00:00:01,output:3",
    "group_id=5,type=indirect,bucket=group:4",
    "group_id=6,type=all",
    "group_id=4294967040,type=indirect,bucket=set_queue:0,LOCAL",
]
METERS = [
    "meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=100",
    "meter=2,pktps,bands=type=drop,rate=10",
    "meter=3,kbps,burst,bands=type=drop,rate=7,burst_size=6,type=drop,rate=8,burst_size=9",
]


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    """The endpoint of a simulated switch whose ports have a queue 0, as those of the real one."""
    # ovs-ofctl reads the features of OF1.5's meters as those of OF1.4 only.
    options = ["--no-meter-features"]
    options += [word for number in range(1, PORTS + 1) for word in ("--queue", f"{number}:0")]
    with simulated_switch(PORTS, *options) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def real() -> Iterator[ovs.OpenVSwitch]:
    with ovs.OpenVSwitch(dummy=True) as started:
        started.add_bridge("br0", ports={number: f"p{number}" for number in range(1, PORTS + 1)})
        yield started


class Pair:
    """A simulated switch and a real one that are told the same."""

    def __init__(self, version: str, simulator: str, real: ovs.OpenVSwitch) -> None:
        self.version, self.simulator, self.real = version, simulator, real

    def tell(self, command: str, *arguments: str) -> None:
        self.real.ofctl(self.version, command, "br0", *arguments)
        ovs.ofctl(self.version, command, self.simulator, *arguments)

    def printed(self, command: str, *arguments: str) -> tuple[list[str], list[str]]:
        """What the simulated and the real switch answer, line by line and in order."""
        told = ovs.ofctl(self.version, command, self.simulator, *arguments)
        expected = self.real.ofctl(self.version, command, "br0", *arguments)
        return _lines(told), _lines(expected)

    def refusals(self, command: str, *arguments: str) -> tuple[str, str]:
        """The errors that they answer with."""
        told = _said(ovs.ofctl, self.version, command, self.simulator, *arguments)
        expected = _said(self.real.ofctl, self.version, command, "br0", *arguments)
        return _error(told), _error(expected)


def _lines(printed: str) -> list[str]:
    """The lines in order, without what changes from run to run and the order of groups."""
    text = re.sub(r"duration[=:][\d.?]+s?,?", "", printed)
    text = re.sub(r" bands:\n|bands=\n", " bands=", text)
    return sorted(line.strip() for line in text.splitlines()[1:] if line.strip())


def _said(ofctl: Callable[..., str], *arguments: str) -> str:
    """What ovs-ofctl prints, also where it fails."""
    try:
        return ofctl(*arguments)
    except RuntimeError as error:
        return str(error)


def _error(said: str) -> str:
    found = re.search(r"OFP\w+FC_\w+|OFPB\w+C_\w+", said.partition("OFPT_ERROR")[2])
    assert found, said
    return found[0]


@pytest.fixture
def pair(version: str, simulator: str, real: ovs.OpenVSwitch) -> Pair:
    """Both of them, without flow entries, groups and meters."""
    both = Pair("13", simulator, real)
    both.tell("del-flows")
    both.tell("del-groups")
    both.tell("del-meters")
    return Pair(version, simulator, real)


# Groups


@with_groups
def test_groups_are_described_alike(pair: Pair) -> None:
    for text in GROUPS:
        pair.tell("add-group", text)
    told, expected = pair.printed("dump-groups")
    assert told == expected
    assert len(told) == len(GROUPS)


@with_groups
def test_a_group_is_modified_alike(pair: Pair) -> None:
    for text in GROUPS:
        pair.tell("add-group", text)
    pair.tell("mod-group", "group_id=4,type=select,bucket=weight:7,output:1")
    pair.tell("del-groups", "group_id=3")
    told, expected = pair.printed("dump-groups")
    assert told == expected
    assert len(told) == len(GROUPS) - 1


@with_groups
def test_statistics_of_groups_are_alike(pair: Pair) -> None:
    for text in GROUPS:
        # Open vSwitch does not count the groups that forward to a group.
        if "group:" not in text:
            pair.tell("add-group", text)
    pair.tell("add-flow", "in_port=1,actions=group:1")
    pair.tell("add-flow", "in_port=2,actions=group:4,group:1")
    told, expected = pair.printed("dump-group-stats")
    assert told == expected
    assert any("group_id=1,ref_count=2" in line for line in told)
    assert pair.printed("dump-group-stats", "group_id=4") == (
        [line for line in told if "group_id=4," in line],
        [line for line in expected if "group_id=4," in line],
    )


@with_groups
def test_flow_entries_go_with_their_group_alike(pair: Pair) -> None:
    pair.tell("add-group", GROUPS[0])
    pair.tell("add-flow", "in_port=1,actions=group:1")
    pair.tell("add-flow", "in_port=2,actions=output:1")
    pair.tell("del-groups", "group_id=1")
    told, expected = pair.printed("dump-flows")
    assert len(told) == len(expected) == 1
    assert "in_port=2" in told[0]


@with_features
def test_features_of_groups_name_the_same_actions_and_more(pair: Pair) -> None:
    told, expected = pair.printed("dump-group-features")
    # Capabilities: Open vSwitch does not check chains, which is the last bit.
    assert "Capabilities:  0xf" in told
    assert "Capabilities:  0x7" in expected
    assert "Types:  0xf" in told
    actions = [set(line.split()[1:]) for line in told if line.startswith("actions:")]
    theirs = [set(line.split()[1:]) for line in expected if line.startswith("actions:")]
    assert len(actions) == len(theirs) == 4
    assert all(mine >= other for mine, other in zip(actions, theirs, strict=True))


@pytest.mark.parametrize("version", ["15"])
def test_buckets_are_inserted_and_removed_alike(pair: Pair) -> None:
    pair.tell(
        "add-group", "group_id=1,type=all,bucket=bucket_id:1,output:1,bucket=bucket_id:2,drop"
    )
    for where in ("first", "last", "1"):
        number = {"first": 10, "last": 20, "1": 30}[where]
        buckets = f"bucket=bucket_id:{number},output:1,bucket=bucket_id:{number + 1},output:2"
        pair.tell("insert-buckets", f"group_id=1,command_bucket_id={where},{buckets}")
        told, expected = pair.printed("dump-groups", "1")
        assert told == expected
    for which in ("first", "last", "30", "all"):
        pair.tell("remove-buckets", f"group_id=1,command_bucket_id={which}")
        told, expected = pair.printed("dump-groups", "1")
        assert told == expected


@pytest.mark.parametrize(
    ("version", "command", "text"),
    [
        ("13", "add-group", "group_id=1,type=all"),
        ("15", "insert-buckets", "group_id=9,command_bucket_id=last,bucket=output:1"),
        ("15", "insert-buckets", "group_id=1,command_bucket_id=7,bucket=bucket_id:8,output:1"),
        ("15", "insert-buckets", "group_id=1,command_bucket_id=last,bucket=bucket_id:0,output:1"),
        ("15", "remove-buckets", "group_id=1,command_bucket_id=7"),
        ("13", "mod-group", "group_id=9,type=all"),
    ],
)
def test_what_cannot_be_is_refused_alike(pair: Pair, command: str, text: str) -> None:
    pair.tell("add-group", "group_id=1,type=all,bucket=output:1")
    told, expected = pair.refusals(command, text)
    assert told == expected


@pytest.mark.parametrize("version", ["15"])
def test_selection_methods_are_described_alike(pair: Pair) -> None:
    for number, method in enumerate(
        [
            "selection_method=hash,fields(ip_dst,tcp_dst)",
            "selection_method=hash,selection_method_param=7,fields(ip_src=255.255.0.0)",
            "selection_method=dp_hash",
        ]
    ):
        buckets = "bucket=bucket_id:0,output:1"
        pair.tell("add-group", f"group_id={number},type=select,{method},{buckets}")
    told, expected = pair.printed("dump-groups")
    assert told == expected
    assert all("selection_method=" in line for line in told)
    # What is printed is what our own syntax reads, and prints in other words.
    assert [len(parse_group(line).properties) for line in told] == [1, 1, 1]


# Meters


@with_meters
def test_meters_are_described_alike(pair: Pair) -> None:
    for text in METERS:
        pair.tell("add-meter", text)
    told, expected = pair.printed("dump-meters")
    assert told == expected
    told, expected = pair.printed("dump-meters", "meter=2")
    assert told == expected
    assert len(told) == 1


@with_meters
def test_statistics_of_meters_are_alike(pair: Pair) -> None:
    for text in METERS:
        pair.tell("add-meter", text)
    pair.tell("add-flow", "in_port=1,actions=meter:1,output:2")
    told, expected = pair.printed("meter-stats")
    assert told == expected
    assert any(line.startswith("meter:1 flow_count:1 ") for line in told)


@with_meters
def test_flow_entries_go_with_their_meter_alike(pair: Pair) -> None:
    pair.tell("add-meter", METERS[0])
    pair.tell("add-flow", "in_port=1,actions=meter:1,output:2")
    pair.tell("mod-meter", "meter=1,pktps,bands=type=drop,rate=3")
    pair.tell("del-meters", "meter=1")
    assert pair.printed("dump-flows") == ([], [])
    assert pair.printed("dump-meters") == ([], [])


@with_meters
def test_features_of_meters_are_told(pair: Pair) -> None:
    told, expected = pair.printed("meter-features")
    assert "capabilities: kbps pktps burst stats" in told
    assert "capabilities: kbps pktps burst stats" in expected
    # Open vSwitch's userspace datapath cannot mark.
    assert "band_types: drop dscp_remark" in told
    assert "band_types: drop" in expected


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("add-meter", "meter=1,kbps,bands=type=drop,rate=1"),
        ("mod-meter", "meter=9,kbps,bands=type=drop,rate=1"),
        ("add-meter", f"meter=9,kbps,bands={','.join(['type=drop,rate=1'] * 17)}"),
        ("dump-meters", "meter=9"),
        ("meter-stats", "meter=9"),
    ],
)
@pytest.mark.parametrize("version", ["13", "15"])
def test_meters_that_cannot_be_are_refused_alike(pair: Pair, command: str, text: str) -> None:
    pair.tell("add-meter", "meter=1,kbps,bands=type=drop,rate=1")
    told, expected = pair.refusals(command, text)
    assert told == expected


# Queues


@each_version
def test_queues_are_described_alike(pair: Pair) -> None:
    told, expected = pair.printed("queue-get-config", "1")
    assert told == expected == ["queue 0:"]


@each_version
def test_statistics_of_queues_are_of_the_same_queues(pair: Pair) -> None:
    told, expected = pair.printed("queue-stats")
    names = [line.partition(": ")[0] for line in told]
    # The real bridge has a port LOCAL; without packets it knows no counters.
    assert names == [
        line.partition(": ")[0] for line in expected if "LOCAL" not in line and "65534" not in line
    ]
    assert all("bytes=0, pkts=0, errors=0" in line for line in told)


@each_version
@pytest.mark.parametrize("named", [("9",), ("1", "9")])
def test_queues_that_are_not_there_are_refused_alike(pair: Pair, named: tuple[str, ...]) -> None:
    told, expected = pair.refusals("queue-stats", *named)
    assert told == expected


@each_version
def test_a_rate_is_told_in_percent(version: str) -> None:
    with simulated_switch(2, "--queue", "1:7,min=10,max=50") as endpoint:
        printed = ovs.ofctl(version, "queue-get-config", endpoint, "1")
    rates = "min_rate:10.0%" if version < "12" else "min_rate:10.0% max_rate:50.0%"
    assert f"queue 7: {rates}\n" in printed
