"""What the pages show runs: their applications load, their tests pass, their names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import controller
from controller import App, Datapath
from controller.loading import load
from controller.testing import recording
from controller.topology import Topology

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
