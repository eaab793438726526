"""`export` and `import` as they are run."""

import json
import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from app.cli.main import cli, main
from app.errors import ArchivedCalibrationUnusable, ArchiveSealed, InvalidRequest
from app.gallery.records import NewIdentity
from app.gallery.search.collection_calibrations import CalibrationStore
from app.gallery.store.database import Database
from app.gallery.store.tables import CalibrationTable, CollectionTable, FaceTable
from app.gallery.transfer.exporter import export_gallery
from models.zoo.names import DEFAULT_NETWORK
from models.zoo.registry import find_spec
from tests.cli.halting_import import HALTS_IN, PEOPLE_AT_ONCE, import_and_halt
from tests.gallery.factories import COLLECTION, MODEL, all_identities, count_rows
from tests.gallery.transfer.galleries import assert_whole_people_of, fill, open_gallery, rows
from tests.kit.forks import FORKS

RUN = CliRunner()
MASTER_TEXT = b64encode(b"m" * 32).decode("ascii")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    # Neither command loads a network: there is none to load.
    monkeypatch.setenv("VULTUS_WEIGHTS_PATH", "/nowhere")
    monkeypatch.setenv("VULTUS_EMBEDDER", "nothing")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The gallery of the machine that the commands run on."""
    folder = tmp_path / "here"
    monkeypatch.setenv("VULTUS_DATA_DIR", str(folder))
    with closing(_database(f"sqlite:///{folder / 'vultus.db'}")) as database:
        database.upgrade()
        fill(database)
        yield database


def test_gallery_moves_to_another_database(
    here: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gallery.zip"
    exported = _json("export", file)
    assert exported == {
        "file": str(file),
        "size": file.stat().st_size,
        "sealed_by": [],
        "collections": [
            {"name": "default", "identities": 6, "faces": 11},
            {"name": "staff", "identities": 6, "faces": 11},
            {"name": "empty", "identities": 0, "faces": 0},
        ],
    }
    monkeypatch.setenv("VULTUS_DATABASE_URL", database_url)
    imported = _json("import", file)
    assert imported["collections"][0] == {
        "name": "default",
        "into": "default",
        "created": True,
        "identities": 6,
        "faces": 11,
        "known_before": 0,
        "expired": 0,
        "calibration": "none",
        "skipped": [],
    }
    again = _json("import", file)
    assert [one["known_before"] for one in again["collections"]] == [6, 6, 0]
    with closing(_database(database_url)) as there:
        assert rows(there) == rows(here, calibrations=False)


def test_sealed_archive_moves_by_its_passphrase(here: Database, tmp_path: Path) -> None:
    file, passphrase = tmp_path / "gallery.sealed", tmp_path / "passphrase"
    passphrase.write_text("correct horse battery\n", encoding="utf-8")
    exported = _json("export", file, "--passphrase-file", passphrase)
    assert exported["sealed_by"] == ["passphrase"]
    with _elsewhere(tmp_path) as there:
        refused = RUN.invoke(cli, ["import", str(file)])
        assert refused.exit_code != 0
        with pytest.raises(ArchiveSealed, match="sealed by a passphrase, and none is given"):
            RUN.invoke(cli, ["import", str(file)], catch_exceptions=False)
        _json("import", file, "--passphrase-file", passphrase)
        assert rows(there) == rows(here, calibrations=False)


def test_archive_of_an_encrypted_gallery_is_sealed_by_its_master_key(
    here: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VULTUS_MASTER_KEY", MASTER_TEXT)
    by_master, clear = tmp_path / "by-master", tmp_path / "clear"
    assert _json("export", by_master)["sealed_by"] == ["master"]
    assert _json("export", clear, "--clear")["sealed_by"] == []
    assert b"identities.jsonl" in clear.read_bytes()
    with _elsewhere(tmp_path) as there:
        _json("import", by_master)
        with there.reading() as session:
            assert session.scalar(select(func.count()).select_from(FaceTable)) == 22
        monkeypatch.delenv("VULTUS_MASTER_KEY")
    with pytest.raises(ArchiveSealed, match="the master key of the gallery that wrote it"):
        RUN.invoke(cli, ["import", str(by_master)], catch_exceptions=False)
    assert count_rows(here)["faces"] == 22


def test_key_that_seals_must_be_long_enough(here: Database, tmp_path: Path) -> None:  # noqa: ARG001
    short = tmp_path / "short"
    short.write_text("too short\n", encoding="utf-8")
    for option, fact in (
        ("--passphrase-file", "the passphrase has 9 characters"),
        ("--key-file", "must hold 32 bytes in base64"),
    ):
        with pytest.raises(InvalidRequest, match=fact):
            RUN.invoke(
                cli, ["export", str(tmp_path / "a"), option, str(short)], catch_exceptions=False
            )
    assert not (tmp_path / "a").exists()


def test_passphrase_is_asked_for_on_a_terminal_only(here: Database, tmp_path: Path) -> None:  # noqa: ARG001
    with pytest.raises(InvalidRequest, match="no terminal"):
        RUN.invoke(cli, ["export", str(tmp_path / "a"), "--seal"], catch_exceptions=False)


def test_clear_and_sealed_contradict_each_other(here: Database, tmp_path: Path) -> None:  # noqa: ARG001
    command = ["export", str(tmp_path / "a"), "--seal", "--clear"]
    with pytest.raises(InvalidRequest, match="--clear seals nothing"):
        RUN.invoke(cli, command, catch_exceptions=False)


def test_one_collection_into_another(here: Database, tmp_path: Path) -> None:
    file = tmp_path / "staff.zip"
    _json("export", file, "--collection", "staff", "--collection", "empty")
    with _elsewhere(tmp_path) as there:
        _json("import", file, "--collection", "staff", "--into", "branch")
        assert {row[0] for row in rows(there)["collections"]} == {"branch"}
        assert len(rows(there)["identities"]) == 6
    assert len(rows(here)["identities"]) == 12


def test_people_who_are_skipped_are_listed(here: Database, tmp_path: Path) -> None:
    file = tmp_path / "gallery.zip"
    _json("export", file, "--collection", COLLECTION)
    with _elsewhere(tmp_path) as there:
        there.upgrade()
        open_gallery(there).people.enroll(COLLECTION, NewIdentity(external_id="0emp-1"), [])
        result = RUN.invoke(cli, ["import", str(file), "--json"])
        assert result.exit_code == 3
        (imported,) = json.loads(result.stdout)["collections"]
        (skipped,) = imported["skipped"]
        wanted = next(one for one in all_identities(open_gallery(here)) if one.name == "Ada")
        assert (skipped["id"], skipped["external_id"], skipped["reason"]) == (
            wanted.id,
            "0emp-1",
            "external_id_taken",
        )
        told = RUN.invoke(cli, ["import", str(file)])
        assert told.exit_code == 3
        assert f"not imported: {wanted.id}: external_id_taken (" in told.stdout


@pytest.mark.usefixtures("here")
def test_summaries_are_for_people(tmp_path: Path) -> None:
    file = tmp_path / "gallery.zip"
    exported = RUN.invoke(cli, ["export", str(file)])
    assert exported.exit_code == 0
    assert "staff" in exported.stdout
    assert "exporting" in exported.stderr
    with _elsewhere(tmp_path):
        imported = RUN.invoke(cli, ["import", str(file)])
    assert imported.exit_code == 0
    assert "people added" in imported.stdout
    assert "verifying" in imported.stderr
    assert "start the service with VULTUS_EMBEDDER=test-net" in imported.stderr


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("arguments", "code", "remedy"),
    [
        (["export", "OUT", "--collection", "nowhere"], "collection_not_found", "nowhere"),
        (["export", "/nowhere/gallery.zip"], "archive_unusable", "another place"),
        (["import", "PHOTO"], "archive_unusable", "vultus export"),
        (["import", "ARCHIVE", "--collection", "nowhere"], "collection_not_found", "staff"),
        (["import", "ARCHIVE", "--into", "branch"], "invalid_request", "--collection"),
    ],
)
def test_what_goes_wrong_is_one_line_with_a_remedy(
    arguments: list[str],
    code: str,
    remedy: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"a photo")
    assert RUN.invoke(cli, ["export", str(tmp_path / "gallery.zip")]).exit_code == 0
    places = {"OUT": "out.zip", "PHOTO": "photo.jpg", "ARCHIVE": "gallery.zip"}
    filled = [str(tmp_path / places[one]) if one in places else one for one in arguments]
    monkeypatch.setattr("sys.argv", ["vultus", *filled])
    umask = os.umask(0o077)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        os.umask(umask)
    assert ended.value.code == 1
    (line,) = [one for one in capsys.readouterr().err.splitlines() if one.startswith(code)]
    assert remedy in line
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.usefixtures("here")
def test_wrong_name_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"a photo")
    result = RUN.invoke(cli, ["import", str(tmp_path / "photo.jpg"), "--into", "../branch"])
    assert result.exit_code == 2
    assert "--into" in result.stderr


def test_a_database_of_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VULTUS_DATA_DIR", str(tmp_path / "old"))
    monkeypatch.setattr("sys.argv", ["vultus", "export", str(tmp_path / "gallery.zip")])
    umask = os.umask(0o077)
    try:
        with pytest.raises(SystemExit):
            main()
    finally:
        os.umask(umask)
    told = capsys.readouterr().err
    assert told.startswith("startup_failed")
    assert "vultus db upgrade" in told


def test_killed_import_is_run_again_and_goes_on(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many, file = tmp_path / "many.db", tmp_path / "many.zip"
    with closing(_database(f"sqlite:///{many}")) as here:
        here.upgrade()
        fill(here, copies=20)
        export_gallery(here, file)
        expected = rows(here, calibrations=False)
    monkeypatch.setenv("VULTUS_DATABASE_URL", database_url)
    word, halted = FORKS.Pipe(duplex=False)
    with closing(_database(database_url)) as there:
        there.upgrade()
        process = FORKS.Process(target=import_and_halt, args=(database_url, file, halted))
        process.start()
        halted.close()  # so that an end of the process is noticed
        assert word.recv() == "halted"
        process.kill()
        process.join()
        left = rows(there, calibrations=False)
        people = (HALTS_IN - 1) * PEOPLE_AT_ONCE
        assert people == len(left["identities"]) < len(expected["identities"])
        assert_whole_people_of(left, expected)
        imported = _json("import", file)
        known = sum(one["known_before"] for one in imported["collections"])
        assert known == len(left["identities"])
        assert rows(there) == expected


def _json(*arguments: str | Path) -> dict[str, Any]:
    result = RUN.invoke(cli, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


@contextmanager
def _elsewhere(tmp_path: Path) -> Iterator[Database]:
    """Another machine, with a database that the commands use meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VULTUS_DATA_DIR", str(tmp_path / "there"))
        with closing(_database(f"sqlite:///{tmp_path / 'there' / 'vultus.db'}")) as database:
            yield database


