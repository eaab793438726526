"""A collection belongs to one network; embeddings of two are never compared."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import structlog
from sqlalchemy import event, text
from structlog.testing import capture_logs

from app.errors import EmbedderChanged, EmbedderMismatch
from app.gallery.people.enrolment import NewPerson, enroll_people
from app.gallery.records import CollectionChanges, IdentityChanges, NewIdentity
from app.gallery.store.database import Database
from app.recognition.types import ModelId
from tests.gallery.conftest import Connect, OpenGallery
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    OTHER_MODEL,
    compare,
    count_rows,
    enroll,
    found_ids,
    new_face,
    new_gallery,
    search_people,
    unit_vector,
)

PROBE = unit_vector(1)
OTHER_PROBE = unit_vector(1, dimension=OTHER_MODEL.dimension)


@pytest.mark.parametrize(
    "other", [OTHER_MODEL, ModelId(MODEL.name, "f" * 64, MODEL.dimension)], ids=["name", "weights"]
)
def test_start_with_another_network_is_refused_while_there_are_faces(
    open_gallery: OpenGallery, other: ModelId
) -> None:
    first = open_gallery()
    first.collections.create("a-empty-one", None)
    identity, _ = enroll(first, PROBE)
    before = first.collections.page(limit=10, cursor=None)
    with pytest.raises(EmbedderChanged, match=f"belongs to the embedder {MODEL.name}"):
        open_gallery(model=other)
    assert open_gallery().collections.page(limit=10, cursor=None) == before
    assert found_ids(first, PROBE) == [identity.id]


def test_empty_collections_go_to_the_new_network(open_gallery: OpenGallery) -> None:
    first = open_gallery()
    first.collections.create("staff", None)
    faceless, _ = enroll(first, collection="staff")
    second = open_gallery(model=OTHER_MODEL)
    for name in (COLLECTION, "staff"):
        taken = second.collections.get(name)
        assert (taken.embedder, taken.digest, taken.dimension) == (
            OTHER_MODEL.name,
            OTHER_MODEL.digest,
            OTHER_MODEL.dimension,
        )
        identity, _ = enroll(second, OTHER_PROBE, collection=name)
        assert found_ids(second, OTHER_PROBE, collection=name) == [identity.id]
    assert second.people.get("staff", faceless.id) == faceless


def test_similarities_that_an_empty_collection_fixes_are_warned_of(
    open_gallery: OpenGallery,
) -> None:
    first = open_gallery()
    first.collections.create("rates", None)
    first.collections.update("rates", CollectionChanges(options={"decisions": {"margin": 0.0}}))
    fixed = {"decisions": {"identify_threshold": 0.93, "margin": 0.01}}
    first.collections.update(COLLECTION, CollectionChanges(options=fixed))
    faceless, _ = enroll(first)
    first.people.update(COLLECTION, faceless.id, IdentityChanges(threshold=0.95))
    structlog.reset_defaults()
    with capture_logs() as logs:
        second = open_gallery(model=OTHER_MODEL)
        open_gallery(model=OTHER_MODEL)
    (warning,) = [line for line in logs if line["log_level"] == "warning"]
    assert (warning["collection"], warning["options"], warning["people_with_thresholds"]) == (
        COLLECTION,
        ["identify_threshold", "margin"],
        1,
    )
    assert (warning["found_for"], warning["embedder"]) == (MODEL.name, OTHER_MODEL.name)
    kept = second.collections.get(COLLECTION).options.decisions
    assert (kept.identify_threshold, kept.margin) == (0.93, 0.01)


def test_network_comes_back_once_all_faces_of_the_other_are_deleted(
    open_gallery: OpenGallery,
) -> None:
    second = open_gallery(model=OTHER_MODEL)
    identity, _ = enroll(second, OTHER_PROBE)
    second.people.delete(COLLECTION, identity.id)
    first = open_gallery()
    ours, _ = enroll(first, PROBE)
    assert found_ids(first, PROBE) == [ours.id]


def test_process_of_the_old_network_is_refused_after_the_change(
    open_gallery: OpenGallery, database: Database
) -> None:
    first = open_gallery()
    faceless, _ = enroll(first)
    second = open_gallery(model=OTHER_MODEL)
    theirs, (face_id,) = enroll(second, OTHER_PROBE)
    before = count_rows(database), second.collections.get(COLLECTION)
    uses: list[Callable[[], object]] = [
        lambda: first.collections.require(COLLECTION),
        lambda: first.people.enroll(COLLECTION, NewIdentity(), [new_face(PROBE)]),
        lambda: first.faces.add(COLLECTION, faceless.id, [new_face(PROBE)]),
        lambda: search_people(first, COLLECTION, [PROBE], top_k=1),
        lambda: compare(first, COLLECTION, theirs.id, PROBE),
        lambda: first.faces.probe_of(COLLECTION, face_id),
    ]
    for use in uses:
        with pytest.raises(EmbedderMismatch, match=f"belongs to the embedder {OTHER_MODEL.name}"):
            use()
    assert (count_rows(database), second.collections.get(COLLECTION)) == before
    assert found_ids(second, OTHER_PROBE) == [theirs.id]


def test_process_of_the_old_network_still_manages_people(open_gallery: OpenGallery) -> None:
    first = open_gallery()
    second = open_gallery(model=OTHER_MODEL)
    theirs, (face_id, _) = enroll(second, OTHER_PROBE, -OTHER_PROBE)
    renamed = first.people.update(COLLECTION, theirs.id, IdentityChanges(name="Ada"))
    assert renamed.name == "Ada"
    added, _ = enroll(first)
    assert first.sync.face_count() == second.sync.face_count() == 2
    assert first.people.get(COLLECTION, added.id) == added
    first.faces.delete(COLLECTION, theirs.id, face_id)
    first.people.delete(COLLECTION, theirs.id)
    assert found_ids(second, OTHER_PROBE) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_collection_is_not_taken_over_beside_its_first_enrolment(
    open_gallery: OpenGallery, connect: Connect, database: Database
) -> None:
    first = open_gallery()
    theirs = connect()
    looked = Event()

    @event.listens_for(theirs.engine, "after_cursor_execute")
    def _saw_no_face(_c: object, _u: object, statement: str, *_rest: object) -> None:
        if "FROM faces" in statement:
            looked.set()

    def is_waiting() -> bool:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        with database.reading() as session:
            return bool(session.scalar(waiting))

    with ThreadPoolExecutor(1) as pool:
        with first.store.changing(COLLECTION) as transaction:
            person = NewPerson(NewIdentity(), (new_face(PROBE),))
            enroll_people(transaction, [person], by_crop=True)
            taking_over = pool.submit(new_gallery(theirs, model=OTHER_MODEL).open)
            while not (looked.is_set() or is_waiting()):
                pass
        with pytest.raises(EmbedderChanged):
            taking_over.result(timeout=30)
    assert len(found_ids(first, PROBE)) == 1
