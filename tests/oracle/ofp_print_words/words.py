"""Words that a text must have."""

from __future__ import annotations

import re
from collections.abc import Iterator

Words = Iterator[str]
ALL64 = (1 << 64) - 1


def missing(text: str, *words: str) -> Words:
    """Return the words that the text does not have, each up to its end."""
    for word in words:
        if not re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", text):
            yield f"it does not say {word!r}"


def duration(seconds: int | None, nanoseconds: int | None) -> str:
    """A time as Open vSwitch writes it."""
    fraction = nanoseconds or 0
    if not fraction:
        return f"{seconds or 0}s"
    if fraction % 1_000_000 == 0:
        return f"{seconds or 0}.{fraction // 1_000_000:03}s"
    return f"{seconds or 0}." + f"{fraction:09}".rstrip("0") + "s"


def counted(number: int, ones: int = ALL64) -> str:
    """A counter; all ones mean that nothing is counted."""
    return "?" if number == ones else str(number)


def said_words(text: str, title: str) -> set[str]:
    """Return the words that stand behind a title."""
    found = re.search(rf"{title}: *(.*)$", text, re.MULTILINE)
    return set(found[1].replace("STP_BLOCK", "STP_BLOCK ").split()) - {"0"} if found else set()
