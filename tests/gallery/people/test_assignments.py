"""Faces that are nobody's are assigned to people, and released; no face is lost."""

from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pytest

from app.errors import (
    ConsentRequired,
    IdentityNotFound,
    InvalidRequest,
    PersonHeld,
    TooManyFaces,
)
from app.gallery.gallery import Gallery
from app.gallery.people.assignment_records import AssignmentRule, FaceAssignment, FaceOutcome
from app.gallery.people.consent_records import NewConsent
from app.gallery.people.enrolment_guards import EmbedderSwitchedError
from app.gallery.records import CollectionChanges, NewIdentity
from app.recognition.types import Embedding
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    OTHER_MODEL,
    at_once,
    by_id,
    found_ids,
    new_face,
    unit_vector,
    unit_vectors,
)

VECTORS = unit_vectors(8, seed=3)
LIKE = AssignmentRule(MODEL.digest, threshold=lambda _: 0.9)
ANY = AssignmentRule(MODEL.digest)
NOBODY = "0" * 32
SOON, LATER = (datetime.now(UTC) + timedelta(days=days) for days in (1, 2))


def near(vector: Embedding, *, by: float = 0.1) -> Embedding:
    """An embedding that is like another one, but for a little."""
    moved = vector + by * unit_vector(77)
    found: Embedding = (moved / np.linalg.norm(moved)).astype(np.float32)
    return found


def free_person(
    gallery: Gallery,
    *vectors: Embedding,
    photo: str | None = None,
    expires_at: datetime | None = None,
) -> tuple[str, list[str]]:
    """An anonymous person, and the ids of their faces."""
    new = NewIdentity(anonymous=True, expires_at=expires_at)
    faces = [new_face(vector, photo=photo) for vector in vectors]
    identity, enrolled = gallery.people.enroll(COLLECTION, new, faces)
    return identity.id, list(by_id(enrolled, vectors))


def free(gallery: Gallery, *vectors: Embedding, expires_at: datetime | None = None) -> list[str]:
    """Ids of faces that are nobody's."""
    return [
        face_id
        for vector in vectors
        for face_id in free_person(gallery, vector, expires_at=expires_at)[1]
    ]


def user(gallery: Gallery, key: str, **fields: object) -> str:
    new = NewIdentity(external_id=key, **fields)  # type: ignore[arg-type]
    gallery.people.enroll(COLLECTION, new, [])
    return f"ext:{key}"


def outcomes(done: FaceAssignment) -> list[FaceOutcome]:
    return [face.outcome for face in done.faces]


def face_ids(gallery: Gallery, ref: str) -> list[str]:
    return [face.id for face in gallery.faces.page(COLLECTION, ref, limit=99, cursor=None).items]


def test_assigned_faces_keep_their_ids_and_their_anonymous_people_are_gone(
    gallery: Gallery,
) -> None:
    faces = free(gallery, VECTORS[0], near(VECTORS[0]), VECTORS[1])
    ada = user(gallery, "ada")
    done = gallery.assignments.assign(COLLECTION, ada, faces[:2], LIKE)
    assert outcomes(done) == [FaceOutcome.ASSIGNED] * 2
    assert done.identity.face_count == 2
    assert all(face.identity == done.identity for face in done.faces)
    assert face_ids(gallery, ada) == faces[:2]
    counted = gallery.collections.get(COLLECTION)
    assert (counted.identity_count, counted.anonymous_count) == (1, 1)
    assert found_ids(gallery, VECTORS[0])[0] == done.identity.id


def test_each_face_that_cannot_be_assigned_has_its_reason_and_the_others_are_assigned(
    gallery: Gallery,
) -> None:
    ada, bob = user(gallery, "ada"), user(gallery, "bob")
    first, like, unlike, of_bob = free(
        gallery, VECTORS[0], near(VECTORS[0]), VECTORS[1], VECTORS[2]
    )
    gallery.assignments.assign(COLLECTION, bob, [of_bob], LIKE)
    gallery.assignments.assign(COLLECTION, ada, [first], LIKE)
    sent = [first, like, unlike, of_bob, NOBODY, like]
    done = gallery.assignments.assign(COLLECTION, ada, sent, LIKE)
    assert [(face.face_id, face.outcome) for face in done.faces] == [
        (first, FaceOutcome.ALREADY_ASSIGNED),
        (like, FaceOutcome.ASSIGNED),
        (unlike, FaceOutcome.LOW_MATCH_CONFIDENCE),
        (of_bob, FaceOutcome.OF_ANOTHER_PERSON),
        (NOBODY, FaceOutcome.FACE_NOT_FOUND),
    ]
    by_id = {face.face_id: face for face in done.faces}
    assert by_id[unlike].similarity == pytest.approx(float(VECTORS[0] @ VECTORS[1]), abs=1e-6)
    assert by_id[unlike].threshold == 0.9
    other = by_id[of_bob].identity
    assert other is not None
    assert other.external_id == "bob"
    assert face_ids(gallery, ada) == [first, like]


