"""Which match fields an action reads from a packet, and which it sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol import Action
from protocol import nicira as nx

Names = tuple[str, ...]
_Touched = tuple[Names, Names]


def touched(action: Action) -> _Touched:
    """Return the names of the fields that one of Nicira's actions reads and sets."""
    find = _TOUCHED.get(type(action))
    return ((), ()) if find is None else find(action)


def _learn(action: nx.Learn) -> _Touched:
    sources = (getattr(spec, "src", None) for spec in action.specs)
    return tuple(src.field for src in sources if isinstance(src, nx.Subfield)), ()


_TOUCHED: dict[type[Action], Callable[[Any], _Touched]] = {
    nx.RegMove: lambda action: ((action.src.field,), (action.dst.field,)),
    nx.RegLoad: lambda action: ((), (action.dst.field,)),
    nx.RegLoad2: lambda action: ((), tuple(action.field)),
    nx.StackPush: lambda action: ((action.subfield.field,), ()),
    nx.StackPop: lambda action: ((), (action.subfield.field,)),
    nx.OutputReg: lambda action: ((action.src.field,), ()),
    nx.OutputReg2: lambda action: ((action.src.field,), ()),
    nx.Multipath: lambda action: ((), (action.dst.field,)),
    nx.BundleLoad: lambda action: ((), (action.dst.field,)),
    nx.CheckPktLarger: lambda action: ((), (action.dst,)),
    nx.Learn: _learn,
    nx.Learn2: _learn,
}
