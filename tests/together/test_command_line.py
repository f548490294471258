"""The command line as a whole: what each command says of itself, prints, and returns."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from protocol import OF13, EchoRequest
from protocol.pcap import Writer
from switch_sim.lab.cli import main

from ..controller.control.asked import NAMES as ASKING
from ..controller.control.asked import running


def commands(command: click.Command = main, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield all commands but `pointsman` itself, with their words."""
    for word, below in getattr(command, "commands", {}).items():
        yield f"{name} {word}".strip(), below
        yield from commands(below, f"{name} {word}".strip())


ROOT = Path(__file__).parents[2]
PROGRAM = "from switch_sim.lab.cli import main; main()"
ALL = dict(commands())
LEAVES = {name: one for name, one in ALL.items() if not isinstance(one, click.Group)}


def help_of(name: str) -> str:
    """Return what a command says of itself."""
    done = CliRunner().invoke(main, [*name.split(), "--help"])
    assert done.exit_code == 0
    return done.output


def examples(name: str) -> list[str]:
    """Return the lines of a command's examples, each as it is typed."""
    text = help_of(name).replace("\\\n", " ")
    return [
        re.split(r"\s{2,}[(a-z]|\s>+", line.strip())[0]
        for line in text.splitlines()
        if re.match(r"\s+(echo .*\| )?pointsman ", line)
    ]


@pytest.mark.parametrize("name", ALL)
def test_the_help_of_each_command_has_an_example_of_it_and_what_its_status_means(name: str) -> None:
    text = help_of(name)
    assert re.search(r"^  Examples?:$|^Examples?:$", text, re.MULTILINE), text
    assert any(f"pointsman {name}" in line for line in examples(name)), text
    assert "0 if all went well, 1 if not, 2 if it was called wrongly" in text


@pytest.mark.parametrize("name", ALL)
def test_the_help_of_each_command_fits_into_80_columns(name: str) -> None:
    prose = [line for line in help_of(name).splitlines() if "pointsman " not in line]
    assert max(map(len, prose)) <= 80


@pytest.mark.parametrize("name", ["", *ALL])
def test_what_commands_say_in_a_list_is_not_cut_off(name: str) -> None:
    assert not re.search(r"\.\.\.$", help_of(name).partition("Commands:")[2], re.MULTILINE)


