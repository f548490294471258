"""What ovs-ofctl is told to say, and the meaning of it by hand.

Expressions are evaluated with `protocol`'s names when the vectors are tested.
"""

from __future__ import annotations

from protocol.version import OF10, OF11, OF12, OF14, OF15, Version

ALL = tuple(Version)
SINCE_11, SINCE_12, SINCE_13, SINCE_14 = ALL[1:], ALL[2:], ALL[3:], ALL[4:]

P1_MAC, BR0_MAC = "aa:55:aa:55:00:01", "00:00:00:00:00:2a"


def port_desc(version: Version, number: str, mac: str, name: str, config: str = "") -> str:
    """Return a port of the dummy datapath, which has no speeds."""
    config = f", config={config}" if config else ""
    state = ", state=PortState.LIVE" if version >= OF11 else ""
    address = f"MacAddress.parse('{mac}')"
    return f"PortDesc({number}, {address}, '{name}'{config}{state}, properties=(PortEthernet(),))"


def ports(version: Version) -> str:
    """Return the ports of the switch."""
    p1 = port_desc(version, "1", P1_MAC, "p1")
    return f"({p1}, {port_desc(version, 'Port.LOCAL', BR0_MAC, 'br0')})"


def _features(version: Version) -> str:
    names = ["FLOW_STATS", "TABLE_STATS", "PORT_STATS", "QUEUE_STATS"]
    names += ["GROUP_STATS"] * (version >= OF11) + ["ARP_MATCH_IP"] * (version <= OF11)
    names += ["BUNDLES"] * (version >= OF14)
    capabilities = " | ".join(f"Capabilities.{name}" for name in names)
    more = ", actions=0xFFF" if version == OF10 else ""
    more += f", ports={ports(version)}" if version <= OF12 else ""
    return f"FeaturesReply(42, n_tables=254, capabilities={capabilities}{more})"


def _port_mod(config: str) -> str:
    old = "properties=(PortModEthernet(),)"
    return f"PortMod(1, MacAddress.parse('{P1_MAC}'), {config}, {config}, {old})"


_FRAME = "020000000001 020000000002 88b5 aabb".replace(" ", "")
_OUT = f"PacketOut((Output(1, 0),), bytes.fromhex('{_FRAME}')"
_NOTHING = "AggregateStatsReply(stats=Stats(flow_count=0, packet_count=0, byte_count=0))"
_NEVER = "0xFFFF_FFFF_FFFF_FFFF"
_DESC = "DescReply('Nicira, Inc.', 'Open vSwitch', '3.1.0', 'None', 'None')"

