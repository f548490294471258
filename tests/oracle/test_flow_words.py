"""ovs-ofctl reads the flows of tests/protocol/flows.txt as we do, and prints them so."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from protocol import OF10, OF11, OF13, OF15, Message, Output, Port, Version, nicira
from protocol.compiler import write
from protocol.oxm import OXM
from protocol.syntax import Flow, instructions_text, parse_actions
from protocol.syntax.match import match_words
from protocol.syntax.subfields import subfield_text

from ..protocol.extension_vectors import Actions
from ..protocol.flow_lines import LINES
from .open_vswitch import Switch, is_installed

pytestmark = pytest.mark.oracle
needs_ovs = pytest.mark.skipif(not shutil.which("ovs-ofctl"), reason="ovs-ofctl is not installed")

OPTIONS = (
    "{class=0xffff,type=1,len=4}->tun_metadata0,{class=0xffff,type=2,len=8}->tun_metadata1,"
    "{class=0xffff,type=3,len=4}->tun_metadata3"
)
PATIENCE = 60.0  #: seconds
NXT_FLOW_MOD = bytes.fromhex("00002320 0000000d")
OLD, NEW = {OF10, OF11}, {OF11, OF13, OF15}
#: Where we do not say what ovs-ofctl says: beginnings of actions, the versions, and why.
OTHERS: list[tuple[str, set[Version], str]] = [
    ("set_field:10.0.0.0/255.255.0.0->", OLD, "it sets all bits, and forgets the mask"),
    ("write_actions", {OF10}, "it leaves them out; we refuse what OF1.0 has no place for"),
    ("clear_actions", {OF10}, "it leaves it out; we refuse what OF1.0 has no place for"),
    ("decap", OLD, "it says it, and cannot read it again; we refuse it before OF1.3"),
    ("dec_nsh_ttl", OLD, "it says it, and cannot read it again; we refuse it before OF1.3"),
    ("set_field:77->mpls_label", {OF11}, "it loads; OF1.1 has an action of its own"),
    ("set_field:3->mpls_tc", {OF11}, "it loads; OF1.1 has an action of its own"),
    ("enqueue", NEW, "it pops the queue, which needs Nicira's action"),
]
#: The same of matches.
OTHER_MATCHES: list[tuple[str, set[Version], str]] = [
    ("ip,nw_ecn=2", {OF11}, "it leaves the field out; OF1.1 cannot say it"),
    ("reg0=5,reg1=0x5/0xff", {OF15}, "it joins pairs of registers"),
    ("reg0=0,metadata=0", {OF15}, "it joins pairs of registers"),
]
#: What it calls by other names in old versions; a Flow has none.
OLD_WORDS = {
    "strip_vlan": "pop_vlan",
    "set_vlan_vid": "mod_vlan_vid",
    "set_vlan_pcp": "mod_vlan_pcp",
}


def is_disputed(line: str, version: Version) -> bool:
    """Whether we say something else here on purpose."""
    rule, _, actions = line.rpartition("actions=")
    return any(actions.startswith(begin) and version in where for begin, where, _ in OTHERS) or any(
        rule.startswith(begin) and version in where for begin, where, _ in OTHER_MATCHES
    )


@pytest.fixture(scope="module")
def switch() -> Iterator[Switch]:
    if not is_installed():
        pytest.skip("Open vSwitch is not installed")
    with Switch() as found:
        yield found


def said(switch: Switch, version: Version) -> dict[str, Message]:
    """Return the flow_mod that ovs-ofctl says for each line that it takes in this version."""
    switch.ofctl(version, "add-tlv-map", OPTIONS)
    found = {}
    for line in LINES:
        for message in switch.ofctl(version, "add-flow", line, nicira=True):
            if message[1] == 14 or (message[1] == 4 and message[8:16] == NXT_FLOW_MOD):
                found[line] = Message.decode(message)
    return found


def meaning(found: Any) -> Any:
    """Return instructions without what means nothing: how much a real port gets of a packet."""
    if isinstance(found, tuple):
        return tuple(map(meaning, found))
    if isinstance(found, Output) and found.port != Port.CONTROLLER:
        return Output(found.port)
    if hasattr(found, "actions"):
        return structs.replace(found, actions=meaning(found.actions))
    return found


def printed(messages: list[bytes], path: Path) -> dict[int, str]:
    """Return what ovs-ofctl prints of each message, by xid."""
    path.write_bytes(b"".join(messages))
    done = subprocess.run(
        ["ovs-ofctl", "ofp-parse", str(path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    lines = re.findall(r"\(xid=(0x[0-9a-f]+)\): ADD ?(.*)", done.stdout)
    return {int(xid, 16): text for xid, text in lines}


@pytest.mark.parametrize("version", [OF10, OF11, OF13, OF15])
def test_we_read_and_print_flows_as_ovs_ofctl_does(
    switch: Switch, version: Version, tmp_path: Path
) -> None:
    heard = said(switch, version)
    assert len(heard) > 150
    by_xid = dict(enumerate(heard, 1))
    stream = [heard[line].numbered(xid).encode(version) for xid, line in by_xid.items()]
    theirs = printed(stream, tmp_path / "stream")
    wrong = []
    for xid, line in by_xid.items():
        found: Any = heard[line]
        if is_disputed(line, version):
            continue
        ours: Any = Message.decode(Flow.parse(line).mod(version=version).encode(version))
        if (ours.match, meaning(ours.instructions)) != (found.match, meaning(found.instructions)):
            wrong.append((line, "is said", str(found), "not", str(ours)))
        if xid in theirs and not _agree(theirs[xid], found, version):
            wrong.append((line, "is printed", theirs[xid], "not", str(Flow.of(found))))
    assert not wrong


def _agree(text: str, found: Any, version: Version) -> bool:
    """Whether ovs-ofctl's line says what ours does, in whatever order the match is."""
    rule, _, actions = text.rpartition("actions=")
    for old, new in OLD_WORDS.items():
        actions = actions.replace(old, new)
    shown = instructions_text(found.instructions)
    if version == OF15 and "meter:" in shown:  # ours says that it is an action
        shown = shown.removeprefix("apply_actions(").removesuffix(")")
    matched = set(re.split(r"[, ](?![^(]*\))", rule.strip()))
    return shown == actions and set(match_words(found.match)) <= matched | {"any"}


@needs_ovs
def test_ovs_ofctl_calls_fields_as_we_do() -> None:
    newer = {f"reg{n}" for n in range(16, 32)} | {f"xxreg{n}" for n in range(4, 8)}
    no_place = {"cookie", "ct_nw_proto"}  # the one is none, the other has no name there
    rows = [row for row in OXM.values() if row.name not in newer | no_place and not row.variable]
    pushed = [nicira.StackPush(nicira.Subfield(row.name)) for row in rows]
    lines = [write(Actions((one,)), OF13, headed=False).hex() for one in pushed]
    done = subprocess.run(
        ["ovs-ofctl", "parse-actions", "OpenFlow13"],
        input="\n\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    said = re.findall(r"push:\S+", done.stdout)
    ours = [f"push:{subfield_text(one.subfield)}" for one in pushed]
    assert [one for one in said if one not in ours] == []
    assert len(said) > 100
    for name in said:
        assert parse_actions(name) == (pushed[ours.index(name)],)
