"""Search and comparison give what a naive loop over all faces gives."""

from datetime import UTC, datetime

import numpy as np
import pytest

from app.errors import FaceNotFound, IdentityWithoutFace
from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.records import (
    EVERYBODY,
    Condition,
    NewIdentity,
    PeopleFilter,
    Scoring,
    Searched,
)
from app.gallery.search.nearest_people import PeopleQuery
from app.recognition.types import Embedding
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    assert_agrees,
    compare,
    enroll,
    enroll_people,
    found_ids,
    new_face,
    search_people,
    unit_vector,
    unit_vectors,
)

PROBE = unit_vector(1)


def at_similarity(probe: Embedding, similarity: float, *, seed: int) -> Embedding:
    """A unit vector with this cosine to the probe."""
    other = unit_vector(seed).astype(np.float64)
    across = other - (other @ probe) * probe
    across /= np.linalg.norm(across)
    made: Embedding = (similarity * probe + np.sqrt(1 - similarity**2) * across).astype(np.float32)
    return made


def test_search_agrees_with_a_naive_loop(gallery: Gallery) -> None:
    rng = np.random.default_rng(7)
    vectors = iter(unit_vectors(200, seed=7))
    people = enroll_people(
        gallery, [[next(vectors) for _ in range(rng.integers(0, 7))] for _ in range(30)]
    )
    for identity_id in list(people)[::5]:
        gallery.people.delete(COLLECTION, identity_id)
        del people[identity_id]
    for identity_id in list(people)[::4]:
        for face_id in list(people[identity_id])[::2]:
            gallery.faces.delete(COLLECTION, identity_id, face_id)
            del people[identity_id][face_id]
    probes = unit_vectors(15, seed=8)
    for top_k in (1, 2, 5, 100):
        found = search_people(gallery, COLLECTION, list(probes), top_k=top_k)
        for probe, candidates in zip(probes, found, strict=True):
            assert_agrees(candidates, people, probe, top_k=top_k)
    for faces in people.values():
        for face_id, embedding in faces.items():
            (candidates,) = search_people(
                gallery, COLLECTION, [embedding], top_k=3, exclude_face_id=face_id
            )
            assert_agrees(candidates, people, embedding, top_k=3, exclude_face_id=face_id)


def test_candidates_are_people_by_their_best_face_most_similar_first(gallery: Gallery) -> None:
    similarities = {"far": (-0.5, 0.1), "near": (0.2, 0.9, 0.8), "middle": (0.6, 0.5)}
    people = {
        name: enroll(
            gallery, *(at_similarity(PROBE, s, seed=i) for i, s in enumerate(own, 3)), name=name
        )
        for name, own in similarities.items()
    }
    (candidates,) = search_people(gallery, COLLECTION, [PROBE], top_k=10)
    assert [found.identity.name for found in candidates] == ["near", "middle", "far"]
    np.testing.assert_allclose(
        [found.similarity for found in candidates], [0.9, 0.6, 0.1], atol=1e-6
    )
    best_faces = [list(people[name][1])[i] for name, i in (("near", 1), ("middle", 0), ("far", 1))]
    assert [found.face_id for found in candidates] == best_faces
    assert [found.identity for found in candidates] == [
        people[name][0] for name in ("near", "middle", "far")
    ]


def test_top_k_bounds_the_candidates(gallery: Gallery) -> None:
    expected = [
        enroll(gallery, at_similarity(PROBE, similarity, seed=2))[0].id
        for similarity in (0.9, 0.7, 0.5, 0.3)
    ]
    for top_k in range(1, 6):
        assert found_ids(gallery, PROBE, top_k=top_k) == expected[:top_k]


