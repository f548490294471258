"""The functions of codecs as Cython reads them: for the compiled build, which has them as C.

`writer.py` has written each as Python. Here its struct calls become loads and stores at known
places, and the rest stays as it stands. What does not fit raises one of `FAULTS`, as ever.
"""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterable, Iterator
from typing import TypeGuard

from .actions import Output
from .classic_match import Match10, Match11
from .compiler import codec
from .exceptions import EncodeError
from .flows import FlowMod, FlowRemoved, FlowStats
from .instructions import ApplyActions
from .packet import Arp, Echo, Ethernet, Icmp, IPv4, IPv6, Tcp, Udp, Vlan
from .packets import PacketIn, PacketOut
from .ready import Names, key_of, struct_formats
from .record import Record
from .version import Version
from .writer import Codec

HEAD = '''# cython: language_level=3, binding=False, embedsignature=False
"""Made by protocol/cython_codecs.py; see there."""
cimport cython
from operator import index
from struct import error
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItemWithError
from cpython.long cimport PyLong_AsLongLong, PyLong_FromVoidPtr
from cpython.object cimport PyObject
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #include <structmember.h>
    /* Where a record keeps a field, 0 where that is not known. */
    static Py_ssize_t place_of(PyObject* found) {
        if (!Py_IS_TYPE(found, &PyMemberDescr_Type)) return 0;
        PyMemberDef* member = ((PyMemberDescrObject*)found)->d_member;
        return member->type == T_OBJECT_EX ? member->offset : 0;
    }
    /* The way to an unsigned long is shorter, and that has 64 bits on most systems. */
    #if ULONG_MAX == ULLONG_MAX
    #define as_number PyLong_AsUnsignedLong
    #else
    #define as_number PyLong_AsUnsignedLongLong
    #endif
    static inline PyObject* field_at(PyObject* record, Py_ssize_t place) {
        PyObject* found = *(PyObject**)((char*)record + place);
        if (found == NULL) PyErr_SetString(PyExc_AttributeError, "a field has no value");
        else Py_INCREF(found);
        return found;
    }
    """
    Py_ssize_t place_of(object found)
    object field_at(object record, Py_ssize_t place)
    unsigned long long as_number(object value) except? 0xFFFF_FFFF_FFFF_FFFF

cdef inline object field(object m, bint is_known, Py_ssize_t place, str name):
    return field_at(m, place) if is_known and place else getattr(m, name)

ctypedef unsigned long long number
ctypedef const unsigned char* place

# These three are arithmetic that raises nothing, so that there is no exception to ask for after
# each: who calls them has seen before that there are so many bytes, and that the number fits.
cdef inline number load(place p, int size) noexcept:
    cdef number found = 0
    cdef int at
    for at in range(size):
        found = found << 8 | p[at]
    return found

cdef inline long long load_signed(place p, int size) noexcept:
    return <long long>(load(p, size) << (64 - 8 * size)) >> (64 - 8 * size)

cdef inline void store(unsigned char* p, number value, int size) noexcept:
    cdef int at
    for at in range(size):
        p[at] = <unsigned char>(value >> (8 * (size - 1 - at)))

cdef inline number whole(object value, int size) except? 0xFFFF_FFFF_FFFF_FFFF:
    cdef number found
    if not isinstance(value, int):
        value = index(value)
    found = as_number(value)
    if size < 8 and found >> (8 * size):
        raise OverflowError(f"{value} needs more than {size} bytes")
    return found

cdef inline number fitting(Py_ssize_t value, int size) except? 0xFFFF_FFFF_FFFF_FFFF:
    if size < 8 and value >> (8 * size):
        raise OverflowError(f"{value} needs more than {size} bytes")
    return value

cdef inline long long signed_whole(object value, int size) except? -1:
    cdef long long found = PyLong_AsLongLong(index(value))
    if size < 8 and not -(1LL << (8 * size - 1)) <= found < 1LL << (8 * size - 1):
        raise OverflowError(f"{value} needs more than {size} bytes")
    return found

# Tables know most of what they are asked for; what is asked of a table's method costs four times
# as much as what is asked of the table.
cdef object table_of(object method):
    owner = getattr(method, "__self__", None)
    return owner if isinstance(owner, dict) else {}

cdef inline object known(object table, object find, object key):
    cdef PyObject* found = PyDict_GetItemWithError(table, key)
    return find(key) if found == NULL else <object>found

cdef inline object kept(object table, object find, object value):
    cdef PyObject* found = PyDict_GetItemWithError(table, PyLong_FromVoidPtr(<void*>value))
    return find(value) if found == NULL else (<tuple>found)[1]

cdef inline bytes joinable(object part):
    return part if type(part) is bytes else b"" + part

cdef inline bytes cut(bytes data, Py_ssize_t start, Py_ssize_t stop):
    stop = min(stop, PyBytes_GET_SIZE(data))
    if start >= stop:
        return b""
    return PyBytes_FromStringAndSize(PyBytes_AS_STRING(data) + start, stop - start)

cdef inline object copy_exactly(unsigned char* p, object raw, Py_ssize_t size):
    if type(raw) is not bytes or PyBytes_GET_SIZE(raw) != size:
        raise ValueError(f"{raw!r} is not {size} bytes")
    memcpy(p, PyBytes_AS_STRING(raw), size)

@cython.final
cdef class Template:
    """Whose `fill` puts numbers into bytes: see protocol/templates.py."""

    cdef bytes empty
    cdef int slots
    cdef Py_ssize_t starts[32]
    cdef int sizes[32]
    cdef list names
    cdef number factors[32]
    cdef number limits[32]

    def __init__(self, bytes empty, slots):
        self.empty, self.slots, self.names = empty, len(slots), []
        if self.slots > 32:
            raise KeyError("too many fields")
        for at, (start, size, name, factor, limit) in enumerate(slots):
            largest = (1 << 8 * size) - 1 if limit is None else limit - 1
            if start < 0 or start + size > len(empty):
                raise KeyError("a slot lies outside")
            self.names.append(name)
            self.starts[at], self.sizes[at] = start, size
            self.factors[at] = factor
            self.limits[at] = min(largest, ((1 << 8 * size) - 1) // factor)

    def fill(self, dict numbers not None):
        cdef int at
        cdef number value
        cdef bytes out = PyBytes_FromStringAndSize(NULL, PyBytes_GET_SIZE(self.empty))
        cdef unsigned char* p = <unsigned char*>PyBytes_AS_STRING(out)
        memcpy(p, PyBytes_AS_STRING(self.empty), PyBytes_GET_SIZE(self.empty))
        for at in range(self.slots):
            try:
                value = whole(numbers[self.names[at]], 8)
            except OverflowError:
                raise error("the number has no room") from None
            if value > self.limits[at]:
                raise error("the number has no room")
            store(p + self.starts[at], value * self.factors[at], self.sizes[at])
        return out

@cython.final
cdef class Limits:
    """Whose `excess` is 0 if no number is too large: see CHECKS in protocol/match.py."""

    cdef list names
    cdef number largest[32]

    def __init__(self, dict largest):
        self.names = list(largest)
        if len(self.names) > 32:
            raise KeyError("too many fields")
        for at, one in enumerate(largest.values()):
            self.largest[at] = one

    def excess(self, dict numbers not None):
        cdef int at
        for at in range(len(self.names)):
            value = numbers[self.names[at]]
            if not isinstance(value, int):
                raise TypeError(f"{value!r} is no number")
            try:
                if as_number(value) > self.largest[at]:
                    return 1
            except OverflowError:
                return 1
        return 0

READY = {}
'''

