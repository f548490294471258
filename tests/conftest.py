"""For all tests: coroutines run on a loop of their own, and witnesses can be required.

Tests marked `interop`, `oracle` or `browser` are skipped where what they need is missing.
With `POINTSMAN_REQUIRE=interop,oracle`, as CI has it, that is a failure.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import re
from collections.abc import Coroutine, Generator
from typing import Any

import pytest
from hypothesis import settings

# How long an example takes is the machine's matter: busy ones failed tests that were right.
settings.register_profile("pointsman", deadline=None)
# The same examples each time where a machine watches.
settings.register_profile(
    "pointsman-ci", parent=settings.get_profile("pointsman"), derandomize=True
)
settings.load_profile("pointsman-ci" if os.environ.get("CI") else "pointsman")

#: It is a program of another library, which changes the whole process that imports it.
collect_ignore = ["interop/osken_learning_switch.py"]

REQUIRED = set(os.environ.get("POINTSMAN_REQUIRE", "").split(",")) - {""}
MISSING = re.compile(r"not installed|needs root|needs /dev|not allowed here")
TIME_LIMIT = 30.0  # seconds: a test that waits for what never comes shall fail, not hang


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that workers of `make test` end at about the same time."""
    items.sort(key=lambda item: item.get_closest_marker("interop") is None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests; what goes wrong beside them, in callbacks and tasks, fails them."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    test = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    asyncio.run(_watched(test))
    return True


async def _watched(test: Coroutine[Any, Any, None]) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    await asyncio.wait_for(test, TIME_LIMIT)
    assert not faults, f"beside the test: {faults}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test fail that is skipped since a witness is missing that is required."""
    report = yield
    if any(item.get_closest_marker(name) for name in REQUIRED):
        _insist(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file of tests that is skipped as a whole."""
    report = yield
    if REQUIRED:
        _insist(report)
    return report


def _insist(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and MISSING.search(reason := str(report.longrepr)):
        report.outcome = "failed"
        report.longrepr = f"POINTSMAN_REQUIRE={','.join(sorted(REQUIRED))}, but {reason}"
