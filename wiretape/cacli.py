"""`wiretape ca`: the authority whose certificates clients are shown: where it is, who trusts it, how others may."""

from __future__ import annotations

import datetime as dt
import os
import stat
from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from wiretape import truststore
from wiretape.ca import CERTIFICATE, KEY_AND_CERTIFICATE, ensure_ca
from wiretape.cli import reporting
from wiretape.config import load_config
from wiretape.errors import ConfigError, StoreError
from wiretape.trust import bundle

_PASSWORD = "changeit"  # noqa: S105 - what Java expects where nothing else is said; there is no secret in it


@click.group()
def ca() -> None:
    """The certificate authority of this project (.wiretape/ca): show it, have the system trust it, hand it to clients.

    Its key never leaves the project's folder, and only its owner can read it.
    """


@ca.command()
def show() -> None:
    """Say where it is, until when it holds, and whether the system trusts it."""
    with reporting():
        folder, certificate = _authority()
        key = folder / KEY_AND_CERTIFICATE
        found = truststore.store()
        trusted = found is not None and truststore.placed(_fingerprint(certificate), found).exists()
        click.echo(f"certificate  {folder / CERTIFICATE}")
        click.echo(f"key          {key} (mode {stat.S_IMODE(key.stat().st_mode):o})")
        click.echo(f"sha-256      {_fingerprint(certificate)}")
        click.echo(f"valid until  {certificate.not_valid_after_utc:%Y-%m-%d}{_expired(certificate)}")
        click.echo(f"system       {'trusts it' if trusted else 'does not trust it; wiretape ca install has it do so'}")
        click.echo("a service that wiretape starts is told of it (SSL_CERT_FILE, NODE_EXTRA_CA_CERTS and their like)")


@ca.command()
def install() -> None:
    """Have this system trust it (Debian, Fedora, macOS). Needs root's rights."""
    with reporting():
        folder, certificate = _authority()
        click.echo(truststore.install(folder / CERTIFICATE, _fingerprint(certificate), truststore.store()))


@ca.command()
def uninstall() -> None:
    """Have this system trust it no longer."""
    with reporting():
        _, certificate = _authority()
        click.echo(truststore.uninstall(_fingerprint(certificate), truststore.store()))


@ca.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it there, not to stdout.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["pem", "bundle", "p12"]),
    default="pem",
    show_default=True,
    help="The certificate; with all the system trusts; or as a trust store for Java (password changeit).",
)
def export(*, out: Path | None, kind: str) -> None:
    """Hand out the certificate, for clients that are told whom to trust. Never the key."""
    with reporting():
        folder, certificate = _authority()
        data = _exported(kind, folder, certificate)
        if out is None and kind == "p12":
            raise ConfigError("a trust store is no text; say where to write it with --out FILE")
        if out is None:
            click.echo(data.decode(), nl=False)
            return
        try:
            out.write_bytes(data)
        except OSError as error:
            raise StoreError(f"cannot write {out}: {error.strerror or error}") from None
        click.echo(f"written to {out}")


def _exported(kind: str, folder: Path, certificate: x509.Certificate) -> bytes:
    if kind == "bundle":
        return bundle(folder, os.environ).read_bytes()
    if kind == "p12":
        entry = pkcs12.PKCS12Certificate(certificate, b"wiretape")
        return pkcs12.serialize_java_truststore([entry], serialization.BestAvailableEncryption(_PASSWORD.encode()))
    return certificate.public_bytes(serialization.Encoding.PEM)


def _authority() -> tuple[Path, x509.Certificate]:
    """The folder, and the certificate in it; made if there is none yet."""
    home = load_config(file=None, environ=os.environ, cwd=Path.cwd()).home
    try:
        folder = ensure_ca(home)
        return folder, x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
    except OSError as error:
        raise StoreError(f"cannot use {home / 'ca'}: {error.strerror or error}") from None
    except ValueError:
        raise StoreError(f"{home / 'ca' / CERTIFICATE} is no certificate; delete the folder to have another made") from None


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def _expired(certificate: x509.Certificate) -> str:
    over = certificate.not_valid_after_utc < dt.datetime.now(dt.UTC)
    return ": it has expired; delete the folder to have another made" if over else ""
