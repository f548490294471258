"""The names of match fields without values, as actions have them: OXM headers."""

from __future__ import annotations

import io
from typing import Any

import construct as c

from .match import match_field
from .oxm import EXPERIMENTER_CLASS, OXM, OXM_HEADER, oxm_header, oxm_name
from .oxm_table import OxmTable, oxm_table
from .record import parse_shape
from .version import Version
from .wire import U32, Bytes, Converted, Versioned
from .writer import Form, Malformed


class FieldName(Versioned):
    """The name of a field in 4 bytes, or 8 where it is an experimenter's.

    A field that is not in the table, or in another width, is called by its number.
    """

    def at(self, version: Version) -> FieldNameShape:
        return FieldNameShape(oxm_table(version))


class FieldNameShape(c.Construct):  # type: ignore[misc]
    """Names as one table has them."""

    def __init__(self, table: OxmTable) -> None:
        super().__init__()
        self.header_of = {
            name: OXM[name].packed(number, False) for name, number in table.numbers.items()
        }
        self.name_of = {header: name for name, header in reversed(self.header_of.items())}
        self.where = table.where

    def named(self, header: bytes) -> str:
        """Return the name of the field with this header."""
        return self.name_of.get(header) or oxm_name(int.from_bytes(header, "big"))

    def header(self, name: str) -> bytes:
        """Return the header of the field with this name; ValueError if it has none here."""
        if header := self.header_of.get(name):
            return header
        number = oxm_header(name)
        if number is None:
            match_field(name)
            raise ValueError(f"{name} does not exist in {self.where}")
        return number.to_bytes(4 if number <= 0xFFFF_FFFF else 8, "big")

    def _parse(self, stream: io.BytesIO, context: Any, path: str) -> str:
        header = parse_shape(Bytes(4), stream, context, path)
        if header[:2] == _EXPERIMENTERS:
            header += parse_shape(Bytes(4), stream, context, path)
        return self.named(header)

    def _build(self, name: Any, stream: io.BytesIO, context: Any, path: str) -> Any:
        stream.write(self.header(name))
        return name

    def compiled(self) -> Form:
        """Return the straight form."""
        name_of, header_of, named, header = self.name_of, self.header_of, self.named, self.header

        def decode(buffer: bytes, at: int, end: int) -> tuple[str, int]:
            stop = at + (8 if buffer[at : at + 2] == _EXPERIMENTERS else 4)
            if stop > end:
                raise Malformed
            found = buffer[at:stop]
            return name_of.get(found) or named(found), stop

        def encode(value: str) -> bytes:
            return header_of.get(value) or header(value)

        return Form(decode, encode)

    def in_32_bits(self) -> Converted:
        """Return the shape for where there is no place for an experimenter."""

        def to_name(header: int) -> str:
            return self.named(OXM_HEADER.pack(header))

        def to_header(name: str) -> int:
            if len(header := self.header(name)) > OXM_HEADER.size:
                raise ValueError(f"{name} has no number of 32 bits")
            return int.from_bytes(header, "big")

        return Converted(U32, to_name, to_header)


_EXPERIMENTERS = EXPERIMENTER_CLASS.to_bytes(2, "big")
