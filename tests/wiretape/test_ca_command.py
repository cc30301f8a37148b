"""`wiretape ca`: what it shows, hands out and changes, and what it says where it may not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from wiretape import truststore
from wiretape.ca import ensure_ca
from wiretape.cacli import ca
from wiretape.errors import TargetError
from wiretape.truststore import Store

PRINT = "ab" * 32


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*words: str) -> str:
    done = CliRunner().invoke(ca, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_show(project: Path) -> None:
    lines = said("show").splitlines()
    assert lines[0].split() == ["certificate", str(project / ".wiretape/ca/mitmproxy-ca-cert.pem")]
    assert lines[1].endswith("(mode 600)")
    assert "does not trust it" in lines[4]


def test_export_never_holds_the_key(project: Path) -> None:
    pem = said("export")
    assert pem.count("BEGIN") == 1
    own = x509.load_pem_x509_certificate(pem.encode())
    bundle = said("export", "--format", "bundle")
    assert pem in bundle
    assert bundle.count("BEGIN CERTIFICATE") > 1
    out = project / "trust.p12"
    assert said("export", "--format", "p12", "--out", str(out)) == f"written to {out}\n"
    opened = pkcs12.load_pkcs12(out.read_bytes(), b"changeit")
    assert (opened.key, [each.certificate for each in opened.additional_certs]) == (None, [own])
    assert "PRIVATE" not in pem + bundle


def test_export_that_cannot_be_text(project: Path) -> None:
    done = CliRunner().invoke(ca, ["export", "--format", "p12"])
    assert done.exit_code == 2
    assert "say where to write it with --out FILE" in done.output


def test_install_and_uninstall(tmp_path: Path) -> None:
    ran: list[Sequence[str]] = []
    there = Store(system="Test", folder=tmp_path / "anchors", update=("update-it",))
    certificate = ensure_ca(tmp_path) / "mitmproxy-ca-cert.pem"
    line = truststore.install(certificate, PRINT, there, ran.append)
    placed = tmp_path / "anchors" / "wiretape-abababababab.crt"
    assert line == f"put into {placed}, and update-it was run"
    assert placed.read_bytes() == certificate.read_bytes()
    assert truststore.uninstall(PRINT, there, ran.append) == f"taken out of {placed.parent}, and update-it was run"
    assert not placed.exists()
    assert truststore.uninstall(PRINT, there, ran.append) == f"was not installed: there is no {placed}"
    assert ran == [("update-it",), ("update-it",)]


def test_missing_rights_and_unknown_systems(tmp_path: Path) -> None:
    certificate = ensure_ca(tmp_path) / "mitmproxy-ca-cert.pem"
    (tmp_path / "file").write_text("")
    store = Store(system="Test", folder=tmp_path / "file" / "anchors", update=("update-it",))
    with pytest.raises(TargetError, match=r"cannot change .*; run the command as root \(sudo\)"):
        truststore.install(certificate, PRINT, store, lambda _: None)
    with pytest.raises(TargetError, match="this system's trust store is not known"):
        truststore.install(certificate, PRINT, None, lambda _: None)
    assert truststore.store([store]) is None


def test_a_command_of_the_system_that_fails() -> None:
    with pytest.raises(TargetError, match="sh -c echo no; exit 3 failed: no"):
        truststore.run(["sh", "-c", "echo no; exit 3"])
    with pytest.raises(TargetError, match="cannot run no-such-command"):
        truststore.run(["no-such-command"])
