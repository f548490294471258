"""Which asynchronous messages a controller gets (OF1.5.1 7.3.10 "Set Asynchronous Configuration").

Each field is a mask with a bit for each reason of the message; None where it is not told,
or not changed. A controller that is master or equal gets what the first says, a slave what
the second says.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .message import Message, message
from .properties import ExperimenterProperty, properties
from .record import Record, Unknown
from .version import OF13, OF14, OF15, Version
from .wire import U32, Converted, Layout, Spread, by_version, resolve, since, until

AsyncPropertyShape = properties("async_config")  # an experimenter's for masters is in it


@AsyncPropertyShape.member(since(OF14, 0xFFFE))
class ExperimenterSlaveProperty(ExperimenterProperty):
    """What a slave gets of an experimenter's messages."""


#: The field of each property, by its number.
ASYNC_PROPERTIES: dict[str, Any] = {
    "packet_in_slave": since(OF14, 0),
    "packet_in_master": since(OF14, 1),
    "port_status_slave": since(OF14, 2),
    "port_status_master": since(OF14, 3),
    "flow_removed_slave": since(OF14, 4),
    "flow_removed_master": since(OF14, 5),
    "role_status_slave": since(OF14, 6),
    "role_status_master": since(OF14, 7),
    "table_status_slave": since(OF14, 8),
    "table_status_master": since(OF14, 9),
    "requestforward_slave": since(OF14, 10),
    "requestforward_master": since(OF14, 11),
    "flow_stats_slave": since(OF15, 12),
    "flow_stats_master": since(OF15, 13),
    "controller_status_slave": since(OF15, 14),
    "controller_status_master": since(OF15, 15),
}
_MASK_SIZE = 4


def _shape(version: Version) -> Converted:
    number_of = {name: resolve(number, version) for name, number in ASYNC_PROPERTIES.items()}
    name_of = {number: name for name, number in number_of.items() if number is not None}

    def to_fields(found: tuple[Any, ...]) -> tuple[Any, ...]:
        masks: dict[str, int] = {}
        others = []
        for one in found:
            name = name_of.get(one.number) if isinstance(one, Unknown) else None
            if name is None:
                others.append(one)
            elif len(one.body) != _MASK_SIZE or name in masks:
                raise ValueError(f"{name} has {len(one.body)} bytes, or stands twice")
            else:
                masks[name] = int.from_bytes(one.body, "big")
        return (*(masks.get(name) for name in ASYNC_PROPERTIES), tuple(others))

    def to_properties(fields: tuple[Any, ...]) -> tuple[Any, ...]:
        found: list[Any] = []
        for name, mask in zip(ASYNC_PROPERTIES, fields, strict=False):
            if mask is None:
                continue
            if number_of[name] is None:
                raise ValueError(f"{name} does not exist in OpenFlow {version}")
            found.append(Unknown(number_of[name], mask.to_bytes(_MASK_SIZE, "big")))
        return (*found, *fields[-1])

    return Converted(AsyncPropertyShape, to_fields, to_properties)


def _or_zero(mask: int | None) -> int:
    return mask or 0


Mask = Converted(U32, int, _or_zero)  #: a mask that there is always
_Mask = until(OF13, Mask)
#: All masks, and properties that are none, as OF1.4 has them.
MASKS = _shape(OF14)


class AsyncConfig(Message):
    """The masks of all messages."""

    packet_in_master: int | None = None
    packet_in_slave: int | None = None
    port_status_master: int | None = None
    port_status_slave: int | None = None
    flow_removed_master: int | None = None
    flow_removed_slave: int | None = None
    role_status_master: int | None = None
    role_status_slave: int | None = None
    table_status_master: int | None = None
    table_status_slave: int | None = None
    requestforward_master: int | None = None
    requestforward_slave: int | None = None
    flow_stats_master: int | None = None
    flow_stats_slave: int | None = None
    controller_status_master: int | None = None
    controller_status_slave: int | None = None
    properties: tuple[Record, ...] = ()
    layout: ClassVar[Layout] = (
        "packet_in_master" / _Mask,
        "packet_in_slave" / _Mask,
        "port_status_master" / _Mask,
        "port_status_slave" / _Mask,
        "flow_removed_master" / _Mask,
        "flow_removed_slave" / _Mask,
        Spread(
            by_version({version: _shape(version) for version in (OF14, OF15)}),
            *ASYNC_PROPERTIES,
            "properties",
        ),
    )


@message(since(OF13, 26))
class GetAsyncRequest(Message):
    """Asks which asynchronous messages the controller gets."""


@message(since(OF13, 27))
class GetAsyncReply(AsyncConfig):
    """Which asynchronous messages the controller gets."""


@message(since(OF13, 28))
class SetAsync(AsyncConfig):
    """Says which asynchronous messages the controller wants."""
