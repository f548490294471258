"""`pointsman tls init`: files that TLS takes, and nothing overwritten."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from controller.certificates import init
from protocol.transport.tls import TlsFiles

pytest.importorskip("cryptography", reason="cryptography, which makes certificates")


def test_the_files_are_of_use_and_keys_are_their_owners_only(tmp_path: Path) -> None:
    result = CliRunner().invoke(init, [str(tmp_path / "tls")])
    assert result.exit_code == 0, result.output
    for side in ("controller", "switch"):
        key, certificate = (str(tmp_path / "tls" / f"{side}.{end}") for end in ("key", "pem"))
        files = TlsFiles(key, certificate, str(tmp_path / "tls" / "ca.pem"))
        assert files.server()
        assert files.client()
        assert stat.S_IMODE(Path(key).stat().st_mode) == 0o600


def test_the_lines_for_all_sides_are_printed(tmp_path: Path) -> None:
    output = CliRunner().invoke(init, [str(tmp_path / "tls")]).output
    assert f"ovs-vsctl set-ssl {tmp_path}/tls/switch.key" in output
    assert "pointsman controller --listen pssl:6653" in output
    assert "pointsman switches --controller ssl:" in output


def test_what_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "ca.key").write_text("secret")
    result = CliRunner().invoke(init, [str(tmp_path)])
    assert result.exit_code == 1
    assert "is there already: name another directory" in result.output
    assert (tmp_path / "ca.key").read_text() == "secret"
