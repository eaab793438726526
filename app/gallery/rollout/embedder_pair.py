"""The embedders that this service runs, and the embedding by which a collection is searched.

A service runs one embedder, and perhaps a next one, to carry collections from one to the other. A
collection answers by one of the two, which its row names. A photo is embedded by both, so that the
row which a transaction reads decides, and callers need not know it beforehand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from app.errors import EmbedderMismatch, ForeignEmbedding
from app.gallery.records import NewFace
from app.gallery.store.collection_view import CollectionView
from app.recognition.types import Embedding, ModelId


class Embedded(Protocol):
    """A face as both embedders see it; `next_embedding` is None where only one was asked."""

    @property
    def embedding(self) -> Embedding: ...

    @property
    def next_embedding(self) -> Embedding | None: ...


@dataclass(frozen=True, slots=True)
class EnrolledProbe:
    """A face that is enrolled, by the digests of the embedders that have seen it."""

    by_digest: Mapping[str, Embedding]


Probe = Embedding | Embedded | EnrolledProbe
"""A plain embedding is by the service's own embedder."""


@dataclass(frozen=True, slots=True)
class Embedders:
    """The embedders of this service. `chosen_by_auto`: `own` was not named, but chosen."""

    own: ModelId
    next: ModelId | None = None
    chosen_by_auto: bool = False

    def run(self, collection: CollectionView) -> bool:
        """Whether the embedder that a collection answers by runs here."""
        its = collection.embedder, collection.digest
        return any(m is not None and its == (m.name, m.digest) for m in (self.own, self.next))

    def require(self, collection: CollectionView) -> None:
        """Raises EmbedderMismatch unless the embedder of a collection runs here."""
        if not self.run(collection):
            raise EmbedderMismatch(self.mismatch(collection), embedder=collection.embedder)

    def seen_by(self, collection: CollectionView, probe: Probe) -> Embedding:
        """The embedding of a face by the embedder of a collection. Raises EmbedderMismatch."""
        self.require(collection)
        found = self._by(collection.digest, probe)
        if found is None:
            raise ForeignEmbedding(
                f"collection {collection.name!r} answers by the embedder {collection.embedder} "
                f"({collection.digest[:12]}), and the embedding sent is by {self.own.name} "
                f"({self.own.digest[:12]})",
                embedder=collection.embedder,
            )
        return found

    def for_writing(self, collection: CollectionView, face: NewFace) -> NewFace:
        """Convert a face of this service to what a collection stores: `embedding` by the embedder
        that it answers by, `next_embedding` by its other one, if it has one that runs here, and its
        crop only if the collection keeps them.

        Raises EmbedderMismatch.
        """
        other = collection.other
        return replace(
            face,
            embedding=self.seen_by(collection, face),
            next_embedding=None if other is None else self._by(other.digest, face),
            sealed_crop=face.sealed_crop if collection.options.crops.keep else None,
        )

    def _by(self, digest: str, probe: Probe) -> Embedding | None:
        if isinstance(probe, EnrolledProbe):
            return probe.by_digest.get(digest)
        if digest == self.own.digest:
            return probe if isinstance(probe, np.ndarray) else probe.embedding
        if self.next is None or digest != self.next.digest or isinstance(probe, np.ndarray):
            return None
        return probe.next_embedding

    def mismatch(self, collection: CollectionView) -> str:
        both = "" if self.next is None else f" and {self.next.name} ({self.next.digest[:12]})"
        chosen = ", chosen by auto" if self.chosen_by_auto else ""
        return (
            f"collection {collection.name!r} belongs to the embedder {collection.embedder} "
            f"({collection.digest[:12]}), but this service runs {self.own.name} "
            f"({self.own.digest[:12]}{chosen}){both}, and their embeddings cannot be compared"
        )
