"""What is exported and imported is what it was, on either kind of database."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from app.errors import CollectionNotFound, EmbedderMismatch, InvalidRequest, VultusError
from app.gallery.people.attribute_texts import filterable
from app.gallery.people.consent_records import Consent
from app.gallery.records import CollectionChanges, NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.tables import FaceTable, UnknownFaceTable
from app.gallery.transfer.archive_lines import ConsentLine, PersonLine
from app.gallery.transfer.exporter import export_gallery
from app.gallery.transfer.importer import import_gallery
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.unknowns.unknown_records import InboxLimits, Sighting
from tests.gallery.factories import (
    COLLECTION,
    OTHER_MODEL,
    all_identities,
    count_rows,
    enroll,
    found_ids,
    search_people,
    unit_vector,
    unit_vectors,
)
from tests.gallery.transfer.archives import (
    as_lines,
    lines_of,
    manifest_of,
    members_of,
    put_together,
    with_checksums,
    with_manifest,
)
from tests.gallery.transfer.conftest import NewDatabase
from tests.gallery.transfer.galleries import as_archived, fill, open_gallery, rows


def test_everything_arrives_and_comes_back(
    source: Database, archive: Path, database: Database, new_database: NewDatabase, tmp_path: Path
) -> None:
    done = import_gallery(database, archive, choose_calibration=as_archived)
    assert rows(database) == rows(source)
    assert [(one.into, one.created, one.identities, one.faces) for one in done] == [
        (COLLECTION, True, 6, 11),
        ("staff", True, 6, 11),
        ("empty", True, 0, 0),
    ]
    assert all(one.known_before == 0 and one.skipped == [] for one in done)

    back, again = tmp_path / "back.zip", new_database()
    export_gallery(database, back)
    import_gallery(again, back, choose_calibration=as_archived)
    assert rows(again) == rows(source)


def test_an_archive_holds_every_field_of_a_person() -> None:
    told = {field.name for field in fields(NewIdentity)} - {"consent"} | {"consents"}
    assert told <= PersonLine.model_fields.keys()
    assert {field.name for field in fields(Consent)} == ConsentLine.model_fields.keys()


def test_archive_of_the_first_format_arrives_without_what_came_later(
    source: Database, archive: Path, database: Database
) -> None:
    members = members_of(archive)
    older = {
        name: as_lines([as_before(line) for line in lines_of(data)])
        if name.endswith(".jsonl")
        else data
        for name, data in members.items()
    }
    told = {**manifest_of(members), "format_version": 1}
    for entry in told["collections"]:
        del entry["options"], entry["calibration"]
    put_together(archive, with_checksums(with_manifest(older, told)))
    import_gallery(database, archive, choose_calibration=as_archived)
    assert count_rows(database) == count_rows(source)
    with source.reading() as session:
        assert {row.quality for row in session.query(FaceTable)} == {62.5, None}
    with database.reading() as session:
        assert {row.quality for row in session.query(FaceTable)} == {None}


OF_PHOTOS = "image_width", "image_height", "image_label"


def test_an_archive_holds_what_is_known_of_a_photo(
    source: Database, archive: Path, database: Database
) -> None:
    import_gallery(database, archive, choose_calibration=as_archived)
    with database.reading() as session:
        found = {
            tuple(getattr(row, name) for name in OF_PHOTOS) for row in session.query(FaceTable)
        }
    assert (640, 480, "door/1.jpg") in found
    assert {row[0] for row in rows(source)["faces"]} == {row[0] for row in rows(database)["faces"]}


def as_before(line: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in line.items()
        if key not in {"quality", "forced", "threshold", "consents", "anonymous", *OF_PHOTOS}
    }


def test_everybody_is_found_as_before(source: Database, archive: Path, database: Database) -> None:
    import_gallery(database, archive, choose_calibration=as_archived)
    here, there = open_gallery(source), open_gallery(database)
    for collection in (COLLECTION, "staff"):
        before = all_identities(here, collection=collection)
        after = all_identities(there, collection=collection)
        assert [one.id for one in after] == [one.id for one in before]
        for probe in unit_vectors(5, seed=9):
            (expected,) = search_people(here, collection, [probe], top_k=100)
            (found,) = search_people(there, collection, [probe], top_k=100)
            assert [(one.identity.id, one.face_id, one.similarity) for one in found] == [
                (one.identity.id, one.face_id, one.similarity) for one in expected
            ]
            assert len(found) == 5


def test_attributes_are_found_by(archive: Path, database: Database) -> None:
    import_gallery(database, archive, choose_calibration=as_archived)
    arrived = rows(database)
    expected = {
        (row[0], key, value)
        for row in arrived["identities"]
        for key, value in filterable(row[4]).items()  # type: ignore[arg-type]
    }
    assert {(row[0], row[1], row[3]) for row in arrived["attributes"]} == expected
    assert len(expected) == 2 * (2 + 5)


def test_running_service_notices(archive: Path, database: Database) -> None:
    service = open_gallery(database)
    probe = unit_vector(1)
    assert found_ids(service, probe) == []
    import_gallery(database, archive, choose_calibration=as_archived)
    assert len(found_ids(service, probe)) == 5
    assert len(found_ids(service, probe, collection="staff")) == 5


def test_everything_is_as_of_one_moment(
    database: Database,
    new_database: NewDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.gallery.transfer.transfer_progress._REPORTED_EVERY_ROWS", 1)
    monkeypatch.setattr("app.gallery.transfer.export_source._ROWS_AT_ONCE", 2)
    service = fill(database)
    before = rows(database)
    victim = all_identities(service)[-1]
    enrolled = 0

    def meanwhile(_doing: str, _done: int, _total: int) -> None:
        nonlocal enrolled
        enroll(service, unit_vector(enrolled))
        enrolled += 1
        if enrolled == 2:
            service.people.delete(COLLECTION, victim.id)
            service.collections.delete("empty")

    path, there = tmp_path / "busy.zip", new_database()
    export_gallery(database, path, progress=meanwhile)
    assert enrolled > 20
    assert rows(database) != before
    import_gallery(there, path, choose_calibration=as_archived)
    assert rows(there) == before


def test_chosen_collections_only(source: Database, database: Database, tmp_path: Path) -> None:
    path = tmp_path / "staff.zip"
    done = export_gallery(source, path, names=["staff", "empty", "staff"])
    assert [entry.name for entry in done.collections] == ["staff", "empty"]
    assert done.size == path.stat().st_size
    import_gallery(database, path, names=["staff"], choose_calibration=as_archived)
    assert [row[0] for row in rows(database)["collections"]] == ["staff"]


def test_into_another_collection(archive: Path, database: Database) -> None:
    (done,) = import_gallery(
        database, archive, names=["staff"], into="branch", choose_calibration=as_archived
    )
    assert (done.entry.name, done.into, done.identities) == ("staff", "branch", 6)
    assert {row[1] for row in rows(database)["identities"]} == {"branch"}


@pytest.mark.parametrize(
    ("names", "into", "error"),
    [
        (["nowhere"], None, CollectionNotFound),
        ([], "branch", InvalidRequest),
        (["staff", "empty"], "branch", InvalidRequest),
    ],
)
def test_wrong_choice_changes_nothing(
    names: list[str], into: str | None, error: type[VultusError], archive: Path, database: Database
) -> None:
    with pytest.raises(error, match="staff"):
        import_gallery(database, archive, names=names, into=into, choose_calibration=as_archived)
    assert set(count_rows(database).values()) == {0}


def test_existing_people_stay(archive: Path, database: Database) -> None:
    service = open_gallery(database)
    own, _ = enroll(service, unit_vector(1), name="own")
    import_gallery(database, archive, choose_calibration=as_archived)
    assert len(all_identities(service)) == 7
    assert own.id in found_ids(service, unit_vector(1))


def test_faces_of_another_network_are_refused(archive: Path, database: Database) -> None:
    service = open_gallery(database, model=OTHER_MODEL)
    service.collections.create("staff", None)
    enroll(service, unit_vector(1, dimension=OTHER_MODEL.dimension), collection="staff")
    before = rows(database)
    with pytest.raises(EmbedderMismatch, match="cannot be compared"):
        import_gallery(database, archive, choose_calibration=as_archived)
    assert rows(database) == before
    import_gallery(database, archive, names=["staff"], into="other", choose_calibration=as_archived)


def test_empty_collection_is_given_to_the_network_of_the_archive(
    archive: Path, database: Database
) -> None:
    service = open_gallery(database, model=OTHER_MODEL)
    service.collections.create("staff", "as it was")
    service.collections.update("staff", CollectionChanges(options={"unknowns": {"keep": True}}))
    inbox = Unknowns(database, service, InboxLimits(retention_s=60, faces=9, faces_a_group=9))
    stranger = unit_vector(1, dimension=OTHER_MODEL.dimension)
    inbox.keep("staff", [Sighting(stranger, "a" * 64)], 0.5)
    import_gallery(database, archive, choose_calibration=as_archived)
    # What the other network saw cannot be compared with anybody any more, and so goes.
    with database.reading() as session:
        assert session.query(UnknownFaceTable).count() == 0
    arrived = open_gallery(database).collections.get("staff")
    assert (arrived.description, arrived.dimension, arrived.face_count) == ("as it was", 8, 11)


def test_options_of_crops_stay_where_their_key_is(
    new_database: NewDatabase, database: Database, tmp_path: Path
) -> None:
    here = new_database()
    wanted = {"unknowns": {"keep": True, "crops": True}, "crops": {"keep": True}}
    open_gallery(here).collections.update(COLLECTION, CollectionChanges(options=wanted))
    export_gallery(here, tmp_path / "a.zip")
    import_gallery(database, tmp_path / "a.zip", choose_calibration=as_archived)
    arrived = open_gallery(database).collections.get(COLLECTION).options
    assert (arrived.unknowns.keep, arrived.unknowns.crops, arrived.crops.keep) == (
        True,
        False,
        False,
    )


def test_many_pages(
    new_database: NewDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gallery.transfer.export_source._ROWS_AT_ONCE", 3)
    monkeypatch.setattr("app.gallery.transfer.archived_people._PIECE_BYTES", 70)
    monkeypatch.setattr("app.gallery.transfer.importer._FACES_AT_ONCE", 4)
    monkeypatch.setattr("app.gallery.store.statements.people_insertion._IDS_AT_ONCE", 2)
    monkeypatch.setattr("app.gallery.transfer.import_obstacles._IDS_AT_ONCE", 2)
    here, there = new_database(), new_database()
    fill(here, copies=4)
    path = tmp_path / "pages.zip"
    export_gallery(here, path)
    import_gallery(there, path, choose_calibration=as_archived)
    assert rows(there) == rows(here)
