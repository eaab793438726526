"""A filtered search gives what a naive loop over the people wanted gives, however few they are."""

from collections.abc import Callable

import numpy as np
import pytest

from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.index.protocol import FaceNumbers, Hits, Vectors
from app.gallery.records import Condition, NewIdentity, PeopleFilter
from app.gallery.search import face_lookup
from app.recognition.types import Embedding
from tests.gallery.conftest import OpenGallery, sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    assert_agrees,
    by_id,
    enroll,
    enroll_at_once,
    found_ids,
    new_face,
    search_people,
    unit_vector,
    unit_vectors,
)

PROBES = unit_vectors(2, seed=1)

WAYS = {
    "those wanted alone": (50_000, 20_000),
    "everybody": (0, 20_000),
    "everybody, then those wanted": (0, 100),
    "those wanted at the second look": (0, 0),
    "by their number": (40, 100),
}
"""`_FEW_FACES` and `_FAR`."""

ways = pytest.mark.parametrize(("few", "far"), WAYS.values(), ids=WAYS)


@pytest.fixture
def _limits(few: int, far: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_lookup, "_FEW_FACES", few)
    monkeypatch.setattr(face_lookup, "_FAR", far)


People = dict[str, dict[str, Embedding]]


def populate(gallery: Gallery, group_of: Callable[[int], str], *, count: int) -> dict[str, People]:
    """People with up to three faces each, by their group."""
    rng = np.random.default_rng(5)
    vectors = iter(unit_vectors(3 * count, seed=5))
    people = enroll_at_once(
        gallery,
        [[next(vectors) for _ in range(rng.integers(0, 4))] for _ in range(count)],
        attributes=[{"group": group_of(number)} for number in range(count)],
    )
    groups: dict[str, People] = {}
    for number, (identity_id, faces) in enumerate(people.items()):
        groups.setdefault(group_of(number), {})[identity_id] = faces
    return groups


def in_group(*groups: str) -> PeopleFilter:
    return PeopleFilter((Condition("group", groups),))


def test_filtered_search_agrees_with_a_naive_loop_over_those_wanted(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = populate(
        gallery,
        lambda number: "one" if number == 7 else "few" if number % 25 == 3 else "many",
        count=70,
    )
    everybody = {key: faces for people in groups.values() for key, faces in people.items()}
    for few, far in WAYS.values():
        monkeypatch.setattr(face_lookup, "_FEW_FACES", few)
        monkeypatch.setattr(face_lookup, "_FAR", far)
        for wanted, people in (
            (in_group("one"), groups["one"]),
            (in_group("few", "one"), groups["few"] | groups["one"]),
            (in_group("many"), groups["many"]),
            (in_group("many", "few", "one"), everybody),
            (in_group("nobody"), {}),
            (PeopleFilter(identity_ids=tuple(groups["few"])), groups["few"]),
        ):
            for top_k in (1, 200):
                answers = search_people(
                    gallery, COLLECTION, list(PROBES), top_k=top_k, wanted=wanted
                )
                for probe, candidates in zip(PROBES, answers, strict=True):
                    assert_agrees(candidates, people, probe, top_k=top_k)


def near(probe: Embedding, *, distance: float, seed: int) -> Embedding:
    vector = probe + distance * unit_vector(seed)
    made: Embedding = (vector / np.linalg.norm(vector)).astype(np.float32)
    return made


@ways
@pytest.mark.usefixtures("_limits")
@sqlite_only
def test_people_who_are_not_wanted_crowd_nobody_out(gallery: Gallery) -> None:
    """Hundreds of their faces are nearer than any of those wanted."""
    probe = PROBES[0]
    for start in (100, 200, 300):
        enroll(gallery, *(near(probe, distance=0.1, seed=start + turn) for turn in range(60)))
    people: People = {}
    for vectors in unit_vectors(12, seed=2).reshape(3, 4, -1):
        identity, faces = gallery.people.enroll(
            COLLECTION,
            NewIdentity(attributes={"group": "wanted"}),
            [*map(new_face, vectors)],
        )
        people[identity.id] = by_id(faces, vectors)
    for top_k in (1, 2, 3, 10):
        (candidates,) = search_people(
            gallery, COLLECTION, [probe], top_k=top_k, wanted=in_group("wanted")
        )
        assert_agrees(candidates, people, probe, top_k=top_k)


@ways
@pytest.mark.usefixtures("_limits")
@sqlite_only
def test_wanted_person_with_many_faces_crowds_no_other_out(gallery: Gallery) -> None:
    probe = PROBES[0]
    wanted = in_group("wanted")

    def enroll_wanted(*embeddings: Embedding) -> str:
        identity, _ = gallery.people.enroll(
            COLLECTION, NewIdentity(attributes={"group": "wanted"}), [*map(new_face, embeddings)]
        )
        return identity.id

    enroll(gallery, *(near(probe, distance=0.05, seed=turn) for turn in range(100, 150)))
    crowd = enroll_wanted(*(near(probe, distance=0.1, seed=turn) for turn in range(200, 350)))
    lonely = enroll_wanted(-probe)
    assert found_ids(gallery, probe, wanted=wanted) == [crowd, lonely]
    assert found_ids(gallery, probe, wanted=wanted, top_k=1) == [crowd]


@ways
@pytest.mark.usefixtures("_limits")
@sqlite_only
def test_excluded_face_does_not_count_among_those_wanted(gallery: Gallery) -> None:
    probe = PROBES[0]
    identity, (face_id, other) = enroll(gallery, probe, -probe)
    wanted = PeopleFilter(identity_ids=(identity.id,))
    ((found,),) = search_people(
        gallery, COLLECTION, [probe], top_k=3, wanted=wanted, exclude_face_id=face_id
    )
    assert (found.identity.id, found.face_id) == (identity.id, other)


class Watched(FaissIndex):
    """Counts the faces among which it was asked to search, None for everywhere."""

    asked: list[int | None]

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension)
        self.asked = []

    def search(self, probes: Vectors, count: int) -> list[Hits]:
        self.asked.append(None)
        return super().search(probes, count)

    def search_among(self, probes: Vectors, numbers: FaceNumbers, count: int) -> list[Hits]:
        self.asked.append(len(numbers))
        return super().search_among(probes, numbers, count)


