"""How a select group chooses, as ovs-ofctl's users write it (ovs-ofctl(8) "Group Syntax").

selection_method=hash,selection_method_param=7,fields(ip_dst,tcp_dst=0xff00)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..match import Match
from ..nicira import SelectionMethod
from ..oxm import OXM, FieldValue
from ..record import Record
from .match import field_named, read_value, value_text
from .words import Word, number, words

SELECTION = ("selection_method", "selection_method_param", "fields")
_MAX_NAME = 15  # bytes; a zero ends them


def read_selection(found: Iterable[Word]) -> tuple[Record, ...]:
    """Return the property that words say; none, where there are no words."""
    given: dict[str, str] = {}
    for word in found:
        if word.name in given:
            raise ValueError(f"{word.name} stands twice; leave one of them out")
        given[word.name] = word.value
    if not given:
        return ()
    method = given.get("selection_method", "")
    if not method:
        raise ValueError(f"{', '.join(given)} needs a method; write selection_method=hash")
    if len(method.encode()) > _MAX_NAME:
        raise ValueError(f"selection_method {method!r} is longer than {_MAX_NAME} bytes")
    param = number("selection_method_param", given.get("selection_method_param", "0"), 64)
    fields = dict(map(_read_field, words(given.get("fields", ""))))
    return (SelectionMethod(method, param, Match.unchecked(fields)),)


def _read_field(word: Word) -> tuple[str, FieldValue]:
    # What these are of, IP or ARP, a match says by its type; a hash has them of IP.
    row = field_named(word.name.replace("nw_src", "ip_src").replace("nw_dst", "ip_dst"))
    mask = read_value(row, word.value) if word.value else row.all_ones
    if isinstance(mask, tuple):
        raise ValueError(f"{word.text} has a mask in a mask; write {word.name}=MASK")
    return row.name, mask


def selection_words(properties: Iterable[Record]) -> Iterator[str]:
    """Yield the words of a method among the properties of a group."""
    for one in properties:
        if isinstance(one, SelectionMethod):
            yield f"selection_method={one.selection_method}"
            if one.selection_method_param:
                yield f"selection_method_param={one.selection_method_param}"
            if one.fields:
                yield f"fields({','.join(_field_words(one.fields))})"


def _field_words(fields: Match) -> Iterator[str]:
    for name, mask in fields.items():
        row = OXM.get(name)
        whole = row is not None and mask == row.all_ones
        yield name if whole else f"{name}={value_text(name, mask)}"
