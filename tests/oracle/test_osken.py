"""os-ken reads what we write, and reads the same in it."""

from __future__ import annotations

import re
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import (
    OF10,
    OF12,
    OF15,
    FlowMod,
    FlowRemoved,
    Message,
    PacketIn,
    PacketOut,
    PortMod,
    SetConfig,
    Version,
)
from protocol.oxm import OPENFLOW_BASIC, OXM

from ..protocol.strategies import messages
from ..protocol.vectors import Vector, read_vectors
from .os_ken import VERSIONS, OsKen, is_installed, words
from .os_ken_words import differences

pytestmark = pytest.mark.oracle
if not is_installed():
    pytest.skip("os-ken is not installed", allow_module_level=True)

OS_KEN = {version: OsKen(version) for version in VERSIONS}


#: What os-ken fails at, and why.
FAILS = {
    "PortDescReply(": "it has no port descriptions before OpenFlow 1.3",
    "CopyField(": "its parser of copy_field asks for two fields before it has read them",
}

FAILS_IN = {"PortDescReply(": (OF10, OF12)}


def assert_os_ken_agrees(message: Message, version: Version) -> None:
    data = message.encode(version)
    if not OS_KEN[version].reads(data):
        pytest.skip(f"os-ken does not read messages of type {data[1]} in OpenFlow {version}")
    read = OS_KEN[version].read(data)
    assert read is not None
    assert list(differences(message, words(read), version)) == []


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(vector, id=f"{vector.place}-{vector.version}")
        for vector in read_vectors()
        if vector.version in VERSIONS
    ],
)
def test_os_ken_reads_the_messages_of_the_vectors(vector: Vector) -> None:
    for words_of_it, reason in FAILS.items():
        if words_of_it in vector.expression and vector.version in FAILS_IN.get(
            words_of_it, VERSIONS
        ):
            pytest.skip(reason)
    assert_os_ken_agrees(vector.message(), vector.version)


_FOREIGN = ("oxm_", "Experimenter", "Unknown", "CopyField")
#: Fields that os-ken may not know, or knows by other numbers in older versions.
LENT_FIELDS = {
    row.name for row in OXM.values() if row.oxm_class != OPENFLOW_BASIC or row.first > OF12
}


def is_plain(message: Message, version: Version) -> bool:
    """Whether there is nothing in it that os-ken reads by an experimenter's rules, or loses."""
    if version == OF15 and "Meter(" in repr(message):
        return False  # its number is deprecated there, and os-ken does not know it
    if isinstance(message, PacketIn) and message.total_len < len(message.data):
        return False  # os-ken cuts the packet to the length that it is said to have
    text = repr(message)
    fields = set(re.findall(r"\w+", " ".join(re.findall(r"Match\((.*?)\)", text))))
    return not any(word in text for word in _FOREIGN) and not fields & LENT_FIELDS


@pytest.mark.parametrize(
    ("cls", "version"),
    [
        pytest.param(cls, version, id=f"{version}-{cls.__name__}")
        for version in VERSIONS
        for cls in (FlowMod, FlowRemoved, PacketIn, PacketOut, PortMod, SetConfig)
    ],
)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_os_ken_reads_what_is_generated(
    cls: type[Message], version: Version, data: st.DataObject
) -> None:
    plain = partial(is_plain, version=version)
    assert_os_ken_agrees(data.draw(messages(cls, version).filter(plain)), version)
