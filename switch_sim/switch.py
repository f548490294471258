"""The datapath: messages and frames in, messages and frames out. It does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from protocol import (
    NO_BUFFER,
    OF10,
    OF11,
    OF12,
    OF15,
    BadRequestCode,
    BarrierReply,
    BarrierRequest,
    Capabilities,
    ConfigFlags,
    DescReply,
    DescRequest,
    EchoReply,
    EncodeError,
    ErrorMsg,
    Experimenter,
    ExperimenterMultipartRequest,
    FeaturesReply,
    FeaturesRequest,
    FlowMod,
    FlowModCommand,
    FlowModFlags,
    FlowRemovedReason,
    FlowStatsRequest,
    GetConfigReply,
    GetConfigRequest,
    Hello,
    Message,
    MultipartRequest,
    PacketOut,
    Port,
    PortDesc,
    PortDescReply,
    PortDescRequest,
    PortMod,
    PortModFailedCode,
    PortReason,
    PortStatus,
    SetConfig,
    SwitchConfigFailedCode,
    TableFeaturesFailedCode,
    TableStatsRequest,
    Version,
    sayable,
)
from protocol.flows import AggregateStatsRequest
from protocol.ports import PortStatsRequest
from protocol.table_features import TableFeaturesRequest

from .abilities import table_features
from .buffers import PacketBuffers
from .check import Checker, check_in_port
from .flow_entry import FlowEntry
from .flow_key import MIN_FRAME
from .flow_mods import FlowMods
from .flow_stats import flow_stats
from .flow_table import MAX_ENTRIES, FlowTables
from .forwarding import Forwarding
from .packet import Packet
from .pipeline import Pipeline
from .ports import Ports, SwitchPort
from .refused import Refused
from .session import Effects, Session
from .statistics import aggregate_stats, port_stats, table_stats

N_TABLES = 254  #: of 255 numbers, one less than can be: some controllers count on 254
N_BUFFERS = 256
_ERROR_DATA = 64  # bytes of the refused message that come back (OF1.3.5 7.4.4 "Error Message")

# What OF1.0 lists as bits: the types of the actions it has, 0 to 11 (OF1.0 5.3.1 "Handshake").
_ACTIONS10 = (1 << 12) - 1
_PIPELINE_FIELDS = frozenset({"in_port", "in_phy_port", "metadata", "tunnel_id", "packet_type"})


class Switch:
    """An OpenFlow switch (OF1.3.5 2 "Switch Components").

    Whoever holds it brings frames, messages and the time (`now`, seconds on any clock that
    does not go back), and carries the effects where they belong.
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
    ) -> None:
        self.datapath_id = datapath_id
        self.name = name
        self.desc = DescReply(mfr_desc, hw_desc, sw_desc, serial_num, name)
        self.flags = ConfigFlags(0)
        self._drops_fragments = False
        self.tables = FlowTables(n_tables, max_entries)
        self.buffers = PacketBuffers(n_buffers)
        self._ports = Ports(ports)
        self._forwarding = Forwarding(self._ports, self.buffers)
        self._pipeline = Pipeline(self.tables, self._forwarding)
        self._checker = Checker(n_tables)
        self._flow_mods = FlowMods(self.tables, self._checker)

    @property
    def ports(self) -> Mapping[int, SwitchPort]:
        """The ports by number, with description and counters."""
        return self._ports

    # What happens around the switch

    def connect(self, version: Version) -> Session:
        """Tell that a channel has finished its handshake."""
        session = Session(version)
        self._forwarding.sessions.append(session)
        return session

    def disconnect(self, session: Session) -> None:
        """Tell that a channel is gone; the entries it made stay."""
        self._forwarding.sessions.remove(session)

    def handle(self, session: Session, message: Message, now: float, raw: bytes = b"") -> Effects:
        """Do what a controller says; `raw` is the message as it came, for errors to quote."""
        effects = Effects()
        try:
            _handler(type(message))(self, session, message, now, effects)
        except Refused as refusal:
            error = _error(session.version, message, refusal, raw)
            effects.messages.append((session, error))
        return effects

    def receive_frame(self, in_port: int, data: bytes, now: float) -> Effects:
        """Take in a frame; one at a port that is not there is lost."""
        effects = Effects()
        port = self._ports.get(in_port)
        if port is not None and port.receive(data):
            packet = Packet(data, in_port, OF10, now, effects)
            if self._drops_fragments and packet.key.is_fragment:
                port.counters.rx_dropped += 1
            else:
                self._pipeline.process(packet)
        return effects

    def handle_timer(self, now: float) -> Effects:
        """Remove the flow entries whose time is over."""
        effects = Effects()
        for table in self.tables.values():
            for entry, reason in table.expire(now):
                self._tell_removed(entry, reason, now, effects)
        return effects

    def deadline(self) -> float | None:
        """Return when `handle_timer` is due next, None for never."""
        times = (table.deadline() for table in self.tables.values())
        return min((time for time in times if time is not None), default=None)

    def set_link(self, port_no: int, up: bool, now: float) -> Effects:
        """Tell that a port's link goes up or down; KeyError where there is no such port."""
        effects = Effects()
        port = self._ports[port_no]
        if port.set_link(up):
            if not up:
                self._forwarding.macs.forget_port(port_no)
            self._tell_port(port, PortReason.MODIFY, effects)
        return effects

    def add_port(self, desc: PortDesc, now: float) -> Effects:
        """Put in a port; ValueError where its number is taken."""
        if desc.port_no in self._ports:
            raise ValueError(f"there is a port {desc.port_no} already")
        effects = Effects()
        port = self._ports[desc.port_no] = SwitchPort(desc, now)
        self._tell_port(port, PortReason.ADD, effects)
        return effects

    def remove_port(self, port_no: int, now: float) -> Effects:
        """Take out a port; KeyError where there is no such port."""
        effects = Effects()
        port = self._ports.pop(port_no)
        self._forwarding.macs.forget_port(port_no)
        self._tell_port(port, PortReason.DELETE, effects)
        return effects

    def _tell_port(self, port: SwitchPort, reason: PortReason, effects: Effects) -> None:
        told = [
            (session, PortStatus(reason, desc))
            for session in self._forwarding.sessions
            if (desc := port.desc_in(session.version)) is not None
        ]
        self._forwarding.tell(effects, told)

    def _tell_removed(
        self, entry: FlowEntry, reason: FlowRemovedReason, now: float, effects: Effects
    ) -> None:
        if entry.flags & FlowModFlags.SEND_FLOW_REM:
            message = entry.removed(reason, now)
            told = [
                (session, message)
                for session in self._forwarding.sessions
                if session.version == entry.version or _can_say(message, session.version)
            ]
            self._forwarding.tell(effects, told)

    # What controllers ask

    def _ignore(self, session: Session, message: Message, now: float, effects: Effects) -> None:
        """Do nothing: a hello or an echo that comes late, an error that nobody here can mend."""

    def _features(
        self, session: Session, message: FeaturesRequest, now: float, effects: Effects
    ) -> None:
        version = session.version
        capabilities = Capabilities.FLOW_STATS | Capabilities.TABLE_STATS | Capabilities.PORT_STATS
        if version <= OF11:
            capabilities |= Capabilities.ARP_MATCH_IP
        reply = FeaturesReply(
            self.datapath_id,
            n_buffers=self.buffers.size,
            n_tables=self.tables.n_tables,
            capabilities=capabilities,
            actions=_ACTIONS10 if version == OF10 else 0,
            ports=self._ports.described(version) if version <= OF12 else (),
        )
        _answer(session, message, reply, effects)

    def _get_config(
        self, session: Session, message: GetConfigRequest, now: float, effects: Effects
    ) -> None:
        reply = GetConfigReply(self.flags, session.miss_send_len)
        _answer(session, message, reply, effects)

    def _set_config(
        self, session: Session, message: SetConfig, now: float, effects: Effects
    ) -> None:
        allowed = ConfigFlags.FRAG_DROP
        if session.version in (OF11, OF12):
            allowed |= ConfigFlags.INVALID_TTL_TO_CONTROLLER
        if message.flags & ~allowed:
            reason = f"flags {message.flags:#x} are not supported"
            raise Refused(SwitchConfigFailedCode.BAD_FLAGS, reason)
        self.flags = ConfigFlags(message.flags)
        self._drops_fragments = bool(self.flags & ConfigFlags.FRAG_DROP)
        self._pipeline.tells_invalid_ttl = bool(self.flags & ConfigFlags.INVALID_TTL_TO_CONTROLLER)
        session.miss_send_len = message.miss_send_len

    def _barrier(
        self, session: Session, message: BarrierRequest, now: float, effects: Effects
    ) -> None:
        # Every message is done before the next one is looked at.
        _answer(session, message, BarrierReply(), effects)

    def _desc(self, session: Session, message: DescRequest, now: float, effects: Effects) -> None:
        _answer(session, message, self.desc, effects)

    def _port_desc(
        self, session: Session, message: PortDescRequest, now: float, effects: Effects
    ) -> None:
        version = session.version
        ports = self._ports.described(version)
        if version >= OF15 and message.port_no != Port.ANY:
            desc = self._ports.named(message.port_no).desc_in(version)
            ports = (desc,) if desc else ()
        _answer(session, message, PortDescReply(ports), effects)

    def _port_mod(self, session: Session, message: PortMod, now: float, effects: Effects) -> None:
        port = self._ports.get(message.port_no)
        if port is None:
            reason = f"there is no port {message.port_no}"
            raise Refused(PortModFailedCode.BAD_PORT, reason)
        before = port.desc
        port.modify(message, session.version)
        if port.desc != before:
            self._tell_port(port, PortReason.MODIFY, effects)

    def _flow_mod(self, session: Session, message: FlowMod, now: float, effects: Effects) -> None:
        buffered = message.buffer_id != NO_BUFFER and message.command in _WITH_BUFFER
        if buffered:
            self.buffers.check(message.buffer_id)
        for entry in self._flow_mods.apply(message, session.version, now):
            self._tell_removed(entry, FlowRemovedReason.DELETE, now, effects)
        if buffered:
            packet = self._buffered(message.buffer_id, session, now, effects)
            self._pipeline.process(packet)

    def _packet_out(
        self, session: Session, message: PacketOut, now: float, effects: Effects
    ) -> None:
        check_in_port(message.in_port)
        self._checker.check_actions(message.actions, session.version, in_packet_out=True)
        if message.match.keys() - _PIPELINE_FIELDS:
            reason = "a packet_out takes pipeline fields only"
            raise Refused(BadRequestCode.PIPELINE_FIELDS_ONLY, reason)
        if message.buffer_id != NO_BUFFER:
            packet = self._buffered(message.buffer_id, session, now, effects)
        elif len(message.data) < MIN_FRAME:
            reason = f"{len(message.data)} bytes are no frame"
            raise Refused(BadRequestCode.BAD_PACKET, reason)
        else:
            packet = Packet(message.data, message.in_port, session.version, now, effects)
        packet.in_port = message.in_port
        if metadata := message.match.number("metadata"):
            packet.set_metadata(metadata)
        if tunnel_id := message.match.number("tunnel_id"):
            packet.set_tunnel_id(tunnel_id)
        self._pipeline.perform(packet, message.actions)

    def _buffered(self, buffer_id: int, session: Session, now: float, effects: Effects) -> Packet:
        kept = self.buffers.take(buffer_id)
        packet = Packet(kept.data, kept.in_port, session.version, now, effects)
        packet.tunnel_id = kept.tunnel_id
        return packet

    def _flow_stats(
        self, session: Session, message: FlowStatsRequest, now: float, effects: Effects
    ) -> None:
        _answer_in_parts(
            session, message, flow_stats(self.tables, message, session.version, now), effects
        )

    def _aggregate_stats(
        self, session: Session, message: AggregateStatsRequest, now: float, effects: Effects
    ) -> None:
        reply = aggregate_stats(self.tables, message, session.version)
        _answer(session, message, reply, effects)

    def _table_stats(
        self, session: Session, message: TableStatsRequest, now: float, effects: Effects
    ) -> None:
        _answer_in_parts(session, message, table_stats(self.tables, session.version), effects)

    def _table_features(
        self, session: Session, message: TableFeaturesRequest, now: float, effects: Effects
    ) -> None:
        if message.tables:
            reason = "the tables are as they are"
            raise Refused(TableFeaturesFailedCode.EPERM, reason)
        _answer_in_parts(session, message, table_features(self.tables, session.version), effects)

    def _port_stats(
        self, session: Session, message: PortStatsRequest, now: float, effects: Effects
    ) -> None:
        parts = port_stats(self._ports, message, session.version, now)
        _answer_in_parts(session, message, parts, effects)


