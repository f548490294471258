"""The hub, as a story."""

from __future__ import annotations

import pytest

from controller.apps.hub import Hub
from controller.testing import recording
from protocol import ApplyActions, FlowMod, Match, Message, Output, Port, Version


@pytest.mark.parametrize("version", Version)
async def test_a_switch_is_told_once_to_flood_all_by_itself(version: Version) -> None:
    datapath, sent = recording(version)
    await Hub().switch_ready(datapath)
    (message,) = sent
    flood = FlowMod(Match(), (ApplyActions((Output(Port.FLOOD),)),), priority=0)
    assert Message.decode(message.encode(version)) == flood