def typed_on(page: Path) -> list[str]:
    """Return the lines of a page that call us, each as it is typed."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    found = re.findall(r"^    (?:\$ |\.venv/bin/)?(pointsman .*)$", text, re.MULTILINE)
    return [re.split(r"\s+(?:#|&$|>)", line)[0].replace("$!", "1") for line in found]


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
IN_HELP = [line for name in ALL for line in examples(name)]
ON_PAGES = [line for page in PAGES for line in typed_on(page)]


def test_pages_show_calls() -> None:
    assert len(typed_on(ROOT / "docs" / "commands.md")) > 10


@pytest.mark.parametrize("line", dict.fromkeys([*IN_HELP, *ON_PAGES]))
def test_each_example_is_understood(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    for name, command in ALL.items():
        monkeypatch.setattr(command, "callback", lambda _name=name, **_: called.append(_name))
    monkeypatch.chdir(tmp_path)
    for file in re.findall(r"[\w-]+\.(?:pcap|txt|toml)\b", line):
        (tmp_path / file).touch()
    for part in line.replace("$!", "1").split(" | "):  # a shell puts a process's number there
        word, *words = shlex.split(part)
        if word == "pointsman":
            done = CliRunner().invoke(main, words)
            assert done.exit_code == 0, done.output
    assert called or "--write-config" in line  # which is done before all else


# Status


@pytest.mark.parametrize("name", LEAVES)
def test_an_option_that_is_none_is_a_wrong_call(name: str) -> None:
    done = CliRunner().invoke(main, [*name.split(), "--no-such-option"])
    assert done.exit_code == 2
    assert "No such option" in done.output


#: What each command takes in a call that goes well with a controller that runs `forwarding`.
CALLS: dict[str, list[str]] = {
    "topology": [],
    "hosts": [],
    "record": ["--type", "features"],
    "send": ["s1", "barrier_request"],
    "ports list": ["s1"],
    "ports stats": ["s1"],
    **{
        f"ports {word}": ["s1", "1"]
        for word in (
            "up", "down", "receive", "no-receive", "forward", "no-forward", "packet-in",
            "no-packet-in",
        )
    },
    "flows list": ["s1"],
    "flows add": ["s1", "tcp,actions=output:1"],
    "flows mod": ["s1", "tcp,actions=output:2"],
    "flows mod-strict": ["s1", "tcp,actions=output:2"],
    "flows del": ["s1", "tcp"],
    "flows del-strict": ["s1", "tcp"],
    "groups add": ["s1", "group_id=1,type=all,bucket=output:1"],
    "groups mod": ["s1", "group_id=1,type=all,bucket=output:2"],
    "groups list": ["s1"],
    "groups del": ["s1", "group_id=1"],
    "meters add": ["s1", "meter=1,kbps,bands=type=drop,rate=1000"],
    "meters mod": ["s1", "meter=1,kbps,bands=type=drop,rate=2000"],
    "meters list": ["s1"],
    "meters del": ["s1", "meter=1"],
}  # fmt: skip

#: Calls that this version of OpenFlow, 1.3, has nothing for.
REFUSED: dict[str, list[str]] = {
    "ports flood": ["s1", "1"],
    "ports no-flood": ["s1", "1"],
    "groups insert-buckets": ["s1", "group_id=1,command_bucket_id=last,bucket=output:1"],
    "groups remove-buckets": ["s1", "group_id=1,command_bucket_id=7"],
}


def asking() -> set[str]:
    """Return the commands that ask a running controller."""
    return {name for name in LEAVES if name.split()[0] in ASKING}


@pytest.mark.parametrize("name", sorted(CALLS | REFUSED))
def test_without_a_controller_the_status_is_1_and_the_sentence_has_the_cure(
    name: str, tmp_path: Path
) -> None:
    words = [*name.split(), *(CALLS | REFUSED)[name], "--control", str(tmp_path / "none.sock")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert "start one with pointsman controller, or name its socket with --control" in done.output
    assert done.output.count("\n") == 1


def test_each_command_that_asks_a_controller_is_called_here() -> None:
    assert asking() == {*CALLS, *REFUSED}


async def test_with_json_each_command_prints_json_and_its_status_is_0(tmp_path: Path) -> None:
    async with running(tmp_path / "c.sock") as asked:
        await asked.until(lambda found: len(found[0]["links"]) == 2, "topology")
        for name, words in CALLS.items():
            told = await asked.data(*name.split(), *words)
            assert all(isinstance(one, dict) for one in told), name
            assert told or name == "hosts", name


async def test_what_the_version_lacks_is_told_in_one_sentence(tmp_path: Path) -> None:
    async with running(tmp_path / "c.sock") as asked:
        for name, words in REFUSED.items():
            done = await asked.run(*name.split(), *words)
            assert done.exit_code == 1
            assert re.match(r"Error: .*: .*\n$", done.output), done.output


ECHO = EchoRequest(b"abc", xid=7).encode(OF13).hex()


@pytest.mark.parametrize(
    "words",
    [
        ["apps", "--json"],
        ["explain", "--json", ECHO],
        ["trace", "--json", "in_port=1,tcp,tp_dst=80", "--flow", "tcp,actions=output:2"],
        ["demo", "--json", "--topology", "linear,2", "--of-version", "1.3"],
    ],
    ids=lambda words: words[0],
)
def test_commands_without_a_controller_print_json_too(words: list[str]) -> None:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert all(isinstance(json.loads(line), dict) for line in done.stdout.splitlines())
    assert done.stdout


def test_certificates_are_told_in_json(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    done = CliRunner().invoke(main, ["tls", "init", str(tmp_path / "tls"), "--json"])
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)["files"]) == 6


# What comes through a pipe


def explained(given: bytes) -> list[dict[str, Any]]:
    """Return what `pointsman explain -` makes of what comes."""
    done = CliRunner().invoke(main, ["explain", "-", "--json"], input=given)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_explain_reads_lines_of_hex_from_a_pipe() -> None:
    found = explained(f"{ECHO}\n\n0x04 02 00 08 00000009\n".encode())
    assert [one["text"].partition(":")[0] for one in found] == [
        "OFPT_ECHO_REQUEST (xid=0x7)",
        "OFPT_ECHO_REQUEST (xid=0x9)",
    ]


def test_explain_says_in_which_line_there_is_no_hex() -> None:
    done = CliRunner().invoke(main, ["explain", "-"], input=f"{ECHO}\nhello\n")
    assert done.exit_code == 2
    assert "line 2 is no hex" in done.output


async def test_a_capture_goes_from_one_command_to_the_other(tmp_path: Path) -> None:
    async with running(tmp_path / "c.sock") as asked:
        done = await asked.run("record", "--pcap", "-", "--type", "features")
    texts = [one["text"] for one in explained(done.stdout_bytes)]
    assert sorted({text.partition(" ")[0] for text in texts}) == [
        "OFPT_FEATURES_REPLY",
        "OFPT_FEATURES_REQUEST",
    ]


def test_a_table_in_a_pipe_is_neither_folded_nor_framed(tmp_path: Path) -> None:
    async def lines() -> list[str]:
        async with running(tmp_path / "c.sock") as asked:
            await asked.run("flows", "add", "s1", f"priority=5,tcp,actions={'output:1,' * 40}2")
            return (await asked.run("flows", "s1")).output.splitlines()

    head, *entries = asyncio.run(lines())
    assert head.split() == ["SWITCH", "APP", "FLOW", "PACKETS", "BYTES", "SECONDS"]
    assert any("output:1," * 40 in line for line in entries)


def test_where_arrows_cannot_be_written_they_are_of_ascii(tmp_path: Path) -> None:
    capture = tmp_path / "said.pcap"
    with capture.open("wb") as file:
        Writer(file).from_switch(EchoRequest(xid=7).encode(OF13), 1.0)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "record", "--read", str(capture), "--ladder"],
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    assert b"|<--------------|  ECHO_REQUEST xid=0x7" in done.stdout


# What shells complete


def completed(*words: str) -> list[str]:
    """Return what a shell offers for the last of some words."""
    *before, incomplete = words
    found = BashComplete(main, {}, "pointsman", "_POINTSMAN_COMPLETE")
    return [one.value for one in found.get_completions(before, incomplete)]


def test_shells_complete_commands_applications_versions_and_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # a controller that runs here has its say
    assert completed("to") == ["topology"]
    assert completed("flows", "mod") == ["mod", "mod-strict"]
    assert completed("controller", "le") == ["learning_switch"]
    assert completed("demo", "--app", "hu") == ["hub"]
    assert completed("trace", "--of-version", "1.0") == ["1.0", "1.0+"]
    assert completed("switches", "--of-version", "1.5") == ["1.5", "1.5+"]
    assert completed("controller", "--of-version", "1.0") == ["1.0", "1.0+"]
    assert completed("record", "--type", "barrier") == [
        "barrier",
        "barrier_reply",
        "barrier_request",
    ]
    assert completed("completion", "z") == ["zsh"]


async def test_shells_complete_the_switches_of_a_running_controller(tmp_path: Path) -> None:
    async with running(tmp_path / "c.sock") as asked:
        words = ("--control", str(asked.path), "")
        assert await asyncio.to_thread(completed, "flows", "add", *words) == ["0x1", "0x2"]
        assert await asyncio.to_thread(completed, "ports", "list", *words[:2], "s") == ["s1", "s2"]
        assert await asyncio.to_thread(completed, "flows", *words[:2], "s2") == ["s2"]


async def test_shells_complete_what_bridges_are_called(tmp_path: Path) -> None:
    async with running(tmp_path / "c.sock", "hub", bridges={"s2": "br-east"}) as asked:
        words = ("flows", "add", "--control", str(asked.path))
        assert await asyncio.to_thread(completed, *words, "") == ["0x1", "br-east"]
        assert await asyncio.to_thread(completed, *words, "br") == ["br-east"]
        assert await asyncio.to_thread(completed, *words, "0x2") == ["0x2"]


def test_without_a_controller_there_is_no_switch_to_complete(tmp_path: Path) -> None:
    assert completed("flows", "add", "--control", str(tmp_path / "none.sock"), "") == []


def test_bash_takes_the_line_that_is_printed(tmp_path: Path) -> None:
    if not Path("/bin/bash").exists():
        pytest.skip("there is no bash here")
    line = CliRunner().invoke(main, ["completion", "bash"]).stdout
    program = tmp_path / "pointsman"
    program.write_text(f"#!{sys.executable}\n{PROGRAM}\n")
    program.chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", "--norc", "-c", f"{line}\ncomplete -p pointsman"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "complete -o nosort -F _pointsman_completion pointsman" in done.stdout
