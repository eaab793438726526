"""A collection as one transaction sees it: a value, which outlives the transaction."""

from dataclasses import dataclass, replace
from datetime import datetime

from app.gallery.collection_options import CollectionOptions
from app.recognition.types import ModelId


@dataclass(frozen=True, slots=True)
class CollectionView:
    """A collection, as one of its embedders has it, at one revision.

    `model` is the embedder whose embeddings are read and written through this view. While a
    collection goes over from one embedder to another it has two, and `other` is the one of the two
    that `model` is not.
    """

    number: int
    name: str
    description: str | None
    model: ModelId
    other: ModelId | None
    is_serving: bool
    """Whether the collection answers by `model`, and not by `other`."""
    revision: int
    log_start: int
    """The log of changes is complete above this revision."""
    options: CollectionOptions
    created_at: datetime
    switched_at: datetime | None
    """When the collection went over from the other embedder; None before, or without a rollout."""
    key_generation: int | None = None
    """Of the key under which its rows are sealed; None where they are in the clear."""

    @property
    def embedder(self) -> str:
        return self.model.name

    @property
    def digest(self) -> str:
        return self.model.digest

    @property
    def dimension(self) -> int:
        return self.model.dimension

    def by_other_embedder(self) -> "CollectionView | None":
        """The collection as its other embedder has it; None if it has only one."""
        if self.other is None:
            return None
        return replace(self, model=self.other, other=self.model, is_serving=not self.is_serving)

    def by(self, digest: str) -> "CollectionView | None":
        """The collection as the embedder `digest` has it; None if that is not one of its own."""
        views = (self, self.by_other_embedder())
        return next((view for view in views if view is not None and view.digest == digest), None)