def test_faces_are_compared_with_the_template_and_with_the_persons_own_threshold(
    gallery: Gallery,
) -> None:
    ada = user(gallery, "ada", threshold=0.999)
    first, second = free(gallery, VECTORS[0], VECTORS[1])
    gallery.assignments.assign(COLLECTION, ada, [first, second], LIKE)
    asked: list[int] = []

    def threshold(examples: int) -> float:
        asked.append(examples)
        return -1.0

    (third,) = free(gallery, VECTORS[0] + 0)
    template = VECTORS[:2].mean(axis=0)
    template /= np.linalg.norm(template)
    (fourth,) = free(gallery, near(VECTORS[0], by=0.3))
    rule = AssignmentRule(MODEL.digest, threshold)
    done = gallery.assignments.assign(COLLECTION, ada, [fourth], rule)
    (face,) = done.faces
    assert asked == [2]
    assert (face.outcome, face.threshold) == (FaceOutcome.LOW_MATCH_CONFIDENCE, 0.999)
    expected = float(template @ near(VECTORS[0], by=0.3))
    assert face.similarity == pytest.approx(expected, abs=1e-6)
    same = gallery.assignments.assign(COLLECTION, ada, [third], rule)
    assert outcomes(same) == [FaceOutcome.SAME_PICTURE]


def test_face_that_is_assigned_by_force_is_marked(gallery: Gallery) -> None:
    ada = user(gallery, "ada")
    gallery.assignments.assign(COLLECTION, ada, free(gallery, VECTORS[0]), LIKE)
    forced = AssignmentRule(MODEL.digest, threshold=lambda _: 0.9, force=True)
    like, unlike = free(gallery, near(VECTORS[0]), VECTORS[1])
    done = gallery.assignments.assign(COLLECTION, ada, [like, unlike], forced)
    assert outcomes(done) == [FaceOutcome.ASSIGNED] * 2
    page = gallery.faces.page(COLLECTION, ada, limit=9, cursor=None)
    assert {face.id for face in page.items if face.forced} == {unlike}


def test_same_photo_stays_with_nobody_where_the_person_has_it(gallery: Gallery) -> None:
    ada = user(gallery, "ada")
    photo = "a" * 64
    _, (first,) = free_person(gallery, VECTORS[0], photo=photo)
    _, (again,) = free_person(gallery, near(VECTORS[0]), photo=photo)
    done = gallery.assignments.assign(COLLECTION, ada, [first, again], LIKE)
    assert outcomes(done) == [FaceOutcome.ASSIGNED, FaceOutcome.SAME_PICTURE]
    assert face_ids(gallery, ada) == [first]
    assert gallery.faces.probe_of(COLLECTION, again), "no face is lost"


def test_somebody_else_in_a_photo_of_the_person_is_unlike_them(gallery: Gallery) -> None:
    ada = user(gallery, "ada")
    photo = "a" * 64
    _, (first,) = free_person(gallery, VECTORS[0], photo=photo)
    _, (other,) = free_person(gallery, VECTORS[1], photo=photo)
    gallery.assignments.assign(COLLECTION, ada, [first], LIKE)
    rule = AssignmentRule(MODEL.digest, threshold=lambda _: 0.9)
    done = gallery.assignments.assign(COLLECTION, ada, [other], rule)
    assert outcomes(done) == [FaceOutcome.LOW_MATCH_CONFIDENCE]