def test_person_with_many_faces_crowds_nobody_out(gallery: Gallery) -> None:
    crowd, _ = enroll(gallery, *(at_similarity(PROBE, 0.9, seed=seed) for seed in range(10, 45)))
    second, _ = enroll(gallery, at_similarity(PROBE, 0.5, seed=3))
    third, _ = enroll(gallery, at_similarity(PROBE, 0.2, seed=4))

    def assert_all_are_found() -> None:
        for top_k, expected in ((1, 1), (2, 2), (3, 3), (50, 3)):
            found = found_ids(gallery, PROBE, top_k=top_k)
            assert found == [crowd.id, second.id, third.id][:expected]

    assert_all_are_found()
    more = [new_face(at_similarity(PROBE, 0.9, seed=seed)) for seed in range(50, 200)]
    gallery.faces.add(COLLECTION, crowd.id, more)
    assert_all_are_found()


def test_each_probe_has_its_own_answer_in_order(gallery: Gallery) -> None:
    vectors = unit_vectors(6, seed=5)
    people = list(enroll_people(gallery, [[vector] for vector in vectors]))
    answers = search_people(gallery, COLLECTION, list(vectors[::-1]), top_k=1)
    assert [found.identity.id for (found,) in answers] == people[::-1]
    assert search_people(gallery, COLLECTION, [], top_k=1) == []


def test_empty_collection_has_no_candidates(gallery: Gallery) -> None:
    assert search_people(gallery, COLLECTION, [PROBE, -PROBE], top_k=3) == [(), ()]


def test_people_without_faces_are_no_candidates(gallery: Gallery) -> None:
    first, _ = enroll(gallery, -PROBE)
    for _ in range(3):
        enroll(gallery)
    second, _ = enroll(gallery, PROBE)
    for top_k in (2, 3, 10):
        assert found_ids(gallery, PROBE, top_k=top_k) == [second.id, first.id]


def test_excluded_face_does_not_count_but_its_person_may(gallery: Gallery) -> None:
    twin_face = at_similarity(PROBE, 0.8, seed=2)
    identity, (own, other) = enroll(gallery, PROBE, at_similarity(PROBE, 0.6, seed=3))
    twin, (twin_id,) = enroll(gallery, twin_face)
    (candidates,) = search_people(gallery, COLLECTION, [PROBE], top_k=5, exclude_face_id=own)
    assert [(found.identity.id, found.face_id) for found in candidates] == [
        (twin.id, twin_id),
        (identity.id, other),
    ]
    (candidates,) = search_people(
        gallery, COLLECTION, [twin_face], top_k=5, exclude_face_id=twin_id
    )
    assert [found.identity.id for found in candidates] == [identity.id]


def test_similarity_is_never_outside_the_cosine(gallery: Gallery) -> None:
    long_by_rounding = PROBE * np.float32(1.000001)
    assert float(long_by_rounding @ long_by_rounding) > 1
    identity, _ = enroll(gallery, long_by_rounding)
    for probe, cosine in ((long_by_rounding, 1.0), (-long_by_rounding, -1.0)):
        ((found,),) = search_people(gallery, COLLECTION, [probe], top_k=1)
        assert found.similarity == cosine
        assert compare(gallery, COLLECTION, identity.id, probe)[0].similarity == cosine


def test_comparison_is_with_the_mean_of_that_persons_faces_alone(gallery: Gallery) -> None:
    enroll(gallery, PROBE)
    identity, faces = enroll(
        gallery, *(at_similarity(PROBE, s, seed=i) for i, s in enumerate((0.1, 0.7, -0.5), 2))
    )
    mean = np.mean([embedding.astype(np.float64) for embedding in faces.values()], axis=0)
    for probe in (PROBE, *unit_vectors(10, seed=6)):
        found, _ = compare(gallery, COLLECTION, identity.id, probe)
        own = {key: float(embedding @ probe) for key, embedding in faces.items()}
        assert (found.identity, found.examples) == (identity, 3)
        assert found.face_id == max(own, key=own.__getitem__)
        assert found.similarity == pytest.approx(mean @ probe / np.linalg.norm(mean), abs=1e-6)