#: (chapter, meaning, versions, command of ovs-ofctl, message, expression); the first such
#: message of either side is taken.
SWITCH_SAYS: list[tuple[str, str, tuple[Version, ...], tuple[str, ...], str, str]] = [
    ("symmetric", "a plain hello", (OF10,), ("probe",), "0", "Hello()"),
    *(
        (
            "symmetric",
            "a hello that offers its own version alone",
            (version,),
            ("probe",),
            "0",
            f"Hello((VersionBitmap(frozenset({{{version.value}}})),))",
        )
        for version in SINCE_11
    ),
    ("symmetric", "a sign of life", ALL, ("probe",), "2", "EchoRequest()"),
    ("symmetric", "its answer", ALL, ("probe",), "3", "EchoReply()"),
    (
        "symmetric",
        "an experimenter asks for the table of tunnel metadata; OF1.0 has no exp_type",
        (OF10,),
        ("dump-tlv-map",),
        "4",
        "Experimenter(0x00ABCDEF, data=bytes.fromhex('00000019'))",
    ),
    (
        "symmetric",
        "an experimenter asks for the table of tunnel metadata",
        SINCE_11,
        ("dump-tlv-map",),
        "4",
        "Experimenter(0x00ABCDEF, 25)",
    ),
    ("features", "who are you?", ALL, ("show",), "5", "FeaturesRequest()"),
    *(
        ("features", "a bridge of two ports", (version,), ("show",), "6", _features(version))
        for version in ALL
    ),
    ("features", "the configuration?", ALL, ("show",), "7", "GetConfigRequest()"),
    (
        "features",
        "fragments are dropped from now on",
        ALL,
        ("set-frags", "drop"),
        "9",
        "SetConfig(ConfigFlags.FRAG_DROP, 0)",
    ),
    (
        "features",
        "fragments are dropped",
        ALL,
        ("show",),
        "8",
        "GetConfigReply(ConfigFlags.FRAG_DROP, 0)",
    ),
    ("features", "a barrier", ALL, ("set-frags", "normal"), "barrier_request", "BarrierRequest()"),
    ("features", "all is done", ALL, ("set-frags", "drop"), "barrier_reply", "BarrierReply()"),
    (
        "features",
        "fragments are as other packets again",
        ALL,
        ("set-frags", "normal"),
        "9",
        "SetConfig(0, 0)",
    ),
    ("features", "who made it?", ALL, ("dump-desc",), "multipart_request.0", "DescRequest()"),
    ("features", "who made it", ALL, ("dump-desc",), "multipart_reply.0", _DESC),
    (
        "ports",
        "the ports? Open vSwitch answers in all versions",
        ALL,
        ("dump-ports-desc",),
        "multipart_request.13",
        "PortDescRequest()",
    ),
    (
        "ports",
        "one port?",
        (OF15,),
        ("dump-ports-desc", "1"),
        "multipart_request.13",
        "PortDescRequest(1)",
    ),
    *(
        (
            "ports",
            "the two ports",
            (version,),
            ("dump-ports-desc",),
            "multipart_reply.13",
            f"PortDescReply({ports(version)})",
        )
        for version in ALL
    ),
    *(
        (
            "ports",
            f"port 1 {word}",
            versions,
            ("mod-port", "1", word),
            "port_mod",
            f"PortMod(1, MacAddress.parse('{P1_MAC}'), {config}, {mask}{properties})",
        )
        for all_versions, word, config, mask in (
            (ALL, "down", "PortConfig.PORT_DOWN", "PortConfig.PORT_DOWN"),
            (ALL, "up", "0", "PortConfig.PORT_DOWN"),
            (ALL, "no-forward", "PortConfig.NO_FWD", "PortConfig.NO_FWD"),
            (ALL, "forward", "0", "PortConfig.NO_FWD"),
            ((OF10,), "no-flood", "PortConfig.NO_FLOOD", "PortConfig.NO_FLOOD"),
            ((OF10,), "flood", "0", "PortConfig.NO_FLOOD"),
        )
        for versions, properties in (
            (tuple(set(all_versions) - set(SINCE_14)), ", (PortModEthernet(),)"),
            (tuple(set(all_versions) & set(SINCE_14)), ""),
        )
    ),
    (
        "packets",
        "send a frame out of port 1, as if the controller had sent it in",
        ALL,
        ("packet-out", f"in_port=controller packet={_FRAME} actions=output:1"),
        "packet_out",
        f"{_OUT})",
    ),
    (
        "packets",
        "send a frame as if it had come in by port 2",
        ALL,
        ("packet-out", f"in_port=2 packet={_FRAME} actions=output:1"),
        "packet_out",
        f"{_OUT}, match=Match(in_port=2))",
    ),
    (
        "packets",
        "the same with metadata",
        (OF15,),
        ("packet-out", f"in_port=2,metadata=5 packet={_FRAME} actions=output:1"),
        "packet_out",
        f"{_OUT}, match=Match(in_port=2, metadata=5))",
    ),
    (
        "flows",
        "all entries?",
        ALL,
        ("dump-flows",),
        "multipart_request.1",
        "FlowStatsRequest()",
    ),
    (
        "flows",
        "the entries for ARP that send to port 3?",
        ALL,
        ("dump-flows", "arp,out_port=3"),
        "multipart_request.1",
        "FlowStatsRequest(Match(eth_type=0x0806), out_port=3)",
    ),
    (
        "flows",
        "the entries of table 2 with a cookie that ends in 5?",
        SINCE_11,
        ("dump-flows", "table=2,cookie=5/0xf"),
        "multipart_request.1",
        "FlowStatsRequest(table_id=2, cookie=5, cookie_mask=0xF)",
    ),
    (
        "ports",
        "what ports counted?",
        ALL,
        ("dump-ports",),
        "multipart_request.4",
        "PortStatsRequest()",
    ),
    (
        "ports",
        "what port 1 counted?",
        ALL,
        ("dump-ports", "1"),
        "multipart_request.4",
        "PortStatsRequest(1)",
    ),
    *(
        (
            "ports",
            "what port 1 counted: the frames sent above, and some things never",
            (version,),
            ("dump-ports", "1"),
            "multipart_reply.4",
            f"PortStatsReply((PortStats(1, tx_packets={frames}, tx_bytes={frames * 16},"
            f" rx_dropped={_NEVER}, tx_dropped={_NEVER}, rx_errors={_NEVER}, tx_errors={_NEVER},"
            f" properties=(PortStatsEthernet({_NEVER}, {_NEVER}, {_NEVER}, {_NEVER}),)),))",
        )
        for version, frames in ((OF10, 2), (OF11, 4), (OF12, 6))  # since OF1.3 with the time
    ),
    *(
        (
            "multipart",
            "an experimenter asks for the statistics of IPFIX",
            versions,
            ("dump-ipfix-bridge",),
            "multipart_request.65535",
            f"ExperimenterMultipartRequest(0x00ABCDEF, {more})",
        )
        for versions, more in (
            ((OF10,), "data=bytes.fromhex('00000003 00000000')"),
            ((OF11,), "data=bytes.fromhex('00000003')"),
            (SINCE_12, "3"),
        )
    ),
    (
        "flows",
        "what the entries for ARP counted together?",
        ALL,
        ("dump-aggregate", "arp"),
        "multipart_request.2",
        "AggregateStatsRequest(Match(eth_type=0x0806))",
    ),
    (
        "flows",
        "there were none",
        ALL[:5],
        ("dump-aggregate", "arp"),
        "multipart_reply.2",
        _NOTHING,
    ),
    (
        "flows",
        "there were none; the order of the fields is free",
        (OF15,),
        ("dump-aggregate", "arp"),
        "multipart_reply.2",
        f"~ {_NOTHING}",
    ),
    ("flows", "no entry", ALL, ("dump-flows", "arp"), "multipart_reply.1", "FlowStatsReply()"),
]

