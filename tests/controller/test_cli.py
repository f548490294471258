"""The command: one sentence for each mistake, and a proper end."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from controller.certificates import make
from controller.cli import command
from controller.loading import bundled
from protocol import Closed, EchoReply, EchoRequest, Version
from protocol.endpoint import Endpoint

from .fakes import PATIENCE, FakeSwitch

ROOT = Path(__file__).parents[2]
LINE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (\w+) (.*)\n"  # of the log, where no terminal is
LISTENING = re.compile(LINE.replace("(.*)", r"listening at (ptcp:\d+:127\.0\.0\.1) for (\w+)"))


async def started(*words: str) -> asyncio.subprocess.Process:
    """Start a Python with these arguments."""
    return await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )


async def finished(*words: str) -> tuple[int | None, str]:
    """Run the command to its end; return its status, and what it said."""
    process = await started("-m", "controller", *words)
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE)
    return process.returncode, said.decode()


@pytest.fixture(autouse=True)
def _own_runtime_directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep out of the way of a controller that runs on this machine anyway.

    The path of a socket must be short, which pytest's own directories are not.
    """
    with TemporaryDirectory() as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield


@asynccontextmanager
async def listening(
    *words: str,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Endpoint, str]]:
    """Start a Python that runs a controller; yield it, where it listens, and for which app."""
    process = await started(*words)
    assert process.stderr is not None
    try:
        line = (await asyncio.wait_for(process.stderr.readline(), PATIENCE)).decode()
        found = LISTENING.fullmatch(line)
        assert found, line + (await process.stderr.read()).decode()
        yield process, Endpoint.parse(found[2]), found[3]
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["learning_swich"], "did you mean learning_switch?"),
        (["no_such_file.py"], "there is no file no_such_file.py"),
        (["--of-version", "1.9"], "'1.9' is no version of OpenFlow; there are 1.0, 1.1"),
        (["--listen", "6653"], "'6653' is no endpoint: write tcp:HOST:PORT, ssl:HOST:PORT"),
        (["--private-key", "k.pem"], "TLS needs --certificate and --ca-cert as well"),
        (["--connect", "ptcp:6653"], "listens: write --listen ptcp:6653:127.0.0.1"),
        (["--of-version", "1.3-1.0"], "write 1.0-1.3"),
        (["--listen", "ptcp:99999"], "port '99999', which is not from 0 to 65535"),
        (["--listen", "tcp:127.0.0.1:6653"], "dials: write --connect tcp:127.0.0.1:6653"),
    ],
)
def test_a_mistake_in_the_arguments_is_one_sentence(words: list[str], sentence: str) -> None:
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 2
    assert result.output.startswith("Error: ")
    assert sentence in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = (\n", "mine.py is not valid Python: '(' was never closed"),
        (
            "from controller import App\nclass Mine(App):\n    def packet_in(self): ...\n",
            "Mine.packet_in must be declared with async def",
        ),
    ],
)
def test_a_mistake_in_an_application_is_one_sentence(
    text: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)  # for the sake of what is undone afterwards
    (tmp_path / "mine.py").write_text(text)
    result = CliRunner().invoke(command, [str(tmp_path / "mine.py")])
    assert result.exit_code == 2
    assert sentence in result.output
    assert result.output.count("\n") == 1


def test_an_unknown_option_is_a_mistake_in_the_usage() -> None:
    result = CliRunner().invoke(command, ["--echo-interval", "-1"])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_help_names_the_bundled_applications() -> None:
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    _, _, listed = result.output.partition("Bundled applications:")
    assert all(f"  {name}  " in listed for name in bundled())


