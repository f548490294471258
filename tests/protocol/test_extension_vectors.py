"""Each vector of the extensions, both ways and in both forms; and one for everything."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from protocol import DecodeError, EncodeError, Message, Version
from protocol.actions import ActionShape
from protocol.compiler import FAULTS, codec
from protocol.oxm import OXM, STANDARD
from protocol.record import Record

from .extension_vectors import (
    Actions,
    Vector,
    built,
    compiled,
    encoded,
    interpreted,
    read_vectors,
)

VECTORS = list(read_vectors())
each_vector = pytest.mark.parametrize(
    "vector", [pytest.param(one, id=f"{one.place}-{one.version}") for one in VECTORS]
)
MOST_CHANGED = 500  #: bytes: the one vector that is longer says one thing many times
#: What nobody who writes OpenFlow could be made to say.
WITHOUT_VECTOR = {
    "FlowAge": "Open vSwitch takes it, and never says it",
    "IpfixFlowReply": "it needs an exporter; its entries are those of IpfixBridgeReply",
    "OutputReg2": "ovs-ofctl 3.1 has no field of an experimenter to send by",
    "RequestForward": "Open vSwitch says it of group_mods that another controller sends only",
    "SetAsyncConfig2": "ovs-ofctl 3.1 does not say it",
}


@each_vector
def test_the_bytes_mean_what_is_said(vector: Vector) -> None:
    assert vector.decoded() == vector.value()


@each_vector
def test_what_is_said_becomes_the_bytes_in_both_forms(vector: Vector) -> None:
    value = vector.value()
    assert encoded(value, vector.version).hex() == vector.data.hex()
    assert built(value, vector.version).hex() == vector.data.hex()


@each_vector
def test_what_was_read_is_written_as_it_was_in_both_forms(vector: Vector) -> None:
    cls = type(vector.value())
    for read in (compiled, interpreted):
        found = read(cls, vector.version, vector.data)
        assert found == vector.value()
        assert encoded(found, vector.version).hex() == vector.data.hex()


@each_vector
def test_each_beginning_of_it_is_read_alike_or_a_decode_error(vector: Vector) -> None:
    for size in range(len(vector.data)):
        shorter = vector.data[:size]
        if vector.is_message:
            with pytest.raises(DecodeError):
                Message.decode(shorter)
            if size < 8:
                continue
            shorter = shorter[:2] + size.to_bytes(2, "big") + shorter[4:]
        _assert_forms_agree(vector, shorter)


@each_vector
def test_a_changed_byte_is_read_alike_or_a_decode_error(vector: Vector) -> None:
    dice = random.Random(vector.place)
    places = range(8 if vector.is_message else 0, len(vector.data))
    for at in dice.sample(places, min(len(places), MOST_CHANGED)):
        for byte in (0, 1, 0xFF, dice.randrange(256)):
            changed = vector.data[:at] + bytes([byte]) + vector.data[at + 1 :]
            _assert_forms_agree(vector, changed)


def _assert_forms_agree(vector: Vector, data: bytes) -> None:
    found = _decoded_or_none(vector, data)
    if found is None:
        return
    assert interpreted(type(found), vector.version, data) == found
    try:
        again = encoded(found, vector.version)
    except FAULTS:
        return  # such as a match that NXM reads, and would write in other words
    assert vector.decoded(again) == found


def _decoded_or_none(vector: Vector, data: bytes) -> Record | None:
    try:
        return vector.decoded(data)
    except DecodeError:
        return None


# Whether there is a vector for everything


def _classes(cls: type[Record]) -> Iterator[type[Record]]:
    if cls.head and cls.__module__.startswith(("protocol.nicira", "protocol.onf")):
        yield cls
    for inner in cls.__subclasses__():
        yield from _classes(inner)


def _name(cls: type[Record]) -> str:
    return f"{cls.__module__.split('.')[1]}.{cls.__name__}("


def test_each_message_has_a_vector() -> None:
    said = "\n".join(vector.expression for vector in VECTORS)
    assert not [
        _name(cls)
        for cls in _classes(Message)
        if _name(cls) not in said and cls.__name__ not in WITHOUT_VECTOR
    ]


def test_each_action_has_a_vector() -> None:
    said = "\n".join(vector.expression for vector in VECTORS)
    assert not [
        _name(cls)
        for cls in ActionShape.experimenters
        if _name(cls) not in said and cls.__name__ not in WITHOUT_VECTOR
    ]


def _said_fields() -> Iterator[tuple[str, bool]]:
    for vector in VECTORS:
        value = vector.value()
        for name, found in getattr(value, "match", {}).items():
            yield name, isinstance(found, tuple)


def test_each_field_has_a_vector_with_or_without_a_mask() -> None:
    said = {name for name, _ in _said_fields()}
    rare = {row for row in OXM if row.startswith(("tun_metadata", "xxreg", "xreg"))}
    newer = {f"reg{n}" for n in range(16, 32)}  # than ovs-ofctl 3.1
    with_another_name = {"in_port_nxm", "nw_tos"}  # in a match, in_port and ip_dscp
    assert OXM.keys() - STANDARD - said - rare - newer - with_another_name == set()


@pytest.mark.parametrize("version", Version)
def test_nothing_is_left_to_construct(version: Version) -> None:
    for cls in (*_classes(Message), *ActionShape.experimenters, Actions):
        try:
            found = codec(cls, version, cls is not Actions)
        except EncodeError:
            continue  # the version does not have it
        assert not found.fallbacks, cls
