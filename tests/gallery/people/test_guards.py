"""Guards against the wrong person, on made-up embeddings whose similarities are chosen."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Reason
from app.gallery.gallery import Gallery
from app.gallery.people.enrolment import KnownFace, NewPerson
from app.gallery.people.enrolment_guards import (
    EveryFaceRefusedError,
    Guard,
    Neighbour,
    Refusal,
    judge,
)
from app.gallery.records import Face, NewFace, NewIdentity
from app.recognition.types import Embedding
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    at_once,
    enroll,
    new_face,
    unit_vector,
    unit_vectors,
)

RESEMBLES, ANOTHER = 0.7, 0.9
PROBE = unit_vector(1)


def like(base: Embedding, similarity: float, *, seed: int) -> Embedding:
    """An embedding of this similarity to another."""
    away = unit_vector(seed)
    away = away - (away @ base) * base
    away /= np.linalg.norm(away)
    made: Embedding = (similarity * base + np.sqrt(1 - similarity**2) * away).astype(np.float32)
    return made


def guard(
    gallery: Gallery,
    *nearest: Neighbour | None,
    force: bool = False,
    revision: int | None = None,
) -> Guard:
    now = gallery.collections.revision(COLLECTION) if revision is None else revision
    return Guard(RESEMBLES, ANOTHER, now, nearest, MODEL.digest, force)


def reasons(outcomes: object) -> list[Reason | None]:
    return [one.reason if isinstance(one, Refusal) else None for one in outcomes]  # type: ignore[attr-defined]


def test_face_unlike_the_persons_others_is_refused_with_how_unlike(gallery: Gallery) -> None:
    identity, _ = enroll(gallery, PROBE, like(PROBE, 0.8, seed=3), name="Ada")
    wrong = like(PROBE, 0.3, seed=4)
    with pytest.raises(EveryFaceRefusedError) as caught:
        gallery.faces.add(COLLECTION, identity.id, [new_face(wrong)], guard=guard(gallery, None))
    (refusal,) = caught.value.refusals
    assert refusal.reason is Reason.LOW_MATCH_CONFIDENCE
    found = refusal.resemblance
    assert (found.identity_id, found.name, found.threshold) == (identity.id, "Ada", RESEMBLES)
    expected = max(float(wrong @ PROBE), float(wrong @ like(PROBE, 0.8, seed=3)))
    assert found.similarity == pytest.approx(expected, abs=1e-6)
    assert gallery.people.get(COLLECTION, identity.id).face_count == 2


def test_forced_face_is_enrolled_and_says_so(gallery: Gallery) -> None:
    identity, _ = enroll(gallery, PROBE)
    wrong, right = new_face(-PROBE), new_face(like(PROBE, 0.9, seed=4))
    held = guard(gallery, None, None, force=True)
    _, (forced, plain) = gallery.faces.add(COLLECTION, identity.id, [wrong, right], guard=held)
    assert isinstance(forced, Face)
    assert isinstance(plain, Face)
    assert (forced.forced, plain.forced) == (True, False)
    listed = gallery.faces.page(COLLECTION, identity.id, limit=9, cursor=None).items
    assert [face.forced for face in listed] == [False, True, False]


def test_known_person_may_look_like_another_as_long_as_more_like_themselves(
    gallery: Gallery,
) -> None:
    identity, _ = enroll(gallery, PROBE)
    face = new_face(like(PROBE, 0.95, seed=4))
    near, nearer = (Neighbour("x", "Twin", None, similarity) for similarity in (0.93, 0.97))
    with pytest.raises(EveryFaceRefusedError) as caught:
        gallery.faces.add(COLLECTION, identity.id, [face], guard=guard(gallery, nearer))
    assert caught.value.refusals[0].resemblance.identity_id == "x"
    _, outcomes = gallery.faces.add(COLLECTION, identity.id, [face], guard=guard(gallery, near))
    assert reasons(outcomes) == [None]


def test_nobody_slips_in_between_the_look_and_the_write(gallery: Gallery) -> None:
    held = guard(gallery, None)
    other, _ = enroll(gallery, PROBE, name="First")
    with pytest.raises(EveryFaceRefusedError) as caught:
        gallery.people.enroll(
            COLLECTION, NewIdentity(), [new_face(like(PROBE, 0.95, seed=2))], guard=held
        )
    found = caught.value.refusals[0].resemblance
    assert (found.identity_id, found.name) == (other.id, "First")
    assert found.similarity == pytest.approx(0.95, abs=1e-5)
    assert gallery.collections.get(COLLECTION).identity_count == 1


def test_whoever_came_and_went_in_between_is_in_nobodys_way(gallery: Gallery) -> None:
    held = guard(gallery, None)
    other, _ = enroll(gallery, PROBE)
    gallery.people.delete(COLLECTION, other.id)
    enroll(gallery, -PROBE)
    _, outcomes = gallery.people.enroll(COLLECTION, NewIdentity(), [new_face(PROBE)], guard=held)
    assert reasons(outcomes) == [None]


def test_guard_holds_when_the_log_was_pruned_meanwhile(gallery: Gallery) -> None:
    held = guard(gallery, None)
    enroll(gallery, PROBE)
    for seed in (3, 4, 5):
        enroll(gallery, unit_vector(seed))
    gallery.people.erase_expired(log_revisions=1)
    with pytest.raises(EveryFaceRefusedError):
        gallery.people.enroll(COLLECTION, NewIdentity(), [new_face(PROBE)], guard=held)


def test_one_person_enrolled_at_once_under_two_names_gets_in_once(
    open_gallery: OpenGallery,
) -> None:
    processes = [open_gallery(), open_gallery()]
    held = guard(processes[0], None)
    faces = [new_face(like(PROBE, 0.97, seed=seed)) for seed in range(2, 8)]

    def create(gallery: Gallery, face: NewFace) -> str:
        try:
            gallery.people.enroll(COLLECTION, NewIdentity(), [face], guard=held)
        except EveryFaceRefusedError:
            return "refused"
        return "enrolled"

    results = at_once([partial(create, processes[i % 2], face) for i, face in enumerate(faces)])
    assert sorted(results) == ["enrolled"] + ["refused"] * 5  # type: ignore[type-var]


def test_people_of_one_batch_are_held_against_each_other(gallery: Gallery) -> None:
    enroll(gallery, -PROBE, name="Before")
    told = Neighbour("before", "Before", None, 0.99)
    guards = [guard(gallery, near) for near in (None, None, told, None)]
    people = [
        NewPerson(NewIdentity(name=str(place)), (new_face(vector),), guards[place])
        for place, vector in enumerate((PROBE, like(PROBE, 0.95, seed=2), -PROBE, unit_vector(3)))
    ]
    people.append(NewPerson(NewIdentity(), (new_face(PROBE),)))
    people.append(NewPerson(NewIdentity(), (new_face(PROBE),), guard(gallery, None, force=True)))
    first, again, before, stranger, unguarded, forced = gallery.people.enroll_many(
        COLLECTION, people
    )
    assert [one.enrolled for one in (first, again, before, stranger, unguarded, forced)] == [
        True,
        False,
        False,
        True,
        True,
        True,
    ]
    (refusal,) = again.refused
    assert refusal is not None
    assert refusal.resemblance.identity_id == first.identity_id
    assert again.identity_id is None
    assert forced.identity_id is not None
    (face,) = gallery.faces.page(COLLECTION, forced.identity_id, limit=2, cursor=None).items
    assert face.forced


def test_same_crop_of_another_file_is_the_face_that_is_there(gallery: Gallery) -> None:
    identity, _ = enroll(gallery, PROBE)
    rounded = (PROBE * np.float32(1 + 1e-7)).astype(np.float32)
    near = like(PROBE, 0.99999, seed=3)
    _, outcomes = gallery.faces.add(
        COLLECTION,
        identity.id,
        [new_face(rounded), new_face(near)],
        guard=guard(gallery, None, None),
    )
    assert [type(outcome) for outcome in outcomes] == [KnownFace, Face]


# -- the verdict by itself ---------------------------------------------------------------------

_HELD = Guard(RESEMBLES, ANOTHER, 0, (), MODEL.digest)


def _verdicts(
    vectors: list[Embedding],
    own: list[Embedding],
    nearest: list[Neighbour | None] | None = None,
) -> list[Reason | None]:
    kept = np.stack(own) if own else np.empty((0, 0), dtype=np.float32)
    faces = [new_face(vector) for vector in vectors]
    return reasons(judge(faces, None, kept, nearest or [None] * len(vectors), _HELD))


def test_of_a_new_person_the_odd_photo_out_is_refused() -> None:
    alike = [PROBE, like(PROBE, 0.8, seed=2)]
    low = Reason.LOW_MATCH_CONFIDENCE
    assert _verdicts([*alike, -PROBE], []) == [None, None, low]
    assert _verdicts([PROBE, -PROBE], []) == [low, low], "nobody knows which one is right"
    assert _verdicts([PROBE], []) == [None]


def test_photos_of_a_new_person_fall_together_when_one_is_anothers() -> None:
    vectors = [PROBE, like(PROBE, 0.8, seed=2), -PROBE]
    hit = Neighbour("x", None, None, 0.95)
    another = Reason.BELONGS_TO_ANOTHER_IDENTITY
    assert _verdicts(vectors, [], [hit, None, None]) == [another, another, None]


def test_photo_is_let_in_by_another_of_the_request_that_is() -> None:
    start = np.eye(8, dtype=np.float32)[0]
    step = like(start, 0.75, seed=2)
    far = like(step, 0.75, seed=3)
    assert float(far @ start) < RESEMBLES
    assert _verdicts([far, step], [start]) == [None, None]
    assert _verdicts([far], [start]) == [Reason.LOW_MATCH_CONFIDENCE]


@given(st.integers(1, 6), st.integers(0, 4), st.integers(0, 10_000), st.floats(-0.2, 0.9))
def test_verdicts_are_those_of_a_naive_loop_in_any_order(
    count: int, own_count: int, seed: int, resembles: float
) -> None:
    vectors = unit_vectors(count + own_count, seed=seed, dimension=3)
    new, own = list(vectors[:count]), list(vectors[count:])
    held = Guard(resembles, 2.0, 0, (), MODEL.digest)
    faces = [new_face(vector) for vector in new]
    kept = np.stack(own) if own else np.empty((0, 0), dtype=np.float32)
    found = reasons(judge(faces, None, kept, [None] * count, held))

    let_in = {i for i in range(count) if any(float(new[i] @ face) >= resembles for face in own)}
    if own:
        while True:
            more = {
                i for i in range(count) if any(float(new[i] @ new[j]) >= resembles for j in let_in)
            }
            if more <= let_in:
                break
            let_in |= more
        assert [reason is None for reason in found] == [i in let_in for i in range(count)]
    back = reasons(judge(faces[::-1], None, kept, [None] * count, held))
    assert back == found[::-1]
