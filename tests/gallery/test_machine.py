"""Any sequence of changes, restarts and processes leaves what a dictionary says."""

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.gallery.database import Database
from app.gallery.records import IdentityChanges, NewIdentity
from app.gallery.service import Gallery
from app.recognition.types import Embedding
from tests.gallery.factories import (
    all_identities,
    assert_agrees,
    new_face,
    new_gallery,
    unit_vectors,
)

VECTORS = unit_vectors(15, seed=1)
"""Few, so that people share faces and ties occur."""

PROBES = unit_vectors(40, seed=2)

_collections = st.sampled_from(["default", "staff"])
_processes = st.integers(0, 1)
_anyone = st.integers(0, 10**6)
_photos = st.lists(
    st.tuples(st.integers(0, len(VECTORS) - 1), st.sampled_from("abcdef")), max_size=3
)


class Person:
    def __init__(self, name: str | None) -> None:
        self.name = name
        self.faces: dict[str, Embedding] = {}
        self.photos: dict[str, str] = {}
        """Face ids by photo."""


class GalleryMachine(RuleBasedStateMachine):
    def __init__(self, new_database: Callable[[], Path]) -> None:
        super().__init__()
        self.path = new_database()
        self.databases = [self.connect(), self.connect()]
        self.processes = [self.start(database) for database in self.databases]
        self.processes[0].create_collection("staff", None)
        self.people: dict[str, dict[str, Person]] = {"default": {}, "staff": {}}
        self.gone: set[str] = set()
        self.steps = 0

    def connect(self) -> Database:
        return Database(f"sqlite:///{self.path}", timeout_s=10)

    def start(self, database: Database) -> Gallery:
        gallery = new_gallery(database)
        gallery.open()
        return gallery

    def pick(self, collection: str, number: int) -> tuple[str, Person] | None:
        people = list(self.people[collection].items())
        return people[number % len(people)] if people else None

    @rule(
        process=_processes, collection=_collections, photos=_photos, name=st.text("ab", max_size=2)
    )
    def create(
        self, process: int, collection: str, photos: list[tuple[int, str]], name: str
    ) -> None:
        identity, faces = self.processes[process].create_identity(
            collection,
            NewIdentity(name=name),
            [new_face(VECTORS[vector], photo=photo) for vector, photo in photos],
        )
        person = self.people[collection][identity.id] = Person(name)
        self.remember(person, photos, [face and face.id for face in faces])

    @rule(process=_processes, collection=_collections, number=_anyone, photos=_photos)
    def add_faces(
        self, process: int, collection: str, number: int, photos: list[tuple[int, str]]
    ) -> None:
        picked = self.pick(collection, number)
        if picked is None:
            return
        identity_id, person = picked
        _, faces = self.processes[process].add_faces(
            collection,
            identity_id,
            [new_face(VECTORS[vector], photo=photo) for vector, photo in photos],
        )
        self.remember(person, photos, [face and face.id for face in faces])

    def remember(
        self, person: Person, photos: list[tuple[int, str]], face_ids: list[str | None]
    ) -> None:
        for (vector, photo), face_id in zip(photos, face_ids, strict=True):
            assert (face_id is None) == (photo in person.photos)
            if face_id is not None:
                person.photos[photo] = face_id
                person.faces[face_id] = VECTORS[vector]

    @rule(
        process=_processes, collection=_collections, number=_anyone, name=st.text("ab", max_size=2)
    )
    def rename(self, process: int, collection: str, number: int, name: str) -> None:
        picked = self.pick(collection, number)
        if picked is None:
            return
        identity_id, person = picked
        self.processes[process].update_identity(collection, identity_id, IdentityChanges(name=name))
        person.name = name

    @rule(process=_processes, collection=_collections, number=_anyone)
    def delete_identity(self, process: int, collection: str, number: int) -> None:
        picked = self.pick(collection, number)
        if picked is None:
            return
        identity_id, person = picked
        self.processes[process].delete_identity(collection, identity_id)
        del self.people[collection][identity_id]
        self.gone |= {identity_id, *person.faces}

    @rule(process=_processes, collection=_collections, number=_anyone)
    def delete_face(self, process: int, collection: str, number: int) -> None:
        picked = self.pick(collection, number)
        if picked is None or not picked[1].faces:
            return
        identity_id, person = picked
        photo = sorted(person.photos)[number % len(person.photos)]
        face_id = person.photos.pop(photo)
        self.processes[process].delete_face(collection, identity_id, face_id)
        del person.faces[face_id]
        self.gone.add(face_id)

    @precondition(lambda self: self.steps % 5 == 4)
    @rule(process=_processes, collection=_collections)
    def delete_collection_and_make_it_again(self, process: int, collection: str) -> None:
        self.processes[process].delete_collection(collection)
        if collection != "default":  # is there again by itself
            self.processes[process].create_collection(collection, None)
        for identity_id, person in self.people[collection].items():
            self.gone |= {identity_id, *person.faces}
        self.people[collection] = {}

    @rule(process=_processes)
    def restart(self, process: int) -> None:
        self.databases[process].close()
        self.databases[process] = self.connect()
        self.processes[process] = self.start(self.databases[process])

    @invariant()
    def one_process_agrees_with_the_dictionary(self) -> None:
        self.steps += 1
        self.check(self.processes[self.steps % 2], ("default", "staff")[self.steps // 2 % 2])

    def check(self, gallery: Gallery, collection: str) -> None:
        people = self.people[collection]
        embeddings = {key: person.faces for key, person in people.items()}
        probe = PROBES[self.steps % len(PROBES)]
        (candidates,) = gallery.search(collection, [probe], top_k=4)
        assert_agrees(candidates, embeddings, probe, top_k=4)
        for found in candidates:
            assert not {found.identity.id, found.face_id} & self.gone
        listed = {
            item.id: (item.name, item.face_count)
            for item in all_identities(gallery, collection=collection)
        }
        assert listed == {key: (person.name, len(person.faces)) for key, person in people.items()}
        counts = gallery.get_collection(collection)
        faces = sum(len(person.faces) for person in people.values())
        assert (counts.identity_count, counts.face_count) == (len(people), faces)

    def teardown(self) -> None:
        try:
            for gallery in self.processes:
                for collection in self.people:
                    self.check(gallery, collection)
                everybody = [
                    person for people in self.people.values() for person in people.values()
                ]
                assert gallery.indexed_faces() == sum(len(person.faces) for person in everybody)
        finally:
            for database in self.databases:
                database.close()


@pytest.fixture(scope="module")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes copies of a database that was migrated once."""
    folder = tmp_path_factory.mktemp("machine")
    template = folder / "template.db"
    database = Database(f"sqlite:///{template}", timeout_s=10)
    database.upgrade()
    database.close()
    numbers = count()

    def new() -> Path:
        return Path(shutil.copy(template, folder / f"{next(numbers)}.db"))

    return new


def test_any_history_leaves_what_a_dictionary_says(new_database: Callable[[], Path]) -> None:
    run_state_machine_as_test(
        lambda: GalleryMachine(new_database),
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
        ),
    )
