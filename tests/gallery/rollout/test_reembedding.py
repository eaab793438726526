"""A collection goes from one embedder to another, and back, while it serves."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from sqlalchemy import func, select

from app.errors import EmbedderMismatch, RolloutImpossible, StartupError
from app.gallery.gallery import Gallery
from app.gallery.people.enrolment import KnownFace, NewPerson
from app.gallery.people.enrolment_guards import EmbedderSwitchedError, Guard
from app.gallery.records import (
    CollectionChanges,
    IdentityChanges,
    NewFace,
    NewIdentity,
    Scoring,
)
from app.gallery.rollout.rollouts import Rollouts
from app.gallery.search.collection_calibrations import CalibrationStore
from app.gallery.search.nearest_people import PeopleQuery
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.rollout_repository import RolloutRepository
from app.gallery.store.tables import FaceTable, SecondEmbeddingTable
from app.gallery.sync.snapshot_file import Source
from app.gallery.sync.snapshots import SnapshotStore
from app.gallery.transfer.exporter import export_gallery
from app.gallery.transfer.importer import import_gallery
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.unknowns.unknown_records import InboxLimits, Sighting
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    OTHER_MODEL,
    compare,
    new_face,
    new_gallery,
    search_people,
    unit_vectors,
)

OLD, NEW = MODEL, OTHER_MODEL
SEEN = unit_vectors(64, seed=3)
SEEN_ANEW = unit_vectors(64, seed=4, dimension=NEW.dimension)
"""What the two embedders make of 64 photos, by place."""


@pytest.fixture
def both(open_gallery: OpenGallery) -> Gallery:
    """A process that runs both embedders."""
    return open_gallery(next_model=NEW)


@pytest.fixture
def reembedding(database: Database) -> Rollouts:
    return Rollouts(database)


def photo(place: int) -> NewFace:
    """What a process of both embedders makes of a photo."""
    return replace(new_face(SEEN[place], photo=f"{place:064x}"), next_embedding=SEEN_ANEW[place])


def enroll_photo(gallery: Gallery, place: int) -> str:
    face = photo(place)
    if gallery.embedders.next is None:
        face = replace(face, next_embedding=None)
    identity, _ = gallery.people.enroll(COLLECTION, NewIdentity(), [face])
    return identity.id


def reembed(reembedding: Rollouts, *, leave: int | None = None) -> int:
    """As the command does: by what is known of the photos; `leave` has none."""
    reembedding.begin(COLLECTION, NEW)
    waiting = reembedding.waiting(COLLECTION, NEW, after=0, limit=1_000)
    return reembedding.add(
        COLLECTION,
        NEW,
        {
            face.number: SEEN_ANEW[place]
            for face in waiting
            if (place := int(face.image_sha256 or "0", 16)) != leave
        },
    )


def found(gallery: Gallery, place: int) -> tuple[str, str]:
    """Who is most like a photo, surely the same one, and the embedder that says so."""
    query = PeopleQuery(1, datetime.now(UTC))
    answer = gallery.search.find(COLLECTION, [photo(place)], query)
    ((candidate,),) = answer.candidates
    assert candidate.similarity == pytest.approx(1, abs=1e-5)
    return candidate.identity.id, answer.basis.model.name


def rows(database: Database, table: type[FaceTable] | type[SecondEmbeddingTable]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_first_embedder_serves_until_the_switch_and_the_second_from_then_on(
    open_gallery: OpenGallery, reembedding: Rollouts
) -> None:
    people = [enroll_photo(open_gallery(), place) for place in range(5)]
    processes = [open_gallery(next_model=NEW), open_gallery(next_model=NEW)]
    assert reembed(reembedding) == 5
    before = reembedding.look(COLLECTION)
    assert (before.serving, before.second, before.without_second) == (OLD, NEW, 0)
    for gallery in processes:
        assert [found(gallery, place) for place in range(5)] == [(p, OLD.name) for p in people]
    after = reembedding.switch(COLLECTION, is_measured=True)
    assert after.revision == before.revision + 1
    for gallery in processes:
        assert [found(gallery, place) for place in range(5)] == [(p, NEW.name) for p in people]
    reembedding.roll_back(COLLECTION)
    for gallery in processes:
        assert [found(gallery, place) for place in range(5)] == [(p, OLD.name) for p in people]


def test_status_counts_what_is_missing_and_names_what_hinders(
    open_gallery: OpenGallery, reembedding: Rollouts
) -> None:
    def status(*, known: bool = False) -> tuple[str | None, int | None, list[str]]:
        seen = reembedding.status(COLLECTION, known=lambda _: known)
        return seen.rollout.state, seen.rollout.missing, [code for code, _ in seen.objections]

    first = open_gallery()
    for place in range(5):
        enroll_photo(first, place)
    assert status() == (None, None, [])
    reembed(reembedding, leave=3)
    assert status() == ("embedding", 1, ["lacking_second", "not_measured"])
    assert status(known=True) == ("embedding", 1, ["lacking_second"])
    reembed(reembedding)
    assert status(known=True) == ("ready", 0, [])
    reembedding.switch(COLLECTION, is_measured=True)
    assert status() == ("switched", 0, [])
    seen = reembedding.look(COLLECTION)
    assert (seen.from_embedder, seen.to_embedder, seen.missing_before) == (OLD, NEW, 0)
    reembedding.roll_back(COLLECTION)
    seen = reembedding.look(COLLECTION)
    assert (seen.state, seen.from_embedder, seen.to_embedder) == ("ready", OLD, NEW)
    reembedding.purge(COLLECTION)
    assert status() == (None, None, [])


def test_second_index_is_ready_before_the_switch(
    open_gallery: OpenGallery, reembedding: Rollouts, full_reads: list[str]
) -> None:
    for place in range(5):
        enroll_photo(open_gallery(), place)
    gallery = open_gallery(next_model=NEW)
    reembed(reembedding)
    gallery.sync.follow()
    assert gallery.sync.face_count() == 10
    full_reads.clear()
    reembedding.switch(COLLECTION, is_measured=True)
    found(gallery, 3)
    reembedding.roll_back(COLLECTION)
    found(gallery, 3)
    assert full_reads == []


def test_whoever_is_enrolled_meanwhile_is_stored_by_both(
    both: Gallery, reembedding: Rollouts, database: Database
) -> None:
    people = [enroll_photo(both, 0)]
    reembedding.begin(COLLECTION, NEW)
    people.append(enroll_photo(both, 1))
    (outcome,) = both.people.enroll_many(COLLECTION, [NewPerson(NewIdentity(), (photo(2),))])
    people.append(outcome.identity_id or "")
    assert rows(database, SecondEmbeddingTable) == 2
    assert reembed(reembedding) == 1
    reembedding.switch(COLLECTION, is_measured=True)
    people.append(enroll_photo(both, 3))
    assert [found(both, place) for place in range(4)] == [(p, NEW.name) for p in people]
    assert reembedding.look(COLLECTION).without_second == 0
    reembedding.roll_back(COLLECTION)
    assert [found(both, place) for place in range(4)] == [(p, OLD.name) for p in people]


def test_whoever_a_process_of_one_embedder_enrolled_is_told_of_and_not_missed(
    open_gallery: OpenGallery, reembedding: Rollouts
) -> None:
    one, both = open_gallery(), open_gallery(next_model=NEW)
    enroll_photo(one, 0)
    reembed(reembedding)
    late = enroll_photo(one, 1)
    with pytest.raises(RolloutImpossible, match="1 faces have no embedding by other-net"):
        reembedding.switch(COLLECTION, is_measured=True)
    (waiting,) = reembedding.waiting(COLLECTION, NEW, after=0, limit=9)
    assert waiting.identity_id == late
    assert waiting.image_sha256 == f"{1:064x}"
    assert reembed(reembedding) == 1
    reembedding.switch(COLLECTION, is_measured=True)
    assert found(both, 1) == (late, NEW.name)


def test_deletion_deletes_both(both: Gallery, reembedding: Rollouts, database: Database) -> None:
    gone, stays = enroll_photo(both, 0), enroll_photo(both, 1)
    reembed(reembedding)
    both.sync.follow()
    query = PeopleQuery(9, datetime.now(UTC))
    both.people.delete(COLLECTION, gone)
    assert rows(database, FaceTable) == rows(database, SecondEmbeddingTable) == 1
    assert both.sync.face_count() == 2
    shadow = both.search.find_by_other_embedder(COLLECTION, [photo(0)], query)
    assert shadow is not None
    assert [[c.identity.id for c in some] for some in shadow.candidates] == [[stays]]
    both.collections.delete(COLLECTION)
    assert rows(database, SecondEmbeddingTable) == 0
    both.sync.follow()
    assert both.sync.face_count() == 0


def test_face_that_is_deleted_while_it_is_embedded_stays_deleted(
    both: Gallery, reembedding: Rollouts, database: Database
) -> None:
    gone = enroll_photo(both, 0)
    enroll_photo(both, 1)
    reembedding.begin(COLLECTION, NEW)
    waiting = reembedding.waiting(COLLECTION, NEW, after=0, limit=9)
    both.people.delete(COLLECTION, gone)
    assert reembedding.add(COLLECTION, NEW, {f.number: SEEN_ANEW[0] for f in waiting}) == 1
    assert rows(database, SecondEmbeddingTable) == 1


def test_adding_the_same_twice_changes_nothing(
    both: Gallery, reembedding: Rollouts, database: Database
) -> None:
    person = enroll_photo(both, 0)
    reembedding.begin(COLLECTION, NEW)
    (waiting,) = reembedding.waiting(COLLECTION, NEW, after=0, limit=9)
    assert reembedding.add(COLLECTION, NEW, {waiting.number: SEEN_ANEW[0]}) == 1
    both.sync.follow()
    assert reembedding.add(COLLECTION, NEW, {waiting.number: SEEN_ANEW[1]}) == 0
    both.sync.follow()
    assert rows(database, SecondEmbeddingTable) == 1
    reembedding.switch(COLLECTION, is_measured=True)
    assert found(both, 0) == (person, NEW.name)


def test_forced_switch_finds_whom_it_can_and_the_way_back_finds_everybody(
    both: Gallery, reembedding: Rollouts
) -> None:
    people = [enroll_photo(both, place) for place in range(3)]
    reembed(reembedding, leave=1)
    reembedding.switch(COLLECTION, is_measured=True, force=True)
    assert found(both, 0) == (people[0], NEW.name)
    answer = both.search.find(COLLECTION, [photo(1)], PeopleQuery(9, datetime.now(UTC)))
    assert {c.identity.id for c in answer.candidates[0]} == {people[0], people[2]}
    assert answer.searched.faces == 2
    with pytest.raises(RolloutImpossible, match="1 faces have no embedding by other-net"):
        reembedding.purge(COLLECTION)
    (waiting,) = reembedding.waiting(COLLECTION, NEW, after=0, limit=9)
    reembedding.roll_back(COLLECTION)
    assert [found(both, place) for place in range(3)] == [(p, OLD.name) for p in people]
    reembedding.switch(COLLECTION, is_measured=True, force=True)
    assert reembedding.add(COLLECTION, NEW, {waiting.number: SEEN_ANEW[1]}) == 1
    assert found(both, 1) == (people[1], NEW.name)


def test_switch_refuses_similarities_of_the_old_embedder(
    both: Gallery, reembedding: Rollouts
) -> None:
    person = enroll_photo(both, 0)
    reembed(reembedding)
    both.collections.update(
        COLLECTION,
        CollectionChanges(options={"decisions": {"verify_threshold": 0.9, "margin": 0.01}}),
    )
    both.people.update(COLLECTION, person, IdentityChanges(threshold=0.95))
    with pytest.raises(RolloutImpossible) as refused:
        reembedding.switch(COLLECTION, is_measured=False)
    for told in ("verify_threshold and margin", "1 people have a threshold", "were not measured"):
        assert told in str(refused.value)
    assert found(both, 0) == (person, OLD.name)


def test_way_back_refuses_similarities_of_the_new_embedder(
    both: Gallery, reembedding: Rollouts
) -> None:
    person = enroll_photo(both, 0)
    reembed(reembedding)
    reembedding.switch(COLLECTION, is_measured=True)
    both.people.update(COLLECTION, person, IdentityChanges(threshold=0.95))
    with pytest.raises(RolloutImpossible, match="1 people have a threshold"):
        reembedding.roll_back(COLLECTION)
    assert found(both, 0) == (person, NEW.name)


def test_purge_that_broke_off_leaves_nobody_half_and_goes_on(
    both: Gallery, reembedding: Rollouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, _ = both.people.enroll(COLLECTION, NewIdentity(), [photo(0), photo(1)])
    reembed(reembedding)
    both.sync.follow()
    settle = RolloutRepository.settle

    def settle_one(repository: RolloutRepository, *, most: int) -> Sequence[int]:  # noqa: ARG001
        monkeypatch.setattr(RolloutRepository, "settle", broken_off)
        return settle(repository, most=1)

    def broken_off(repository: RolloutRepository, *, most: int) -> Sequence[int]:  # noqa: ARG001
        raise KeyboardInterrupt

    monkeypatch.setattr(RolloutRepository, "settle", settle_one)
    with pytest.raises(KeyboardInterrupt):
        reembedding.purge(COLLECTION)
    monkeypatch.setattr(RolloutRepository, "settle", settle)
    query = PeopleQuery(5, datetime.now(UTC), scoring=Scoring.TEMPLATE)
    for place in (0, 1):
        assert found(both, place) == (person.id, OLD.name)
        by_second = both.search.find_by_other_embedder(COLLECTION, [photo(place)], query)
        assert by_second is not None
        told = [candidate.identity.id for candidate in by_second.candidates[0]]
        assert told in ([], [person.id])
    assert reembed(reembedding) == 1
    both.sync.follow()
    assert both.search.find_by_other_embedder(COLLECTION, [photo(0)], query) is not None
    assert reembedding.purge(COLLECTION) == 2
    assert found(both, 1) == (person.id, OLD.name)


def test_steps_come_in_their_order(both: Gallery, reembedding: Rollouts) -> None:
    enroll_photo(both, 0)
    steps: list[Callable[[], object]] = [
        lambda: reembedding.switch(COLLECTION, is_measured=True),
        lambda: reembedding.roll_back(COLLECTION),
        lambda: reembedding.purge(COLLECTION),
        lambda: reembedding.begin(COLLECTION, OLD),
        lambda: reembedding.add(COLLECTION, NEW, {1: SEEN_ANEW[0]}),
    ]
    before = reembedding.look(COLLECTION)
    for step in steps:
        with pytest.raises(RolloutImpossible):
            step()
    assert reembedding.look(COLLECTION) == before
    reembed(reembedding)
    with pytest.raises(RolloutImpossible, match="not gone over"):
        reembedding.roll_back(COLLECTION)
    with pytest.raises(RolloutImpossible, match="has two embedders already"):
        reembedding.begin(COLLECTION, replace(NEW, digest="c" * 64))
    reembedding.switch(COLLECTION, is_measured=True)
    with pytest.raises(RolloutImpossible, match="already"):
        reembedding.switch(COLLECTION, is_measured=True)


@pytest.mark.parametrize("switched", [True, False])
def test_purge_leaves_the_embedder_that_serves(
    open_gallery: OpenGallery, reembedding: Rollouts, database: Database, *, switched: bool
) -> None:
    both = open_gallery(next_model=NEW)
    people = [enroll_photo(both, 0), enroll_photo(both, 1)]
    reembed(reembedding)
    serving, seen = OLD, SEEN
    if switched:
        serving, seen = NEW, SEEN_ANEW
        reembedding.switch(COLLECTION, is_measured=True)
    people.append(enroll_photo(both, 2))
    assert reembedding.purge(COLLECTION) == 3
    look = reembedding.look(COLLECTION)
    assert (look.serving, look.second, look.switched_at) == (serving, None, None)
    assert rows(database, SecondEmbeddingTable) == 0
    with database.reading() as session:
        faces = list(session.scalars(select(FaceTable).order_by(FaceTable.number)))
        assert [face.embedding for face in faces] == [seen[place].tobytes() for place in range(3)]
        assert {(face.embedder, face.digest) for face in faces} == {(serving.name, serving.digest)}
    both.sync.follow()
    assert both.sync.face_count() == 3
    assert [found(both, place) for place in range(3)] == [(p, serving.name) for p in people]
    alone = open_gallery(model=serving)
    assert [c.identity.id for c in search_people(alone, COLLECTION, [seen[2]], top_k=1)[0]] == [
        people[2]
    ]
    other = OLD if switched else NEW
    with pytest.raises(StartupError):
        open_gallery(model=other)


def test_process_of_the_old_embedder_alone_is_refused_after_the_switch(
    open_gallery: OpenGallery, reembedding: Rollouts
) -> None:
    one, both = open_gallery(), open_gallery(next_model=NEW)
    enroll_photo(one, 0)
    reembed(reembedding)
    reembedding.switch(COLLECTION, is_measured=True)
    with pytest.raises(EmbedderMismatch, match="other-net"):
        search_people(one, COLLECTION, [SEEN[0]], top_k=1)
    with pytest.raises(EmbedderMismatch, match="the embedding sent is by"):
        search_people(both, COLLECTION, [SEEN[0]], top_k=1)  # a plain embedding by the old one
    with pytest.raises(EmbedderMismatch, match="the embedding sent is by"):
        both.people.enroll(COLLECTION, NewIdentity(), [new_face(SEEN[5])])


def test_enrolled_face_is_a_probe_on_both_sides_of_a_switch(
    both: Gallery, reembedding: Rollouts
) -> None:
    person, face = both.people.enroll(COLLECTION, NewIdentity(), [photo(0)])
    reembed(reembedding)
    assert not isinstance(face[0], KnownFace)
    probe = both.faces.probe_of(COLLECTION, face[0].id)  # type: ignore[union-attr]
    for turn in (lambda: None, lambda: reembedding.switch(COLLECTION, is_measured=True)):
        turn()
        ((candidate,),) = search_people(both, COLLECTION, [probe], top_k=1)
        assert candidate.identity.id == person.id
    assert compare(both, COLLECTION, person.id, photo(0))[0].similarity == pytest.approx(
        1, abs=1e-5
    )


def test_same_photo_and_same_crop_are_known_by_either_embedder(
    both: Gallery, reembedding: Rollouts
) -> None:
    person = enroll_photo(both, 0)
    reembed(reembedding)
    reembedding.switch(COLLECTION, is_measured=True)
    again = replace(photo(0), image_sha256="f" * 64)
    _, outcomes = both.faces.add(COLLECTION, person, [photo(0), again])
    assert [type(outcome) for outcome in outcomes] == [KnownFace, KnownFace]


def test_guard_of_the_embedder_before_is_asked_once_more(
    both: Gallery, reembedding: Rollouts
) -> None:
    enroll_photo(both, 0)
    reembed(reembedding)
    guard = Guard(0.5, 0.9, both.collections.revision(COLLECTION), (None,), OLD.digest)
    reembedding.switch(COLLECTION, is_measured=True)
    with pytest.raises(EmbedderSwitchedError):
        both.people.enroll(COLLECTION, NewIdentity(), [photo(1)], guard=guard)
    person = NewPerson(NewIdentity(), (photo(1),), guard)
    with pytest.raises(EmbedderSwitchedError):
        both.people.enroll_many(COLLECTION, [person])
    assert both.collections.get(COLLECTION).face_count == 1


def test_inbox_of_unknowns_is_emptied_and_goes_on_by_the_new_embedder(
    both: Gallery, reembedding: Rollouts, database: Database
) -> None:
    unknowns = Unknowns(database, both, InboxLimits(1e6, 100, 10))
    both.collections.update(COLLECTION, CollectionChanges(options={"unknowns": {"keep": True}}))
    enroll_photo(both, 0)
    reembed(reembedding)

    def keep(place: int, digest: str) -> list[str]:
        sighting = Sighting(SEEN[place], f"{place:064x}", next_embedding=SEEN_ANEW[place])
        return unknowns.keep(COLLECTION, [sighting], 0.9, digest=digest)

    (before,) = keep(1, OLD.digest)
    reembedding.switch(COLLECTION, is_measured=True)
    assert keep(1, OLD.digest) == []  # was looked up before the switch
    (first,), (again,) = keep(1, NEW.digest), keep(1, NEW.digest)
    assert before != first == again
    identity, _ = unknowns.name(COLLECTION, first, NewIdentity(name="Ada"), None)
    assert found(both, 1) == (identity.id, NEW.name)


def test_own_calibration_of_the_embedder_before_counts_again_after_the_way_back(
    both: Gallery, reembedding: Rollouts, database: Database
) -> None:
    store = CalibrationStore(database)
    enroll_photo(both, 0)
    store.replace(COLLECTION, {"of": "old"})
    reembed(reembedding)
    store.replace(COLLECTION, {"of": "new"}, digest=NEW.digest)
    told = []
    for turn in (
        lambda: None,
        lambda: reembedding.switch(COLLECTION, is_measured=True),
        lambda: reembedding.roll_back(COLLECTION),
    ):
        turn()
        basis = store.basis(COLLECTION)
        assert basis.calibration is not None
        told.append(store.calibration(COLLECTION, basis.model.digest))
    assert told == [{"of": "old"}, {"of": "new"}, {"of": "old"}]
    assert store.examples(COLLECTION, by_other_embedder=True).model == NEW
    reembedding.switch(COLLECTION, is_measured=True)
    reembedding.purge(COLLECTION)
    assert store.calibration(COLLECTION, OLD.digest) is None


def test_nobody_is_missed_by_those_who_search_while_it_goes_to_and_fro(
    both: Gallery, reembedding: Rollouts
) -> None:
    people = [enroll_photo(both, place) for place in range(20)]
    done = Event()

    def search() -> int:
        count = 0
        while not done.is_set() or count == 0:
            place = count % len(people)
            assert found(both, place)[0] == people[place]
            count += 1
        return count

    with ThreadPoolExecutor(2) as pool:
        searches = [pool.submit(search) for _ in range(2)]
        try:
            reembed(reembedding)
            for _ in range(5):
                reembedding.switch(COLLECTION, is_measured=True)
                reembedding.roll_back(COLLECTION)
            reembedding.switch(COLLECTION, is_measured=True)
            reembedding.purge(COLLECTION)
        finally:
            done.set()
        assert all(task.result(timeout=60) > 0 for task in searches)
    assert found(both, 7) == (people[7], NEW.name)


def test_snapshot_is_of_the_embedder_that_serves(
    open_saved: OpenGallery,
    snapshot_folder: Path,
    reembedding: Rollouts,
    database: Database,
    full_reads: list[str],
) -> None:
    both = open_saved(next_model=NEW)
    people = [enroll_photo(both, place) for place in range(4)]
    reembed(reembedding)
    both.sync.follow()
    both.sync.save()

    def held() -> Source:
        with Store(database).reading(COLLECTION) as transaction:
            return Source.of(transaction.collection)

    store = SnapshotStore(snapshot_folder)
    old = held()
    assert store.holds(old)
    reembedding.switch(COLLECTION, is_measured=True)
    both.sync.save()
    assert (store.holds(old), store.holds(held())) == (False, True)
    both.close()
    full_reads.clear()
    again = open_saved(model=NEW)
    assert [
        c.identity.id for c in search_people(again, COLLECTION, [SEEN_ANEW[2]], top_k=1)[0]
    ] == [people[2]]
    assert full_reads == []
    reembedding.roll_back(COLLECTION)
    back = open_saved(next_model=NEW)
    assert found(back, 2) == (people[2], OLD.name)


def test_archive_holds_the_embeddings_that_serve(
    both: Gallery, reembedding: Rollouts, database: Database, tmp_path: Path
) -> None:
    enroll_photo(both, 0)
    reembed(reembedding)
    reembedding.switch(COLLECTION, is_measured=True)
    enroll_photo(both, 1)
    export_gallery(database, tmp_path / "gallery.zip")
    other = Database(f"sqlite:///{tmp_path / 'other.db'}", timeout_s=10)
    other.upgrade()
    (done,) = import_gallery(other, tmp_path / "gallery.zip")
    assert done.faces == 2
    gallery = new_gallery(other, model=NEW)
    gallery.open()
    for place in range(2):
        ((candidate,),) = search_people(gallery, COLLECTION, [SEEN_ANEW[place]], top_k=1)
        assert candidate.similarity == pytest.approx(1, abs=1e-5)
    gallery.close()


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_steps_leaves_what_a_dictionary_says(
    open_gallery: OpenGallery, reembedding: Rollouts, seed: int
) -> None:
    processes = [open_gallery(next_model=NEW), open_gallery(model=NEW, next_model=OLD)]
    random = np.random.default_rng(seed)
    people: dict[str, int] = {}
    for place in range(40):
        step = str(random.choice(["enroll", "enroll", "delete", "reembed", "turn", "purge"]))
        gallery = processes[int(random.integers(2))]
        if step == "enroll":
            face = photo(place)
            if gallery.model == NEW:
                assert face.next_embedding is not None
                face = replace(face, embedding=face.next_embedding, next_embedding=face.embedding)
            identity, _ = gallery.people.enroll(COLLECTION, NewIdentity(), [face])
            people[identity.id] = place
        elif step == "delete" and people:
            gone = str(random.choice(sorted(people)))
            gallery.people.delete(COLLECTION, gone)
            del people[gone]
        elif step == "reembed" and reembedding.look(COLLECTION).serving == OLD:
            reembed(reembedding)
        elif step == "turn" and reembedding.look(COLLECTION).second is not None:
            switched = reembedding.look(COLLECTION).switched_at is not None
            try:
                if switched:
                    reembedding.roll_back(COLLECTION)
                else:
                    reembedding.switch(COLLECTION, is_measured=True)
            except RolloutImpossible as error:
                assert "have no embedding" in str(error)  # noqa: PT017
        elif step == "purge" and reembedding.look(COLLECTION).second == NEW:
            reembedding.purge(COLLECTION)
        for identity_id, enrolled in people.items():
            assert found(processes[0], enrolled)[0] == identity_id
        for process in processes:
            process.sync.follow()
        look = reembedding.look(COLLECTION)
        known = len(people) - look.without_second if look.second is not None else 0
        assert (
            processes[0].sync.face_count() == processes[1].sync.face_count() == len(people) + known
        )
