"""Fuzzing guided by coverage: what reaches new code is kept, and changed further.

    python -m tests.fuzz.guided --seconds 600 [TARGET …]

Each target of `targets.py` runs in a process of its own, for its share of the time, with
Atheris (libFuzzer). It begins with all vectors and with what earlier runs kept in `.fuzz/`.
A finding ends its target: its bytes stand in `.fuzz/NAME/findings`, what was wrong in
`.fuzz/NAME/log`, and the status is 1.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

DIRECTORY = Path(__file__).parents[2] / ".fuzz"
MOST_BYTES = 4096  #: of an input; what is found needs fewer
MOST_MEMORY = 1024  #: MiB
PATIENCE = 30  #: seconds that an input may take until libFuzzer itself ends it
_EXECUTED = re.compile(r"stat::number_of_executed_units: *(\d+)")
_COVERED = re.compile(r"cov: (\d+)")


def fuzz(name: str, seconds: int) -> bool:
    """Run one target in a process of its own and tell what came of it; False for a finding."""
    place = DIRECTORY / name
    place.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.guided", "--alone", name, f"--seconds={seconds}"]
    with (place / "log").open("wb") as log:
        status = subprocess.run(command, stderr=log, stdout=log, check=False).returncode
    said = (place / "log").read_text(errors="replace")
    executed, covered = _EXECUTED.findall(said), _COVERED.findall(said)
    kept = sum(1 for _ in (place / "kept").iterdir()) if (place / "kept").is_dir() else 0
    print(
        f"{name:8} {executed[-1] if executed else '?':>9} inputs in {seconds} s, "
        f"{covered[-1] if covered else '?':>5} places reached, {kept:5} inputs kept: "
        f"{'nothing found' if not status else f'a FINDING, see {place}/log'}",
        flush=True,
    )
    return not status


def run_alone(name: str, seconds: int) -> None:
    """Fuzz in this process, which libFuzzer ends."""
    import atheris  # an extra: pip install pointsman[fuzz]

    with atheris.instrument_imports(include=["protocol", "switch_sim"]):
        from tests.fuzz.targets import TARGETS, timed
    target = TARGETS[name]
    place = DIRECTORY / name
    for part in ("seeds", "kept", "findings"):
        (place / part).mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.seeds()):
        (place / "seeds" / f"{number:05}").write_bytes(data)
        target.check(data)  # so that layouts are compiled, which is not an input's fault
    options = (
        f"-max_total_time={seconds} -max_len={MOST_BYTES} -timeout={PATIENCE}"
        f" -rss_limit_mb={MOST_MEMORY} -print_final_stats=1 -use_value_profile=1"
        f" -artifact_prefix={place}/findings/"
    )
    corpus = [str(place / "kept"), str(place / "seeds")]
    atheris.Setup([sys.argv[0], *options.split(), *corpus], lambda data: timed(target.check, data))
    atheris.Fuzz()


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=600, help="for all targets together")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        run_alone(given.alone, given.seconds)
        return
    from tests.fuzz.targets import TARGETS  # not above: where it is fuzzed, it is instrumented

    names = given.targets or list(TARGETS)
    if strange := set(names) - TARGETS.keys():
        parser.error(f"there is no target {strange.pop()}; there are {', '.join(TARGETS)}")
    share = max(1, given.seconds // len(names))
    clean = [fuzz(name, share) for name in names]
    sys.exit(0 if all(clean) else 1)


if __name__ == "__main__":
    main()
