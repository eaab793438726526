"""Many writers at once: one winner, no orphans, and a log without gaps."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest
from sqlalchemy import select, text

from app.errors import (
    CollectionExists,
    CollectionNotFound,
    ExternalIdTaken,
    FaceNotFound,
    IdentityNotFound,
    VultusError,
)
from app.gallery.gallery import Gallery
from app.gallery.people.correction_records import MovedFace
from app.gallery.records import Face, Identity, IdentityChanges, NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.tables import ChangeTable
from app.recognition.types import Embedding
from tests.gallery.conftest import Connect, OpenGallery
from tests.gallery.factories import (
    COLLECTION,
    all_identities,
    assert_agrees,
    at_once,
    count_rows,
    enroll,
    found_ids,
    new_face,
    new_gallery,
    search_people,
    unit_vector,
    unit_vectors,
)

PROBE = unit_vector(1)


def outcomes(results: Sequence[object]) -> Counter[str]:
    """How often each kind of error came back, and `ok` for the rest."""
    return Counter(
        type(result).__name__ if isinstance(result, VultusError) else "ok" for result in results
    )


def assert_no_orphans(database: Database) -> None:
    with database.reading() as session:
        for table in ("identities", "faces", "changes"):
            orphans = text(
                f"SELECT count(*) FROM {table} WHERE collection_number"  # noqa: S608
                " NOT IN (SELECT number FROM collections)"
            )
            assert session.scalar(orphans) == 0
        without_person = text(
            "SELECT count(*) FROM faces WHERE identity_number NOT IN"
            " (SELECT number FROM identities)"
        )
        assert session.scalar(without_person) == 0


def test_merges_and_moves_lose_no_face_to_other_processes(
    open_gallery: OpenGallery, database: Database
) -> None:
    processes = [open_gallery(), open_gallery()]
    corrections = [process.corrections for process in processes]
    vectors = unit_vectors(60, seed=4)
    for turn in range(6):
        mine = vectors[turn * 10 : turn * 10 + 10]
        into, _ = enroll(processes[0], mine[0])
        gone, (face_id, _) = enroll(processes[0], mine[1], mine[2])
        left, _ = enroll(processes[1], mine[3])
        tasks: list[Callable[[], object]] = [
            partial(corrections[0].merge, COLLECTION, into.id, [gone.id]),
            partial(corrections[1].move_face, COLLECTION, face_id, left.id),
            partial(processes[1].faces.add, COLLECTION, gone.id, [new_face(mine[4])]),
            partial(processes[0].faces.add, COLLECTION, into.id, [new_face(mine[5])]),
            partial(processes[1].search.remember, COLLECTION, "till", [gone.id, left.id], most=9),
            partial(processes[0].search.remember, COLLECTION, "till", [into.id], most=9),
            partial(processes[1].people.delete, COLLECTION, left.id),
        ]
        merged, moved, added, own, *_, deleted = at_once(tasks)
        assert not isinstance(merged, VultusError), merged
        assert not isinstance(own, VultusError), own
        assert not isinstance(deleted, VultusError), deleted
        assert outcomes([moved]).keys() <= {"ok", IdentityNotFound.__name__}
        assert outcomes([added]).keys() <= {"ok", IdentityNotFound.__name__}
        was_moved = moved.face.id == face_id if isinstance(moved, MovedFace) else False
        # Deleted with the person it was given to, unless it was the merged one's by then.
        faces = processes[0].people.get(COLLECTION, into.id).face_count
        assert faces == 4 + (not isinstance(added, VultusError)) - was_moved
        for process in processes:
            assert found_ids(process, mine[2], top_k=1) == [into.id]
            assert left.id not in found_ids(process, mine[3])
    assert_no_orphans(database)
    people = processes[0].collections.get(COLLECTION)
    assert people.identity_count == 6
    for process in processes:
        process.sync.follow()
        assert process.sync.face_count() == people.face_count


def test_racing_for_a_key_has_one_winner(open_gallery: OpenGallery) -> None:
    processes = [open_gallery(), open_gallery()]
    for key in ("first", "second", "third"):
        results = at_once(
            [
                partial(
                    processes[i % 2].people.enroll,
                    COLLECTION,
                    NewIdentity(external_id=key),
                    [new_face(unit_vector(i))],
                )
                for i in range(8)
            ]
        )
        assert outcomes(results) == {"ok": 1, ExternalIdTaken.__name__: 7}
    collection = processes[0].collections.get(COLLECTION)
    assert (collection.identity_count, collection.face_count, collection.revision) == (3, 3, 3)
    assert all(len(found_ids(process, PROBE)) == 3 for process in processes)


def test_racing_to_change_to_a_key_has_one_winner(gallery: Gallery) -> None:
    people = [enroll(gallery)[0] for _ in range(8)]
    wanted = IdentityChanges(external_id="wanted")
    results = at_once(
        [partial(gallery.people.update, COLLECTION, person.id, wanted) for person in people]
    )
    assert outcomes(results) == {"ok": 1, ExternalIdTaken.__name__: 7}
    assert [person.external_id for person in all_identities(gallery)].count("wanted") == 1


def test_racing_to_create_a_collection_has_one_winner(gallery: Gallery) -> None:
    results = at_once([partial(gallery.collections.create, "staff", str(i)) for i in range(8)])
    assert outcomes(results) == {"ok": 1, CollectionExists.__name__: 7}


def test_processes_that_start_together_all_start(connect: Connect, database: Database) -> None:
    processes = [new_gallery(connect()) for _ in range(6)]
    assert outcomes(at_once([process.open for process in processes])) == {"ok": 6}
    assert count_rows(database)["collections"] == 1


def test_racing_to_delete_has_one_winner(gallery: Gallery) -> None:
    identity, (face_id, _) = enroll(gallery, PROBE, -PROBE)
    results = at_once([partial(gallery.faces.delete, COLLECTION, identity.id, face_id)] * 8)
    assert outcomes(results) == {"ok": 1, FaceNotFound.__name__: 7}
    results = at_once([partial(gallery.people.delete, COLLECTION, identity.id)] * 8)
    assert outcomes(results) == {"ok": 1, IdentityNotFound.__name__: 7}
    gallery.collections.create("staff", None)
    results = at_once([partial(gallery.collections.delete, "staff")] * 8)
    assert outcomes(results) == {"ok": 1, CollectionNotFound.__name__: 7}
    assert gallery.sync.face_count() == 0


def test_default_collection_survives_any_number_of_deletions_at_once(gallery: Gallery) -> None:
    enroll(gallery, PROBE)
    results = at_once([partial(gallery.collections.delete, COLLECTION)] * 6)
    assert outcomes(results).keys() <= {"ok", CollectionNotFound.__name__}
    assert outcomes(results)["ok"] >= 1
    assert gallery.collections.get(COLLECTION).face_count == 0
    assert found_ids(gallery, PROBE) == []


def test_same_photo_sent_at_once_is_enrolled_once(gallery: Gallery) -> None:
    identity, _ = enroll(gallery)
    face = new_face(PROBE, photo="same")
    results = at_once([partial(gallery.faces.add, COLLECTION, identity.id, [face])] * 8)
    enrolled = [faces for _, faces in results if isinstance(faces[0], Face)]  # type: ignore[misc]
    assert len(enrolled) == 1
    assert gallery.sync.face_count() == 1


def test_enrolling_beside_deletion_of_the_collection_leaves_no_orphan(
    open_gallery: OpenGallery, database: Database
) -> None:
    ours, theirs = open_gallery(), open_gallery()
    for turn in range(4):
        ours.collections.create("staff", None)
        tasks: list[Callable[[], object]] = [
            partial(enroll, process, *unit_vectors(3, seed=turn), collection="staff")
            for process in (ours, theirs, ours, theirs, ours, theirs)
        ]
        tasks.insert(turn, partial(theirs.collections.delete, "staff"))
        results = at_once(tasks)
        assert not isinstance(results[turn], VultusError)
        assert outcomes(results).keys() <= {"ok", CollectionNotFound.__name__}
        assert_no_orphans(database)
        assert ours.collections.page(limit=10, cursor=None).items == (
            ours.collections.get(COLLECTION),
        )
    assert count_rows(database) == {"collections": 1, "identities": 0, "faces": 0, "changes": 0}


def test_adding_faces_beside_deletion_of_the_person_leaves_no_orphan(
    open_gallery: OpenGallery, database: Database
) -> None:
    ours, theirs = open_gallery(), open_gallery()
    for turn in range(4):
        identity, _ = enroll(ours, PROBE)
        tasks: list[Callable[[], object]] = [
            partial(process.faces.add, COLLECTION, identity.id, [new_face(unit_vector(i))])
            for i, process in enumerate((ours, theirs, ours, theirs))
        ]
        tasks.insert(turn, partial(theirs.people.delete, COLLECTION, identity.id))
        assert outcomes(at_once(tasks)).keys() <= {"ok", IdentityNotFound.__name__}
        assert_no_orphans(database)
        assert found_ids(ours, PROBE) == found_ids(theirs, PROBE) == []
        assert ours.sync.face_count() == theirs.sync.face_count() == 0


def test_revisions_appear_in_order_and_without_gaps(
    open_gallery: OpenGallery, database: Database
) -> None:
    processes = [open_gallery(), open_gallery()]
    processes[0].people.enroll(COLLECTION, NewIdentity(external_id="taken"), [])
    done = Event()

    def write(number: int) -> None:
        process = processes[number % 2]
        for turn in range(4):
            enroll(process, unit_vector(100 * number + turn))
            with pytest.raises(ExternalIdTaken):
                process.people.enroll(
                    COLLECTION, NewIdentity(external_id="taken"), [new_face(PROBE)]
                )

    def watch() -> list[int]:
        query = select(ChangeTable.revision).order_by(ChangeTable.revision, ChangeTable.face_number)
        seen: list[int] = []
        while True:
            last = done.is_set()
            with database.reading() as session:
                seen = list(session.scalars(query))
            assert seen == list(range(2, 2 + len(seen)))
            if last:
                return seen

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            results = at_once([partial(write, number) for number in range(6)])
        finally:
            done.set()
        assert len(watching.result(timeout=30)) == 24
    assert outcomes(results) == {"ok": 6}
    assert processes[0].collections.get(COLLECTION).revision == 25


def test_many_writers_and_searchers_all_get_through(open_gallery: OpenGallery) -> None:
    processes = [open_gallery(), open_gallery()]
    vectors = unit_vectors(20, seed=9)

    def work(number: int) -> dict[str, dict[str, Embedding]]:
        process, vector = processes[number % 2], vectors[number]
        identity, faces = enroll(process, vector)
        assert identity.id in found_ids(process, vector)
        short_lived, _ = enroll(process, vector)
        process.people.delete(COLLECTION, short_lived.id)
        assert short_lived.id not in found_ids(process, vector)
        return {identity.id: faces}

    results = at_once([partial(work, number) for number in range(len(vectors))])
    assert outcomes(results) == {"ok": len(vectors)}
    people: dict[str, dict[str, Embedding]] = {}
    for result in results:
        assert isinstance(result, dict)
        people |= result
    for process in processes:
        (candidates,) = search_people(process, COLLECTION, [PROBE], top_k=50)
        assert_agrees(candidates, people, PROBE, top_k=50)
        assert process.sync.face_count() == len(vectors)


def test_counts_in_answers_are_those_after_the_write(gallery: Gallery) -> None:
    identity, _ = enroll(gallery)

    def add(number: int) -> Identity:
        return gallery.faces.add(COLLECTION, identity.id, [new_face(unit_vector(number))])[0]

    results = at_once([partial(add, number) for number in range(8)])
    assert sorted(result.face_count for result in results) == list(range(1, 9))  # type: ignore[union-attr]
