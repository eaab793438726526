"""The gallery doctor finds what was planted, and agrees with a naive look at everything."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from app.gallery.doctor import Checkup, DoctorPolicy, Finding, FindingKind
from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.index.protocol import VectorIndex
from app.gallery.people.enrolment import NewPerson
from app.gallery.records import NewIdentity
from app.gallery.store.statements.page_cursors import encode_cursor
from app.recognition.types import Embedding
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import COLLECTION, enroll, enroll_at_once, new_face, unit_vectors
from tests.gallery.people.test_guards import PROBE, like
from tests.kit.exact_index import ExactIndex

RULES = DoctorPolicy(0.7, 0.9)
OTHER = -PROBE


def examine(gallery: Gallery, rules: DoctorPolicy = RULES, **options: object) -> Checkup:
    given: dict[str, object] = {"limit": 1_000, "cursor": None, "within_s": 60.0, **options}
    return gallery.search.examine(COLLECTION, rules, **given)  # type: ignore[arg-type]


def test_face_of_somebody_else_is_a_mislabel(gallery: Gallery) -> None:
    stray = like(OTHER, 0.95, seed=5)
    ada, faces = enroll(gallery, PROBE, like(PROBE, 0.9, seed=3), stray, name="Ada")
    bob, theirs = enroll(gallery, OTHER, like(OTHER, 0.9, seed=4), name="Bob")
    (finding,) = examine(gallery).findings
    assert finding.kind is FindingKind.MISLABEL
    assert (finding.identity.identity_id, finding.identity.name) == (ada.id, "Ada")
    assert finding.other is not None
    assert (finding.other.identity_id, finding.other.name) == (bob.id, "Bob")
    assert finding.face_id == list(faces)[2]
    assert finding.other_face_id == next(iter(theirs))
    assert finding.similarity == pytest.approx(0.95, abs=1e-5)
    assert finding.own_similarity is not None
    assert finding.own_similarity < RULES.resembles


def test_one_person_under_two_names_is_a_duplicate_and_no_mislabel(gallery: Gallery) -> None:
    first, _ = enroll(gallery, PROBE, like(PROBE, 0.98, seed=3))
    second, _ = enroll(gallery, like(PROBE, 0.97, seed=4), like(PROBE, 0.98, seed=5))
    enroll(gallery, OTHER)
    (finding,) = examine(gallery).findings
    assert finding.kind is FindingKind.DUPLICATE
    assert finding.other is not None
    assert {finding.identity.identity_id, finding.other.identity_id} == {first.id, second.id}


def test_one_wrong_face_of_two_makes_no_duplicate_however_alike_photos_of_one_person_are(
    gallery: Gallery,
) -> None:
    far_apart = DoctorPolicy(0.3, 0.45)
    _, faces = enroll(gallery, PROBE, like(PROBE, -0.1, seed=3))
    enroll(gallery, like(PROBE, 0.98, seed=4), like(PROBE, 0.9, seed=5))
    (finding,) = examine(gallery, far_apart).findings
    assert (finding.kind, finding.face_id) == (FindingKind.MISLABEL, next(iter(faces)))


def test_people_just_below_the_threshold_are_look_alikes(gallery: Gallery) -> None:
    enroll(gallery, PROBE)
    enroll(gallery, like(PROBE, 0.85, seed=3))
    (finding,) = examine(gallery).findings
    assert finding.kind is FindingKind.LOOK_ALIKE
    assert finding.similarity == pytest.approx(0.85, abs=1e-5)


def test_face_like_nobody_elses_is_an_outlier(gallery: Gallery) -> None:
    _, faces = enroll(gallery, PROBE, OTHER, like(PROBE, 0.9, seed=3))
    (finding,) = examine(gallery).findings
    assert (finding.kind, finding.face_id) == (FindingKind.OUTLIER, list(faces)[1])
    assert finding.other is None


def test_expired_people_are_not_told_of(gallery: Gallery) -> None:
    enroll(gallery, PROBE)
    gallery.people.enroll(
        COLLECTION,
        NewIdentity(expires_at=datetime(2020, 1, 1, tzinfo=UTC)),
        [new_face(like(PROBE, 0.99, seed=2))],
    )
    assert examine(gallery).findings == ()


@pytest.mark.parametrize("make_index", [ExactIndex, FaissIndex])
def test_findings_are_those_of_a_naive_look(
    open_gallery: OpenGallery, make_index: Callable[[int], VectorIndex]
) -> None:
    gallery = open_gallery(make_index=make_index)
    people = [
        [like(base, 0.93, seed=100 + 7 * place + face) for face in range(place % 5)]
        for place, base in enumerate(unit_vectors(150, seed=9))
    ]
    for place in range(0, 60, 6):
        people[place + 4] += people[place + 3][:1]
    enrolled = enroll_at_once(gallery, people)
    found = examine(gallery)
    assert found.next_after is None
    assert (found.identities_examined, found.faces_examined) == (150, sum(map(len, people)))
    pairs = {
        frozenset({one.identity.identity_id, one.other.identity_id})
        for one in found.findings
        if one.other is not None
        if one.kind in {FindingKind.DUPLICATE, FindingKind.LOOK_ALIKE}
    }
    ids = list(enrolled)
    assert pairs == {frozenset({ids[a], ids[b]}) for a, b in _mutual(people)}
    mislabels = {one.face_id for one in found.findings if one.kind is FindingKind.MISLABEL}
    faces = [list(own) for own in enrolled.values()]
    assert mislabels == {faces[person][face] for person, face in _mislabels(people)}
    assert mislabels


def _alike(one: list[Embedding], other: list[Embedding]) -> float:
    there = np.mean([max(float(a @ b) for b in other) for a in one])
    back = np.mean([max(float(a @ b) for a in one) for b in other])
    return float(min(there, back))


def _partners(people: list[list[Embedding]]) -> dict[int, tuple[float, int]]:
    return {
        a: max(
            (_alike(one, other), b)
            for b, other in enumerate(people)
            if other and b != a and float((np.stack(one) @ np.stack(other).T).max()) >= 0.8
        )
        for a, one in enumerate(people)
        if one
        and any(
            float((np.stack(one) @ np.stack(other).T).max()) >= 0.8
            for b, other in enumerate(people)
            if other and b != a
        )
    }


def _mutual(people: list[list[Embedding]]) -> list[tuple[int, int]]:
    best = _partners(people)
    return [
        (a, b)
        for a, (similarity, b) in best.items()
        if a < b and similarity >= RULES.look_alike and best[b][1] == a
    ]


def _mislabels(people: list[list[Embedding]]) -> list[tuple[int, int]]:
    best = _partners(people)
    found = []
    for a, own in enumerate(people):
        for place, face in enumerate(own):
            mine = [float(face @ other) for i, other in enumerate(own) if i != place]
            theirs = [
                (float(face @ other), b)
                for b, faces in enumerate(people)
                if b != a
                for other in faces
            ]
            similarity, b = max(theirs)
            twin = best[a][1] if a in best and best[a][0] >= RULES.another else None
            if mine and max(mine) < RULES.resembles and similarity >= RULES.another and b != twin:
                found.append((a, place))
    return found


def test_pages_find_together_what_one_page_finds(gallery: Gallery) -> None:
    vectors = unit_vectors(40, seed=4)
    gallery.people.enroll_many(
        COLLECTION,
        [
            NewPerson(NewIdentity(), (new_face(vector), new_face(like(vector, 0.5, seed=1))))
            for vector in np.repeat(vectors, 2, axis=0)
        ],
    )
    whole = examine(gallery)
    assert len(whole.findings) >= 80
    findings: list[Finding] = []
    cursor, people, pages = None, 0, 0
    while True:
        page = examine(gallery, limit=7, cursor=cursor)
        findings += page.findings
        people += page.identities_examined
        pages += 1
        if page.next_after is None:
            break
        assert len(page.findings) <= 7 + 3
        cursor = encode_cursor(page.next_after)
    assert tuple(findings) == whole.findings
    assert (people, pages > 8) == (80, True)


def test_page_ends_when_its_time_is_up(gallery: Gallery) -> None:
    enroll_at_once(gallery, [[vector] for vector in unit_vectors(300, seed=3, dimension=8)])
    page = examine(gallery, within_s=1e-9)
    assert 0 < page.identities_examined < 300
    assert page.next_after is not None
