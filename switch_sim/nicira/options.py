"""For which options of tunnels the fields tun_metadata0 … stand (ovs-fields(7) "tun_metadata").

The switch has no tunnels: what the fields have, they have by actions.
"""

from __future__ import annotations

from collections.abc import Iterable

from protocol.nicira import NiciraCode, TlvMap
from protocol.nicira.fields import N_OPTIONS, OPTION_BYTES

from ..refused import Refused

MAX_OPTION_SPACE = 256  #: bytes of all options together
_WORD = 4  # bytes, of which an option has some


class TunnelOptions:
    """The options that are mapped, by the number of their field."""

    def __init__(self) -> None:
        self._maps: dict[int, TlvMap] = {}

    @property
    def maps(self) -> tuple[TlvMap, ...]:
        """The options in the order of their fields."""
        return tuple(self._maps[index] for index in sorted(self._maps))

    def add(self, maps: Iterable[TlvMap]) -> None:
        """Map options; all of them, or where one is refused none."""
        found = dict(self._maps)
        for one in maps:
            _check(one, found)
            found[one.index] = one
        if sum(one.option_len for one in found.values()) > MAX_OPTION_SPACE:
            reason = f"all options together have more than {MAX_OPTION_SPACE} bytes"
            raise Refused(NiciraCode.TLV_TABLE_FULL, reason)
        self._maps = found

    def delete(self, maps: Iterable[TlvMap]) -> None:
        """Let fields stand for nothing; one that does already is passed over."""
        indexes = [one.index for one in maps]
        for index in indexes:
            _check_index(index)
        for index in indexes:
            self._maps.pop(index, None)

    def clear(self) -> None:
        """Let all fields stand for nothing."""
        self._maps = {}


def _check(one: TlvMap, known: dict[int, TlvMap]) -> None:
    if one.option_len % _WORD or not 0 < one.option_len <= OPTION_BYTES:
        reason = f"an option cannot have {one.option_len} bytes"
        raise Refused(NiciraCode.TLV_BAD_LENGTH, reason)
    _check_index(one.index)
    if one.index in known:
        raise Refused(NiciraCode.TLV_ALREADY_MAPPED, f"tun_metadata{one.index} is mapped")
    option = one.option_class, one.option_type
    if option in {(other.option_class, other.option_type) for other in known.values()}:
        raise Refused(NiciraCode.TLV_DUPLICATE, f"option {option} has a field already")


def _check_index(index: int) -> None:
    if index >= N_OPTIONS:
        raise Refused(NiciraCode.TLV_BAD_INDEX, f"there is no tun_metadata{index}")
