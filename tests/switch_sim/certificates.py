"""Keys and certificates for tests of TLS, made by openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from protocol.transport.tls import TlsFiles

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """A CA that signs for those who ask."""

    def __init__(self, directory: Path, name: str) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        self._directory, self._name = directory, name
        self.certificate = str(directory / f"{name}.pem")
        self._key = str(directory / f"{name}.key")
        subject = ("-subj", f"/CN={name}", "-days", "2")
        _openssl("req", "-x509", *_KEY, *subject, "-keyout", self._key, "-out", self.certificate)

    def sign(self, name: str) -> TlsFiles:
        """Return a key, a certificate of this CA for it, and this CA as the one to trust."""
        key, request, certificate = (
            str(self._directory / f"{self._name}-{name}.{ending}")
            for ending in ("key", "request", "pem")
        )
        _openssl("req", *_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        ours = ("-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial", "-days", "2")
        _openssl("x509", "-req", "-in", request, *ours, "-out", certificate)
        return TlsFiles(key, certificate, self.certificate)


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)
