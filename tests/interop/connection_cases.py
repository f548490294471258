"""Connections that are tracked and translated: entries and frames, as in extension_cases."""

from __future__ import annotations

from tests.switch_sim import frames
from tests.switch_sim.nicira.conversations import (
    ACK,
    CLIENT,
    FIN,
    RST,
    SERVER,
    SYN,
    ping,
    tcp,
    tcp_answer,
    udp,
    udp6,
    unreachable,
)

from .extension_cases import Case

# From port 1 connections begin, to port 2; each state leaves by a port of its own.
FIREWALL = [
    "priority=9,ip,actions=ct(table=1)",
    "priority=9,ipv6,actions=ct(table=1)",
    "priority=1,actions=output:6",
    "table=1,priority=9,in_port=1,ct_state=+trk+new,ip,actions=ct(commit),output:2",
    "table=1,priority=9,in_port=1,ct_state=+trk+new,ipv6,actions=ct(commit),output:2",
    "table=1,priority=8,ct_state=+trk+est+rpl,actions=output:3",
    "table=1,priority=8,ct_state=+trk+est-rpl,actions=output:4",
    "table=1,priority=7,ct_state=+trk+rel,actions=output:5",
    "table=1,priority=6,ct_state=+trk+inv,actions=output:6,output:5",
    "table=1,priority=5,ct_state=+trk+new,actions=output:6",
]
HANDSHAKE = [(1, tcp(SYN)), (2, tcp_answer(SYN | ACK)), (1, tcp(ACK))]
ANSWER = udp(SERVER, CLIENT, 53, 1000)
_BROKEN = udp()[:-1] + b"!"

CONNECTIONS = {
    "udp": Case(FIREWALL, [(2, ANSWER), (1, udp()), (1, udp()), (2, ANSWER), (1, udp())]),
    "udp6": Case(
        FIREWALL,
        [(1, udp6("fd00::1", "fd00::2")), (2, udp6("fd00::2", "fd00::1", 53, 1000)),
         (1, udp6("fd00::1", "fd00::2"))],
    ),
    "tcp": Case(FIREWALL, HANDSHAKE),
    "a SYN again": Case(FIREWALL, [(1, tcp(SYN)), (1, tcp(SYN)), *HANDSHAKE]),
    "a tcp connection in its middle": Case(FIREWALL, [(1, tcp(ACK)), (2, tcp_answer(ACK))]),
    "a SYN and ACK of nothing": Case(FIREWALL, [(2, tcp_answer(SYN | ACK))]),
    "flags that cannot be": Case(
        FIREWALL, [(1, tcp(SYN | FIN)), (1, tcp(SYN | RST)), (1, tcp(FIN)), (1, tcp(0))]
    ),
    "a connection is closed and begins anew": Case(
        FIREWALL,
        [*HANDSHAKE, (1, tcp(FIN | ACK)), (2, tcp_answer(FIN | ACK)), (1, tcp(ACK)),
         (1, tcp(SYN)), (2, tcp_answer(SYN | ACK))],
    ),
    "ping": Case(
        FIREWALL,
        [(1, ping()), (2, ping(0, SERVER, CLIENT)), (1, ping()), (2, ping(0, SERVER, CLIENT, 8))],
    ),
    "an error about a connection": Case(FIREWALL, [(1, udp()), (2, unreachable(udp()))]),
    "an error about nothing": Case(FIREWALL, [(2, unreachable(udp()))]),
    "an error to somebody else": Case(
        FIREWALL, [(1, udp()), (2, unreachable(udp(), dst="10.0.0.77"))]
    ),
    "a wrong checksum": Case(FIREWALL, [(1, _BROKEN)]),
    "what is no connection": Case(FIREWALL, [(1, frames.ARP)]),
    "zones": Case(
        ["in_port=1,ip,actions=ct(commit,zone=1),output:2",
         "in_port=2,ip,actions=ct(table=1,zone=1)", "in_port=3,ip,actions=ct(table=1,zone=2)",
         "table=1,ct_state=+est,ct_zone=1,actions=output:4",
         "table=1,ct_state=+new,ct_zone=2,actions=output:5"],
        [(1, udp()), (2, ANSWER), (3, ANSWER)],
    ),
    "a zone from a register": Case(
        ["ip,actions=load:9->NXM_NX_REG0[0..15],ct(table=1,zone=NXM_NX_REG0[0..15])",
         "table=1,ct_zone=9,ip,actions=output:2"],
        [(1, udp())],
    ),
    "mark and label": Case(
        ["in_port=1,ip,actions=ct(commit,exec(set_field:0x55->ct_mark,set_field:7->ct_label)),"
         "output:2",
         "in_port=2,ip,actions=ct(table=1)",
         "table=1,ct_mark=0x55,ct_label=7,ip,actions=output:3"],
        [(1, udp()), (2, ANSWER)],
    ),
    "a mark from a register": Case(
        ["in_port=1,ip,actions=load:6->NXM_NX_REG0[],"
         "ct(commit,exec(move:NXM_NX_REG0[]->NXM_NX_CT_MARK[])),output:2",
         "in_port=2,ip,actions=ct(table=1)", "table=1,ct_mark=6,ip,actions=output:3"],
        [(1, udp()), (2, ANSWER)],
    ),
    "a mark by bits": Case(
        ["in_port=1,ip,actions=ct(commit,exec(set_field:0x5/0xf->ct_mark))",
         "in_port=3,ip,actions=ct(commit,exec(set_field:0x50/0xf0->ct_mark))",
         "in_port=2,ip,actions=ct(table=1)", "table=1,ct_mark=0x55,ip,actions=output:4"],
        [(1, udp()), (3, udp()), (2, ANSWER)],
    ),
    "behind ct the packet is untracked": Case(
        ["ip,actions=ct(table=1),resubmit(,2)", "table=1,ct_state=+trk,ip,actions=output:2",
         "table=2,ct_state=-trk,ip,actions=output:3"],
        [(1, udp())],
    ),
    "registers go along": Case(
        ["ip,actions=load:1->NXM_NX_REG0[],ct(table=1),resubmit(,2)",
         "table=1,reg0=1,actions=load:2->NXM_NX_REG0[],output:2",
         "table=2,reg0=1,actions=output:3"],
        [(1, udp())],
    ),
    "the connection's tuple": Case(
        ["in_port=1,ip,actions=ct(commit),output:2", "in_port=2,ip,actions=ct(table=1)",
         "table=1,ct_state=+trk+est,ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=17,"
         "ct_tp_src=1000,ct_tp_dst=53,ip,actions=output:3"],
        [(1, udp()), (2, ANSWER)],
    ),
    "ct_clear": Case(
        ["ip,actions=ct(table=1)", "table=1,ip,actions=ct_clear,resubmit(,2)",
         "table=2,ct_state=-trk,ip,actions=output:2"],
        [(1, udp())],
    ),
    "resubmit with the connection's tuple": Case(
        ["in_port=1,ip,actions=ct(commit),output:2", "in_port=2,ip,actions=ct(table=1)",
         "table=1,ct_state=+trk-inv,ip,actions=resubmit(,2,ct),resubmit(,2)",
         "table=2,ip,nw_src=10.0.0.1,actions=output:3",
         "table=2,ip,nw_src=10.0.0.2,actions=output:4"],
        [(1, udp()), (2, ANSWER)],
    ),
    "force": Case(
        ["in_port=1,ip,actions=ct(commit),output:2",
         "in_port=2,ip,actions=ct(commit,force),output:1", "in_port=3,ip,actions=ct(table=1)",
         "table=1,ct_state=+est+rpl,ip,actions=output:4", "table=1,priority=1,actions=output:5"],
        [(1, udp()), (2, ANSWER), (3, udp())],
    ),
}  # fmt: skip


