"""Values of the extensions' records, which have shapes of their own beside the specification's.

`strategies.values` asks `own` first; so a Nicira class, too, is generated from its layout.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import cache
from inspect import getclosurevars
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import structs

from protocol import EncodeError, Match, Message, Output, Version, nicira, onf
from protocol.actions import Action, ActionShape
from protocol.match import OneOxmShape
from protocol.nicira import EncapProperty, LoadSpec, MatchSpec, OutputSpec, Subfield
from protocol.nicira.learn import Learn2, LearnFlags
from protocol.nicira.match import FieldsShape
from protocol.nicira.nesting import NestedShape
from protocol.nicira.properties import Property
from protocol.nicira.subfields import nxm_names
from protocol.oxm import OptionValue
from protocol.oxm_table import OxmTable, oxm_table
from protocol.record import Record, Unknown
from protocol.wire import Converted

from . import strategies
from .strategies import MAX_BYTES, MAX_ITEMS, _numbers, _oxms

Shape = Any


def message_classes(version: Version) -> Iterator[type[Message]]:
    """Return the classes of the extensions' messages that `version` has."""
    yield from _that_exist(_headed(Message), version)


def action_classes(version: Version) -> Iterator[type[Action]]:
    """Return the classes of experimenters' actions that `version` has."""
    yield from _that_exist(ActionShape.experimenters, version)  # type: ignore[arg-type]


def _headed(cls: type[Message]) -> Iterator[type[Message]]:
    if cls.head and cls.__module__.startswith((nicira.__name__, onf.__name__)):
        yield cls
    for inner in cls.__subclasses__():
        yield from _headed(inner)


def _that_exist(classes: Any, version: Version) -> Iterator[Any]:
    for cls in classes:
        try:
            cls.at(version)
        except EncodeError:
            continue
        yield cls


@cache
def extension_records(cls: type[Record], version: Version) -> SearchStrategy[Any]:
    """Return a strategy for the records of one class; an action fills 8 bytes."""
    if cls is Learn2:
        return _learn2s(version)
    return strategies.records(cls.at(version), 8 if issubclass(cls, Action) else 1)


@st.composite
def _learn2s(draw: st.DrawFn, version: Version) -> Learn2:
    """Return one in which the field for the result goes with its flag."""
    learn = structs.asdict(draw(strategies.records(nicira.Learn.at(version), 8)))
    result = draw(st.just("") | st.sampled_from(sorted(nxm_names().header_of)))
    flags = learn.pop("flags") & ~LearnFlags.WRITE_RESULT
    return Learn2(
        **learn,
        flags=flags | LearnFlags.WRITE_RESULT if result else flags,
        limit=draw(_numbers(32)),
        result_dst=result,
        result_offset=draw(_numbers(16)),
    )


# Shapes of the extensions' own


def own(shape: Shape, version: Version) -> SearchStrategy[Any] | None:
    """Return a strategy for a shape that only extensions have, else None."""
    match shape:
        case NestedShape():
            return st.lists(_inner_actions(version), max_size=MAX_ITEMS).map(tuple)
        case FieldsShape():
            return _fields(shape.table).map(shape.to_match).map(Match.unchecked)
        case OneOxmShape() if any(row.variable for row in shape.table.by_number.values()):
            one = _options(shape.table) | _oxms(shape.table, min_size=1, max_size=1)
            return one.map(Match.unchecked)
        case Converted():
            return _converted(shape, version)
    return None


def _inner_actions(version: Version) -> SearchStrategy[Any]:
    """Actions that may stand in others: a clone, which has others in it, among them."""
    flat = st.builds(Output, _numbers(8)) | st.builds(
        nicira.Note, st.binary(min_size=6, max_size=6)
    )
    return flat | st.builds(nicira.Clone, st.lists(flat, max_size=2).map(tuple))


def _fields(table: OxmTable) -> SearchStrategy[dict[str, Any]]:
    """Fields of a table, options of tunnels among them."""
    plain = _oxms(table)
    if not any(row.variable for row in table.by_number.values()):
        return plain
    return st.tuples(plain, _options(table) | st.just({})).map(lambda two: two[0] | two[1])


@st.composite
def _options(draw: st.DrawFn, table: OxmTable) -> dict[str, Any]:
    """Return an option of any width, with or without a mask."""
    rows = [row for row in table.by_number.values() if row.variable]
    row, size = draw(st.sampled_from(rows)), draw(st.integers(0, 8) | st.just(124))
    value = draw(_numbers(8 * size)) if size else 0
    if size and draw(st.booleans()):
        return {row.name: OptionValue(value, size)}
    size = min(size, 62)  # both together have the length's 8 bits
    value &= (1 << 8 * size) - 1
    mask = draw(_numbers(8 * size)) if size else 0
    return {row.name: (OptionValue(value & mask, size), OptionValue(mask, size))}


def _converted(shape: Converted, version: Version) -> SearchStrategy[Any] | None:
    name = f"{shape.to_value.__module__}.{getattr(shape.to_value, '__qualname__', '')}"
    make = _CONVERTED.get(name.removeprefix("protocol."))
    return make(shape, version) if make else None