#: (versions, match of ovs-ofctl, fields of ours): what the structs can say.
CLASSIC_MATCHES: list[tuple[tuple[Version, ...], str, str]] = [
    (versions, match, fields)
    for versions, cases in (  # a ~ marks another spelling of the same
        (
            ALL,
            [
                ("in_port=3", "in_port=3"),
                ("in_port=local", "in_port=Port.LOCAL"),
                ("dl_src=01:02:03:04:05:06", "eth_src='01:02:03:04:05:06'"),
                ("dl_dst=01:02:03:04:05:06", "eth_dst='01:02:03:04:05:06'"),
                ("dl_vlan=5", "vlan_vid=5"),
                ("dl_vlan=5,dl_vlan_pcp=3", "vlan_vid=5, vlan_pcp=3"),
                ("dl_type=0x88cc", "eth_type=0x88CC"),
                ("ip,nw_tos=48", "eth_type=0x0800, ip_dscp=12"),
                ("ip,nw_proto=50", "eth_type=0x0800, ip_proto=50"),
                ("ip,nw_src=10.0.0.1", "eth_type=0x0800, ipv4_src='10.0.0.1'"),
                ("ip,nw_dst=10.0.0.0/8", "eth_type=0x0800, ipv4_dst='10.0.0.0/8'"),
                ("tcp,tp_src=80", "eth_type=0x0800, ip_proto=6, tcp_src=80"),
                ("tcp,tp_dst=80", "eth_type=0x0800, ip_proto=6, tcp_dst=80"),
                ("udp,tp_src=53", "eth_type=0x0800, ip_proto=17, udp_src=53"),
                ("udp,tp_dst=53", "eth_type=0x0800, ip_proto=17, udp_dst=53"),
                ("icmp,icmp_type=3", "eth_type=0x0800, ip_proto=1, icmpv4_type=3"),
                (
                    "icmp,icmp_type=3,icmp_code=4",
                    "eth_type=0x0800, ip_proto=1, icmpv4_type=3, icmpv4_code=4",
                ),
                ("arp,arp_op=2", "eth_type=0x0806, arp_op=2"),
                ("arp,arp_spa=10.0.0.1", "eth_type=0x0806, arp_spa='10.0.0.1'"),
                ("arp,arp_tpa=10.0.0.0/8", "eth_type=0x0806, arp_tpa='10.0.0.0/8'"),
            ],
        ),
        (
            (OF10,),
            [
                ("dl_vlan_pcp=3", "vlan_vid='0x1000/0x1000', vlan_pcp=3"),
                ("vlan_tci=0", "~vlan_vid=0"),
            ],
        ),
        (
            SINCE_11,
            [
                ("vlan_tci=0", "vlan_vid=0"),
                (
                    "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00",
                    "eth_dst='01:00:00:00:00:00/01:00:00:00:00:00'",
                ),
                ("dl_src=00:00:00:00:00:01/00:00:00:00:00:ff", "eth_src=(1, 0xFF)"),
                ("metadata=7", "metadata=7"),
                ("metadata=7/0xf", "metadata='7/0xf'"),
                ("mpls,mpls_label=5", "eth_type=0x8847, mpls_label=5"),
                ("mpls,mpls_tc=2", "eth_type=0x8847, mpls_tc=2"),
                ("sctp,tp_src=7", "eth_type=0x0800, ip_proto=132, sctp_src=7"),
                ("sctp,tp_dst=7", "eth_type=0x0800, ip_proto=132, sctp_dst=7"),
                (
                    "ip,nw_dst=10.0.0.1/255.0.0.255",
                    "eth_type=0x0800, ipv4_dst=(0x0A000001, 0xFF0000FF)",
                ),
            ],
        ),
    )
    for match, fields in cases
]

