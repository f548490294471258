"""Instructions that ovs-ofctl has no words for, in words like its own."""

from __future__ import annotations

from collections.abc import Iterator

from ..instructions import ExperimenterInstruction, StatTrigger, StatTriggerFlags
from ..stats import OXS, Stats
from .nicira import read_bytes
from .words import number, unknown, words

_FLAGS = {str(flag.name).lower(): flag for flag in StatTriggerFlags}
_WIDTHS = {"I": 32, "Q": 64}
_BITS = {
    name: _WIDTHS[code]
    for oxs in OXS
    for name, code in zip(oxs.members, oxs.format[1:], strict=True)
}


def read_stat_trigger(text: str) -> StatTrigger:
    """Read what stands in the parentheses of `stat_trigger`.

    >>> read_stat_trigger("periodic,packet_count=1000")
    StatTrigger(flags=<StatTriggerFlags.PERIODIC: 1>, thresholds=Stats(packet_count=1000))
    """
    flags, given = StatTriggerFlags(0), dict[str, int]()
    for word in words(text):
        if word.name in _FLAGS and not word.value:
            flags |= _FLAGS[word.name]
        elif word.name in _BITS:
            given[word.name] = number(f"stat_trigger: {word.name}", word.value, _BITS[word.name])
        else:
            raise unknown("word of stat_trigger", word.name, [*_FLAGS, *_BITS])
    return StatTrigger(flags, Stats(**given))


def show_stat_trigger(one: StatTrigger) -> str:
    """Return the instruction as `read_stat_trigger` reads it, its word included."""
    return f"stat_trigger({','.join(_words(one))})"


def _words(one: StatTrigger) -> Iterator[str]:
    for word, flag in _FLAGS.items():
        if one.flags & flag:
            yield word
    for name in _BITS:
        if (value := getattr(one.thresholds, name)) is not None:
            yield f"{name}={value}"


def experimenter_words(word: str, text: str) -> tuple[int, bytes]:
    """Read whose something is, and its bytes in hex."""
    experimenter, _, data = text.partition(",")
    if not experimenter:
        raise ValueError(f"{word} lacks who has it; write {word}(0x…,BYTES) with bytes in hex")
    return number(word, experimenter.strip(), 32), read_bytes(word, data.strip())


def read_experimenter_instruction(text: str) -> ExperimenterInstruction:
    """Read an instruction that we do not know: who has it, and its bytes."""
    return ExperimenterInstruction(*experimenter_words("experimenter_instruction", text))


def show_experimenter_instruction(one: ExperimenterInstruction) -> str:
    """Return the instruction as `read_experimenter_instruction` reads it."""
    return f"experimenter_instruction({one.experimenter:#x},{one.data.hex()})"
