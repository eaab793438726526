"""The index follows the database, whoever changed it and whatever happened in between."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import text

from app.errors import CollectionNotFound
from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.index.protocol import FaceNumbers, Vectors
from app.gallery.records import Face
from app.gallery.store.database import Database
from app.gallery.sync.index_sync import IndexSync
from app.recognition.types import Embedding
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import (
    COLLECTION,
    all_identities,
    assert_agrees,
    enroll,
    enroll_people,
    found_ids,
    new_face,
    search_people,
    unit_vector,
    unit_vectors,
)

PROBE = unit_vector(1)


class FlakyIndex(FaissIndex):
    """Stops half-way when it is told to, once."""

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension)
        self.fails_at: set[str] = set()

    def add(self, numbers: FaceNumbers, vectors: Vectors) -> None:
        if "add" in self.fails_at:
            super().add(numbers[:1], vectors[:1])
        self._fail("add")
        super().add(numbers, vectors)

    def remove(self, numbers: FaceNumbers) -> None:
        if "remove" in self.fails_at:
            super().remove(numbers[:1])
        self._fail("remove")
        super().remove(numbers)

    def _fail(self, at: str) -> None:
        if at in self.fails_at:
            self.fails_at.remove(at)
            raise RuntimeError(f"cannot {at}")


def sync_of(gallery: Gallery) -> IndexSync:
    assert isinstance(gallery.sync, IndexSync)
    return gallery.sync


def index_of(gallery: Gallery) -> FlakyIndex:
    ((_, state),) = sync_of(gallery).states.items()
    assert isinstance(state.indexed.index, FlakyIndex)
    return state.indexed.index


def watermark(gallery: Gallery) -> int:
    ((_, state),) = sync_of(gallery).states.items()
    return state.indexed.watermark


def interrupted_by(other: Gallery, late: Embedding, enrolled: list[str]) -> type[FaissIndex]:
    """An index during whose first addition another process enrolls `late`; notes whom it made."""

    class Interrupted(FaissIndex):
        def add(self, numbers: FaceNumbers, vectors: NDArray[np.float32]) -> None:
            if not enrolled:
                enrolled.append(enroll(other, late)[0].id)
            super().add(numbers, vectors)

    return Interrupted


def test_process_finds_at_once_whom_another_enrolled(open_gallery: OpenGallery) -> None:
    ours, theirs = open_gallery(), open_gallery()
    for vector in unit_vectors(4, seed=2):
        identity, _ = enroll(ours, vector)
        assert found_ids(theirs, vector, top_k=1) == [identity.id]
        ours, theirs = theirs, ours
    assert ours.sync.face_count() == theirs.sync.face_count() == 4


def test_process_never_finds_whom_another_deleted(open_gallery: OpenGallery) -> None:
    ours, theirs = open_gallery(), open_gallery()
    person, _ = enroll(ours, PROBE)
    with_two_faces, (gone, _) = enroll(ours, PROBE, -PROBE)
    assert sorted(found_ids(theirs, PROBE)) == sorted([person.id, with_two_faces.id])
    ours.people.delete(COLLECTION, person.id)
    assert found_ids(theirs, PROBE) == [with_two_faces.id]
    ours.faces.delete(COLLECTION, with_two_faces.id, gone)
    ((found,),) = search_people(theirs, COLLECTION, [PROBE], top_k=5)
    assert found.similarity == pytest.approx(-1)
    ours.collections.delete(COLLECTION)
    assert found_ids(theirs, PROBE) == []
    ours.collections.create("staff", None)
    search_people(theirs, "staff", [PROBE], top_k=5)
    ours.collections.delete("staff")
    with pytest.raises(CollectionNotFound):
        search_people(theirs, "staff", [PROBE], top_k=5)


def test_process_follows_a_collection_that_another_deleted_and_made_again(
    open_gallery: OpenGallery,
) -> None:
    ours, theirs = open_gallery(), open_gallery()
    enroll(ours, PROBE, unit_vector(2))
    assert len(found_ids(theirs, PROBE)) == 1
    ours.collections.delete(COLLECTION)
    assert found_ids(theirs, PROBE) == []
    identity, _ = enroll(theirs, -PROBE)
    for process in (ours, theirs):
        assert found_ids(process, PROBE) == [identity.id]
        assert process.sync.face_count() == 1


def test_process_forgets_a_collection_that_another_deleted(open_gallery: OpenGallery) -> None:
    ours, theirs = open_gallery(), open_gallery()
    ours.collections.create("staff", None)
    enroll(ours, PROBE, collection="staff")
    assert len(found_ids(theirs, PROBE, collection="staff")) == 1
    ours.collections.delete("staff")
    with pytest.raises(CollectionNotFound):
        theirs.collections.require("staff")
    theirs.sync.follow()
    assert theirs.sync.face_count() == 0


def test_restart_changes_no_answer(open_gallery: OpenGallery) -> None:
    before = open_gallery()
    before.collections.create("staff", None)
    rng = np.random.default_rng(3)
    vectors = iter(unit_vectors(60, seed=3))
    for name in (COLLECTION, "staff"):
        people = enroll_people(
            before,
            [[next(vectors) for _ in range(rng.integers(1, 4))] for _ in range(8)],
            collection=name,
        )
        before.people.delete(name, list(people)[3])
    after = open_gallery()
    probes = list(unit_vectors(5, seed=4))
    for name in (COLLECTION, "staff"):
        assert search_people(after, name, probes, top_k=3) == search_people(
            before, name, probes, top_k=3
        )
        assert all_identities(after, collection=name) == all_identities(before, collection=name)
        assert after.collections.get(name) == before.collections.get(name)
    assert after.sync.face_count() == before.sync.face_count() > 0


def test_face_that_came_and_went_between_two_looks_is_never_found(
    open_gallery: OpenGallery,
) -> None:
    ours, theirs = open_gallery(), open_gallery()
    kept, (kept_face,) = enroll(ours, -PROBE)
    assert found_ids(theirs, PROBE) == [kept.id]
    _, faces = ours.faces.add(COLLECTION, kept.id, [new_face(PROBE)])
    passing, _ = enroll(ours, PROBE, unit_vector(2))
    (added,) = faces
    assert isinstance(added, Face)
    ours.faces.delete(COLLECTION, kept.id, added.id)
    ours.people.delete(COLLECTION, passing.id)
    ((found,),) = search_people(theirs, COLLECTION, [PROBE], top_k=5)
    assert (found.identity.id, found.face_id) == (kept.id, kept_face)
    assert theirs.sync.face_count() == 1
    assert watermark(theirs) == watermark(ours)


def test_index_is_built_anew_after_the_database_was_set_back(
    open_gallery: OpenGallery, database: Database
) -> None:
    gallery = open_gallery()
    vectors = unit_vectors(6, seed=5)
    people = enroll_people(gallery, [[vector] for vector in vectors[:3]])
    backup = gallery.collections.get(COLLECTION).revision
    with database.reading() as session:
        kept = session.scalar(text("SELECT max(number) FROM identities"))
    lost = enroll_people(gallery, [[vector] for vector in vectors[3:]])
    with database.writing() as session:
        for statement in (
            "DELETE FROM identities WHERE number > :kept",
            "DELETE FROM changes WHERE revision > :backup",
            "UPDATE collections SET revision = :backup",
        ):
            session.execute(text(statement), {"backup": backup, "kept": kept})
    for probe in vectors:
        (candidates,) = search_people(gallery, COLLECTION, [probe], top_k=10)
        assert_agrees(candidates, people, probe, top_k=10)
    assert gallery.sync.face_count() == 3
    assert watermark(gallery) == backup
    identity, faces = enroll(gallery, vectors[5])
    (candidates,) = search_people(gallery, COLLECTION, [vectors[5]], top_k=10)
    assert_agrees(candidates, {**people, identity.id: faces}, vectors[5], top_k=10)
    assert not lost.keys() & {found.identity.id for found in candidates}


def test_enrolment_is_acknowledged_and_found_although_the_index_failed(
    open_gallery: OpenGallery,
) -> None:
    gallery = open_gallery(make_index=FlakyIndex)
    enroll(gallery, -PROBE)
    failing = index_of(gallery)
    failing.fails_at.add("add")
    identity, _ = enroll(gallery, PROBE, unit_vector(2))
    assert not failing.fails_at
    assert found_ids(gallery, PROBE, top_k=1) == [identity.id]
    assert gallery.sync.face_count() == gallery.collections.get(COLLECTION).face_count == 3
    assert watermark(gallery) == 2


def test_deletion_is_acknowledged_and_holds_although_the_index_failed(
    open_gallery: OpenGallery,
) -> None:
    gallery = open_gallery(make_index=FlakyIndex)
    identity, _ = enroll(gallery, PROBE, unit_vector(2))
    failing = index_of(gallery)
    failing.fails_at.add("remove")
    gallery.people.delete(COLLECTION, identity.id)
    assert not failing.fails_at
    assert found_ids(gallery, PROBE) == []
    assert gallery.sync.face_count() == 0


def test_missed_change_of_both_kinds_is_made_up_for_completely(
    open_gallery: OpenGallery,
) -> None:
    gallery, other = open_gallery(make_index=FlakyIndex), open_gallery()
    first, _ = enroll(gallery, PROBE)
    other.people.delete(COLLECTION, first.id)
    second, _ = enroll(other, PROBE)
    index_of(gallery).fails_at.add("add")
    with pytest.raises(RuntimeError):
        found_ids(gallery, PROBE)
    assert found_ids(gallery, PROBE) == [second.id]
    assert gallery.sync.face_count() == 1


def test_watermark_never_passes_what_was_read_of_the_log(open_gallery: OpenGallery) -> None:
    other = open_gallery()
    late = unit_vector(2)
    enrolled_meanwhile: list[str] = []
    gallery = open_gallery(make_index=interrupted_by(other, late, enrolled_meanwhile))
    identity, _ = enroll(other, PROBE)
    assert found_ids(gallery, PROBE) == [identity.id]
    assert watermark(gallery) == 1
    assert found_ids(gallery, late, top_k=1) == enrolled_meanwhile
    assert watermark(gallery) == gallery.collections.get(COLLECTION).revision == 2


def test_index_built_beside_a_writer_misses_nobody(open_gallery: OpenGallery) -> None:
    other = open_gallery()
    first, _ = enroll(other, PROBE)
    late = unit_vector(2)
    enrolled_meanwhile: list[str] = []
    gallery = open_gallery(make_index=interrupted_by(other, late, enrolled_meanwhile))
    assert found_ids(gallery, PROBE, top_k=1) == [first.id]
    assert found_ids(gallery, late, top_k=1) == enrolled_meanwhile
    assert gallery.sync.face_count() == 2


def test_database_set_back_beneath_a_process_never_answers_a_wrong_name(
    open_gallery: OpenGallery, database: Database
) -> None:
    """Numbers and revisions were given out again, so only the embeddings tell the difference."""
    gallery = open_gallery()
    ann, _ = enroll(gallery, PROBE)
    assert found_ids(gallery, PROBE) == [ann.id]
    bobs = unit_vector(9)
    with database.writing() as session:
        session.execute(text("UPDATE identities SET id = :id, name = 'Bob'"), {"id": "b" * 32})
        session.execute(text("UPDATE faces SET embedding = :bytes"), {"bytes": bobs.tobytes()})
    (candidates,) = search_people(gallery, COLLECTION, [PROBE], top_k=5)
    assert [found.similarity for found in candidates] == pytest.approx([float(bobs @ PROBE)])
    ((found,),) = search_people(gallery, COLLECTION, [bobs], top_k=5)
    assert found.similarity == pytest.approx(1)
