"""`pointsman apps`: all that can be run by name, and a new one that works as it is written."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.testing import CliRunner

from controller import loading
from controller.app_files import apps
from controller.loading import load

from ..inner_pytest import run_pytest


def test_bundled_applications_are_shown_with_what_they_do() -> None:
    output = CliRunner().invoke(apps).output
    assert "forwarding       Forwarding: shortest paths" in output
    told = [json.loads(line) for line in CliRunner().invoke(apps, ["--json"]).output.splitlines()]
    assert {"hub", "learning_switch"} <= {one["name"] for one in told}


def test_their_options_are_shown_with_defaults_and_meaning() -> None:
    output = CliRunner().invoke(apps).output
    assert "    topology.interval = 5.0  # seconds between two probes of a link\n" in output
    assert "    forwarding.multipath = true  # spread pairs" in output
    told = [json.loads(line) for line in CliRunner().invoke(apps, ["--json"]).output.splitlines()]
    options = {one["name"]: [option["option"] for option in one["options"]] for one in told}
    assert options["hub"] == []
    assert options["forwarding"] == ["interval", "multipath", "idle_timeout"]


def test_a_new_application_passes_its_test_and_loads(tmp_path: Path) -> None:
    result = CliRunner().invoke(apps, ["new", "my_firewall", "--directory", str(tmp_path)])
    assert result.exit_code == 0, result.output
    (app,) = load(str(tmp_path / "my_firewall.py"))
    assert type(app).__name__ == "MyFirewall"
    assert "7 passed" in run_pytest(tmp_path, "test_my_firewall.py")


@pytest.mark.parametrize("name", ["My-App", "class", "1st", "a/b", ""])
def test_a_name_that_is_none_is_refused_with_the_cure(name: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(apps, ["new", name, "--directory", str(tmp_path)])
    assert result.exit_code == 2
    assert "write it as in my_firewall" in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("precious")
    result = CliRunner().invoke(apps, ["new", "mine", "--directory", str(tmp_path)])
    assert result.exit_code == 1
    assert "is there already: take another name" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["test_mine.py"]


def test_applications_of_other_distributions_are_shown_and_load_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offered = EntryPoint("elsewhere", "controller.apps.hub", loading.GROUP)
    monkeypatch.setattr(loading, "entry_points", lambda: {"elsewhere": offered})
    assert "elsewhere" in CliRunner().invoke(apps).output
    (app,) = load("elsewhere")
    assert type(app).__name__ == "Hub"
