"""A bounded run of the fuzzer; `make fuzz` runs it long, and guided by coverage."""

from __future__ import annotations

from tests.fuzz.mutations import run
from tests.fuzz.targets import messages


def test_mutated_messages_are_errors_or_messages() -> None:
    known = messages()
    assert len(known) > 500
    report = run(20_000, seed=20261123, known=known)
    assert report.outcomes.total() == 20_000
    assert set(report.outcomes) == {"errors", "messages"}
    assert report.outcomes["errors"] > 1000, "the mutations do damage"
    assert report.outcomes["messages"] > 1000, "and leave enough to read on"
