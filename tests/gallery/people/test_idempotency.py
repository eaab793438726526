"""Changes that happen once a key, on both databases."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select, text, update

from app.errors import IdempotencyKeyReused
from app.gallery.gallery import Gallery
from app.gallery.people.enrolment import Enrolled
from app.gallery.records import Collection, NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.idempotency import AnsweredBeforeError, KeptAnswer, Once, Ticket
from app.gallery.store.tables import IdempotencyKeyTable
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import COLLECTION, at_once, enroll, new_face, unit_vector

PROBE = unit_vector(1)
TICKET = Ticket("POST /people", "k" * 64, "r" * 64)


def told(done: Enrolled) -> KeptAnswer:
    identity, outcomes = done
    return KeptAnswer(
        201,
        {
            "identity": {"id": identity.id, "name": identity.name, "external_id": None},
            "faces": len(outcomes),
        },
    )


ONCE = Once(TICKET, told)


def create(gallery: Gallery, once: Once[Enrolled] | None = ONCE) -> str:
    try:
        return gallery.people.enroll(
            COLLECTION, NewIdentity(name="Ada"), [new_face(PROBE)], once=once
        )[0].id
    except AnsweredBeforeError:
        return "answered before"


def test_answer_is_kept_with_the_change(gallery: Gallery) -> None:
    assert gallery.kept_answer(TICKET) is None
    identity_id = create(gallery)
    kept = gallery.kept_answer(TICKET)
    assert kept is not None
    assert (kept.status, kept.body["identity"]["id"]) == (201, identity_id)
    assert create(gallery) == "answered before"
    assert gallery.collections.get(COLLECTION).identity_count == 1


def test_key_with_another_request_is_an_error(gallery: Gallery) -> None:
    create(gallery)
    with pytest.raises(IdempotencyKeyReused):
        gallery.kept_answer(Ticket(TICKET.scope, TICKET.key_sha256, "s" * 64))
    assert gallery.kept_answer(Ticket("POST /elsewhere", TICKET.key_sha256, "s" * 64)) is None


def test_what_failed_keeps_no_answer(gallery: Gallery) -> None:
    def fails(_: Enrolled) -> KeptAnswer:
        raise RuntimeError("the process dies before the commit")

    with pytest.raises(RuntimeError):
        create(gallery, Once(TICKET, fails))
    assert gallery.collections.get(COLLECTION).identity_count == 0
    assert gallery.kept_answer(TICKET) is None
    create(gallery)
    assert gallery.collections.get(COLLECTION).identity_count == 1


def test_same_key_at_once_in_two_processes_changes_once(open_gallery: OpenGallery) -> None:
    processes = [open_gallery(), open_gallery()]
    results = at_once([partial(create, processes[i % 2]) for i in range(6)])
    assert results.count("answered before") == 5
    assert processes[0].collections.get(COLLECTION).identity_count == 1


def test_collection_is_made_once_a_key(open_gallery: OpenGallery) -> None:
    once: Once[Collection] = Once(TICKET, lambda made: KeptAnswer(201, {"name": made.name}))

    def make(gallery: Gallery) -> str:
        try:
            return gallery.collections.create("staff", None, once=once).name
        except AnsweredBeforeError:
            return "answered before"

    processes = [open_gallery(), open_gallery()]
    results = at_once([partial(make, processes[i % 2]) for i in range(4)])
    assert sorted(results) == ["answered before"] * 3 + ["staff"]  # type: ignore[type-var]


def test_answer_of_an_erased_person_stays_without_their_name(
    gallery: Gallery, database: Database
) -> None:
    identity_id = create(gallery)
    enroll(gallery, -PROBE)
    gallery.people.delete(COLLECTION, identity_id)
    kept = gallery.kept_answer(TICKET)
    assert kept is not None
    assert (kept.status, kept.body["identity"]["id"]) == (201, identity_id)
    assert kept.body["identity"]["name"] is None
    assert create(gallery) == "answered before", "a late retry brings nobody back"
    with database.reading() as session:
        rows = session.execute(text("SELECT body FROM idempotency_keys")).all()
    assert "Ada" not in str(rows)


def test_answers_of_a_deleted_collection_stay_without_names(gallery: Gallery) -> None:
    create(gallery)
    gallery.collections.delete(COLLECTION)
    kept = gallery.kept_answer(TICKET)
    assert kept is not None
    assert kept.body["identity"]["name"] is None
    assert create(gallery) == "answered before"


def test_old_answers_are_swept_and_new_ones_stay(gallery: Gallery, database: Database) -> None:
    create(gallery)
    other = Ticket("POST /people", "l" * 64, "r" * 64)
    gallery.people.enroll(COLLECTION, NewIdentity(), [], once=Once(other, told))
    now = datetime.now(UTC)
    with database.writing() as session:
        session.execute(
            update(IdempotencyKeyTable)
            .where(IdempotencyKeyTable.key_sha256 == TICKET.key_sha256)
            .values(created_at=now - timedelta(hours=25))
        )
    gallery.people.erase_expired(log_revisions=100, answers_before=now - timedelta(hours=24))
    with database.reading() as session:
        assert session.scalars(select(IdempotencyKeyTable.key_sha256)).all() == ["l" * 64]
