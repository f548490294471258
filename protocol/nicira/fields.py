"""Nicira's match fields: registers, tunnels, connections, NSH (ovs-fields(7)).

Where the specification has a field too, its row in `oxm.py` tells what Nicira calls it.
"""

from __future__ import annotations

from enum import IntFlag
from functools import partial

from ..oxm import (
    EXPERIMENTER_CLASS,
    HEX,
    IPV4,
    IPV6,
    NXM_NX,
    NXM_OF,
    OxmField,
    Requirement,
    add_fields,
)
from ..packet.ethernet import EthType
from ..version import OF10

NICIRA = 0x0000_2320  #: the experimenter
NSH = 0x005A_D650  #: the experimenter that the fields of NSH have
ERICSSON = 0x1000  #: the class of two fields of neighbour discovery
N_REGISTERS = 32  #: of 32 bits; pairs of them are xreg0 …, fours xxreg0 …
N_OPTIONS = 64  #: fields that stand for options of tunnels
OPTION_BYTES = 124  #: that such a field has at most


class CtState(IntFlag):
    """What connection tracking says of a packet, in ct_state."""

    NEW = 1 << 0
    ESTABLISHED = 1 << 1
    RELATED = 1 << 2
    REPLY_DIR = 1 << 3
    INVALID = 1 << 4
    TRACKED = 1 << 5
    SRC_NAT = 1 << 6
    DST_NAT = 1 << 7


class IpFrag(IntFlag):
    """Whether a packet is a fragment, in nw_frag."""

    ANY = 1 << 0
    LATER = 1 << 1  #: with an offset


_IP: tuple[Requirement, ...] = (("eth_type", (EthType.IPV4, EthType.IPV6)),)
_IP4: tuple[Requirement, ...] = (("eth_type", (EthType.IPV4,)),)
_IP6: tuple[Requirement, ...] = (("eth_type", (EthType.IPV6,)),)
_MPLS: tuple[Requirement, ...] = (("eth_type", (EthType.MPLS, EthType.MPLS_MULTICAST)),)
_ND: tuple[Requirement, ...] = (*_IP6, ("ip_proto", (58,)), ("icmpv6_type", (135, 136)))

_Of = partial(OxmField, oxm_class=NXM_OF, first=OF10)
_Nx = partial(OxmField, oxm_class=NXM_NX, first=OF10)
_Nsh = partial(OxmField, oxm_class=EXPERIMENTER_CLASS, experimenter=NSH, first=OF10)
_Et = partial(OxmField, oxm_class=EXPERIMENTER_CLASS, experimenter=NICIRA, first=OF10)

add_fields(
    (
        # What the specification has in another form: see `match.py` next door.
        _Of("in_port_nxm", 0, 16),
        _Of("vlan_tci", 4, 16, True, kind=HEX),
        _Of("nw_tos", 5, 8, requires=_IP),
        *(_Nx(f"reg{n}", n, 32, True, kind=HEX) for n in range(16)),
        *(_Et(f"reg{n}", n + 1, 32, True, kind=HEX) for n in range(16, N_REGISTERS)),
        *(_Nx(f"xxreg{n}", 111 + n, 128, True, kind=HEX) for n in range(4)),
        *(_Et(f"xxreg{n}", 29 + n, 128, True, kind=HEX) for n in range(4, 8)),
        _Nx("nw_frag", 26, 2, True, requires=_IP),
        _Nx("nw_ttl", 29, 8, requires=_IP),
        _Nx("mpls_ttl", 30, 8, requires=_MPLS),
        # Stands in requests for entries only, where the specification has cookie and cookie_mask.
        _Nx("cookie", 30, 64, True, kind=HEX),
        _Nx("tun_ipv4_src", 31, 32, True, kind=IPV4),
        _Nx("tun_ipv4_dst", 32, 32, True, kind=IPV4),
        _Nx("pkt_mark", 33, 32, True, kind=HEX),
        _Nx("dp_hash", 35, 32, True, kind=HEX),
        _Nx("recirc_id", 36, 32, kind=HEX),
        _Nx("conj_id", 37, 32),
        _Nx("tun_gbp_id", 38, 16, True),
        _Nx("tun_gbp_flags", 39, 8, True, kind=HEX),
        *(
            _Nx(f"tun_metadata{n}", 40 + n, 8 * OPTION_BYTES, True, kind=HEX, variable=True)
            for n in range(N_OPTIONS)
        ),
        _Nx("tun_flags", 104, 1, True, kind=HEX, width=2),
        _Nx("ct_state", 105, 32, True, kind=HEX),
        _Nx("ct_zone", 106, 16),
        _Nx("ct_mark", 107, 32, True, kind=HEX),
        _Nx("ct_label", 108, 128, True, kind=HEX),
        _Nx("tun_ipv6_src", 109, 128, True, kind=IPV6),
        _Nx("tun_ipv6_dst", 110, 128, True, kind=IPV6),
        _Nx("ct_nw_proto", 119, 8, requires=_IP),
        _Nx("ct_nw_src", 120, 32, True, requires=_IP4, kind=IPV4),
        _Nx("ct_nw_dst", 121, 32, True, requires=_IP4, kind=IPV4),
        _Nx("ct_ipv6_src", 122, 128, True, requires=_IP6, kind=IPV6),
        _Nx("ct_ipv6_dst", 123, 128, True, requires=_IP6, kind=IPV6),
        _Nx("ct_tp_src", 124, 16, True, requires=_IP),
        _Nx("ct_tp_dst", 125, 16, True, requires=_IP),
        _Nsh("nsh_flags", 1, 8, True),
        _Nsh("nsh_mdtype", 2, 8),
        _Nsh("nsh_np", 3, 8),
        _Nsh("nsh_spi", 4, 24, kind=HEX, width=4),
        _Nsh("nsh_si", 5, 8),
        *(_Nsh(f"nsh_c{n}", 5 + n, 32, True, kind=HEX) for n in range(1, 5)),
        _Nsh("nsh_ttl", 10, 8),
        _Et("tun_erspan_idx", 11, 20, True, kind=HEX),
        _Et("tun_erspan_ver", 12, 4, True),
        _Et("tun_erspan_dir", 13, 1, True),
        _Et("tun_erspan_hwid", 14, 6, True, kind=HEX),
        _Et("tun_gtpu_flags", 15, 8, True, kind=HEX),
        _Et("tun_gtpu_msgtype", 16, 8, True),
        OxmField("nd_reserved", 1, 32, first=OF10, requires=_ND, oxm_class=ERICSSON),
        OxmField("nd_options_type", 2, 8, first=OF10, requires=_ND, oxm_class=ERICSSON),
    )
)
