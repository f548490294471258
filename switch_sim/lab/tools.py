"""`pointsman codec` and `pointsman explain`: messages as JSON, and byte by byte."""

from __future__ import annotations

import io
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, cast

import click
import msgspec
from rich.console import Console
from rich.text import Text

from protocol import DecodeError, EncodeError, Message, Version
from protocol.as_data import as_data
from protocol.capture_file import is_capture
from protocol.endpoint import MAX_PORT
from protocol.explain import BYTES_IN_ROW, Explanation, dump, explain, headline, rows, verdict
from protocol.pcap import OPENFLOW_PORTS, Captured, read
from protocol.spec_names import class_name

MAX_LINE = 1 << 20  # a message has 128 KiB in hex; more is no message and must not fill memory
_CHUNK = 1 << 16
_encode = msgspec.json.Encoder().encode


# codec


@click.command(short_help="Turn messages in hex into lines of JSON.")
def codec() -> None:
    """Turn messages in hex, one a line, from standard input into lines of JSON.

    A line gives {"version", "type", "name", "text", "message", "encoded"}: version and type
    as the header has them, the class, the line that people read, all fields that the version
    has, and the message encoded again. What is no message gives {"error": {"type", "code",
    "name", "path", "reason"}}: the error to answer with, where one fits. Each line that
    comes, empty or not, gives one line; what is at hand is answered before more is awaited.

    \b
    Example:
      echo 0402000800000007 | pointsman codec
    """
    answer_lines(sys.stdin.buffer, sys.stdout.buffer)


def answer_lines(source: BinaryIO, target: BinaryIO) -> None:
    """Answer each line of `source` in `target`; flush when nothing more is at hand."""
    for lines in _batches(source):
        target.write(b"".join([answer(line) + b"\n" for line in lines]))
        target.flush()


