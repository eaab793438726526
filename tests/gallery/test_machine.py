"""Any sequence of changes, restarts, failures and processes leaves what a dictionary says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from structlog.testing import capture_logs

from app.errors import CountChanged, ExternalIdTaken, IdentityNotFound
from app.gallery.gallery import Gallery
from app.gallery.index.protocol import MakeIndex
from app.gallery.people.assignment_records import AssignmentRule, FaceOutcome
from app.gallery.people.correction_records import Merged
from app.gallery.people.corrections import Corrections
from app.gallery.people.enrolment import KnownFace, NewPerson, Outcome
from app.gallery.records import (
    EVERYBODY,
    Condition,
    Face,
    IdentityChanges,
    NewFace,
    NewIdentity,
    PeopleFilter,
)
from app.gallery.store.database import Database
from app.gallery.sync.index_sync import Sync
from app.gallery.sync.snapshots import SnapshotStore
from app.recognition.types import Embedding
from tests.gallery.factories import (
    MODEL,
    all_identities,
    assert_agrees,
    enrolled_id,
    new_face,
    new_gallery,
    search_people,
    unit_vectors,
)
from tests.gallery.index.variants import ListedIndex, PackedIndex
from tests.kit.exact_index import ExactIndex

VECTORS = unit_vectors(15, seed=1)
"""Few, so that people share faces and ties occur."""

PROBES = unit_vectors(40, seed=2)

PAST, FUTURE = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))

_collections = st.sampled_from(["default", "staff"])
_processes = st.integers(0, 1)
_anyone = st.integers(0, 10**6)
_names = st.text("ab", max_size=2)
_photos = st.lists(
    st.tuples(st.integers(0, len(VECTORS) - 1), st.sampled_from("abcdef")), max_size=3
)
_keys = st.sampled_from([None, "e1", "e2", "e3"])
_sites = st.sampled_from(["berlin", "bern", "paris"])
_moments = st.sampled_from([None, PAST, FUTURE])


@dataclass
class Person:
    name: str
    external_id: str | None = None
    site: str | None = None
    expires_at: datetime | None = None
    faces: dict[str, Embedding] = field(default_factory=dict)
    photos: dict[str, str] = field(default_factory=dict)
    """Face ids by photo."""

    @property
    def new(self) -> NewIdentity:
        attributes = {} if self.site is None else {"site": self.site}
        return NewIdentity(self.name, self.external_id, attributes, self.expires_at)


_people = st.builds(Person, _names, _keys, _sites, st.sampled_from([None, None, PAST, FUTURE]))


Photos = list[tuple[int, str]]
"""Vectors by their places, each with the name of its photo."""

_batches = st.lists(st.tuples(_people, _photos), min_size=1, max_size=6)


class GalleryMachine(RuleBasedStateMachine):
    """Two processes on one database, with snapshots in one folder."""

    def __init__(self, new_database: Callable[[], Database], make_index: MakeIndex) -> None:
        super().__init__()
        self.database = new_database()
        self.make_index = make_index
        self.processes = [self.start(), self.start()]
        self.people: dict[str, dict[str, Person]] = {"default": {}, "staff": {}}
        self.gone: set[str] = set()
        self.steps = 0

    @initialize(batch=_batches)
    def begin_with_somebody(self, batch: list[tuple[Person, Photos]]) -> None:
        self.processes[0].collections.create("staff", None)
        for collection in self.people:
            self.create_many(0, collection, batch)

    def start(self) -> Gallery:
        folder = Path(self.database.engine.url.database or "").parent / "index"
        gallery = new_gallery(
            self.database, make_index=self.make_index, snapshots=SnapshotStore(folder)
        )
        gallery.open()
        return gallery

    def sync(self, process: int) -> Sync:
        return self.processes[process].sync

    def pick(self, collection: str, number: int) -> tuple[str, Person] | None:
        people = list(self.people[collection].items())
        return people[number % len(people)] if people else None

    # -- people come -----------------------------------------------------------------------------

    @rule(process=_processes, collection=_collections, photos=_photos, person=_people)
    def create(self, process: int, collection: str, photos: Photos, person: Person) -> None:
        people = self.people[collection]
        taken = {other.external_id for other in people.values()} - {None}
        if person.external_id in taken:
            with pytest.raises(ExternalIdTaken):
                self.processes[process].people.enroll(collection, person.new, [])
            return
        identity, faces = self.processes[process].people.enroll(
            collection, person.new, self.new_faces(photos)
        )
        people[identity.id] = person = Person(**vars(person))
        person.faces, person.photos = {}, {}
        self.remember(person, photos, faces)

    @rule(process=_processes, collection=_collections, batch=_batches)
    def create_many(
        self,
        process: int,
        collection: str,
        batch: list[tuple[Person, Photos]],
    ) -> None:
        gallery, people = self.processes[process], self.people[collection]
        outcomes = gallery.people.enroll_many(
            collection,
            [NewPerson(person.new, tuple(self.new_faces(photos))) for person, photos in batch],
        )
        for outcome, (person, photos) in zip(outcomes, batch, strict=True):
            known = {own.external_id: key for key, own in people.items() if own.external_id}
            assert outcome.enrolled == (person.external_id not in known)
            if not outcome.enrolled:
                assert outcome.identity_id == known[person.external_id or ""]
                continue
            mine = people[enrolled_id(outcome)] = Person(**vars(person))
            mine.faces, mine.photos = {}, {}
            page = gallery.faces.page(collection, enrolled_id(outcome), limit=9, cursor=None)
            first = {photo: vector for vector, photo in reversed(photos)}
            assert [face.image_sha256 for face in page.items] == [
                *dict.fromkeys(p for _, p in photos)
            ]
            for face in page.items:
                photo = face.image_sha256 or ""
                mine.photos[photo] = face.id
                mine.faces[face.id] = VECTORS[first[photo]]

    @rule(process=_processes, collection=_collections, number=_anyone, photos=_photos)
    def add_faces(self, process: int, collection: str, number: int, photos: Photos) -> None:
        picked = self.pick(collection, number)
        if picked is None:
            return
        identity_id, person = picked
        _, faces = self.processes[process].faces.add(
            collection, identity_id, self.new_faces(photos)
        )
        self.remember(person, photos, faces)

    def new_faces(self, photos: Photos) -> list[NewFace]:
        return [new_face(VECTORS[vector], photo=photo) for vector, photo in photos]

    def remember(self, person: Person, photos: Photos, outcomes: Sequence[Outcome]) -> None:
        for (vector, photo), outcome in zip(photos, outcomes, strict=True):
            same = {face for face, own in person.faces.items() if (own == VECTORS[vector]).all()}
            same |= {person.photos[photo]} if photo in person.photos else set()
            if same:
                assert isinstance(outcome, KnownFace)
                assert outcome.face.id in same
            else:
                assert isinstance(outcome, Face)
                person.photos[photo] = outcome.id
                person.faces[outcome.id] = VECTORS[vector]

    # -- people change ---------------------------------------------------------------------------

    @rule(
        process=_processes,
        collection=_collections,
        number=_anyone,
        name=_names,
        site=_sites,
        expires_at=_moments,
    )
    def update(
        self,
        process: int,
        collection: str,
        number: int,
        name: str,
        site: str,
        expires_at: datetime | None,
    ) -> None:
        picked = self.pick(collection, number)
        if picked is None:
            return
        identity_id, person = picked
        self.processes[process].people.update(
            collection,
            identity_id,
            IdentityChanges(name=name, attributes={"site": site}, expires_at=expires_at),
        )
        person.name, person.site, person.expires_at = name, site, expires_at

    # -- people go -------------------------------------------------------------------------------

    @rule(process=_processes, collection=_collections, number=_anyone, compact=st.booleans())
    def delete_identity(self, process: int, collection: str, number: int, compact: bool) -> None:
        picked = self.pick(collection, number)
        if picked is None:
            return
        identity_id, person = picked
        receipt = self.processes[process].people.delete(collection, identity_id, compact=compact)
        assert set(receipt.face_ids) == person.faces.keys()
        self.forget_person(collection, identity_id)

    def forget_person(self, collection: str, identity_id: str) -> None:
        person = self.people[collection].pop(identity_id)
        self.gone |= {identity_id, *person.faces}

    @rule(process=_processes, collection=_collections, number=_anyone)
    def delete_face(self, process: int, collection: str, number: int) -> None:
        picked = self.pick(collection, number)
        if picked is None or not picked[1].faces:
            return
        identity_id, person = picked
        photo = sorted(person.photos)[number % len(person.photos)]
        face_id = person.photos.pop(photo)
        self.processes[process].faces.delete(collection, identity_id, face_id)
        del person.faces[face_id]
        self.gone.add(face_id)

    @rule(process=_processes, collection=_collections, number=_anyone)
    def delete_faces_by_id(self, process: int, collection: str, number: int) -> None:
        """Delete the first face of some people, and one that is gone already."""
        some = [
            (person, photo)
            for person in list(self.people[collection].values())[number % 3 :]
            for photo in sorted(person.photos)[:1]
        ]
        ids = [person.photos.pop(photo) for person, photo in some]
        gone = sorted(self.gone)[:1]
        done = self.processes[process].faces.delete_listed(collection, [*gone, *ids])
        assert {one.face_id for one in done.deleted} == set(ids)
        assert [one.face_id for one in done.kept] == gone
        for (person, _), face_id in zip(some, ids, strict=True):
            del person.faces[face_id]
        self.gone |= set(ids)

    @rule(process=_processes, collection=_collections, really=st.integers(0, 4))
    def delete_collection_and_make_it_again(
        self, process: int, collection: str, really: int
    ) -> None:
        if really:
            return
        self.processes[process].collections.delete(collection)
        if collection != "default":  # is there again by itself
            self.processes[process].collections.create(collection, None)
        for identity_id in list(self.people[collection]):
            self.forget_person(collection, identity_id)

    @rule(process=_processes, collection=_collections, site=_sites, off_by=st.integers(0, 2))
    def delete_by_filter(self, process: int, collection: str, site: str, off_by: int) -> None:
        wanted = PeopleFilter((Condition("site", (site,)),))
        found = {key for key, own in self.people[collection].items() if own.site == site}
        corrections = self.corrections(process)
        assert corrections.count(collection, wanted).people == len(found)
        if off_by == 1:
            with pytest.raises(CountChanged):
                corrections.delete_people(collection, wanted, confirmed=len(found) + 1)
            return
        done = corrections.delete_people(collection, wanted, confirmed=len(found))
        assert done.erasure is not None
        assert set(done.erasure.identity_ids) == found
        for identity_id in found:
            self.forget_person(collection, identity_id)

    # -- people are corrected --------------------------------------------------------------------

    def corrections(self, process: int) -> Corrections:
        return self.processes[process].corrections

    @rule(
        process=_processes,
        collection=_collections,
        numbers=st.lists(_anyone, min_size=2, max_size=4),
        unchanged=st.booleans(),
    )
    def merge(self, process: int, collection: str, numbers: list[int], unchanged: bool) -> None:
        picked = dict(filter(None, (self.pick(collection, number) for number in numbers)))
        if len(picked) < 2:
            return
        (into, kept), *others = picked.items()
        revision = self.processes[process].collections.revision(collection)

        def merged() -> Merged:
            return self.corrections(process).merge(
                collection,
                into,
                [identity_id for identity_id, _ in others],
                if_revision=revision if unchanged else None,
            )

        if PAST in {person.expires_at for person in picked.values()}:
            with pytest.raises(IdentityNotFound):
                merged()
            return
        done = merged()
        before = dict(kept.faces)
        theirs = {face: own for _, other in others for face, own in other.faces.items()}
        names = {face: photo for other in picked.values() for photo, face in other.photos.items()}
        collapsed = {one.face_id: one.kept_face_id for one in done.collapsed}
        assert {*done.moved_face_ids, *collapsed} == theirs.keys()
        for face in done.moved_face_ids:
            kept.faces[face], kept.photos[names[face]] = theirs[face], face
            assert not any((own == theirs[face]).all() for own in before.values())
        for face, twin in collapsed.items():
            same_vector = (kept.faces[twin] == theirs[face]).all()
            assert same_vector or names[twin] == names[face]
        self.gone |= {*collapsed, *(identity_id for identity_id, _ in others)}
        for identity_id, other in others:
            del self.people[collection][identity_id]
            kept.external_id = kept.external_id or other.external_id
            kept.site = kept.site or other.site
        moments = {person.expires_at for person in picked.values()} - {None}
        kept.expires_at = FUTURE if moments else None
        assert done.identity.face_count == len(kept.faces)

    @rule(process=_processes, collection=_collections, number=_anyone, to=_anyone, new=_people)
    def move_face(self, process: int, collection: str, number: int, to: int, new: Person) -> None:
        picked, target = self.pick(collection, number), self.pick(collection, to)
        if picked is None or target is None or not picked[1].faces:
            return
        identity_id, person = picked
        photo = sorted(person.photos)[number % len(person.photos)]
        face_id = person.photos[photo]
        people = self.people[collection]
        is_new = to % 3 == 0
        move = self.corrections(process).move_face
        if is_new and new.external_id in {other.external_id for other in people.values()} - {None}:
            return
        owner_id, owner = target
        if PAST in {person.expires_at, None if is_new else owner.expires_at}:
            with pytest.raises(IdentityNotFound):
                move(collection, face_id, new.new if is_new else owner_id)
            return
        done = move(collection, face_id, new.new if is_new else owner_id)
        if is_new:
            owner_id = done.identity.id
            owner = people[owner_id] = Person(**vars(new))
            owner.faces, owner.photos = {}, {}
        assert (done.identity.id, done.previous.id) == (owner_id, identity_id)
        if owner is person:
            return
        vector = person.faces.pop(face_id)
        del person.photos[photo]
        same = {face for face, own in owner.faces.items() if (own == vector).all()}
        same |= {owner.photos[photo]} if photo in owner.photos else set()
        if same:
            assert done.face.id in same
            self.gone.add(face_id)
        else:
            assert done.face.id == face_id
            owner.faces[face_id], owner.photos[photo] = vector, face_id

    @rule(process=_processes, collection=_collections, number=_anyone, to=_anyone)
    def release_and_assign(self, process: int, collection: str, number: int, to: int) -> None:
        """A face of a person is nobody's for a moment, and then another person's."""
        picked, target = self.pick(collection, number), self.pick(collection, to)
        if picked is None or target is None or not picked[1].faces:
            return
        (identity_id, person), (owner_id, owner) = picked, target
        photo = sorted(person.photos)[number % len(person.photos)]
        face_id = person.photos[photo]
        vector = person.faces[face_id]
        if sum((own == vector).all() for own in person.faces.values()) > 1:
            return  # it could not be given back
        assignments, rule = self.processes[process].assignments, AssignmentRule(MODEL.digest)
        if person.expires_at == PAST:
            with pytest.raises(IdentityNotFound):
                assignments.release(collection, identity_id, [face_id])
            return
        assignments.release(collection, identity_id, [face_id])
        if owner.expires_at == PAST:
            with pytest.raises(IdentityNotFound):
                assignments.assign(collection, owner_id, [face_id], rule)
            assignments.assign(collection, identity_id, [face_id], rule)
            return
        (done,) = assignments.assign(collection, owner_id, [face_id], rule).faces
        others = [own for face, own in owner.faces.items() if face != face_id]
        is_same = any((own == vector).all() for own in others)
        is_same |= owner.photos.get(photo, face_id) != face_id
        if is_same:
            assert done.outcome is FaceOutcome.SAME_PICTURE
            assignments.assign(collection, identity_id, [face_id], rule)
            return
        assert done.outcome is FaceOutcome.ASSIGNED
        owner.faces[face_id], owner.photos[photo] = person.faces.pop(face_id), face_id
        if owner is not person:
            del person.photos[photo]
        moments = {person.expires_at, owner.expires_at} - {None}
        owner.expires_at = FUTURE if moments else None

    @rule(process=_processes, log_revisions=st.integers(1, 5))
    def sweep(self, process: int, log_revisions: int) -> None:
        receipts = self.processes[process].people.erase_expired(log_revisions=log_revisions)
        erased = {one for receipt in receipts for one in receipt.identity_ids}
        expired = {
            (collection, identity_id)
            for collection, people in self.people.items()
            for identity_id, person in people.items()
            if person.expires_at == PAST
        }
        assert erased == {identity_id for _, identity_id in expired}
        for collection, identity_id in expired:
            self.forget_person(collection, identity_id)

    # -- processes come and go -------------------------------------------------------------------

    @rule(process=_processes)
    def save(self, process: int) -> None:
        self.processes[process].sync.save()

    @rule(process=_processes)
    def restart(self, process: int) -> None:
        self.processes[process].close()
        self.processes[process] = self.start()

    @rule(process=_processes)
    def crash(self, process: int) -> None:
        sync = self.sync(process)
        sync.states._states.clear()  # it is gone without a word, and so without a last snapshot
        self.restart(process)

    @rule(process=_processes, collection=_collections)
    def lose_the_index(self, process: int, collection: str) -> None:
        with self.processes[process].store.reading(collection) as transaction:
            number = transaction.collection.number
        self.sync(process).forget(number)

    @rule(process=_processes)
    def fail_to_index_the_next_change(self, process: int) -> None:
        sync = self.sync(process)

        def fail(name: str) -> None:
            del sync.catch_up  # once
            raise RuntimeError(f"cannot bring {name} up to date")

        sync.catch_up = fail  # type: ignore[method-assign,assignment]

    @rule(process=_processes)
    def follow(self, process: int) -> None:
        self.processes[process].sync.follow()

    # -- what must hold --------------------------------------------------------------------------

    @invariant()
    def one_process_agrees_with_the_dictionary(self) -> None:
        if self.steps:
            self.check(self.processes[self.steps % 2], ("default", "staff")[self.steps // 2 % 2])
        self.steps += 1

    def check(self, gallery: Gallery, collection: str) -> None:
        self.check_search(gallery, collection)
        if self.steps % 3 == 0:
            self.check_lists(gallery, collection)

    def check_search(self, gallery: Gallery, collection: str) -> None:
        expected = {
            key: person
            for key, person in self.people[collection].items()
            if person.expires_at != PAST
        }
        wanted = EVERYBODY
        if self.steps % 3:
            site = ("berlin", "bern", "paris")[self.steps // 3 % 3]
            wanted = PeopleFilter((Condition("site", (site,)),))
            expected = {key: person for key, person in expected.items() if person.site == site}
        probe = PROBES[self.steps % len(PROBES)]
        (candidates,) = search_people(gallery, collection, [probe], top_k=4, wanted=wanted)
        faces = {key: person.faces for key, person in expected.items()}
        assert_agrees(candidates, faces, probe, top_k=4)
        for found in candidates:
            assert not {found.identity.id, found.face_id} & self.gone

    def check_lists(self, gallery: Gallery, collection: str) -> None:
        people = self.people[collection]
        listed = {
            item.id: (item.name, item.external_id, item.expires_at, item.face_count)
            for item in all_identities(gallery, collection=collection)
        }
        assert listed == {
            key: (person.name, person.external_id, person.expires_at, len(person.faces))
            for key, person in people.items()
        }
        counts = gallery.collections.get(collection)
        faces = sum(len(person.faces) for person in people.values())
        assert (counts.identity_count, counts.face_count) == (len(people), faces)

    def teardown(self) -> None:
        try:
            for gallery in self.processes:
                for collection in self.people:
                    self.check_search(gallery, collection)
                    self.check_lists(gallery, collection)
                everybody = [
                    person for people in self.people.values() for person in people.values()
                ]
                assert gallery.sync.face_count() == sum(len(person.faces) for person in everybody)
        finally:
            for gallery in self.processes:
                gallery.close()


@pytest.mark.parametrize("make_index", [ExactIndex, PackedIndex, ListedIndex])
def test_any_history_leaves_what_a_dictionary_says(
    new_database: Callable[[], Database], make_index: MakeIndex
) -> None:
    with capture_logs():  # to write every traceback in full takes most of the time
        run_state_machine_as_test(
            # It calls what it is given; a class would take no arguments.
            lambda: GalleryMachine(new_database, make_index),  # type: ignore[arg-type]
            settings=settings(
                max_examples=8,
                stateful_step_count=25,
                deadline=None,
                derandomize=True,
                database=None,
            ),
        )