def test_search_by_templates_agrees_with_a_naive_loop(gallery: Gallery) -> None:
    rng = np.random.default_rng(17)
    people = {}
    for centre in unit_vectors(60, seed=18):
        count = int(rng.integers(1, 6))
        photos = centre + 0.25 * rng.normal(size=(count, MODEL.dimension)) / 3
        photos /= np.linalg.norm(photos, axis=1, keepdims=True)
        identity, faces = enroll(gallery, *photos.astype(np.float32))
        people[identity.id] = faces
    query = PeopleQuery(5, datetime.now(UTC), scoring=Scoring.TEMPLATE)
    probes = [next(iter(faces.values())) for faces in people.values()]
    found = gallery.search.find(COLLECTION, probes, query)
    assert found.searched == Searched(60, sum(len(faces) for faces in people.values()))
    for probe, candidates in zip(probes, found.candidates, strict=True):
        templates = {
            identity_id: np.mean([face.astype(np.float64) for face in faces.values()], axis=0)
            for identity_id, faces in people.items()
        }
        expected = sorted(
            ((float(mean @ probe / np.linalg.norm(mean)), key) for key, mean in templates.items()),
            reverse=True,
        )
        assert candidates[0].identity.id == expected[0][1]
        assert candidates[0].similarity == pytest.approx(expected[0][0], abs=1e-6)
        assert candidates[0].examples == len(people[candidates[0].identity.id])
        for candidate in candidates:
            own = people[candidate.identity.id]
            assert candidate.face_id == max(own, key=lambda key: float(own[key] @ probe))


def test_excluded_face_is_no_part_of_a_template(gallery: Gallery) -> None:
    first, second = unit_vectors(2, seed=19)
    identity, faces = enroll(gallery, first, second)
    (excluded, _) = faces
    query = PeopleQuery(5, datetime.now(UTC), EVERYBODY, excluded, Scoring.TEMPLATE)
    ((candidate,),) = gallery.search.find(COLLECTION, [second], query).candidates
    assert (candidate.identity, candidate.examples) == (identity, 1)
    assert candidate.similarity == pytest.approx(1.0, abs=1e-6)


def test_people_searched_are_counted_as_filtered(gallery: Gallery) -> None:
    for town, faces in (("bern", 2), ("bern", 1), ("rome", 3), ("rome", 0)):
        gallery.people.enroll(
            COLLECTION,
            NewIdentity(attributes={"town": town}),
            [new_face(vector) for vector in unit_vectors(faces, seed=faces)],
        )
    in_bern = PeopleFilter((Condition("town", one_of=("bern",)),))
    for wanted, expected in ((in_bern, Searched(2, 3)), (EVERYBODY, Searched(4, 6))):
        query = PeopleQuery(5, datetime.now(UTC), wanted)
        assert gallery.search.find(COLLECTION, [PROBE], query).searched == expected


def test_comparison_with_a_person_without_faces_is_refused(gallery: Gallery) -> None:
    identity, _ = enroll(gallery)
    with pytest.raises(IdentityWithoutFace, match=f"{identity.id}.* no enrolled face"):
        compare(gallery, COLLECTION, identity.id, PROBE)


def test_probe_of_an_unknown_face_is_not_found(gallery: Gallery) -> None:
    with pytest.raises(FaceNotFound, match="unknown"):
        gallery.faces.probe_of(COLLECTION, "unknown")


def test_embeddings_have_the_dimension_of_the_network(gallery: Gallery) -> None:
    _, (face_id,) = enroll(gallery, PROBE)
    assert gallery.faces.probe_of(COLLECTION, face_id).by_digest[MODEL.digest].shape == (
        MODEL.dimension,
    )


def test_first_face_enrolled_beside_a_search_does_not_hold_it_up(
    open_gallery: OpenGallery,
) -> None:
    class GrowsMeanwhile(FaissIndex):
        """Empty when a search begins, not when it looks again."""

        looks = 0

        def __len__(self) -> int:
            self.looks += 1
            return min(self.looks - 1, 1)

    gallery = open_gallery(make_index=GrowsMeanwhile)
    assert search_people(gallery, COLLECTION, [PROBE], top_k=5) == [()]
