"""Findings of the doctor that a person has dismissed."""

from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from app.errors import FaceNotFound, IdentityNotFound, InvalidRequest
from app.gallery.dismissals import NoFindings
from app.gallery.gallery import Gallery
from app.gallery.people.identity_ref import by_external_id
from app.gallery.records import IdentityChanges
from app.gallery.store.database import Database
from app.gallery.store.tables import DismissalTable
from tests.gallery.factories import COLLECTION, all_pages, enroll, unit_vectors
from tests.gallery.people.test_guards import PROBE, like
from tests.gallery.search.test_doctor import OTHER, examine


def pair(*people: str) -> NoFindings:
    one, other = people
    return NoFindings(pairs=((one, other),))


def found(gallery: Gallery) -> list[tuple[str, ...]]:
    """Each finding as its kind, and the two people or the face."""
    return [
        (one.kind, one.face_id)
        if one.face_id is not None
        else (one.kind, one.identity.identity_id, one.other.identity_id if one.other else "")
        for one in examine(gallery).findings
    ]


def dismissed(gallery: Gallery, *, limit: int = 2) -> list[tuple[set[str], str | None]]:
    pages = all_pages(
        lambda cursor: gallery.dismissals.page(COLLECTION, limit=limit, cursor=cursor)
    )
    return [
        ({person.identity_id for person in one.identities}, one.face_id)
        for page in pages
        for one in page
    ]


def rows(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(DismissalTable)) or 0


def enroll_pair(gallery: Gallery) -> tuple[str, str]:
    """Two people who are a finding."""
    one, _ = enroll(gallery, PROBE)
    other, _ = enroll(gallery, like(PROBE, 0.97, seed=4))
    return one.id, other.id


def test_dismissed_pair_is_not_reported_until_it_is_restored(gallery: Gallery) -> None:
    one, other = enroll_pair(gallery)
    before = found(gallery)
    assert before == [("duplicate", one, other)]
    revision = gallery.collections.revision(COLLECTION)
    dismissals = gallery.dismissals
    assert dismissals.dismiss(COLLECTION, pair(other, one)) == 1
    assert dismissals.dismiss(COLLECTION, pair(one, other)) == 0
    assert found(gallery) == []
    assert dismissed(gallery) == [({one, other}, None)]
    assert dismissals.restore(COLLECTION, pair(one, other)) == 1
    assert dismissals.restore(COLLECTION, pair(other, one)) == 0
    assert found(gallery) == before
    assert gallery.collections.revision(COLLECTION) == revision


def test_dismissed_pair_does_not_hide_the_next_one(gallery: Gallery) -> None:
    one, twin = enroll_pair(gallery)
    third = enroll(gallery, like(PROBE, 0.94, seed=9))[0].id
    assert [finding[1:] for finding in found(gallery)] == [(one, twin)]
    gallery.dismissals.dismiss(COLLECTION, pair(one, twin))
    assert [finding[1:] for finding in found(gallery)] == [(one, third)]
    gallery.dismissals.dismiss(COLLECTION, pair(third, one))
    gallery.dismissals.dismiss(COLLECTION, pair(third, twin))
    assert found(gallery) == []


def test_dismissed_face_is_neither_a_mislabel_nor_an_outlier(gallery: Gallery) -> None:
    stray = like(OTHER, 0.95, seed=5)
    _, faces = enroll(gallery, PROBE, like(PROBE, 0.9, seed=3), stray)
    mislabelled = list(faces)[2]
    bob, _ = enroll(gallery, OTHER, like(OTHER, 0.9, seed=4))
    assert found(gallery) == [("mislabel", mislabelled)]
    none = NoFindings(face_ids=(mislabelled,))
    assert gallery.dismissals.dismiss(COLLECTION, none) == 1
    assert found(gallery) == []
    gallery.people.delete(COLLECTION, bob.id)
    assert found(gallery) == [], "it would be an outlier now"
    assert gallery.dismissals.restore(COLLECTION, none) == 1
    assert found(gallery) == [("outlier", mislabelled)]


def test_dismissed_face_leaves_the_others_of_its_person_as_they_are(gallery: Gallery) -> None:
    third, fourth = unit_vectors(9, seed=77)[7:]
    _, faces = enroll(gallery, PROBE, like(PROBE, 0.9, seed=3), third, fourth)
    outliers = list(faces)[2:]
    assert found(gallery) == [("outlier", face) for face in outliers]
    gallery.dismissals.dismiss(COLLECTION, NoFindings(face_ids=outliers[:1]))
    assert found(gallery) == [("outlier", outliers[1])]


