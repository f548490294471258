"""Configuration: a file in TOML and the command line; mistakes name file, line, key and cure."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from controller.app import name_of
from controller.apps.forwarding import ForwardingOptions
from controller.cli import command
from controller.configuration import Configuration, ConfigurationError
from controller.options import Options, described, read_options
from controller.reloading import apps_of
from controller.server import Duplicates
from controller.toml_lines import lines_of
from protocol import ALL_VERSIONS, OF13, OF14, OF15

WALL = """
from ipaddress import IPv4Address
from typing import Annotated

import msgspec

from controller import App, Options


class WallOptions(Options):
    port: Annotated[int, msgspec.Meta(ge=1, le=65535, description="closed to all")] = 80
    web: IPv4Address = IPv4Address("10.0.0.1")
    strict: bool = False


class Wall(App):
    def __init__(self, options: WallOptions) -> None:
        self.options = options
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with an application, in which no module is found by chance."""
    monkeypatch.syspath_prepend(tmp_path)  # for the sake of what is undone afterwards
    (tmp_path / "stonewall.py").write_text(WALL)
    return tmp_path


def reading(place: Path, text: str, *sets: str, apps: tuple[str, ...] = (), **given: Any) -> Any:
    """Return the plan and the applications of a file, and of what the command line says."""
    (place / "p.toml").write_text(text)
    configuration = Configuration(place / "p.toml", given, apps, sets)
    plan = configuration.read()
    return plan, apps_of(configuration.load(plan))


def test_without_anything_it_is_the_learning_switch_at_the_usual_port() -> None:
    configuration = Configuration()
    plan = configuration.read()
    (app,) = apps_of(configuration.load(plan))
    assert [str(one) for one in plan.endpoints] == ["ptcp:6653:127.0.0.1"]
    assert (plan.versions, plan.tls, plan.control) == (ALL_VERSIONS, None, None)
    assert type(app).__name__ == "LearningSwitch"


def test_a_file_says_all_that_the_command_line_can(place: Path) -> None:
    plan, apps = reading(
        place,
        """
        listen = ["ptcp:6633", "punix:/tmp/of"]
        connect = ["tcp:127.0.0.1:6634"]
        versions = ["1.3", "1.4+"]
        echo_interval = 5
        duplicates = "oldest"
        packet_in_rate = 50
        control = "/tmp/control"

        [tls]
        private_key = "tls/key.pem"
        certificate = "/etc/cert.pem"
        ca_cert = "none"

        [apps.hub]

        [apps.wall]
        from = "./stonewall.py"
        port = 8080
        web = "10.0.0.9"
        """,
    )
    assert [str(one) for one in plan.endpoints] == [
        "ptcp:6633:127.0.0.1",
        "punix:/tmp/of",
        "tcp:127.0.0.1:6634",
    ]
    assert plan.versions == {OF13, OF14, OF15}
    assert plan.duplicates is Duplicates.OLDEST
    assert plan.packet_in_rate == 50
    assert (plan.echo_interval, plan.control) == (5, Path("/tmp/control"))
    assert plan.tls is not None
    assert plan.tls.private_key == str(place / "tls/key.pem")
    assert (plan.tls.certificate, plan.tls.ca_cert) == ("/etc/cert.pem", "none")
    hub, wall = apps
    assert type(hub).__name__ == "Hub"
    assert (wall.options.port, wall.options.web) == (8080, IPv4Address("10.0.0.9"))
    assert wall.options.strict is False


def test_the_command_line_wins(place: Path) -> None:
    text = 'listen = ["ptcp:1"]\n[apps.hub]\n[apps.wall]\nfrom = "./stonewall.py"\nport = 1\n'
    sets = ("wall.port=2", "wall.web=10.0.0.7", "wall.strict=true")
    plan, (wall,) = reading(place, text, *sets, apps=("wall",), listen=("ptcp:2",))
    assert [one.port for one in plan.endpoints] == [2]
    assert (wall.options.port, str(wall.options.web)) == (2, "10.0.0.7")
    assert wall.options.strict is True


def test_of_the_files_for_tls_each_one_wins_over_its_like(place: Path) -> None:
    text = "[tls]\nprivate_key = 'a'\ncertificate = 'b'\nca_cert = 'c'\n"
    plan, _ = reading(place, text, tls={"certificate": "mine"})
    found = (plan.tls.private_key, plan.tls.certificate, plan.tls.ca_cert)
    assert found == (str(place / "a"), "mine", str(place / "c"))


def test_to_set_an_option_lets_no_application_run(place: Path) -> None:
    _, apps = reading(place, "[apps.forwarding]\n", "topology.interval=2")
    assert [name_of(app) for app in apps] == ["topology", "forwarding"]
    for text in ("", "[apps.hub]\n"):
        with pytest.raises(ConfigurationError, match="forwarding does not run; name it on the com"):
            reading(place, text, "forwarding.multipath=false")


def test_who_is_brought_by_others_can_be_told_something_too(place: Path) -> None:
    text = "[apps.forwarding]\n[apps.topology]\ninterval = 2\n"
    _, (topology, forwarding) = reading(place, text)
    assert forwarding.topology is topology
    assert topology.options.interval == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("listen = [\n", "p.toml is not TOML: "),
        (
            "\n\nlissen = []\n",
            "p.toml, line 3: lissen: there is no lissen here; did you mean listen?",
        ),
        (
            'connect = []\nlisten = [\n  "6653",\n]\n',
            "p.toml, line 2: listen: '6653' is no endpoint: write tcp:HOST:PORT",
        ),
        ('listen = ["tcp:127.0.0.1:1"]', "p.toml, line 1: listen: tcp:127.0.0.1:1 dials: write --"),
        ("listen = 5", "p.toml, line 1: listen: Expected array, got int"),
        ('versions = ["1.9"]', "p.toml, line 1: versions: '1.9' is no version of OpenFlow; there"),
        ("echo_interval = -1", "p.toml, line 1: echo_interval: Expected float >= 0"),
        ("echo_interval = true", "p.toml, line 1: echo_interval: Expected float, got bool"),
        ("duplicates = 'no'", "p.toml, line 1: duplicates: Invalid enum value 'no'"),
        ("\ntls = 3", "p.toml, line 2: tls: write a table, [tls]"),
        ("[tls]\nprivate_key = 'k'", "p.toml, line 1: tls: TLS needs --certificate and --ca-cert"),
        ("[tls]\nkey = 'k'", "p.toml, line 2: tls.key: there is no key here; there is private_key"),
        ("apps = 5", "p.toml, line 1: apps: Expected object, got int"),
        ("[apps]\nhub = 5", "p.toml, line 2: apps.hub: write a table, [apps.hub]"),
        (
            "[apps.hubb]",
            "p.toml, line 1: apps.hubb: there is no application hubb; did you mean hub?",
        ),
        (
            "[apps.nothing_like_it]\n",
            "p.toml, line 1: apps.nothing_like_it: there is no application nothing_like_it; say "
            'where it is: from = "nothing_like_it.py"',
        ),
        (
            "[apps.hub]\n[apps.topology]\ninterval = 2.0",
            "p.toml, line 2: apps.topology: topology runs beside forwarding, which does not run; "
            "name one on the command line, or in the file as [apps.forwarding]",
        ),
        ("[apps.hub]\nport = 5", "p.toml, line 2: apps.hub.port: hub takes no options"),
        ("[apps.hub]\nfrom = 5", "p.toml, line 2: apps.hub.from: write a file or a module"),
        ("[apps.wall]\nfrom = './none.py'", "there is no file"),
        (
            "[apps.stone]\nfrom = './stonewall.py'",
            "p.toml, line 1: apps.stone: there is no application stone; say where",
        ),
        (
            "[apps.wall]\nfrom = './stonewall.py'\nprot = 5",
            "p.toml, line 3: apps.wall.prot: there is no prot here; did you mean port?",
        ),
        (
            "[apps.wall]\nfrom = './stonewall.py'\n# a port\nport = '80'",
            "p.toml, line 4: apps.wall.port: Expected int, got str",
        ),
        (
            "[apps.wall]\nfrom = './stonewall.py'\nport = 70000",
            "p.toml, line 3: apps.wall.port: Expected int <= 65535",
        ),
        (
            "apps.wall = {from = './stonewall.py', web = '10.0.0'}",
            "p.toml, line 1: apps.wall.web: Expected 4 octets in '10.0.0'",
        ),
        (
            "[apps.wall]\nfrom = './stonewall.py'\nweb = 5",
            "p.toml, line 3: apps.wall.web: write it as text",
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_file_line_key_and_cure(
    text: str, sentence: str, place: Path
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        reading(place, text)
    assert sentence in str(raised.value).replace(f"{place}/", "")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("wall", "--set wall: write it as in --set forwarding.multipath=false"),
        ("wall=5", "--set wall=5: write it as in"),
        (
            "wall.prot=5",
            "--set wall.prot=5: apps.wall.prot: there is no prot here; did you mean port",
        ),
        ("wall.port=x", "--set wall.port=x: apps.wall.port: Expected int, got str"),
        ("wall.port.x=1", "--set wall.port.x=1: port has no options below it"),
        (
            "wal.port=5",
            "--set wal.port=5: apps.wal: there is no application wal; did you mean wall?",
        ),
    ],
)
def test_a_mistake_of_the_command_line_is_told_as_it_was_written(
    told: str, sentence: str, place: Path
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        reading(place, "[apps.wall]\nfrom = './stonewall.py'\nport = 1\n", told, apps=("wall",))
    assert sentence in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: No such file"):
        Configuration(tmp_path / "none.toml").read()


def test_a_file_that_cannot_be_one_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.configuration.SIZE_MAX", 3)
    (tmp_path / "p.toml").write_bytes(b"\xff\xff")
    with pytest.raises(ConfigurationError, match="is not TOML: 'utf-8' codec"):
        Configuration(tmp_path / "p.toml").read()
    (tmp_path / "p.toml").write_text("# long")
    with pytest.raises(ConfigurationError, match="has more than 3 bytes"):
        Configuration(tmp_path / "p.toml").read()


def test_who_makes_itself_cannot_be_told_anything(place: Path) -> None:
    (place / "selfmade.py").write_text(
        WALL + "\nfrom controller import run\nrun(Wall(WallOptions()))"
    )
    with pytest.raises(ConfigurationError, match=r"line 1: apps\.wall: its file makes it itself"):
        reading(place, "[apps.wall]\nfrom = './selfmade.py'\nport = 5")


class Nested(Options):
    depth: int


class Outer(Options):
    nested: Nested
    names: list[str] = []


def test_what_has_no_default_must_be_given() -> None:
    with pytest.raises(ValueError, match="depth is missing, and has no default"):
        read_options(Outer, {"nested": {}})
    assert read_options(Outer, {"nested": {"depth": 3}}) == Outer(Nested(3))


def test_options_are_described_with_their_defaults() -> None:
    assert described(Outer) == [("nested", "", ""), ("names", "[]", "")]


def test_the_example_is_good_and_says_what_holds_without_it(place: Path) -> None:
    result = CliRunner().invoke(command, ["--write-config"])
    assert result.exit_code == 0
    uncommented = re.sub(r"^# (?=\[|(?!from)\w+ = )", "", result.output, flags=re.MULTILINE)
    plan, apps = reading(place, uncommented)
    default, _ = reading(place, result.output)
    told = [(one.endpoints, one.versions, one.echo_interval, one.tls) for one in (plan, default)]
    assert told[0] == told[1]
    assert [name_of(app) for app in apps] == [
        "topology", "forwarding", "hub", "learning_switch", "spanning_tree",
    ]  # fmt: skip
    assert apps[1].options == ForwardingOptions()


# Lines


def test_each_key_has_the_line_in_which_it_begins() -> None:
    text = 'a = 1\n\n# no\nb = [\n  1,\n]\n["x"."y.z"]\nc.d = """\n[no]\n"""\n[[t]]\ne = 1\n[[t]]\n'
    assert lines_of(text) == {
        ("a",): 1,
        ("b",): 4,
        ("x", "y.z"): 7,
        ("x", "y.z", "c"): 8,
        ("x", "y.z", "c", "d"): 8,
        ("t",): 11,
        ("t", "e"): 12,
    }


@given(st.lists(st.sampled_from(["", "# x", "{} = 1", "{} = [\n1\n]", "{} = '''\n[x]\n'''"])))
def test_every_key_is_found_wherever_it_stands(statements: list[str]) -> None:
    text, wanted = "", {}
    for number, statement in enumerate(statements):
        if "{}" in statement:
            wanted[(f"k{number}",)] = text.count("\n") + 1
        text += statement.format(f"k{number}") + "\n"
    assert lines_of(text) == wanted
