"""Tables: for the eye at a terminal, a line a row in a pipe, and nothing that steers either."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from controller.commands import asking
from protocol import Flow

EVIL = "\x1b]0;mine\x07[bold]port[/nothing]"


def shown(*rows: dict[str, object], terminal: bool = False) -> str:
    """Return what is printed of some answers."""
    with pytest.MonkeyPatch.context() as patch, CliRunner().isolation() as (out, *_):
        if terminal:
            patch.setenv("FORCE_COLOR", "1")
        asking.show(rows, False, "Ports", "there are no ports")
        return out.getvalue().decode()


def test_in_a_pipe_a_row_is_a_line_with_the_names_above() -> None:
    lines = shown({"port_no": 1, "name": "s1-eth1"}, {"port_no": 12, "name": "x"}).splitlines()
    assert lines == ["PORT_NO  NAME", "1        s1-eth1", "12       x"]


def test_at_a_terminal_there_is_a_title_and_numbers_stand_below_each_other() -> None:
    text = shown({"port_no": 1}, {"port_no": 12}, terminal=True)
    assert "Ports" in text
    assert "       1 " in text
    assert "      12 " in text


def test_flows_are_folded_between_words_that_can_be_read_again() -> None:
    flow = Flow.parse("priority=7,tcp,tp_dst=80,actions=mod_nw_dst:10.0.0.9,output:2,output:3")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "40")
        text = shown({"flow": str(flow)}, terminal=True)
    folded = re.sub(r"\x1b\[\d*m", "", text).rpartition("─")[2]
    assert "mod_nw_dst:10.0.0.9" in folded
    assert len(folded.strip().splitlines()) > 1
    assert Flow.parse(" ".join(folded.split())) == Flow.parse(str(flow))


@pytest.mark.parametrize("terminal", [True, False])
def test_a_name_neither_steers_the_terminal_nor_is_markup(terminal: bool) -> None:
    text = shown({"name": EVIL}, terminal=terminal)
    assert "\x1b]" not in text
    assert "\x07" not in text
    assert "[bold]port[/nothing]" in text


def test_where_there_is_nothing_that_is_said() -> None:
    assert shown() == "there are no ports\n"


def test_yes_no_lists_and_nothing_have_words() -> None:
    text = shown({"both_ways": True, "config": ["A", "B"], "latency_ms": None, "n": 0})
    assert text.splitlines()[1].split() == ["yes", "A", "B", "0"]