def test_a_face_that_two_ask_for_at_once_is_given_to_one(open_gallery: OpenGallery) -> None:
    galleries = open_gallery(), open_gallery()
    people = user(galleries[0], "ada"), user(galleries[0], "bob")
    faces = free(galleries[0], VECTORS[0])
    done = at_once(
        [
            partial(gallery.assignments.assign, COLLECTION, who, faces, ANY)
            for gallery, who in zip(galleries, people, strict=True)
        ]
    )
    given = [face.outcome for one in done if isinstance(one, FaceAssignment) for face in one.faces]
    assert sorted(given) == [FaceOutcome.ASSIGNED, FaceOutcome.OF_ANOTHER_PERSON]


def test_more_faces_than_permitted_change_nothing(gallery: Gallery) -> None:
    ada = user(gallery, "ada")
    faces = free(gallery, *VECTORS[:3])
    rule = AssignmentRule(MODEL.digest, most_faces=2)
    with pytest.raises(TooManyFaces, match="2 are permitted"):
        gallery.assignments.assign(COLLECTION, ada, faces, rule)
    assert face_ids(gallery, ada) == []
    gallery.assignments.assign(COLLECTION, ada, faces[:2], rule)
    done = gallery.assignments.assign(COLLECTION, ada, faces[:2], rule)
    assert outcomes(done) == [FaceOutcome.ALREADY_ASSIGNED] * 2


def test_anonymous_and_unknown_people_get_no_faces(gallery: Gallery) -> None:
    anonymous, _ = gallery.people.enroll(COLLECTION, NewIdentity(anonymous=True), [])
    faces = free(gallery, VECTORS[0])
    for change in (
        lambda who: gallery.assignments.assign(COLLECTION, who, faces, ANY),
        lambda who: gallery.assignments.release(COLLECTION, who, faces),
        lambda who: gallery.assignments.dissolve(COLLECTION, who),
    ):
        with pytest.raises(InvalidRequest, match="anonymous"):
            change(anonymous.id)
        with pytest.raises(IdentityNotFound):
            change("ext:ada")


def test_another_embedder_since_the_threshold_was_looked_up_is_noticed(gallery: Gallery) -> None:
    ada = user(gallery, "ada")
    with pytest.raises(EmbedderSwitchedError):
        gallery.assignments.assign(COLLECTION, ada, [], AssignmentRule(OTHER_MODEL.digest))


def test_what_expires_first_counts_for_the_person(gallery: Gallery) -> None:
    ada = user(gallery, "ada", expires_at=LATER)
    faces = free(gallery, VECTORS[0], expires_at=SOON)
    done = gallery.assignments.assign(COLLECTION, ada, faces, LIKE)
    assert done.identity.expires_at == SOON


def test_face_of_somebody_who_has_expired_is_not_found(gallery: Gallery) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    faces = free(gallery, VECTORS[0], expires_at=past)
    done = gallery.assignments.assign(COLLECTION, user(gallery, "ada"), faces, LIKE)
    assert outcomes(done) == [FaceOutcome.FACE_NOT_FOUND]


def test_released_faces_are_anonymous_people_of_one_face_each(gallery: Gallery) -> None:
    ada, bob = user(gallery, "ada", expires_at=SOON), user(gallery, "bob")
    faces = free(gallery, *VECTORS[:3])
    of_bob, nobodys = free(gallery, *VECTORS[3:5])
    gallery.assignments.assign(COLLECTION, ada, faces, ANY)
    gallery.assignments.assign(COLLECTION, bob, [of_bob], ANY)
    sent = [*faces[:2], of_bob, nobodys, NOBODY]
    done = gallery.assignments.release(COLLECTION, ada, sent)
    assert outcomes(done) == [
        FaceOutcome.RELEASED,
        FaceOutcome.RELEASED,
        FaceOutcome.OF_ANOTHER_PERSON,
        FaceOutcome.NOT_ASSIGNED,
        FaceOutcome.FACE_NOT_FOUND,
    ]
    assert done.identity.face_count == 1
    assert face_ids(gallery, ada) == faces[2:]
    owners = [face.identity for face in done.changed]
    assert len({owner.id for owner in owners if owner is not None}) == 2
    for owner, face_id, vector in zip(owners, faces, VECTORS[:2], strict=False):
        assert owner is not None
        assert (owner.anonymous, owner.face_count, owner.expires_at) == (True, 1, SOON)
        assert face_ids(gallery, owner.id) == [face_id]
        assert found_ids(gallery, vector)[0] == owner.id
    again = gallery.assignments.assign(COLLECTION, bob, faces[:1], ANY)
    assert outcomes(again) == [FaceOutcome.ASSIGNED]


