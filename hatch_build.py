"""The compiled build: some modules as C, if it is asked for; else wheels are pure Python.

    HATCH_BUILD_HOOK_ENABLE_CUSTOM=true pip install .

The .py files stay what is built from, and are installed as well: tracebacks show them. A .pxd
beside one says which of its classes become types of C, and what is in their attributes.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import chdir
from importlib import import_module
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGES = ("protocol", "controller", "switch_sim")
CODECS = "protocol/_codecs.pyx"
DIRECTIVES = {"language_level": 3, "annotation_typing": False, "embedsignature": False}


class CompiledBuildHook(BuildHookInterface[Any]):
    """Puts extension modules beside the modules that they stand for."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build them; RuntimeError, in a sentence, where what is needed is missing."""
        if self.target_name != "wheel":
            return
        if version == "editable":
            raise RuntimeError("the compiled build cannot be editable: pip install . without -e")
        need_compiler()
        root, place = Path(self.root), Path(self.root, "build", "compiled")
        copy_sources(root, place)
        write_codecs(root, place / CODECS)
        for built in build(place, self.config["modules"]):
            build_data["force_include"][str(place / built)] = str(built)
        build_data["pure_python"], build_data["infer_tag"] = False, True


def need_compiler() -> None:
    """RuntimeError where there is no C compiler, or Python came without its headers."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if os.name == "posix" and shutil.which(compiler) is None:
        raise RuntimeError(
            f"the compiled build needs a C compiler, and {compiler} is not installed: "
            "on Debian apt-get install gcc; without it Pointsman runs as pure Python"
        )
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        raise RuntimeError(
            "the compiled build needs the headers of Python, and Python.h is not installed: "
            "on Debian apt-get install python3-dev; without it Pointsman runs as pure Python"
        )


def copy_sources(root: Path, place: Path) -> None:
    """Copy what is built from; what did not change keeps its time, and is not built again."""
    names = [name for package in PACKAGES for name in _sources(root, package)]
    for package in PACKAGES:
        for name in _sources(place, package):
            if name not in names:
                (place / name).unlink()
    for name in names:
        if not _is_same(root / name, place / name):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, place / name)


def _sources(root: Path, package: str) -> Iterator[Path]:
    for path in (root / package).rglob("*.p*"):
        if path.suffix in (".py", ".pxd"):
            yield path.relative_to(root)


def _is_same(path: Path, copy: Path) -> bool:
    return copy.exists() and copy.read_bytes() == path.read_bytes()


def write_codecs(root: Path, path: Path) -> None:
    """Write the module of codecs, as the layouts are now."""
    sys.path.insert(0, str(root))
    try:
        source = import_module("protocol.cython_codecs").ready_module()
    finally:
        sys.path.remove(str(root))
    if not path.exists() or path.read_text("utf-8") != source:
        path.write_text(source, "utf-8")


def build(place: Path, modules: list[str]) -> list[Path]:
    """Return the extension modules that were built there for some modules, and for the codecs."""
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    cores = os.cpu_count() or 1
    sources = [CODECS, *(f"{name.replace('.', '/')}.py" for name in modules)]
    with chdir(place):
        extensions = [
            Extension(
                name.partition(".p")[0].replace("/", "."), [name], extra_compile_args=["-O2", "-g0"]
            )
            for name in sources
        ]
        made = cythonize(extensions, nthreads=cores, compiler_directives=DIRECTIVES, quiet=True)
        command = Distribution({"ext_modules": made}).get_command_obj("build_ext")
        command.inplace, command.parallel = True, cores
        command.ensure_finalized()
        command.run()
        return [Path(command.get_ext_filename(one.name)) for one in extensions]