def test_moved_face_may_be_a_finding_again(gallery: Gallery) -> None:
    _, faces = enroll(gallery, PROBE, like(PROBE, 0.9, seed=3), OTHER)
    odd = list(faces)[2]
    third = unit_vectors(1, seed=31)[0]
    carol, _ = enroll(gallery, third, like(third, 0.95, seed=8))
    gallery.dismissals.dismiss(COLLECTION, NoFindings(face_ids=(odd,)))
    assert found(gallery) == []
    gallery.corrections.move_face(COLLECTION, odd, carol.id)
    assert found(gallery) == [("outlier", odd)]
    assert dismissed(gallery) == []


def test_merged_person_keeps_what_was_dismissed(gallery: Gallery) -> None:
    people = [enroll(gallery, vector)[0].id for vector in unit_vectors(8, seed=50)[:5]]
    kept, first, second, other, another = people
    _, faces = enroll(gallery, like(PROBE, 0.9, seed=3))
    pairs = [(first, other), (other, second), (kept, first), (another, other)]
    done = NoFindings(pairs=pairs, face_ids=list(faces))
    assert gallery.dismissals.dismiss(COLLECTION, done) == 5
    gallery.corrections.merge(COLLECTION, kept, [first, second])
    left = dismissed(gallery)
    assert ({kept, other}, None) in left
    assert ({another, other}, None) in left
    assert [face for _, face in left if face] == list(faces)
    assert len(left) == 3
    owner = next(ids for ids, face in left if face)
    gallery.corrections.merge(COLLECTION, kept, list(owner))
    assert ({kept}, next(iter(faces))) in dismissed(gallery)


def test_erased_people_and_faces_take_their_dismissals_along(
    gallery: Gallery, database: Database
) -> None:
    people = [enroll(gallery, vector) for vector in unit_vectors(8, seed=50)[:5]]
    ids = [identity.id for identity, _ in people]
    faces = [next(iter(own)) for _, own in people]
    pairs = [(ids[0], ids[1]), (ids[2], ids[0]), (ids[3], ids[4])]
    gallery.dismissals.dismiss(COLLECTION, NoFindings(pairs, faces))
    assert rows(database) == 8
    gallery.people.delete(COLLECTION, ids[0])
    assert rows(database) == 5
    gallery.faces.delete(COLLECTION, ids[1], faces[1])
    assert rows(database) == 4
    gallery.collections.delete(COLLECTION)
    assert rows(database) == 0


@pytest.mark.parametrize(
    ("pairs", "faces", "error"),
    [
        ([("0" * 32, by_external_id("a"))], [], IdentityNotFound),
        ([], ["0" * 32], FaceNotFound),
        ([(by_external_id("a"), by_external_id("a"))], [], InvalidRequest),
    ],
)
def test_dismissal_of_what_is_not_there_dismisses_nothing(
    gallery: Gallery,
    database: Database,
    pairs: Sequence[tuple[str, str]],
    faces: Sequence[str],
    error: type[Exception],
) -> None:
    ada, own = enroll(gallery, PROBE)
    gallery.people.update(COLLECTION, ada.id, IdentityChanges(external_id="a"))
    good = [(by_external_id("a"), enroll(gallery, OTHER)[0].id)]
    with pytest.raises(error):
        gallery.dismissals.dismiss(COLLECTION, NoFindings([*good, *pairs], [*own, *faces]))
    assert rows(database) == 0


def test_a_thousand_are_dismissed_and_restored_at_once(gallery: Gallery) -> None:
    people = [enroll(gallery, vector)[0].id for vector in unit_vectors(46, seed=6)]
    pairs = [(one, other) for one in people for other in people if one < other][:1_000]
    assert gallery.dismissals.dismiss(COLLECTION, NoFindings(pairs)) == 1_000
    assert len(dismissed(gallery, limit=400)) == 1_000
    assert gallery.dismissals.restore(COLLECTION, NoFindings(pairs)) == 1_000


def test_collections_do_not_dismiss_for_each_other(gallery: Gallery, database: Database) -> None:
    _, faces = enroll(gallery, PROBE)
    gallery.collections.create("staff", None)
    with pytest.raises(FaceNotFound):
        gallery.dismissals.dismiss("staff", NoFindings(face_ids=list(faces)))
    assert rows(database) == 0
