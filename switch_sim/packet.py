"""A packet on its way through the switch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from protocol import Action, PacketInReason, Port, Version

from .flow_entry import FlowEntry
from .flow_key import FlowKey, flow_key
from .nicira.course import Course
from .session import Effects

if TYPE_CHECKING:
    from .flow_table import FlowTable

Does = Callable[["Packet", Any], None]  #: what an action or an instruction does

OUTPUT, GROUP = "output", "group"  #: the places of these in an action set


class Dropped(Exception):
    """A packet goes no further: what is left to do with it is not done.

    It ends this packet, or this copy, and nothing else; the text says why.
    """


class Finished(Exception):
    """Nothing more is done with a packet, or a copy, than what its action set says."""


class Paused(Exception):
    """A packet waits for a controller's word.

    On the way up each level adds what it would have done yet; `hold` keeps all of it.
    """

    def __init__(self, hold: Callable[[Packet, Held], None]) -> None:
        super().__init__("the packet waits for a controller")
        self.hold, self.later = hold, Held()


class Held:
    """What is left to do with a packet that waits: steps in their order, and its action set."""

    __slots__ = ("steps", "with_action_set")

    def __init__(self) -> None:
        self.steps: list[Callable[[Packet], None]] = []
        self.with_action_set = False


class Witness(Protocol):
    """Watches a packet that only shows what would become of one."""

    def remark(self, subject: str, text: str) -> None:
        """Note what happens to the packet, and why; the subject is such as "group 5"."""

    def lose(self, text: str) -> None:
        """Note why the packet, or a copy of it, ends."""

    def output(self, where: str, data: bytes, why_not: str) -> None:
        """Note that the packet comes to a way out, which `why_not` closes if it says why."""

    def looked_up(self, packet: Packet, table: FlowTable, entry: FlowEntry | None) -> None:
        """Note a look-up in a table, and what it found."""

    def watch(self, does: Mapping[type, Does]) -> Mapping[type, Does]:
        """Return what actions or instructions do, so that it is noted when they are done."""


class Packet:
    """The bytes of a packet and what the pipeline knows of it (OF1.3.5 5.1 "Pipeline Processing").

    `now` and `effects` are those of the event that it belongs to. `version` is the one in
    whose words the actions are that are being done. `registers` are the pipeline fields that
    extensions add, by the names of their match fields.

    Where there is a `witness`, nothing that happens may outlive the packet: no counter moves,
    nothing is learnt, kept or told. Whatever has a state asks for it.
    """

    __slots__ = (
        "_key",
        "action_set",
        "course",
        "data",
        "effects",
        "entry",
        "in_port",
        "is_egress",
        "metadata",
        "now",
        "queue_id",
        "reason",
        "registers",
        "table_id",
        "tunnel_id",
        "version",
        "witness",
    )

    def __init__(
        self, data: bytes, in_port: int, version: Version, now: float, effects: Effects
    ) -> None:
        self.data = data
        self.in_port = in_port
        self.version = version
        self.now = now
        self.effects = effects
        self.metadata = 0
        self.tunnel_id = 0
        self.registers: dict[str, int] | None = None
        self.course: Course | None = None  #: what Nicira's actions carry along
        self.witness: Witness | None = None
        self.is_egress = False  #: no egress tables are before the ports that it is sent to
        self.queue_id: int | None = None  #: for outputs to come
        self.action_set: dict[object, Action] = {}
        self.table_id = 0
        self.entry: FlowEntry | None = None  #: that matched last
        self.reason = PacketInReason.ACTION  #: why a controller that gets it now does
        self._key: FlowKey | None = None

    def copy(self) -> Packet:
        """Return the packet as it is now, without an action set."""
        other = Packet(self.data, self.in_port, self.version, self.now, self.effects)
        other.metadata, other.tunnel_id = self.metadata, self.tunnel_id
        other.registers = dict(self.registers) if self.registers else None
        other.course = self.course.fork() if self.course else None
        other.is_egress = self.is_egress
        other.queue_id, other.witness = self.queue_id, self.witness
        other.table_id, other.entry, other.reason = self.table_id, self.entry, self.reason
        return other

    @property
    def key(self) -> FlowKey:
        """The match fields."""
        key = self._key
        if key is None:
            key = self._key = flow_key(self.data, self.in_port, self.metadata, self.tunnel_id)
            if self.registers:
                key.update(self.registers)
            if self.action_set:
                self.note_action_set()
        return key

    def change(self, data: bytes) -> None:
        """Have other bytes from now on."""
        self.data = data
        self._key = None

    def change_field(self, data: bytes, name: str, value: int) -> None:
        """Have other bytes, which differ in one field and begin their headers where they did."""
        self.data = data
        self.key[name] = value
        self.key.data = data

    def change_unmatched(self, data: bytes) -> None:
        """Have other bytes, which differ in nothing that the match fields keep."""
        self.data = data
        if self._key is not None:
            self._key.data = data

    def set_in_port(self, value: int) -> None:
        """Be as if it had come in by another port."""
        self.in_port = value
        self.key["in_port"] = value

    def set_metadata(self, value: int) -> None:
        """Set the register that tables hand on."""
        self.metadata = value
        self.key["metadata"] = value

    def set_tunnel_id(self, value: int) -> None:
        """Set the field that logical ports interpret."""
        self.tunnel_id = value
        self.key["tunnel_id"] = value

    def set_register(self, name: str, value: int) -> None:
        """Set a pipeline field of an extension; it stays whatever becomes of the bytes."""
        if self.registers is None:
            self.registers = {}
        self.registers[name] = value
        self.key[name] = value

    def forget_registers(self, names: Iterable[str]) -> None:
        """Let pipeline fields of extensions be as they were at first."""
        for name in names:
            if self.registers and self.registers.pop(name, None) is not None:
                self.key.pop(name, None)

    def course_of(self) -> Course:
        """Return what Nicira's actions carry along, made when first needed."""
        if self.course is None:
            self.course = Course()
        return self.course

    def note_action_set(self) -> None:
        """Tell the match fields which port the action set names: OF1.5's actset_output."""
        output = None if GROUP in self.action_set else self.action_set.get(OUTPUT)
        self.key["actset_output"] = getattr(output, "port", Port.UNSET)
