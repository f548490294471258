"""What the pages show runs: their applications load, their tests pass, their names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import controller
from controller import App, Controller, Datapath, dispatch
from controller.app import names_of
from controller.apps.forwarding import FIRST_GROUP
from controller.configuration import Configuration, ConfigurationError
from controller.cookies import CookieSpaces
from controller.flow_owners import OWNED_MAX
from controller.loading import load
from controller.own_flows import views
from controller.patience import HANG_TIME, YIELD_TIME
from controller.ration import TOLD_EVERY, TOLD_FIRST
from controller.reloading import Reloader, apps_of
from controller.testing import recording
from controller.topology import Topology
from controller.watchdog import BLOCKED_TIME
from protocol import FlowMod, Match, Version

from ..inner_pytest import run_pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = ["coming-from-ryu.md", "coming-from-pox.md"]


def code_of(page: str) -> list[str]:
    """Return the pieces of Python on a page."""
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
async def test_the_application_runs_on_a_switch(page: str, tmp_path: Path) -> None:
    (code,) = code_of(page)
    (tmp_path / "mine.py").write_text(code)
    (app,) = load(str(tmp_path / "mine.py"))
    datapath, sent = recording()
    await app.switch_ready(datapath)
    assert len(sent) == 1


@pytest.mark.parametrize("page", PAGES)
def test_each_name_of_ours_in_the_table_exists(page: str) -> None:
    rows = re.findall(r"^\| .* \| (.*) \|$", (DOCS / page).read_text("utf-8"), re.MULTILINE)
    cells = " ".join(rows)
    for name in re.findall(r"datapath\.(\w+)", cells):
        assert hasattr(Datapath, name)
    for name in re.findall(r"async def (\w+)", cells):
        assert hasattr(App, name)
    for name in re.findall(r"`Topology`: `(\w+)`, `(\w+)`, `(\w+)`", cells):
        assert all(hasattr(Topology(), one) for one in name)
    assert hasattr(controller, "run")


def test_the_tutorials_application_passes_the_tutorials_test(tmp_path: Path) -> None:
    text = (DOCS / "tutorial.md").read_text("utf-8")
    indented = text[text.index("    from controller import App") : text.index("    run(Guard())")]
    app = "\n".join(line[4:] for line in indented.splitlines())
    (tmp_path / "guard.py").write_text(f'{app}\nif __name__ == "__main__":\n    run(Guard())\n')
    (test,) = code_of("tutorial.md")
    (tmp_path / "test_guard.py").write_text(test)
    assert "6 passed" in run_pytest(tmp_path, "test_guard.py")


# docs/apps.md


@pytest.fixture
def guarded(tmp_path: Path) -> Path:
    """Write what the page about applications shows; return the configuration."""
    (code,) = code_of("apps.md")
    (tmp_path / "guard.py").write_text(code)
    (toml,) = re.findall(r"```toml\n(.*?)```", APPS, re.DOTALL)
    (tmp_path / "pointsman.toml").write_text(toml)
    return tmp_path / "pointsman.toml"


APPS = (DOCS / "apps.md").read_text("utf-8")


def started(config: Path, *sets: str) -> list[App]:
    """Return the applications that a configuration runs."""
    configuration = Configuration(config, sets=sets)
    return apps_of(configuration.load(configuration.read()))


@pytest.mark.parametrize("version", Version, ids=str)
async def test_the_guard_of_the_page_does_what_the_page_says(
    guarded: Path, version: Version
) -> None:
    apps = started(guarded, "guard.port=443")
    assert names_of(apps) == ["topology", "forwarding", "guard"]
    datapath, sent = recording(version)
    spaces = CookieSpaces(names_of(apps))
    (view,) = views(datapath, spaces, [spaces.by_name["guard"]])
    await apps[2].switch_ready(view)
    told = [one for one in sent if isinstance(one, FlowMod)]
    assert [(one.match["tcp_dst"], one.cookie & 0xFFFF) for one in told] == [(443, 0), (443, 1)]
    assert {f"{one.cookie >> 48:#x}" for one in told} == set(re.findall(r"`(0x71\w+)`", APPS))


def test_the_mistake_of_the_page_is_told_as_the_page_says(guarded: Path) -> None:
    guarded.write_text(guarded.read_text().replace("interval", "intervall"))
    with pytest.raises(ConfigurationError) as raised:
        started(guarded)
    assert str(raised.value).replace(f"{guarded.parent}/", "") in APPS


def test_the_overlap_of_the_page_is_told_as_the_page_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    datapath, _ = recording()
    spaces = CookieSpaces(["forwarding", "learning_switch"])
    for view in views(datapath, spaces, spaces.by_name.values()):
        view.add_flow(Match(), priority=0)
    (told,) = caplog.messages
    assert told in re.sub(r"\s+", " ", APPS)


async def test_the_broken_file_of_the_page_is_told_as_the_page_says(
    guarded: Path, caplog: pytest.LogCaptureFixture
) -> None:
    configuration = Configuration(apps=[str(guarded.parent / "guard.py")])
    plan = configuration.read()
    sources = configuration.load(plan)
    reloader = Reloader(Controller(apps_of(sources)), configuration, plan, sources, watches=False)
    (guarded.parent / "guard.py").write_text("\n" * 6 + "x = (\n")
    for _ in range(2):
        await reloader.look()
    (told,) = caplog.messages
    assert told.replace(f"{guarded.parent}/", "") in APPS


def test_the_figures_of_the_page_are_those_of_the_code() -> None:
    figures = [OWNED_MAX, dispatch.QUEUE_MAX]
    assert all(f"{one:,}" in APPS for one in figures)
    assert f"after {HANG_TIME:g} seconds" in APPS
    assert (YIELD_TIME, BLOCKED_TIME, TOLD_FIRST, TOLD_EVERY) == (1, 1, 10, 1000)
    assert f"`{FIRST_GROUP:#x}`" in APPS
