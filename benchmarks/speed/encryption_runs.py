"""What the benchmark of encryption does, by both galleries in turns."""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np

from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.people.enrolment import NewPerson
from app.gallery.records import NewFace, NewIdentity
from app.gallery.search.nearest_people import PeopleQuery
from app.gallery.store.database import Database
from app.gallery.store.statements.people_insertion import FaceRow, PersonRows, insert_people
from app.gallery.sync.database_snapshot_keys import DatabaseSnapshotKeys
from app.gallery.sync.index_sync import IndexSync
from app.gallery.sync.snapshots import SnapshotStore
from app.gallery.vault.master_key import MasterKey
from app.gallery.vault.vault import Vault
from app.recognition.types import ModelId
from benchmarks.speed.index_data import FACES_A_PERSON, Vectors, faces, probes

SIDES: Final = ("clear", "sealed")
_MASTER: Final = b"master key of the benchmark, 32!"
MASTER_TEXT: Final = b64encode(_MASTER).decode("ascii")

_COLLECTION: Final = "default"
_BULK_PEOPLE = 1_000
_PEOPLE_AT_ONCE = 5_000
_SEARCHES = 100


@dataclass(frozen=True, slots=True)
class Spent:
    """Wall and CPU seconds of one piece of work."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Start:
    """Faces that a start has loaded; `save`: of the snapshot that it wrote afterwards, if any."""

    faces: int
    load: Spent
    save: Spent | None


def measured(work: Callable[[], object]) -> Spent:
    """Do the work, and return what it took in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def enrolments(
    folder: Path, dimension: int, *, singles: int, bulks: int
) -> dict[str, dict[str, list[Spent]]]:
    """Enrol embeddings one by one, and in bulk, by both galleries in turns."""
    spent: dict[str, dict[str, list[Spent]]] = {
        name: {side: [] for side in SIDES} for name in ("single", "bulk")
    }
    with (
        _gallery(folder / "clear", dimension) as clear,
        _gallery(folder / "sealed", dimension) as sealed,
    ):
        galleries = {"clear": clear, "sealed": sealed}
        vectors = np.concatenate(list(faces(singles + bulks * _BULK_PEOPLE, dimension)))
        for number in range(singles):
            for side in SIDES if number % 2 else SIDES[::-1]:
                work = partial(_enrol, galleries[side], vectors[number])
                spent["single"][side].append(measured(work))
        for bulk in range(bulks):
            begins = singles + bulk * _BULK_PEOPLE
            people = [_person(row) for row in vectors[begins : begins + _BULK_PEOPLE]]
            for side in SIDES if bulk % 2 else SIDES[::-1]:
                enroll = partial(galleries[side].people.enroll_many, _COLLECTION, people)
                spent["bulk"][side].append(measured(enroll))
    return spent


def fill(folder: Path, count: int, dimension: int) -> Spent:
    """Write so many faces, two a person, without an index."""

    def write() -> None:
        with _gallery(folder, dimension) as gallery:
            for piece in faces(count, dimension):
                people = [
                    _rows(piece[first : first + FACES_A_PERSON])
                    for first in range(0, len(piece), FACES_A_PERSON)
                ]
                for first in range(0, len(people), _PEOPLE_AT_ONCE):
                    _insert(gallery, people[first : first + _PEOPLE_AT_ONCE])

    return measured(write)


def start(folder: Path, *, from_snapshot: bool) -> Start:
    """Load the index as a starting service does; without a snapshot, write one then."""
    database = _database(folder)
    snapshots = SnapshotStore(folder / "index", DatabaseSnapshotKeys(database))
    if not from_snapshot:
        snapshots.remove(1)
    sync = IndexSync(database, FaissIndex, snapshots=snapshots)
    load = measured(sync.load_all)
    found = sync.face_count()
    save = None if from_snapshot else measured(sync.save)
    sync.close()
    database.close()
    return Start(found, load, save)


def search_times(folder: Path, dimension: int) -> dict[str, list[Spent]]:
    """Search for the same people in both galleries, in turns."""
    spent: dict[str, list[Spent]] = {side: [] for side in SIDES}
    with (
        _gallery(folder / "clear", dimension) as clear,
        _gallery(folder / "sealed", dimension) as sealed,
    ):
        galleries = {"clear": clear, "sealed": sealed}
        for gallery in galleries.values():
            gallery.open()
            indexes = [state.indexed.index for _, state in gallery.states.items()]
            for index in indexes:
                if isinstance(index, FaissIndex):
                    index.settle()  # until then, it searches more slowly
        enrolled = clear.sync.face_count()
        for number, probe in enumerate(probes(_SEARCHES, enrolled, dimension).vectors):
            for side in SIDES if number % 2 else SIDES[::-1]:
                query = PeopleQuery(5, datetime.now(UTC))
                work = partial(galleries[side].search.find, _COLLECTION, [probe], query)
                spent[side].append(measured(work))
    return spent


@contextmanager
def _gallery(folder: Path, dimension: int) -> Iterator[Gallery]:
    """The gallery in a folder whose name says whether it is sealed; made where there is none."""
    database = _database(folder)
    database.upgrade()
    snapshots = SnapshotStore(folder / "index", DatabaseSnapshotKeys(database))
    model = ModelId("synthetic", "0" * 64, dimension)
    gallery = Gallery(database, IndexSync(database, FaissIndex, snapshots=snapshots), model)
    gallery.collections.claim()
    try:
        yield gallery
    finally:
        gallery.store.database.close()


def _database(folder: Path) -> Database:
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(f"sqlite:///{folder / 'gallery.db'}", timeout_s=60)
    if folder.name == "sealed":
        database.vault = Vault(database, lambda: [MasterKey(_MASTER)], is_on=True)
    return database


def _enrol(gallery: Gallery, vector: Vectors) -> object:
    return gallery.people.enroll(_COLLECTION, NewIdentity(), [_face(vector)])


def _person(vector: Vectors) -> NewPerson:
    return NewPerson(NewIdentity(), (_face(vector),))


def _face(vector: Vectors) -> NewFace:
    return NewFace(vector, None, None, None, sha256(vector.tobytes()).hexdigest())


def _rows(vectors: Vectors) -> PersonRows:
    identity = {"id": uuid4().hex, "attributes": {}}
    rows = [
        FaceRow({"id": uuid4().hex, "embedding": np.ascontiguousarray(row, "<f4").tobytes()})
        for row in vectors
    ]
    return PersonRows(identity, rows)


def _insert(gallery: Gallery, people: Sequence[PersonRows]) -> None:
    with gallery.store.changing(_COLLECTION) as transaction:
        insert_people(transaction, people)
