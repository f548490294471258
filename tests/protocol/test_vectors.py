"""Each vector, both ways and in both forms; and that there is one for everything."""

from __future__ import annotations

import contextlib
import io

import pytest

from protocol import DecodeError, Message, Version
from protocol.actions import ActionShape
from protocol.compiler import codec
from protocol.instructions import InstructionsShape
from protocol.oxm import OPENFLOW_BASIC, OXM
from protocol.record import FamilyList, Record, build_shape, parse_shape
from protocol.version import OF11, OF13, OF14, OF15

from .strategies import message_classes
from .vectors import Vector, read_vectors

VECTORS = list(read_vectors())
each_vector = pytest.mark.parametrize(
    "vector", [pytest.param(vector, id=f"{vector.place}-{vector.version}") for vector in VECTORS]
)
in_our_spelling = pytest.mark.parametrize(
    "vector",
    [
        pytest.param(vector, id=f"{vector.place}-{vector.version}")
        for vector in VECTORS
        if vector.our_spelling
    ],
)


@each_vector
def test_the_bytes_mean_what_is_said(vector: Vector) -> None:
    assert Message.decode(vector.data) == vector.message()


@in_our_spelling
def test_what_is_said_becomes_the_bytes(vector: Vector) -> None:
    assert vector.message().encode(vector.version).hex() == vector.data.hex()


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(vector, id=f"{vector.place}-{vector.version}")
        for vector in VECTORS
        if vector.version <= OF11 or vector.our_spelling
    ],
)
def test_what_was_read_is_written_as_it_was(vector: Vector) -> None:
    assert Message.decode(vector.data).encode(vector.version).hex() == vector.data.hex()


@each_vector
def test_the_reference_form_reads_the_same(vector: Vector) -> None:
    message = vector.message()
    shape = type(message).at(vector.version)
    assert parse_shape(shape, io.BytesIO(vector.data), {}, "") == message
    assert codec(type(message), vector.version).decode(vector.data, 0, len(vector.data)) == message


@in_our_spelling
def test_the_reference_form_writes_the_same(vector: Vector) -> None:
    message = vector.message()
    assert build_shape(type(message).at(vector.version), message, {}, "") == vector.data


@each_vector
def test_each_beginning_of_it_is_a_decode_error(vector: Vector) -> None:
    for size in range(len(vector.data)):
        with pytest.raises(DecodeError):
            Message.decode(vector.data[:size])
        if size >= 8:
            shorter = vector.data[:2] + size.to_bytes(2, "big") + vector.data[4:size]
            _decodes_or_is_refused(shorter)


def _decodes_or_is_refused(data: bytes) -> None:
    """With a length that fits, a message that ends in free data may be shorter."""
    with contextlib.suppress(DecodeError):
        Message.decode(data)


# Whether there is a vector for everything


#: The chapters that are complete; a message of the others is welcome, too.
CHAPTERS = {"symmetric", "multipart", "ports", "features", "packets", "flows"}
_NOT_SAID = "neither os-ken nor Open vSwitch can be made to say it"
#: What has no vector, and why.
WITHOUT_VECTOR: dict[tuple[str, Version], str] = {
    **{("ExperimenterMultipartReply", version): _NOT_SAID for version in Version},
    **{("ExperimenterInstruction", version): _NOT_SAID for version in Version},
    ("Meter", OF15): "its number is deprecated there, and nobody writes it",
    ("CopyTtlOut", OF11): _NOT_SAID,
    ("CopyTtlIn", OF11): _NOT_SAID,
    ("FlowCountersReply", OF15): _NOT_SAID,
    **{("PortStatsReply", version): "it tells the time" for version in (OF13, OF14, OF15)},
}


def _said(version: Version) -> str:
    return "\n".join(vector.expression for vector in VECTORS if vector.version == version)


@pytest.mark.parametrize("version", Version)
def test_each_message_has_a_vector(version: Version) -> None:
    said = _said(version)
    assert not [
        cls.__name__
        for cls in message_classes(version)
        if cls.__module__.removeprefix("protocol.") in CHAPTERS
        and f"{cls.__name__}(" not in said
        and f"{cls.__name__}.offering" not in said
        and (cls.__name__, version) not in WITHOUT_VECTOR
    ]


def _members(shape: FamilyList) -> list[str]:
    return [cls.__name__ for cls in shape.class_of.values()]


@pytest.mark.parametrize("version", Version)
def test_each_action_and_instruction_has_a_vector(version: Version) -> None:
    said = _said(version).replace("set_field(", "SetField(")
    names = _members(ActionShape.at(version))
    if version >= OF11:
        names += _members(InstructionsShape.at(version))
    assert not [
        name for name in names if f"{name}(" not in said and (name, version) not in WITHOUT_VECTOR
    ]


def test_each_field_has_a_vector_with_and_without_a_mask() -> None:
    matches = [
        message.match
        for vector in VECTORS
        if isinstance(message := vector.message(), Record) and hasattr(message, "match")
    ]
    plain = {name for match in matches for name in match if isinstance(match[name], int)}
    masked = {name for match in matches for name in match if isinstance(match[name], tuple)}
    rows = [row for row in OXM.values() if row.oxm_class == OPENFLOW_BASIC]
    assert {row.name for row in rows} - plain == set()
    assert {row.name for row in rows if row.maskable} - masked == set()
