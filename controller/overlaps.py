"""Which matches could meet in one packet, found without looking at each pair of them.

Matches of one shape (the same fields under the same masks) stand together, and under each
selection of their bits that another shape shares with them. So one match is compared with
all others by one look-up a shape.
"""

from __future__ import annotations

from protocol import Match

Bits = tuple[int, int]  # a value, and the mask under which it counts
Shape = tuple[tuple[str, int], ...]  # names of fields, and their masks
_ALL = -1  # the mask of a field that is matched as a whole

SHAPES_MAX = 32  #: of the matches that are kept together; others are not looked at


def bits_of(match: Match) -> dict[str, Bits]:
    """Return each field's value and mask."""
    found = {}
    for name, value in match.items():
        if isinstance(value, tuple):
            found[name] = (value[0] & value[1], value[1])
        else:
            whole = int.from_bytes(value, "big") if isinstance(value, bytes) else value
            found[name] = (whole, _ALL)
    return found


class Covering:
    """A match, to be asked which others are as narrow or narrower."""

    def __init__(self, match: Match) -> None:
        self._fields = [(name, value, mask) for name, (value, mask) in bits_of(match).items()]

    def covers(self, match: Match) -> bool:
        """Return whether each packet that `match` means is meant by this one too."""
        for name, value, mask in self._fields:
            found = match.get(name)
            if found is None:
                return False
            if isinstance(found, int):
                if found & mask != value:
                    return False
            elif not _is_within(found, value, mask):
                return False
        return True


def _is_within(found: tuple[int, int] | bytes, value: int, mask: int) -> bool:
    if isinstance(found, bytes):
        return int.from_bytes(found, "big") & mask == value
    return found[1] & mask == mask and found[0] & mask == value


class _Matches:
    """Matches of one shape."""

    def __init__(self) -> None:
        self.all: dict[Match, dict[str, Bits]] = {}
        self.by_selection: dict[Shape, dict[tuple[int, ...], int]] = {}  # how many have it

    def count(self, selection: Shape) -> dict[tuple[int, ...], int]:
        """Return how many have which values in some of their bits."""
        counts = self.by_selection.get(selection)
        if counts is None:
            counts = self.by_selection[selection] = {}
            for fields in self.all.values():
                _add(counts, _selected(fields, selection), 1)
        return counts

    def change(self, fields: dict[str, Bits], by: int) -> None:
        for selection, counts in self.by_selection.items():
            _add(counts, _selected(fields, selection), by)


class MatchSet:
    """Matches, to be asked whether any could meet another one in a packet."""

    def __init__(self) -> None:
        self._by_shape: dict[Shape, _Matches] = {}

    def __bool__(self) -> bool:
        return bool(self._by_shape)

    def add(self, match: Match) -> None:
        """Add a match, unless it would be of one shape too many."""
        fields = bits_of(match)
        shape = _shape(fields)
        if shape not in self._by_shape:
            if len(self._by_shape) >= SHAPES_MAX:
                return
            self._by_shape[shape] = _Matches()
        matches = self._by_shape[shape]
        if match not in matches.all:
            matches.all[match] = fields
            matches.change(fields, 1)

    def remove(self, match: Match) -> None:
        """Take a match out, if it is there."""
        shape = _shape(bits_of(match))
        matches = self._by_shape.get(shape)
        if matches is None or (fields := matches.all.pop(match, None)) is None:
            return
        matches.change(fields, -1)
        if not matches.all:
            del self._by_shape[shape]

    def meets(self, match: Match) -> bool:
        """Return whether a packet could be meant by `match` and by one of these."""
        fields = bits_of(match)
        shape = _shape(fields)
        for other, matches in self._by_shape.items():
            selection = _shared(shape, other)
            if not selection or _selected(fields, selection) in matches.count(selection):
                return True
        return False


def _shape(fields: dict[str, Bits]) -> Shape:
    # Matches are equal whatever the order of their fields.
    return tuple(sorted([(name, mask) for name, (_, mask) in fields.items()]))


def _shared(one: Shape, other: Shape) -> Shape:
    """Return the bits that both shapes look at."""
    masks = dict(other)
    both = [(name, mask & masks.get(name, 0)) for name, mask in one]
    return tuple(sorted(pair for pair in both if pair[1]))


def _selected(fields: dict[str, Bits], selection: Shape) -> tuple[int, ...]:
    return tuple([fields[name][0] & mask for name, mask in selection])


def _add(counts: dict[tuple[int, ...], int], key: tuple[int, ...], number: int) -> None:
    left = counts.get(key, 0) + number
    if left:
        counts[key] = left
    else:
        del counts[key]
