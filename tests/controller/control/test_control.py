"""A running controller and those who ask it, over its socket."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from controller import Controller
from controller.control.client import NoAnswer, ask
from controller.control.place import default_path
from controller.control.server import Control
from protocol import OF10, Message, Port, Version
from protocol.pcap import read

from ..fakes import PATIENCE
from .asked import NAMES, running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the controller answers."""
    return tmp_path / "control" / "c.sock"


async def test_only_its_user_may_open_the_socket_and_it_goes_with_the_controller(
    path: Path,
) -> None:
    async with running(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()


async def test_switches_ports_and_links_are_shown(path: Path) -> None:
    async with running(path) as asked:
        await asked.until(lambda found: len(found[0]["links"]) == 2, "topology")
        (known,) = await asked.data("topology")
        assert [one["datapath_id"] for one in known["switches"]] == ["0x1", "0x2"]
        links = {(one["src"], one["dst"]) for one in known["links"]}
        assert links == {("1:2", "2:2"), ("2:2", "1:2")}
        assert known["progress"] == "links 1 of 1 confirmed"
        assert [one["name"] for one in await asked.data("ports", "s2")] == ["s2-eth1", "s2-eth2"]
        table = await asked.run("topology")
        assert "links 1 of 1 confirmed" in table.output


async def test_a_flow_is_added_shown_and_deleted_in_ovs_ofctls_syntax(path: Path) -> None:
    text = "priority=5,tcp,tp_dst=80,actions=output:2"
    async with running(path) as asked:
        assert (await asked.run("flows", "add", "s1", text)).exit_code == 0
        shown = [one["flow"] for one in await asked.data("flows", "list", "s1")]
        assert "table=0,priority=5,tcp,tp_dst=80 actions=output:2" in shown
        assert (await asked.run("flows", "delete", "0x1", "tcp")).exit_code == 0
        shown = [one["flow"] for one in await asked.data("flows", "list", "s1")]
        assert not any("tp_dst" in flow for flow in shown)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("flows", "add", "s1", "actions=group:7"), "the switch refuses: there is no such group"),
        (("flows", "list", "s9"), "switch 0x9 is not connected; connected are 0x1, 0x2"),
        (("ports", "nine"), "write it as 3, 0x1f or s3, or as its bridge is called; connected are"),
        (("record", "nine"), "'nine' is no datapath_id: write it as 3, 0x1f or s3, or as its"),
        (("ports", "down", "s1", "9"), "has no port '9'; it has 1 (s1-eth1), 2 (s1-eth2)"),
        (("send", "s1", "zz"), "this is neither a message in hex nor the name of one"),
        (("send", "s1", "port_mod"), "port_mod needs to be told more than its name"),
    ],
)
async def test_what_cannot_be_done_is_one_sentence(
    path: Path, words: tuple[str, ...], sentence: str
) -> None:
    async with running(path) as asked:
        result = await asked.run(*words)
        assert result.exit_code == 1
        assert sentence in result.output
        assert result.output.startswith("Error: ")


@pytest.mark.parametrize("version", Version)
async def test_the_same_line_adds_changes_and_deletes_a_flow_in_every_version(
    path: Path, version: Version
) -> None:
    async with running(path, version=version) as asked:

        async def shown() -> list[str]:
            told = await asked.data("flows", "s1")
            return [one["flow"].split()[-1] for one in told if one["priority"] == 5]

        for words, left in (
            (("add", "priority=5,tcp,tp_dst=80,actions=output:2"), ["actions=output:2"]),
            (("mod", "tcp,tp_dst=80,actions=output:1"), ["actions=output:1"]),
            (("del", "tcp"), []),
        ):
            command, flow = words
            done = await asked.run("flows", command, "s1", flow)
            assert done.exit_code == 0, done.output
            assert await shown() == left


async def test_another_table_is_refused_where_the_version_has_one_only(path: Path) -> None:
    async with running(path, version=OF10) as asked:
        done = await asked.run("flows", "add", "s1", "table=1,arp,actions=output:2")
        assert done.exit_code == 1
        assert "OpenFlow 1.0 has one table, 1.1 to 1.5 have more: leave table=1 out" in done.output


async def test_a_switch_may_be_named_as_its_bridge_is_called(path: Path) -> None:
    async with running(path, "hub", bridges={"s2": "br-east"}) as asked:
        assert {one["datapath_id"] for one in await asked.data("ports", "br-east")} == {"0x2"}
        assert {one["datapath_id"] for one in await asked.data("record", "br-east")} == {"0x2"}
        assert (await asked.run("flows", "add", "br-east", "actions=drop")).exit_code == 0
        lost = await asked.run("ports", "s7")
        assert "switch 0x7 is not connected; connected are 0x1, 0x2 (br-east)" in lost.output


