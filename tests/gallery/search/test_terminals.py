"""A terminal remembers who was matched at it lately, and only them."""

from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, event

from app.errors import CollectionNotFound, DatabaseUnavailable
from app.gallery.gallery import Gallery
from app.gallery.records import Condition, IdentityChanges, PeopleFilter
from app.gallery.search import gallery_search
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.tables import IdentityTable, TerminalMatchTable
from tests.gallery.conftest import Connect, OpenGallery, sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    assert_agrees,
    at_once,
    enroll,
    enroll_at_once,
    found_ids,
    new_gallery,
    search_people,
    unit_vector,
    unit_vectors,
)

PROBE = unit_vector(1)

DOOR = PeopleFilter(terminal_id="door")


def remembered(
    database: Database, terminal: str = "door", collection: str = COLLECTION
) -> dict[str, datetime]:
    """When the terminal saw whom, by their ids, the latest first."""
    with Store(database).reading(collection) as transaction:
        newest = transaction.terminals.newest(terminal, 1_000)
        ids = {person.number: person.id for person in transaction.session.query(IdentityTable)}
    return {ids[number]: at for number, at in newest.items()}


def matched(gallery: Gallery, *ids: str, terminal: str = "door", most: int = 100) -> None:
    gallery.search.remember(COLLECTION, terminal, ids, most=most)


@pytest.fixture
def people(gallery: Gallery) -> list[str]:
    return list(enroll_at_once(gallery, [[vector] for vector in unit_vectors(5, seed=2)]))


@pytest.fixture
def _every_match_is_a_new_visit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_search, "_SAME_VISIT", timedelta(0))


@sqlite_only
def test_nobody_is_remembered_before_the_first_match(gallery: Gallery, people: list[str]) -> None:
    assert people
    assert found_ids(gallery, PROBE, wanted=DOOR) == []


@pytest.mark.usefixtures("_every_match_is_a_new_visit")
def test_latest_match_is_remembered_first(
    gallery: Gallery, database: Database, people: list[str]
) -> None:
    first, second, third, *_ = people
    for person in (first, second, third):
        matched(gallery, person)
    assert list(remembered(database)) == [third, second, first]
    matched(gallery, first)
    assert list(remembered(database)) == [first, third, second]


@sqlite_only
def test_terminals_remember_each_for_itself(
    gallery: Gallery, database: Database, people: list[str]
) -> None:
    matched(gallery, people[0])
    matched(gallery, people[1], terminal="gate")
    assert list(remembered(database)) == [people[0]]
    assert list(remembered(database, "gate")) == [people[1]]
    assert remembered(database, "Door") == {}


@sqlite_only
def test_collections_are_remembered_each_for_itself(
    gallery: Gallery, database: Database, people: list[str]
) -> None:
    gallery.collections.create("staff", None)
    foreign, _ = enroll(gallery, PROBE, collection="staff")
    matched(gallery, people[0], foreign.id)
    assert list(remembered(database)) == [people[0]]
    gallery.search.remember("staff", "door", [foreign.id, people[0]], most=100)
    assert list(remembered(database, collection="staff")) == [foreign.id]
    with pytest.raises(CollectionNotFound):
        gallery.search.remember("unknown", "door", people, most=100)


@pytest.mark.usefixtures("_every_match_is_a_new_visit")
def test_terminal_forgets_all_but_the_latest(
    gallery: Gallery, database: Database, people: list[str]
) -> None:
    for person in people:
        matched(gallery, person, most=3)
        matched(gallery, person, most=3)
    assert list(remembered(database)) == people[:1:-1]
    matched(gallery, people[0], most=1)
    assert list(remembered(database)) == [people[0]]


def test_everybody_on_a_photo_is_remembered(
    gallery: Gallery, database: Database, people: list[str]
) -> None:
    matched(gallery, people[4])
    matched(gallery, *people[:3], people[0], "unknown")
    known = remembered(database)
    assert set(known) == {*people[:3], people[4]}
    assert list(known)[-1] == people[4]


