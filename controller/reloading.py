"""Applications are loaded again when their files change, or when the configuration is read again.

Channels to switches stay, which Tornado's autoreload, a new process, would not let them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any

from .app import App, name_of
from .configuration import Configuration, ConfigurationError, Plan
from .server import Controller
from .sources import Source, families, loading_again

logger = logging.getLogger("controller")

LOOK_EVERY = 0.5  #: seconds between two looks at the files

Stamp = tuple[tuple[Path, int, int], ...]  # of each file: when it changed, in ns, and its size


class Reloader:
    """The applications of a controller, and the configuration that they come from.

    It `watches` their files, or reads the configuration again only when it is told.
    """

    def __init__(
        self,
        controller: Controller,
        configuration: Configuration,
        plan: Plan,
        sources: list[Source],
        *,
        watches: bool,
    ) -> None:
        self._controller, self._configuration = controller, configuration
        self._plan, self._sources, self._watches = plan, sources, watches
        self._busy = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._files = {one.name: _Files(_stamp(one.files)) for one in sources}
        self._config = _Files(_stamp(self._config_files()))

    def start(self) -> None:
        """Begin to look at the files, if that is wanted."""
        if self._watches:
            self._begin(self._watch())

    def reread_soon(self) -> None:
        """Read the configuration again, if there is a file, beside all else."""
        if self._configuration.path is not None:
            self._begin(self.reread())

    async def close(self) -> None:
        """End what goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look()

    async def look(self) -> None:
        """Load again what changed, or read again the configuration that did."""
        if self._config.changed(_stamp(self._config_files())):
            await self.reread()
        changed = [one for one in self._sources if self._files[one.name].changed(_stamp(one.files))]
        if changed:
            await self._apply(self._plan, changed)

    async def reread(self) -> None:
        """Read the configuration again; applications whose options changed begin anew."""
        try:
            plan = self._configuration.read()
        except ConfigurationError as error:
            logger.error("%s; all goes on as it was", error)
            return
        if fixed := self._plan.what_differs(plan):
            logger.warning("%s: changing that takes a restart of the controller", fixed)
        before, after = self._plan.tables, plan.tables
        told = {name for name in {*before, *after} if before.get(name, {}) != after.get(name, {})}
        changed = [one for one in self._sources if told & _names(one)]
        if changed or plan.sources != self._plan.sources:
            await self._apply(plan, changed)
        else:
            self._plan = plan

    async def _apply(self, plan: Plan, changed: Sequence[Source]) -> None:
        async with self._busy:
            anew = [
                one
                for group in families(self._sources)
                if any(source in changed or source.name not in plan.sources for source in group)
                for one in group
            ]
            kept = [one for one in self._sources if one not in anew]
            try:
                with loading_again(anew):
                    sources = self._configuration.load(plan, kept)
            except ConfigurationError as error:
                logger.error("%s; what ran goes on as it was", error)
                return
            new = [one for one in sources if one not in kept]
            self._plan, self._sources = plan, sources
            self._files |= {one.name: _Files(_stamp(one.files)) for one in new}
            await self._controller.exchange(apps_of(sources))
            what = ", ".join(name for one in new for name in sorted(_names(one))) or "nothing new"
            logger.info("loaded again: %s", what)

    def _config_files(self) -> list[Path]:
        return [self._configuration.path] if self._configuration.path else []


class _Files:
    """Some files, as they were when they were loaded, and when they were looked at last."""

    def __init__(self, stamp: Stamp) -> None:
        self._loaded = self._last = stamp

    def changed(self, stamp: Stamp) -> bool:
        """Return whether they changed, and have lain still for one look, so that they are whole."""
        is_new = stamp not in ((), self._loaded) and stamp == self._last
        self._last = stamp
        if is_new:
            self._loaded = stamp
        return is_new


def apps_of(sources: Iterable[Source]) -> list[App]:
    """Return the applications of sources, in order."""
    return [app for source in sources for app in source.apps]


def _names(source: Source) -> set[str]:
    return {name_of(app) for app in source.apps}


def _stamp(files: Iterable[Path]) -> Stamp:
    """Return what changes when one of some files does; nothing while one is missing."""
    try:
        stats = [(file, file.stat()) for file in files]
    except OSError:  # an editor that writes a new file and renames it
        return ()
    return tuple((file, stat.st_mtime_ns, stat.st_size) for file, stat in stats)
