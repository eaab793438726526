"""Synthetic people: unit vectors stand for embeddings, a dictionary for the gallery."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier, Event
from time import monotonic
from typing import TypeVar
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from app.errors import VultusError
from app.gallery.gallery import Gallery
from app.gallery.index.faiss_index import FaissIndex
from app.gallery.index.protocol import MakeIndex
from app.gallery.people.enrolment import BulkOutcome, NewPerson, Outcome
from app.gallery.records import (
    EVERYBODY,
    Attributes,
    Candidate,
    DecisionBasis,
    Face,
    Identity,
    IdentityFilter,
    NewFace,
    NewIdentity,
    Page,
    PeopleFilter,
)
from app.gallery.rollout.embedder_pair import Probe
from app.gallery.search.nearest_people import PeopleQuery
from app.gallery.search.side_comparison import PersonSide
from app.gallery.store.database import Database
from app.gallery.store.tables import ChangeTable, CollectionTable, FaceTable, IdentityTable, Table
from app.gallery.sync.index_sync import IndexSync
from app.gallery.sync.snapshots import SnapshotStore
from app.recognition.types import Embedding, ModelId

T = TypeVar("T")

MODEL = ModelId("test-net", "a" * 64, 8)
OTHER_MODEL = ModelId("other-net", "b" * 64, 12)
COLLECTION = "default"

TABLES: tuple[type[Table], ...] = (CollectionTable, IdentityTable, FaceTable, ChangeTable)

People = Mapping[str, Mapping[str, Embedding]]
"""By identity id, by face id."""


def unit_vectors(count: int, *, seed: int, dimension: int = MODEL.dimension) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, dimension))
    made: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(
        np.float32
    )
    return made


def unit_vector(seed: int, *, dimension: int = MODEL.dimension) -> Embedding:
    made: Embedding = unit_vectors(1, seed=seed, dimension=dimension)[0]
    return made


def new_face(embedding: Embedding, *, photo: str | None = None) -> NewFace:
    """A face from a photo of its own, unless `photo` names one."""
    return NewFace(
        embedding=embedding,
        box=(1.5, 2.0, 30.25, 40.0),
        landmarks=np.arange(10, dtype=np.float32).reshape(5, 2),
        detection_score=0.5,
        image_sha256=photo or uuid4().hex * 2,
        quality=62.5,
        image_size=(640, 480),
        image_label="door/1.jpg",
    )


def new_gallery(
    database: Database,
    *,
    model: ModelId = MODEL,
    make_index: MakeIndex = FaissIndex,
    snapshots: SnapshotStore | None = None,
    snapshot_above: int = 0,
    next_model: ModelId | None = None,
) -> Gallery:
    sync = IndexSync(
        database,
        make_index,
        snapshots=snapshots,
        snapshot_above=snapshot_above,
        digests=[one.digest for one in (model, next_model) if one is not None],
    )
    return Gallery(database, sync, model, next_model)


def enroll(
    gallery: Gallery, *embeddings: Embedding, collection: str = COLLECTION, name: str | None = None
) -> tuple[Identity, dict[str, Embedding]]:
    """A new person with these faces, and the faces by their ids."""
    identity, faces = gallery.people.enroll(
        collection, NewIdentity(name=name), [new_face(embedding) for embedding in embeddings]
    )
    return identity, by_id(faces, embeddings)


def by_id(faces: Sequence[Outcome], embeddings: Iterable[Embedding]) -> dict[str, Embedding]:
    found: dict[str, Embedding] = {}
    for face, embedding in zip(faces, embeddings, strict=True):
        assert isinstance(face, Face)
        found[face.id] = embedding
    return found


def enroll_people(
    gallery: Gallery, embeddings: Sequence[Iterable[Embedding]], *, collection: str = COLLECTION
) -> dict[str, dict[str, Embedding]]:
    people = {}
    for faces in embeddings:
        identity, enrolled = enroll(gallery, *faces, collection=collection)
        people[identity.id] = enrolled
    return people


def enroll_at_once(
    gallery: Gallery,
    embeddings: Sequence[Iterable[Embedding]],
    *,
    attributes: Sequence[Attributes] | None = None,
    collection: str = COLLECTION,
) -> dict[str, dict[str, Embedding]]:
    """As `enroll_people`, in one transaction and under one revision."""
    outcomes = gallery.people.enroll_many(
        collection,
        [
            NewPerson(
                NewIdentity(attributes=attributes[place] if attributes else None),
                tuple(map(new_face, faces)),
            )
            for place, faces in enumerate(embeddings)
        ],
    )
    ids = [enrolled_id(outcome) for outcome in outcomes]
    query = (
        select(IdentityTable.id, FaceTable.id)
        .join(FaceTable, FaceTable.identity_number == IdentityTable.number)
        .where(IdentityTable.id.in_(ids))
        .order_by(FaceTable.number)
    )
    people: dict[str, dict[str, Embedding]] = {identity_id: {} for identity_id in ids}
    with gallery.store.database.reading() as session:
        enrolled = session.execute(query).all()
    for (identity_id, face_id), embedding in zip(
        enrolled, (embedding for faces in embeddings for embedding in faces), strict=True
    ):
        people[identity_id][face_id] = embedding
    return people


def search_people(
    gallery: Gallery,
    collection: str,
    probes: Sequence[Probe],
    *,
    top_k: int,
    wanted: PeopleFilter = EVERYBODY,
    exclude_face_id: str | None = None,
) -> list[tuple[Candidate, ...]]:
    """For each probe the `top_k` most similar of the people wanted, each by their best face."""
    query = PeopleQuery(top_k, datetime.now(UTC), wanted, exclude_face_id)
    return gallery.search.find(collection, probes, query).candidates


def compare(
    gallery: Gallery, collection: str, identity_id: str, probe: Probe
) -> tuple[Candidate, DecisionBasis]:
    """Compare one probe with a person."""
    done = gallery.search.compare(collection, [probe], PersonSide(identity_id))
    (pair,), person, face_id = done.pairs, done.people[1], done.pairs[0].face_ids[1]
    assert person is not None
    assert face_id is not None
    return Candidate(person, face_id, pair.similarity, done.examples[1]), done.basis


def enrolled_id(outcome: BulkOutcome) -> str:
    """The id of a person whom a bulk enrolment did not refuse."""
    assert outcome.identity_id is not None
    return outcome.identity_id


def found_ids(
    gallery: Gallery,
    probe: Embedding,
    *,
    collection: str = COLLECTION,
    top_k: int = 100,
    wanted: PeopleFilter = EVERYBODY,
) -> list[str]:
    """Who a search finds, most similar first."""
    (candidates,) = search_people(gallery, collection, [probe], top_k=top_k, wanted=wanted)
    return [candidate.identity.id for candidate in candidates]


def all_pages(page_at: Callable[[str | None], Page[T]]) -> list[tuple[T, ...]]:
    """The items of every page, from the first to the one without a cursor."""
    page = page_at(None)
    pages = [page.items]
    while page.next_cursor is not None:
        page = page_at(page.next_cursor)
        pages.append(page.items)
        assert len(pages) < 1_000
    return pages


def all_identities(
    gallery: Gallery, *, collection: str = COLLECTION, limit: int = 1_000
) -> list[Identity]:
    pages = all_pages(
        lambda cursor: gallery.people.page(collection, IdentityFilter(), limit=limit, cursor=cursor)
    )
    assert len(pages) == max(1, -(-sum(map(len, pages)) // limit))
    return [identity for page in pages for identity in page]


def assert_agrees(
    candidates: Sequence[Candidate],
    people: People,
    probe: Embedding,
    *,
    top_k: int,
    exclude_face_id: str | None = None,
) -> None:
    """A naive loop over the dictionary gives the same answer, up to ties."""
    similarities = {
        (identity_id, face_id): float(embedding.astype(np.float64) @ probe.astype(np.float64))
        for identity_id, faces in people.items()
        for face_id, embedding in faces.items()
        if face_id != exclude_face_id
    }
    best: dict[str, float] = {}
    for (identity_id, _), similarity in similarities.items():
        best[identity_id] = max(similarity, best.get(identity_id, -2.0))
    expected = sorted(best.values(), reverse=True)[:top_k]
    np.testing.assert_allclose(
        [candidate.similarity for candidate in candidates], expected, rtol=0, atol=1e-5
    )
    found = [candidate.identity.id for candidate in candidates]
    assert len(set(found)) == len(found)
    for candidate in candidates:
        own = similarities[candidate.identity.id, candidate.face_id]
        assert abs(own - candidate.similarity) < 1e-5
        assert abs(best[candidate.identity.id] - candidate.similarity) < 1e-5


def count_rows(database: Database) -> dict[str, int]:
    """Rows of each table."""
    with database.reading() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in TABLES
        }


def at_once(tasks: Sequence[Callable[[], T]]) -> list[T | VultusError]:
    """Run every task on a thread of its own, all let go together.

    Errors of ours come back in place of a result; others are raised.
    """
    barrier = Barrier(len(tasks))

    def run(task: Callable[[], T]) -> T | VultusError:
        barrier.wait(timeout=60)
        try:
            return task()
        except VultusError as error:
            return error

    with ThreadPoolExecutor(len(tasks)) as pool:
        futures = [pool.submit(run, task) for task in tasks]
        return [future.result(timeout=60) for future in futures]


def eventually(holds: Callable[[], bool], *, within_s: float = 60) -> None:
    """Wait until other threads have made something true, and no longer than `within_s`."""
    gives_up = monotonic() + within_s
    between_looks = Event()
    while not holds():
        assert monotonic() < gives_up
        between_looks.wait(0.005)
