"""Carry a collection from one embedder to another while it serves.

The steps: `begin` gives it the next embedder, `add` stores embeddings of its faces by that one,
`switch` makes it the one that answers, `roll_back` undoes that, and `purge` erases the embeddings
by the other one. While it has two, new faces are stored by both, and deletions are of both.

A switch is one change of the collection's row, whatever its size: each face keeps two embeddings,
and the row decides by which of them it is compared. All methods block.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from app.errors import RolloutImpossible, RolloutObstacle
from app.gallery.journal.actions import Action
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database, read_again
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.rollout_repository import SeenFace, WaitingFace
from app.gallery.store.transaction import Transaction
from app.recognition.types import Embedding, ModelId

_SETTLED_AT_ONCE = 500

Objection = tuple[RolloutObstacle, str]
"""An objection to a change of embedders, as code and as text."""


class RolloutState(StrEnum):
    EMBEDDING = "embedding"
    """Faces have no embedding by the next embedder."""
    READY = "ready"
    """All faces have one; the collection still answers by the embedder before."""
    SWITCHED = "switched"
    """It answers by the next embedder, and can go back to the one before."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """State of a collection between two embedders.

    `second` is the one that does not serve: the next one, or, once it has `switched_at`, the one
    before. `without_serving` and `without_second` count faces that lack the embedding by each.
    """

    collection: str
    revision: int
    serving: ModelId
    second: ModelId | None
    switched_at: datetime | None
    faces: int
    without_serving: int
    without_second: int

    @property
    def state(self) -> RolloutState | None:
        """None while there is only one embedder."""
        if self.second is None:
            return None
        if self.switched_at is not None:
            return RolloutState.SWITCHED
        return RolloutState.EMBEDDING if self.without_second else RolloutState.READY

    @property
    def from_embedder(self) -> ModelId | None:
        """The embedder that the collection leaves, or has left."""
        if self.second is None:
            return None
        return self.serving if self.switched_at is None else self.second

    @property
    def to_embedder(self) -> ModelId | None:
        """The embedder that the collection goes over to, or has gone over to."""
        return self.second if self.switched_at is None else self.serving

    @property
    def missing(self) -> int | None:
        """Faces without an embedding by `to_embedder`."""
        if self.second is None:
            return None
        return self.without_second if self.switched_at is None else self.without_serving

    @property
    def missing_before(self) -> int | None:
        """Faces without an embedding by `from_embedder`."""
        if self.second is None:
            return None
        return self.without_serving if self.switched_at is None else self.without_second


@dataclass(frozen=True, slots=True)
class RolloutStatus:
    """A rollout, and the objections to its next step: the switch, or the way back after it."""

    rollout: Rollout
    objections: tuple[Objection, ...]


class Rollouts:
    """The rollouts of all collections of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = Store(database)

    def look(self, name: str) -> Rollout:
        """Read where a collection stands. Raises CollectionNotFound."""
        with self._store.reading(name) as transaction:
            return _rollout(transaction)

    @read_again
    def status(self, name: str, *, known: Callable[[ModelId], bool]) -> RolloutStatus:
        """Read where a collection stands, and what hinders its next step. Raises
        CollectionNotFound.

        `known`: whether the error rates of an embedder are known without a calibration of the
        collection's own.
        """
        with self._store.reading(name) as transaction:
            rollout = _rollout(transaction)
            if rollout.second is None:
                return RolloutStatus(rollout, ())
            objections = [
                *_lacking(transaction, rollout.without_second),
                *_fixed_similarities(transaction),
            ]
            if rollout.state is not RolloutState.SWITCHED:
                other = transaction.by_other_embedder()
                assert other is not None
                own = other.calibration.measured_at()
                is_measured = own is not None or known(rollout.second)
                objections += _unmeasured(transaction, is_measured=is_measured)
            return RolloutStatus(rollout, tuple(objections))

    def begin(self, name: str, model: ModelId) -> None:
        """Give the collection its next embedder; from now on, new faces are stored by both.

        Does nothing when `model` is one of its two already. Raises CollectionNotFound, and
        RolloutImpossible when it has that one only, or another next one.
        """
        with self._store.locking(name) as transaction:
            collection, collections = transaction.collection, transaction.collections
            other = collection.other
            if other is None and collection.digest == model.digest:
                raise RolloutImpossible(
                    f"collection {name!r} answers by {model.name} ({model.digest[:12]}) already, "
                    "and by nothing else",
                    RolloutObstacle.SAME_EMBEDDER,
                )
            if other is not None and model.digest not in (collection.digest, other.digest):
                raise RolloutImpossible(
                    f"collection {name!r} has two embedders already, "
                    f"{_named(collection.model)} and {_named(other)}",
                    RolloutObstacle.OTHER_ROLLOUT,
                )
            if other is None:
                collections.set_other_embedder(collections.advance(name), model)
                transaction.note(Action.ROLLOUT_BEGUN, to=model.name)

    def waiting(
        self, name: str, model: ModelId, *, after: int, limit: int
    ) -> Sequence[WaitingFace]:
        """Faces without an embedding by `model`, by number. Raises CollectionNotFound."""
        with self._store.reading(name) as transaction:
            return transaction.rollout.waiting(model.digest, after=after, limit=limit)

    def seen_by_both(self, name: str, *, most: int) -> Sequence[SeenFace]:
        """Faces to compare the embedders by. Raises CollectionNotFound, and RolloutImpossible when
        it has only one."""
        with self._store.reading(name) as transaction:
            if transaction.collection.other is None:
                raise _only_one(transaction.collection)
            return transaction.rollout.seen_by_both(most=most)

    def add(self, name: str, model: ModelId, embeddings: Mapping[int, Embedding]) -> int:
        """Store embeddings by `model`, by face number; return how many are new.

        Faces that are gone by now are passed over. Raises CollectionNotFound, and RolloutImpossible
        when `model` is none of the collection's embedders any more.
        """
        with self._store.changing(name) as serving:
            transaction = _with_other(serving, model.digest)
            if transaction is None:
                raise RolloutImpossible(
                    f"collection {name!r} does not go over to {_named(model)} any more: its "
                    "embeddings were purged meanwhile",
                    RolloutObstacle.PURGED,
                )
            wanted = serving.rollout.still_waiting(model.digest, list(embeddings))
            new = {number: embeddings[number] for number in sorted(wanted)}
            transaction.faces.add_other_embeddings(transaction.faces.sealed_by_other(new))
            serving.changes.log("add", new, digest=model.digest)
            serving.note(Action.ROLLOUT_EMBEDDED, embedder=model.name, faces=len(new))
        return len(new)

    def switch(self, name: str, *, is_measured: bool, force: bool = False) -> Rollout:
        """Have the collection answer by its next embedder, from this revision on.

        `is_measured`: its error rates are known. With `force`, objections do not count. The inbox
        of unknowns is emptied: its faces are known to the other embedder only. Raises
        CollectionNotFound and RolloutImpossible.
        """
        with self._turning(name) as transaction:
            collection = transaction.collection
            if collection.switched_at is not None:
                raise RolloutImpossible(
                    f"collection {name!r} has gone over to {_named(collection.model)} already",
                    RolloutObstacle.SWITCHED,
                )
            objections = _objections(transaction, is_measured=is_measured)
            if objections and not force:
                raise _advised_against(objections, transaction.collection)
            transaction.note(Action.ROLLOUT_SWITCHED, forced=force)
            return _rollout(_turned(transaction, at=datetime.now(UTC)))

    def roll_back(self, name: str, *, force: bool = False) -> Rollout:
        """Have the collection answer by the embedder before, which it still has, once more.

        Raises CollectionNotFound, and RolloutImpossible: without `force`, also when faces that were
        enrolled since are not known to that one.
        """
        with self._turning(name) as transaction:
            if transaction.collection.switched_at is None:
                raise RolloutImpossible(
                    f"collection {name!r} has not gone over to another embedder; there is nothing "
                    "to go back to",
                    RolloutObstacle.NOT_SWITCHED,
                )
            objections = [
                *_lacking(transaction, _lacking_other(transaction)),
                *_fixed_similarities(transaction),
            ]
            if objections and not force:
                raise _advised_against(objections, transaction.collection)
            transaction.note(Action.ROLLOUT_ROLLED_BACK, forced=force)
            return _rollout(_turned(transaction, at=None))

    def purge(self, name: str) -> int:
        """Erase the embeddings of the embedder that does not serve; return of how many faces.

        Done in small steps, so that others write meanwhile; run again, it continues. Afterwards the
        collection has one embedder. Raises CollectionNotFound, and RolloutImpossible when it has
        only one, or when faces have no embedding by the one that serves.
        """
        count = 0
        serving: str | None = None
        while True:
            with self._turning(name) as transaction:
                collection, rollout = transaction.collection, transaction.rollout
                if serving not in (None, collection.digest):
                    raise RolloutImpossible(
                        f"collection {name!r} has changed its embedder meanwhile",
                        RolloutObstacle.SWITCHED_MEANWHILE,
                    )
                serving = collection.digest
                # It grows no more: new faces have an embedding by the one that serves.
                lacking = 0 if count else rollout.count_waiting(collection.digest)
                if lacking:
                    raise RolloutImpossible(
                        f"{lacking} faces have no embedding by {_named(collection.model)}, and "
                        "would have none at all",
                        RolloutObstacle.LACKING_SERVING,
                        embedder=collection.embedder,
                    )
                settled = rollout.settle(most=_SETTLED_AT_ONCE)
                # The index of the other embedder lets go of them with the next look at the log.
                assert collection.other is not None
                transaction.changes.log("remove", settled, digest=collection.other.digest)
                count += len(settled)
                transaction.note(Action.ROLLOUT_PURGED, faces=len(settled), done=not settled)
                if not settled:
                    rollout.forget_other_calibrations()
                    transaction.collections.set_other_embedder(collection, None)
                    break
        self._database.compact()
        return count

    @contextmanager
    def _turning(self, name: str) -> Iterator[Transaction]:
        """A transaction that holds a collection of two embedders at its next revision."""
        with self._store.changing(name) as transaction:
            if transaction.collection.other is None:
                raise _only_one(transaction.collection)
            yield transaction


