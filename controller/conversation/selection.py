"""Which messages somebody wants to see: of which switches, of which types, or errors only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from protocol import Message
from protocol.spec_names import class_name, message_name, snake

from .exchanges import Heard

_PREFIXES = ("OFPT_", "OFPMP_", "OFPST_")
_ENDINGS = ("_REQUEST", "_REPLY")


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted; what is empty narrows nothing down."""

    datapath_ids: frozenset[int] = frozenset()
    types: frozenset[str] = frozenset()  #: names as `type_names` has them
    errors: bool = False  #: errors, and before each what it is about

    @classmethod
    def of(
        cls, datapath_ids: Iterable[int] = (), types: Iterable[str] = (), errors: bool = False
    ) -> Selection:
        """Read names of types; ValueError, with the cure, for what is none.

        >>> Selection.of([1], ["packet-in"])
        Selection(datapath_ids=frozenset({1}), types=frozenset({'PACKET_IN'}), errors=False)
        """
        return cls(frozenset(datapath_ids), frozenset(map(_read_type, types)), errors)

    def pick(self, heard: Heard) -> Iterator[Heard]:
        """Yield what of it is wanted: nothing, itself, or before it what an error is about."""
        if self.datapath_ids and heard.said.tape.datapath_id not in self.datapath_ids:
            return
        if self.errors and not heard.is_fault:
            return
        if self.types and not self._is_of_type(heard):
            return
        if self.errors and heard.answers is not None:
            yield heard.answers
        yield heard

    def _is_of_type(self, heard: Heard) -> bool:
        about = [heard, heard.answers] if self.errors else [heard]
        messages = [one.message for one in about if one is not None]
        return any(
            message is not None and not self.types.isdisjoint(type_names(type(message)))
            for message in messages
        )


@cache
def type_names(cls: type[Message]) -> frozenset[str]:
    """Return the names that mean a message: the specification's and the class's, in capitals.

    Each also without OFPT_ in front, and without REQUEST or REPLY behind, which then means both.
    """
    names = {_plain(message_name(cls)), _plain(snake(class_name(cls).rpartition(".")[2]))}
    for name in list(names):
        names.update(name.removesuffix(ending) for ending in _ENDINGS)
    return frozenset(names)


@cache
def known_types() -> tuple[str, ...]:
    """Return all names that mean a message, in order."""
    return tuple(sorted(set().union(*map(type_names, _below(Message)))))


def class_called(text: str) -> type[Message] | None:
    """Return the message of this name; None where it means none, or several.

    A name of ours goes before one of the specification's, and both before an experimenter's.
    """
    name = _plain(snake(text))
    found = [cls for cls in _below(Message) if name in type_names(cls)]
    ours = [cls for cls in found if _plain(snake(class_name(cls))) == name] or found
    return ours[0] if len(ours) == 1 else None


def _below(cls: type[Message]) -> Iterator[type[Message]]:
    for one in cls.__subclasses__():
        if one.head:
            yield one
        yield from _below(one)


def _plain(text: str) -> str:
    name = text.strip().upper().replace("-", "_").replace(" ", "_")
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _read_type(text: str) -> str:
    name = _plain(snake(text))
    if name not in known_types():
        near = ", ".join(get_close_matches(name, known_types(), 3)) or "flow_mod, packet_in, error"
        raise ValueError(f"no message is called {text!r}: write it as {near.lower()}")
    return name
