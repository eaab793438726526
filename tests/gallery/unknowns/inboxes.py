"""What the tests of the inbox share: sightings, and the rule as a naive loop."""

from dataclasses import dataclass, field
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from app.gallery.collection_state import CollectionStates
from app.gallery.gallery import Gallery
from app.gallery.records import CollectionChanges
from app.gallery.store.database import Database
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.unknowns.unknown_records import GroupOrder, InboxLimits, Sighting
from app.recognition.types import Embedding
from tests.gallery.factories import COLLECTION

THRESHOLD = 0.8
LIMITS = InboxLimits(retention_s=3_600, faces=1_000, faces_a_group=4)
_ROUNDING = 1e-5


def sighting(
    embedding: Embedding,
    *,
    photo: str | None = None,
    place: int = 0,
    terminal_id: str | None = None,
) -> Sighting:
    """In a photo of its own, unless `photo` names one."""
    image_sha256 = photo or uuid4().hex * 2
    box = (1.0, 2.0, 3.0, 4.5)
    return Sighting(embedding, image_sha256, place, box, terminal_id=terminal_id)


def nearby(embedding: Embedding, similarity: float, *, seed: int = 0) -> Embedding:
    """A unit vector of this similarity to another."""
    away = np.random.default_rng(seed).normal(size=len(embedding))
    away -= (away @ embedding) * embedding
    away /= np.linalg.norm(away)
    mixed = similarity * embedding + np.sqrt(1 - similarity**2) * away
    return np.asarray(mixed / np.linalg.norm(mixed), dtype=np.float32)


def wants_unknowns(gallery: Gallery, *, collection: str = COLLECTION, **options: object) -> None:
    changes = CollectionChanges(options={"unknowns": {"keep": True, **options}})
    gallery.collections.update(collection, changes)


def new_inbox(
    database: Database,
    gallery: Gallery,
    limits: InboxLimits = LIMITS,
    *,
    states: CollectionStates | None = None,
) -> Unknowns:
    """Of a process of its own, unless it shares the `states` of another part of one."""
    return Unknowns(database, gallery, limits, states=states or CollectionStates())


def groups_of(unknowns: Unknowns, *, collection: str = COLLECTION) -> dict[str, list[str]]:
    """Photos of each group's faces, oldest first."""
    page = unknowns.list_groups(
        collection, GroupOrder.NEWEST, min_count=1, limit=1_000, cursor=None
    )
    return {
        group.id: [face.image_sha256 for face in unknowns.get_group(collection, group.id)[1]]
        for group in page.items
    }


@dataclass(slots=True)
class NaiveGroup:
    faces: list[tuple[str, Embedding]] = field(default_factory=list)
    """(photo, embedding), oldest first."""
    seen: int = 0

    def similarity(self, probe: Embedding) -> float:
        total = np.sum([vector for _, vector in self.faces], axis=0, dtype=np.float64)
        return float(total @ probe / np.linalg.norm(total))

    def trim(self) -> None:
        self.faces = self.faces[-LIMITS.faces_a_group :]


class NaiveInbox:
    """The rule: the most similar centroid at or above the threshold, else a new group."""

    def __init__(self) -> None:
        self.groups: dict[str, NaiveGroup] = {}

    def see(self, photo: str, embedding: Embedding, answered: str) -> None:
        """Raises AssertionError unless the rule allows this group; ties may go either way."""
        similarities = {key: group.similarity(embedding) for key, group in self.groups.items()}
        best = max(similarities.values(), default=-2.0)
        if answered in self.groups:
            assert similarities[answered] >= best - _ROUNDING, "not the most similar group"
            assert best >= THRESHOLD - _ROUNDING, "below the threshold"
        else:
            assert best < THRESHOLD + _ROUNDING, "a group of its own, though one is similar enough"
        group = self.groups.setdefault(answered, NaiveGroup())
        group.faces.append((photo, embedding))
        group.seen += 1
        group.trim()

    def photos(self) -> dict[str, list[str]]:
        return {key: [photo for photo, _ in group.faces] for key, group in self.groups.items()}

    def counts(self) -> dict[str, int]:
        return {key: group.seen for key, group in self.groups.items()}


def crowd(people: int, photos: int, *, seed: int) -> list[tuple[int, Embedding]]:
    """Faces of some people in no order, each with who it is; most are alike, some hardly."""
    random = np.random.default_rng(seed)
    centres: NDArray[np.float64] = random.normal(size=(people, 8))
    found = []
    for _ in range(photos):
        person = int(random.integers(people))
        vector = centres[person] + random.normal(scale=0.45, size=8)
        found.append((person, np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)))
    return found
