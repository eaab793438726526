"""Snapshots are copied while people come and go; with the log since, they tell the truth."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.gallery.gallery import Gallery
from app.gallery.index import faiss_index
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.index.protocol import FaceNumbers, Vectors
from app.gallery.sync.snapshot_file import Source
from app.gallery.sync.snapshots import SnapshotStore
from app.recognition.types import Embedding
from tests.gallery.conftest import OpenGallery, sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    assert_agrees,
    by_id,
    enroll,
    enroll_at_once,
    new_face,
    search_people,
    unit_vector,
    unit_vectors,
)

PIECE = 4

between_pieces: list[Callable[[], object]] = []
"""Done one after the other, each when one more piece has been copied."""


class Interrupted(FaissIndex):
    def pieces(self) -> Iterator[tuple[FaceNumbers, Vectors]]:
        for piece in super().pieces():
            yield piece
            if between_pieces:
                between_pieces.pop(0)()


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(faiss_index, "_COPIED_AT_ONCE", PIECE)
    yield
    between_pieces.clear()


class Crowd:
    """A gallery and the dictionary of who is in it; changes itself at random."""

    def __init__(self, gallery: Gallery, *, seed: int) -> None:
        self._gallery = gallery
        self._rng = np.random.default_rng(seed)
        self._vectors = iter(unit_vectors(300, seed=seed))
        self.people = enroll_at_once(gallery, [[next(self._vectors)] for _ in range(30)])

    def change(self) -> None:
        changes = (self._enroll, self._add_faces, self._delete, self._delete_face)
        for chosen in self._rng.choice(len(changes), size=3):
            changes[chosen]()

    def _somebody(self) -> str:
        return list(self.people)[self._rng.integers(len(self.people))]

    def _enroll(self) -> None:
        identity, faces = enroll(self._gallery, next(self._vectors), next(self._vectors))
        self.people[identity.id] = faces

    def _add_faces(self) -> None:
        embeddings: list[Embedding] = [next(self._vectors), next(self._vectors)]
        somebody = self._somebody()
        _, faces = self._gallery.faces.add(COLLECTION, somebody, [*map(new_face, embeddings)])
        self.people[somebody].update(by_id(faces, embeddings))

    def _delete(self) -> None:
        self._gallery.people.delete(COLLECTION, gone := self._somebody())
        del self.people[gone]

    def _delete_face(self) -> None:
        somebody = self._somebody()
        for face_id in list(self.people[somebody])[:1]:
            self._gallery.faces.delete(COLLECTION, somebody, face_id)
            del self.people[somebody][face_id]


def assert_answers(gallery: Gallery, crowd: Crowd) -> None:
    for probe in unit_vectors(3, seed=9):
        (candidates,) = search_people(gallery, COLLECTION, [probe], top_k=1_000)
        assert_agrees(candidates, crowd.people, probe, top_k=1_000)
    assert gallery.sync.face_count() == sum(map(len, crowd.people.values()))


@sqlite_only
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("by_another", [False, True], ids=["by itself", "by another"])
def test_copy_made_beside_changes_becomes_the_truth_with_the_log_since(
    open_gallery: OpenGallery,
    open_saved: OpenGallery,
    snapshot_folder: Path,
    full_reads: list[str],
    seed: int,
    by_another: bool,
) -> None:
    gallery = open_saved(make_index=Interrupted)
    crowd = Crowd(open_gallery() if by_another else gallery, seed=seed)

    def change() -> None:
        crowd.change()
        gallery.sync.follow()

    between_pieces.extend([change] * 5)
    gallery.sync.save()
    assert not between_pieces
    assert (snapshot_folder / "1.index").exists()
    crowd.change()
    full_reads.clear()
    assert_answers(open_saved(), crowd)
    assert full_reads == []
    assert_answers(gallery, crowd)


@sqlite_only
def test_face_that_moved_while_it_was_copied_is_restored_once(
    open_saved: OpenGallery,
    snapshot_folder: Path,
    full_reads: list[str],
) -> None:
    gallery = open_saved(make_index=Interrupted)
    vectors = unit_vectors(3 * PIECE, seed=1)
    people = enroll_at_once(gallery, [[vector] for vector in vectors])

    def delete_the_first() -> None:  # whose place the last one takes
        gallery.people.delete(COLLECTION, gone := next(iter(people)))
        del people[gone]

    between_pieces.append(delete_the_first)
    gallery.sync.save()
    with gallery.store.reading(COLLECTION) as transaction:
        source = Source.of(transaction.collection)
    snapshot = SnapshotStore(snapshot_folder).read(source)
    assert snapshot is not None
    numbers = snapshot.numbers.tolist()
    assert len(numbers) == 3 * PIECE
    assert len(set(numbers)) == 3 * PIECE - 1
    full_reads.clear()
    after = open_saved()
    assert full_reads == []
    assert after.sync.face_count() == 3 * PIECE - 1
    probe = unit_vector(2)
    (candidates,) = search_people(after, COLLECTION, [probe], top_k=1_000)
    assert_agrees(candidates, people, probe, top_k=1_000)


@sqlite_only
def test_everybody_deleted_while_the_copy_is_made_stays_deleted(
    open_saved: OpenGallery, full_reads: list[str]
) -> None:
    gallery = open_saved(make_index=Interrupted)
    people = enroll_at_once(gallery, [[vector] for vector in unit_vectors(20, seed=1)])

    def delete_everybody() -> None:
        for identity_id in people:
            gallery.people.delete(COLLECTION, identity_id)

    between_pieces.append(delete_everybody)
    gallery.sync.save()
    full_reads.clear()
    after = open_saved()
    assert full_reads == []
    assert after.sync.face_count() == 0
    assert search_people(after, COLLECTION, [unit_vector(2)], top_k=5) == [()]