def _database(url: str) -> Database:
    return Database(url, timeout_s=10)


def test_calibration_of_an_archive_is_left_out_unless_asked_for_and_checked(
    here: Database, tmp_path: Path
) -> None:
    file, forged = tmp_path / "gallery.zip", tmp_path / "forged.zip"
    shipped = find_spec(DEFAULT_NETWORK, tmp_path)
    assert shipped is not None
    assert shipped.calibration is not None
    own = replace(shipped.calibration, digest=MODEL.digest, source="the people of staff")
    CalibrationStore(here).replace("staff", own.to_json())
    _json("export", file)
    low = replace(own, similarities=tuple(value - 0.5 for value in own.similarities))
    CalibrationStore(here).replace("staff", {**low.to_json(), "similarities": [-1.0, -0.9]})
    _json("export", forged)
    with _elsewhere(tmp_path) as there:
        with pytest.raises(ArchivedCalibrationUnusable, match="rows must be equally long"):
            RUN.invoke(cli, ["import", str(forged), "--with-calibration"], catch_exceptions=False)
        with there.reading() as session:
            assert session.scalar(select(func.count()).select_from(CollectionTable)) == 0
        done = RUN.invoke(cli, ["import", str(forged), "--collection", "staff", "--into", "a"])
        assert done.exit_code == 0, done.output
        assert "the archive's calibration was left out" in " ".join(done.output.split())
        assert _calibration(there, "a") is None
    with _elsewhere(tmp_path / "other") as there:
        taken = _json("import", file, "--collection", "staff", "--with-calibration")
        assert taken["collections"][0]["calibration"] == "taken_over"
        found = _calibration(there, "staff")
        assert found is not None
        assert found["source"] == "an archive: the people of staff"


def _calibration(database: Database, collection: str) -> dict[str, Any] | None:
    with database.reading() as session:
        found: dict[str, Any] | None = session.scalar(
            select(CalibrationTable.map)
            .join(CollectionTable, CollectionTable.number == CalibrationTable.collection_number)
            .where(CollectionTable.name == collection)
        )
        return found
