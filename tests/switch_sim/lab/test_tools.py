"""`pointsman codec` and `pointsman explain`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from protocol import (
    OF10,
    OF13,
    OF14,
    BadRequestCode,
    BundleAdd,
    EchoRequest,
    ErrorMsg,
    FlowMod,
    Message,
    UnknownError,
)
from protocol.pcap import Endpoint, Writer
from protocol.syntax import Flow
from switch_sim.lab.tools import MAX_LINE, codec, explain_command

ECHO = EchoRequest(b"abc", xid=7).encode(OF13)
RULE = Flow.parse("table=1,priority=5,tcp,in_port=LOCAL,actions=mod_dl_src:0:0:0:0:0:1,output:2")


def answers(text: str | bytes) -> list[dict[str, Any]]:
    """Return what codec answers, line by line."""
    done = CliRunner().invoke(codec, input=text)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def answer(message: Message, version: int = OF13) -> dict[str, Any]:
    (found,) = answers(message.encode(version).hex())  # type: ignore[arg-type]
    return found


def test_a_message_is_told_in_text_in_fields_and_encoded_again() -> None:
    assert answers(ECHO.hex()) == [
        {
            "version": 4,
            "type": 2,
            "name": "EchoRequest",
            "text": "OFPT_ECHO_REQUEST (xid=0x7): data=616263",
            "message": {"xid": 7, "data": "616263"},
            "encoded": ECHO.hex(),
        }
    ]


def test_enumerations_flags_and_actions_have_names() -> None:
    fields = answer(RULE.mod(version=OF13))["message"]
    assert fields["command"] == "ADD"
    assert fields["flags"] == []
    assert fields["match"] == {"in_port": 4294967294, "eth_type": "0x800", "ip_proto": 6}
    assert fields["instructions"] == [
        {
            "ApplyActions": {
                "actions": [
                    {"SetField": {"field": {"eth_src": "00:00:00:00:00:01"}}},
                    {"Output": {"port": 2, "max_len": 65535}},
                ]
            }
        }
    ]


def test_only_fields_that_the_version_has_are_told() -> None:
    fields = answer(FlowMod(), OF10)["message"]
    assert "idle_timeout" in fields
    assert "table_id" not in fields


def test_a_message_in_a_message_is_told_by_its_kind() -> None:
    fields = answer(BundleAdd(1, EchoRequest(b"a")), OF14)["message"]
    assert fields["message"] == {"EchoRequest": {"xid": 0, "data": "61"}}


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (BadRequestCode.BAD_LEN, "BadRequest.BAD_LEN"),
        (UnknownError(7777, 8), {"UnknownError": {"type": 7777, "code": 8}}),
    ],
)
def test_errors_have_names(code: Any, told: object) -> None:
    assert answer(ErrorMsg(code))["message"]["code"] == told


def test_several_messages_in_a_line_are_answered_with_an_error() -> None:
    assert answers("0402000800000000" * 2) == [
        {
            "error": {
                "type": 1,
                "code": 6,
                "name": "BadRequest.BAD_LEN",
                "path": "",
                "reason": "the header says 8 bytes, there are 16",
            }
        }
    ]


def test_what_is_wrong_in_a_message_is_told_with_its_path() -> None:
    data = Flow.parse("actions=output:1").mod(version=OF13).encode(OF13).hex()
    (found,) = answers(data.replace("0000001000000001", "0063001000000001"))
    assert found["error"] == {
        "type": 2,
        "code": 0,
        "name": "BadAction.BAD_TYPE",
        "path": "FlowMod.instructions[0].ApplyActions.actions[0]",
        "reason": "action 99 is unknown",
    }


def test_errors_are_numbered_as_the_version_of_the_message_numbers_them() -> None:
    data = Flow.parse("actions=output:1").mod(version=OF10).encode(OF10).hex()
    (found,) = answers(data.replace("00000008", "0063000c"))
    assert found["error"]["type"] == 2
    assert found["error"]["name"].startswith("BadAction")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "the line is empty"),
        ("040", "this is no message in hex"),
        ("hello", "this is no message in hex"),
        ("é", "this is no message in hex"),
        ("04" * (MAX_LINE // 2 + 1), f"the line is longer than {MAX_LINE} characters"),
    ],
    ids=["empty", "odd", "words", "foreign letters", "too long"],
)
def test_bad_lines_are_answered_and_the_next_one_is_read(line: str, reason: str) -> None:
    bad, good = answers(f"{line}\n{ECHO.hex()}\n")
    assert bad["error"]["reason"].startswith(reason)
    assert bad["error"]["code"] is None
    assert good["name"] == "EchoRequest"


def test_each_line_has_one_answer() -> None:
    lines = [ECHO.hex(), "", "zz", ECHO.hex(" "), "ff", ECHO.hex().upper() + "\r"]
    assert len(answers("\n".join(lines))) == len(lines)


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert len(answers(b"\xff\xfe\x00\n" + ECHO.hex().encode())) == 2


@pytest.fixture
def running() -> Iterator[subprocess.Popen[bytes]]:
    program = "from switch_sim.lab.tools import codec; codec()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


def test_answers_come_while_the_pipe_stays_open(running: subprocess.Popen[bytes]) -> None:
    assert running.stdin is not None
    assert running.stdout is not None
    for _ in range(3):
        running.stdin.write(ECHO.hex().encode() + b"\n")
        running.stdin.flush()
        assert json.loads(running.stdout.readline())["name"] == "EchoRequest"
    running.stdin.write(ECHO.hex().encode())  # a last line without its end
    running.stdin.close()
    assert json.loads(running.stdout.readline())["name"] == "EchoRequest"


# explain


def explained(*arguments: str) -> str:
    done = CliRunner().invoke(explain_command, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_explain_shows_the_annotated_dump() -> None:
    lines = explained(ECHO.hex()).splitlines()
    assert lines[0] == "OFPT_ECHO_REQUEST (xid=0x7): data=616263"
    assert lines[-1].split() == ["0008", "61", "62", "63", "data", "616263"]


def test_hex_may_come_in_several_arguments() -> None:
    assert explained(*ECHO.hex(" ").split()) == explained(ECHO.hex()) == explained(ECHO.hex(":"))


def test_a_broken_message_is_shown_with_the_error_to_answer_with() -> None:
    assert "answer with OFPBRC_BAD_LEN" in explained(ECHO[:-1].hex()).splitlines()[-1]


def test_explain_gives_parts_as_json() -> None:
    found = json.loads(explained("--json", ECHO.hex()))
    assert found["error"] is None
    assert found["parts"][-1] == {
        "start": 8,
        "end": 11,
        "depth": 1,
        "path": "EchoRequest.data",
        "name": "data",
        "kind": "bytes",
        "value": "616263",
        "meaning": "",
        "whole": False,
        "hex": "616263",
    }


def test_explain_gives_the_error_as_json() -> None:
    found = json.loads(explained("--json", ECHO[:-1].hex()))
    assert (found["error"]["code"], found["error"]["at"]) == (6, 10)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "some.pcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.from_switch(ECHO, 1_700_000_000.5)
        writer.from_controller(ECHO, 1_700_000_001.5)
    return path


def test_explain_shows_all_messages_of_a_capture(capture: Path) -> None:
    text = explained(str(capture))
    assert "1700000000.500000 10.0.0.2:49152 -> 10.0.0.1:6653" in text
    assert text.count("OFPT_ECHO_REQUEST (xid=0x7)") == 2


def test_a_capture_may_be_shown_in_part(capture: Path) -> None:
    lines = explained("--json", "--limit", "1", str(capture)).splitlines()
    assert [json.loads(line)["from_controller"] for line in lines] == [False]


def test_a_capture_of_a_controller_at_another_port_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "other.pcap"
    with path.open("wb") as file:
        Writer(file).from_switch(ECHO, 1.0, controller=Endpoint.of("10.0.0.1", 16_777))
    assert explained(str(path)) == ""
    assert "OFPT_ECHO_REQUEST" in explained(str(path), "--port", "16777")


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [("nothing.pcap", "there is no such file"), ("04 0", "this is no hex")],
)
def test_what_is_neither_hex_nor_a_file_is_refused(argument: str, sentence: str) -> None:
    done = CliRunner().invoke(explain_command, [argument])
    assert done.exit_code == 2
    assert sentence in done.output


def test_a_file_that_is_no_capture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("hello")
    done = CliRunner().invoke(explain_command, [str(path)])
    assert done.exit_code == 2
    assert "neither pcap nor pcapng" in done.output
