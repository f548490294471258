"""What the README shows is what there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from switch_sim.lab.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
APP = (ROOT / "controller/apps/learning_switch.py").read_text("utf-8")


def test_the_application_is_the_bundled_one() -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    without_docstrings = ast.unparse(_bare(ast.parse(APP)))
    assert ast.unparse(_bare(ast.parse(shown))) == without_docstrings
    assert len(shown.splitlines()) <= 26


def _bare(tree: ast.Module) -> ast.Module:
    """Take the docstring of each class and function away."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    return tree


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize("command", ["controller", "switches", "demo"])
def test_commands_have_a_help_with_examples(command: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"])
    assert shown.exit_code == 0
    assert f"pointsman {command}" in shown.output
    assert "Examples:" in shown.output


def test_what_it_runs_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^    make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
