"""Who is compared: how each controller is started, and what it can do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version as package_version
from importlib.util import find_spec
from pathlib import Path

from protocol import OF10, OF13, Version

ROOT = Path(__file__).parents[3]
OS_KEN_APP = ROOT / "tests" / "interop" / "osken_learning_switch.py"
OS_KEN = "os-ken"
PATIENCE = 30.0  # seconds in which a controller must listen


@dataclass(frozen=True)
class Rival:
    """A controller that forwards as a learning switch does; PORT and DIR stand for themselves."""

    name: str
    edition: str
    words: Sequence[str]
    versions: frozenset[Version] = frozenset({OF10, OF13})
    most_switches: int = 1 << 16


@dataclass(frozen=True)
class Running:
    """A controller that listens."""

    pid: int
    port: int


OURS = Rival(
    "pointsman",
    package_version("pointsman"),
    [sys.executable, "-m", "controller", "learning_switch", "--listen", "ptcp:PORT:127.0.0.1"],
)


#: Ours as `make compiled` builds it; -I lets it not see the sources here.
COMPILED = replace(
    OURS,
    name="pointsman, compiled",
    words=[str(ROOT / ".venv-compiled" / "bin" / "python"), "-I", *OURS.words[1:]],
)


def rivals() -> Iterator[Rival]:
    """Yield ours, and those that are installed here."""
    yield OURS
    if Path(COMPILED.words[0]).exists():
        _need_current_build()
        yield COMPILED
    if find_spec("os_ken"):
        words = [sys.executable, str(OS_KEN_APP), "PORT"]
        yield Rival(OS_KEN, package_version("os-ken"), words)
    if checkout := os.environ.get("POX"):
        program = str(Path(checkout).absolute() / "pox.py")
        module, switch = "openflow.of_01", "forwarding.l2_learning"
        words = [sys.executable, "-OO", program, "--unthreaded-sh"]
        words += [module, "--address=127.0.0.1", "--port=PORT", switch]
        yield Rival("POX", _commit(checkout), words, frozenset({OF10}), most_switches=1_000)
    if program := shutil.which("ovs-testcontroller"):
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        words = [program, "ptcp:PORT:127.0.0.1", "--unixctl=DIR/control"]
        edition = told.stdout.split("\n")[0].split()[-1]
        # It is written for no more than 16 (utilities/ovs-testcontroller.c, MAX_SWITCHES).
        yield Rival("ovs-testcontroller", edition, words, most_switches=16)


def _need_current_build() -> None:
    """SystemExit where what was built is not what stands here."""
    for package in ("protocol", "controller", "switch_sim"):
        words = [COMPILED.words[0], "-Ic", f"import {package}; print({package}.__path__[0])"]
        told = subprocess.run(words, capture_output=True, text=True, check=False)
        built = Path(told.stdout.strip() or "nowhere")
        for path in (ROOT / package).rglob("*.py"):
            copy = built / path.relative_to(ROOT / package)
            if not copy.exists() or copy.read_bytes() != path.read_bytes():
                raise SystemExit(f"the compiled build is of another {path.name}: make compiled")


def _commit(checkout: str) -> str:
    words = ["git", "-C", checkout, "rev-parse", "--short", "HEAD"]
    told = subprocess.run(words, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "of unknown edition"


@contextmanager
def running(rival: Rival) -> Iterator[Running]:
    """Run a controller on a free port of this machine; its log goes with it."""
    with tempfile.TemporaryDirectory() as directory, open(f"{directory}/log", "w+") as log:
        port = _free_port()
        words = [one.replace("PORT", str(port)).replace("DIR", directory) for one in rival.words]
        environment = os.environ | {"XDG_RUNTIME_DIR": directory}
        process = subprocess.Popen(
            words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            _await_listening(process, port)
            yield Running(process.pid, port)
        except TimeoutError:
            log.seek(0)
            raise SystemExit(f"{rival.name} does not listen:\n{log.read()[-2000:]}") from None
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _await_listening(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError
