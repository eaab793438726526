"""A certificate or key that the server could not use is refused before anything is loaded."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.cli.remedies import TERMINAL
from app.cli.serve.tls_files import TlsFiles, require_tls_files
from app.errors import SettingUnusable
from app.settings import Settings, TlsSettings
from tests.kit.certificates import write_certificate
from tests.kit.forked_vultus import run_vultus

Files = Callable[[Path], TlsFiles]


def _another_key(folder: Path) -> TlsFiles:
    return TlsFiles(write_certificate(folder)[0], write_certificate(folder / "other")[1])


def _locked_key(folder: Path) -> TlsFiles:
    return TlsFiles(*write_certificate(folder, password=b"secret"))


def _text(folder: Path) -> TlsFiles:
    (folder / "text").write_text("no certificate")
    return TlsFiles(folder / "text", write_certificate(folder)[1])


def _damaged_key(folder: Path) -> TlsFiles:
    certificate, key = write_certificate(folder)
    key.write_bytes(key.read_bytes()[:80])
    return TlsFiles(certificate, key)


@pytest.mark.parametrize(
    ("make", "fact", "setting"),
    [
        (lambda folder: TlsFiles(folder / "none"), "there is no certificate", "CERT"),
        (TlsFiles, "cannot read the certificate", "CERT"),
        (
            lambda folder: TlsFiles(write_certificate(folder)[0], folder / "none"),
            "there is no key",
            "KEY",
        ),
        (lambda folder: TlsFiles(None, folder / "key"), "without a certificate", "CERT"),
        (lambda folder: TlsFiles(write_certificate(folder)[0]), "no private key in PEM", "KEY"),
        (_text, "no certificate in PEM", "CERT"),
        (_another_key, "does not belong to the certificate", "KEY"),
        (_locked_key, "needs a password", "KEY"),
        (_damaged_key, "OpenSSL cannot use the key", "KEY"),
        (
            lambda folder: TlsFiles(*write_certificate(folder), client_ca=folder / "none"),
            "there is no file of authorities",
            "CLIENT_CA",
        ),
        (
            lambda folder: TlsFiles(*write_certificate(folder), client_ca=folder / "key.pem"),
            "no certificate in PEM",
            "CLIENT_CA",
        ),
        (lambda folder: TlsFiles(client_ca=folder), "has no certificate itself", "CERT"),
    ],
)
def test_unusable_files_are_refused(tmp_path: Path, make: Files, fact: str, setting: str) -> None:
    with pytest.raises(SettingUnusable, match=fact) as refused:
        require_tls_files(make(tmp_path))
    assert TERMINAL.detail(refused.value).endswith(f"check VULTUS_TLS__{setting}")


def test_files_are_used_apart_or_as_one(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    with capture_logs() as logs:
        require_tls_files(TlsFiles(certificate, key))
        require_tls_files(TlsFiles(both))
        require_tls_files(TlsFiles())
    assert logs == []


def test_certificate_that_has_expired_is_warned_of(tmp_path: Path) -> None:
    with capture_logs() as logs:
        require_tls_files(TlsFiles(*write_certificate(tmp_path, valid_days=-1)))
    assert [line["event"] for line in logs] == ["certificate_not_valid"]


def test_options_stand_before_the_settings() -> None:
    settings = TlsSettings(cert=Path("cert"), key=Path("key"))
    assert TlsFiles(None, Path("own")).or_else(settings) == TlsFiles(Path("cert"), Path("own"))
    assert TlsFiles().or_else(Settings().tls) == TlsFiles()


def test_refusal_is_one_line(tmp_path: Path) -> None:
    certificate, _ = write_certificate(tmp_path)
    done = run_vultus(
        *("serve", "--tls-cert", certificate, "--tls-key", tmp_path / "none"),
        env={"PATH": os.environ["PATH"], "VULTUS_DATA_DIR": str(tmp_path / "data")},
        cwd=tmp_path,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line == f"startup_failed: there is no key {tmp_path / 'none'}; check VULTUS_TLS__KEY"
