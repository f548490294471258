"""What a run brought, for the eye."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from .histogram import Histogram
from .outcome import BUSY, PERCENTILES, Outcome
from .plan import Mode, Plan

REASONS_TOLD = 5
COLUMNS = [(one, "most" if one == 100 else f"p{one:g}") for one in PERCENTILES]


def told(plan: Plan, outcome: Outcome) -> Iterator[Table | str]:
    """Yield what a terminal shows of a run: a heading, how many, and how long."""
    yield heading(plan, outcome)
    counted = Table("", "", show_header=False)
    counted.columns[1].justify = "right"
    for name, value in counts(plan, outcome):
        counted.add_row(name, value)
    yield counted
    timed = Table("")
    for _, word in COLUMNS:
        timed.add_column(word, justify="right")
    for name, histogram in times(plan, outcome):
        timed.add_row(name, *(in_words(histogram.percentile(one)) for one, _ in COLUMNS))
    if timed.row_count:
        yield timed


def heading(plan: Plan, outcome: Outcome) -> str:
    """Return what was measured, in a line."""
    versions = ", ".join(sorted(outcome.versions)) or "none"
    return f"{plan.mode.value}: {outcome.switches} switches, OpenFlow {versions}"


def counts(plan: Plan, outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield how many of what there were, each with its name."""
    tally = outcome.tally
    if plan.mode is Mode.STORM:
        yield "switches connected", f"{outcome.switches:,} of {plan.switches:,}"
        return
    yield "measured", in_words(outcome.seconds)
    if plan.kind is not None:
        yield "packet_ins", f"{tally.packet_ins:,}"
        yield "answered a second", f"{outcome.a_second(outcome.answered):,.0f}"
        yield "without answer in time", f"{tally.lost:,}"
    yield "flow_mods a second", f"{outcome.a_second(outcome.flow_mods):,.0f}"
    yield "packet_outs a second", f"{outcome.a_second(outcome.packet_outs):,.0f}"
    if tally.stats_requests or plan.mode is Mode.STATS:
        yield "multipart requests a second", f"{outcome.a_second(tally.stats_requests):,.0f}"
    if tally.strays:
        yield "answers to what was answered", f"{tally.strays:,}"
    if tally.errors:
        yield "errors that came", f"{tally.errors:,} ({', '.join(outcome.errors)})"
    if spent := outcome.controller_processor:
        yield "answered a processor second", f"{outcome.answered / spent:,.0f}"
        yield "processors of the controller", f"{outcome.a_second(spent):.2f}"
    yield "processors of the switches", f"{outcome.a_second(outcome.processor):.2f}"


def times(plan: Plan, outcome: Outcome) -> Iterator[tuple[str, Histogram]]:
    """Yield how long what took, each with its name."""
    named = {
        "switches up": outcome.up,
        _WAITED_FOR.get(plan.mode, "answer"): outcome.tally.latency,
        "sent later than due": outcome.tally.late,
    }
    yield from ((name, histogram) for name, histogram in named.items() if histogram.count)


_WAITED_FOR = {Mode.STORM: "echo of all at once", Mode.STATS: "from reply to next request"}


def warnings(outcome: Outcome) -> Iterator[str]:
    """Yield what makes the figures worth less."""
    if outcome.load > BUSY:
        yield (
            f"the switches took {outcome.load:.0%} of a processor: it may be they that were "
            f"measured; give them more with --processes"
        )
    for reason, count in outcome.reasons.most_common(REASONS_TOLD):
        yield f"{count} switches have no controller: {reason}"


def in_words(seconds: float) -> str:
    """Return a time in the unit that suits it.

    >>> in_words(1.5), in_words(0.0123), in_words(85e-6)
    ('1.5 s', '12.3 ms', '85 µs')
    """
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
