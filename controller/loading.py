"""Applications by name: a bundled one, a dotted module, or a file."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import metadata
from importlib.abc import SourceLoader
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

from . import apps
from .app import App, Handlers, name_of
from .options import OptionError, Options, read_options
from .sources import Source, modules_of

Tables = Mapping[str, Mapping[str, Any]]  # options of applications, by their names
NO_TABLES: Tables = {}
GROUP = "pointsman.apps"  #: of the entry points by which others offer applications


class LoadError(Exception):
    """An application cannot be loaded; the text is a sentence with the cure."""


_collecting: list[App] | None = None  # where `run` puts its applications while one is loaded


def collect(given: tuple[App, ...]) -> bool:
    """Take what a file gives to `run`, if we are just loading it; say whether we are."""
    if _collecting is None:
        return False
    _collecting.extend(given)
    return True


@contextmanager
def _collected() -> Iterator[list[App]]:
    global _collecting
    before, _collecting = _collecting, []
    try:
        yield _collecting
    finally:
        _collecting = before


def bundled() -> dict[str, str]:
    """Return the names of the bundled applications, with the first line of each."""
    return {
        module.name: _about(f"{apps.__name__}.{module.name}")
        for module in pkgutil.iter_modules(apps.__path__)
    }


def _about(name: str) -> str:
    """Return the first line of a module's docstring, without running the module."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert isinstance(spec.loader, SourceLoader)
    try:
        source = spec.loader.get_source(name) or ""
        return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    except SyntaxError as error:
        return f"is not valid Python: {error}"


def entry_points() -> dict[str, EntryPoint]:
    """Return the applications that installed distributions offer, by name.

    They name them as entry points of the group `pointsman.apps`, a module each.
    """
    return {one.name: one for one in metadata.entry_points(group=GROUP)}


def known() -> dict[str, str]:
    """Return the names that `load` takes, with what each one is."""
    offered = {name: f"from {one.value}" for name, one in entry_points().items()}
    return bundled() | offered


def load(name: str, among: Sequence[App] = (), tables: Tables = NO_TABLES) -> list[App]:
    """Return the applications of a source: see `load_source`."""
    return list(load_source(name, among, tables).apps)


def load_source(name: str, among: Sequence[App] = (), tables: Tables = NO_TABLES) -> Source:
    """Return what a name, a dotted name or a file stands for, with its applications.

    A name is a bundled one, or one that a distribution offers. A module gives those that it
    passes to `run`, or else one of each App class in it. Where a class takes another
    application, as an argument of that type, it gets the one that is `among` those given, or
    else a new one, which stands before it in the result. Options it gets from `tables`, by what
    `name_of` calls it.
    LoadError where there is none, or where it cannot be imported; OptionError where an option
    is wrong.
    """
    with _collected() as given:
        module = _import(name)
        maker = _Maker(name, among, tables)
        found = _untold(given, tables) or maker.all_of(_classes(module))
    if not found:
        raise LoadError(f"{name} has no class that is an App, and does not call run()")
    for app in found:
        try:
            Handlers(app)
        except TypeError as error:
            raise LoadError(f"{name}: {error}") from error
    return Source(name, found, maker.services, modules_of(module))


def _untold(given: list[App], tables: Tables) -> list[App]:
    """Return applications that a file made itself, which can be told nothing any more."""
    for app in given:
        if tables.get(name_of(app)):
            cure = 'write if __name__ == "__main__": before it'
            raise OptionError(("apps", name_of(app)), f"its file makes it itself, in run(): {cure}")
    return given


