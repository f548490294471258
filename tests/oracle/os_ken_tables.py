"""What os-ken is told to build, and the meaning of it by hand.

Expressions are evaluated with `protocol`'s names when the vectors are tested. Functions take
a `Builder` (os-ken at one version) and return what os-ken has for the same.
"""

from __future__ import annotations

from typing import Any

from protocol.version import OF10, OF12, OF13, OF14, OF15, Version

ALL = tuple(Version)
SINCE_12, SINCE_13, SINCE_14 = ALL[2:], ALL[3:], ALL[4:]
BY_OS_KEN = (OF10, *SINCE_12)


def _error(kind: str, code: str) -> Any:
    def build(os_ken: Any) -> Any:
        ofproto = os_ken.ofproto
        return os_ken.parser.OFPErrorMsg(
            os_ken.datapath, getattr(ofproto, kind), getattr(ofproto, code), b"what was wrong"
        )

    return build


def _error_expression(name: str) -> str:
    return f"ErrorMsg({name}, b'what was wrong')"


def _echo(name: str) -> Any:
    def build(os_ken: Any) -> Any:
        message = getattr(os_ken.parser, name)(os_ken.datapath)
        message.data = b"still there?"
        return message

    return build


def _experimenter(os_ken: Any) -> Any:
    return os_ken.parser.OFPExperimenter(os_ken.datapath, 0x00ABCDEF, 5, b"data")


def _vendor(os_ken: Any) -> Any:
    message = os_ken.parser.OFPVendor(os_ken.datapath)
    message.vendor, message.data = 0x00ABCDEF, b"data"
    return message


class _Told:
    """What os-ken only reads as a whole: its parts are os-ken's, the head is written here."""

    def __init__(self, version: Version, number: int, head: str, parts: bytes) -> None:
        body = bytes.fromhex(head) + parts
        self.buf = bytes([version, number]) + (8 + len(body)).to_bytes(2, "big") + bytes(4) + body

    def serialize(self) -> None:
        """Do nothing more."""


def _pipeline_port(os_ken: Any) -> Any:
    parser, ofproto = os_ken.parser, os_ken.ofproto
    put_in = [parser.OFPOxmId("tunnel_id", hasmask=True), parser.OFPOxmId("metadata")]
    properties = [
        parser.OFPPortDescPropOxm(ofproto.OFPPDPT_PIPELINE_INPUT, oxm_ids=put_in),
        parser.OFPPortDescPropOxm(
            ofproto.OFPPDPT_PIPELINE_OUTPUT, oxm_ids=[parser.OFPOxmId("tunnel_id")]
        ),
        parser.OFPPortDescPropRecirculate(ofproto.OFPPDPT_RECIRCULATE, port_nos=[7, 8, 9]),
        parser.OFPPortDescPropRecirculate(ofproto.OFPPDPT_RECIRCULATE, port_nos=[]),
    ]
    return _Told(
        os_ken.version,
        ofproto.OFPT_PORT_STATUS,
        "02" + "00" * 7  # reason: modified
        + "00000007 0058 0000"  # port_no, length of the port
        + "010203040506 0000"  # hw_addr
        + b"vxlan".ljust(16, b"\0").hex()
        + "00000000 00000004",  # config, state: live
        b"".join(bytes(one.serialize()) for one in properties),
    )  # fmt: skip


def _port_mod_14(os_ken: Any) -> Any:
    parser = os_ken.parser
    return parser.OFPPortMod(
        os_ken.datapath,
        7,
        "01:02:03:04:05:06",
        os_ken.ofproto.OFPPC_NO_RECV,
        os_ken.ofproto.OFPPC_NO_RECV,
        [
            parser.OFPPortModPropEthernet(0, advertise=os_ken.ofproto.OFPPF_FIBER),
            parser.OFPPortModPropOptical(
                1, configure=3, freq_lmda=1500, fl_offset=2000, grid_span=3000, tx_pwr=300
            ),
            parser.OFPPortModPropExperimenter(
                0xFFFF, experimenter=0x00ABCDEF, exp_type=5, data=[1, 2]
            ),
        ],
    )


def _port_mod(os_ken: Any) -> Any:
    ofproto = os_ken.ofproto
    return os_ken.parser.OFPPortMod(
        os_ken.datapath,
        7,
        "01:02:03:04:05:06",
        ofproto.OFPPC_NO_RECV,
        ofproto.OFPPC_NO_RECV,
        ofproto.OFPPF_FIBER | ofproto.OFPPF_10MB_HD,
    )