def test_dissolved_person_is_gone_and_their_faces_are_nobodys(gallery: Gallery) -> None:
    ada = user(gallery, "ada")
    faces = free(gallery, *VECTORS[:2])
    gone = gallery.assignments.assign(COLLECTION, ada, faces, ANY).identity
    done = gallery.assignments.dissolve(COLLECTION, ada)
    assert done.erasure.identity_ids == (gone.id,)
    assert done.erasure.face_ids == ()
    assert [face.face_id for face in done.faces] == faces
    with pytest.raises(IdentityNotFound):
        gallery.people.get(COLLECTION, ada)
    again = user(gallery, "ada")
    assert (
        outcomes(gallery.assignments.assign(COLLECTION, again, faces, ANY))
        == [FaceOutcome.ASSIGNED] * 2
    )


def test_legal_hold_keeps_faces_where_they_are(gallery: Gallery) -> None:
    ada, bob = user(gallery, "ada"), user(gallery, "bob")
    faces = free(gallery, *VECTORS[:2])
    held = gallery.assignments.assign(COLLECTION, ada, faces[:1], ANY).identity.id
    gallery.holds.set(COLLECTION, held, "a case")
    with pytest.raises(PersonHeld):
        gallery.assignments.release(COLLECTION, ada, faces)
    with pytest.raises(PersonHeld):
        gallery.assignments.dissolve(COLLECTION, ada)
    done = gallery.assignments.assign(COLLECTION, ada, faces[1:], ANY)
    assert done.identity.face_count == 2, "a person who is held may get more"
    owner, (third,) = free_person(gallery, VECTORS[2])
    gallery.holds.set(COLLECTION, owner, "a case")
    with pytest.raises(PersonHeld):
        gallery.assignments.assign(COLLECTION, bob, [third], ANY)


def test_collection_that_demands_consents_assigns_to_people_with_one_and_releases_none(
    gallery: Gallery,
) -> None:
    ada = user(gallery, "ada")
    with_consent = user(gallery, "bob", consent=NewConsent("entry"))
    faces = free(gallery, *VECTORS[:2])
    demanded = CollectionChanges(options={"people": {"require_consent": True}})
    gallery.collections.update(COLLECTION, demanded)
    with pytest.raises(ConsentRequired):
        gallery.assignments.assign(COLLECTION, ada, faces, ANY)
    gallery.assignments.assign(COLLECTION, with_consent, faces, ANY)
    for change in (
        lambda: gallery.assignments.release(COLLECTION, with_consent, faces),
        lambda: gallery.assignments.dissolve(COLLECTION, with_consent),
    ):
        with pytest.raises(ConsentRequired):
            change()
    assert face_ids(gallery, with_consent) == faces


def test_moved_and_merged_faces_leave_no_anonymous_person_without_a_face(gallery: Gallery) -> None:
    ada = user(gallery, "ada")
    owner, (face_id,) = free_person(gallery, VECTORS[0])
    gallery.corrections.move_face(COLLECTION, face_id, ada)
    with pytest.raises(IdentityNotFound):
        gallery.people.get(COLLECTION, owner)


def test_anonymous_person_who_takes_in_somebody_is_anonymous_no_longer(gallery: Gallery) -> None:
    owner, _ = free_person(gallery, VECTORS[0])
    other, _ = free_person(gallery, VECTORS[1])
    assert gallery.corrections.merge(COLLECTION, owner, [other]).identity.anonymous
    merged = gallery.corrections.merge(COLLECTION, owner, [user(gallery, "ada")]).identity
    assert (merged.anonymous, merged.external_id) == (False, "ada")


def test_of_an_anonymous_person_of_several_faces_the_others_stay(gallery: Gallery) -> None:
    ada = user(gallery, "ada")
    owner, (first, second) = free_person(gallery, *VECTORS[:2])
    gallery.assignments.assign(COLLECTION, ada, [first], ANY)
    assert face_ids(gallery, owner) == [second]
    assert face_ids(gallery, ada) == [first]