def _only_one(collection: CollectionView) -> RolloutImpossible:
    return RolloutImpossible(
        f"collection {collection.name!r} has one embedder only, {_named(collection.model)}",
        RolloutObstacle.ONE_EMBEDDER,
    )


def _advised_against(
    objections: Sequence[Objection], collection: CollectionView
) -> RolloutImpossible:
    return RolloutImpossible(
        "; ".join(fact for _, fact in objections),
        *(obstacle for obstacle, _ in objections),
        embedder="" if collection.other is None else collection.other.name,
        can_be_forced=True,
    )


def _turned(transaction: Transaction, *, at: datetime | None) -> Transaction:
    """Let the two embedders change places, and empty the inbox of unknowns.

    The inbox advances also where there is none: a face that another transaction keeps now is kept
    before this one or after it.
    """
    transaction.unknowns.advance()
    transaction.unknowns.empty()
    return transaction.at(transaction.collections.turn(transaction.collection, at=at))


def _objections(transaction: Transaction, *, is_measured: bool) -> list[Objection]:
    """Return the objections to a switch."""
    return [
        *_lacking(transaction, _lacking_other(transaction)),
        *_fixed_similarities(transaction),
        *_unmeasured(transaction, is_measured=is_measured),
    ]


def _unmeasured(transaction: Transaction, *, is_measured: bool) -> list[Objection]:
    """Return the objection to a switch that no threshold follows from an error rate."""
    collection = transaction.collection
    assert collection.other is not None
    if is_measured or collection.options.decisions.identify_threshold is not None:
        return []
    fact = f"the error rates of {collection.other.name} were not measured"
    return [(RolloutObstacle.NOT_MEASURED, fact)]