_IP = ("ip", "eth_type=0x0800")
_TCP = ("tcp", "eth_type=0x0800, ip_proto=6")
_ALL_PACKETS = ("", "")
_MPLS = ("mpls", "eth_type=0x8847")
_TAGGED = ("dl_vlan=9", "vlan_vid=9")
_MAC = "MacAddress.parse('01:02:03:04:05:06')"
_OLD = (OF10, OF11)

#: (versions, match, action of ovs-ofctl, expression, our match).
CLASSIC_ACTIONS: list[tuple[tuple[Version, ...], str, str, str, str]] = [
    (versions, match, action, expression, fields)
    for versions, (match, fields), action, expression in (
        (ALL, _ALL_PACKETS, "output:1", "Output(1, 0)"),
        (ALL, _ALL_PACKETS, "controller:64", "Output(Port.CONTROLLER, 64)"),
        (ALL, _ALL_PACKETS, "in_port", "Output(Port.IN_PORT, 0)"),
        (ALL, _ALL_PACKETS, "local", "Output(Port.LOCAL, 0)"),
        (ALL, _ALL_PACKETS, "flood", "Output(Port.FLOOD, 0)"),
        (ALL, _ALL_PACKETS, "all", "Output(Port.ALL, 0)"),
        (ALL, _ALL_PACKETS, "normal", "Output(Port.NORMAL, 0)"),
        (ALL, _TAGGED, "strip_vlan", "PopVlan()"),
        (_OLD, _TAGGED, "mod_vlan_vid:5", "SetVlanVid(5)"),
        (_OLD, _TAGGED, "mod_vlan_pcp:3", "SetVlanPcp(3)"),
        (_OLD, _ALL_PACKETS, "mod_dl_src:01:02:03:04:05:06", f"SetDlSrc({_MAC})"),
        (_OLD, _ALL_PACKETS, "mod_dl_dst:01:02:03:04:05:06", f"SetDlDst({_MAC})"),
        (_OLD, _IP, "mod_nw_src:10.0.0.1", "SetNwSrc(0x0A000001)"),
        (_OLD, _IP, "mod_nw_dst:10.0.0.1", "SetNwDst(0x0A000001)"),
        (_OLD, _IP, "mod_nw_tos:48", "SetNwTos(48)"),
        (_OLD, _TCP, "mod_tp_src:80", "SetTpSrc(80)"),
        (_OLD, _TCP, "mod_tp_dst:80", "SetTpDst(80)"),
        ((OF10,), _ALL_PACKETS, "enqueue:1:7", "Enqueue(1, 7)"),
        ((OF11,), _IP, "mod_nw_ecn:2", "SetNwEcn(2)"),
        (SINCE_11, _IP, "mod_nw_ttl:9", "SetNwTtl(9)"),
        (SINCE_11, _IP, "dec_ttl", "DecNwTtl()"),
        (SINCE_11, _ALL_PACKETS, "push_vlan:0x88a8", "PushVlan(0x88A8)"),
        (SINCE_11, _ALL_PACKETS, "push_mpls:0x8847", "PushMpls()"),
        (SINCE_11, _MPLS, "pop_mpls:0x0800", "PopMpls(0x0800)"),
        ((OF11,), _MPLS, "set_mpls_label:77", "SetMplsLabel(77)"),
        ((OF11,), _MPLS, "set_mpls_tc:3", "SetMplsTc(3)"),
        (SINCE_11, _MPLS, "set_mpls_ttl:9", "SetMplsTtl(9)"),
        (SINCE_11, _MPLS, "dec_mpls_ttl", "DecMplsTtl()"),
        (SINCE_11, _ALL_PACKETS, "set_queue:5", "SetQueue(5)"),
        (SINCE_11, _ALL_PACKETS, "group:3", "Group(3)"),
        (
            ALL,
            _ALL_PACKETS,
            "note:01.02.03",
            "ExperimenterAction(0x00ABCDEF, bytes.fromhex('0008 010203 000000'))",
        ),
    )
]

