"""Codecs that the compiled build has ready, made of the very same source.

In pure Python there are none, and `writer.py` lets Python compile each when it is needed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib import import_module
from typing import Any

Names = Mapping[str, Any]  #: what the functions of a codec use, by the names in their source


def _compiled() -> Any:
    try:
        return import_module("._codecs", __package__)
    except ModuleNotFoundError:
        return None


def struct_formats(names: Names) -> dict[str, str]:
    """Return the formats of the structs that a source calls."""
    owners = ((name, getattr(value, "__self__", None)) for name, value in names.items())
    return {name: one.format for name, one in owners if isinstance(one, struct.Struct)}


def key_of(source: str, names: Names) -> str:
    """Return what tells a source from all others, with the formats of its structs.

    So what was built of other layouts is never used in the place of what these say.
    """
    formats = [f"{name} {form}" for name, form in struct_formats(names).items()]
    return sha256("\n".join([source, *formats]).encode()).hexdigest()


_codecs = _compiled()
#: Makes the functions of a codec of the names that they use, by the `key_of` their source.
READY: dict[str, Callable[[Names], tuple[Any, Any, Any]]] = _codecs.READY if _codecs else {}
#: Its `fill` is what `templates.template` returns; None in pure Python.
TEMPLATE = _codecs.Template if _codecs else None
#: Takes the largest number of each of some fields; its `excess` is what `match.CHECKS` has.
LIMITS = _codecs.Limits if _codecs else None
