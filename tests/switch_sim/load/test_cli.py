"""`pointsman load`: what users type, and what they are told."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from switch_sim.load.cli import command


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (["speed"], "'speed' is not one of 'throughput', 'latency'"),
        (["rate"], "the mode rate needs --rate"),
        (["--hosts", "10"], "let each port have as many"),
        (["--ports", "3"], "3 ports: there can be 4 to 999"),
        (["--hosts", "8", "--window", "9"], "a window of 9 with 8 hosts"),
        (["--switches", "70000"], "70000 switches: there can be 1 to 65536"),
        (["--frame-size", "1515"], "packets of 1515 bytes: there can be 60 to 1514"),
        (["--controller", "ptcp:6653"], "ptcp:6653:127.0.0.1 listens: write tcp:HOST:PORT"),
        (["--controller", "127.0.0.1"], "write tcp:HOST:PORT"),
        (["--controller", "ssl:127.0.0.1"], "needs --private-key"),
        (["--private-key", "k"], "TLS needs --certificate and --ca-cert as well"),
        (["--controller-pid", "999999999"], "there is no such process here"),
        (["--duration", "0"], "--duration"),
    ],
)
def test_what_cannot_be_asked_for_is_said_with_status_2(arguments: list[str], cure: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert cure in " ".join(result.output.split())


def nobody() -> str:
    """Return where nobody listens: a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return f"tcp:127.0.0.1:{found.getsockname()[1]}"


def test_where_no_controller_is_the_status_is_1_and_the_reason_told() -> None:
    result = run("--controller", nobody(), "--connect-timeout", "0.1", "--switches", "3")
    assert result.exit_code == 1
    assert "3 switches have no controller: Connection refused" in result.output


def test_a_host_that_is_not_known_is_told() -> None:
    result = run("--controller", "tcp:no-such-host.invalid:6653")
    assert result.exit_code == 1
    assert "no-such-host.invalid" in result.output


def test_json_stands_alone_on_the_output() -> None:
    result = run("--controller", nobody(), "--connect-timeout", "0.1", "--json")
    assert json.loads(result.stdout)["switches"] == 0


def test_a_page_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = str(tmp_path / "none" / "report.html")
    result = run("--controller", nobody(), "--connect-timeout", "0.1", "--report", path)
    assert result.exit_code == 1
    assert f"--report {path}: No such file or directory" in result.output


def test_the_help_has_examples_and_tells_the_modes() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "pointsman load storm --switches 2000" in result.output
    assert "unlearning   a flow entry goes" in result.output
