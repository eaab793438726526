"""Imports that are interrupted, run twice, or meet others."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.errors import Conflict, VultusError
from app.gallery.records import Face, NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.repositories.change_repository import ChangeRepository
from app.gallery.store.tables import ChangeTable, CollectionTable, FaceTable
from app.gallery.transfer.importer import Imported, import_gallery
from tests.gallery.conftest import Connect
from tests.gallery.factories import (
    COLLECTION,
    all_identities,
    at_once,
    count_rows,
    found_ids,
    new_face,
    unit_vector,
)
from tests.gallery.transfer.archives import (
    FACES,
    PEOPLE,
    as_lines,
    lines_of,
    members_of,
    put_together,
    with_checksums,
)
from tests.gallery.transfer.conftest import NewDatabase
from tests.gallery.transfer.galleries import as_archived, assert_whole_people_of, open_gallery, rows


class PowerCut(Exception):
    pass


def failing_at(count: int, after: Callable[..., None]) -> Callable[..., None]:
    calls = 0

    def fail(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        after(*arguments)
        if calls == count:
            raise PowerCut

    return fail


@pytest.mark.parametrize("batch", [1, 2, 5, 9])
def test_interrupted_import_goes_on(
    batch: int,
    many: Path,
    database: Database,
    new_database: NewDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = new_database()
    import_gallery(whole, many, choose_calibration=as_archived)
    expected = rows(whole)
    with monkeypatch.context() as patch:
        patch.setattr(ChangeRepository, "log", failing_at(batch, ChangeRepository.log))
        with pytest.raises(PowerCut):
            import_gallery(database, many, choose_calibration=as_archived)
    left = rows(database)
    assert_whole_people_of(left, expected)
    known = len(left["identities"])
    assert known < len(expected["identities"])

    done = import_gallery(database, many, choose_calibration=as_archived)
    assert rows(database) == expected
    assert sum(one.known_before for one in done) == known
    assert sum(one.identities for one in done) == len(expected["identities"]) - known


def test_second_import_changes_nothing(archive: Path, database: Database) -> None:
    import_gallery(database, archive, choose_calibration=as_archived)
    before, counts, revisions = rows(database), count_rows(database), _revisions(database)
    done = import_gallery(database, archive, choose_calibration=as_archived)
    assert [(one.created, one.identities, one.known_before) for one in done] == [
        (False, 0, 6),
        (False, 0, 6),
        (False, 0, 0),
    ]
    assert (rows(database), count_rows(database), _revisions(database)) == (
        before,
        counts,
        revisions,
    )


def test_every_face_is_logged_once_at_a_revision_of_its_own_transaction(
    many: Path, database: Database
) -> None:
    import_gallery(database, many, choose_calibration=as_archived)
    with database.reading() as session:
        logged = session.execute(
            select(ChangeTable.collection_number, ChangeTable.face_number, ChangeTable.kind)
        ).all()
        faces = session.execute(select(FaceTable.collection_number, FaceTable.number)).all()
        revisions = set(session.scalars(select(ChangeTable.revision)))
    assert sorted(logged) == sorted((*face, "add") for face in faces)
    assert revisions == set(range(1, 1 + max(_revisions(database).values())))


def test_deleted_person_comes_back_with_the_archive(archive: Path, database: Database) -> None:
    import_gallery(database, archive, choose_calibration=as_archived)
    service, before = open_gallery(database), rows(database)
    victim = all_identities(service)[-1]
    service.people.delete(COLLECTION, victim.id)
    import_gallery(database, archive, choose_calibration=as_archived)
    assert rows(database) == before
    assert victim.id in found_ids(service, unit_vector(1))


def test_whoever_is_in_the_way_is_told_of(archive: Path, database: Database) -> None:
    members = members_of(archive)
    people, faces = lines_of(members[PEOPLE]), lines_of(members[FACES])
    service = open_gallery(database)
    taker, (face,) = service.people.enroll(
        COLLECTION, NewIdentity(external_id="0emp-1"), [new_face(unit_vector(1))]
    )
    assert isinstance(face, Face)
    face_id = faces[-1]["id"]
    with database.writing() as session:
        session.execute(update(FaceTable).where(FaceTable.id == face.id).values(id=face_id))
    import_gallery(
        database, archive, names=["staff"], into="branch", choose_calibration=as_archived
    )
    before = rows(database)

    done = {
        one.into: one for one in import_gallery(database, archive, choose_calibration=as_archived)
    }
    told = {one.id: one for one in done[COLLECTION].skipped}
    assert {identity: one.reason for identity, one in told.items()} == {
        people[0]["id"]: "external_id_taken",
        people[-1]["id"]: "face_of_another",
    }
    assert taker.id in told[people[0]["id"]].detail
    assert face_id in told[people[-1]["id"]].detail
    assert done[COLLECTION].identities == 4
    elsewhere = done["staff"].skipped
    assert [one.reason for one in elsewhere] == ["in_other_collection"] * 6
    assert "'branch'" in elsewhere[0].detail
    after = rows(database)
    for table, had in before.items():
        assert [row for row in had if row not in after[table]] == []


def test_people_who_expired_since_are_passed_over_and_counted(
    archive: Path, database: Database
) -> None:
    members = members_of(archive)
    people = lines_of(members[PEOPLE])
    people[0]["expires_at"] = "2001-01-01T00:00:00Z"
    put_together(archive, with_checksums({**members, PEOPLE: as_lines(people)}))
    done = {
        one.into: one for one in import_gallery(database, archive, choose_calibration=as_archived)
    }
    assert (done[COLLECTION].expired, done[COLLECTION].skipped) == (1, [])
    assert done[COLLECTION].identities == len(people) - 1
    gallery = open_gallery(database)
    assert people[0]["id"] not in {identity.id for identity in all_identities(gallery)}


def test_keys_that_differ_in_their_unicode_form_are_one_key(
    archive: Path, database: Database
) -> None:
    members = members_of(archive)
    people = lines_of(members[PEOPLE])
    people[0]["external_id"], people[1]["external_id"] = "é", "e\u0301"
    put_together(archive, with_checksums({**members, PEOPLE: as_lines(people)}))
    done = {
        one.into: one for one in import_gallery(database, archive, choose_calibration=as_archived)
    }
    (skipped,) = done[COLLECTION].skipped
    assert (skipped.id, skipped.reason) == (people[1]["id"], "external_id_taken")
    assert people[0]["id"] in skipped.detail


def test_two_imports_into_one_collection_share_the_work(
    many: Path, database: Database, connect: Connect, new_database: NewDatabase
) -> None:
    expected = new_database()
    import_gallery(expected, many, choose_calibration=as_archived)
    one = partial(import_gallery, choose_calibration=as_archived)
    results = at_once([partial(one, connect(), many) for _ in range(3)])
    assert rows(database) == rows(expected)
    added, known = _sums(results)
    assert added == len(rows(expected)["identities"])
    assert known == 2 * added


def test_two_imports_into_two_collections_divide_the_people(
    many: Path, database: Database, connect: Connect
) -> None:
    results = at_once(
        [
            partial(import_gallery, connect(), many, names=[COLLECTION], into=name)
            for name in ("left", "right")
        ]
    )
    added, _ = _sums(results)
    skipped = [one for result in results if isinstance(result, tuple) for one in result[0].skipped]
    assert added == len(skipped) == len(rows(database)["identities"]) == 26
    assert {one.reason for one in skipped} == {"in_other_collection"}


def test_import_that_always_loses_gives_up(
    archive: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    def lose(*_arguments: object) -> None:
        nonlocal tries
        tries += 1
        raise IntegrityError("INSERT", {}, Exception("unique"))

    monkeypatch.setattr("app.gallery.transfer.import_target.insert_people", lose)
    with pytest.raises(Conflict, match="import again"):
        import_gallery(database, archive, choose_calibration=as_archived)
    assert tries == 5
    assert rows(database)["identities"] == []


def test_service_enrolls_beside_an_import(many: Path, database: Database) -> None:
    service = open_gallery(database)
    enrolled: list[str] = []

    def meanwhile(doing: str, _done: int, _total: int) -> None:
        if doing == "importing":
            new = NewIdentity(external_id=f"new-{len(enrolled)}")
            identity, _ = service.people.enroll(
                COLLECTION, new, [new_face(unit_vector(len(enrolled)))]
            )
            enrolled.append(identity.id)

    import_gallery(database, many, progress=meanwhile, choose_calibration=as_archived)
    assert enrolled
    found = found_ids(service, unit_vector(0))
    assert found[0] == enrolled[0]
    assert len(found) == len(enrolled) + 5 * 4 + 1


def test_person_with_more_faces_than_a_batch_is_whole(
    archive: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gallery.transfer.importer._FACES_AT_ONCE", 1)
    batches = []
    log = ChangeRepository.log

    def counted(*arguments: object) -> None:
        batches.append(len(list(arguments[2])))  # type: ignore[call-overload]
        log(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ChangeRepository, "log", counted)
    import_gallery(database, archive, names=[COLLECTION], choose_calibration=as_archived)
    assert batches == [1, 2, 3, 4, 1]


def test_lines_without_the_last_end_of_line_are_whole(archive: Path, database: Database) -> None:
    members = members_of(archive)
    changed = {**members, PEOPLE: as_lines(lines_of(members[PEOPLE])).rstrip(b"\n")}
    put_together(archive, with_checksums(changed))
    import_gallery(database, archive, choose_calibration=as_archived)
    assert len(rows(database)["identities"]) == 12


def _revisions(database: Database) -> dict[str, int]:
    with database.reading() as session:
        found = session.execute(select(CollectionTable.name, CollectionTable.revision))
        return {name: revision for name, revision in found}  # noqa: C416


def _sums(results: list[tuple[Imported, ...] | VultusError]) -> tuple[int, int]:
    done = [one for result in results if isinstance(result, tuple) for one in result]
    return sum(one.identities for one in done), sum(one.known_before for one in done)
