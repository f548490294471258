"""Where a controller's control socket is, for both sides."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

NAME = "controller.sock"
MAX_PATH = 100  # bytes that the path of a Unix socket may have everywhere


def default_path() -> Path:
    """Return where a user's controller answers unless it is told another place."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and len(runtime) < MAX_PATH // 2:
        return Path(runtime) / "pointsman" / NAME
    user = os.getuid() if hasattr(os, "getuid") else 0
    return Path(tempfile.gettempdir()) / f"pointsman-{user}" / NAME


def place_of(path: Path, number: int) -> Path:
    """Return where one of several processes that share the switches answers, the first at path."""
    return path.with_name(f"{path.name}.{number + 1}") if number else path
