"""The field tables in docs/fields are what the declarations say now."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"


def maker() -> ModuleType:
    """Return the script that writes the tables."""
    spec = importlib.util.spec_from_file_location("make_tables", DOCS / "make_field_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_were_made_from_the_declarations_as_they_are() -> None:
    written = {path.name: path.read_text("utf-8") for path in (DOCS / "fields").iterdir()}
    made = maker().pages()
    stale = [name for name in sorted(made | written) if made.get(name) != written.get(name)]
    assert stale == [], "run docs/make_field_tables.py again"