class _Maker:
    """Makes applications from classes of the module `name`."""

    def __init__(self, name: str, among: Sequence[App], tables: Tables) -> None:
        self._name, self._tables = name, tables
        self._known = list(among)
        self.services: list[App] = []  #: that were taken

    def all_of(self, classes: Iterable[type[App]]) -> list[App]:
        """Return one application of each class, and those that they take."""
        before = len(self._known)
        for cls in classes:
            if not any(type(app) is cls for app in self._known[before:]):
                self._make(cls)
        return self._known[before:]

    def _make(self, cls: type[App], above: tuple[type[App], ...] = ()) -> App:
        """Make an application, after those that it takes; `above` are those that take it."""
        if cls in above:
            circle = " takes ".join(one.__name__ for one in (*above, cls))
            raise LoadError(f"{self._name}: {circle}: none can be made first")
        wanted: dict[str, object] = {}
        for argument, kind in self._arguments(cls).items():
            if issubclass(kind, App):
                found = next((app for app in self._known if isinstance(app, kind)), None)
                wanted[argument] = service = found or self._make(kind, (*above, cls))
                self.services.append(service)
        app = self._made(cls, wanted | self._options(cls))
        self._known.append(app)
        return app

    def _arguments(self, cls: type[App]) -> dict[str, type]:
        """Return the arguments of a class that are given here, with their types."""
        try:
            return arguments(cls)
        except NameError as error:
            text = f"{cls.__name__} takes a type that is unknown: {error}"
            raise LoadError(f"{self._name}: {text}") from error

    def _options(self, cls: type[App]) -> dict[str, object]:
        """Return the argument of a class that takes its options, where it has one."""
        name = name_of(cls)
        table = self._tables.get(name, {})
        for argument, kind in self._arguments(cls).items():
            if issubclass(kind, Options):
                return {argument: read_options(kind, table, ("apps", name))}
        for option in table:
            raise OptionError(("apps", name, option), f"{name} takes no options")
        return {}

    def _made(self, cls: type[App], wanted: Mapping[str, object]) -> App:
        try:
            return cls(**wanted)
        except Exception as error:
            # As with the import: the class is the user's, and so is what it raises.
            made = f"{cls.__name__}() cannot be made: {_told(error)}"
            raise LoadError(f"{self._name}: {made}") from error


def classes_of(name: str) -> list[type[App]]:
    """Return the classes of a module's applications, after those that they take.

    LoadError where the module cannot be loaded.
    """
    found: dict[type[App], None] = {}

    def add(cls: type[App]) -> None:
        for kind in arguments(cls).values():
            if issubclass(kind, App) and kind not in found:
                add(kind)
        found[cls] = None

    for cls in _classes(_import(name)):
        add(cls)
    return list(found)


def takers_of(name: str) -> list[str]:
    """Return the bundled applications that bring along what is called so."""
    return [
        one
        for one in bundled()
        if one != name and any(name_of(cls) == name for cls in classes_of(one))
    ]


def arguments(cls: type[App]) -> dict[str, type]:
    """Return the arguments of a class that are applications or options, with their types.

    NameError where a type is unknown.
    """
    hints = get_type_hints(cls.__init__, localns=dict(vars(cls)))
    return {
        argument: kind
        for argument, kind in hints.items()
        if isinstance(kind, type) and issubclass(kind, App | Options)
    }


def _classes(module: ModuleType) -> list[type[App]]:
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, App)
        and value.__module__ == module.__name__
    ]


def _import(name: str) -> ModuleType:
    try:
        if name.endswith(".py") or "/" in name:
            return _import_file(Path(name))
        if name in bundled():
            return importlib.import_module(f"{apps.__name__}.{name}")
        if name in (offered := entry_points()):
            return importlib.import_module(offered[name].module)
        if "." not in name and importlib.util.find_spec(name) is None:
            close = get_close_matches(name, known(), 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known())}"
            raise LoadError(f"there is no application {name}; {hint}")
        return importlib.import_module(name)
    except LoadError:
        raise
    except SyntaxError as error:
        where = f"{error.filename}, line {error.lineno}"
        raise LoadError(f"{name} is not valid Python: {error.msg} ({where})") from error
    except Exception as error:
        # Whatever a user's module does wrong when it is imported is the user's to mend.
        raise LoadError(f"{name} cannot be loaded: {_told(error)}") from error


def _told(error: Exception) -> str:
    """Return an error in one line, with the innermost place that is not within Python or us."""
    told = f"{type(error).__name__}: {error}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_file() and file not in (Path(__file__), Path(importlib.__file__)):
            return f"{told} ({file}, line {frame.lineno})"
    return told


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise LoadError(f"there is no file {path}")
    # Called otherwise than the file, which may be called as a module that others import.
    name = f"__app_{path.stem}__"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LoadError(f"{path} is no Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # As Python does for a script; it stays, as functions may import later.
    if (beside := str(path.parent.absolute())) not in sys.path:
        sys.path.insert(0, beside)
    spec.loader.exec_module(module)
    return module