def _experimenter_multipart(os_ken: Any) -> Any:
    return os_ken.parser.OFPExperimenterStatsRequest(os_ken.datapath, 1, 0x00ABCDEF, 5, b"data")


def _kept_packet(os_ken: Any) -> Any:
    parser, ofproto = os_ken.parser, os_ken.ofproto
    actions = [parser.OFPActionOutput(ofproto.OFPP_FLOOD, 0)]
    if os_ken.version == OF15:
        match = parser.OFPMatch(in_port=3)
        return parser.OFPPacketOut(os_ken.datapath, 9, match, actions, None)
    return parser.OFPPacketOut(os_ken.datapath, 9, 3, actions, None)


def _counters(os_ken: Any) -> Any:
    match = os_ken.parser.OFPMatch(in_port=3)
    return os_ken.parser.OFPFlowStatsRequest(os_ken.datapath, table_id=2, match=match)


def _learnt(os_ken: Any) -> Any:
    """OF1.0: os-ken leaves every bit of a wildcarded address set."""
    match = os_ken.parser.OFPMatch(in_port=3, dl_dst="01:02:03:04:05:06")
    actions = [os_ken.parser.OFPActionOutput(2, 0)]
    return os_ken.flow_mod(match=match, actions=actions, idle_timeout=30)


_CODES = (
    (ALL, "HelloFailedCode.INCOMPATIBLE", "OFPET_HELLO_FAILED", "OFPHFC_INCOMPATIBLE"),
    (ALL, "BadRequestCode.BAD_LEN", "OFPET_BAD_REQUEST", "OFPBRC_BAD_LEN"),
    (ALL, "BadActionCode.TOO_MANY", "OFPET_BAD_ACTION", "OFPBAC_TOO_MANY"),
    (SINCE_12, "BadMatchCode.BAD_PREREQ", "OFPET_BAD_MATCH", "OFPBMC_BAD_PREREQ"),
    (SINCE_12, "BadInstructionCode.BAD_TABLE_ID", "OFPET_BAD_INSTRUCTION", "OFPBIC_BAD_TABLE_ID"),
    (ALL, "FlowModFailedCode.OVERLAP", "OFPET_FLOW_MOD_FAILED", "OFPFMFC_OVERLAP"),
    (ALL, "PortModFailedCode.BAD_HW_ADDR", "OFPET_PORT_MOD_FAILED", "OFPPMFC_BAD_HW_ADDR"),
    (ALL, "QueueOpFailedCode.EPERM", "OFPET_QUEUE_OP_FAILED", "OFPQOFC_EPERM"),
    (SINCE_13, "MeterModFailedCode.OUT_OF_BANDS", "OFPET_METER_MOD_FAILED", "OFPMMFC_OUT_OF_BANDS"),
    (SINCE_14, "BundleFailedCode.MSG_FAILED", "OFPET_BUNDLE_FAILED", "OFPBFC_MSG_FAILED"),
)

