"""What a service must be told to go through our proxy and to trust our authority: a bundle of certificates, and variables."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from wiretape.ca import CERTIFICATE, write_private
from wiretape.config import Address
from wiretape.errors import StoreError

BUNDLE: Final = "bundle.pem"
# OpenSSL's own places, of Debian, Fedora and macOS.
_SYSTEM = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
# Who reads what: OpenSSL (Python, Ruby, PHP), Go; requests; curl; AWS's and Google's libraries; gRPC.
_BUNDLED = (
    "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"
)  # fmt: skip


def system_roots(environ: Mapping[str, str]) -> Path | None:
    """The file with the certificates this machine trusts; None where there is none."""
    told = (environ.get("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile, *_SYSTEM)
    return next((Path(each) for each in told if each and Path(each).is_file()), None)


def bundle(authority: Path, environ: Mapping[str, str]) -> Path:
    """A file with what this machine trusts and our own certificate, in the CA's folder `authority`. Raises StoreError."""
    roots = system_roots(environ)
    try:
        known = roots.read_bytes() if roots else b""
        own = (authority / CERTIFICATE).read_bytes()
        made = authority / BUNDLE
        if own not in known:
            known = known.rstrip(b"\n") + b"\n" + own if known else own
        write_private(made, known)
    except OSError as error:
        raise StoreError(f"cannot write the bundle of certificates to {authority}: {error.strerror or error}") from None
    return made


def trusting(authority: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Variables by which the usual clients trust our authority besides whom they trust anyway."""
    made = str(bundle(authority, environ))
    return {**dict.fromkeys(_BUNDLED, made), "NODE_EXTRA_CA_CERTS": str(authority / CERTIFICATE)}


def proxied(proxy: Address, own: Iterable[Address], environ: Mapping[str, str]) -> dict[str, str]:
    """Variables by which the usual clients go through `proxy`, but for what goes to our `own` listeners."""
    url = f"http://{proxy}"
    direct = ",".join(
        [*filter(None, [environ.get("NO_PROXY") or environ.get("no_proxy")]), *(str(each) for each in own if not each.path)]
    )
    return {
        name: value
        for lower, value in (("http_proxy", url), ("https_proxy", url), ("no_proxy", direct))
        for name in (lower, lower.upper())
    } | {"NODE_USE_ENV_PROXY": "1"}
