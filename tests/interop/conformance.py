"""Where the conformance scripts are, which are not part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
USUAL_PLACE = ROOT / ".." / "shared" / "conformance"
PLACE = Path(os.environ.get("POINTSMAN_CONFORMANCE", USUAL_PLACE))


def missing(script: str) -> str:
    """Return why a script cannot be run, or nothing if it is there."""
    if (PLACE / script).is_file():
        return ""
    return f"the conformance scripts are not installed: there is no {PLACE / script}"
