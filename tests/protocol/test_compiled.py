"""The compiled build: what runs is what was asked for, and its codecs are of these layouts.

`make test-compiled` sets POINTSMAN_BUILD=compiled and runs the suites on modules made of C.
"""

from __future__ import annotations

import os
import re
import tomllib
from importlib import import_module
from pathlib import Path
from struct import Struct
from types import FunctionType

import pytest

from protocol import OF13, FlowMod, Output
from protocol.compiler import codec
from protocol.cython_codecs import OFTEN, cython_module, wanted
from protocol.ready import READY, key_of

ROOT = Path(__file__).parents[2]
PACKAGES = ("protocol", "controller")
IS_COMPILED = os.environ.get("POINTSMAN_BUILD") == "compiled"
_HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
DECLARED = sorted(path for one in PACKAGES for path in (ROOT / one).rglob("*.pxd"))
MODULES = _HOOK["hooks"]["custom"]["modules"]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_runs_as_it_was_asked_for(name: str) -> None:
    file = import_module(name).__file__
    assert file is not None
    assert file.endswith(".py") is not IS_COMPILED


@pytest.mark.skipif(IS_COMPILED, reason="what is installed has no declarations any more")
def test_what_is_declared_for_c_is_there() -> None:
    assert DECLARED
    for declared in DECLARED:
        source, text = declared.with_suffix(".py").read_text("utf-8"), declared.read_text("utf-8")
        for name in re.findall(r"cpdef .*?(\w+)\(", text):
            assert f"def {name}(" in source
        for names in re.findall(r"cdef public [\w ]+? (\w+(?:, \w+)*)$", text, re.MULTILINE):
            for name in names.split(", "):
                assert f"self.{name}" in source


@pytest.mark.skipif(IS_COMPILED, reason="what is ready has no source that could be translated")
def test_what_would_write_past_its_end_is_not_built() -> None:
    right = codec(Output, OF13)
    cython_module([right])
    with pytest.raises(ValueError, match="no room for 16 bytes"):
        cython_module([right._replace(source=right.source.replace("length = 16", "length = 8"))])


def test_codecs_are_ready_in_the_compiled_build_only() -> None:
    assert bool(READY) is IS_COMPILED
    assert isinstance(codec(FlowMod, OF13).decode, FunctionType) is not IS_COMPILED


def test_all_that_are_often_used_are_ready() -> None:
    for found in wanted():
        assert isinstance(found.decode, FunctionType) is not IS_COMPILED, found.source
    assert {FlowMod, Output} <= set(OFTEN)


def test_what_was_built_of_other_layouts_is_not_used() -> None:
    source, pack = codec(Output, OF13).source, Struct(">HHHH").pack
    key = key_of(source, {"pack_4": pack})
    assert key_of(source, {"pack_4": Struct(">HHHH").pack}) == key
    assert key_of(source, {"pack_4": Struct(">HHIH").pack}) != key
    assert key_of(source.replace("m.port", "m.max_len"), {"pack_4": pack}) != key