def _batches(source: BinaryIO) -> Iterator[list[bytes]]:
    """Return the lines that have come, whenever some have; the rest of one waits for its end."""
    read_some = getattr(source, "read1", source.read)
    rest = b""
    while chunk := read_some(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE:  # keep enough to see that it is too long
            rest = rest[: MAX_LINE + 1]
        if lines:
            yield lines
    if rest:
        yield [rest]


def answer(line: bytes) -> bytes:
    """Return the JSON for one line of hex."""
    try:
        data = _bytes_of(line)
    except ValueError as error:
        return _encode({"error": _no_message(str(error))})
    try:
        message = Message.decode(data)
    except DecodeError as error:
        return _encode({"error": _error(error, data)})
    return _encode(_described(message, data))


def _bytes_of(line: bytes) -> bytes:
    if len(line) > MAX_LINE:
        raise ValueError(f"the line is longer than {MAX_LINE} characters")
    if not (text := line.strip()):
        raise ValueError("the line is empty")
    try:
        return bytes.fromhex(text.decode("latin-1"))
    except ValueError as error:
        raise ValueError(f"this is no message in hex: {error}") from error


def _described(message: Message, data: bytes) -> dict[str, Any]:
    version = Version(data[0])
    found = {
        "version": data[0],
        "type": data[1],
        "name": class_name(type(message)),
        "text": str(message),
        "message": as_data(message, version),
    }
    try:
        return {**found, "encoded": message.encode(version).hex()}
    except EncodeError as error:  # what a peer says may have no place in our words
        return {**found, "encoded": None, "reason": str(error)}


def _no_message(reason: str) -> dict[str, Any]:
    return {"type": None, "code": None, "name": None, "path": "", "reason": reason}


def _error(error: DecodeError, data: bytes) -> dict[str, Any]:
    """Return the error to answer with, numbered as the message's version numbers it."""
    version = Version(data[0]) if data and data[0] in set(Version) else max(Version)
    numbers = error.code.at(version) if error.code is not None else None
    kind, code = numbers or (None, None)
    name = str(error.code) if error.code is not None else None
    return {
        "type": kind, "code": code, "name": name, "path": error.path, "reason": error.reason,
    }  # fmt: skip


# explain


@click.command("explain", short_help="Show what each byte of a message is.")
@click.argument("what", nargs=-1, required=True, metavar="HEX|FILE.pcap|-")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each message.")
@click.option("--limit", default=0, metavar="N", help="Stop after N messages of a capture.")
@click.option(
    "--port",
    "ports",
    multiple=True,
    type=click.IntRange(1, MAX_PORT),
    metavar="PORT",
    help="Where the controllers of a capture listen; several times for several.  [6653, 6633]",
)
def explain_command(
    what: tuple[str, ...], as_json: bool, limit: int, ports: tuple[int, ...]
) -> None:
    """Show what each byte of a message is: of HEX, or of all messages in a capture.

    HEX may have spaces, and come in several arguments. With - a capture is read from standard
    input, or messages in hex, one a line. A broken message is shown up to the byte where it
    broke, with the error to answer with.

    \b
    Examples:
      pointsman explain 04 0e 0010 00000007 0000 0000 0000 0000
      pointsman explain said.pcap --limit 3
      pointsman record s1 --pcap - | pointsman explain - --json
    """
    console = Console(highlight=False, soft_wrap=True)
    for number, (captured, data) in enumerate(_messages_in(what, ports or OPENFLOW_PORTS)):
        if limit and number >= limit:
            break
        found = explain(data)
        if as_json:
            click.echo(_encode(_explained(found, captured)))
        else:
            _show(console, found, captured, first=number == 0)


def _messages_in(
    what: tuple[str, ...], ports: Collection[int]
) -> Iterator[tuple[Captured | None, bytes]]:
    if what == ("-",):
        yield from _messages_from(sys.stdin.buffer, ports)
        return
    path = Path(what[0])
    if len(what) == 1 and path.is_file():
        with path.open("rb") as file:
            if not is_capture(file.read(4)):
                raise click.BadParameter(f"{path} is neither pcap nor pcapng")
            file.seek(0)
            yield from ((captured, captured.data) for captured in _captured(file, ports))
        return
    try:
        yield None, _hex(" ".join(what))
    except ValueError as error:
        hint = "; and there is no such file" if len(what) == 1 else ""
        raise click.BadParameter(f"this is no hex: {error}{hint}") from error


def _messages_from(
    pipe: BinaryIO, ports: Collection[int]
) -> Iterator[tuple[Captured | None, bytes]]:
    """Yield the messages of a capture, or of lines of hex, that come through a pipe."""
    file = pipe if isinstance(pipe, io.BufferedReader) else io.BufferedReader(cast(Any, pipe))
    if is_capture(file.peek(4)[:4]):
        yield from ((captured, captured.data) for captured in _captured(file, ports))
        return
    for number, line in enumerate(iter(lambda: file.readline(MAX_LINE), b""), start=1):
        if text := line.decode("latin-1").strip():
            try:
                yield None, _hex(text)
            except ValueError as error:
                raise click.BadParameter(f"line {number} is no hex: {error}") from error


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", " ").replace("0x", ""))


def _captured(file: BinaryIO, ports: Collection[int]) -> Iterator[Captured]:
    try:
        yield from read(file, ports)
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _explained(found: Explanation, captured: Captured | None) -> dict[str, Any]:
    error = found.error
    return {
        **(_where(captured) if captured else {}),
        "version": int(found.version) if found.version else None,
        "text": headline(found),
        "parts": [
            {**asdict(part), "hex": "" if part.whole else found.data[part.start : part.end].hex()}
            for part in found.parts
        ],
        "error": _error(error, found.data) | {"at": found.broken_at} if error else None,
    }


def _where(captured: Captured) -> dict[str, Any]:
    return {
        "time": captured.time,
        "source": str(captured.source),
        "target": str(captured.target),
        "from_controller": captured.from_controller,
    }


def _show(console: Console, found: Explanation, captured: Captured | None, first: bool) -> None:
    if not first:
        console.print()
    if captured is not None:
        console.print(
            Text(f"{captured.time:.6f} {captured.source} -> {captured.target}", style="cyan")
        )
    if not console.is_terminal:
        click.echo(dump(found))
        return
    console.print(Text(headline(found), style="bold"), Text(""), sep="\n")
    for line in _coloured(found):
        console.print(line)
    if said := verdict(found):
        console.print(Text(f"\n{said}", style="bold red"))


def _coloured(found: Explanation) -> Iterable[Text]:
    """Return the lines of a dump in colours."""
    width = 3 * BYTES_IN_ROW
    for row in rows(found):
        unread = row.value == "not read"
        yield Text.assemble(
            (f"{row.offset:4}  ", "dim"),
            (f"{row.hex:{width}} ", "red" if unread else "green"),
            (f"{row.name:30}  ", "dim" if row.name.endswith("padding") else ""),
            (row.value, "bold"),
            (f"  {row.meaning}" if row.value and row.meaning else row.meaning, "magenta"),
        )