#: (chapter, meaning, versions, expression, build).
OS_KEN_MESSAGES: list[tuple[str, str, tuple[Version, ...], str, Any]] = [
    *(
        ("symmetric", name, versions, _error_expression(name), _error(kind, code))
        for versions, name, kind, code in _CODES
    ),
    (
        "symmetric",
        "an echo with data",
        BY_OS_KEN,
        "EchoRequest(b'still there?')",
        _echo("OFPEchoRequest"),
    ),
    (
        "symmetric",
        "its answer with data",
        BY_OS_KEN,
        "EchoReply(b'still there?')",
        _echo("OFPEchoReply"),
    ),
    (
        "symmetric",
        "an experimenter's message",
        SINCE_12,
        "Experimenter(0x00ABCDEF, 5, b'data')",
        _experimenter,
    ),
    (
        "symmetric",
        "a vendor's message",
        (OF10,),
        "Experimenter(0x00ABCDEF, data=b'data')",
        _vendor,
    ),
    (
        "multipart",
        "the first part of an experimenter's request",
        SINCE_13,
        "ExperimenterMultipartRequest(0x00ABCDEF, 5, b'data', flags=MultipartFlags.MORE)",
        _experimenter_multipart,
    ),
    (
        "ports",
        "port 7 is not to receive, and to advertise",
        (OF12, OF13),
        "PortMod(7, MacAddress.parse('01:02:03:04:05:06'), PortConfig.NO_RECV, PortConfig.NO_RECV,"
        " (PortModEthernet(PortFeatures.FIBER | PortFeatures.RATE_10MB_HD),))",
        _port_mod,
    ),
    (
        "ports",
        "port 7 is not to receive, and gets all kinds of properties",
        SINCE_14,
        "PortMod(7, MacAddress.parse('01:02:03:04:05:06'), PortConfig.NO_RECV, PortConfig.NO_RECV,"
        " (PortModEthernet(PortFeatures.FIBER), PortModOptical(3, 1500, 2000, 3000, 300),"
        " ExperimenterProperty(0x00ABCDEF, 5, bytes.fromhex('00000001 00000002'))))",
        _port_mod_14,
    ),
    (
        "ports",
        "fields that a port takes in and hands on, and where its packets come in again",
        (OF15,),
        "PortStatus(PortReason.MODIFY, PortDesc(7, MacAddress.parse('01:02:03:04:05:06'), 'vxlan',"
        " state=PortState.LIVE, properties=(PortPipelineInput((FieldId('tunnel_id', True),"
        " FieldId('metadata'))), PortPipelineOutput((FieldId('tunnel_id'),)),"
        " PortRecirculate((7, 8, 9)), PortRecirculate())))",
        _pipeline_port,
    ),
    (
        "packets",
        "flood the packet that the switch keeps under 9",
        BY_OS_KEN,
        "PacketOut((Output(Port.FLOOD, 0),), buffer_id=9, match=Match(in_port=3))",
        _kept_packet,
    ),
    (
        "flows",
        "what the entries of table 2 that match counted?",
        (OF15,),
        "FlowCountersRequest(Match(in_port=3), table_id=2)",
        _counters,
    ),
    (
        "flows",
        "an entry of a learning switch; another spelling of the same wildcards",
        (OF10,),
        "~ FlowMod(Match(in_port=3, eth_dst='01:02:03:04:05:06'),"
        " (ApplyActions((Output(2, 0),)),), idle_timeout=30)",
        _learnt,
    ),
]


def _plain(name: str, *arguments: Any, **named: Any) -> Any:
    return lambda os_ken: getattr(os_ken.parser, f"OFPAction{name}")(*arguments, **named)


def _set_field(**field: Any) -> Any:
    return lambda os_ken: os_ken.parser.OFPActionSetField(**field)


def _copy_field(os_ken: Any) -> Any:
    parser = os_ken.parser
    ids = [parser.OFPOxmId("ipv4_src", hasmask=False), parser.OFPOxmId("ipv4_dst", hasmask=False)]
    return parser.OFPActionCopyField(n_bits=16, src_offset=1, dst_offset=2, oxm_ids=ids)


#: (meaning, versions, expression, build).
ACTIONS: list[tuple[str, tuple[Version, ...], str, Any]] = [
    ("a port and a length", SINCE_12, "Output(6, 128)", _plain("Output", 6, 128)),
    ("copy_ttl_out", SINCE_12, "CopyTtlOut()", _plain("CopyTtlOut")),
    ("copy_ttl_in", SINCE_12, "CopyTtlIn()", _plain("CopyTtlIn")),
    ("set_mpls_ttl", SINCE_12, "SetMplsTtl(9)", _plain("SetMplsTtl", 9)),
    ("dec_mpls_ttl", SINCE_12, "DecMplsTtl()", _plain("DecMplsTtl")),
    ("push_vlan", SINCE_12, "PushVlan()", _plain("PushVlan", 0x8100)),
    ("pop_vlan", SINCE_12, "PopVlan()", _plain("PopVlan")),
    ("push_mpls", SINCE_12, "PushMpls(0x8848)", _plain("PushMpls", 0x8848)),
    ("pop_mpls", SINCE_12, "PopMpls(0x86DD)", _plain("PopMpls", 0x86DD)),
    ("set_queue", SINCE_12, "SetQueue(5)", _plain("SetQueue", 5)),
    ("group", SINCE_12, "Group(3)", _plain("Group", 3)),
    ("set_nw_ttl", SINCE_12, "SetNwTtl(9)", _plain("SetNwTtl", 9)),
    ("dec_nw_ttl", SINCE_12, "DecNwTtl()", _plain("DecNwTtl")),
    ("push_pbb", SINCE_13, "PushPbb()", _plain("PushPbb", 0x88E7)),
    ("pop_pbb", SINCE_13, "PopPbb()", _plain("PopPbb")),
    (
        "set_field of 6 bytes, padded",
        SINCE_12,
        "set_field(eth_dst='01:02:03:04:05:06')",
        _set_field(eth_dst="01:02:03:04:05:06"),
    ),
    ("set_field of a VID", SINCE_12, "set_field(vlan_vid=5)", _set_field(vlan_vid=0x1005)),
    (
        "set_field of 16 bytes",
        SINCE_12,
        "set_field(ipv6_src='2001:db8::1')",
        _set_field(ipv6_src="2001:db8::1"),
    ),
    (
        "set_field under a mask",
        (OF15,),
        "set_field(ipv4_dst='10.0.0.0/8')",
        _set_field(ipv4_dst=("10.0.0.0", "255.0.0.0")),
    ),
    (
        "copy_field",
        (OF15,),
        "CopyField(16, 'ipv4_src', 'ipv4_dst', 1, 2)",
        _copy_field,
    ),
    ("a meter, as an action", (OF15,), "MeterAction(7)", _plain("Meter", 7)),
    (
        "an experimenter's action",
        SINCE_13,
        "ExperimenterAction(0x00ABCDEF, b'whatever')",
        _plain("ExperimenterUnknown", 0x00ABCDEF, b"whatever"),
    ),
]


