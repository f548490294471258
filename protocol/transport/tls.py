"""TLS for channels: the three files that it takes, and its faults in words with the cure."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

NO_CA = "none"  # written for a file: whoever comes is trusted


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files with our key, our certificate and the CA that signs for the peers, all in PEM.

    As Open vSwitch does, we look at who signed a peer's certificate, not at the name in it: a
    controller's certificate seldom names the address that it is dialled at. A `ca_cert` of
    `none` trusts everyone.
    """

    private_key: str
    certificate: str
    ca_cert: str

    def client(self) -> ssl.SSLContext:
        """Return what dialling needs; ValueError, with the cure, where a file is of no use."""
        return self._context(ssl.PROTOCOL_TLS_CLIENT)

    def server(self) -> ssl.SSLContext:
        """Return what listening needs; ValueError, with the cure, where a file is of no use."""
        return self._context(ssl.PROTOCOL_TLS_SERVER)

    def _context(self, side: int) -> ssl.SSLContext:
        context = ssl.SSLContext(side)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._load_own(context)
        if self.ca_cert != NO_CA:
            self._load_ca(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _load_own(self, context: ssl.SSLContext) -> None:
        for option, path in (("private-key", self.private_key), ("certificate", self.certificate)):
            _readable(option, path)
        try:
            context.load_cert_chain(self.certificate, self.private_key, self._no_password)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise ValueError(
                    f"the key in {self.private_key} is not that of the certificate in "
                    f"{self.certificate}: give the two that were made together"
                ) from error
            raise ValueError(
                f"{self.private_key} and {self.certificate} are not a private key and a "
                f"certificate in PEM: give files that begin with -----BEGIN"
            ) from error

    def _no_password(self) -> str:
        raise ValueError(
            f"the key in {self.private_key} is encrypted: decrypt it with "
            f"openssl pkey -in {self.private_key} -out plain.pem"
        )

    def _load_ca(self, context: ssl.SSLContext) -> None:
        _readable("ca-cert", self.ca_cert)
        try:
            context.load_verify_locations(self.ca_cert)
        except ssl.SSLError as error:
            raise ValueError(
                f"{self.ca_cert} holds no certificate in PEM: give that of the CA that signed "
                f"the peer's, or --ca-cert {NO_CA} to trust everyone"
            ) from error


def _readable(option: str, path: str) -> None:
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise ValueError(f"--{option} {path}: {error.strerror}") from error


def tls_files(
    private_key: str | None, certificate: str | None, ca_cert: str | None
) -> TlsFiles | None:
    """Return what the three options of a command name, None where none is given.

    ValueError, with the cure, where one is missing.
    """
    files = {"--private-key": private_key, "--certificate": certificate, "--ca-cert": ca_cert}
    missing = [option for option, path in files.items() if not path]
    if private_key and certificate and ca_cert:
        return TlsFiles(private_key, certificate, ca_cert)
    if len(missing) == len(files):
        return None
    cure = f"; --ca-cert {NO_CA} trusts everyone" if not ca_cert else ""
    raise ValueError(f"TLS needs {' and '.join(missing)} as well{cure}")


_NO_TLS = "the peer speaks no TLS: use tcp: to dial it, ptcp: to listen for it"
_DISTRUST = "the peer does not trust our certificate: give one as --certificate that its CA signed"
_SENTENCES = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "RECORD_LAYER_FAILURE": _NO_TLS,
    "HTTP_REQUEST": _NO_TLS,
    "TLSV1_ALERT_UNKNOWN_CA": _DISTRUST,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _DISTRUST,
    "SSLV3_ALERT_BAD_CERTIFICATE": _DISTRUST,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": _DISTRUST,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the peer says that our certificate expired: renew it",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": (
        "the peer showed no certificate: give it one, or trust everyone with --ca-cert none"
    ),
    "UNSUPPORTED_PROTOCOL": "no version of TLS in common: the peer's is too old",
    "TLSV1_ALERT_PROTOCOL_VERSION": "no version of TLS in common: ours is not what the peer takes",
}


def tls_fault(error: ssl.SSLError) -> str:
    """Return what went wrong between two sides that speak TLS, or only one does."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the peer's certificate is not trusted ({error.verify_message}): give the "
            f"certificate of the CA that signed it as --ca-cert"
        )
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "the peer closed the connection in the middle of TLS: does it speak TLS at all?"
    return _SENTENCES.get(error.reason or "", f"TLS failed: {error.reason or error}")
