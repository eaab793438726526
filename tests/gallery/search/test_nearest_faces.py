"""A search by face gives what a naive loop over all faces gives."""

from datetime import UTC, datetime

import numpy as np
import pytest

from app.gallery.gallery import Gallery
from app.gallery.records import IdentityChanges, PeopleFilter
from app.gallery.search import face_lookup
from app.gallery.search.nearest_faces import FacesQuery
from app.recognition.types import Embedding
from tests.gallery.conftest import sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    enroll,
    enroll_at_once,
    unit_vector,
    unit_vectors,
)

PROBE = unit_vector(1)


def naive(faces: dict[str, Embedding], top_k: int) -> list[tuple[str, float]]:
    alike = [(face_id, float(embedding @ PROBE)) for face_id, embedding in faces.items()]
    return sorted(alike, key=lambda found: -found[1])[:top_k]


def found(gallery: Gallery, query: FacesQuery) -> list[tuple[str, float]]:
    result = gallery.search.find_faces(COLLECTION, PROBE, query)
    return [(face.face_id, face.similarity) for face in result.faces]


def assert_same(answer: list[tuple[str, float]], wanted: list[tuple[str, float]]) -> None:
    assert [face_id for face_id, _ in answer] == [face_id for face_id, _ in wanted]
    assert [s for _, s in answer] == pytest.approx([s for _, s in wanted], abs=1e-6)


def test_search_by_face_agrees_with_a_naive_loop(gallery: Gallery) -> None:
    vectors = iter(unit_vectors(200, seed=5))
    rng = np.random.default_rng(5)
    people = enroll_at_once(
        gallery, [[next(vectors) for _ in range(rng.integers(0, 5))] for _ in range(60)]
    )
    faces = {face_id: value for own in people.values() for face_id, value in own.items()}
    for top_k in (1, 7, 4_096):
        result = gallery.search.find_faces(COLLECTION, PROBE, FacesQuery(top_k))
        assert_same([(f.face_id, f.similarity) for f in result.faces], naive(faces, top_k))
        assert result.searched.faces == len(faces)
    nearest, _ = naive(faces, 1)[0]
    owner = next(person for person, own in people.items() if nearest in own)
    others = {face_id: value for face_id, value in faces.items() if face_id != nearest}
    assert_same(found(gallery, FacesQuery(9, exclude_face_id=nearest)), naive(others, 9))
    others = {key: value for key, value in faces.items() if key not in people[owner]}
    assert_same(found(gallery, FacesQuery(9, exclude_identity_id=owner)), naive(others, 9))
    wanted = FacesQuery(9, PeopleFilter(identity_ids=(owner,)))
    assert_same(found(gallery, wanted), naive(dict(people[owner]), 9))


@sqlite_only
def test_faces_that_are_left_out_crowd_none_out(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_lookup, "_FEW_FACES", 0)
    near = [PROBE + 0.05 * unit_vector(seed) for seed in range(100, 160)]
    crowd = [(value / np.linalg.norm(value)).astype(np.float32) for value in near]
    owner, _ = enroll(gallery, *crowd)
    _, far = enroll(gallery, *unit_vectors(3, seed=9))
    answer = found(gallery, FacesQuery(2, exclude_identity_id=owner.id))
    assert_same(answer, naive(far, 2))
    past = IdentityChanges(expires_at=datetime(2001, 1, 1, tzinfo=UTC))
    gallery.people.update(COLLECTION, owner.id, past)
    assert_same(found(gallery, FacesQuery(2)), naive(far, 2))


@sqlite_only
def test_a_collection_without_faces_has_an_empty_answer(gallery: Gallery) -> None:
    result = gallery.search.find_faces(COLLECTION, PROBE, FacesQuery(5))
    assert (result.faces, result.searched.faces) == ((), 0)
