"""`vultus audit`, on a real database."""

import json
import os
import stat
from contextlib import closing
from getpass import getuser
from pathlib import Path

import pytest
from sqlalchemy import text

from app.errors import StartupError
from app.gallery.store.database import Database
from app.settings import Settings
from tests.kit.commands import json_of_command, run_command


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with an empty default collection, as `collections delete` leaves it."""
    monkeypatch.setenv("VULTUS_DATA_DIR", str(tmp_path / "data"))
    run_command("collections", "create", "staff")
    run_command("collections", "delete", "staff", "--yes")
    return tmp_path / "data"


def test_the_log_is_listed_verified_exported_and_shows_tampering(
    data_folder: Path, tmp_path: Path
) -> None:
    lines = json_of_command("audit", "list", "--collection", "staff")["lines"]
    assert [line["action"] for line in lines] == ["collection.erased", "collection.created"]
    assert {line["principal"] for line in lines} == {f"cli:{getuser()}"}
    assert "collection.erased" in run_command("audit", "list").stdout
    key = data_folder / "audit.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600

    whole = run_command("audit", "verify")
    assert whole.exit_code == 0
    assert "3 lines in 2 chains: whole" in whole.stdout
    export = tmp_path / "audit.jsonl"
    assert "4 lines" in run_command("audit", "export", str(export)).stdout
    exported = [json.loads(line) for line in export.read_text().splitlines()]
    assert exported[0]["action"] == "audit.signed"
    assert exported[1] | {"at": ""} == lines[0] | {"at": ""}
    assert run_command("audit", "export", "-").stdout == export.read_text()
    assert run_command("audit", "verify", "--against", str(export)).exit_code == 0
    assert "4 lines in 3 chains: whole, 1 not signed" in run_command("audit", "verify").stdout

    url = Settings().resolved_database_url
    with closing(Database(url, timeout_s=10)) as database, database.writing() as session:
        session.execute(text("UPDATE audit_lines SET principal = 'none' WHERE chain = 2"))
        session.execute(text("DELETE FROM audit_lines WHERE chain = 1"))
    verdict = run_command("audit", "verify", "--against", str(export))
    assert verdict.exit_code == 3
    assert "missing: 1-1" in verdict.stdout
    assert "altered: 2-2" in verdict.stdout
    assert "exported before, and not there as it was: 1-1" in verdict.stdout
    assert json_of_command("audit", "verify")["whole"] is False


def test_an_export_is_verified_by_the_public_key_where_there_is_no_database(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export, pem, siem = tmp_path / "audit.jsonl", tmp_path / "key.pem", tmp_path / "siem.jsonl"
    run_command("collections", "create", "visitors")
    assert json_of_command("audit", "sign") == {"lines": 4}
    run_command("audit", "export", str(siem))
    run_command("audit", "export", str(export))
    pem.write_text(run_command("audit", "key").stdout)
    assert pem.read_text().startswith("-----BEGIN PUBLIC KEY-----")
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("VULTUS_DATA_DIR", str(elsewhere))
    check = ("audit", "verify", str(export), "--public-key", str(pem), "--against", str(siem))
    whole = run_command(*check)
    assert whole.exit_code == 0, whole.output
    assert "5 lines in 4 chains: whole, 1 not signed yet" in whole.stdout
    assert not elsewhere.exists()
    signing = json.loads(export.read_text().splitlines()[0])
    lasts = {one["chain"]: one for one in json_of_command(*check)["signed"]}
    assert lasts[2]["at"] == signing["details"]["signed_at"]
    assert f"chain 2: signed up to 2-2 at {lasts[2]['at']}" in whole.stdout
    kept = [one for one in export.read_text().splitlines() if json.loads(one)["chain"] != 2]
    export.write_text("\n".join(kept))
    cut = run_command(*check)
    assert cut.exit_code == 3
    assert "missing: 2-1" in cut.stdout
    assert "exported before, and not there as it was: 2-1" in cut.stdout
    assert data_folder.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_key_that_cannot_be_read_stops_the_command(data_folder: Path) -> None:
    (data_folder / "audit.key").chmod(0)
    with pytest.raises(StartupError, match="run as the user of the service"):
        run_command("audit", "verify")


def test_a_key_that_is_none_stops_the_command(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VULTUS_AUDIT__KEY", "c2hvcnQ=")
    with pytest.raises(StartupError, match="32 bytes in base64"):
        run_command("audit", "verify")
    (data_folder / "audit.key").unlink()
    monkeypatch.setenv("VULTUS_AUDIT__KEY", "")
    assert run_command("audit", "verify").exit_code == 3  # a new key, which has chained no line


def test_without_the_log_there_are_no_lines_and_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VULTUS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("VULTUS_AUDIT__ENABLED", "false")
    run_command("collections", "create", "staff")
    assert not (tmp_path / "data" / "audit.key").exists()
    assert json_of_command("audit", "list")["lines"] == []
