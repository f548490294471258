"""Messages that carry a message do not carry one that carries another."""

import pytest

from protocol import OF14, BundleAdd, BundleFailedCode, DecodeError, EchoRequest, Message
from protocol.message import HEADER


def nested(depth: int) -> bytes:
    data = EchoRequest(b"in the middle").encode(OF14)
    for _ in range(depth):
        data = HEADER.pack(OF14, 34, len(data) + 16, 0) + bytes.fromhex("00000001 0000 0000") + data
    return data


def test_a_bundle_takes_a_message() -> None:
    assert Message.decode(nested(1)) == BundleAdd(1, EchoRequest(b"in the middle"))


@pytest.mark.parametrize("depth", [2, 30, 4000])
def test_a_bundle_in_a_bundle_is_refused_however_deep(depth: int) -> None:
    with pytest.raises(DecodeError) as caught:
        Message.decode(nested(depth))
    assert caught.value.code is BundleFailedCode.MSG_UNSUP
