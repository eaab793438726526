"""People become one, faces change their owner, people are deleted by a filter: all or nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app.errors import (
    CountChanged,
    ExternalIdTaken,
    FaceNotFound,
    IdentityNotFound,
    InvalidRequest,
    PersonHeld,
    RevisionConflict,
)
from app.gallery.gallery import Gallery
from app.gallery.people.corrections import Corrections
from app.gallery.people.enrolment import NewPerson, Outcome
from app.gallery.people.enrolment_guards import EveryFaceRefusedError, Guard, Neighbour
from app.gallery.records import (
    CollectionChanges,
    Condition,
    Face,
    IdentityChanges,
    IdentityFilter,
    NewFace,
    NewIdentity,
    PeopleFilter,
)
from app.gallery.rollout.rollouts import Rollouts
from app.gallery.store.tables import FaceTable
from app.recognition.types import Embedding
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    OTHER_MODEL,
    all_identities,
    enroll,
    found_ids,
    new_face,
    search_people,
    unit_vector,
    unit_vectors,
)

VECTORS = unit_vectors(8, seed=3)
SOON, LATER = (datetime.now(UTC) + timedelta(days=days) for days in (1, 2))


@pytest.fixture
def corrections(gallery: Gallery) -> Corrections:
    return gallery.corrections


def person(gallery: Gallery, new: NewIdentity, *faces: NewFace) -> tuple[str, list[str]]:
    identity, outcomes = gallery.people.enroll(COLLECTION, new, faces)
    return identity.id, [face_of(outcome).id for outcome in outcomes]


def face_of(outcome: Outcome) -> Face:
    assert isinstance(outcome, Face)
    return outcome


def face_ids(gallery: Gallery, ref: str) -> list[str]:
    return [face.id for face in gallery.faces.page(COLLECTION, ref, limit=99, cursor=None).items]


def test_merged_people_are_one_person_with_all_their_faces(
    gallery: Gallery, corrections: Corrections
) -> None:
    into, own = person(gallery, NewIdentity("Ada"), new_face(VECTORS[0]))
    one, first = person(gallery, NewIdentity("A."), new_face(VECTORS[1]))
    two, second = person(gallery, NewIdentity("L."), new_face(VECTORS[2]), new_face(VECTORS[3]))
    done = corrections.merge(COLLECTION, into, [one, two])
    assert done.identity.face_count == 4
    assert [gone.identity_id for gone in done.merged] == [one, two]
    assert set(done.moved_face_ids) == {*first, *second}
    assert sorted(face_ids(gallery, into)) == sorted([*own, *first, *second])
    assert [identity.id for identity in all_identities(gallery)] == [into]
    for vector in VECTORS[:4]:
        assert found_ids(gallery, vector) == [into]
    for gone in (one, two):
        with pytest.raises(IdentityNotFound):
            gallery.people.get(COLLECTION, gone)


def test_who_stays_keeps_their_fields_and_takes_over_missing_ones(
    gallery: Gallery, corrections: Corrections
) -> None:
    into, _ = person(gallery, NewIdentity("Ada", None, {"team": "engines", "floor": None}, LATER))
    one, _ = person(
        gallery, NewIdentity("A.", "emp-1", {"team": "x", "site": "london"}, None, 0.95)
    )
    two, _ = person(gallery, NewIdentity(None, "emp-2", {"site": "y", "desk": 4}, SOON, 0.9))
    done = corrections.merge(COLLECTION, into, [one, two]).identity
    assert (done.name, done.external_id, done.threshold) == ("Ada", "emp-1", 0.95)
    assert done.attributes == {"team": "engines", "floor": None, "site": "london", "desk": 4}
    assert done.expires_at == SOON
    assert gallery.people.get(COLLECTION, "ext:emp-1") == done
    by_desk = PeopleFilter((Condition("desk", (4,)),))
    assert corrections.count(COLLECTION, by_desk).people == 1
    by_name = IdentityFilter(name_prefix="ada", external_id_prefix="EMP")
    page = gallery.people.page(COLLECTION, by_name, limit=9, cursor=None)
    assert page.items == (done,)
    person(gallery, NewIdentity(external_id="emp-2"))  # the key of who is gone is free again


def test_the_receipt_names_whose_key_is_free_again(
    gallery: Gallery, corrections: Corrections
) -> None:
    into, _ = person(gallery, NewIdentity(external_id="1"))
    person(gallery, NewIdentity("B", "2"))
    (gone,) = corrections.merge(COLLECTION, "ext:1", ["ext:2", "ext:2"]).merged
    assert (gone.name, gone.external_id) == ("B", "2")
    assert gallery.people.get(COLLECTION, into).external_id == "1"


@pytest.mark.parametrize("same", ["photo", "picture"])
def test_the_same_picture_is_kept_once(
    gallery: Gallery, corrections: Corrections, same: str
) -> None:
    photo = "a" * 64
    other = new_face(VECTORS[1], photo=photo) if same == "photo" else new_face(VECTORS[0])
    into, (own,) = person(gallery, NewIdentity(), new_face(VECTORS[0], photo=photo))
    gone, (twin, more) = person(gallery, NewIdentity(), other, new_face(VECTORS[2]))
    done = corrections.merge(COLLECTION, into, [gone])
    assert [(one.face_id, one.kept_face_id) for one in done.collapsed] == [(twin, own)]
    assert done.moved_face_ids == (more,)
    assert face_ids(gallery, into) == [own, more]
    assert gallery.sync.face_count() == 2


def test_of_the_same_picture_the_one_with_a_crop_stays(
    gallery: Gallery, corrections: Corrections
) -> None:
    into, (bare,) = person(gallery, NewIdentity(), new_face(VECTORS[0]))
    gallery.collections.update(COLLECTION, CollectionChanges(options={"crops": {"keep": True}}))
    cropped = replace(new_face(VECTORS[0]), face_id="c" * 32, sealed_crop=b"sealed")
    other, _ = person(gallery, NewIdentity(), cropped)
    third, (plain,) = person(gallery, NewIdentity(), new_face(VECTORS[0]))
    done = corrections.merge(COLLECTION, into, [third, other])
    assert face_ids(gallery, into) == ["c" * 32]
    assert {(one.face_id, one.kept_face_id) for one in done.collapsed} == {
        (plain, "c" * 32),
        (bare, "c" * 32),
    }
    with gallery.store.reading(COLLECTION) as transaction:
        (row,) = transaction.session.query(FaceTable).all()
        assert transaction.crops.among([row.number]) == {row.number}
    assert found_ids(gallery, VECTORS[0]) == [into]


def test_embeddings_by_a_second_embedder_come_along(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(next_model=OTHER_MODEL)
    corrections = gallery.corrections
    rollout = Rollouts(gallery.store.database)
    rollout.begin(COLLECTION, OTHER_MODEL)
    other = unit_vectors(3, seed=9, dimension=OTHER_MODEL.dimension)

    def both(place: int) -> NewFace:
        return replace(new_face(VECTORS[place]), next_embedding=other[place])

    into, _ = person(gallery, NewIdentity(), both(0))
    gone, _ = person(gallery, NewIdentity(), both(1))
    source, (moving,) = person(gallery, NewIdentity(), both(2))
    corrections.merge(COLLECTION, into, [gone])
    corrections.move_face(COLLECTION, moving, into)
    rollout.switch(COLLECTION, is_measured=True)
    gallery.sync.follow()
    for place in range(3):
        probe = replace(new_face(unit_vector(50)), next_embedding=other[place])
        (candidates,) = search_people(gallery, COLLECTION, [probe], top_k=1)
        assert candidates[0].identity.id == into
        assert candidates[0].similarity == pytest.approx(1.0, abs=1e-5)
    assert gallery.people.get(COLLECTION, source).face_count == 0


def test_terminals_remember_who_stays_by_the_latest_match(
    gallery: Gallery, corrections: Corrections
) -> None:
    into, _ = enroll(gallery, VECTORS[0])
    gone, _ = enroll(gallery, VECTORS[1])
    other, _ = enroll(gallery, VECTORS[2])
    gallery.search.remember(COLLECTION, "till-1", [gone.id], most=9)
    gallery.search.remember(COLLECTION, "till-2", [into.id], most=9)
    gallery.search.remember(COLLECTION, "till-2", [other.id], most=9)
    gallery.search.remember(COLLECTION, "till-2", [gone.id], most=9)
    corrections.merge(COLLECTION, into.id, [gone.id])
    for till, people in (("till-1", [into.id]), ("till-2", [into.id, other.id])):
        wanted = PeopleFilter(terminal_id=till)
        assert sorted(found_ids(gallery, VECTORS[0], wanted=wanted)) == sorted(people)
    with gallery.store.reading(COLLECTION) as transaction:
        newest = list(transaction.terminals.newest("till-2", 9))
    assert len(newest) == 2  # the merged one was seen there last


def test_only_a_change_of_these_people_is_a_conflict(
    gallery: Gallery, corrections: Corrections
) -> None:
    into, (face,) = person(gallery, NewIdentity("A"), new_face(VECTORS[0]))
    gone, _ = person(gallery, NewIdentity("B"), new_face(VECTORS[1]))
    seen = gallery.collections.revision(COLLECTION)
    enroll(gallery, VECTORS[2])  # somebody else
    changes: list[Callable[[], object]] = [
        lambda: gallery.people.update(COLLECTION, gone, IdentityChanges(name="C")),
        lambda: gallery.faces.add(COLLECTION, into, [new_face(VECTORS[3])]),
        lambda: gallery.faces.delete(COLLECTION, into, face),
    ]
    for change in changes:
        change()
        with pytest.raises(RevisionConflict) as conflict:
            corrections.merge(COLLECTION, into, [gone], if_revision=seen)
        seen = conflict.value.revision
        assert conflict.value.identity_id in {into, gone}
        assert gallery.collections.revision(COLLECTION) == seen  # nothing was changed
    with pytest.raises(RevisionConflict, match="is at revision"):
        corrections.merge(COLLECTION, into, [gone], if_revision=seen + 1)
    assert corrections.merge(COLLECTION, into, [gone], if_revision=seen).identity.id == into


def test_what_cannot_be_merged_changes_nothing(gallery: Gallery, corrections: Corrections) -> None:
    into, _ = person(gallery, NewIdentity(attributes={"a": "x" * 9_000}), new_face(VECTORS[0]))
    other, _ = person(gallery, NewIdentity(attributes={"b": "x" * 9_000}), new_face(VECTORS[1]))
    revision = gallery.collections.revision(COLLECTION)
    with pytest.raises(InvalidRequest, match="into themselves"):
        corrections.merge(COLLECTION, into, [other, into])
    with pytest.raises(IdentityNotFound):
        corrections.merge(COLLECTION, into, [other, "nobody"])
    with pytest.raises(InvalidRequest, match="bytes together"):
        corrections.merge(COLLECTION, into, [other])
    assert gallery.collections.revision(COLLECTION) == revision
    assert len(all_identities(gallery)) == 2


def test_a_moved_face_is_the_others_at_once(gallery: Gallery, corrections: Corrections) -> None:
    source, (face, left) = person(
        gallery, NewIdentity("A"), new_face(VECTORS[0]), new_face(VECTORS[1])
    )
    target, _ = person(gallery, NewIdentity("B", "b"), new_face(VECTORS[2]))
    done = corrections.move_face(COLLECTION, face, "ext:b")
    assert (done.face.id, done.identity.id, done.previous.id) == (face, target, source)
    assert (done.identity.face_count, done.previous.face_count) == (2, 1)
    assert found_ids(gallery, VECTORS[0], top_k=1) == [target]
    assert face_ids(gallery, source) == [left]
    again = corrections.move_face(COLLECTION, face, target)
    assert again.previous.id == again.identity.id == target
    corrections.move_face(COLLECTION, left, target)
    assert gallery.people.get(COLLECTION, source).face_count == 0  # the person stays


def test_a_face_is_moved_to_a_new_person(gallery: Gallery, corrections: Corrections) -> None:
    source, (face,) = person(gallery, NewIdentity("A", "a"), new_face(VECTORS[0]))
    with pytest.raises(ExternalIdTaken):
        corrections.move_face(COLLECTION, face, NewIdentity("B", "a"))
    done = corrections.move_face(COLLECTION, face, NewIdentity("B", "b"))
    assert done.is_new_person
    assert found_ids(gallery, VECTORS[0]) == [done.identity.id]
    assert gallery.people.get(COLLECTION, "ext:b").face_count == 1
    assert gallery.people.get(COLLECTION, source).face_count == 0
    with pytest.raises(FaceNotFound):
        corrections.move_face(COLLECTION, "nothing", source)


def test_a_picture_that_the_other_has_already_collapses(
    gallery: Gallery, corrections: Corrections
) -> None:
    _, (face,) = person(gallery, NewIdentity(), new_face(VECTORS[0]))
    target, (own,) = person(gallery, NewIdentity(), new_face(VECTORS[0]))
    done = corrections.move_face(COLLECTION, face, target)
    assert done.face.id == own
    assert [one.face_id for one in done.collapsed] == [face]
    assert gallery.sync.face_count() == 1


def guard(gallery: Gallery, nearest: Neighbour | None = None, *, force: bool = False) -> Guard:
    return Guard(
        0.5, 0.9, gallery.collections.revision(COLLECTION), (nearest,), MODEL.digest, force
    )


def like(base: Embedding, similarity: float) -> Embedding:
    away = unit_vector(77) - (unit_vector(77) @ base) * base
    away /= np.linalg.norm(away)
    mixed: Embedding = (similarity * base + np.sqrt(1 - similarity**2) * away).astype(np.float32)
    return mixed


def test_a_guard_refuses_to_move_a_face_to_somebody_unlike(
    gallery: Gallery, corrections: Corrections
) -> None:
    source, (face,) = person(gallery, NewIdentity(), new_face(VECTORS[0]))
    target, _ = person(gallery, NewIdentity(), new_face(like(VECTORS[0], 0.2)))
    with pytest.raises(EveryFaceRefusedError):
        corrections.move_face(COLLECTION, face, target, guard=guard(gallery))
    assert face_ids(gallery, source) == [face]
    done = corrections.move_face(COLLECTION, face, target, guard=guard(gallery, force=True))
    assert done.face.forced
    new = corrections.move_face(COLLECTION, face, NewIdentity(), guard=guard(gallery))
    assert not new.face.forced


def test_who_was_given_a_face_after_the_guard_looked_is_seen(
    gallery: Gallery, corrections: Corrections
) -> None:
    person(gallery, NewIdentity("own"), new_face(VECTORS[1]))
    source, (face,) = person(gallery, NewIdentity("source"), new_face(VECTORS[0]))
    other, _ = person(gallery, NewIdentity("other"), new_face(VECTORS[2]))
    looked = guard(gallery)  # nobody else is near: the face is the person's own
    corrections.move_face(COLLECTION, face, other)
    with pytest.raises(EveryFaceRefusedError) as refused:
        gallery.faces.add(COLLECTION, source, [new_face(like(VECTORS[0], 0.95))], guard=looked)
    assert refused.value.refusals[0].resemblance.identity_id == other


def test_people_are_deleted_by_a_filter_when_the_count_is_confirmed(
    gallery: Gallery, corrections: Corrections
) -> None:
    wanted = PeopleFilter((Condition("site", ("berlin",)),))
    for place in range(3):
        person(gallery, NewIdentity(attributes={"site": "berlin"}), new_face(VECTORS[place]))
    stays, _ = person(gallery, NewIdentity(attributes={"site": "bern"}), new_face(VECTORS[4]))
    found = corrections.count(COLLECTION, wanted)
    assert (found.people, found.faces, found.revision) == (
        3,
        3,
        gallery.collections.revision(COLLECTION),
    )
    with pytest.raises(CountChanged) as changed:
        corrections.delete_people(COLLECTION, wanted, confirmed=2)
    assert changed.value.count == 3
    moved = IdentityChanges(attributes={"site": "berlin"})
    gallery.people.update(COLLECTION, stays, moved)
    gallery.people.update(COLLECTION, stays, IdentityChanges(attributes={"site": "bern"}))
    done = corrections.delete_people(COLLECTION, wanted, confirmed=3, if_revision=found.revision)
    assert done.erasure is not None
    assert (done.erasure.identity_count, done.erasure.face_count) == (3, 3)
    assert [identity.id for identity in all_identities(gallery)] == [stays]
    assert gallery.sync.face_count() == 1
    nobody = corrections.delete_people(COLLECTION, wanted, confirmed=0)
    assert nobody.erasure is not None
    assert nobody.erasure.identity_ids == ()


def test_somebody_who_joined_after_the_look_is_not_deleted_by_an_equal_count(
    gallery: Gallery, corrections: Corrections
) -> None:
    wanted = PeopleFilter((Condition("site", ("berlin",)),))
    leaver, _ = person(gallery, NewIdentity(attributes={"site": "berlin"}))
    comer, _ = person(gallery, NewIdentity(attributes={"site": "bern"}))
    seen = gallery.collections.revision(COLLECTION)
    for who, site in ((leaver, "bern"), (comer, "berlin")):
        gallery.people.update(COLLECTION, who, IdentityChanges(attributes={"site": site}))
    with pytest.raises(RevisionConflict):
        corrections.delete_people(COLLECTION, wanted, confirmed=1, if_revision=seen)
    assert len(all_identities(gallery)) == 2


def test_more_people_than_are_erased_at_once_are_one_deletion(
    gallery: Gallery, corrections: Corrections
) -> None:
    people = [NewPerson(NewIdentity(), (new_face(VECTORS[i % 8]),)) for i in range(1_201)]
    gallery.people.enroll_many(COLLECTION, people)
    revision = gallery.collections.revision(COLLECTION)
    done = corrections.delete_people(COLLECTION, PeopleFilter(), confirmed=1_201)
    assert done.erasure is not None
    assert len(set(done.erasure.identity_ids)) == done.erasure.identity_count == 1_201
    assert done.erasure.revision == revision + 1
    assert gallery.sync.face_count() == 0


def test_everybody_is_deleted_in_steps_with_one_receipt(
    gallery: Gallery, corrections: Corrections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gallery.people.corrections.MOST_DELETED", 2)
    gallery.collections.create("other", None)
    enroll(gallery, VECTORS[0], collection="other")
    for vector in VECTORS[:5]:
        enroll(gallery, vector)
    with pytest.raises(CountChanged):
        corrections.delete_everybody(COLLECTION, confirmed=4)
    done = corrections.delete_everybody(COLLECTION, confirmed=5)
    assert (done.found.people, done.found.faces) == (5, 5)
    assert done.erasure is not None
    assert (done.erasure.identity_count, done.erasure.face_count) == (5, 5)
    assert all_identities(gallery) == []
    assert gallery.sync.face_count() == 1
    nobody = corrections.delete_everybody(COLLECTION)
    assert nobody.erasure is not None
    assert (nobody.found.people, nobody.erasure.identity_ids) == (0, ())


def test_nobody_is_deleted_where_somebody_is_held_or_changed_since(
    gallery: Gallery, corrections: Corrections
) -> None:
    people = [enroll(gallery, vector)[0] for vector in VECTORS[:3]]
    seen = gallery.collections.revision(COLLECTION)
    gallery.people.update(COLLECTION, people[0].id, IdentityChanges(name="Ada"))
    gallery.people.update(COLLECTION, people[1].id, IdentityChanges(name="Bob"))
    with pytest.raises(RevisionConflict):
        corrections.delete_everybody(COLLECTION, if_revision=seen)
    gallery.holds.set(COLLECTION, people[2].id, "case 7")
    with pytest.raises(PersonHeld):
        corrections.delete_everybody(COLLECTION)
    assert len(all_identities(gallery)) == 3