@sqlite_only
def test_same_visit_is_written_once(
    gallery: Gallery, database: Database, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    matched(gallery, people[0])
    matched(gallery, people[1], people[2])
    before = remembered(database)
    with monkeypatch.context() as patch:
        patch.setattr(Database, "writing", None)  # whoever writes fails
        matched(gallery, people[1], people[2])
        matched(gallery, people[2], people[1], "unknown")
        matched(gallery, "unknown")
        matched(gallery)
    assert remembered(database) == before


@sqlite_only
@pytest.mark.usefixtures("_every_match_is_a_new_visit")
def test_later_visit_is_written_again(
    gallery: Gallery, database: Database, people: list[str]
) -> None:
    matched(gallery, people[0])
    before = remembered(database)[people[0]]
    matched(gallery, people[0])
    assert remembered(database)[people[0]] > before


@sqlite_only
def test_match_changes_neither_person_nor_revision(gallery: Gallery, people: list[str]) -> None:
    before = gallery.collections.get(COLLECTION), gallery.people.get(COLLECTION, people[0])
    matched(gallery, people[0])
    after = gallery.collections.get(COLLECTION), gallery.people.get(COLLECTION, people[0])
    assert after == before


def test_deleted_person_is_forgotten(
    gallery: Gallery, database: Database, people: list[str]
) -> None:
    matched(gallery, *people)
    gallery.people.delete(COLLECTION, people[0])
    assert set(remembered(database)) == set(people[1:])
    matched(gallery, people[0])
    assert set(remembered(database)) == set(people[1:])
    gallery.collections.delete(COLLECTION)
    with database.reading() as session:
        assert session.query(TerminalMatchTable).count() == 0


@sqlite_only
def test_search_at_a_terminal_is_among_those_it_remembers(gallery: Gallery) -> None:
    people = enroll_at_once(
        gallery, [[*vectors] for vectors in unit_vectors(20, seed=3).reshape(10, 2, -1)]
    )
    known = dict(list(people.items())[::3])
    matched(gallery, *known)
    for probe in unit_vectors(3, seed=4):
        (candidates,) = search_people(gallery, COLLECTION, [probe], top_k=3, wanted=DOOR)
        assert_agrees(candidates, known, probe, top_k=3)


def test_search_at_a_terminal_keeps_to_the_other_conditions(gallery: Gallery) -> None:
    people = [enroll(gallery, PROBE)[0].id for _ in range(3)]
    for person, site in zip(people, ("berlin", "bern", "berlin"), strict=True):
        changes = IdentityChanges(attributes={"site": site})
        gallery.people.update(COLLECTION, person, changes)
    matched(gallery, *people[:2])
    berlin = PeopleFilter((Condition("site", ("berlin",)),), terminal_id="door")
    assert found_ids(gallery, PROBE, wanted=berlin) == [people[0]]
    both = PeopleFilter(identity_ids=tuple(people[1:]), terminal_id="door")
    assert found_ids(gallery, PROBE, wanted=both) == [people[1]]


@sqlite_only
def test_match_at_one_process_is_remembered_by_all(open_gallery: OpenGallery) -> None:
    ours, theirs = open_gallery(), open_gallery()
    identity, _ = enroll(ours, PROBE)
    matched(ours, identity.id)
    assert found_ids(theirs, PROBE, wanted=DOOR) == [identity.id]


def test_matches_at_once_are_all_remembered(
    gallery: Gallery, database: Database, people: list[str]
) -> None:
    at_once([partial(matched, gallery, *people[turn:], *people[:turn]) for turn in range(5)])
    assert set(remembered(database)) == set(people)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_person_deleted_beside_a_match_does_not_hold_it_up(
    connect: Connect, open_gallery: OpenGallery
) -> None:
    """SQLite's writers queue from the start."""
    impatient = new_gallery(connect(timeout_s=0.2))
    gallery = open_gallery()
    gone, _ = enroll(gallery, PROBE)
    kept, _ = enroll(gallery, -PROBE)
    looks = []

    def delete_meanwhile(_: Connection, __: object, statement: str, *___: object) -> None:
        if statement.startswith("SELECT identities.number"):
            looks.append(statement)
            if len(looks) == 2:  # the first was before anything was written
                with suppress(DatabaseUnavailable):
                    impatient.people.delete(COLLECTION, gone.id)

    engine = gallery.store.database.engine
    event.listen(engine, "after_cursor_execute", delete_meanwhile)
    matched(gallery, gone.id, kept.id)
    assert len(looks) == 2
    event.remove(engine, "after_cursor_execute", delete_meanwhile)
    assert kept.id in found_ids(gallery, PROBE, wanted=DOOR)
