"""The source of the functions of one record, written from its layout.

`compiler.py` says what they are for; here is how the members of a layout become lines.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from operator import index
from typing import Any, NamedTuple, get_type_hints

import construct as c

from .exceptions import DecodeError, EncodeError
from .ready import READY, key_of
from .record import Record, RecordShape, fixed_size
from .runs import Head, Known, Run, Written, conversions_of
from .wire import (
    Bits,
    Converted,
    Fill,
    Length,
    Rest,
    Shape,
    SizedBy,
    SizeOf,
    Spread,
    Tag,
    bare,
)

Decode = Callable[[bytes, int, int], Any]  #: (buffer, position, end) -> record
Encode = Callable[..., bytes]  #: (record) -> bytes; messages take the xid as well
Partial = Callable[[bytes, int, int], tuple[Any, int]]  #: -> value and the position behind it
#: Reads as many messages of one class as follow one another, and gives each to a function:
#: (buffer, position, size of the buffer, function) -> the position behind those that were right.
Several = Callable[[bytes, int, int, Callable[[Any], object]], int]


_TO_THE_END = "at = end"  # the line of decode behind a field that is all the rest


class Malformed(Exception):
    """The bytes, or the value, are not what the layout says; the reference form tells why."""


#: What compiled functions raise, whoever is at fault.
FAULTS = (
    Malformed,
    DecodeError,
    EncodeError,
    struct.error,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    OverflowError,
    c.ConstructError,
)


class Form(NamedTuple):
    """How a shape of no fixed size is read and written by straight code.

    `kept` has values, by id, with their bytes, which need not be made again.
    """

    decode: Partial
    encode: Callable[[Any], bytes]
    kept: dict[int, tuple[Any, bytes]] | None = None


class Codec(NamedTuple):
    """The functions of a record, their source, and what they leave to construct."""

    decode: Decode
    encode: Encode
    several: Several | None  #: of messages
    source: str
    fallbacks: tuple[str, ...]


def construct_form(shape: Shape) -> Form:
    """Return the form of a shape that has none of its own: construct does it."""

    def decode(buffer: bytes, at: int, end: int) -> tuple[Any, int]:
        stream = io.BytesIO(buffer[at:end])
        value = shape.parse_stream(stream)
        return value, at + stream.tell()

    def encode(value: Any) -> bytes:
        return bytes(shape.build(value))

    return Form(decode, encode)


def fixed_form(shape: Shape) -> Form | None:
    """Return the form of a plain number, or of so many bytes; None for all else."""
    code = _struct_code(shape)
    if code is None or not isinstance(shape, c.FormatField | c.Bytes):
        return None
    fixed = struct.Struct(f">{code}")
    unpack, size = fixed.unpack_from, fixed.size
    pack = _of_size(size) if fixed.format.endswith("s") else fixed.pack

    def decode(buffer: bytes, at: int, end: int) -> tuple[Any, int]:
        if at + size > end:
            raise Malformed
        return unpack(buffer, at)[0], at + size

    return Form(decode, pack)


class Writer:
    """Walks a record's members and writes the functions."""

    def __init__(self, shape: RecordShape, form_of: Callable[[Shape], Form | None]) -> None:
        self.shape = shape
        self.form_of = form_of
        self.env: dict[str, Any] = {"record": shape.record, "Malformed": Malformed}
        self.reading: list[str] = []  # lines of decode
        self.parts: list[str] = []  # lines of encode that make the parts of variable size
        self.output: list[str] = []  # what encode joins
        self.fixed = 0  # bytes in all runs together
        self.offset = 0  # of the next member from `at`, a variable of decode
        self.run = Run()
        self.sizes: dict[str, str] = {}  # member -> the variable of decode that has its size
        self.filled: dict[str, SizeOf] = {}  # member -> what says how many zeros follow it
        self.aligned = 0
        self.fallbacks: list[str] = []
        self.locals: dict[str, str] = {}  # field -> the variable of decode that has it
        head = shape.record.head if shape.headed else ()
        self.tags = sum(isinstance(member, Tag) for member in head)  # that are still to come
        #: fields that encode is given beside the record: a message does not know its xid
        self.given = [name for name in _keyword_only(shape.record) if name == "xid"]
        self.head: Head | None = None  # of a message

    def finish(self) -> Codec:
        """Return the functions."""
        for member in self.shape.members:
            self._member(bare(member), member.name or "")
        self._end_run()
        sources = [self._decode_source(), self._encode_source()]
        if self.head is not None:
            sources.append(self._several_source(self.head))
        source = "\n".join([line for lines in sources for line in (*lines, "")])
        fallbacks = tuple(self.fallbacks)
        if READY and (make := READY.get(key_of(source, self.env))):
            return Codec(*make(self.env), source, fallbacks)
        name = f"<{self.shape.record.__name__} {self.shape.version}>"
        exec(compile(source, name, "exec"), self.env)  # our own declarations, nobody's input
        env = self.env
        return Codec(env["decode"], env["encode"], env.get("several"), source, fallbacks)

    def _bind(self, value: Any, stem: str) -> str:
        name = f"{stem}_{len(self.env)}"
        self.env[name] = value
        return name

    def _local(self, field: str) -> str:
        return self.locals.setdefault(field, "f_" + field.replace(".", "__"))

    def _member(self, shape: Shape, name: str) -> None:
        if isinstance(shape, Fill):
            self.aligned = shape.align
        elif (code := _struct_code(shape)) is None:
            self._variable(shape, name)
        elif isinstance(shape, c.Padded):
            self.run.add(code, code)
        elif isinstance(shape, c.Const):
            self._constant(shape, code)
        elif isinstance(shape, Length):
            self.run.add(f"{shape.sizeof()}x", code, value="length")
        elif isinstance(shape, SizeOf):
            self._size_of(shape, code)
        elif isinstance(shape, Bits):
            self._bits(shape, code)
        else:
            self._plain(shape, name, code)

    def _constant(self, shape: c.Const, code: str) -> None:
        """Add a number that is known; by those of the head the record was found."""
        if self.tags:
            self.tags -= 1
            self.run.add(f"{shape.sizeof()}x", code, value=str(shape.value))
            return
        local = f"const_{len(self.run.after)}"
        self.run.after.append(f"if {local} != {shape.value}: raise Malformed")
        self.run.add(code, code, local, str(shape.value))

    def _plain(self, shape: Shape, name: str, code: str) -> None:
        """Add one field that lies in a run."""
        local = self._local(name)
        value = name if name in self.given else f"m.{name}"
        conversions = conversions_of(shape)
        if gets := [one.to_value for one in conversions if one.to_value is not index]:
            get = gets[0] if len(gets) == 1 else Known(gets).__getitem__
            self.run.after.append(f"{local} = {self._bind(get, 'get')}({local})")
        puts = [one.to_wire for one in conversions if one.to_wire is not index]
        if any(one.recurs for one in conversions):
            written = Written(puts)
            value = self._kept(written.known, written.find, value)
        else:
            for put in puts:
                value = f"{self._bind(put, 'put')}({value})"
        if value.endswith(")"):
            value = self._or_default(name, conversions, value)
        if isinstance(shape, c.Bytes):
            value = f"{self._bind(_of_size(shape.length), 'put')}({value})"
        self.run.add(code, code, local, value)

    def _or_default(self, name: str, conversions: Sequence[Converted], value: str) -> str:
        """Return an expression for a number that needs no conversion where it is the default."""
        default = self.shape.record.defaults().get(name)
        if not isinstance(default, int):
            return value
        wire: Any = default
        try:
            for convert in conversions:
                wire = convert.to_wire(wire)
        except ValueError:  # this version cannot say it
            return value
        bound = self._bind(default, "default")
        known = repr(wire) if isinstance(wire, bytes) else index(wire)
        return f"({known} if m.{name} is {bound} else {value})"

    def _size_of(self, shape: SizeOf, code: str) -> None:
        size, part = f"size_{shape.target}", f"len(part_{shape.target})"
        self.sizes[shape.target] = size
        if shape.align > 1:
            self.filled[shape.target] = shape
        self.run.add(code, code, size, part if shape.unit == 1 else f"{part} // {shape.unit}")
        if shape.unit > 1:
            self.run.after.append(f"{size} *= {shape.unit}")

    def _bits(self, shape: Bits, code: str) -> None:
        raw = f"bits_{'_'.join(shape.widths)}"
        shift = sum(shape.widths.values())
        for field, width in shape.widths.items():
            shift -= width
            self.run.after.append(f"{self._local(field)} = {raw} >> {shift} & {(1 << width) - 1}")
        fields = ", ".join(f"m.{field}" for field in shape.widths)
        self.run.add(code, code, raw, f"{self._bind(shape.join, 'join')}({fields})")

    def _variable(self, shape: Shape, name: str) -> None:
        """Add a member that is read, and mostly written, by a function of its own."""
        if (size := fixed_size(shape)) is not None and not isinstance(shape, Spread | SizedBy):
            self._whole(shape, name, size)
            return
        self._end_run()
        start = f"at + {self.offset}" if self.offset else "at"
        if isinstance(shape, Spread):
            self._spread(shape, start)
            return
        local, part = self._local(name), f"part_{name}".replace(".", "__")
        if isinstance(shape, SizedBy):
            shape = self._told_size(shape, name, start)
        if shape is Rest and name not in self.sizes:
            self.reading += [f"{local} = buffer[{start}:end]", _TO_THE_END]
            self.parts.append(f"{part} = m.{name}")
        else:
            self._called(shape, name, local, part, start)
        self.output.append(part)
        self._filled(name, part)
        self.offset = 0

    def _whole(self, shape: Shape, name: str, size: int) -> None:
        """Add a member of a known size, whose bytes are packed together with its neighbours."""
        self._end_reading()
        start = f"at + {self.offset}" if self.offset else "at"
        read, made = self._functions(shape, name)
        self.reading.append(f"{self._local(name)}, at = {read}(buffer, {start}, end)")
        self.offset = 0
        self.fixed += size
        self.run.add_written(f"{size}s", made)

    def _spread(self, shape: Spread, start: str) -> None:
        part = f"part_{'_'.join(shape.fields)}".replace(".", "__")
        form = self.form_of(shape.subcon) or construct_form(shape.subcon)
        read, write = self._bind(form.decode, "decode"), self._bind(form.encode, "encode")
        locals_ = ", ".join(map(self._local, shape.fields))
        self.reading.append(f"({locals_}), at = {read}(buffer, {start}, end)")
        values = ", ".join(f"m.{field}" for field in shape.fields)
        self.parts.append(f"{part} = {write}(({values}))")
        self.output.append(part)
        self.offset = 0

    def _told_size(self, shape: SizedBy, name: str, start: str) -> Shape:
        """Let decode work out the size of a member, and return what the member is."""
        size = self.sizes[name] = f"size_{name}".replace(".", "__")
        given = ", ".join([f"buffer[{start}:end]", *map(self._local, shape.fields)])
        self.reading += [
            f"{size} = {self._bind(shape.size, 'size')}({given})",
            f"if {size} < 0: raise Malformed",
        ]
        return shape.subcon

    def _called(self, shape: Shape, name: str, local: str, part: str, start: str) -> None:
        read, made = self._functions(shape, name)
        self.parts.append(f"{part} = {made}")
        if size := self.sizes.get(name):
            self.reading += [
                f"stop = {start} + {size}",
                "if stop > end: raise Malformed",
                f"{local}, at = {read}(buffer, {start}, stop)",
                "if at != stop: raise Malformed",
            ]
        else:
            self.reading.append(f"{local}, at = {read}(buffer, {start}, end)")

    def _functions(self, shape: Shape, name: str) -> tuple[str, str]:
        """Return the name of what reads a member, and the expression of its bytes."""
        form = self.form_of(shape)
        if form is None:
            self.fallbacks.append(name)
            form = construct_form(shape)
        read, value = self._bind(form.decode, "decode"), f"m.{name}"
        if form.kept is not None:
            return read, self._kept(form.kept, form.encode, value)
        return read, f"{self._bind(form.encode, 'encode')}({value})"

    def _kept(
        self, kept: dict[int, tuple[Any, Any]], find: Callable[[Any], Any], value: str
    ) -> str:
        """Return the expression of what is kept by the id of a value, or else is found."""
        get = self._bind(kept.get, "get")
        return (
            f"(known[1] if (known := {get}(id({value}))) else {self._bind(find, 'find')}({value}))"
        )

    def _filled(self, name: str, part: str) -> None:
        """Let zeros stand behind a member, as far as its size does not count them."""
        if shape := self.filled.get(name):
            fill = self._bind(shape.fill, "fill")
            self.reading += [f"at += {fill}({self.sizes[name]})", "if at > end: raise Malformed"]
            self.parts.append(f"{part}_fill = bytes({fill}(len({part})))")
            self.output.append(f"{part}_fill")

    def _end_run(self) -> None:
        self._end_reading()
        run, self.run = self.run, Run()
        if not run.codes_out:
            return
        packed = struct.Struct(">" + "".join(run.codes_out))
        if run.values:
            self.output.append(f"{self._bind(packed.pack, 'pack')}({', '.join(run.values)})")
        else:
            self.output.append(repr(packed.pack()))

    def _end_reading(self) -> None:
        """Let what is read so far be read, while more may be written together with it."""
        run = self.run
        if not run.codes_in:
            return
        if self.given and not self.reading:
            self._begin_message(run)
        size = struct.calcsize(">" + "".join(run.codes_in))
        start = f"at + {self.offset}" if self.offset else "at"
        self.offset += size
        self.fixed += size
        if self.shape.size is None:
            self.reading.append(f"if at + {self.offset} > end: raise Malformed")
        if run.targets:
            unpack = self._bind(struct.Struct(">" + "".join(run.codes_in)).unpack_from, "unpack")
            self.reading.append(f"{', '.join(run.targets)}, = {unpack}(buffer, {start})")
            self.reading += run.after
        run.forget_reading()

    def _begin_message(self, run: Run) -> None:
        """Note how the head of a message is read together with the fields that follow it."""
        version, number = (bare(one).value for one in self.shape.members[:2])
        whole = struct.Struct(">HH" + "".join(run.codes_in[3:]))  # behind version, type, length
        targets = ", ".join(["kind", "length", *run.targets])
        line = f"{targets} = {self._bind(whole.unpack_from, 'unpack')}(buffer, begin)"
        self.head = Head(version << 8 | number, whole.size, line)

    def _several_source(self, head: Head) -> list[str]:
        self.env["FAULTS"] = FAULTS
        _, size, _, *body, last = self._decode_source()
        if self.shape.size is not None:
            body.insert(0, size)  # others are looked at together with the head
        made = last.strip().removeprefix("return ")
        return [
            "def several(buffer, begin, size, append):",
            "    try:",
            f"        while begin + {head.size} <= size:",
            f"            {head.line}",
            "            at, end = begin, begin + length",
            f"            if kind != {head.kind} or end > size or length < {head.size}: break",
            *(f"        {line}" for line in body),
            f"            append({made})",
            "            begin = end",
            "    except FAULTS: pass",
            "    return begin",
        ]

    def _decode_source(self) -> list[str]:
        size, aligned = self.shape.size, self.aligned
        lines = ["def decode(buffer, at, end):"]
        if size is not None:
            lines.append(f"    if end - at != {size}: raise Malformed")
        reading = self.reading
        if reading and reading[-1] == _TO_THE_END and not (self.offset or aligned):
            reading = reading[:-1]
        lines += [f"    {line}" for line in reading]
        if aligned:
            lines.append(f"    if not 0 <= end - at - {self.offset} < {aligned}: raise Malformed")
        elif size is None and reading is self.reading:
            lines.append(f"    if at + {self.offset} != end: raise Malformed")
        return [*lines, f"    return record({', '.join(self._arguments())})"]

    def _arguments(self) -> list[str]:
        """Return the arguments of the record, by position where it takes them so."""
        record, arguments = self.shape.record, []
        inner: dict[str, list[str]] = {}
        for field, local in self.locals.items():
            outer, dot, rest = field.partition(".")
            if dot:
                inner.setdefault(outer, []).append(f"{rest}={local}")
        for field in record.__struct_fields__:
            if field in inner:
                made = self._bind(get_type_hints(record)[field], "inner")
                value = f"{made}({', '.join(inner[field])})"
            elif field in self.locals:
                value = self.locals[field]
            else:
                value = self._bind(record.defaults()[field], "default")
            arguments.append(value if field in record.__match_args__ else f"{field}={value}")
        return arguments

    def _encode_source(self) -> list[str]:
        lines = [f"def encode({', '.join(['m', *self.given])}):"]
        for field, default in self.shape.absent.items():
            same = index(default) if isinstance(default, int) else self._bind(default, "default")
            lines.append(f"    if m.{field} != {same}: raise Malformed")
        lines += [f"    {line}" for line in self.parts]
        sizes = [f"len({part})" for part in self.output if part.startswith("part_")]
        lines.append(f"    length = {' + '.join([str(self.fixed), *sizes])}")
        if self.aligned:
            lines += [f"    fill = -length % {self.aligned}", "    length += fill"]
            self.output.append("bytes(fill)")
        return [*lines, f"    return {' + '.join(self.output) or repr(b'')}"]


def _keyword_only(record: type[Record]) -> list[str]:
    return [name for name in record.__struct_fields__ if name not in record.__match_args__]


def _struct_code(shape: Shape) -> str | None:
    """Return how `struct` writes a shape of fixed size, None for all that it cannot."""
    if isinstance(shape, c.FormatField):
        return str(shape.fmtstr[1:])
    if isinstance(shape, c.Bytes) and isinstance(shape.length, int):
        return f"{shape.length}s"
    if isinstance(shape, c.Padded) and isinstance(shape.length, int) and shape.subcon is c.Pass:
        return f"{shape.length}x"
    if isinstance(shape, Converted | c.Const | Length | SizeOf | Bits):
        return _struct_code(shape.subcon)
    return None


def _of_size(size: int) -> Callable[[bytes], bytes]:
    """Return the check of what `struct` would cut, or fill up, without a word."""

    def checked(raw: bytes) -> bytes:
        if len(raw) != size:
            raise Malformed
        return raw

    return checked
