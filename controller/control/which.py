"""Which switches a question is about, and that it cannot be answered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..datapath import Datapath
from ..datapath_ids import parse_datapath_id
from ..server import Controller


class Unanswerable(Exception):
    """A question cannot be answered; the text is a sentence with the cure."""


def one_switch(controller: Controller, question: dict[str, Any]) -> Datapath:
    """Return the switch that is named; Unanswerable where it is not connected."""
    number = parse_datapath_id(str(question["switch"]))
    if number not in controller.datapaths:
        known = ", ".join(f"{one:#x}" for one in sorted(controller.datapaths)) or "none at all"
        raise Unanswerable(f"switch {number:#x} is not connected; connected are {known}")
    return controller.datapaths[number]


def some_switches(controller: Controller, question: dict[str, Any]) -> Iterable[Datapath]:
    """Return the switch that is named, or all where none is."""
    if question.get("switch"):
        return [one_switch(controller, question)]
    return [datapath for _, datapath in sorted(controller.datapaths.items())]
