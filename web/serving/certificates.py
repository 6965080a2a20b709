"""The certificate for HTTPS: the user's own, or one that is made here and kept."""

import datetime as dt
import ipaddress
import os
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config import ROOT, ServerSettings
from errors import ConfigError

FOLDER: Final = ROOT / "var" / "https"
LIFETIME: Final = dt.timedelta(days=397)  # browsers accept no longer one
RENEWAL: Final = dt.timedelta(days=30)


def tls_context(settings: ServerSettings, hosts: Iterable[str], folder: Path = FOLDER) -> ssl.SSLContext:
    """Return what encrypts connections.

    Args:
        settings: Name the certificate and its key, or neither.
        hosts: Names and addresses by which browsers reach this computer, for a certificate that is made here.
        folder: Where that one is kept, so that a browser which was told to trust it need not be told again.

    Raises:
        ConfigError: The certificate cannot be read, does not fit its key, or cannot be made where it would be kept.

    """
    if (settings.certificate is None) != (settings.private_key is None):
        raise ConfigError("server.certificate and server.private_key belong together: set both or neither.")
    certificate = settings.certificate or folder / "certificate.pem"
    key = settings.private_key or folder / "key.pem"
    if settings.certificate is None:
        try:
            _keep_self_signed(certificate, key, set(hosts))
        except OSError as error:
            raise ConfigError(
                f"A certificate cannot be kept in {folder} ({error.strerror}). Make one elsewhere, and set "
                "server.certificate and server.private_key to it."
            ) from error
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(f"server.certificate {certificate} and its key {key} cannot be used: {error}.") from error
    return context


def _keep_self_signed(certificate: Path, key: Path, hosts: set[str]) -> None:
    """Make a certificate and its key where there are none for these hosts, or they expire soon."""
    try:
        if key.exists() and _covers(x509.load_pem_x509_certificate(certificate.read_bytes()), hosts):
            return
    except (OSError, ValueError):
        pass  # not there, or damaged
    private = ec.generate_private_key(ec.SECP256R1())
    folder = certificate.parent
    folder.mkdir(parents=True, exist_ok=True)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key.unlink(missing_ok=True)
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    certificate.write_bytes(_self_signed(private, hosts).public_bytes(serialization.Encoding.PEM))


def _covers(certificate: x509.Certificate, hosts: set[str]) -> bool:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    covered = {str(name.value) for name in names}
    return hosts <= covered and certificate.not_valid_after_utc - dt.datetime.now(dt.UTC) > RENEWAL


def _self_signed(private: ec.EllipticCurvePrivateKey, hosts: set[str]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Facial expressions, made on this computer")])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))  # clocks differ
        .not_valid_after(now + LIFETIME - dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in sorted(hosts)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return builder.sign(private, hashes.SHA256())


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
