"""Many people at once: each has an outcome of their own, and all are there or none."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from app.errors import CollectionNotFound, EmbedderMismatch
from app.gallery.gallery import Gallery
from app.gallery.people import enrolment as bulk
from app.gallery.people.enrolment import BulkOutcome, NewPerson
from app.gallery.records import Condition, IdentityFilter, NewIdentity, PeopleFilter
from app.gallery.store.database import Database
from app.gallery.store.repositories.change_repository import ChangeRepository
from app.gallery.store.tables import FaceTable
from app.recognition.types import Embedding
from tests.gallery.conftest import OpenGallery, sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    OTHER_MODEL,
    all_identities,
    assert_agrees,
    at_once,
    compare,
    count_rows,
    enroll,
    enrolled_id,
    found_ids,
    new_face,
    new_gallery,
    search_people,
    unit_vector,
    unit_vectors,
)

PROBE = unit_vector(1)


def person(
    *embeddings: Embedding, external_id: str | None = None, name: str | None = None
) -> NewPerson:
    faces = tuple(new_face(embedding) for embedding in embeddings)
    return NewPerson(NewIdentity(name=name, external_id=external_id), faces)


def by_external_id(gallery: Gallery, external_id: str) -> list[str]:
    wanted = IdentityFilter(external_id=external_id)
    page = gallery.people.page(COLLECTION, wanted, limit=10, cursor=None)
    return [identity.id for identity in page.items]


def test_everybody_is_enrolled_in_order_and_as_asked(gallery: Gallery) -> None:
    vectors = unit_vectors(40, seed=2)
    new = [
        NewPerson(
            NewIdentity(name=f"n{number}", external_id=f"e{number}", attributes={"n": number}),
            tuple(new_face(vector) for vector in vectors[number : number + number % 3]),
        )
        for number in range(30)
    ]
    outcomes = gallery.people.enroll_many(COLLECTION, new)
    listed = all_identities(gallery)
    assert [outcome.identity_id for outcome in outcomes] == [identity.id for identity in listed]
    for number, (outcome, identity) in enumerate(zip(outcomes, listed, strict=True)):
        assert outcome == BulkOutcome(identity.id, True, number % 3, 1)
        assert (identity.name, identity.external_id) == (f"n{number}", f"e{number}")
        assert identity.attributes == {"n": number}
        assert identity.face_count == number % 3
        own = vectors[number : number + number % 3]
        for vector in own:
            found, _ = compare(gallery, COLLECTION, identity.id, vector)
            mean = own.mean(axis=0)
            expected = mean @ vector / np.linalg.norm(mean)
            assert found.similarity == pytest.approx(expected, abs=1e-6)


@sqlite_only
def test_batch_is_one_revision(gallery: Gallery) -> None:
    first = gallery.people.enroll_many(COLLECTION, [person(PROBE), person(-PROBE), person()])
    second = gallery.people.enroll_many(COLLECTION, [person(PROBE)])
    assert {outcome.revision for outcome in first} == {1}
    assert {outcome.revision for outcome in second} == {2}
    assert gallery.collections.get(COLLECTION).revision == 2
    assert gallery.people.enroll_many(COLLECTION, []) == []


def test_bulk_enrolled_people_are_found_at_once_by_every_process(
    open_gallery: OpenGallery,
) -> None:
    ours, theirs = open_gallery(), open_gallery()
    vectors = unit_vectors(30, seed=3)
    outcomes = ours.people.enroll_many(COLLECTION, [person(vector) for vector in vectors])
    for process in (theirs, ours):
        for vector, outcome in zip(vectors, outcomes, strict=True):
            assert found_ids(process, vector, top_k=1) == [outcome.identity_id]
        assert process.sync.face_count() == 30


def test_faces_are_kept_as_they_are_of_one_person(gallery: Gallery, database: Database) -> None:
    face = new_face(PROBE, photo="c" * 64)
    gallery.people.enroll_many(COLLECTION, [NewPerson(NewIdentity(), (face,))])
    one, _ = gallery.people.enroll(COLLECTION, NewIdentity(), [face])
    with database.reading() as session:
        in_bulk, alone = session.query(FaceTable).order_by(FaceTable.number)
        ours = {"number", "id", "identity_number", "created_at"}
        for column in set(FaceTable.__table__.columns.keys()) - ours:
            assert getattr(in_bulk, column) == getattr(alone, column)
    in_bulk_person, alone_person = all_identities(gallery)
    assert alone_person == one
    assert in_bulk_person.attributes == one.attributes
    assert found_ids(gallery, PROBE, top_k=2) != []


@sqlite_only
def test_known_external_id_is_told_and_left_alone(gallery: Gallery) -> None:
    before, _ = gallery.people.enroll(
        COLLECTION, NewIdentity(name="Ada", external_id="e1"), [new_face(PROBE)]
    )
    known, new = gallery.people.enroll_many(
        COLLECTION,
        [person(-PROBE, external_id="e1", name="Eve"), person(-PROBE, external_id="e2")],
    )
    assert known == BulkOutcome(before.id, False, 0, 2)
    assert new.enrolled
    assert gallery.people.get(COLLECTION, before.id) == before
    assert gallery.sync.face_count() == 2


@sqlite_only
def test_external_id_that_comes_twice_is_enrolled_once(gallery: Gallery) -> None:
    first, other, again = gallery.people.enroll_many(
        COLLECTION,
        [
            person(PROBE, external_id="e1"),
            person(external_id="E1"),
            person(-PROBE, -PROBE, external_id="e1"),
        ],
    )
    assert (first.enrolled, other.enrolled, again.enrolled) == (True, True, False)
    assert again == BulkOutcome(first.identity_id, False, 0, 1)
    assert gallery.people.get(COLLECTION, enrolled_id(first)).face_count == 1


@sqlite_only
def test_people_without_external_id_are_all_enrolled(gallery: Gallery) -> None:
    outcomes = gallery.people.enroll_many(COLLECTION, [person(PROBE) for _ in range(3)])
    assert len({outcome.identity_id for outcome in outcomes}) == 3
    assert all(outcome.enrolled for outcome in outcomes)


@sqlite_only
def test_same_photo_of_a_person_is_enrolled_once(gallery: Gallery) -> None:
    faces = tuple(new_face(PROBE, photo=photo) for photo in "abaab")
    one, two = gallery.people.enroll_many(
        COLLECTION, [NewPerson(NewIdentity(), faces), NewPerson(NewIdentity(), faces[:1])]
    )
    assert (one.face_count, two.face_count) == (2, 1)
    assert gallery.people.get(COLLECTION, enrolled_id(one)).face_count == 2


@sqlite_only
def test_bulk_enrolled_people_are_found_by_their_attributes(gallery: Gallery) -> None:
    outcomes = gallery.people.enroll_many(
        COLLECTION,
        [
            NewPerson(NewIdentity(attributes={"site": site}), (new_face(PROBE),))
            for site in ("berlin", "bern", "berlin")
        ],
    )
    wanted = PeopleFilter((Condition("site", ("berlin",)),))
    found = found_ids(gallery, PROBE, wanted=wanted)
    assert set(found) == {outcomes[0].identity_id, outcomes[2].identity_id}


@pytest.mark.parametrize("fails", ["insert_people", "log", "last face"])
def test_failure_in_the_middle_leaves_nobody(
    gallery: Gallery, database: Database, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    enroll(gallery, PROBE)
    before = count_rows(database), gallery.collections.get(COLLECTION)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    people = [
        person(vector, external_id=f"e{i}") for i, vector in enumerate(unit_vectors(5, seed=2))
    ]
    if fails == "last face":
        people.append(person(np.array(["no number"] * 8)))
    with monkeypatch.context() as patch:
        if fails == "insert_people":
            patch.setattr(bulk, "insert_people", fail)
        elif fails == "log":
            patch.setattr(ChangeRepository, "log", fail)
        with pytest.raises((ZeroDivisionError, ValueError)):
            gallery.people.enroll_many(COLLECTION, people)
    assert (count_rows(database), gallery.collections.get(COLLECTION)) == before
    assert gallery.sync.face_count() == 1
    outcomes = gallery.people.enroll_many(COLLECTION, people[:5])
    assert all(outcome.enrolled for outcome in outcomes)


def test_racing_batches_enroll_everybody_once(open_gallery: OpenGallery) -> None:
    processes = [open_gallery(), open_gallery()]
    ids = [f"e{number}" for number in range(12)]
    vectors = dict(zip(ids, unit_vectors(12, seed=4), strict=True))
    results = at_once(
        [
            partial(
                processes[turn % 2].people.enroll_many,
                COLLECTION,
                [person(vectors[one], external_id=one) for one in np.roll(ids, 3 * turn).tolist()],
            )
            for turn in range(4)
        ]
    )
    outcomes = [outcome for result in results for outcome in result]  # type: ignore[union-attr]
    assert Counter(outcome.enrolled for outcome in outcomes) == {True: 12, False: 36}
    assert set(Counter(outcome.identity_id for outcome in outcomes).values()) == {4}
    people = {
        identity.id: vectors[identity.external_id or ""]
        for identity in all_identities(processes[0])
    }
    assert len(people) == 12
    for process in processes:
        (candidates,) = search_people(process, COLLECTION, [PROBE], top_k=100)
        oracle = {
            found.identity.id: {found.face_id: people[found.identity.id]} for found in candidates
        }
        assert len(oracle) == 12
        assert_agrees(candidates, oracle, PROBE, top_k=100)


@sqlite_only
def test_racing_for_an_external_id_alone_and_in_bulk_has_one_winner(
    open_gallery: OpenGallery,
) -> None:
    ours, theirs = open_gallery(), open_gallery()
    for key in ("first", "second", "third"):
        racing: list[Callable[[], object]] = [
            partial(ours.people.enroll_many, COLLECTION, [person(PROBE, external_id=key)]),
            partial(theirs.people.enroll, COLLECTION, NewIdentity(external_id=key), []),
            partial(theirs.people.enroll_many, COLLECTION, [person(PROBE, external_id=key)]),
        ]
        at_once(racing)
        assert len(by_external_id(ours, key)) == 1


@sqlite_only
def test_unknown_collection_and_another_network_are_refused(
    gallery: Gallery, database: Database
) -> None:
    before = count_rows(database)
    with pytest.raises(CollectionNotFound):
        gallery.people.enroll_many("unknown", [person(PROBE)])
    with pytest.raises(EmbedderMismatch):
        new_gallery(database, model=OTHER_MODEL).people.enroll_many(COLLECTION, [person()])
    assert count_rows(database) == before


@sqlite_only
def test_ids_are_told_of_those_who_are_there(gallery: Gallery) -> None:
    gallery.collections.create("staff", None)
    gallery.people.enroll_many("staff", [person(external_id="e1")])
    outcomes = gallery.people.enroll_many(
        COLLECTION, [person(external_id=f"e{number}") for number in range(1, 5)]
    )
    gallery.people.delete(COLLECTION, enrolled_id(outcomes[0]))
    asked = ["e1", "e2", "e4", "e4", "E2", "unknown"]
    assert gallery.people.ids_of(COLLECTION, asked) == {
        "e2": outcomes[1].identity_id,
        "e4": outcomes[3].identity_id,
    }
    assert gallery.people.ids_of(COLLECTION, []) == {}
