"""What is told of a run: tables, JSON, and a page that needs nothing else."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from rich.console import Console

from protocol import OF13, BadRequestCode
from switch_sim.load.chart import even
from switch_sim.load.outcome import Outcome
from switch_sim.load.page import page
from switch_sim.load.plan import Mode, Plan
from switch_sim.load.tables import told, warnings

from .controllers import run

PLAN = Plan(
    Mode.RATE, frozenset({OF13}), switches=2, hosts=16, window=8, rate=1_000, warm_up=0, duration=1
)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    """What a run in virtual time brought."""
    return Outcome.of(run(PLAN, delay=3), processor=0.25)


def printed(outcome: Outcome, plan: Plan = PLAN) -> str:
    console = Console(width=200, record=True, file=None, quiet=True)
    with console.capture() as capture:
        console.quiet = False
        console.print(*told(plan, outcome), sep="\n")
    return capture.get()


def test_the_table_has_what_was_counted_and_how_long_it_took(outcome: Outcome) -> None:
    text = printed(outcome)
    assert "rate: 2 switches, OpenFlow 1.3" in text
    assert re.search(r"answered a second\W+(1,00\d|99\d)", text)
    assert re.search(r"without answer in time\W+0 ", text)
    assert re.search(r"processors of the switches\W+0.25", text)
    assert re.search(r"answer\W+[\d.]+ ms", text)


def test_the_json_has_rates_and_percentiles(outcome: Outcome) -> None:
    data = json.loads(json.dumps(outcome.as_data(PLAN)))
    assert data["answered_per_second"] == pytest.approx(1_000, rel=0.01)
    assert data["responses_per_second"] == pytest.approx(2_000, rel=0.01)
    assert data["latency_us"]["p100"] == pytest.approx(4_000, rel=0.02)
    assert (data["lost"], data["versions"]) == (0, {"1.3": 2})


def test_what_the_controller_took_of_a_processor_is_told_for_each_answer(outcome: Outcome) -> None:
    outcome.controller_processor = 0.5
    assert outcome.as_data(PLAN)["answered_per_processor_second"] == outcome.answered / 0.5
    assert re.search(r"answered a processor second\W+(2,0\d\d|1,99\d)", printed(outcome))
    outcome.controller_processor = None


def test_the_page_is_whole_and_takes_nothing_from_elsewhere(outcome: Outcome) -> None:
    text = page(PLAN, outcome)
    assert not re.search(r"<script|<link|<img|src=|url\(|http", text)
    charts = [ET.fromstring(one) for one in re.findall(r"<svg.*?</svg>", text)]
    assert [one.attrib["aria-label"] for one in charts] == [
        "answered a second, over time", "switches up", "answer", "sent later than due",
    ]  # fmt: skip


def test_lines_of_charts_stay_within_their_axes(outcome: Outcome) -> None:
    for line in re.findall(r'points="([^"]*)"', page(PLAN, outcome)):
        points = [tuple(map(float, point.split(","))) for point in line.split()]
        assert all(72 <= x <= 704 and 12 <= y <= 216 for x, y in points)
        assert [x for x, _ in points] == sorted(x for x, _ in points)


def test_the_words_of_a_controller_are_no_markup() -> None:
    outcome = Outcome(switches=1, seconds=1.0)
    outcome.reasons["<b>&"] = 1
    assert "&lt;b&gt;&amp;" in page(PLAN, outcome)


def test_a_run_without_anything_has_a_page_too() -> None:
    assert "<svg" not in page(PLAN, Outcome())


@pytest.mark.parametrize("highest", [0, 0.3, 1, 7, 99, 12_345, 1e6])
def test_an_axis_reaches_beyond_what_it_shows_but_not_far(highest: float) -> None:
    axis = even(highest, "name")
    assert axis.low == 0
    assert highest <= axis.high <= max(1.5 * highest, 1)
    assert 2 <= len(axis.ticks) <= 7


def test_switches_that_were_busy_themselves_are_told() -> None:
    busy = Outcome(seconds=1.0, processor=1.95, processes=2)
    assert "--processes" in "".join(warnings(busy))
    assert not list(warnings(replace(busy, processor=1.0)))


def test_errors_of_the_controller_are_told_by_their_code() -> None:
    outcome = Outcome(seconds=1.0)
    outcome.tally.errors = 3
    outcome.errors[str(BadRequestCode.BAD_TYPE)] = 1
    assert "BAD_TYPE" in printed(outcome)


def test_a_controller_that_took_no_processor_is_told_without_a_rate() -> None:
    data = Outcome(seconds=1.0, answered=3, controller_processor=0.0).as_data(PLAN)
    assert data["controller_processor_seconds"] == 0
    assert "answered_per_processor_second" not in data
