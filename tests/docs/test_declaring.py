"""The page on declaring messages is true: its examples run, its excerpts are the source."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path

import pytest

from protocol import groups, multipart, record, symmetric, wire

PAGE = Path(__file__).parents[2] / "docs" / "declaring.md"
TEXT = PAGE.read_text("utf-8")
EXCERPTS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_examples_give_what_the_page_says() -> None:
    failed, tried = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.IGNORE_EXCEPTION_DETAIL
    )
    assert tried > 10
    assert failed == 0


@pytest.mark.parametrize("excerpt", EXCERPTS, ids=["BucketWeight", "GroupMod"])
def test_the_excerpts_are_the_source(excerpt: str) -> None:
    assert excerpt in inspect.getsource(groups)


def test_all_words_of_the_tables_exist() -> None:
    known = {name for one in (wire, record, multipart, symmetric, groups) for name in vars(one)}
    shapes = re.findall(r"^\| `(?:@)?(\w+)", TEXT, re.MULTILINE)
    assert set(shapes) - known <= {"Mac", "MatchShape", "message"}
