"""The rules of the house: who may import whom, and how large a room may be."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("protocol", "controller", "switch_sim")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
NAMES = {path.relative_to(ROOT).as_posix(): path for path in FILES}
MODULES = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in NAMES}

OUTER_WORLD = {"asyncio", "logging", "os", "pathlib", "select", "selectors", "socket"}
OUTER_WORLD |= {"socketserver", "ssl", "subprocess", "threading", "time"}
SHELLS = {"controller/channel.py", "controller/listener.py", "controller/sockets.py"}
SHELLS |= {"switch_sim/agent.py", "switch_sim/channel.py", "switch_sim/real_ports.py"}
SHELLS |= {"switch_sim/transport.py", "controller/readiness.py"}
KNOW_CONSTRUCT = {"wire", "record", "writer"}
KNOW_CONSTRUCT |= {"match", "stats", "field_names", "nesting"}  # these have shapes of their own
KNOW_CONSTRUCT |= {"walk", "shape_names", "field_tables"}  # these explain what shapes are
MAX_LINES, MAX_FUNCTION = 500, 60


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those that only type checkers see."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from _statements(child)


def imports(name: str, absolute_only: bool = False) -> Iterator[str]:
    """Yield the modules that a file imports, by their whole names."""
    parents = name.split("/")[:-1]
    for node in _statements(ast.parse(NAMES[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not (node.level and absolute_only):
            base = parents[: len(parents) + 1 - node.level] if node.level else []
            found = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            inner = {f"{found}.{alias.name}" for alias in node.names} & MODULES
            yield from inner or [found]


def tops(name: str) -> set[str]:
    """Return the packages that a file imports from."""
    return {module.partition(".")[0] for module in imports(name)}


@pytest.mark.parametrize("name", NAMES)
def test_each_side_imports_only_what_it_may(name: str) -> None:
    package, own = name.partition("/")[0], tops(name)
    if package == "protocol" and not name.startswith("protocol/transport/"):
        assert not any(one.startswith("protocol.transport") for one in imports(name))
        known = (sys.stdlib_module_names - OUTER_WORLD) | {"construct", "msgspec", "protocol"}
        assert own <= known
    if package == "controller":
        assert "switch_sim" not in own
    if package == "switch_sim" and not name.startswith("switch_sim/lab/"):
        assert "controller" not in own
    assert "tornado" not in own or name in SHELLS
    assert "construct" not in own or Path(name).stem in KNOW_CONSTRUCT


@pytest.mark.parametrize("name", NAMES)
def test_imports_inside_a_package_are_relative(name: str) -> None:
    if not name.startswith("controller/apps/"):  # these are written as users write theirs
        package = name.partition("/")[0]
        assert not [one for one in imports(name, True) if one.partition(".")[0] == package]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_by_a_detour(package: str) -> None:
    graph = {
        name.removesuffix(".py").replace("/", "."): {
            f"{module}.__init__" if (ROOT / module.replace(".", "/")).is_dir() else module
            for module in imports(name)
            if module in MODULES
        }
        for name in NAMES
        if name.startswith(f"{package}/")
    }
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", NAMES)
def test_files_and_functions_are_short(name: str) -> None:
    text = NAMES[name].read_text("utf-8")
    assert text.count("\n") <= MAX_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION, node.name