def _goto(os_ken: Any) -> Any:
    return os_ken.parser.OFPInstructionGotoTable(3)


def _metadata(os_ken: Any) -> Any:
    return os_ken.parser.OFPInstructionWriteMetadata(metadata=7, metadata_mask=0xF)


def _actions(kind: str) -> Any:
    def build(os_ken: Any) -> Any:
        actions = [os_ken.parser.OFPActionPopVlan(), os_ken.parser.OFPActionOutput(2, 0)]
        return os_ken.parser.OFPInstructionActions(getattr(os_ken.ofproto, kind), actions)

    return build


def _clear(os_ken: Any) -> Any:
    return os_ken.parser.OFPInstructionActions(os_ken.ofproto.OFPIT_CLEAR_ACTIONS, [])


def _meter(os_ken: Any) -> Any:
    return os_ken.parser.OFPInstructionMeter(7)


def _trigger(os_ken: Any) -> Any:
    thresholds = os_ken.parser.OFPStats(packet_count=1000, byte_count=64000)
    return os_ken.parser.OFPInstructionStatTrigger(os_ken.ofproto.OFPSTF_PERIODIC, thresholds)


#: (meaning, versions, expression, build).
INSTRUCTIONS: list[tuple[str, tuple[Version, ...], str, Any]] = [
    ("goto_table", SINCE_12, "GotoTable(3)", _goto),
    ("write_metadata", SINCE_12, "WriteMetadata(7, 0xF)", _metadata),
    (
        "write_actions",
        SINCE_12,
        "WriteActions((PopVlan(), Output(2, 0)))",
        _actions("OFPIT_WRITE_ACTIONS"),
    ),
    (
        "apply_actions",
        SINCE_12,
        "ApplyActions((PopVlan(), Output(2, 0)))",
        _actions("OFPIT_APPLY_ACTIONS"),
    ),
    ("clear_actions", SINCE_12, "ClearActions()", _clear),
    ("a meter, as an instruction", (OF13, OF14), "Meter(7)", _meter),
    (
        "tell of each thousandth packet and each 64000th byte",
        (OF15,),
        "StatTrigger(StatTriggerFlags.PERIODIC, Stats(packet_count=1000, byte_count=64000))",
        _trigger,
    ),
]

_V4, _V6, _ARP = {"eth_type": 0x0800}, {"eth_type": 0x86DD}, {"eth_type": 0x0806}
_PBB = {"eth_type": 0x88E7}
_UNICAST_LABEL = {"eth_type": 0x8847}
_ICMP6 = {**_V6, "ip_proto": 58}

