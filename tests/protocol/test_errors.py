"""The errors: how many each version has, and what is said where one is missing."""

from __future__ import annotations

import pytest

from protocol import (
    OF10,
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    BadActionCode,
    BadInstructionCode,
    BadMatchCode,
    BadRequestCode,
    EncodeError,
    ErrorCode,
    ErrorMsg,
    FlowModFailedCode,
    Message,
    TableFeaturesFailedCode,
    UnknownError,
    Version,
    sayable,
)
from protocol.errors import codes_at

EXPERIMENTER = 0xFFFF  #: a type of error of its own since OF1.2, without codes


@pytest.mark.parametrize(
    ("version", "codes", "types"),
    [
        (OF10, 31, 6),
        (OF11, 66, 11),
        (OF12, 92, 13),
        (OF13, 111, 15),
        (OF14, 149, 19),
        (OF15, 167, 19),
    ],
)
def test_each_version_has_as_many_errors_as_its_specification(
    version: Version, codes: int, types: int
) -> None:
    found = codes_at(version)
    assert len(found) == codes
    assert len({kind for kind, _ in found}) + (version >= OF12) == types
    assert EXPERIMENTER not in {kind for kind, _ in found}


def test_no_two_errors_of_a_version_have_the_same_numbers() -> None:
    for version in Version:
        codes = [code for kind in ErrorCode.__subclasses__() for code in kind]
        assert len(codes_at(version)) == sum(code.at(version) is not None for code in codes)


@pytest.mark.parametrize("version", Version)
def test_every_error_is_written_and_read(version: Version) -> None:
    for numbers, code in codes_at(version).items():
        data = ErrorMsg(code, b"what was wrong").encode(version)
        assert (int.from_bytes(data[8:10], "big"), int.from_bytes(data[10:12], "big")) == numbers
        assert Message.decode(data) == ErrorMsg(code, b"what was wrong")


def test_numbers_without_a_name_are_kept() -> None:
    data = ErrorMsg(UnknownError(0xFFFF, 7), b"\x00\x00\x23\x20").encode(OF13)
    assert Message.decode(data) == ErrorMsg(UnknownError(0xFFFF, 7), b"\x00\x00\x23\x20")
    assert str(UnknownError(0xFFFF, 7)) == "type 65535, code 7"


def test_an_error_that_a_version_does_not_have_cannot_be_said() -> None:
    with pytest.raises(EncodeError, match=r"BadMatch.BAD_PREREQ does not exist in OpenFlow 1.1"):
        ErrorMsg(BadMatchCode.BAD_PREREQ).encode(OF11)


@pytest.mark.parametrize("version", Version)
def test_something_can_be_said_for_every_error_in_every_version(version: Version) -> None:
    for kind in ErrorCode.__subclasses__():
        for code in kind:
            assert sayable(code, version).at(version) is not None


@pytest.mark.parametrize(
    ("code", "version", "said"),
    [
        (BadRequestCode.BAD_LEN, OF10, BadRequestCode.BAD_LEN),
        (BadRequestCode.IS_SLAVE, OF11, BadRequestCode.EPERM),
        (BadMatchCode.BAD_PREREQ, OF15, BadMatchCode.BAD_PREREQ),
        (BadMatchCode.BAD_PREREQ, OF11, BadMatchCode.BAD_FIELD),
        (BadMatchCode.BAD_FIELD, OF10, FlowModFailedCode.UNSUPPORTED),
        (BadInstructionCode.UNKNOWN_INST, OF10, FlowModFailedCode.UNSUPPORTED),
        (BadInstructionCode.BAD_LEN, OF11, BadRequestCode.BAD_LEN),
        (BadActionCode.BAD_SET_MASK, OF15, BadActionCode.BAD_SET_MASK),
        (BadActionCode.BAD_SET_MASK, OF13, BadActionCode.BAD_SET_TYPE),
        (BadActionCode.BAD_SET_MASK, OF10, BadActionCode.BAD_ARGUMENT),
        (FlowModFailedCode.UNSUPPORTED, OF13, FlowModFailedCode.UNKNOWN),
        (FlowModFailedCode.BAD_EMERG_TIMEOUT, OF13, BadRequestCode.EPERM),
    ],
)
def test_a_missing_error_becomes_the_nearest_one(
    code: ErrorCode, version: Version, said: ErrorCode
) -> None:
    assert sayable(code, version) is said


def test_errors_of_table_features_became_errors_of_properties() -> None:
    assert TableFeaturesFailedCode.BAD_LEN.at(OF13) == (13, 3)
    assert TableFeaturesFailedCode.BAD_LEN.at(OF14) is None
    assert str(sayable(TableFeaturesFailedCode.BAD_LEN, OF14)) == "BadProperty.BAD_LEN"
