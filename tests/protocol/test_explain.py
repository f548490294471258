"""What each byte of a message is, and the tables of fields."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import (
    OF10,
    OF11,
    OF13,
    OF14,
    OF15,
    BadActionCode,
    BadMatchCode,
    BadRequestCode,
    Bucket,
    BundleAdd,
    EchoRequest,
    ErrorMsg,
    FlowMod,
    FlowRemoved,
    GroupMod,
    Match,
    Output,
    PacketIn,
    Stats,
    Version,
)
from protocol.explain import Explanation, dump, explain, verdict
from protocol.packet import Arp, ArpOp, Ethernet, build
from protocol.syntax import Flow
from protocol.walk import Part

from . import extension_vectors
from .strategies import message_classes, messages
from .vectors import read_vectors

DOCS = Path(__file__).parents[2] / "docs"
RULE = Flow.parse("table=1,tcp,nw_src=10.0.0.0/8,actions=output:2,goto_table:3")


def part(explanation: Explanation, path: str) -> Part:
    """Return the part of this path."""
    (found,) = [one for one in explanation.parts if one.path == path]
    return found


def check_each_byte_once(explanation: Explanation) -> None:
    at = 0
    for leaf in explanation.leaves():
        assert leaf.start == at
        at = leaf.end
    assert at == len(explanation.data)


def test_a_dump_names_fields_values_and_the_words_of_the_specification() -> None:
    text = dump(explain(RULE.mod(version=OF13).encode(OF13)))
    for line in [
        "0000  04                         version                       4  OpenFlow 1.3",
        "0001  0e                         type                          14  OFPT_FLOW_MOD",
        "0018  01                         table_id                      1",
        "0019  00                         command                       ADD  OFPFC_ADD",
        "                                   ipv4_src                    OXM_OF_IPV4_SRC",
        "0043  0a 00 00 00                    value                     10.0.0.0",
        "0047  ff 00 00 00                    mask                      255.0.0.0",
        "0058  00 00                          type                      0  OFPAT_OUTPUT",
        "0068  00 01                        type                        1  OFPIT_GOTO_TABLE",
    ]:
        assert line in text.splitlines()


def test_parts_know_their_place_and_path() -> None:
    found = explain(RULE.mod(version=OF13).encode(OF13))
    table = part(found, "FlowMod.instructions[1].table_id")
    assert (table.start, table.end, table.kind, table.value) == (0x6C, 0x6D, "u8", "3")


def test_the_structs_of_old_versions_are_taken_apart() -> None:
    found = explain(RULE.mod(version=OF10).encode(OF11))
    assert part(found, "FlowMod.match.nw_src").value == "167772160"
    assert part(found, "FlowMod.match.dl_type").kind == "u16"


def test_counters_of_openflow_1_5_are_taken_apart() -> None:
    found = explain(FlowRemoved(stats=Stats(duration_sec=5, packet_count=3)).encode(OF15))
    assert part(found, "FlowRemoved.stats.packet_count").value == "0000000000000003"


def test_properties_and_buckets_are_taken_apart() -> None:
    group = GroupMod(1, buckets=(Bucket((Output(1),), weight=5, watch_port=3),))
    found = explain(group.encode(OF15))
    assert part(found, "GroupMod.buckets[0].properties[0].weight").value == "5"
    assert part(found, "GroupMod.buckets[0].actions_len").value == "16"


def test_a_message_in_a_message_is_taken_apart() -> None:
    found = explain(BundleAdd(1, EchoRequest(b"abc")).encode(OF14))
    assert [one.value for one in found.leaves()][-1] == "616263"
    check_each_byte_once(found)


def test_the_message_that_an_error_is_about_is_taken_apart_as_far_as_it_goes() -> None:
    offender = RULE.mod(version=OF13).encode(OF13)
    found = explain(ErrorMsg(BadRequestCode.BAD_LEN, offender[:64]).encode(OF13))
    assert "OFPT_FLOW_MOD" in [one.meaning for one in found.parts]
    assert found.error is None
    check_each_byte_once(found)


def test_the_headers_of_a_frame_are_taken_apart() -> None:
    arp = Arp(ArpOp.REQUEST, sha=1, spa=1, tpa=2)  # type: ignore[arg-type]
    frame = build(Ethernet(dst=2, src=1), arp)  # type: ignore[arg-type]
    found = explain(PacketIn(match=Match(in_port=1), data=frame).encode(OF13))
    assert part(found, "PacketIn.data.payload.op").value == "REQUEST"


VECTORS = [(f"{one.place}-{one.version}", one.data) for one in read_vectors()]
EXTENSIONS = [
    (f"{one.place}-{one.version}", one.data)
    for one in extension_vectors.read_vectors()
    if one.is_message
]


@pytest.mark.parametrize(
    "data", [pytest.param(data, id=name) for name, data in [*VECTORS, *EXTENSIONS]]
)
def test_each_byte_of_a_vector_is_one_field(data: bytes) -> None:
    found = explain(data)
    check_each_byte_once(found)
    assert found.error is None
    assert found.broken_at is None


@given(
    data=st.sampled_from([data for _, data in EXTENSIONS]),
    at=st.floats(0, 0.999),
    bits=st.integers(0, 255),
    kept=st.floats(0, 1),
)
def test_broken_messages_of_extensions_are_told_up_to_the_break(
    data: bytes, at: float, bits: int, kept: float
) -> None:
    raw = bytearray(data)
    raw[int(at * len(raw))] ^= bits
    found = explain(bytes(raw[: int(kept * len(raw)) or len(raw)]))
    check_each_byte_once(found)
    assert (found.error is None) == (found.broken_at is None)


@pytest.mark.parametrize("version", Version, ids=str)
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_each_byte_is_one_field_also_of_what_is_broken(
    version: Version, data: st.DataObject
) -> None:
    cls = data.draw(st.sampled_from(list(message_classes(version))))
    raw = bytearray(data.draw(messages(cls, version)).encode(version))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(0, 255))
    found = explain(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    check_each_byte_once(found)
    assert (found.error is None) == (found.broken_at is None)
    assert dump(found)


# Broken messages


def test_a_message_that_was_cut_is_told_up_to_its_end() -> None:
    data = RULE.mod(version=OF13).encode(OF13)
    found = explain(data[:0x62])
    assert found.broken_at == 0x62
    assert verdict(found) == (
        "broken at byte 98: the header says 112 bytes, there are 98; answer with OFPBRC_BAD_LEN"
    )


def test_an_unknown_action_is_named_with_its_error() -> None:
    raw = bytearray(RULE.mod(version=OF13).encode(OF13))
    raw[0x59] = 99
    found = explain(bytes(raw))
    assert found.error is not None
    assert found.error.code is BadActionCode.BAD_TYPE
    assert found.broken_at == 0x58
    assert [one.value for one in found.leaves()][-1] == "not read"


def test_a_wrong_mask_is_found_in_its_field() -> None:
    raw = bytearray(RULE.mod(version=OF13).encode(OF13))
    raw[0x45] = 1
    found = explain(bytes(raw))
    assert found.error is not None
    assert found.error.code is BadMatchCode.BAD_WILDCARDS
    assert found.broken_at == 0x3F


def test_what_stands_behind_a_message_is_not_read() -> None:
    found = explain(EchoRequest().encode(OF13) * 2)
    assert found.broken_at == 8
    assert verdict(found).startswith("broken at byte 8: the header says 8 bytes, there are 16")


@pytest.mark.parametrize(
    "data", [b"", b"\x04", bytes(8), b"\xff" * 8, bytes.fromhex("04ff0008" * 2)]
)
def test_what_is_no_message_at_all_is_shown_as_it_is(data: bytes) -> None:
    found = explain(data)
    assert found.message is None
    assert "answer with OFPBRC" in verdict(found)
    check_each_byte_once(found)


def test_messages_nested_without_end_are_given_up() -> None:
    data = FlowMod().encode(OF14)
    for _ in range(3000):
        length = (len(data) + 16).to_bytes(2, "big")
        data = b"\x05\x22" + length + bytes(4) + bytes.fromhex("00000001 0000 0000") + data
    assert explain(data).error is not None


# The tables of fields


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", DOCS / "make_field_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_say_what_the_declarations_say() -> None:
    written = {path.name: path.read_text("utf-8") for path in (DOCS / "fields").glob("*.md")}
    assert written == load_generator().pages(), "run python docs/make_field_tables.py"


def test_a_table_tells_where_each_version_has_a_field() -> None:
    page = load_generator().pages()["flows.md"]
    row = next(line for line in page.splitlines() if line.startswith("| idle_timeout"))
    assert row == (
        "| idle_timeout | int | 58: u16 | 26: u16 | 26: u16 | 26: u16 "
        "| seconds without a packet; 0 never |"
    )


def test_a_record_has_the_versions_in_which_a_message_has_it() -> None:
    page = load_generator().pages()["groups.md"]
    section = page[page.index("## Bucket\n") :]
    assert "| field | type | 1.1-1.4 | 1.5 | |" in section[: section.index("\n## ", 5)]
