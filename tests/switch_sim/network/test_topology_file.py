"""Files that describe networks, in TOML and in Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from protocol.queues import MaxRate, MinRate, QueueDesc
from switch_sim.network import End, Link, Network, load_topology, tree

CAMPUS = """
[[switch]]
name = "core"
datapath_id = "00:00:00:00:00:00:00:ff"

[[switch]]
queues = ["1:0", "1:7,min=10,max=50"]

[[host]]
name = "web"
ip = "192.0.2.1/24"
mac = "02:00:00:00:00:01"
gateway = "192.0.2.254"

[[host]]

[[link]]
ends = ["web", "core:7"]

[[link]]
ends = ["core", "s2"]

[[link]]
ends = ["h2", "s2"]
"""


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_toml_file_says_what_differs_from_the_defaults(tmp_path: Path) -> None:
    topology = load_topology(write(tmp_path / "campus.toml", CAMPUS))
    assert [(one.name, one.datapath_id) for one in topology.switches] == [("core", 255), ("s2", 2)]
    assert [(one.name, str(one.ip)) for one in topology.hosts] == [
        ("web", "192.0.2.1"),
        ("h2", "10.0.0.2"),
    ]
    assert Link(End("web"), End("core", 7)) in topology.links
    assert [one.queues for one in topology.switches] == [
        (),
        (QueueDesc(0, 1), QueueDesc(7, 1, (MinRate(100), MaxRate(500)))),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "topology = tree(2, 3)",
        "def topology():\n    return tree(2, 3)",
    ],
)
def test_a_python_file_defines_a_topology_or_how_to_make_it(tmp_path: Path, body: str) -> None:
    text = f"from switch_sim.network import tree\n\n{body}\n"
    assert load_topology(write(tmp_path / "lab.py", text)) == tree(2, 3)


def test_what_is_no_file_is_a_shape() -> None:
    assert load_topology("tree,2,3") == tree(2, 3)


@pytest.mark.parametrize(
    ("name", "text", "cure"),
    [
        ("a.toml", "[[switch]", "Expected ']]'"),
        ("a.toml", "[[switch]]\ncolour = 1", "unknown field `colour`"),
        ("a.toml", "[[switch]]\n[[link]]\nends = ['s1']", "$.link[0].ends"),
        ("a.toml", "[[switch]]\n[[link]]\nends = ['s1', 's3']", "did you mean s1?"),
        ("a.toml", "[[switch]]\n[[host]]\nip = '10.0.0'", "10.0.0"),
        ("a.toml", "[[switch]]\n[[host]]\nmac = '1:2'", "is no Ethernet address"),
        ("a.toml", "[[switch]]\ndatapath_id = 'x'", "'x' is no datapath_id"),
        ("a.toml", "[[switch]]\nqueues = ['1']", "write PORT:QUEUE"),
        ("a.toml", "[[switch]]\nqueues = ['1:1,max=101']", "0 to 100 percent"),
        ("a.toml", "[[switch]]\nqueues = ['1:1', '1:1']", "port 1 has two queues 1: take one out"),
        ("a.toml", "", "needs a switch"),
        ("a.py", "x = 1", "topology is missing: define a Topology"),
        ("a.py", "topology = 'tree'", "topology is of type str"),
        ("a.py", "x = 1\ny = 1 +", "line 2: invalid syntax"),
        ("a.py", "x = 1\nx / 0", "line 2: ZeroDivisionError: division by zero"),
        ("a.py", "def topology():\n    raise KeyError(1)", "line 2: KeyError: 1"),
    ],
)
def test_a_mistake_in_a_file_is_one_sentence_with_the_cure(
    tmp_path: Path, name: str, text: str, cure: str
) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(ValueError, match=re.escape(cure)) as raised:
        load_topology(path)
    assert str(raised.value).startswith(path)
    assert "\n" not in str(raised.value)


def test_switches_have_the_queues_of_their_file(tmp_path: Path) -> None:
    network = Network(load_topology(write(tmp_path / "campus.toml", CAMPUS)))
    assert [len(network.switches[name].datapath.queues) for name in ("core", "s2")] == [0, 2]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no file .*: check the path"):
        load_topology(str(tmp_path / "lost.toml"))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="decode"):
        load_topology(str(path))
