"""The extensions' classes in all versions: both forms agree, of good bytes and of bad ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import DecodeError, Message, Version
from protocol.actions import Action
from protocol.compiler import FAULTS
from protocol.message import HEADER, class_of
from protocol.record import Record

from .extension_strategies import action_classes, extension_records, message_classes
from .extension_vectors import Actions, built, compiled, encoded, interpreted
from .test_compiler import compiled_value, reference_value, with_length

few = settings(max_examples=3, suppress_health_check=list(HealthCheck), deadline=None)
many = settings(max_examples=50, suppress_health_check=list(HealthCheck), deadline=None)


each_version = pytest.mark.parametrize("version", Version)


def of_each(find: Any) -> pytest.MarkDecorator:
    """Run a test for each class that `find` finds at each version."""
    return pytest.mark.parametrize(
        ("cls", "version"),
        [
            pytest.param(cls, version, id=f"{version}-{cls.__module__}.{cls.__name__}")
            for version in Version
            for cls in find(version)
        ],
    )


def drawn(data: st.DataObject, cls: type[Record], version: Version) -> Record:
    """Return a record of a class, an action as a list of this one."""
    found: Record = data.draw(extension_records(cls, version))
    return Actions((found,)) if isinstance(found, Action) else found


def assert_both_forms_agree(value: Record, version: Version) -> None:
    """Hold that both forms write the same bytes, and read them as what they were."""
    data = encoded(value, version)
    assert built(value, version) == data
    assert compiled(type(value), version, data) == value
    assert interpreted(type(value), version, data) == value


@of_each(message_classes)
@few
@given(data=st.data())
def test_both_forms_write_a_message_alike_and_read_it(
    cls: type[Message], version: Version, data: st.DataObject
) -> None:
    value = drawn(data, cls, version)
    assert isinstance(value, Message)
    assert_both_forms_agree(value, version)
    assert Message.decode(value.encode(version)) == value


@of_each(action_classes)
@few
@given(data=st.data())
def test_both_forms_write_an_action_alike_and_read_it(
    cls: type[Action], version: Version, data: st.DataObject
) -> None:
    assert_both_forms_agree(drawn(data, cls, version), version)


@each_version
@many
@given(data=st.data())
def test_a_message_without_its_end_is_an_error(version: Version, data: st.DataObject) -> None:
    whole = encoded(any_of(data, message_classes, version), version)
    for size in range(len(whole)):
        with pytest.raises(DecodeError):
            Message.decode(whole[:size])


@each_version
@many
@given(data=st.data())
def test_the_forms_agree_on_a_shorter_message_and_on_a_changed_one(
    version: Version, data: st.DataObject
) -> None:
    value = any_of(data, message_classes, version)
    assert isinstance(value, Message)
    whole = encoded(value, version)
    size = data.draw(st.integers(HEADER.size, len(whole)))
    for changed in (with_length(whole[:size]), _changed(data, whole, HEADER.size)):
        try:
            cls = class_of(version, changed, 0, len(changed))
        except DecodeError:
            continue  # it is nobody's any more
        assert compiled_value(cls, version, changed) == reference_value(cls, version, changed)


@each_version
@many
@given(data=st.data())
def test_the_forms_agree_on_a_shorter_action_and_on_a_changed_one(
    version: Version, data: st.DataObject
) -> None:
    whole = encoded(any_of(data, action_classes, version), version)
    size = data.draw(st.integers(0, len(whole)))
    for changed in (whole[:size], _changed(data, whole, 0)):
        assert _read(compiled, version, changed) == _read(interpreted, version, changed)


def any_of(data: st.DataObject, find: Any, version: Version) -> Record:
    """Return a record of any of the classes that `find` finds."""
    return drawn(data, data.draw(st.sampled_from(list(find(version)))), version)


def _changed(data: st.DataObject, whole: bytes, behind: int) -> bytes:
    if len(whole) <= behind:
        return whole
    place = data.draw(st.integers(behind, len(whole) - 1))
    byte = data.draw(st.integers(0, 8) | st.integers(0, 255))
    return whole[:place] + bytes([byte]) + whole[place + 1 :]


def _read(form: Any, version: Version, data: bytes) -> Any:
    try:
        return form(Actions, version, data)
    except (DecodeError, *FAULTS):
        return None
