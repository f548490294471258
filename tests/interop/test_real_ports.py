"""Simulated switches carry the packets of real hosts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from . import namespaces, real_ports

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What the run in namespaces saw."""
    if reason := namespaces.why_not():
        pytest.skip(reason)
    done = namespaces.isolated(real_ports.__name__, timeout=120)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_the_switch_is_as_the_command_line_says(found: dict[str, Any]) -> None:
    assert found["datapath_id"] == 42
    numbers = {name: number for name, (number, _) in found["ports"].items()}
    assert numbers == dict(zip(real_ports.NAMES, (1, 2, 3, 4, 5, 6, 9), strict=True))


def test_ports_have_the_addresses_of_their_interfaces(found: dict[str, Any]) -> None:
    assert {name: mac for name, (_, mac) in found["ports"].items()} == found["addresses"]


@pytest.mark.parametrize("kind", ["veth", "tap", "fragments"])
def test_hosts_reach_each_other(found: dict[str, Any], kind: str) -> None:
    assert found[kind]


@pytest.mark.parametrize("kind", real_ports.TAGS)
def test_tags_come_through(found: dict[str, Any], kind: str) -> None:
    # The kernel takes the outermost tag off before we see the frame.
    assert found["tags"][kind]


def test_tcp_arrives_whole_from_hosts_that_leave_checksums_and_segments_to_the_interface(
    found: dict[str, Any],
) -> None:
    received, sent = found["transfer"]
    assert received == sent


def test_a_link_that_goes_down_and_up_is_told(found: dict[str, Any]) -> None:
    # OF1.3.5 7.4.3 "Port Status Message"
    links = found["links"]
    assert (links["down"], links["up"]) == ([2, True], [2, False])
    assert (links["silent"], links["reached"]) == (False, True)


def test_an_interface_that_is_made_anew_is_taken_up_again(found: dict[str, Any]) -> None:
    links = found["links"]
    assert (links["removed"], links["made anew"]) == ([1, True], [1, False])
    assert links["reached anew"]


def test_a_tap_that_somebody_removes_is_a_link_that_is_down(found: dict[str, Any]) -> None:
    assert found["links"]["tap removed"] == [9, True]


def test_a_frame_that_the_interface_refuses_is_counted_as_dropped(found: dict[str, Any]) -> None:
    assert found["dropped"] >= 1


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("missing", "there is no interface lost0: `ip link` lists them"),
        ("forbidden", "interface lo is not allowed: run as root"),
        ("busy", "interface t9 is in use by another program"),
        ("no tap", "interface s1 is there already and is no tap"),
    ],
)
def test_an_interface_that_cannot_be_had_is_told_with_the_cure(
    found: dict[str, Any], case: str, words: str
) -> None:
    status, text = found["refusals"][case]
    assert status == 1
    assert words in text
    assert "Traceback" not in text


def test_the_switch_ends_with_status_0_on_sigterm(found: dict[str, Any]) -> None:
    assert found["status"] == 0
