"""A learning switch written for os-ken, in a process of its own: a foreign controller.

    python osken_learning_switch.py PORT

It speaks OpenFlow 1.0 and 1.2 to 1.5; os-ken has no 1.1.
"""

# ruff: noqa: E402  (eventlet wants to be first)

from __future__ import annotations

import os
import sys
from typing import Any

os.environ["OSKEN_HUB_TYPE"] = "eventlet"  # its threads would end with the main one

import eventlet

eventlet.monkey_patch()

from os_ken import cfg
from os_ken.base.app_manager import AppManager, OSKenApp
from os_ken.controller import ofp_event
from os_ken.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.lib.packet.ethernet import ethernet
from os_ken.ofproto import ofproto_v1_0, ofproto_v1_2, ofproto_v1_3, ofproto_v1_4, ofproto_v1_5


class LearningSwitch(OSKenApp):
    """Notes at which port a sender is heard, and sends what is for it there."""

    OFP_VERSIONS = [
        module.OFP_VERSION
        for module in (ofproto_v1_0, ofproto_v1_2, ofproto_v1_3, ofproto_v1_4, ofproto_v1_5)
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ports: dict[tuple[int, str], int] = {}  # datapath_id and MAC -> port

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def features(self, event: Any) -> None:
        """Ask for what no other entry matches; OF1.0 sends that by itself."""
        datapath = event.msg.datapath
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        if ofproto.OFP_VERSION > ofproto_v1_0.OFP_VERSION:
            to_us = parser.OFPActionOutput(ofproto.OFPP_CONTROLLER, ofproto.OFPCML_NO_BUFFER)
            self._add(datapath, parser.OFPMatch(), to_us, priority=0)

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, event: Any) -> None:
        """Learn where the sender is; forward, by an entry where the port is known."""
        message, datapath = event.msg, event.msg.datapath
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        old = ofproto.OFP_VERSION == ofproto_v1_0.OFP_VERSION
        in_port = message.in_port if old else message.match["in_port"]
        frame, _, _ = ethernet.parser(message.data)
        self.ports[datapath.id, frame.src] = in_port
        out_port = self.ports.get((datapath.id, frame.dst), ofproto.OFPP_FLOOD)
        output = parser.OFPActionOutput(out_port)
        if out_port != ofproto.OFPP_FLOOD:
            names = ("dl_src", "dl_dst") if old else ("eth_src", "eth_dst")
            addresses = dict(zip(names, (frame.src, frame.dst), strict=True))
            self._add(datapath, parser.OFPMatch(in_port=in_port, **addresses), output, priority=1)
        place = (
            {"match": parser.OFPMatch(in_port=in_port)}
            if ofproto.OFP_VERSION == ofproto_v1_5.OFP_VERSION
            else {"in_port": in_port}
        )
        datapath.send_msg(
            parser.OFPPacketOut(
                datapath=datapath,
                buffer_id=ofproto.OFP_NO_BUFFER,
                actions=[output],
                data=message.data,
                **place,
            )
        )

    def _add(self, datapath: Any, match: Any, output: Any, priority: int) -> None:
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        if ofproto.OFP_VERSION == ofproto_v1_0.OFP_VERSION:
            does = {"actions": [output]}
        else:
            apply = parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, [output])
            does = {"instructions": [apply]}
        datapath.send_msg(
            parser.OFPFlowMod(
                datapath=datapath,
                match=match,
                priority=priority,
                command=ofproto.OFPFC_ADD,
                cookie=0,
                **does,
            )
        )


def main(port: str) -> None:
    """Run the application until a signal ends it."""
    cfg.CONF(args=[], project="os_ken")
    cfg.CONF.set_override("ofp_listen_host", "127.0.0.1")
    cfg.CONF.set_override("ofp_tcp_listen_port", int(port))
    AppManager.run_apps([os.path.abspath(__file__)])


if __name__ == "__main__":
    main(*sys.argv[1:])