_SIGNED = "bhiq"
_SIZED = ("at", "end", "stop", "length", "fill")  # numbers of bytes


#: What comes or goes by the thousand.
OFTEN = (PacketIn, PacketOut, FlowMod, FlowRemoved, Output, ApplyActions)
PARTS = (Match10, Match11, FlowStats)  # without a head
HEADERS = (Ethernet, Vlan, Arp, IPv4, IPv6, Tcp, Udp, Icmp, Echo)


def ready_module() -> str:
    """Return the source of the module that has the codecs ready that are used often."""
    return cython_module(wanted())


def wanted() -> Iterator[Codec]:
    """Yield the codecs that are used often."""
    headed = [(one, version, True) for one in OFTEN for version in Version]
    parts = [(one, version, False) for one in PARTS for version in Version]
    headers = [(one, max(Version), True) for one in HEADERS]
    for record, version, has_head in (*headed, *parts, *headers):
        if _exists(record, version, has_head):
            yield codec(record, version, has_head)


def _exists(record: type[Record], version: Version, headed: bool) -> bool:
    try:
        record.at(version, headed)
    except EncodeError:
        return False
    return True


def cython_module(codecs: Iterable[Codec]) -> str:
    """Return the source of the module that has these codecs ready."""
    parts, known = [HEAD], set[str]()
    for one in codecs:
        names = one.decode.__globals__
        key = key_of(one.source, names)
        if key not in known:
            known.add(key)
            parts += _Factory(one.source, names, f"codec_{len(known)}", key).lines()
    return "\n".join(parts)