#: (field, first version, value, mask, what it needs).
FIELDS: list[tuple[str, Version, Any, Any, dict[str, Any]]] = [
    ("in_port", OF12, 3, None, {}),
    ("in_phy_port", OF12, 4, None, {"in_port": 3}),
    ("metadata", OF12, 0x1122334400000000, 0xFFFFFFFF00000000, {}),
    ("eth_dst", OF12, "01:00:5e:00:00:00", "ff:ff:ff:80:00:00", {}),
    ("eth_src", OF12, "01:02:03:00:00:00", "ff:ff:ff:00:00:00", {}),
    ("eth_type", OF12, 0x88CC, None, {}),
    ("vlan_vid", OF12, 0x1004, 0x1FFC, {}),
    ("vlan_pcp", OF12, 5, None, {"vlan_vid": 0x1005}),
    ("ip_dscp", OF12, 46, None, _V4),
    ("ip_ecn", OF12, 3, None, _V6),
    ("ip_proto", OF12, 50, None, _V4),
    ("ipv4_src", OF12, "10.1.0.0", "255.255.0.0", _V4),
    ("ipv4_dst", OF12, "10.0.0.2", "255.0.0.255", _V4),
    ("tcp_src", OF12, 80, None, {**_V4, "ip_proto": 6}),
    ("tcp_dst", OF12, 443, None, {**_V6, "ip_proto": 6}),
    ("udp_src", OF12, 53, None, {**_V4, "ip_proto": 17}),
    ("udp_dst", OF12, 67, None, {**_V6, "ip_proto": 17}),
    ("sctp_src", OF12, 7, None, {**_V4, "ip_proto": 132}),
    ("sctp_dst", OF12, 9, None, {**_V6, "ip_proto": 132}),
    ("icmpv4_type", OF12, 8, None, {**_V4, "ip_proto": 1}),
    ("icmpv4_code", OF12, 4, None, {**_V4, "ip_proto": 1}),
    ("arp_op", OF12, 2, None, _ARP),
    ("arp_spa", OF12, "10.1.0.0", "255.255.0.0", _ARP),
    ("arp_tpa", OF12, "10.0.0.0", "255.0.0.0", _ARP),
    ("arp_sha", OF12, "01:02:03:00:00:00", "ff:ff:ff:00:00:00", _ARP),
    ("arp_tha", OF12, "01:02:03:00:00:00", "ff:ff:ff:00:00:00", _ARP),
    ("ipv6_src", OF12, "2001:db8::", "ffff:ffff::", _V6),
    ("ipv6_dst", OF12, "::1", "::ffff", _V6),
    ("ipv6_flabel", OF12, 0x12300, 0xFFF00, _V6),
    ("icmpv6_type", OF12, 128, None, _ICMP6),
    ("icmpv6_code", OF12, 1, None, _ICMP6),
    ("ipv6_nd_target", OF12, "fe80::1", None, {**_ICMP6, "icmpv6_type": 135}),
    ("ipv6_nd_sll", OF12, "01:02:03:04:05:06", None, {**_ICMP6, "icmpv6_type": 135}),
    ("ipv6_nd_tll", OF12, "01:02:03:04:05:06", None, {**_ICMP6, "icmpv6_type": 136}),
    ("mpls_label", OF12, 0xABCDE, None, _UNICAST_LABEL),
    ("mpls_tc", OF12, 5, None, {"eth_type": 0x8848}),
    ("mpls_bos", OF13, 1, None, _UNICAST_LABEL),
    ("pbb_isid", OF13, 0x123400, 0xFFFF00, _PBB),
    ("tunnel_id", OF13, 0x1100000000, 0xFF00000000, {}),
    ("ipv6_exthdr", OF13, 0x0A0, 0x1F0, _V6),
    ("pbb_uca", OF14, 1, None, _PBB),
    ("tcp_flags", OF15, 0x012, 0xFFE, {**_V4, "ip_proto": 6}),
    ("actset_output", OF15, 7, None, {}),
    ("packet_type", OF15, 0x10800, None, {}),
]

#: (meaning, versions, fields): several fields in one match.
MATCH_SETS: list[tuple[str, tuple[Version, ...], dict[str, Any]]] = [
    ("everything", SINCE_12, {}),
    (
        "no tag",
        SINCE_12,
        {"vlan_vid": 0},
    ),
    (
        "any tag",
        SINCE_12,
        {"vlan_vid": (0x1000, 0x1000)},
    ),
    (
        "one connection",
        SINCE_12,
        {
            "in_port": 3,
            "eth_dst": "01:02:03:04:05:06",
            "eth_src": "0a:0b:0c:0d:0e:0f",
            "eth_type": 0x0800,
            "vlan_vid": 0x1005,
            "ip_proto": 6,
            "ipv4_src": "10.0.0.1",
            "ipv4_dst": "10.0.0.2",
            "tcp_src": 40000,
            "tcp_dst": 80,
        },
    ),
]
