"""Vectors of encrypted collections are turned by a secret rotation before Milvus has them."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import text

from app.gallery.gallery import Gallery
from app.gallery.index.protocol import FaceNumbers, Vectors
from app.gallery.milvus import milvus_sync
from app.gallery.milvus.milvus_index import MilvusIndex
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.space_repository import Role
from app.gallery.store.repositories.vault_repository import VaultRepository
from app.gallery.sync.rewrapping import rewrap
from app.gallery.sync.spaces import Spaces, renew_space
from tests.gallery.factories import (
    COLLECTION,
    assert_agrees,
    enroll,
    enroll_people,
    found_ids,
    search_people,
    unit_vector,
    unit_vectors,
)
from tests.gallery.milvus.conftest import OpenOnMilvus, sync_of

VECTORS = unit_vectors(30, seed=2)
PROBE = unit_vector(1)


def name_of(gallery: Gallery) -> str:
    """The name of the Milvus collection that is searched."""
    found_ids(gallery, PROBE)
    (index,) = sync_of(gallery)._known.values()
    return index.name


def in_milvus(gallery: Gallery) -> NDArray[np.float32]:
    """The vectors that Milvus has, in the order of the faces."""
    name = name_of(gallery)
    rows = sync_of(gallery)._milvus.ask(
        lambda client: client.query(name, filter="number >= 0", output_fields=["number", "vector"])
    )
    rows.sort(key=lambda row: row["number"])
    return np.array([row["vector"] for row in rows], dtype=np.float32)


def ours(gallery: Gallery) -> set[str]:
    """The Milvus collections of this database, by the beginning that their names share."""
    start = "_".join(name_of(gallery).split("_")[:4])
    return {name for name in sync_of(gallery)._milvus.names() if name.startswith(start)}


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milvus_sync, "_FACES_AT_ONCE", 7)
    monkeypatch.setattr(milvus_sync, "_UPLOADED_AT_ONCE", 7)


def test_milvus_has_turned_vectors_and_finds_the_same_people(open_on_milvus: OpenOnMilvus) -> None:
    gallery = open_on_milvus(sealed=True)
    people = enroll_people(gallery, [VECTORS[i : i + 3] for i in range(0, 30, 3)])
    kept = in_milvus(gallery)
    np.testing.assert_allclose(kept @ kept.T, VECTORS @ VECTORS.T, atol=1e-5)
    assert np.abs(kept - VECTORS).max(axis=1).min() > 0.01
    for probe in unit_vectors(3, seed=3):
        (candidates,) = search_people(gallery, COLLECTION, [probe], top_k=4)
        assert_agrees(candidates, people, probe, top_k=4)
    gone, *_ = people
    gallery.people.delete(COLLECTION, gone)
    del people[gone]
    (candidates,) = search_people(gallery, COLLECTION, [VECTORS[0]], top_k=20)
    assert_agrees(candidates, people, VECTORS[0], top_k=20)
    assert gallery.sync.lag().revisions_behind == 0


def test_without_encryption_milvus_has_the_vectors_as_they_are(
    open_on_milvus: OpenOnMilvus,
) -> None:
    gallery = open_on_milvus()
    enroll_people(gallery, [VECTORS[:3]])
    np.testing.assert_allclose(in_milvus(gallery), VECTORS[:3], atol=1e-6)
    assert not renew_space(gallery.store.database, COLLECTION)


def test_restart_and_other_processes_use_the_same_rotation(
    open_on_milvus: OpenOnMilvus, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_on_milvus(sealed=True)
    identity, _ = enroll(first, PROBE, unit_vector(2))
    added: list[int] = []
    add = MilvusIndex.add

    def counted(index: MilvusIndex, numbers: FaceNumbers, vectors: Vectors) -> None:
        added.extend(numbers.tolist())
        add(index, numbers, vectors)

    monkeypatch.setattr(MilvusIndex, "add", counted)
    second = open_on_milvus(sealed=True)
    assert found_ids(second, PROBE) == [identity.id]
    assert added == []
    other, _ = enroll(second, -PROBE)
    assert found_ids(first, -PROBE, top_k=1) == [other.id]
    assert name_of(first) == name_of(second)


@pytest.mark.usefixtures("small_pieces")
def test_renewed_space_takes_over_once_it_is_filled(
    open_on_milvus: OpenOnMilvus, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, beside = open_on_milvus(sealed=True), open_on_milvus(sealed=True)
    people = enroll_people(gallery, [[vector] for vector in VECTORS])
    before, old = in_milvus(gallery), name_of(beside)
    assert renew_space(gallery.store.database, COLLECTION)
    searched: list[str] = []
    upload = milvus_sync.MilvusSync._upload

    def searching(sync: milvus_sync.MilvusSync, *arguments: object) -> None:
        upload(sync, *arguments)  # type: ignore[arg-type]
        (candidates,) = search_people(beside, COLLECTION, [VECTORS[5]], top_k=4)
        assert_agrees(candidates, people, VECTORS[5], top_k=4)
        searched.append(name_of(beside))

    with monkeypatch.context() as patch:
        patch.setattr(milvus_sync.MilvusSync, "_upload", searching)
        gallery.sync.follow()
    assert len(searched) == 5
    assert set(searched) == {old}, "the first one answers until the other one is filled"
    gallery.sync.follow()
    after = in_milvus(gallery)
    np.testing.assert_allclose(after @ after.T, before @ before.T, atol=1e-5)
    assert np.abs(after - before).max(axis=1).min() > 0.01
    assert ours(gallery) == {name_of(gallery)}
    assert name_of(gallery) != old
    for one in (beside, gallery):
        (candidates,) = search_people(one, COLLECTION, [VECTORS[5]], top_k=4)
        assert_agrees(candidates, people, VECTORS[5], top_k=4)
    identity, _ = enroll(beside, PROBE)
    assert found_ids(gallery, PROBE, top_k=1) == [identity.id]


def test_search_of_a_space_that_is_dropped_meanwhile_goes_on_in_the_next(
    open_on_milvus: OpenOnMilvus,
) -> None:
    gallery, beside = open_on_milvus(sealed=True), open_on_milvus(sealed=True)
    enroll(gallery, PROBE)
    with Store(beside.store.database).reading_all() as collections:
        index = beside.sync.index_at(collections.get(COLLECTION))
    renew_space(gallery.store.database, COLLECTION)
    gallery.sync.follow()
    gallery.sync.follow()
    name = name_of(gallery)
    (hits,) = index.search(PROBE[None], 1)
    assert hits.similarities[0] == pytest.approx(1, abs=1e-5)
    assert name_of(gallery) == name, "nothing was begun anew"


def test_collection_that_is_encrypted_later_is_turned_in_the_background(
    open_on_milvus: OpenOnMilvus,
) -> None:
    clear = open_on_milvus()
    identity, _ = enroll(clear, PROBE, unit_vector(2))
    np.testing.assert_allclose(in_milvus(clear)[0], PROBE, atol=1e-6)
    clear_name = name_of(clear)
    gallery = open_on_milvus(sealed=True, start=False)
    with Store(gallery.store.database).writing_all() as collections:
        collections.begin_sealing(collections.lock(COLLECTION), is_complete=False)
    assert name_of(gallery) == clear_name
    gallery.sync.follow()
    gallery.sync.follow()
    assert found_ids(gallery, PROBE) == [identity.id]
    assert np.abs(in_milvus(gallery)[0] - PROBE).max() > 0.01
    assert ours(gallery) == {name_of(gallery)}
    assert clear_name not in ours(gallery)


def test_rotation_that_does_not_open_any_more_is_replaced(open_on_milvus: OpenOnMilvus) -> None:
    gallery = open_on_milvus(sealed=True)
    identity, _ = enroll(gallery, PROBE)
    name = name_of(gallery)
    with gallery.store.database.writing() as session:
        session.execute(text("UPDATE spaces SET id = 'another'"))
    after = open_on_milvus(sealed=True)
    assert found_ids(after, PROBE) == [identity.id]
    assert name_of(after) != name
    after.sync.follow()
    assert name not in ours(after)


def test_rotation_stays_when_the_key_of_the_collection_is_changed(
    open_on_milvus: OpenOnMilvus,
) -> None:
    gallery = open_on_milvus(sealed=True)
    enroll(gallery, PROBE)
    kept = in_milvus(gallery)
    with gallery.store.writing_all() as collections:
        collections.begin_sealing(collections.lock(COLLECTION), is_complete=True)
    rewrap(gallery.store.database, 1)
    with gallery.store.database.writing() as session:
        assert VaultRepository(session).forget_before(1, 2) == 1
    database = gallery.store.database
    database.vault.forget()
    with gallery.store.reading_all() as collections:
        space = Spaces(database).find(collections, collections.get(COLLECTION), Role.CURRENT)
    assert space is not None
    np.testing.assert_allclose(space.rotation.turn(PROBE[None]), kept, atol=1e-6)