#: (versions, actions of ovs-ofctl, expression).
OFCTL_INSTRUCTIONS: list[tuple[tuple[Version, ...], str, str]] = [
    (SINCE_11, "goto_table:3", "GotoTable(3)"),
    (SINCE_11, "write_metadata:7", "WriteMetadata(7)"),
    (SINCE_11, "write_metadata:7/0xf", "WriteMetadata(7, 0xF)"),
    (SINCE_11, "write_actions(output:1)", "WriteActions((Output(1, 0),))"),
    (SINCE_11, "clear_actions", "ClearActions()"),
]

#: (versions, command, flow, meaning, expression): flow_mods that do not only add.
OFCTL_FLOWS: list[tuple[tuple[Version, ...], str, str, str, str]] = [
    (
        ALL,
        "add-flow",
        "tcp,tp_dst=80,priority=100,actions=drop",
        "drop all web traffic; OF1.0 says it with the fixed match",
        "FlowMod(match=Match(eth_type=0x0800, ip_proto=6, tcp_dst=80), priority=100)",
    ),
    (
        ALL,
        "add-flow",
        "in_port=2,priority=7,cookie=0x1234,idle_timeout=30,hard_timeout=60,send_flow_rem,"
        "check_overlap,actions=output:1,controller:128",
        "an entry that ages and is told of",
        "FlowMod(Match(in_port=2), (ApplyActions((Output(1, 0), Output(Port.CONTROLLER, 128))),),"
        " priority=7, cookie=0x1234, idle_timeout=30, hard_timeout=60,"
        " flags=FlowModFlags.SEND_FLOW_REM | FlowModFlags.CHECK_OVERLAP)",
    ),
    (
        SINCE_11,
        "add-flow",
        "table=4,actions=drop",
        "another table",
        "FlowMod(table_id=4)",
    ),
    (
        SINCE_12,
        "add-flow",
        "reset_counts,actions=drop",
        "the counters start again",
        "FlowMod(flags=FlowModFlags.RESET_COUNTS)",
    ),
    (
        SINCE_13,
        "add-flow",
        "no_packet_counts,no_byte_counts,actions=drop",
        "nothing is counted",
        "FlowMod(flags=FlowModFlags.NO_PKT_COUNTS | FlowModFlags.NO_BYT_COUNTS)",
    ),
    (
        SINCE_14,
        "add-flow",
        "importance=9,actions=drop",
        "an entry of some importance",
        "FlowMod(importance=9)",
    ),
    (
        (OF10,),
        "mod-flows",
        "in_port=2,actions=output:3",
        "other actions for what matches",
        "FlowMod(Match(in_port=2), (ApplyActions((Output(3, 0),)),), FlowModCommand.MODIFY)",
    ),
    (
        SINCE_11,
        "mod-flows",
        "table=1,in_port=2,cookie=5/0xf,actions=output:3",
        "other actions for what matches and has such a cookie",
        "FlowMod(Match(in_port=2), (ApplyActions((Output(3, 0),)),), FlowModCommand.MODIFY,"
        " table_id=1, cookie=5, cookie_mask=0xF)",
    ),
    (
        ALL,
        "mod-flows",
        "table=0,in_port=2,priority=9,actions=output:3",
        "other actions for one entry",
        "FlowMod(Match(in_port=2), (ApplyActions((Output(3, 0),)),),"
        " FlowModCommand.MODIFY_STRICT, priority=9)",
    ),
    (
        ALL,
        "del-flows",
        "table=0,in_port=2,out_port=3",
        "delete what sends to port 3",
        "FlowMod(Match(in_port=2), command=FlowModCommand.DELETE, out_port=3)",
    ),
    (
        (OF11,),
        "del-flows",
        "arp,out_group=3",
        "delete what sends to group 3; Open vSwitch means table 0",
        "FlowMod(Match(eth_type=0x0806), command=FlowModCommand.DELETE, out_group=3)",
    ),
    (
        SINCE_12,
        "del-flows",
        "arp,out_group=3",
        "delete what sends to group 3, in all tables",
        "FlowMod(Match(eth_type=0x0806), command=FlowModCommand.DELETE, table_id=ALL_TABLES,"
        " out_group=3)",
    ),
    (
        ALL,
        "del-flows",
        "table=0,in_port=2,priority=9",
        "delete one entry",
        "FlowMod(Match(in_port=2), command=FlowModCommand.DELETE_STRICT, priority=9)",
    ),
]

