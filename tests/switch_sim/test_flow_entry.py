"""What entries do, shared by those that do the same."""

from __future__ import annotations

from protocol import ApplyActions, Instruction, Match, Output, SetField
from protocol.oxm import OptionValue
from switch_sim.flow_entry import Doing


def setting(option: int) -> tuple[Instruction, ...]:
    return (ApplyActions((SetField(Match.unchecked({"tun_metadata0": option})),)),)


def test_entries_that_do_the_same_share_what_they_do() -> None:
    one, other = ((ApplyActions((Output(2),)),) for _ in range(2))
    assert one is not other
    assert Doing.of(one) is Doing.of(other)


def test_options_of_different_widths_are_not_the_same_though_they_are_equal() -> None:
    short, long = setting(OptionValue(1, size=4)), setting(OptionValue(1, size=8))
    assert short == long
    for instructions in (short, long):
        (apply,) = Doing.of(instructions).program
        assert isinstance(apply, ApplyActions)
        assert apply is instructions[0]
