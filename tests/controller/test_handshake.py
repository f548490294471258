"""The handshake after hello, message by message."""

from __future__ import annotations

import pytest

from controller.handshake import Handshake
from controller.testing import Sent
from protocol import (
    OF10,
    OF12,
    OF13,
    BadRequestCode,
    ErrorMsg,
    FeaturesReply,
    FeaturesRequest,
    Message,
    OpenFlowError,
    PacketIn,
    PortDesc,
    PortDescReply,
    PortDescRequest,
    PortReason,
    PortStatus,
    RequestError,
    Version,
)

FEATURES, PORTS, AGAIN = 1, 2, 3  # the xids, in the order of what is asked
PORT = PortDesc(1)


@pytest.mark.parametrize("version", [version for version in Version if version <= OF12])
def test_up_to_1_2_the_features_tell_the_ports(version: Version) -> None:
    sent = Sent(version)
    handshake = Handshake(version, sent)
    features = FeaturesReply(5, ports=(PORT,), xid=FEATURES)
    assert handshake.receive(features) == (features, (PORT,))
    assert sent == [FeaturesRequest()]


@pytest.mark.parametrize("version", [version for version in Version if version >= OF13])
def test_since_1_3_the_ports_are_asked_for_at_once(version: Version) -> None:
    sent = Sent(version)
    handshake = Handshake(version, sent)
    assert sent == [FeaturesRequest(), PortDescRequest()]
    features = FeaturesReply(5, xid=FEATURES)
    assert handshake.receive(features) is None
    assert handshake.receive(PortDescReply((PORT,), xid=PORTS)) == (features, (PORT,))
    assert sent == [FeaturesRequest(), PortDescRequest()]


@pytest.mark.parametrize(
    "early", [PortDescReply(xid=PORTS), ErrorMsg(BadRequestCode.EPERM, xid=PORTS)]
)
def test_ports_told_before_the_features_are_asked_for_again(early: Message) -> None:
    sent = Sent(OF13)
    handshake = Handshake(OF13, sent)
    assert handshake.receive(early) is None
    # A port that comes now is told of nobody who would listen.
    assert handshake.receive(PortStatus(PortReason.ADD, PORT)) is None
    features = FeaturesReply(5, xid=FEATURES)
    assert handshake.receive(features) is None
    assert sent[-1] == PortDescRequest()
    assert handshake.receive(PortDescReply((PORT,), xid=AGAIN)) == (features, (PORT,))


def test_a_switch_that_does_not_tell_its_ports_has_none(caplog: pytest.LogCaptureFixture) -> None:
    handshake = Handshake(OF13, Sent(OF13))
    features = FeaturesReply(5, xid=FEATURES)
    handshake.receive(features)
    error = ErrorMsg(BadRequestCode.BAD_MULTIPART, xid=PORTS)
    assert handshake.receive(error) == (features, ())
    assert "0x0000000000000005: it tells no ports" in caplog.text


def test_a_switch_that_does_not_tell_its_features_is_none() -> None:
    with pytest.raises(RequestError):
        Handshake(OF10, Sent(OF10)).receive(ErrorMsg(BadRequestCode.EPERM, xid=FEATURES))


def test_for_the_ports_of_an_auxiliary_channel_nobody_waits() -> None:
    features = FeaturesReply(5, auxiliary_id=1, xid=FEATURES)
    assert Handshake(OF13, Sent(OF13)).receive(features) == (features, ())


def test_a_switch_without_a_datapath_id_is_none() -> None:
    with pytest.raises(OpenFlowError, match="datapath_id is 0"):
        Handshake(OF13, Sent(OF13)).receive(FeaturesReply(0, xid=FEATURES))


@pytest.mark.parametrize(
    "message",
    [
        PacketIn(xid=FEATURES),
        PortStatus(PortReason.ADD, PORT, xid=FEATURES),
        FeaturesReply(6, xid=99),
        PortDescReply((PORT,), xid=FEATURES),
        ErrorMsg(BadRequestCode.EPERM, xid=99),
    ],
)
def test_what_answers_nothing_is_passed_over(message: Message) -> None:
    handshake = Handshake(OF10, Sent(OF10))
    assert handshake.receive(message) is None
    features = FeaturesReply(5, xid=FEATURES)
    assert handshake.receive(features) == (features, ())
