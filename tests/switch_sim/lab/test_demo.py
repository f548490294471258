"""The demo, as `make run` starts it, and the command that joins all others."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from protocol import Version
from switch_sim.lab.cli import main


def test_everyone_reaches_everyone_and_flows_are_learned() -> None:
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 0, result.output
    assert "7 switches, 8 hosts, 14 links" in result.output
    assert "56 of 56 pings came back" in result.output
    assert "1: h1 h2 h3 h4   2: h5 h6 h7 h8" in result.output  # s1 is the root


@pytest.mark.parametrize("version", [str(version) for version in Version])
def test_every_version_does(version: str) -> None:
    result = CliRunner().invoke(main, ["demo", "--topology", "tree,2,2", "--of-version", version])
    assert result.exit_code == 0, result.output
    assert "12 of 12 pings came back" in result.output
    assert f"(OpenFlow {version})" in result.output


def test_the_hub_reaches_everyone_as_well() -> None:
    result = CliRunner().invoke(main, ["demo", "--app", "hub", "--topology", "linear,3"])
    assert result.exit_code == 0, result.output


def test_large_networks_are_shown_in_short() -> None:
    result = CliRunner().invoke(main, ["demo", "--topology", "single,20"])
    assert result.exit_code == 0, result.output
    assert "380 of 380 pings came back" in result.output
    assert "Whom each host reached" in result.output


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (["--topology", "rin,3"], "did you mean ring?"),
        (["--app", "learning_swich"], "did you mean learning_switch?"),
        (["--of-version", "2"], "is no version of OpenFlow"),
    ],
)
def test_a_mistake_is_told_with_the_cure(arguments: list[str], cure: str) -> None:
    result = CliRunner().invoke(main, ["demo", *arguments])
    assert result.exit_code == 2
    assert cure in result.output
    assert isinstance(result.exception, SystemExit)


def test_one_command_has_all_others() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert [word for word in ("controller", "switches", "demo") if word in result.output] == [
        "controller",
        "switches",
        "demo",
    ]
