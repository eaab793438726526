"""Vendored JavaScript is what npm's registry has, and imports nothing by a bare name.

The registry is not ours: npm is a program of the test, which packs files as the real one does.
"""

import base64
import hashlib
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from scripts import vendor
from scripts.vendor import Package

_NPM = """#!/bin/sh
test "$1 $2 $3" = "pack --json thing@1.2.3" || exit 1
cp {archive} thing-1.2.3.tgz
echo '[{{"filename": "thing-1.2.3.tgz"}}]'
"""


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    static = tmp_path / "static"
    (static / "vendor").mkdir(parents=True)
    monkeypatch.setattr(vendor, "STATIC", static)
    monkeypatch.setattr(vendor, "LIST", static / "vendor" / "VENDORED.json")
    monkeypatch.setattr(vendor, "LICENSES", static / "vendor" / "LICENSES")
    return static


def _published(folder: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> Package:
    """A package with one module, which npm packs."""
    source = folder / "package"
    source.mkdir()
    (source / "thing.mjs").write_text(module)
    (source / "LICENSE").write_text("May be used.")
    (source / "package.json").write_text('{"license": "MIT"}')
    archive = folder / "published.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(source, "package")
    npm = folder / "npm"
    npm.write_text(_NPM.format(archive=archive))
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode("ascii")
    return Package("thing", "1.2.3", f"sha512-{digest}", {"thing.mjs": "vendor/thing.js"})


def test_bare_import_becomes_a_path_and_the_file_is_listed(
    tmp_path: Path, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = _published(tmp_path, monkeypatch, 'import{h as n}from"preact";export{n};')
    monkeypatch.setattr(vendor, "PACKAGES", (package,))
    vendor.main()
    written = (static / "vendor" / "thing.js").read_bytes()
    assert written == b'import{h as n}from"./preact.js";export{n};'
    (listed,) = json.loads(vendor.LIST.read_text())
    assert listed == {
        "name": "thing",
        "version": "1.2.3",
        "licence": "MIT",
        "file": "vendor/thing.js",
        "sha256": hashlib.sha256(written).hexdigest(),
    }
    assert "May be used." in vendor.LICENSES.read_text()


def test_another_bare_import_is_refused(
    tmp_path: Path, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = _published(tmp_path, monkeypatch, 'import*as n from"elsewhere";')
    monkeypatch.setattr(vendor, "PACKAGES", (package,))
    with pytest.raises(SystemExit, match="elsewhere"):
        vendor.main()
    assert not (static / "vendor" / "thing.js").exists()


def test_package_with_another_checksum_is_refused(
    tmp_path: Path, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = _published(tmp_path, monkeypatch, "export {};")
    monkeypatch.setattr(vendor, "PACKAGES", (replace(package, integrity="sha512-other"),))
    with pytest.raises(SystemExit, match="SHA-512"):
        vendor.main()
    assert not (static / "vendor" / "thing.js").exists()
