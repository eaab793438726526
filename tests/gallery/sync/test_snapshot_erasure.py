"""What was deleted is in no snapshot any more: at once if asked for, else with the next save."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from app.gallery.gallery import Gallery
from app.gallery.index.protocol import FaceNumbers, LocalIndex, Vectors
from app.gallery.records import IdentityChanges
from app.gallery.sync.snapshot_file import Source
from app.gallery.sync.snapshot_keys import SnapshotKey
from app.gallery.sync.snapshots import SnapshotStore
from app.recognition.types import Embedding
from tests.gallery.conftest import OpenGallery, sqlite_only
from tests.gallery.factories import COLLECTION, enroll, enroll_at_once, unit_vector, unit_vectors
from tests.kit.exact_index import ExactIndex

SECRET, KEPT = unit_vector(1), unit_vector(2)


def holds(folder: Path, embedding: Embedding) -> bool:
    """Whether its bytes are anywhere in the folder."""
    return any(embedding.tobytes() in path.read_bytes() for path in folder.iterdir())


Delete = Callable[[Gallery, bool], object]


@pytest.fixture
def people(open_gallery: OpenGallery) -> tuple[str, str]:
    """Ids of somebody with the secret face, and of that face, among others."""
    gallery = open_gallery()
    enroll_at_once(gallery, [[vector] for vector in unit_vectors(30, seed=3)])
    identity, (face_id, _) = enroll(gallery, SECRET, KEPT)
    return identity.id, face_id


@pytest.fixture(params=["identity", "face", "collection"])
def delete(request: pytest.FixtureRequest, people: tuple[str, str]) -> Delete:
    """Deletes the secret face, one way or another."""
    identity_id, face_id = people
    return {
        "identity": lambda gallery, compact: gallery.people.delete(
            COLLECTION, identity_id, compact=compact
        ),
        "face": lambda gallery, compact: gallery.faces.delete(
            COLLECTION, identity_id, face_id, compact=compact
        ),
        "collection": lambda gallery, compact: gallery.collections.delete(
            COLLECTION, compact=compact
        ),
    }[request.param]


@pytest.fixture
def saved(open_saved: OpenGallery, people: tuple[str, str], snapshot_folder: Path) -> Gallery:  # noqa: ARG001
    gallery = open_saved()
    gallery.sync.save()
    assert holds(snapshot_folder, SECRET)
    return gallery


@sqlite_only
def test_deleted_face_is_in_no_snapshot_after_the_next_save(
    saved: Gallery, delete: Delete, snapshot_folder: Path
) -> None:
    delete(saved, False)
    saved.sync.save()
    assert not holds(snapshot_folder, SECRET)


@sqlite_only
def test_face_deleted_by_another_process_is_in_no_snapshot_after_the_next_save(
    saved: Gallery, delete: Delete, snapshot_folder: Path, open_gallery: OpenGallery
) -> None:
    delete(open_gallery(), False)
    saved.sync.save()
    assert not holds(snapshot_folder, SECRET)


@sqlite_only
def test_face_deleted_at_once_is_in_no_snapshot_from_then_on(
    saved: Gallery, delete: Delete, snapshot_folder: Path
) -> None:
    delete(saved, True)
    assert not holds(snapshot_folder, SECRET)
    saved.sync.save()
    assert not holds(snapshot_folder, SECRET)


@sqlite_only
def test_face_deleted_at_once_by_another_process_is_in_no_snapshot_from_then_on(
    saved: Gallery, delete: Delete, snapshot_folder: Path, open_saved: OpenGallery
) -> None:
    delete(open_saved(), True)
    assert not holds(snapshot_folder, SECRET)
    saved.sync.save()
    assert not holds(snapshot_folder, SECRET)


@sqlite_only
def test_others_are_saved_again_after_an_erasure(
    saved: Gallery, people: tuple[str, str], snapshot_folder: Path
) -> None:
    identity_id, face_id = people
    saved.faces.delete(COLLECTION, identity_id, face_id, compact=True)
    assert not holds(snapshot_folder, KEPT)
    saved.sync.save()
    assert holds(snapshot_folder, KEPT)


@sqlite_only
def test_person_who_expired_is_in_no_snapshot_after_the_next_save(
    saved: Gallery, people: tuple[str, str], snapshot_folder: Path
) -> None:
    expired = IdentityChanges(expires_at=datetime.now(UTC))
    saved.people.update(COLLECTION, people[0], expired)
    saved.people.erase_expired(log_revisions=1_000)
    saved.close()
    assert not holds(snapshot_folder, SECRET)


@sqlite_only
def test_snapshot_that_is_being_written_goes_with_the_face_deleted_meanwhile(
    open_saved: OpenGallery, delete: Delete, snapshot_folder: Path
) -> None:
    eraser = open_saved()
    erasing = Thread(target=delete, args=(eraser, True))

    class ErasedWhileCopied(ExactIndex):
        def pieces(self) -> Iterator[tuple[FaceNumbers, Vectors]]:
            yield from super().pieces()
            if not erasing.ident:
                erasing.start()

    gallery = open_saved(make_index=ErasedWhileCopied)
    gallery.sync.save()
    erasing.join(timeout=30)
    assert not erasing.is_alive()
    assert not holds(snapshot_folder, SECRET)


@sqlite_only
def test_face_deleted_at_once_just_before_a_snapshot_is_written_is_not_in_it(
    open_gallery: OpenGallery,
    open_saved: OpenGallery,
    delete: Delete,
    snapshot_folder: Path,
) -> None:
    """The writer has looked at the database already, and not yet begun to write."""
    eraser = open_saved()

    class ErasedFirst(SnapshotStore):
        erased = False

        def write(
            self,
            source: Source,
            revision: int,
            index: LocalIndex,
            *,
            removals: int | None = None,
            key: SnapshotKey | None = None,
        ) -> bool:
            if not self.erased:
                self.erased = True
                delete(eraser, True)
            return super().write(source, revision, index, removals=removals, key=key)

    store = ErasedFirst(snapshot_folder)
    gallery = open_gallery(snapshots=store)
    gallery.sync.save()
    assert store.erased
    assert not holds(snapshot_folder, SECRET)
    gallery.sync.save()
    assert not holds(snapshot_folder, SECRET)