def _fixed_similarities(transaction: Transaction) -> list[Objection]:
    """Return the objection that similarities by the embedder that serves are fixed."""
    collection = transaction.collection
    found = []
    fixed = collection.options.decisions.fixed_similarities()
    if fixed:
        fact = (
            f"the option {' and '.join(fixed)} of the collection is fixed in similarities by "
            f"{collection.embedder}"
        )
        found.append((RolloutObstacle.FIXED_SIMILARITY, fact))
    people = transaction.rollout.people_with_thresholds()
    if people:
        fact = (
            f"{people} people have a threshold of their own, a similarity by {collection.embedder}"
        )
        found.append((RolloutObstacle.FIXED_FOR_PEOPLE, fact))
    return found


def _lacking(transaction: Transaction, count: int) -> list[Objection]:
    """Return the objection that `count` faces have no embedding by the other embedder."""
    other = transaction.collection.other
    assert other is not None
    if not count:
        return []
    fact = f"{count} faces have no embedding by {other.name}, and would not be found"
    return [(RolloutObstacle.LACKING_SECOND, fact)]


def _lacking_other(transaction: Transaction) -> int:
    other = transaction.collection.other
    assert other is not None
    return transaction.rollout.count_waiting(other.digest)


def _with_other(serving: Transaction, digest: str) -> Transaction | None:
    """The transaction by that embedder of the collection whose other one is `digest`."""
    if serving.collection.by(digest) is None:
        return None
    return serving.by_other_embedder() if serving.collection.digest == digest else serving


def _rollout(transaction: Transaction) -> Rollout:
    collection, rollout = transaction.collection, transaction.rollout
    other = collection.other
    return Rollout(
        collection=collection.name,
        revision=collection.revision,
        serving=collection.model,
        second=other,
        switched_at=collection.switched_at,
        faces=transaction.faces.count(),
        without_serving=rollout.count_waiting(collection.digest),
        without_second=0 if other is None else rollout.count_waiting(other.digest),
    )


def _named(model: ModelId) -> str:
    return f"{model.name} ({model.digest[:12]})"
