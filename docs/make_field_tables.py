"""Writes docs/fields/: the fields of all messages by version. Run it after a declaration changed.

PYTHONPATH=. python docs/make_field_tables.py
"""

from importlib import import_module
from inspect import getsource
from pathlib import Path

from protocol import field_tables

DIRECTORY = Path(__file__).parent / "fields"


def pages() -> dict[str, str]:
    """Return the text of each page by its file's name."""
    modules = [(name, import_module(f"protocol.{name}")) for name in field_tables.CHAPTERS]
    return {
        "index.md": field_tables.index(modules),
        "match_fields.md": field_tables.match_fields_page(),
        **{f"{name}.md": field_tables.page(module, getsource(module)) for name, module in modules},
    }


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    for name, text in pages().items():
        (DIRECTORY / name).write_text(text)
