"""Which switches a question is about, and that it cannot be answered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from protocol import Port
from protocol.datapath_ids import parse_datapath_id

from ..datapath import Datapath
from ..server import Controller


class Unanswerable(Exception):
    """A question cannot be answered; the text is a sentence with the cure."""


def bridge_name(datapath: Datapath) -> str | None:
    """Return what a switch's bridge is called, None where it has no local port to tell it."""
    local = datapath.ports.get(Port.LOCAL)
    return local.name if local is not None and local.name else None


def datapath_id_of(controller: Controller, text: str) -> int:
    """Return the switch that is meant by its number, or by what its bridge is called.

    A name counts more than a number that is written alike. Unanswerable for what is neither,
    and for a name that several have.
    """
    called = [
        number for number, datapath in controller.datapaths.items() if bridge_name(datapath) == text
    ]
    if len(called) > 1:
        numbers = ", ".join(f"{one:#x}" for one in sorted(called))
        raise Unanswerable(f"several switches are called {text}: write one of {numbers}")
    if called:
        return called[0]
    try:
        return parse_datapath_id(text)
    except ValueError as error:
        known = _connected(controller)
        raise Unanswerable(f"{error}, or as its bridge is called; connected are {known}") from error


def _connected(controller: Controller) -> str:
    shown = []
    for number, datapath in sorted(controller.datapaths.items()):
        name = bridge_name(datapath)
        shown.append(f"{number:#x} ({name})" if name else f"{number:#x}")
    return ", ".join(shown) or "none at all"


def one_switch(controller: Controller, question: dict[str, Any]) -> Datapath:
    """Return the switch that is named; Unanswerable where it is not connected."""
    number = datapath_id_of(controller, str(question["switch"]))
    if number not in controller.datapaths:
        known = _connected(controller)
        raise Unanswerable(f"switch {number:#x} is not connected; connected are {known}")
    return controller.datapaths[number]


def some_switches(controller: Controller, question: dict[str, Any]) -> Iterable[Datapath]:
    """Return the switch that is named, or all where none is."""
    if question.get("switch"):
        return [one_switch(controller, question)]
    return [datapath for _, datapath in sorted(controller.datapaths.items())]
