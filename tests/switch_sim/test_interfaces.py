"""Which interfaces can be had; what those do that can be had is shown in tests/interop."""

from __future__ import annotations

import socket

import pytest

from switch_sim.interfaces import open_interface


def test_other_systems_than_linux_are_told_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(socket, "AF_PACKET", raising=False)
    with pytest.raises(ValueError, match="ports on real interfaces need Linux"):
        open_interface("eth1")


@pytest.mark.parametrize("name", ["", "tap:", "sixteen_letters_", "a b", "a/b", "a\0b"])
def test_a_name_that_no_interface_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="names have 1 to 15 characters"):
        open_interface(name)
