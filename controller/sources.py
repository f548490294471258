"""Where applications come from: the modules that make them, to be loaded again."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import invalidate_caches
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType

from .app import App

_OURS = {"controller", "protocol", "switch_sim", "__main__"}  # not loaded again by themselves


@dataclass(eq=False, frozen=True, slots=True)
class Source:
    """What a name stood for when it was loaded."""

    name: str
    apps: Sequence[App]  #: that were made of it, those that they build on included
    services: Sequence[App]  #: those that they take, some of which others may have made
    modules: Mapping[str, ModuleType]  #: its own, and those beside it that it uses

    @property
    def files(self) -> list[Path]:
        """Return the files that it was read from."""
        return [Path(file) for one in self.modules.values() if (file := one.__file__)]


def families(sources: Sequence[Source]) -> list[list[Source]]:
    """Return sources in groups, such that none takes an application of another group.

    Who takes one that is made anew must be made anew as well: it may have subscribed there.
    """
    groups: list[list[Source]] = []
    for source in sources:
        kin = [group for group in groups if any(_related(source, one) for one in group)]
        groups = [group for group in groups if group not in kin]
        groups.append([*(one for group in kin for one in group), source])
    return groups


def _related(one: Source, other: Source) -> bool:
    taken = {id(app) for app in one.services} & {id(app) for app in other.apps}
    given = {id(app) for app in other.services} & {id(app) for app in one.apps}
    return bool(taken or given)


def modules_of(module: ModuleType) -> dict[str, ModuleType]:
    """Return a module, and those that it uses which lie in or below the same directory.

    What is installed, and what is ours, is not the application's own.
    """
    found = {module.__name__: module}
    if module.__name__.partition(".")[0] in _OURS or module.__file__ is None:
        return found
    beside = _modules_below(Path(module.__file__).parent)
    left = [module]
    while left:
        for name in _names_in(left.pop()):
            if name in beside and name not in found:
                found[name] = beside[name]
                left.append(beside[name])
    return found


def _modules_below(folder: Path) -> dict[str, ModuleType]:
    found = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None or name.partition(".")[0] in _OURS or "site-packages" in file:
            continue
        if Path(file).is_relative_to(folder):
            found[name] = module
    return found


def _names_in(module: ModuleType) -> Iterator[str]:
    """Yield the modules that what a module has comes from."""
    for value in list(vars(module).values()):
        name = value.__name__ if isinstance(value, ModuleType) else _home(value)
        if isinstance(name, str):
            yield name


def _home(value: object) -> object:
    return getattr(value, "__module__", None)


@contextmanager
def loading_again(sources: Iterable[Source]) -> Iterator[None]:
    """Let the modules of sources be read again in the block; if it raises, all is as before."""
    before: dict[str, ModuleType] = {}
    for source in sources:
        before |= source.modules
    known = set(sys.modules)
    for name, module in before.items():
        sys.modules.pop(name, None)
        _forget_compiled(module)
    invalidate_caches()
    try:
        yield
    except BaseException:  # Ctrl-C as well must not leave half of the modules; it is raised on
        for name in sys.modules.keys() - known:
            del sys.modules[name]
        sys.modules.update(before)
        raise


def _forget_compiled(module: ModuleType) -> None:
    # Python takes it for fresh where size and second of the file are the same.
    if module.__file__ is not None and sys.implementation.cache_tag is not None:
        with suppress(OSError):  # there is none, or it is not ours to remove
            Path(cache_from_source(module.__file__)).unlink()
