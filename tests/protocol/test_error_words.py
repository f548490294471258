"""Each code of each error is told in words."""

from __future__ import annotations

import pytest

from protocol.error_words import words_of
from protocol.errors import ErrorCode

CODES = [code for kind in ErrorCode.__subclasses__() for code in kind]


@pytest.mark.parametrize("code", CODES, ids=str)
def test_every_code_has_words_that_are_not_its_name(code: ErrorCode) -> None:
    words = words_of(code)
    assert " " in words
    assert code.name not in words
