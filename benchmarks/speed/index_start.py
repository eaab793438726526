"""Starts of the index from SQL and from its snapshot."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import numpy as np
from sqlalchemy import insert

from app.gallery.index.faiss_index import FaissIndex
from app.gallery.store.database import Database
from app.gallery.store.repositories.collection_repository import CollectionRepository
from app.gallery.store.tables import FaceTable, IdentityTable
from app.gallery.sync.index_sync import IndexSync
from app.gallery.sync.snapshots import SnapshotStore
from app.recognition.types import ModelId
from benchmarks.speed.index_data import FACES_A_PERSON, faces
from benchmarks.speed.index_peers import rss_bytes


def fill(folder: Path, count: int, dimension: int) -> None:
    """A SQLite database with so many faces, written as fast as it can be."""
    database = Database(f"sqlite:///{folder / 'gallery.db'}", timeout_s=60)
    database.upgrade()
    model = ModelId("synthetic", "0" * 64, dimension)
    number = 0
    with database.writing() as session:
        collection = CollectionRepository(session).add("default", None, model)
        for piece in faces(count, dimension):
            people = range(
                number // FACES_A_PERSON, (number + len(piece) - 1) // FACES_A_PERSON + 1
            )
            session.execute(
                insert(IdentityTable).prefix_with("OR IGNORE"),
                [
                    {
                        "number": person + 1,
                        "id": uuid4().hex,
                        "collection_number": collection.number,
                        "attributes": {},
                    }
                    for person in people
                ],
            )
            session.execute(
                insert(FaceTable),
                [
                    {
                        "id": uuid4().hex,
                        "collection_number": collection.number,
                        "identity_number": (number + row) // FACES_A_PERSON + 1,
                        "embedding": np.ascontiguousarray(piece[row], dtype="<f4").tobytes(),
                        "embedder": model.name,
                        "digest": model.digest,
                    }
                    for row in range(len(piece))
                ],
            )
            number += len(piece)
    database.close()


@dataclass(frozen=True, slots=True)
class Start:
    """Faces that a start loaded, the seconds of loading and saving them, and their memory."""

    faces: int
    load_s: float
    save_s: float
    bytes_per_face: float


def start(folder: Path) -> Start:
    """Load every index as a starting service does, and save its snapshot."""
    database = Database(f"sqlite:///{folder / 'gallery.db'}", timeout_s=60)
    before = rss_bytes()
    sync = IndexSync(database, FaissIndex, snapshots=SnapshotStore(folder / "index"))
    started = perf_counter()
    sync.load_all()
    load_s = perf_counter() - started
    faces_loaded = sync.face_count()
    grown = rss_bytes() - before
    started = perf_counter()
    sync.save()
    save_s = perf_counter() - started
    sync.close()
    database.close()
    return Start(faces_loaded, load_s, save_s, grown / max(1, faces_loaded))