async def test_a_port_that_is_taken_is_one_sentence_with_the_cure() -> None:
    async with listening("-m", "controller", "--listen", "ptcp:0") as (_, at, _):
        status, said = await finished("hub", "--listen", str(at))
    assert status == 1
    found = re.fullmatch(LINE, said)
    assert found, said
    assert found[2] == (
        f"cannot listen at {at}: Address already in use; "
        "take another port, or port 0 for any that is free"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b"])
async def test_a_host_that_is_not_here_is_one_sentence_with_the_cure(host: str) -> None:
    status, said = await finished("hub", "--listen", f"ptcp:0:{host}")
    assert status == 1
    found = re.fullmatch(LINE, said)
    assert found, said
    assert "name an address of this machine" in found[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_good_order(number: signal.Signals) -> None:
    arguments = ["-m", "controller", "hub", "--listen", "ptcp:0", "--of-version", "1.3"]
    async with listening(*arguments) as (process, at, app):
        switch = await FakeSwitch.dial(at)
        process.send_signal(number)
        await switch.hang()
        _, said = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert app == "Hub"
    assert process.returncode == 0
    assert [line[2][:32] for line in re.finditer(LINE, said.decode())] == [
        "datapath 0x0000000000000001: rea",
        "datapath 0x0000000000000001: clo",
    ]
    switch.leave()


async def told(process: asyncio.subprocess.Process, words: str) -> None:
    """Wait until the log of a process says something."""
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        while words not in (line := (await process.stderr.readline()).decode()):
            assert line, f"it ended without {words!r}"


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP here")
async def test_sighup_reads_certificates_again_and_ends_nothing(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="cryptography, which makes certificates")
    make(tmp_path / "tls")
    tls = ["--private-key", "controller.key", "--certificate", "controller.pem"]
    paths = [one if one.startswith("--") else str(tmp_path / "tls" / one) for one in tls]
    trusted = ["--ca-cert", str(tmp_path / "tls" / "ca.pem")]
    both = ["--listen", "ptcp:0", "--listen", "pssl:0"]
    async with listening("-m", "controller", "hub", *both, *paths, *trusted) as (process, at, _):
        switch = await FakeSwitch.dial(at)
        await told(process, "ready")
        process.send_signal(signal.SIGHUP)
        await told(process, "INFO TLS: the certificates were renewed")
        (tmp_path / "tls" / "controller.pem").write_text("broken")
        process.send_signal(signal.SIGHUP)
        await told(process, "ERROR TLS: the renewed certificates are not used: ")
        switch.send(EchoRequest(b"still there?"))
        assert (await switch.expect(EchoReply)).data == b"still there?"
        process.send_signal(signal.SIGTERM)
        await switch.hang()
        await process.communicate()
        assert process.returncode == 0
        switch.leave()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP here")
async def test_sighup_without_tls_says_that_there_is_nothing_to_read() -> None:
    async with listening("-m", "controller", "hub", "--listen", "ptcp:0") as (process, at, _):
        process.send_signal(signal.SIGHUP)
        await told(process, "there are no certificates to read again: no endpoint uses TLS")
        switch = await FakeSwitch.dial(at)
        switch.leave()


async def test_only_the_versions_that_were_named_are_spoken() -> None:
    arguments = ["-m", "controller", "--listen", "ptcp:0"]
    for name in ("1.0", "1.4"):
        arguments += ["--of-version", name]
    async with listening(*arguments) as (_, at, _):
        for version in (Version.OF10, Version.OF14):
            switch = await FakeSwitch.dial(at, version)
            switch.leave()
        switch = await FakeSwitch.connect(at, Version.OF13)
        switch.send()
        assert (await switch.expect(Closed)).reason.startswith("no version in common")
        switch.leave()


async def test_a_script_that_calls_run_is_a_controller(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from controller import App, run\n\n\n"
        "class Mine(App):\n    pass\n\n\n"
        "run(Mine(), listen=['ptcp:0'])\n"
    )
    async with listening(str(script)) as (process, _, app):
        process.terminate()
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    assert app == "Mine"


async def test_it_takes_as_many_file_descriptors_as_it_may() -> None:
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux tells the limits of another process")
    code = (
        "import resource as r; _, hard = r.getrlimit(r.RLIMIT_NOFILE);"
        "r.setrlimit(r.RLIMIT_NOFILE, (64, hard));"
        "from controller.cli import command; command(['--listen', 'ptcp:0'])"
    )
    async with listening("-c", code) as (process, _, _):
        soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    assert soft == hard