async def test_tables_call_the_local_port_and_bridges_by_their_names(path: Path) -> None:
    async with running(path, "hub", bridges={"s2": "br-east"}) as asked:
        shown = (await asked.run("ports", "br-east")).output.splitlines()
        assert [line.split()[1] for line in shown] == ["PORT_NO", "1", "2", "LOCAL"]
        assert (await asked.data("ports", "br-east"))[-1]["port_no"] == Port.LOCAL


async def test_switches_are_shown_even_where_nobody_looks_for_links(path: Path) -> None:
    async with running(path, "hub", bridges={"s2": "br-east"}) as asked:
        told = await asked.run("topology")
        assert "0x2          br-east  1.3" in told.stdout
        assert told.exit_code == 1
        assert "start forwarding" in told.stderr


async def test_a_name_counts_more_than_a_number_that_is_written_alike(path: Path) -> None:
    async with running(path, "hub", bridges={"s2": "s1"}) as asked:
        assert {one["datapath_id"] for one in await asked.data("ports", "s1")} == {"0x2"}


async def test_a_name_that_several_have_is_refused_with_their_numbers(path: Path) -> None:
    async with running(path, "hub", bridges={"s1": "br0", "s2": "br0"}) as asked:
        result = await asked.run("flows", "br0")
        assert "several switches are called br0: write one of 0x1, 0x2" in result.output


async def test_a_group_and_a_meter_are_added_shown_and_deleted(path: Path) -> None:
    async with running(path) as asked:
        group = "group_id=1,type=all,bucket=output:1,bucket=output:2"
        assert (await asked.run("groups", "add", "s1", group)).exit_code == 0
        (shown,) = await asked.data("groups", "s1")
        assert (shown["group_id"], shown["type"], len(shown["buckets"])) == (1, "ALL", 2)
        assert (await asked.run("groups", "del", "s1", "group_id=1")).exit_code == 0
        assert "no group" in (await asked.run("groups", "s1")).output
        meter = "meter=1,kbps,bands=type=drop,rate=1000"
        assert (await asked.run("meters", "add", "s1", meter)).exit_code == 0
        (shown,) = await asked.data("meters", "s1")
        assert (shown["meter_id"], shown["flags"]) == (1, ["KBPS"])
        assert (await asked.run("meters", "del", "s1", "meter=1")).exit_code == 0
        assert "no meter" in (await asked.run("meters", "s1")).output


async def test_a_port_is_taken_down_by_its_name_and_up_by_its_number(path: Path) -> None:
    async with running(path) as asked:
        assert (await asked.run("ports", "down", "s1", "s1-eth2")).exit_code == 0
        await asked.until(lambda found: found[1]["config"] == ["PORT_DOWN"], "ports", "s1")
        assert (await asked.run("ports", "up", "s1", "2")).exit_code == 0
        await asked.until(lambda found: found[1]["config"] == [], "ports", "s1")


async def test_what_ports_counted_is_shown(path: Path) -> None:
    async with running(path) as asked:
        shown = await asked.data("ports", "stats", "s1")
        assert [one["port_no"] for one in shown] == [1, 2]
        assert {"rx_packets", "tx_packets", "rx_bytes", "tx_bytes"} <= shown[0].keys()


async def test_flows_are_shown_with_the_application_that_added_them(path: Path) -> None:
    async with running(path) as asked:
        await asked.run("flows", "add", "s1", "priority=5,cookie=7,tcp,actions=output:2")
        told = await asked.data("flows", "s1")
        assert {one["app"] for one in told if one["priority"] != 5} <= {"topology", "forwarding"}
        assert [one["app"] for one in told if one["priority"] == 5] == [None]
        lines = (await asked.run("flows", "s1")).output.splitlines()
        cookies = [line for line in lines if "cookie=" in line]
        assert [line.split()[1] for line in cookies] == ["table=0,priority=5,cookie=0x7,tcp"]
        assert any("0x1     topology" in line for line in lines)


async def test_flows_have_the_specifications_names_in_json(path: Path) -> None:
    async with running(path) as asked:
        await asked.run("flows", "add", "s1", "priority=5,tcp,actions=output:2")
        shown = await asked.data("flows", "s1")
        (flow,) = [one for one in shown if one["priority"] == 5]
        assert (flow["table_id"], flow["packet_count"], flow["byte_count"]) == (0, 0, 0)
        assert flow["match"] == {"eth_type": "0x800", "ip_proto": 6}
        assert flow["instructions"] == [
            {"ApplyActions": {"actions": [{"Output": {"port": 2, "max_len": 65535}}]}}
        ]


@pytest.mark.parametrize("text", ["0414000800000001", "barrier_request", "BarrierRequest"])
async def test_a_message_is_sent_by_hand_and_its_answer_shown(path: Path, text: str) -> None:
    async with running(path) as asked:
        (told,) = await asked.data("send", "s1", text)
        assert "BARRIER_REPLY" in told["answer"]
        xids = [re.findall(r"xid=(\w+)", told[name]) for name in ("sent", "answer")]
        assert xids[0] == xids[1]


async def test_what_was_said_is_shown_and_written_as_a_capture(path: Path, tmp_path: Path) -> None:
    async with running(path) as asked:
        lines = (await asked.run("record", "s1")).output.splitlines()
        assert any("◀── controller  OFPT_FEATURES_REQUEST" in line for line in lines)
        assert any("──▶ controller  OFPT_FEATURES_REPLY" in line for line in lines)
        capture = tmp_path / "said.pcap"
        result = await asked.run("record", "--pcap", str(capture))
        assert "messages written" in result.output
        with capture.open("rb") as file:
            texts = [str(captured.message()) for captured in read(file)]
        assert any("FEATURES_REPLY" in text for text in texts)


async def test_errors_alone_are_shown_with_what_they_are_about(path: Path) -> None:
    async with running(path) as asked:
        await asked.run("flows", "add", "s2", "tcp,actions=group:7")
        asking, error = await asked.data("record", "s2", "--errors")
        assert asking["type"] == "OFPT_FLOW_MOD"
        assert error["type"] == "OFPT_ERROR"
        assert error["error"] == "there is no such group"
        assert error["answers"] == asking["text"]
        assert error["after"] == error["at"] - asking["at"] >= 0


async def test_a_ladder_of_types_and_switches_is_drawn(path: Path) -> None:
    async with running(path) as asked:
        words = ("record", "--ladder", "--type", "features", "--datapath-id", "s2")
        _, heading, request, reply = (await asked.run(*words)).output.splitlines()
        assert heading.split()[1:] == ["controller", "0x2"]
        assert "─▶│  FEATURES_REQUEST xid=0x2" in request
        assert "│◀╌" in reply
        assert "FEATURES_REPLY xid=0x2 after " in reply


def text_of(line: bytes) -> str:
    """Return a message that the controller tells, which it does not read itself."""
    told = json.loads(line)
    names = "at channel peer datapath_id from_switch hex missed"
    assert set(told) == set(names.split())
    return str(Message.decode(bytes.fromhex(told["hex"])))


async def test_who_follows_hears_what_is_said_from_now_on(path: Path) -> None:
    async with running(path) as asked:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"question": "record", "follow": true, "switches": ["s2"]}\n')
        await asked.data("send", "s2", "0414000800000001")
        async with asyncio.timeout(PATIENCE):
            while "BARRIER_REPLY" not in text_of(await reader.readline()):
                pass
        writer.close()


async def test_without_the_topology_application_the_sentence_says_what_to_start(
    path: Path,
) -> None:
    async with running(path, "hub") as asked:
        result = await asked.run("hosts")
        assert "start forwarding" in result.output


@pytest.mark.parametrize(
    "line", [b"nonsense\n", b"{}\n", b'{"question": "weather"}\n', b'{"question": []}\n', b"[]\n"]
)
async def test_what_is_no_question_is_told_so(path: Path, line: bytes) -> None:
    async with running(path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(line)
        assert "this is no question" in json.loads(await reader.readline())["error"]
        assert await reader.read() == b""
        writer.close()


async def test_a_line_without_an_end_costs_its_sender_only(path: Path) -> None:
    async with running(path) as asked:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"x" * (1 << 22))
        with suppress(ConnectionError):  # it closes with some of the line unread
            assert await reader.read() == b""
        writer.close()
        assert await asked.data("ports", "s1")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("flows", "add", "s1", "tp_dst=80,actions=drop"), "tp_dst"),
        (("flows", "ad", "s1", "actions=drop"), "there is no command ad: write one of list, add"),
        (("groups", "add", "s1", "group_id=1"), "a group needs its type"),
        (("meters", "add", "s1", "meter=1"), "a meter needs its unit"),
        (("record", "--type", "flowmod"), "no message is called 'flowmod': write it as flow_mod"),
    ],
)
def test_what_is_written_wrongly_is_told_before_anybody_is_asked(
    words: tuple[str, ...], sentence: str
) -> None:
    name, *rest = words
    result = CliRunner().invoke(NAMES[name], [*rest, "--control", "nobody.sock"])
    assert result.exit_code == 2
    assert sentence in result.output


async def test_a_second_controller_leaves_the_socket_of_the_first_alone(path: Path) -> None:
    async with running(path) as asked:
        with pytest.raises(OSError, match="another controller answers"):
            await Control(Controller([])).listen(path)
        assert await asked.data("ports", "s1")


async def test_the_socket_of_a_controller_that_ended_badly_is_taken_over(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    async with running(path) as asked:
        assert await asked.data("ports", "s1")


def test_where_no_controller_answers_the_sentence_says_how_to_start_one(path: Path) -> None:
    with pytest.raises(NoAnswer, match="start one with pointsman controller"):
        next(ask(path, "switches"))


def test_the_socket_of_a_user_is_where_the_system_keeps_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/5")
    assert default_path() == Path("/run/user/5/pointsman/controller.sock")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/x" * 99)
    assert "pointsman-" in str(default_path())
