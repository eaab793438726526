"""The gallery as storms and checks use it, by its own methods or over HTTP."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from app.errors import IdentityNotFound
from app.gallery.default_collection import DEFAULT_COLLECTION
from app.gallery.gallery import Gallery
from app.gallery.people.enrolment import BulkOutcome, NewPerson
from app.gallery.records import IdentityFilter, NewFace, NewIdentity
from app.gallery.search.nearest_people import PeopleQuery
from app.recognition.types import Embedding
from benchmarks.kit.wire import IDENTITIES, SEARCH, Wire, search_body
from benchmarks.reliability.crash_ledger import Ids

Found = list[tuple[str, float]]
"""Identity ids and similarities, most similar first."""
Counts = tuple[int, int, int]
"""Identities, faces in the database, faces in the index."""

MOST_FOUND = 100
"""Largest `top_k` of a search; storms keep fewer people than that."""
_PAGE = 1_000


class Door(Protocol):
    def enroll(self, people: Mapping[int, Embedding]) -> Ids: ...

    def delete(self, identity_id: str) -> None: ...

    def find(self, probes: Sequence[Embedding], top_k: int) -> list[Found]: ...

    def exists(self, identity_id: str) -> bool: ...

    def people(self) -> Ids:
        """All people in the database, whether a search finds them or not."""
        ...

    def counts(self) -> Counts: ...


class GalleryDoor:
    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    def enroll(self, people: Mapping[int, Embedding]) -> Ids:
        new = [
            NewPerson(NewIdentity(external_id=str(person)), (_face(embedding),))
            for person, embedding in people.items()
        ]
        if len(new) == 1:  # as POST .../identities does, of photos
            identity, _ = self._gallery.people.enroll(
                DEFAULT_COLLECTION, new[0].identity, new[0].faces
            )
            return {next(iter(people)): identity.id}
        outcomes = self._gallery.people.enroll_many(DEFAULT_COLLECTION, new)
        return {
            person: _enrolled(outcome) for person, outcome in zip(people, outcomes, strict=True)
        }

    def delete(self, identity_id: str) -> None:
        self._gallery.people.delete(DEFAULT_COLLECTION, identity_id)

    def find(self, probes: Sequence[Embedding], top_k: int) -> list[Found]:
        query = PeopleQuery(top_k, datetime.now(UTC))
        answers = self._gallery.search.find(DEFAULT_COLLECTION, probes, query).candidates
        return [[(one.identity.id, one.similarity) for one in answer] for answer in answers]

    def exists(self, identity_id: str) -> bool:
        try:
            self._gallery.people.get(DEFAULT_COLLECTION, identity_id)
        except IdentityNotFound:
            return False
        return True

    def people(self) -> Ids:
        def page(cursor: str | None) -> tuple[Iterable[tuple[str, str]], str | None]:
            found = self._gallery.people.page(
                DEFAULT_COLLECTION, IdentityFilter(), limit=_PAGE, cursor=cursor
            )
            return ((one.external_id or "", one.id) for one in found.items), found.next_cursor

        return _all_pages(page)

    def counts(self) -> Counts:
        self._gallery.sync.follow()  # searches do not wait until Milvus has the last changes
        collection = self._gallery.collections.get(DEFAULT_COLLECTION)
        return collection.identity_count, collection.face_count, self._gallery.sync.face_count()


class HttpDoor:
    """The gallery over HTTP, for one thread at a time."""

    def __init__(self, port: int) -> None:
        self._wire = Wire(port, timeout_s=60)

    def close(self) -> None:
        self._wire.close()

    def enroll(self, people: Mapping[int, Embedding]) -> Ids:
        lines = [
            json.dumps({"external_id": str(person), "embeddings": [embedding.tolist()]})
            for person, embedding in people.items()
        ]
        results = self._wire.batch("\n".join(lines).encode("ascii"))
        return {int(one["external_id"]): one["identity_id"] for one in results}

    def delete(self, identity_id: str) -> None:
        self._wire.delete(f"{IDENTITIES}/{identity_id}")

    def find(self, probes: Sequence[Embedding], top_k: int) -> list[Found]:
        answers = (self._wire.post(SEARCH, search_body(p, top_k=top_k)) for p in probes)
        return [
            [(one["identity_id"], one["similarity"]) for one in answer["candidates"]]
            for answer in answers
        ]

    def exists(self, identity_id: str) -> bool:
        status, _ = self._wire.ask("GET", f"{IDENTITIES}/{identity_id}")
        if status not in (200, 404):
            raise RuntimeError(f"GET of an identity answered {status}")
        return status == 200

    def people(self) -> Ids:
        def page(cursor: str | None) -> tuple[Iterable[tuple[str, str]], str | None]:
            after = "" if cursor is None else f"&cursor={cursor}"
            found = self._wire.get(f"{IDENTITIES}?limit={_PAGE}{after}")
            people = ((one["external_id"], one["id"]) for one in found["identities"])
            return people, found["next_cursor"]

        return _all_pages(page)

    def counts(self) -> Counts:
        collection = self._wire.get("/v1/collections/default")
        _, metrics = self._wire.ask("GET", "/metrics")
        (indexed,) = [
            float(line.split()[1])
            for line in metrics.decode("utf-8").splitlines()
            if line.startswith("vultus_index_faces ")
        ]
        return collection["identity_count"], collection["face_count"], int(indexed)


def _face(embedding: Embedding) -> NewFace:
    digest = hashlib.sha256(embedding.tobytes()).hexdigest()
    return NewFace(embedding, None, None, None, digest)


def _all_pages(
    page: Callable[[str | None], tuple[Iterable[tuple[str, str]], str | None]],
) -> Ids:
    listed: Ids = {}
    cursor: str | None = None
    while True:
        people, cursor = page(cursor)
        listed |= {int(external_id): identity_id for external_id, identity_id in people}
        if cursor is None:
            return listed


def _enrolled(outcome: BulkOutcome) -> str:
    assert outcome.identity_id is not None
    return outcome.identity_id