class _Factory:
    """The function that makes those of one codec, given the names they use."""

    def __init__(self, source: str, env: Names, name: str, key: str) -> None:
        self.name, self.key = name, key
        self.decode, self.encode, *several = ast.parse(source).body
        self.several = ast.unparse(several[0]) if several else ""
        names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        self.formats = struct_formats(env)
        self.bound = sorted((names & env.keys()) - self.formats.keys())
        self.tables = {name for name in self.bound if _is_of_a_table(env[name])}
        self.fields = {node.attr for node in ast.walk(self.encode) if _is_field(node)}
        self.encode = _Fields().visit(_Tables(self.tables).visit(self.encode))
        self.decode = _Tables(self.tables).visit(self.decode)

    def lines(self) -> Iterator[str]:
        """Return the lines of the module."""
        yield f"def {self.name}(env):"
        for name in self.bound:
            yield f"    {name} = env[{name!r}]"
        for name in sorted(self.tables):
            yield f"    of_{name} = table_of({name})"
        for name in sorted(self.fields):
            yield f"    cdef Py_ssize_t at_{name} = place_of(getattr(record, {name!r}, None))"
        several = self._several() if self.several else ["several = None"]
        yield from (f"    {line}" for line in (*self._decode(), *self._encode(), *several))
        yield "    return decode, encode, several"
        yield f"READY[{self.key!r}] = {self.name}"
        yield ""

    def _decode(self) -> Iterator[str]:
        assert isinstance(self.decode, ast.FunctionDef)
        yield "def decode(bytes buffer not None, Py_ssize_t at, Py_ssize_t end):"
        yield "    cdef place p = <place>PyBytes_AS_STRING(buffer)"
        for name in sorted(_assigned(self.decode) - {"at"}):
            yield f"    cdef {_type_of(name)} {name}"
        yield "    if at < 0 or end > PyBytes_GET_SIZE(buffer): raise Malformed"
        for line in self.decode.body:
            yield from (f"    {one}" for one in self._reading(line))

    def _reading(self, line: ast.stmt) -> Iterator[str]:
        match line:
            case ast.Assign(
                targets=[ast.Tuple(elts=targets)], value=ast.Call(func=ast.Name(id=name), args=args)
            ) if name in self.formats:
                names = iter([ast.unparse(one) for one in targets])
                start = ast.unparse(args[1])
                for code, offset, size in _codes(self.formats[name]):
                    where = f"{start} + {offset}"
                    if code == "s":
                        yield f"{next(names)} = cut(buffer, {where}, {where} + {size})"
                    elif code != "x":
                        signed = "_signed" if code in _SIGNED else ""
                        yield f"{next(names)} = load{signed}(p + {where}, {size})"
            case _:
                yield from ast.unparse(_Cuts().visit(line)).splitlines()

    def _several(self) -> Iterator[str]:
        """Yield the lines of a function that calls decode, which costs little here."""
        least, kind = (
            re.search(rf"{what} (\d+)", self.several) for what in (r"while begin \+", "kind !=")
        )
        assert least is not None
        assert kind is not None
        yield "def several(bytes buffer not None, Py_ssize_t begin, Py_ssize_t size, append):"
        yield "    cdef Py_ssize_t end"
        yield "    cdef place p = <place>PyBytes_AS_STRING(buffer)"
        yield "    if begin < 0 or size > PyBytes_GET_SIZE(buffer): return begin"
        yield "    try:"
        yield f"        while begin + {least[1]} <= size and load(p + begin, 2) == {kind[1]}:"
        yield "            end = begin + <Py_ssize_t>load(p + begin + 2, 2)"
        yield f"            if end > size or end - begin < {least[1]}: break"
        yield "            append(decode(buffer, begin, end))"
        yield "            begin = end"
        yield "    except FAULTS: pass"
        yield "    return begin"

    def _encode(self) -> Iterator[str]:
        assert isinstance(self.encode, ast.FunctionDef)
        arguments = ", ".join(one.arg for one in self.encode.args.args)
        yield f"def encode({arguments}):"
        for name in sorted(_assigned(self.encode)):
            yield f"    cdef {_type_of(name)} {name}"
        *others, last = self.encode.body
        if self.fields:
            yield "    cdef bint is_known = type(m) is record"
        yield "    cdef bytes out"
        yield "    cdef unsigned char* p"
        for line in others:
            if isinstance(line, ast.Assign) and _type_of(ast.unparse(line.targets[0])) == "bytes":
                yield f"    {ast.unparse(line.targets[0])} = joinable({ast.unparse(line.value)})"
            else:
                yield from (f"    {one}" for one in ast.unparse(line).splitlines())
        assert isinstance(last, ast.Return)
        assert last.value is not None
        self._need_room(others, last.value)
        yield "    out = PyBytes_FromStringAndSize(NULL, length)"
        yield "    p = <unsigned char*>PyBytes_AS_STRING(out)"
        for part in _sum(last.value):
            yield from (f"    {one}" for one in self._writing(part))
        yield "    return out"

    def _need_room(self, lines: list[ast.stmt], joined: ast.expr) -> None:
        """ValueError where more or less is written than was asked for, as C looks at neither."""
        written = 0
        for part in _sum(joined):
            if isinstance(part, ast.Constant) and isinstance(part.value, bytes):
                written += len(part.value)
            elif isinstance(part, ast.Call) and ast.unparse(part.func) in self.formats:
                written += struct.calcsize(self.formats[ast.unparse(part.func)])
        asked = [
            ast.unparse(_sum(line.value)[0])
            for line in lines
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "length"
        ]
        if asked != [str(written)]:
            raise ValueError(f"{asked} is no room for {written} bytes: {ast.unparse(joined)}")

    def _writing(self, part: ast.expr) -> Iterator[str]:
        match part:
            case ast.Call(func=ast.Name(id=name), args=args) if name in self.formats:
                values, total = iter([ast.unparse(one) for one in args]), 0
                for code, offset, size in _codes(self.formats[name]):
                    total = offset + size
                    if code == "x":
                        yield f"memset(p + {offset}, 0, {size})"
                    elif code == "s":
                        yield f"copy_exactly(p + {offset}, {next(values)}, {size})"
                    else:
                        yield self._storing(next(values), code, offset, size)
                yield f"p += {total}"
            case ast.Call(func=ast.Name(id="bytes"), args=[count]):
                yield f"memset(p, 0, {ast.unparse(count)})"
                yield f"p += {ast.unparse(count)}"
            case ast.Constant(value=b""):
                pass
            case _:
                name = ast.unparse(part)
                yield f"memcpy(p, PyBytes_AS_STRING({name}), PyBytes_GET_SIZE({name}))"
                yield f"p += PyBytes_GET_SIZE({name})"

    def _storing(self, value: str, code: str, offset: int, size: int) -> str:
        if value.isdigit():
            return f"store(p + {offset}, {value}, {size})"
        if value == "length" or value.startswith("len("):
            return f"store(p + {offset}, fitting({value}, {size}), {size})"
        taken = "signed_whole" if code in _SIGNED else "whole"
        return f"store(p + {offset}, <number>{taken}({value}, {size}), {size})"