@sqlite_only
@pytest.mark.parametrize(
    ("few", "far", "expected"),
    [(5, 20_000, [5]), (4, 20_000, [None, None]), (0, 100, [None, 5]), (0, 0, [None, 5])],
)
@pytest.mark.usefixtures("_limits")
def test_few_are_searched_alone_and_many_from_everywhere_until_that_gets_long(
    open_gallery: OpenGallery, expected: list[int | None]
) -> None:
    gallery = open_gallery(make_index=Watched)
    probe = PROBES[0]
    for start in (100, 200):
        enroll(gallery, *(near(probe, distance=0.1, seed=start + turn) for turn in range(50)))
    identity, _ = enroll(gallery, *unit_vectors(5, seed=2))
    index = gallery.sync.catch_up(COLLECTION)
    assert isinstance(index, Watched)
    wanted = PeopleFilter(identity_ids=(identity.id,))
    assert found_ids(gallery, probe, wanted=wanted, top_k=1) == [identity.id]
    assert index.asked == expected


@sqlite_only
def test_person_enrolled_beside_a_search_does_not_hold_it_up(open_gallery: OpenGallery) -> None:
    """The database has somebody wanted by now whom the index has not."""

    class Late(FaissIndex):
        def search_among(self, probes: Vectors, numbers: FaceNumbers, count: int) -> list[Hits]:
            self.remove(numbers)
            return super().search_among(probes, numbers, count)

    gallery = open_gallery(make_index=Late)
    identity, _ = enroll(gallery, PROBES[0])
    wanted = PeopleFilter(identity_ids=(identity.id,))
    assert found_ids(gallery, PROBES[0], wanted=wanted) == []


def test_filter_holds_for_those_enrolled_by_another_process(open_gallery: OpenGallery) -> None:
    ours, theirs = open_gallery(), open_gallery()
    groups = populate(ours, lambda number: "even" if number % 2 == 0 else "odd", count=20)
    for group, people in groups.items():
        (candidates,) = search_people(
            theirs, COLLECTION, [PROBES[0]], top_k=50, wanted=in_group(group)
        )
        assert_agrees(candidates, people, PROBES[0], top_k=50)
        gone = next(iter(people))
        theirs.people.delete(COLLECTION, gone)
        del people[gone]
        (candidates,) = search_people(
            ours, COLLECTION, [PROBES[0]], top_k=50, wanted=in_group(group)
        )
        assert_agrees(candidates, people, PROBES[0], top_k=50)
