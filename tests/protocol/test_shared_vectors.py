"""Messages that others wrote: read, written again, and compared with what they say of them.

The file has a JSON object a line: `hex`, `version`, where the bytes come from (`id`), and
often what os-ken reads in them (`expect.json`). It is large and not part of this
repository; POINTSMAN_VECTORS names it where it is not at its usual place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from protocol import DecodeError, Message, Version

from ..oracle import ofp_print
from ..oracle.os_ken_words import differences

pytestmark = pytest.mark.oracle

USUAL_PLACE = Path(__file__).parents[2] / ".." / "shared" / "vectors" / "openflow.jsonl"
PLACE = Path(os.environ.get("POINTSMAN_VECTORS", USUAL_PLACE))

_OUTSIDE = (
    "the value has bits where the mask has none, which is BAD_WILDCARDS"
    " (OF1.3.5 7.2.3.5 “Flow Match Field Masking”); Open vSwitch says so, too"
)
_MASKED = "fixtures/open_flow13/oxm_{}_field.raw"
#: What we do not read as its author meant it, and why.
DISPUTED = {
    **{
        _MASKED.format(f"masked_{name}"): _OUTSIDE
        for name in (
            "arp_spa",
            "arp_tpa",
            "ether_destination",
            "ether_source",
            "ipv4_destination",
            "ipv4_source",
            "ipv6_destination",
            "ipv6_source",
            "tunnel_id",
        )
    },
    _MASKED.format("metadata_masked"): _OUTSIDE,
    "ofp/action_test.go:162 ActionSetField": (
        "in_port with the length of a value and a mask, but without the bit that says so"
    ),
    "os_ken/tests/packet_data/of13/4-36-ofp_queue_get_config_reply.packet": (
        "queues of 65 and 66 bytes: the data of an experimenter's property is not padded, which"
        " Open vSwitch refuses, too"
    ),
    "ofp/handshake_test.go:17 Hello": "the bitmap ends in a word of zeros, which says nothing",
}


def _all_vectors() -> list[dict[str, Any]]:
    if not PLACE.is_file():
        return []
    vectors = [json.loads(line) for line in PLACE.read_text().splitlines()]
    return [one for one in vectors if not one["malformed"] and one["version"] in set(Version)]


VECTORS = _all_vectors()
if not VECTORS:
    pytest.skip(
        f"there is no {PLACE.name}; POINTSMAN_VECTORS may name one", allow_module_level=True
    )


def _each(vectors: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "vector", [pytest.param(vector, id=vector["id"]) for vector in vectors]
    )


def decoded(vector: Mapping[str, Any]) -> Message:
    """Return what the vector is; skip what no class has been declared for yet."""
    try:
        return Message.decode(bytes.fromhex(vector["hex"]))
    except DecodeError as error:
        if "has no message" in error.reason or "has no multipart type" in error.reason:
            pytest.skip(error.reason)
        raise


@_each([one for one in VECTORS if one["id"] not in DISPUTED])
def test_what_others_wrote_is_written_again(vector: Mapping[str, Any]) -> None:
    message = decoded(vector)
    assert message.encode(Version(vector["version"])).hex() == vector["hex"]


@_each([one for one in VECTORS if "json" in one["expect"] and one["id"] not in DISPUTED])
def test_what_others_wrote_means_the_same_to_os_ken(vector: Mapping[str, Any]) -> None:
    message = decoded(vector)
    ((_, said),) = vector["expect"]["json"].items()
    assert list(differences(message, said, Version(vector["version"]))) == []


def test_the_disputed_vectors_are_disputed_still() -> None:
    disputed = {one["id"]: one for one in VECTORS if one["id"] in DISPUTED}
    assert set(disputed) == set(DISPUTED)
    assert not [name for name, vector in disputed.items() if _is_written_again(vector)]


@pytest.mark.skipif(not ofp_print.is_installed(), reason="ovs-ofctl is not installed")
def test_open_vswitch_disputes_them_too() -> None:
    # All but a hello, of which it says the versions, as we do.
    disputed = [one for one in VECTORS if one["id"] in DISPUTED and "Hello" not in one["id"]]
    texts = ofp_print.printed([bytes.fromhex(one["hex"]) for one in disputed])
    assert [text for text in texts if "***decode error" not in text] == []


def _is_written_again(vector: Mapping[str, Any]) -> bool:
    try:
        message = decoded(vector)
    except DecodeError:
        return False
    return message.encode(Version(vector["version"])).hex() == vector["hex"]