_SPEEDS = "PortFeatures.RATE_100MB_FD | PortFeatures.AUTONEG"
_TEN_AND_HUNDRED = (
    "PortFeatures.RATE_10MB_HD | PortFeatures.RATE_10MB_FD | PortFeatures.RATE_100MB_HD"
    " | PortFeatures.RATE_100MB_FD | PortFeatures.COPPER | PortFeatures.AUTONEG"
)
_ETH0 = "PortStatus(PortReason.MODIFY, PortDesc(3, MacAddress.parse('50:54:00:00:00:01'), 'eth0'"
_MODES = f"{_SPEEDS}, {_TEN_AND_HUNDRED}, {_TEN_AND_HUNDRED}"
_WITH_SPEEDS = f"properties=(PortEthernet({_MODES}, 0, 100_000, 100_000),)))"

#: (chapter, meaning, version, expression, bytes), as Open vSwitch's tests have them.
FACTS: list[tuple[str, str, Version, str, str]] = [
    (
        "symmetric",
        "a hello that offers 1.3, 1.4, 1.5 and one more",
        OF10,
        "Hello((VersionBitmap(frozenset({4, 5, 6, 7})),))",
        "01000010 00000000 00010008 000000f0",
    ),
    (
        "ports",
        "a port with speeds, down; OF1.0 packs the features",
        OF10,
        f"{_ETH0}, PortConfig.PORT_DOWN, PortState.LINK_DOWN,"
        f" properties=(PortEthernet({_MODES}),)))",
        "010c0040000000000200000000000000000350540000000165746830000000000000000000000000"
        "000000010000000100000208000002 8f 0000028f00000000",
    ),
    (
        "ports",
        "a port with speeds",
        OF11,
        f"{_ETH0}, {_WITH_SPEEDS}",
        "020c0050000000000200000000000000000000030000000050540000000100006574683000000000"
        "000000000000000000000000000000000000 2008 0000280f 0000280f 00000000 000186a0 000186a0",
    ),
    (
        "ports",
        "a port with speeds",
        OF14,
        f"{_ETH0}, {_WITH_SPEEDS}",
        "050c0058000000000200000000000000000000030048000050540000000100006574683000000000"
        "000000000000000000000000000000000000 0020 00000000 00002008 0000280f 0000280f 00000000"
        "000186a0 000186a0",
    ),
]
