"""The versions of OpenFlow, and the one set of names for them."""

from enum import IntEnum
from typing import Self


class Version(IntEnum):
    """A version of OpenFlow; the value is the header's version field.

    >>> str(Version.OF13), Version.parse("1.3")
    ('1.3', <Version.OF13: 4>)
    """

    OF10 = 1
    OF11 = 2
    OF12 = 3
    OF13 = 4
    OF14 = 5
    OF15 = 6

    def __str__(self) -> str:
        return f"1.{self.value - 1}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what users write: `1.3`, `OpenFlow13` (as ovs-vsctl has it) or `OF13`."""
        digits = text.lower().removeprefix("openflow").removeprefix("of").replace(".", "")
        for version in cls:
            if digits == f"1{version - 1}":
                return version
        raise ValueError(
            f"{text!r} is no version of OpenFlow; there are {', '.join(map(str, cls))}"
        )


OF10, OF11, OF12, OF13, OF14, OF15 = Version
ALL_VERSIONS: frozenset[Version] = frozenset(Version)


def parse_versions(text: str) -> frozenset[Version]:
    """Read one version or a range: `1.3`, `1.3+` (and newer), `1.0-1.3`, `1.0,1.3+`.

    Raises ValueError, with the cure, for anything else.

    >>> sorted(map(str, parse_versions("1.3+"))), sorted(map(str, parse_versions("1.0,1.2-1.3")))
    (['1.3', '1.4', '1.5'], ['1.0', '1.2', '1.3'])
    """
    return frozenset().union(*map(_parse_range, text.split(",")))


def _parse_range(text: str) -> frozenset[Version]:
    first, dash, last = text.strip().removesuffix("+").partition("-")
    low = Version.parse(first)
    high = Version.parse(last) if dash else low
    if text.strip().endswith("+"):
        if dash:
            raise ValueError(f"{text!r} has an end and none: write {low}+ or {low}-{high}")
        high = max(Version)
    if high < low:
        raise ValueError(f"{text!r} ends before it begins: write {high}-{low}")
    return frozenset(version for version in Version if low <= version <= high)