def _gateway(nat: str) -> list[str]:
    return [
        f"in_port=1,ip,actions=ct(commit,zone=3,table=1,nat({nat}))",
        "in_port=2,ip,actions=ct(zone=3,table=2,nat)",
        "table=1,ct_state=+trk-inv,ip,actions=output:2",
        "table=1,ct_state=+trk+inv,ip,actions=output:5",
        "table=2,ct_state=+trk-inv,ip,actions=output:1",
        "table=2,ct_state=+trk+inv,ip,actions=output:6",
    ]


_NAT = "192.168.0.1"

TRANSLATIONS = {
    "a source": Case(
        _gateway(f"src={_NAT}"), [(1, udp()), (2, udp(SERVER, _NAT, 53, 1000)), (1, udp())]
    ),
    "a source and its port": Case(
        _gateway(f"src={_NAT}:5000"),
        [(1, tcp(SYN)), (2, tcp_answer(SYN | ACK, dst=_NAT, dport=5000)), (1, tcp(ACK))],
    ),
    "a destination": Case(
        _gateway(f"dst={_NAT}"), [(1, udp()), (2, udp(_NAT, CLIENT, 53, 1000)), (1, udp())]
    ),
    "a destination and its port": Case(
        _gateway(f"dst={_NAT}:8080"), [(1, tcp(SYN)), (2, tcp(SYN | ACK, _NAT, CLIENT, 8080, 1000))]
    ),
    "ping": Case(
        _gateway(f"src={_NAT}"), [(1, ping()), (2, ping(0, SERVER, _NAT))]
    ),
    "an error": Case(
        _gateway(f"src={_NAT}"),
        [(1, udp()), (2, unreachable(udp(_NAT), dst=_NAT))],
    ),
    "an error about tcp": Case(
        _gateway(f"src={_NAT}"),
        [(1, tcp(SYN)), (2, unreachable(tcp(SYN, _NAT), dst=_NAT))],
    ),
    "ipv6": Case(
        ["in_port=1,ipv6,actions=ct(commit,table=1,nat(src=fd00::9))",
         "in_port=2,ipv6,actions=ct(table=2,nat)",
         "table=1,ipv6,actions=output:2", "table=2,ipv6,actions=output:1"],
        [(1, udp6("fd00::1", "fd00::2")), (2, udp6("fd00::2", "fd00::9", 53, 1000))],
    ),
    "without a table": Case(
        [f"in_port=1,ip,actions=ct(commit,nat(src={_NAT})),output:2"], [(1, udp())]
    ),
    "twice in a zone": Case(
        [f"in_port=1,ip,actions=ct(commit,table=1,nat(src={_NAT}))",
         "table=1,ip,actions=ct(table=2,nat)", "table=2,ct_state=+snat,ip,actions=output:2"],
        [(1, udp())],
    ),
    "a port that is taken": Case(
        _gateway(f"src={_NAT}:5000"), [(1, udp(sport=1)), (1, udp(sport=2))]
    ),
}  # fmt: skip