_WITH_BUFFER = (FlowModCommand.ADD, FlowModCommand.MODIFY, FlowModCommand.MODIFY_STRICT)

Handler = Callable[[Switch, Session, Any, float, Effects], None]


def _refuse(code: BadRequestCode, reason: str) -> Handler:
    def handler(
        switch: Switch, session: Session, message: Message, now: float, effects: Effects
    ) -> None:
        raise Refused(code, f"{type(message).__name__}: {reason}")

    return handler


_HANDLERS: dict[type[Message], Handler] = {
    Hello: Switch._ignore,
    EchoReply: Switch._ignore,
    ErrorMsg: Switch._ignore,
    FeaturesRequest: Switch._features,
    GetConfigRequest: Switch._get_config,
    SetConfig: Switch._set_config,
    BarrierRequest: Switch._barrier,
    DescRequest: Switch._desc,
    PortDescRequest: Switch._port_desc,
    PortMod: Switch._port_mod,
    FlowMod: Switch._flow_mod,
    PacketOut: Switch._packet_out,
    FlowStatsRequest: Switch._flow_stats,
    AggregateStatsRequest: Switch._aggregate_stats,
    TableStatsRequest: Switch._table_stats,
    TableFeaturesRequest: Switch._table_features,
    PortStatsRequest: Switch._port_stats,
    Experimenter: _refuse(BadRequestCode.BAD_EXPERIMENTER, "the experimenter is unknown"),
    ExperimenterMultipartRequest: _refuse(
        BadRequestCode.BAD_EXPERIMENTER, "the experimenter is unknown"
    ),
}
_BAD_MULTIPART = _refuse(BadRequestCode.BAD_MULTIPART, "the switch has no such statistics")
_BAD_TYPE = _refuse(BadRequestCode.BAD_TYPE, "the switch takes no such message")


def _handler(kind: type[Message]) -> Handler:
    unknown = _BAD_MULTIPART if issubclass(kind, MultipartRequest) else _BAD_TYPE
    return _HANDLERS.get(kind, unknown)


def _answer(session: Session, request: Message, reply: Message, effects: Effects) -> None:
    effects.messages.append((session, replace(reply, xid=request.xid)))


def _answer_in_parts(
    session: Session, request: Message, parts: Iterable[Message], effects: Effects
) -> None:
    effects.messages += [(session, replace(part, xid=request.xid)) for part in parts]


def _error(version: Version, message: Message, refusal: Refused, raw: bytes) -> ErrorMsg:
    if not raw:
        try:
            raw = message.encode(version)
        except EncodeError:
            raw = b""  # only our own tests can say what the version has no words for
    return ErrorMsg(sayable(refusal.code, version), raw[:_ERROR_DATA], xid=message.xid)


def _can_say(message: Message, version: Version) -> bool:
    try:
        message.encode(version)
    except EncodeError:
        return False
    return True
