"""What Open vSwitch 3.1 refuses of a controller's messages, though the specification has it."""

from __future__ import annotations

from typing import NamedTuple

from protocol import OF10, OF11, OF12, OF13, OF14, OF15, Version


class Refuses(NamedTuple):
    """A part of messages that Open vSwitch 3.1 refuses, in which versions, how and why."""

    part: str
    first: Version
    last: Version
    code: str
    why: str


STRANGER = "nobody knows the experimenter"
REFUSES = [
    Refuses("Experimenter", OF10, OF15, "BadRequest.BAD_EXPERIMENTER", STRANGER),
    Refuses("Experimenter", OF10, OF10, "BadRequest.BAD_LEN", "it wants Nicira's subtype"),
    Refuses("ExperimenterMultipartRequest", OF10, OF15, "BadRequest.BAD_EXPERIMENTER", STRANGER),
    Refuses(
        "ExperimenterMultipartRequest", OF11, OF11, "BadRequest.BAD_LEN", "it wants an exp_type"
    ),
    Refuses("ExperimenterAction", OF10, OF15, "BadAction.BAD_EXPERIMENTER", STRANGER),
    Refuses("ExperimenterInstruction", OF11, OF15, "BadInstruction.BAD_EXPERIMENTER", STRANGER),
    *(
        Refuses(action, OF11, OF15, "BadAction.BAD_TYPE", why)
        for action, why in (
            ("CopyTtlIn", "it has no copy_ttl"),
            ("CopyTtlOut", "it has no copy_ttl"),
            ("PushPbb", "it has no PBB"),
            ("PopPbb", "it has no PBB"),
        )
    ),
    *(
        Refuses(f"field.{name}", OF12, OF15, "BadMatch.BAD_FIELD", why)
        for name, why in (
            ("in_phy_port", "it has no in_phy_port"),
            ("ipv6_exthdr", "it has no extension headers"),
            ("pbb_isid", "it has no PBB"),
            ("pbb_uca", "it has no PBB"),
        )
    ),
    Refuses(
        *("neighbour discovery with a code", OF12, OF15, "BadMatch.BAD_PREREQ"),
        "it wants icmpv6_code=0 there",
    ),
    Refuses(
        *("TableFeaturesRequest.tables", OF13, OF15, "TableFeaturesFailed.EPERM"),
        "its tables cannot be told what to do",
    ),
    Refuses(
        *("TableFeaturesRequest.tables", OF14, OF15, "BadProperty.BAD_TYPE"),
        "its tables cannot be told what to do",
    ),
    Refuses("PortModOptical", OF14, OF15, "BadProperty.BAD_TYPE", "its ports have no light"),
    Refuses("PortMod+ExperimenterProperty", OF14, OF15, "BadProperty.BAD_TYPE", STRANGER),
    Refuses("TableMod+ExperimenterProperty", OF14, OF15, "BadRequest.BAD_TYPE", STRANGER),
    Refuses("GroupMod.properties", OF15, OF15, "BadProperty.BAD_EXP_TYPE", STRANGER),
    Refuses("ExperimenterBand", OF13, OF15, "MeterModFailed.BAD_BAND", STRANGER),
    Refuses("ExperimenterBand", OF13, OF15, "BadRequest.BAD_LEN", STRANGER),
    *(
        Refuses(f"field.xreg{n}", OF15, OF15, code, "it has eight registers of 64 bits")
        for n in range(8, 16)
        for code in ("BadMatch.BAD_FIELD", "BadAction.BAD_SET_TYPE", "BadAction.BAD_SET_LEN")
    ),
    *(
        Refuses(name, OF15, OF15, "BadRequest.BAD_MULTIPART", "it does not know it")
        for name in ("BundleFeaturesRequest", "FlowCountersRequest", "ControllerStatusRequest")
    ),
    *(
        Refuses(
            *(f"SetAsync.{name}_{role}", OF15, OF15, "AsyncConfigFailed.UNSUPPORTED"),
            "it does not send such messages",
        )
        for name in ("flow_stats", "controller_status")
        for role in ("master", "slave")
    ),
    Refuses("StatTrigger", OF15, OF15, "BadInstruction.UNKNOWN_INST", "it has no stat_trigger"),
    Refuses(
        *("WriteActions>MeterAction", OF15, OF15, "BadAction.BAD_TYPE"),
        "it does not put a meter into the action set",
    ),
    Refuses(
        *("FlowMod.out_port=CONTROLLER", OF15, OF15, "BadRequest.EPERM"),
        "its own entries send to the controller, and are not to be deleted",
    ),
    Refuses(
        *("DscpRemarkBand", OF13, OF15, "MeterModFailed.BAD_BAND"),
        "its datapath in user space only drops",
    ),
    Refuses(
        *("MeterMod.bands=()", OF13, OF15, "MeterModFailed.OUT_OF_BANDS"),
        "its meters have one band at least",
    ),
]
