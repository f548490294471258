"""`pointsman tls init`: a CA, and certificates for a controller and its switches."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

DAYS = 3650  #: that certificates are valid, unless told otherwise: a laboratory outlives a year
_CLOCKS_DIFFER = datetime.timedelta(days=1)
_NAMES = ("controller", "switch")


class CannotMake(Exception):
    """Certificates cannot be made; the text is a sentence with the cure."""


def make(directory: Path, days: int = DAYS) -> list[Path]:
    """Write a CA, and a key and a certificate for each side; return the files.

    Keys can be read by their owner only. CannotMake where one of the files is there already,
    or where the library for it is missing.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        cure = "pip install 'pointsman[tls]', or make the files with openssl or ovs-pki"
        raise CannotMake(f"the library cryptography is not installed: {cure}") from error
    files = [directory / f"{name}.{end}" for name in ("ca", *_NAMES) for end in ("key", "pem")]
    for path in files:
        if path.exists():
            raise CannotMake(f"{path} is there already: name another directory, or remove it")
    directory.mkdir(parents=True, exist_ok=True)
    authority = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("Pointsman CA", authority, None, authority, days)
    _write(directory, "ca", authority, ca)
    for name in _NAMES:
        key = ec.generate_private_key(ec.SECP256R1())
        _write(directory, name, key, _certificate(f"Pointsman {name}", key, ca, authority, days))
    return files


def _certificate(
    name: str,
    key: EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    authority: EllipticCurvePrivateKey,
    days: int,
) -> x509.Certificate:
    """Return a certificate that an authority signed; its own, where there is no issuer."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    by_whom = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(by_whom, critical=False)
        .sign(authority, hashes.SHA256())
    )


def _write(
    directory: Path, name: str, key: EllipticCurvePrivateKey, certificate: x509.Certificate
) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    opened = os.open(directory / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "wb") as file:
        file.write(secret)
    (directory / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))


@click.group(short_help="Make keys and certificates for TLS.")
def tls() -> None:
    """Make keys and certificates for TLS.

    \b
    Example:
      pointsman tls init /etc/pointsman/tls
    """


@tls.command("init", short_help="Make a CA, and certificates for both sides.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default="tls")
@click.option("--days", default=DAYS, show_default=True, help="How long they are valid.")
@click.option("--json", "as_json", is_flag=True, help="One JSON value for programs.")
def init(directory: Path, days: int, as_json: bool) -> None:
    """Make a CA, and certificates for a controller and its switches, in DIRECTORY (tls).

    \b
    Example:
      pointsman tls init /etc/pointsman/tls
    """
    try:
        files = make(directory, days)
    except (CannotMake, OSError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps({"files": [str(path.absolute()) for path in files]}))
        return
    click.echo(_told(directory.absolute(), files))


def _told(directory: Path, files: Sequence[Path]) -> str:
    def names(side: str) -> list[str]:
        return [str(directory / one) for one in (f"{side}.key", f"{side}.pem", "ca.pem")]

    options = ("--private-key", "--certificate", "--ca-cert")
    controller, switch = (
        " \\\n      ".join(
            f"{option} {name}" for option, name in zip(options, names(side), strict=True)
        )
        for side in _NAMES
    )
    return f"""\
Made {len(files)} files in {directory}. Keep ca.key secret: whoever has it can sign more.

The controller:
  pointsman controller --listen pssl:6653:0.0.0.0 \\
      {controller}

Open vSwitch, where the switch's files are:
  ovs-vsctl set-ssl {" ".join(names("switch"))}
  ovs-vsctl set-controller br0 ssl:ADDRESS:6653

Simulated switches:
  pointsman switches --controller ssl:ADDRESS:6653 \\
      {switch}"""
