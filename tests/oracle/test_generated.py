"""Other implementations read generated messages of every class and version as we mean them.

`meaningful.py` makes the messages. Each witness gets all of them in one run, and what it
makes of them is compared with our values. What it does not support is listed, part by part,
in `unsupported.py`: nothing else excuses a message, and each entry must still be true.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from protocol import ErrorMsg, FlowMod, Message, Version

from ..protocol.strategies import message_classes
from . import ofp_print, ofp_print_words, os_ken, os_ken_words, wireshark
from .meaningful import meaningful
from .unsupported import OFP_PRINT, OS_KEN, OS_KEN_LOOPS, WIRESHARK
from .witness import Unsupported, excuses

pytestmark = pytest.mark.oracle

COUNT = 30  #: messages of each class and version
FLOW_MODS = 400  #: those with the most that can be said


class Told(NamedTuple):
    """A message that a witness is shown."""

    version: Version
    message: Message
    data: bytes

    def __str__(self) -> str:
        return f"OpenFlow {self.version}: {self.message!r} ({self.data.hex()})"


Faults = list[tuple[Told, list[str]]]  #: what a witness has against each message


@cache
def told() -> tuple[Told, ...]:
    """All messages, each with an xid of its own."""
    return tuple(_numbered())


def _numbered() -> Iterator[Told]:
    xid = 0
    for version in Version:
        for cls in message_classes(version):
            for made in meaningful(cls, version, FLOW_MODS if cls is FlowMod else COUNT):
                xid += 1
                message = made.numbered(xid)
                yield Told(version, message, message.encode(version))


def unexcused(faults: Faults, version: Version, unsupported: Unsupported) -> list[str]:
    """Return what a witness has against messages that it is to take."""
    return [
        f"{one}: {found}"
        for one, found in faults
        if found and one.version == version and not excuses(one.message, version, unsupported)
    ]


def no_longer_true(faults: Faults, unsupported: Unsupported) -> set[str]:
    """Return the reasons that no message needs which has no excuse for another one."""
    needed: set[str] = set()
    for one, found in faults:
        reasons = set(excuses(one.message, one.version, unsupported).values())
        if found and len(reasons) == 1:
            needed |= reasons
    return {why for _, _, why in unsupported.values()} - needed


def never_compared(faults: Faults, unsupported: Unsupported) -> set[str]:
    """Return the classes of which each message has an excuse, but for those that are one."""
    classes: dict[tuple[Version, str], bool] = {}
    for one, _ in faults:
        key = one.version, type(one.message).__name__
        plain = not excuses(one.message, one.version, unsupported)
        classes[key] = classes.get(key, False) or plain
    return {
        f"{name} in {version}"
        for (version, name), compared in classes.items()
        if not compared and name not in unsupported
    }


# Open vSwitch

needs_ovs = pytest.mark.skipif(not ofp_print.is_installed(), reason="ovs-ofctl is not installed")


@cache
def ofp_print_faults() -> Faults:
    texts = ofp_print.printed([one.data for one in told()])
    return [(one, list(_printed(one, text))) for one, text in zip(told(), texts, strict=True)]


def _printed(one: Told, text: str) -> Iterator[str]:
    text = text.replace("(***total_len != data_len***)", "")  # it is meant so
    if isinstance(one.message, ErrorMsg):  # what it quotes may be half a message
        text = text.partition("\n")[0]
    if "***" in text or not text.strip():
        yield text or "it says nothing"
    else:
        try:
            yield from ofp_print_words.differences(one.message, one.version, text)
        except ValueError as error:
            yield f"{error} in {text!r}"


@needs_ovs
@pytest.mark.parametrize("version", Version)
def test_open_vswitch_prints_what_we_mean(version: Version) -> None:
    assert unexcused(ofp_print_faults(), version, OFP_PRINT) == []


@needs_ovs
def test_what_open_vswitch_is_excused_for_is_still_so() -> None:
    assert no_longer_true(ofp_print_faults(), OFP_PRINT) == set()
    assert never_compared(ofp_print_faults(), OFP_PRINT) == set()


# Wireshark

needs_tshark = pytest.mark.skipif(not wireshark.is_installed(), reason="tshark is not installed")


@cache
def wireshark_faults() -> Faults:
    return [fault for version in wireshark.VERSIONS for fault in _dissected(version)]


def _dissected(version: Version) -> Iterator[tuple[Told, list[str]]]:
    shown = [one for one in told() if one.version == version]
    found = wireshark.dissected([one.data for one in shown])
    for one, dissection in zip(shown, found, strict=True):
        yield (
            one,
            dissection.faults or list(wireshark.differences(one.message, version, dissection)),
        )


@needs_tshark
@pytest.mark.parametrize("version", wireshark.VERSIONS)
def test_wireshark_reads_what_we_mean(version: Version) -> None:
    assert unexcused(wireshark_faults(), version, WIRESHARK) == []


@needs_tshark
def test_what_wireshark_is_excused_for_is_still_so() -> None:
    assert no_longer_true(wireshark_faults(), WIRESHARK) == set()
    each_has_one = {"PacketIn in 1.5", "PacketOut in 1.5", "FlowStatsReply in 1.5"}
    assert never_compared(wireshark_faults(), WIRESHARK) == each_has_one


# os-ken

needs_os_ken = pytest.mark.skipif(not os_ken.is_installed(), reason="os-ken is not installed")


@cache
def os_ken_faults() -> Faults:
    return [fault for version in os_ken.VERSIONS for fault in _read_by_os_ken(version)]


def _read_by_os_ken(version: Version) -> Iterator[tuple[Told, list[str]]]:
    """Messages for which it has no parser, as a controller's for a switch, are left out."""
    witness = os_ken.OsKen(version)
    for one in told():
        loops = excuses(one.message, version, OS_KEN_LOOPS)
        if one.version == version and witness.reads(one.data) and not loops:
            yield one, list(_os_ken_differences(witness, one))


def _os_ken_differences(witness: os_ken.OsKen, one: Told) -> Iterator[str]:
    read = witness.read(one.data)
    if read is None:
        yield "it cannot read it"
    else:
        yield from os_ken_words.differences(one.message, os_ken.words(read), one.version)


@needs_os_ken
@pytest.mark.parametrize("version", os_ken.VERSIONS)
def test_os_ken_reads_what_we_mean(version: Version) -> None:
    assert unexcused(os_ken_faults(), version, OS_KEN) == []


@needs_os_ken
def test_what_os_ken_is_excused_for_is_still_so() -> None:
    loops = {why for _, _, why in OS_KEN_LOOPS.values()}
    assert no_longer_true(os_ken_faults(), OS_KEN) == loops
    assert never_compared(os_ken_faults(), OS_KEN) == set()