class _Cuts(ast.NodeTransformer):
    """Takes parts of the buffer without a slice object."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        assert isinstance(node.slice, ast.Slice)
        assert node.slice.lower is not None
        assert node.slice.upper is not None
        return _call("cut", node.value, node.slice.lower, node.slice.upper)


def _is_of_a_table(value: object) -> bool:
    is_method = getattr(value, "__name__", "") in ("get", "__getitem__")
    return is_method and isinstance(getattr(value, "__self__", None), dict)


class _Tables(ast.NodeTransformer):
    """Asks the tables instead of their methods."""

    def __init__(self, tables: set[str]) -> None:
        self.tables = tables

    def visit_Call(self, node: ast.Call) -> ast.expr:
        match node:
            case ast.Call(func=ast.Name(id=name), args=[key]) if name in self.tables:
                return _call("known", f"of_{name}", name, self.visit(key))
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        match node:
            case ast.IfExp(
                test=ast.NamedExpr(value=ast.Call(func=ast.Name(id=name))),
                orelse=ast.Call(func=ast.Name(id=find), args=[value]),
            ) if name in self.tables:
                return _call("kept", f"of_{name}", find, value)
        return self.generic_visit(node)  # type: ignore[return-value]


def _call(function: str, *arguments: str | ast.expr) -> ast.Call:
    taken = [ast.Name(one, ast.Load()) if isinstance(one, str) else one for one in arguments]
    return ast.Call(ast.Name(function, ast.Load()), taken, [])


def _is_field(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and ast.unparse(node.value) == "m"


class _Fields(ast.NodeTransformer):
    """Takes fields of the record from where it keeps them."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if not _is_field(node):
            return ast.Attribute(self.visit(node.value), node.attr, node.ctx)
        return _call("field", "m", "is_known", f"at_{node.attr}", ast.Constant(node.attr))


def _assigned(function: ast.FunctionDef) -> set[str]:
    return {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _type_of(name: str) -> str:
    if name in _SIZED or name.startswith("size_"):
        return "Py_ssize_t"
    return "bytes" if name.startswith("part_") else "object"


def _sum(value: ast.expr) -> list[ast.expr]:
    """Return what is added up."""
    if isinstance(value, ast.BinOp):
        return [*_sum(value.left), value.right]
    return [value]


def _codes(form: str) -> Iterator[tuple[str, int, int]]:
    """Return code, offset and size of each member of a struct."""
    offset, count = 0, ""
    for code in form.removeprefix(">"):
        if code.isdigit():
            count += code
            continue
        size = struct.calcsize(f">{count}{code}")
        yield code, offset, size
        offset, count = offset + size, ""
