"""Every error of the specification: raised by the switch, or never, and then why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import (
    ALL_VERSIONS,
    BadRequestCode,
    BundleFailedCode,
    HelloFailedCode,
    Version,
)
from protocol.errors import codes_at
from protocol.multipart import Gatherer, MultipartFlags
from protocol.table_features import TableFeaturesRequest
from tests.switch_sim import frames
from tests.switch_sim.refusal_table import NEVER, REFUSALS
from tests.switch_sim.refusals import Refusal
from tests.switch_sim.wire import Wire

XID = 0x0102_0304
AT_LEAST = 64  # bytes of the offender that come back (OF1.3.5 7.4.4 "Error Message")

# These stand in tests of their own: they need a clock, or a limit that is lowered.
ELSEWHERE = {
    BundleFailedCode.TIMEOUT,  # test_bundles: a bundle that waits too long ends
    BundleFailedCode.MSG_TOO_MANY,  # test_bundles: so many bundles and messages
}


def cases() -> Iterator[object]:
    for number, refusal in enumerate(REFUSALS):
        for version in sorted(ALL_VERSIONS):
            if refusal.holds(version):
                yield pytest.param(refusal, version, id=f"{number}-{refusal.code}-{version}")


@pytest.mark.parametrize(("refusal", "version"), list(cases()))
def test_the_error_is_raised(refusal: Refusal, version: Version) -> None:
    # OF1.3.5 7.4.4 "Error Message": it has the xid and the beginning of the offender.
    wire = Wire(version, hello=refusal.code is not HelloFailedCode.INCOMPATIBLE)
    refusal.prepare(wire.bench)
    for message in refusal.before:
        wire.bench.say(message)
    if refusal.code is BadRequestCode.MULTIPART_BUFFER_OVERFLOW:
        begin_many_requests(wire)
    raw = refusal.raw(version)
    error = wire.send(raw)[-1]
    assert (error.code, error.xid) == (refusal.code, XID)
    if refusal.code is not HelloFailedCode.INCOMPATIBLE:  # which has words instead
        assert raw.startswith(error.data)
        assert len(error.data) >= min(len(raw), AT_LEAST)


def begin_many_requests(wire: Wire) -> None:
    """More requests than are gathered at a time; the one that the case ends is the first."""
    for number in range(Gatherer.MAX_UNFINISHED + 1):
        part = TableFeaturesRequest(flags=MultipartFlags.MORE, xid=XID + number)
        assert wire.send(part.encode(wire.version)) == []


@pytest.mark.parametrize("version", sorted(ALL_VERSIONS))
def test_each_error_is_raised_or_there_is_a_reason(version: Version) -> None:
    raised = {one.code for one in REFUSALS if one.holds(version)} | ELSEWHERE
    never = {one.code for one in NEVER if one.holds(version)}
    assert [code for code in codes_at(version).values() if code not in raised | never] == []
    assert [code for code in codes_at(version).values() if code in raised & never] == []


def test_each_reason_and_each_case_is_about_something() -> None:
    for one in (*NEVER, *REFUSALS):
        assert any(one.holds(version) for version in ALL_VERSIONS), one


@given(st.sampled_from(REFUSALS), st.sampled_from(sorted(ALL_VERSIONS)), st.data())
@settings(deadline=None)
def test_no_bytes_break_the_switch(refusal: Refusal, version: Version, data: st.DataObject) -> None:
    if not refusal.holds(version) or len(refusal.before) > 3:
        return
    wire = Wire(version)
    for message in refusal.before:
        wire.bench.say(message)
    raw = bytearray(refusal.raw(version)[:2_000])
    raw[2:4] = len(raw).to_bytes(2, "big")
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(4, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    raw[0] = version
    wire.send(bytes(raw))  # which reads all that comes back
    assert wire.bench.switch.receive_frame(1, frames.TCP, 1.0) is not None
    assert wire.bench.switch.handle_timer(100.0) is not None
