"""The switch: messages and frames in, messages and frames out. It does no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf

from protocol import (
    OF10,
    BundleFailedCode,
    DescReply,
    Message,
    Output,
    Port,
    PortDesc,
    PortReason,
    Version,
)
from protocol.queues import QueueDesc
from protocol.roles import ChannelStatus, ControllerStatusReason

from . import handlers  # noqa: F401  (the handlers register themselves)
from .datapath import Datapath
from .flow_changes import ChangeKind, FlowChange
from .flow_table import MAX_ENTRIES, FlowTables
from .packet import Packet
from .ports import SwitchPort
from .refused import Refused, error_of
from .request import Request, dispatch
from .session import Effects, Session
from .trace import Trace
from .tracer import trace

N_TABLES = 254  #: of 255 numbers, one less than can be: some controllers count on 254
N_BUFFERS = 256


class Switch:
    """An OpenFlow switch (OF1.3.5 2 "Switch Components").

    Whoever holds it brings frames, messages and the time (`now`, seconds on any clock that
    does not go back; the first is when the switch is made), and carries the effects where
    they belong.

    With `meter_features=False` it leaves out what OF1.5 added to the reply of that name, as
    Open vSwitch does: ovs-ofctl reads no other.
    """

    def __init__(
        self,
        datapath_id: int,
        ports: Sequence[PortDesc] = (),
        *,
        name: str = "",
        n_tables: int = N_TABLES,
        n_buffers: int = N_BUFFERS,
        max_entries: int = MAX_ENTRIES,
        mfr_desc: str = "The Pointsman developers",
        hw_desc: str = "simulated switch",
        sw_desc: str = "Pointsman",
        serial_num: str = "None",
        dp_desc: str = "",
        queues: Iterable[QueueDesc] = (),
        now: float = 0.0,
        meter_features: bool = True,
    ) -> None:
        self.datapath_id = datapath_id
        self.name = name
        desc = DescReply(mfr_desc, hw_desc, sw_desc, serial_num, dp_desc or name)
        self.alone_from = inf  #: seconds; from then on it forwards as NORMAL does, without tables
        self.datapath = Datapath(
            *(datapath_id, ports, desc, n_tables, n_buffers, max_entries),
            *(queues, now, meter_features),
        )

    @property
    def ports(self) -> Mapping[int, SwitchPort]:
        """The ports by number, with description and counters."""
        return self.datapath.ports

    @property
    def tables(self) -> FlowTables:
        """The flow tables by table_id."""
        return self.datapath.tables

    def configure(self, uri: str) -> Effects:
        """Tell of a controller that the switch is to have, as OF1.5 lists them all."""
        effects = Effects()
        self.datapath.sessions.configure(uri, effects)
        return effects

    def connect(
        self,
        version: Version,
        uri: str = "",
        *,
        main: Session | None = None,
        auxiliary_id: int = 0,
    ) -> Session:
        """Tell that a channel has finished its handshake; `greet` tells other controllers.

        An auxiliary channel names the main one, and a number that is not 0 (OF1.3.5 6.3.6
        "Auxiliary Connections").
        """
        session = Session(version, uri, main=main, auxiliary_id=auxiliary_id)
        if main is None:
            self.datapath.sessions.append(session)
        return session

    def greet(self, session: Session) -> Effects:
        """Tell other controllers of one that came."""
        effects = Effects()
        if session.main is session:
            reason = ControllerStatusReason.CHANNEL_STATUS
            self.datapath.sessions.tell_status(session, reason, effects)
        return effects

    def disconnect(self, session: Session) -> Effects:
        """Tell that a channel is gone; the entries it made stay.

        With the main channel the auxiliary ones of its controller have to end.
        """
        effects = Effects()
        self.datapath.bundles.forget(session)
        if session.main is session:
            sessions = self.datapath.sessions
            sessions.remove(session)
            self.datapath.monitors.forget(session)
            reason = ControllerStatusReason.CHANNEL_STATUS
            sessions.tell_status(session, reason, effects, ChannelStatus.DOWN)
        return effects

    def relieve(self, session: Session) -> Effects:
        """Tell that a controller whose session `is_congested` has read what waited."""
        effects = Effects()
        session.is_congested = False
        self.datapath.monitors.relieve(session, effects)
        return effects

    def handle(self, session: Session, message: Message, now: float, raw: bytes = b"") -> Effects:
        """Do what a controller says; `raw` is the message as it came, for errors to quote."""
        effects = Effects()
        try:
            dispatch(self.datapath, Request(session, message, now, effects))
        except Refused as refusal:
            error = error_of(refusal, message, session.version, raw)
            effects.messages.append((session, error))
        if self.datapath.tables.references.orphaned:
            self._settle(now, effects)
        return effects

    def receive_frame(self, in_port: int, data: bytes, now: float) -> Effects:
        """Take in a frame; one at a port that is not there is lost."""
        effects = Effects()
        datapath = self.datapath
        port = datapath.ports.get(in_port)
        if port is not None and port.receive(data):
            if now >= self.alone_from:
                packet = Packet(data, in_port, OF10, now, effects)
                packet.is_egress = True
                datapath.forwarding.output(packet, Output(Port.NORMAL))
            elif not datapath.fast_path.receive(in_port, data, now, effects):
                port.counters.rx_dropped += 1
            if datapath.tables.references.orphaned:
                self._settle(now, effects)
        return effects

    def trace(self, in_port: int, data: bytes, now: float) -> Trace:
        """Return what would become of a frame, and why. Nothing does: no counter moves."""
        return trace(self.datapath, in_port, data, now, is_alone=now >= self.alone_from)

    def _settle(self, now: float, effects: Effects) -> None:
        """Do what follows from what was done."""
        if self.tables.references.orphaned:
            self.datapath.nicira.learner.forget_orphans(now, effects)

    # Time

    def handle_timer(self, now: float) -> Effects:
        """Remove the flow entries and bundles whose time is over."""
        effects = Effects()
        for session, bundle in self.datapath.bundles.expire(now):
            timeout = Refused(BundleFailedCode.TIMEOUT, "nothing happened to the bundle")
            effects.messages.append((session, error_of(timeout, bundle.last, session.version)))
        for table in self.tables.values():
            gone = table.expire(now)
            changes = [FlowChange(ChangeKind.REMOVED, entry, reason) for entry, reason in gone]
            self.datapath.tell_changes(changes, now, effects)
        self.datapath.triggers.handle_timer(now, effects)
        self.datapath.nicira.expire(now)
        self._settle(now, effects)
        return effects

    def deadline(self) -> float | None:
        """Return when `handle_timer` is due next, None for never."""
        times = [self.tables.deadline()]
        times.append(self.datapath.bundles.deadline())
        times.append(self.datapath.triggers.deadline())
        times.append(self.datapath.nicira.deadline())
        return min((time for time in times if time is not None), default=None)

    # Ports

    def set_link(self, port_no: int, up: bool, now: float) -> Effects:
        """Tell that a port's link goes up or down; KeyError where there is no such port."""
        effects = Effects()
        port = self.datapath.ports[port_no]
        if port.set_link(up):
            if not up:
                self.datapath.forwarding.macs.forget_port(port_no)
            self.datapath.tell_port(port, PortReason.MODIFY, effects)
        return effects

    def add_port(self, desc: PortDesc, now: float) -> Effects:
        """Put in a port; ValueError where its number is taken."""
        if desc.port_no in self.ports:
            raise ValueError(f"there is a port {desc.port_no} already")
        effects = Effects()
        port = self.datapath.ports[desc.port_no] = SwitchPort(desc, now)
        self.datapath.tell_port(port, PortReason.ADD, effects)
        return effects

    def remove_port(self, port_no: int, now: float) -> Effects:
        """Take out a port; KeyError where there is no such port."""
        effects = Effects()
        port = self.datapath.ports.pop(port_no)
        self.datapath.forwarding.macs.forget_port(port_no)
        self.datapath.tell_port(port, PortReason.DELETE, effects)
        return effects
