"""Entries with Nicira's extensions, and frames for them: what two switches are compared by.

Left out are choices by hash among several (multipath, bundle with hrw, ranges of addresses
and ports): each switch has a hash of its own. And the action set behind `exit`, which
ovs-actions(7) says is executed; Open vSwitch 3.1 does not.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.switch_sim import frames
from tests.switch_sim.nicira.conversations import (
    ACK,
    CLIENT,
    SERVER,
    SYN,
    ping,
    tcp,
    tcp_answer,
    udp,
)


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
