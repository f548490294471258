"""The socket at which a running controller answers: a line of JSON in, lines of JSON out.

It is a Unix socket that only its user can open. Systems without Unix sockets have no control.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from protocol import OpenFlowError, RequestError
from protocol.error_words import words_of
from protocol.errors import ErrorCode
from protocol.spec_names import error_name
from protocol.transport import unix

from ..server import Controller
from .answers import QUESTIONS, Answer
from .which import Unanswerable

logger = logging.getLogger("controller")

MAX_LINE = 1 << 20  # bytes of a question
_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(dict[str, Any]).decode


class Control:
    """Answers questions about a controller, and does what it is asked.

    `others` is where other processes answer that have switches of their own: they are asked as
    well, and whoever asks need not know that there are several.
    """

    def __init__(self, controller: Controller, others: Sequence[Path] = ()) -> None:
        self.controller, self._others = controller, others
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def listen(self, path: Path) -> None:
        """Answer at `path`; OSError where that cannot be, as when another controller does."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not hasattr(asyncio, "start_unix_server"):
            raise OSError("this system has no Unix sockets")
        unix.remove_leftover(str(path))
        if path.exists():
            raise OSError(f"another controller answers at {path}; give this one --control PATH")
        self._server = await asyncio.start_unix_server(self._serve, path, limit=MAX_LINE)
        path.chmod(0o600)
        self._path = path

    async def close(self) -> None:
        """Stop answering, and remove the socket."""
        if self._server is None or self._path is None:
            return
        self._server.close()
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        self._path.unlink(missing_ok=True)
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            await self._answer_all(await reader.readline(), writer)
        except (ConnectionError, ValueError) as error:  # the latter for a line without an end
            logger.debug("control: a client left: %s", error)
        except asyncio.CancelledError:
            pass  # by `close`; asyncio's own callback does not bear to hear of it
        finally:
            self._clients.discard(task)
            writer.close()

    async def _answer_all(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        """Answer for all processes; an error is told where nobody has another answer."""
        errors: dict[str, None] = {}  # each once
        has_answered = False

        async def pass_on(found: AsyncGenerator[Answer, None]) -> None:
            nonlocal has_answered
            async with contextlib.aclosing(found) as answers:
                async for answer in answers:
                    if answer.keys() == {"error"}:
                        errors[str(answer["error"])] = None
                    else:
                        has_answered = True
                        await _write(writer, answer)

        found = [self._answers(line), *(asked_there(path, line) for path in self._others)]
        asked = [asyncio.create_task(pass_on(one)) for one in found]
        try:
            await asyncio.gather(*asked)
        finally:  # when who asked has left, nobody else is to go on for it
            for one in asked:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        if errors and not has_answered:
            await _write(writer, {"error": "; another process: ".join(errors)})

    async def _answers(self, line: bytes) -> AsyncGenerator[Answer, None]:
        try:
            question = _decode(line)
            answer = QUESTIONS[question["question"]]
            async with contextlib.aclosing(answer(self.controller, question)) as answers:
                async for one in answers:
                    yield one
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            yield {"error": f"this is no question: {error!r}"}
        except RequestError as error:
            yield {"error": _refusal(error)}
        except (Unanswerable, OpenFlowError, ValueError) as error:
            yield {"error": str(error)}


async def asked_there(path: Path, line: bytes) -> AsyncGenerator[Answer, None]:
    """Yield what another process answers to a question; nothing where it does not."""
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=MAX_LINE)
    except OSError as error:  # it is being started again
        logger.debug("control: nobody answers at %s: %s", path, error)
        return
    try:
        writer.write(line)
        while answer := await reader.readline():
            yield _decode(answer)
    finally:
        writer.close()


def _refusal(error: RequestError) -> str:
    """Return what the switch answered in words, and the specification's name for it."""
    code = error.error.code
    if isinstance(code, ErrorCode):
        return f"the switch refuses: {words_of(code)} ({error_name(code)})"
    return f"the switch refuses: {code}"


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(_encode(answer) + b"\n")
    await writer.drain()
