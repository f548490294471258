"""Versions as users write them."""

from __future__ import annotations

import re

import pytest

from protocol import ALL_VERSIONS, OF10, OF11, OF12, OF13, OF14, OF15, Version
from protocol.version import parse_versions


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("1.3", {OF13}),
        ("OpenFlow10", {OF10}),
        ("1.3+", {OF13, OF14, OF15}),
        ("1.0-1.2", {OF10, OF11, OF12}),
        ("1.5-1.5", {OF15}),
        ("1.0+", ALL_VERSIONS),
        ("1.0, 1.4+", {OF10, OF14, OF15}),
    ],
)
def test_a_version_or_a_range_is_read(text: str, versions: frozenset[Version]) -> None:
    assert parse_versions(text) == versions


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("1.6", "'1.6' is no version of OpenFlow; there are 1.0, 1.1"),
        ("", "'' is no version of OpenFlow"),
        ("1.3-", "'' is no version of OpenFlow"),
        ("+", "'' is no version of OpenFlow"),
        ("1.3-1.0", "write 1.0-1.3"),
        ("1.0-1.3+", "write 1.0+ or 1.0-1.3"),
        ("1.3++", "'1.3+' is no version of OpenFlow"),
    ],
)
def test_a_mistake_is_told_with_the_cure(text: str, cure: str) -> None:
    with pytest.raises(ValueError, match=re.escape(cure)):
        parse_versions(text)
