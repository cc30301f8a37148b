"""The certificate authority of one installation: what the recorder and the mocks show to clients that want TLS.

The folder has the layout of mitmproxy's `confdir`, so that a client that trusts the CA while recording trusts the mocks, too.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wiretape.errors import ConfigError
from wiretape.secrets import ensure_home

KEY_AND_CERTIFICATE = "mitmproxy-ca.pem"
CERTIFICATE = "mitmproxy-ca-cert.pem"
_AGE = dt.timedelta(days=3650)
# Clients refuse server certificates that live longer.
_LEAF_AGE = dt.timedelta(days=365)
_BEFORE = dt.timedelta(days=2)  # for clocks that differ

type Span = tuple[float, float]  # two moments, in seconds since the epoch


def ensure_ca(home: Path) -> Path:
    """The folder of the CA below `home`, made at first use. The private key is readable by its owner only."""
    folder = ensure_home(home) / "ca"
    folder.mkdir(exist_ok=True, mode=0o700)
    if not (folder / KEY_AND_CERTIFICATE).exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate = _authority(key)
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        write_private(folder / KEY_AND_CERTIFICATE, _key_pem(key) + pem)
        (folder / CERTIFICATE).write_bytes(pem)
    return folder


def covering(ca: Path, span: Span | None) -> Path:
    """The folder `ca`, whose certificate is valid in all of `span`. Raises ConfigError where it is not."""
    if span is not None:
        authority = x509.load_pem_x509_certificate((ca / CERTIFICATE).read_bytes())
        if not authority.not_valid_before_utc.timestamp() <= span[0] <= span[1] <= authority.not_valid_after_utc.timestamp():
            raise ConfigError(
                f"the authority in {ca} is valid from {authority.not_valid_before_utc:%Y-%m-%d}, and the time is to be frozen "
                f"at {dt.datetime.fromtimestamp(span[0], dt.UTC):%Y-%m-%d}; delete the folder, and it is made anew"
            )
    return ca


def leaf(ca: Path, names: Sequence[str], span: Span | None = None) -> Path:
    """A PEM file with key and chain for a server of these host names and addresses, signed by the CA in folder `ca`. It is
    valid now, or in `span`, where that is given."""
    pem = (ca / KEY_AND_CERTIFICATE).read_bytes()
    issuer = x509.load_pem_x509_certificate(pem)
    signer = serialization.load_pem_private_key(pem, password=None)
    assert isinstance(signer, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    certificate = (
        _builder(names[0], *_validity(_LEAF_AGE, span))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .add_extension(alternatives, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)  # type: ignore[arg-type]
        .sign(signer, hashes.SHA256())
    )
    file = ca / "mocks.pem"
    chain = [each.public_bytes(serialization.Encoding.PEM) for each in (certificate, issuer)]
    write_private(file, _key_pem(key) + b"".join(chain))
    return file


def _authority(key: rsa.RSAPrivateKey) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    # It vouches for servers in a service whose time is frozen, too, so it has to be older than any recording.
    builder = _builder("wiretape", now - 2 * _AGE, now + 2 * _AGE)
    usage = {
        "digital_signature": False,
        "content_commitment": False,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "encipher_only": False,
        "decipher_only": False,
    }
    return (
        builder.issuer_name(_name("wiretape"))
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _validity(age: dt.timedelta, span: Span | None) -> tuple[dt.datetime, dt.datetime]:
    """From when until when a certificate is valid: `age` from now or from the start of `span`, and all of it."""
    now = dt.datetime.now(dt.UTC)
    first, last = (dt.datetime.fromtimestamp(at, dt.UTC) for at in span) if span else (now, now)
    return first - _BEFORE, max(first + age, last + _BEFORE)


def _builder(common_name: str, first: dt.datetime, last: dt.datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def write_private(file: Path, data: bytes) -> None:
    """Atomic, and never readable by others, not even for a moment."""
    fresh = file.with_suffix(f".{os.getpid()}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)
    fresh.replace(file)