def _nonzero(shape: Converted, version: Version) -> SearchStrategy[Any]:
    return _numbers(16).filter(bool).map(shape.to_value)


def _pairs(shape: Converted, version: Version) -> SearchStrategy[Any]:
    """Numbers of 16 bits, one after another."""
    found = st.lists(_numbers(16), max_size=MAX_ITEMS)
    return found.map(lambda items: shape.to_value(struct.pack(f">{len(items)}H", *items)))


def subfields(n_bits: int | None = None) -> SearchStrategy[Subfield]:
    """Return bits of a field that has a number of 32 bits."""
    names = sorted(name for name, header in nxm_names().header_of.items() if len(header) == 4)
    sizes = st.integers(1, 64) if n_bits is None else st.just(n_bits)
    return st.builds(Subfield, st.sampled_from(names), st.integers(0, 64), sizes)


def _source(shape: Converted, version: Version) -> SearchStrategy[Any]:
    size = shape.subcon.sizeof() - 4
    return _numbers(8 * size) | subfields()


def _ranges(shape: Converted, version: Version) -> SearchStrategy[Any]:
    parts = [st.none() | _numbers(bits) for bits in (32, 32, 128, 128, 16, 16)]
    return st.tuples(*parts)


def _specs(shape: Converted, version: Version) -> SearchStrategy[Any]:
    return st.lists(_spec(), max_size=MAX_ITEMS).map(tuple)


@st.composite
def _spec(draw: st.DrawFn) -> Any:
    dst = draw(subfields())
    if draw(st.booleans()) and draw(st.booleans()):
        return OutputSpec(dst)
    src = draw(_numbers(dst.n_bits) | subfields(dst.n_bits))
    return draw(st.sampled_from([MatchSpec, LoadSpec]))(src, dst)


def _encapsulated(shape: Converted, version: Version) -> SearchStrategy[Any]:
    one = st.builds(EncapProperty, _numbers(16), _numbers(8), st.binary(max_size=MAX_BYTES))
    classes = {int(name): name for name in nicira.EncapClass}
    named = one.map(
        lambda found: EncapProperty(
            classes.get(found.prop_class, found.prop_class), found.type, found.data
        )
    )
    return st.lists(named, max_size=MAX_ITEMS).map(tuple)


def _each(shape: Converted, version: Version) -> SearchStrategy[Any]:
    """Records one after another, each of which tells how long it is."""
    cls = getclosurevars(shape.to_value).nonlocals["cls"]
    one = strategies.records(cls.at(version, headed=False))
    return st.lists(one, max_size=MAX_ITEMS).map(tuple)


def _onf_match(shape: Converted, version: Version) -> SearchStrategy[Any]:
    return _fields(oxm_table(version)).map(Match.unchecked)


def _properties(shape: Converted, version: Version) -> SearchStrategy[Any]:
    """Each property or none, and some that nobody knows."""
    fields: dict[str, Property] = getclosurevars(shape.to_value).nonlocals["fields"]
    known = {found.number for found in fields.values()}
    others = st.builds(
        Unknown, _numbers(16).filter(lambda n: n not in known), st.binary(max_size=MAX_BYTES)
    )
    values = [_property(found, version) for found in fields.values()]
    return st.tuples(*values, st.lists(others, max_size=2).map(tuple))


def _property(found: Property, version: Version) -> SearchStrategy[Any]:
    told = _PROPERTIES[found.read.__qualname__.partition(".")[0]](found, version)
    return told | st.just(found.absent) if found.optional else told


def _number(found: Property, version: Version) -> SearchStrategy[Any]:
    known = getclosurevars(found.read).nonlocals
    names: dict[int, int] = known["named"]
    return _numbers(8 * known["size"]).map(lambda number: names.get(number, number))


def _wrapped(found: Property, version: Version) -> SearchStrategy[Any]:
    known = getclosurevars(found.read).nonlocals
    one = strategies.records(known["cls"].at(version, headed=False))
    return one.map(lambda record: getattr(record, known["name"]))


_PROPERTIES: dict[str, Callable[[Property, Version], SearchStrategy[Any]]] = {
    "raw": lambda found, version: st.binary(max_size=MAX_BYTES),
    "flag": lambda found, version: st.booleans(),
    "number": _number,
    "record": lambda found, version: strategies.records(
        getclosurevars(found.read).nonlocals["cls"].at(version, headed=False)
    ),
    "wrapped": _wrapped,
}
_CONVERTED: dict[str, Callable[[Converted, Version], SearchStrategy[Any]]] = {
    "nicira.subfields._twice": _nonzero,
    "nicira.subfields._some": _nonzero,
    "nicira.subfields._source": _source,
    "nicira.actions._numbers": _pairs,
    "nicira.choices._ports": _pairs,
    "nicira.conntrack._ranges": _ranges,
    "nicira.learn._specs": _specs,
    "nicira.encapsulation._properties": _encapsulated,
    "nicira.properties._shape.<locals>.to_fields": _properties,
    "nicira.monitors._each.<locals>.at.<locals>.to_value": _each,
    "onf.monitors._shape.<locals>.to_value": _onf_match,
}
