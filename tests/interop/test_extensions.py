"""Nicira's extensions of the language beside Open vSwitch's own: the same entries and frames.

Left out are choices by hash among several (multipath, bundle with hrw, ranges of addresses
and ports): each switch has a hash of its own. And the action set behind `exit`, which
ovs-actions(7) says is executed; Open vSwitch 3.1 does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from protocol import Action, ApplyActions, FlowMod, Match, Output, Port, onf
from protocol import nicira as nx
from protocol.actions import set_field
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

from . import ovs
from .dummies import Left, Ours, Theirs

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(ovs.missing_tools()), reason=ovs.missing_tools()),
]


class Case(NamedTuple):
    """Entries, and frames that come in one after the other: (in_port, frame)."""

    flows: list[str]
    comes: list[tuple[int, bytes]]


TCP, UDP = frames.TCP, udp()
BACK = TCP[6:12] + TCP[:6] + TCP[12:]

REGISTERS = {
    "load and match": Case(
        [
            "actions=load:0x1234->NXM_NX_REG5[],resubmit(,1)",
            "table=1,reg5=0x1234,actions=output:2",
            "table=1,priority=0,actions=output:3",
        ],
        [(1, TCP)],
    ),
    "load bits": Case(
        [
            "actions=load:0x7->NXM_NX_REG5[8..11],resubmit(,1)",
            "table=1,reg5=0x700/0xf00,actions=output:2",
        ],
        [(1, TCP)],
    ),
    "xreg is a view": Case(
        [
            "actions=set_field:0x100000002->xreg1,resubmit(,1)",
            "table=1,reg2=1,reg3=2,actions=output:2",
        ],
        [(1, TCP)],
    ),
    "xxreg is a view": Case(
        [
            "actions=set_field:7->reg7,resubmit(,1)",
            "table=1,xxreg1=7,actions=output:2",
        ],
        [(1, TCP)],
    ),
    "move from a header": Case(
        [
            "ip,actions=move:NXM_OF_IP_SRC[]->NXM_NX_REG1[],resubmit(,1)",
            "table=1,reg1=0x0a000001,actions=output:2",
        ],
        [(1, TCP), (1, udp("10.0.0.9"))],
    ),
    "move to a header": Case(
        [
            "ip,actions=load:0x0a000009->NXM_NX_REG0[],move:NXM_NX_REG0[]->NXM_OF_IP_DST[],"
            "output:2",
        ],
        [(1, TCP), (1, UDP)],
    ),
    "swap addresses": Case(
        [
            "actions=push:NXM_OF_ETH_SRC[],push:NXM_OF_ETH_DST[],pop:NXM_OF_ETH_SRC[],"
            "pop:NXM_OF_ETH_DST[],output:2",
        ],
        [(1, TCP)],
    ),
    "pop of an empty stack": Case(
        [
            "actions=load:1->NXM_NX_REG0[],pop:NXM_NX_REG0[],resubmit(,1)",
            "table=1,reg0=1,actions=output:2",
        ],
        [(1, TCP)],
    ),
    "pop into fewer bits": Case(
        [
            "actions=load:0xabcd->NXM_NX_REG0[],push:NXM_NX_REG0[],pop:NXM_NX_REG1[0..7],"
            "resubmit(,1)",
            "table=1,reg1=0xcd,actions=output:2",
        ],
        [(1, TCP)],
    ),
    "masked set_field": Case(
        ["ip,actions=set_field:0.0.0.9/0.0.0.255->ip_dst,output:2"],
        [(1, TCP)],
    ),
    "output to a register": Case(
        ["actions=load:3->NXM_NX_REG0[0..15],output:NXM_NX_REG0[0..15]"],
        [(1, TCP)],
    ),
    "output to the in_port in a register": Case(
        ["actions=load:1->NXM_NX_REG0[0..15],output:NXM_NX_REG0[0..15],output:2"],
        [(1, TCP)],
    ),
    "load a tag": Case(
        ["actions=load:0x7064->NXM_OF_VLAN_TCI[],output:2"], [(1, TCP), (1, frames.VLAN_5_TCP)]
    ),
    "load no tag": Case(
        ["actions=load:0->NXM_OF_VLAN_TCI[],output:2"], [(1, TCP), (1, frames.VLAN_5_TCP)]
    ),
    "match a tag by bits": Case(
        ["vlan_tci=0x1064/0x1fff,actions=output:2", "priority=1,vlan_tci=0,actions=output:3"],
        [(1, TCP), (1, frames.VLAN_TCP), (1, frames.VLAN_5_TCP)],
    ),
    "match a TTL": Case(
        ["ip,nw_ttl=64,actions=output:2", "ip,nw_ttl=1,actions=output:3"],
        [(1, TCP), (1, frames.TCP_TTL_1)],
    ),
    "match fragments": Case(["ip,nw_frag=no,actions=output:2"], [(1, TCP)]),
    "load the in_port": Case(["actions=load:0->NXM_OF_IN_PORT[],output:1,output:2"], [(1, TCP)]),
    "load the in_port, and IN_PORT": Case(["actions=load:3->NXM_OF_IN_PORT[],in_port"], [(1, TCP)]),
    "pkt_mark": Case(
        ["actions=load:5->NXM_NX_PKT_MARK[],resubmit(,1)", "table=1,pkt_mark=5,actions=output:2"],
        [(1, TCP)],
    ),
    "tun_id": Case(
        ["actions=set_tunnel:5,resubmit(,1)", "table=1,tun_id=5,actions=output:2"], [(1, TCP)]
    ),
    "check_pkt_larger": Case(
        [
            "actions=check_pkt_larger(65)->NXM_NX_REG0[0],resubmit(,1)",
            "table=1,reg0=1,actions=output:2",
            "table=1,reg0=0,actions=output:3",
        ],
        [(1, TCP), (1, ping())],
    ),
    "write_metadata": Case(
        ["actions=write_metadata:0x5,goto_table:1", "table=1,metadata=5,actions=output:2"],
        [(1, TCP)],
    ),
}

WAYS = {
    "resubmit comes back": Case(
        ["actions=resubmit(,5),output:2", "table=5,actions=output:3"], [(1, TCP)]
    ),
    "resubmit as another port": Case(
        ["in_port=1,actions=resubmit(3)", "in_port=3,actions=output:3,output:1,in_port"],
        [(1, TCP)],
    ),
    "resubmit to another port's entry in a table": Case(
        [
            "in_port=1,actions=resubmit(4,5)",
            "table=5,in_port=4,actions=output:2",
            "table=5,in_port=1,actions=output:3",
        ],
        [(1, TCP)],
    ),
    "resubmit keeps changes": Case(
        ["ip,actions=resubmit(,5),output:2", "table=5,ip,actions=mod_nw_dst:10.0.0.9"],
        [(1, TCP)],
    ),
    "resubmit in itself without end": Case(["actions=resubmit(,0)"], [(1, TCP)]),
    "resubmit and action set": Case(
        ["actions=resubmit(,5),output:2", "table=5,actions=write_actions(output:3)"], [(1, TCP)]
    ),
    "goto behind a resubmit": Case(
        [
            "actions=resubmit(,5),output:2",
            "table=5,actions=output:3,goto_table:6",
            "table=6,actions=output:4",
        ],
        [(1, TCP)],
    ),
    "clone forgets": Case(["ip,actions=clone(mod_nw_dst:10.0.0.9,output:2),output:3"], [(1, TCP)]),
    "clone in clone": Case(
        [
            "ip,actions=clone(mod_nw_dst:10.0.0.9,clone(push_vlan:0x8100,output:4),output:2),"
            "output:3"
        ],
        [(1, TCP)],
    ),
    "clone forgets registers": Case(
        ["actions=clone(load:1->NXM_NX_REG0[]),resubmit(,1)", "table=1,reg0=0,actions=output:2"],
        [(1, TCP)],
    ),
    "clone with resubmit": Case(
        ["actions=clone(resubmit(,1)),output:3", "table=1,ip,actions=dec_ttl,output:2"],
        [(1, TCP)],
    ),
    "exit": Case(["actions=output:2,exit,output:3"], [(1, TCP)]),
    "exit ends resubmits": Case(
        ["actions=resubmit(,5),output:2", "table=5,actions=output:3,exit"], [(1, TCP)]
    ),
    "exit in a clone": Case(["actions=clone(output:2,exit,output:3),output:4"], [(1, TCP)]),
    "note": Case(["actions=note:00.11.22,output:2"], [(1, TCP)]),
    "a TTL that ends": Case(
        ["ip,actions=output:2,dec_ttl,output:3"], [(1, TCP), (1, frames.TCP_TTL_1)]
    ),
    "a TTL that ends in a resubmit": Case(
        ["ip,actions=resubmit(,1),output:3", "table=1,ip,actions=dec_ttl,output:2"],
        [(1, TCP), (1, frames.TCP_TTL_1)],
    ),
    "dec_ttl with ids": Case(
        ["ip,actions=dec_ttl(1,2),output:3"], [(1, TCP), (1, frames.TCP_TTL_1)]
    ),
    "output cut": Case(["actions=output(port=2,max_len=20),output:3"], [(1, TCP)]),
    "output not cut": Case(["actions=output(port=2,max_len=2000)"], [(1, TCP)]),
    "bundle, active_backup": Case(
        ["actions=bundle(eth_src,0,active_backup,ofport,members:2,3)"], [(1, TCP)]
    ),
    "bundle of one": Case(["actions=bundle(symmetric_l4,0,hrw,ofport,members:4)"], [(1, TCP)]),
    "bundle_load": Case(
        [
            "actions=bundle_load(eth_src,0,active_backup,ofport,NXM_NX_REG0[0..15],members:3,2),"
            "output:NXM_NX_REG0[0..15]"
        ],
        [(1, TCP)],
    ),
    "bundle of ports that are not there": Case(
        ["actions=bundle(eth_src,0,active_backup,ofport,members:44,3)"], [(1, TCP)]
    ),
    "multipath of one link": Case(
        [
            "actions=multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[]),resubmit(,1)",
            "table=1,reg0=0,actions=output:2",
        ],
        [(1, TCP)],
    ),
}

LEARN_L2 = (
    "actions=learn(table=1,hard_timeout=60,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
    "output:NXM_OF_IN_PORT[]),resubmit(,1)"
)

LEARNING = {
    "addresses": Case(
        [LEARN_L2, "table=1,priority=0,actions=flood"], [(3, TCP), (2, BACK), (3, TCP)]
    ),
    "an address that moves": Case([LEARN_L2], [(3, TCP), (4, TCP), (2, BACK)]),
    "VID and address": Case(
        [
            "actions=learn(table=1,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
            "output:NXM_OF_IN_PORT[]),resubmit(,1)"
        ],
        [
            (3, frames.VLAN_TCP),
            (2, frames.VLAN_TCP[6:12] + frames.VLAN_TCP[:6] + frames.VLAN_TCP[12:]),
            (2, BACK),
        ],
    ),
    "loads": Case(
        [
            "ip,actions=learn(table=1,eth_type=0x800,NXM_OF_IP_DST[]=NXM_OF_IP_SRC[],"
            "load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15],load:5->NXM_NX_REG1[]),resubmit(,1),"
            "resubmit(,2)",
            "table=2,reg1=5,actions=output:NXM_NX_REG0[0..15]",
        ],
        [(3, udp()), (2, udp(SERVER, CLIENT, 53, 1000))],
    ),
    "ports of a connection": Case(
        [
            "tcp,actions=learn(table=1,eth_type=0x800,nw_proto=6,NXM_OF_TCP_DST[]=NXM_OF_TCP_SRC[],"
            "output:NXM_OF_IN_PORT[]),resubmit(,1)"
        ],
        [(3, tcp(SYN)), (2, tcp_answer(SYN | ACK)), (4, tcp(ACK, dport=81))],
    ),
    "a limit": Case(
        [
            "actions=learn(table=1,limit=1,cookie=7,result_dst=NXM_NX_REG0[0],"
            "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),resubmit(,2)",
            "table=2,reg0=1,actions=output:4",
            "table=2,reg0=0,actions=output:5",
        ],
        [(3, TCP), (2, BACK), (3, TCP)],
    ),
    "priority": Case(
        [
            "actions=learn(table=1,priority=7,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
            "output:NXM_OF_IN_PORT[]),resubmit(,1)",
            "table=1,priority=8,in_port=2,actions=output:5",
        ],
        [(3, TCP), (2, BACK), (4, BACK)],
    ),
}

CONJUNCTION = [
    "priority=100,in_port=1,actions=conjunction(7,1/2)",
    "priority=100,in_port=2,actions=conjunction(7,1/2)",
    "priority=100,ip,nw_src=10.0.0.1,actions=conjunction(7,2/2)",
    "priority=100,ip,nw_src=10.0.0.3,actions=conjunction(7,2/2)",
    "priority=100,conj_id=7,actions=output:4",
]
ASKED = [
    (1, udp("10.0.0.1")), (2, udp("10.0.0.3")), (3, udp("10.0.0.1")), (1, udp("10.0.0.9")),
    (1, frames.ARP),
]  # fmt: skip

CONJUNCTIONS = {
    "two clauses": Case(CONJUNCTION, ASKED),
    "an entry above": Case([*CONJUNCTION, "priority=101,in_port=1,actions=output:5"], ASKED),
    "an entry below": Case([*CONJUNCTION, "priority=99,actions=output:5"], ASKED),
    "an entry at the same priority": Case(
        [*CONJUNCTION, "priority=100,in_port=1,udp,actions=output:5"], ASKED
    ),
    "a clause of another priority": Case(
        [*CONJUNCTION, "priority=50,in_port=3,actions=conjunction(7,1/2)"], ASKED
    ),
    "three clauses": Case(
        ["priority=9,in_port=1,actions=conjunction(1,1/3)",
         "priority=9,ip,nw_src=10.0.0.1,actions=conjunction(1,2/3)",
         "priority=9,udp,tp_dst=53,actions=conjunction(1,3/3)",
         "conj_id=1,actions=output:3"],
        [(1, udp()), (2, udp()), (1, udp(dport=54))],
    ),
    "an entry of two conjunctions": Case(
        ["priority=9,in_port=1,actions=conjunction(1,1/2),conjunction(2,1/2)",
         "priority=9,dl_src=00:00:00:00:00:01,actions=conjunction(2,2/2)",
         "conj_id=1,actions=output:2", "conj_id=2,actions=output:3"],
        [(1, TCP)],
    ),
    "no entry has the id": Case(
        ["priority=9,in_port=1,actions=conjunction(1,1/2)",
         "priority=9,dl_src=00:00:00:00:00:01,actions=conjunction(1,2/2)",
         "priority=1,actions=output:2"],
        [(1, TCP)],
    ),
    "the entry with the id is low": Case(
        ["priority=9,in_port=1,actions=conjunction(1,1/2)",
         "priority=9,dl_src=00:00:00:00:00:01,actions=conjunction(1,2/2)",
         "priority=5,dl_dst=00:00:00:00:00:02,actions=output:2",
         "priority=1,conj_id=1,actions=output:3"],
        [(1, TCP)],
    ),
}  # fmt: skip

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

ALL = {
    f"{kind}: {name}": case
    for kind, cases in {
        "registers": REGISTERS,
        "ways": WAYS,
        "learn": LEARNING,
        "conjunctions": CONJUNCTIONS,
        "ct": CONNECTIONS,
        "nat": TRANSLATIONS,
    }.items()
    for name, case in cases.items()
}


@pytest.fixture(scope="module")
def theirs() -> Iterator[Theirs]:
    with Theirs() as started:
        yield started


@pytest.fixture(scope="module")
def ours() -> Iterator[Ours]:
    with Ours() as started:
        yield started


def _left(switch: Theirs | Ours, case: Case) -> list[Left]:
    switch.install(case.flows)
    return [switch.send(in_port, frame) for in_port, frame in case.comes]


@pytest.mark.parametrize("case", ALL.values(), ids=ALL.keys())
def test_what_leaves_where_is_the_same(theirs: Theirs, ours: Ours, case: Case) -> None:
    assert _left(ours, case) == _left(theirs, case)


# What is refused, and with which error


REFUSED: dict[str, tuple[Match, tuple[Action, ...]]] = {
    "a value that does not fit": (Match(), (nx.RegLoad(nx.Subfield("reg0", 0, 4), 16),)),
    "bits beyond a field": (Match(), (nx.RegLoad(nx.Subfield("reg0", 30, 4), 0),)),
    "a field that cannot be set": (Match(), (nx.RegLoad(nx.Subfield("ct_state"), 0),)),
    "a connection's mark outside of ct": (Match(), (nx.RegLoad(nx.Subfield("ct_mark"), 0),)),
    "a source that the match lacks": (
        Match(), (nx.RegMove(nx.Subfield("ipv4_src"), nx.Subfield("reg0")),)
    ),
    "a target that cannot be set": (
        Match(), (nx.RegMove(nx.Subfield("reg0"), nx.Subfield("ct_state")),)
    ),
    "pop into what cannot be set": (Match(), (nx.StackPop(nx.Subfield("ct_state")),)),
    "push of what the match lacks": (Match(), (nx.StackPush(nx.Subfield("tcp_src")),)),
    "check_pkt_larger beyond a field": (Match(), (nx.CheckPktLarger(1, "reg0", 32),)),
    "output of what the match lacks": (Match(), (nx.OutputReg(nx.Subfield("ipv4_src")),)),
    "a multipath that does not fit": (
        Match(), (nx.Multipath(nx.Subfield("reg0", 0, 1), max_link=2),)
    ),
    "a multipath of unknown fields": (Match(), (nx.Multipath(nx.Subfield("reg0"), 77),)),
    "a multipath of an unknown algorithm": (
        Match(), (nx.Multipath(nx.Subfield("reg0"), algorithm=77),)
    ),
    "a bundle of the controller": (Match(), (nx.Bundle((Port.CONTROLLER,)),)),
    "a bundle of unknown fields": (Match(), (nx.Bundle((1,), fields=77),)),
    "one clause": (Match(), (nx.Conjunction(1, 0, 1),)),
    "65 clauses": (Match(), (nx.Conjunction(1, 0, 65),)),
    "a clause beyond the last": (Match(), (nx.Conjunction(1, 2, 2),)),
    "a conjunction and an output": (Match(), (nx.Conjunction(1, 0, 2), Output(2))),
    "a learnt match without what it needs": (
        Match(), (nx.Learn((nx.MatchSpec(80, nx.Subfield("tcp_dst")),)),)
    ),
    "a learnt load without what it needs": (
        Match(), (nx.Learn((nx.LoadSpec(80, nx.Subfield("tcp_dst")),)),)
    ),
    "a learnt load of what cannot be set": (
        Match(), (nx.Learn((nx.LoadSpec(1, nx.Subfield("ct_state")),)),)
    ),
    "learning from what the match lacks": (
        Match(), (nx.Learn((nx.OutputSpec(nx.Subfield("tcp_dst", 0, 16)),)),)
    ),
    "learning with unknown flags": (Match(), (nx.Learn(flags=8),)),
    "ct without IP": (Match(eth_type=0x0806), (nx.Ct(),)),
    "force without commit": (Match(eth_type=0x0800), (nx.Ct(nx.CtFlags.FORCE),)),
    "an output in ct": (Match(eth_type=0x0800), (nx.Ct(nx.CtFlags.COMMIT, actions=(Output(2),)),)),
    "a register in ct": (
        Match(eth_type=0x0800), (nx.Ct(nx.CtFlags.COMMIT, actions=(set_field(reg0=2),)),)
    ),
    "a zone of too few bits": (
        Match(eth_type=0x0800), (nx.Ct(zone=nx.Subfield("reg0", 0, 8)),)
    ),
    "nat outside of ct": (Match(eth_type=0x0800), (nx.Nat(nx.NatFlags.SRC, ipv4_min=1),)),
    "output cut to nothing": (Match(), (nx.OutputTrunc(2, 13),)),
    "resubmit with ct, untracked": (Match(eth_type=0x0800), (nx.ResubmitTableCt(table_id=1),)),
    "deleting what is no option": (Match(), (nx.DeleteField("reg0"),)),
    "onf: bits that do not fit": (Match(), (onf.CopyField(48, "eth_src", "reg0"),)),
    "onf: a source that the match lacks": (Match(), (onf.CopyField(32, "ipv4_src", "reg0"),)),
}  # fmt: skip


@pytest.mark.parametrize("entry", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_is_refused_with_the_same_error(
    theirs: Theirs, ours: Ours, entry: tuple[Match, tuple[Action, ...]]
) -> None:
    match, actions = entry
    message = FlowMod(match, (ApplyActions(actions),))
    refusal = theirs.teller().refusal(message)
    assert refusal is not None
    assert ours.teller().refusal(message) == refusal


# What ovs-ofctl says in Nicira's own messages


NXM = "--flow-format=NXM+table_id"


def test_of10_manages_entries_in_nxm(ours: Ours) -> None:
    ours.install([])
    for flow in (
        "in_port=1,actions=load:5->NXM_NX_REG0[],resubmit(,1)",
        "table=1,reg0=5,actions=2",
    ):
        ovs.ofctl("10", "add-flow", ours.endpoint, NXM, f"cookie=7,{flow}")
    assert ours.send(1, TCP) == {2: [TCP]}
    told = ovs.ofctl("10", "dump-flows", ours.endpoint, "table=1,cookie=7/-1")
    assert "n_packets=1" in told
    assert "reg0=0x5 actions=output:2" in told
    assert "flow_count=2" in ovs.ofctl("10", "dump-aggregate", ours.endpoint, "cookie=7/-1")
    ovs.ofctl("10", "del-flows", ours.endpoint, NXM, "table=1,cookie=7/-1")
    assert ours.send(1, TCP) == {}


def test_options_are_mapped_by_ovs_ofctl(ours: Ours) -> None:
    mapped = "{class=0xffff,type=0,len=4}->tun_metadata0"
    ovs.ofctl("13", "add-tlv-map", ours.endpoint, mapped)
    told = ovs.ofctl("13", "dump-tlv-map", ours.endpoint)
    assert "max option space=256 max fields=64" in told
    assert "0xffff" in told
    ovs.ofctl("13", "del-tlv-map", ours.endpoint)
    assert "0xffff" not in ovs.ofctl("13", "dump-tlv-map", ours.endpoint)


def test_a_zone_is_flushed_by_ovs_ofctl(ours: Ours) -> None:
    ours.install(["ip,actions=ct(commit,zone=5)"])
    ours.send(1, UDP)
    assert len(ours.switch.datapath.nicira.conntrack) == 1
    ovs.ofctl("13", "ct-flush-zone", ours.endpoint, "5")
    assert len(ours.switch.datapath.nicira.conntrack) == 0
