"""`pointsman controller --write-config`: a configuration to begin with, in which all is said."""

from __future__ import annotations

from collections.abc import Iterator

from . import loading
from .app import name_of
from .configuration import DEFAULT_LISTEN, Settings, TlsSettings
from .options import Options, described

_HEAD = f"""\
# What a controller is to be: pointsman controller --config FILE. What is given on the command
# line wins over what stands here. Each line is what holds without it, but for listen, without
# which it is "{DEFAULT_LISTEN}".
"""


def example() -> str:
    """Return a configuration with all settings and all options of bundled applications."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    yield from _options(Settings, without=("tls", "apps"))
    yield "\n# [tls]  # for endpoints pssl: and ssl:; see pointsman tls init"
    yield from _options(TlsSettings)
    yield "\n# Applications run in this order; those that they build on are added. One of your own:"
    yield '# from = "my_app.py" in a table that is called as its class, MyApp as my_app.'
    told = set()
    for name in loading.bundled():
        for cls in loading.classes_of(name):
            if cls in told:
                continue
            told.add(cls)
            yield f"\n# [apps.{name_of(cls)}]"
            for kind in loading.arguments(cls).values():
                if issubclass(kind, Options):
                    yield from _options(kind)


def _options(kind: type[Options], without: tuple[str, ...] = ()) -> Iterator[str]:
    for name, default, about in described(kind):
        if name not in without:
            yield f"# {name} = {default}  # {about}".rstrip(" #")
