"""Carry a collection from one embedder to another while it serves.

The steps: `begin` gives it a second embedder, `add` fills in what its faces are to that one,
`switch` makes it the one that answers, `roll_back` undoes that, and `purge` erases what the other
one made. While it has two, new faces are stored by both, and whoever is deleted is gone from both.

A switch is one change of the collection's row, whatever its size: each face keeps two embeddings,
and the row says by which of them it is compared. All methods block.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from app.errors import RolloutImpossible, RolloutObstacle
from app.gallery.collection_options import from_json
from app.gallery.store.database import Database
from app.gallery.store.repositories.change_repository import ChangeRepository
from app.gallery.store.repositories.collection_repository import (
    CollectionRepository,
    model_of,
    second_view,
)
from app.gallery.store.repositories.face_repository import FaceRepository, to_bytes
from app.gallery.store.repositories.rollout_repository import (
    RolloutRepository,
    SeenFace,
    WaitingFace,
)
from app.gallery.store.repositories.unknown_repository import UnknownRepository
from app.gallery.store.tables import CollectionTable
from app.recognition.types import Embedding, ModelId

_SETTLED_AT_ONCE = 500

Objection = tuple[RolloutObstacle, str]
"""What speaks against a change of embedders, as code and as text."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """Where a collection stands between two embedders.

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


class Reembedding:
    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self, name: str) -> Rollout:
        """Where it stands. Raises CollectionNotFound."""
        with self._database.reading() as session:
            return _rollout(session, CollectionRepository(session).get(name))

    def begin(self, name: str, model: ModelId) -> None:
        """Give the collection a second embedder; from now on, new faces are stored by both.

        Does nothing when `model` is one of its two already. Raises CollectionNotFound, and
        RolloutImpossible when it has that one only, or another second one.
        """
        with self._database.writing() as session:
            collections = CollectionRepository(session)
            row = collections.lock(name)
            second = second_view(row)
            if second is None and row.digest == model.digest:
                raise RolloutImpossible(
                    f"collection {name!r} answers by {model.name} ({model.digest[:12]}) already, "
                    "and by nothing else",
                    RolloutObstacle.SAME_EMBEDDER,
                )
            if second is not None and model.digest not in (row.digest, second.digest):
                raise RolloutImpossible(
                    f"collection {name!r} has two embedders already, {_named(model_of(row))} and "
                    f"{_named(model_of(second))}",
                    RolloutObstacle.OTHER_ROLLOUT,
                )
            if second is None:
                collections.set_second(collections.advance(name), model)

    def waiting(
        self, name: str, model: ModelId, *, after: int, limit: int
    ) -> Sequence[WaitingFace]:
        """Faces without an embedding by `model`, by number. Raises CollectionNotFound."""
        with self._database.reading() as session:
            row = CollectionRepository(session).get(name)
            return RolloutRepository(session, row).waiting(model.digest, after=after, limit=limit)

    def seen_by_both(self, name: str, *, most: int) -> Sequence[SeenFace]:
        """Faces to compare the embedders by. Raises CollectionNotFound, and RolloutImpossible when
        it has only one."""
        with self._database.reading() as session:
            row = CollectionRepository(session).get(name)
            if row.second_digest is None:
                raise _only_one(row)
            return RolloutRepository(session, row).seen_by_both(most=most)

    def add(self, name: str, model: ModelId, embeddings: Mapping[int, Embedding]) -> int:
        """Store, by face number, what faces are to `model`; of how many it was not known.

        Faces that are gone by now are passed over. Raises CollectionNotFound, and RolloutImpossible
        when `model` is none of the collection's embedders any more.
        """
        with self._database.writing() as session:
            row = CollectionRepository(session).advance(name)
            view = _as_second(row, model.digest)
            if view is None:
                raise RolloutImpossible(
                    f"collection {name!r} does not go over to {_named(model)} any more: its "
                    "embeddings were purged meanwhile",
                    RolloutObstacle.PURGED,
                )
            rollout = RolloutRepository(session, row)
            wanted = rollout.still_waiting(model.digest, list(embeddings))
            new = {number: to_bytes(embeddings[number]) for number in sorted(wanted)}
            FaceRepository(session, view).add_second(new)
            ChangeRepository(session).log(row, "add", new, digest=model.digest)
        return len(new)

    def switch(self, name: str, *, is_measured: bool, force: bool = False) -> Rollout:
        """Have the collection answer by its second embedder, from this revision on.

        `is_measured`: its error rates are known. With `force`, whatever speaks against it. The
        inbox of unknowns is emptied: its faces are known to the other embedder only. Raises
        CollectionNotFound and RolloutImpossible.
        """
        with self._turning(name) as (session, row):
            if row.switched_at is not None:
                raise RolloutImpossible(
                    f"collection {name!r} has gone over to {_named(model_of(row))} already",
                    RolloutObstacle.SWITCHED,
                )
            objections = _objections(session, row, is_measured=is_measured)
            if objections and not force:
                raise _advised_against(objections, row)
            _turn(session, row)
            row.switched_at = datetime.now(UTC)
            session.flush()
            return _rollout(session, row)

    def roll_back(self, name: str, *, force: bool = False) -> Rollout:
        """Have the collection answer by the embedder before, which it still has, once more.

        Raises CollectionNotFound, and RolloutImpossible: without `force`, also when faces that were
        enrolled since are not known to that one.
        """
        with self._turning(name) as (session, row):
            if row.switched_at is None:
                raise RolloutImpossible(
                    f"collection {name!r} has not gone over to another embedder; there is nothing "
                    "to go back to",
                    RolloutObstacle.NOT_SWITCHED,
                )
            objections = [*_lacking(session, row), *_fixed_similarities(session, row)]
            if objections and not force:
                raise _advised_against(objections, row)
            _turn(session, row)
            row.switched_at = None
            session.flush()
            return _rollout(session, row)

    def purge(self, name: str) -> int:
        """Erase the embeddings of the embedder that does not serve; of how many faces.

        Bit by bit, so that others write meanwhile; run again, it goes on. Afterwards the collection
        has one embedder. Raises CollectionNotFound, and RolloutImpossible when it has only one, or
        when faces have no embedding by the one that serves.
        """
        count = 0
        serving: str | None = None
        while True:
            with self._turning(name) as (session, row):
                if serving not in (None, row.digest):
                    raise RolloutImpossible(
                        f"collection {name!r} has changed its embedder meanwhile",
                        RolloutObstacle.SWITCHED_MEANWHILE,
                    )
                serving = row.digest
                rollout = RolloutRepository(session, row)
                # It grows no more: whoever is enrolled is known to the one that serves.
                lacking = 0 if count else rollout.count_waiting(row.digest)
                if lacking:
                    raise RolloutImpossible(
                        f"{lacking} faces have no embedding by {_named(model_of(row))}, and would "
                        "have none at all",
                        RolloutObstacle.LACKING_SERVING,
                        embedder=row.embedder,
                    )
                settled = rollout.settle(most=_SETTLED_AT_ONCE)
                # The index of the other embedder lets go of them with the next look at the log.
                ChangeRepository(session).log(row, "remove", settled, digest=row.second_digest)
                count += len(settled)
                if not settled:
                    rollout.forget_other_calibrations()
                    CollectionRepository(session).set_second(row, None)
                    break
        self._database.compact()
        return count

    @contextmanager
    def _turning(self, name: str) -> Iterator[tuple[Session, CollectionTable]]:
        """A transaction that holds a collection of two embedders at its next revision."""
        with self._database.writing() as session:
            row = CollectionRepository(session).advance(name)
            if row.second_digest is None:
                raise _only_one(row)
            yield session, row


def _only_one(row: CollectionTable) -> RolloutImpossible:
    return RolloutImpossible(
        f"collection {row.name!r} has one embedder only, {_named(model_of(row))}",
        RolloutObstacle.ONE_EMBEDDER,
    )


def _advised_against(objections: Sequence[Objection], row: CollectionTable) -> RolloutImpossible:
    return RolloutImpossible(
        "; ".join(fact for _, fact in objections),
        *(obstacle for obstacle, _ in objections),
        embedder=row.second_embedder or "",
        can_be_forced=True,
    )


def _turn(session: Session, row: CollectionTable) -> None:
    """Let the two embedders change places."""
    unknowns = UnknownRepository(session, row)
    unknowns.advance()  # also where there is none: whoever keeps a face now comes before or after
    unknowns.empty()
    view = second_view(row)
    assert view is not None
    for column in ("embedder", "digest", "dimension"):
        setattr(row, column, getattr(view, column))
        setattr(row, f"second_{column}", getattr(view, f"second_{column}"))


def _objections(session: Session, row: CollectionTable, *, is_measured: bool) -> list[Objection]:
    """What speaks against a switch."""
    found = [*_lacking(session, row), *_fixed_similarities(session, row)]
    if not is_measured and from_json(row.options).decisions.identify_threshold is None:
        found.append(
            (
                RolloutObstacle.NOT_MEASURED,
                f"the error rates of {row.second_embedder} were not measured",
            )
        )
    return found


def _fixed_similarities(session: Session, row: CollectionTable) -> list[Objection]:
    """What is fixed in similarities by the embedder that serves, and the other would decide by."""
    found = []
    fixed = from_json(row.options).decisions.fixed_similarities()
    if fixed:
        fact = (
            f"the option {' and '.join(fixed)} of the collection is fixed in similarities by "
            f"{row.embedder}"
        )
        found.append((RolloutObstacle.FIXED_SIMILARITY, fact))
    people = RolloutRepository(session, row).people_with_thresholds()
    if people:
        found.append(
            (
                RolloutObstacle.FIXED_FOR_PEOPLE,
                f"{people} people have a threshold of their own, a similarity by {row.embedder}",
            )
        )
    return found


def _lacking(session: Session, row: CollectionTable) -> list[Objection]:
    assert row.second_digest is not None
    count = RolloutRepository(session, row).count_waiting(row.second_digest)
    if not count:
        return []
    fact = f"{count} faces have no embedding by {row.second_embedder}, and would not be found"
    return [(RolloutObstacle.LACKING_SECOND, fact)]


def _as_second(row: CollectionTable, digest: str) -> CollectionTable | None:
    """The collection as it is to one of its embedders, so that `digest` is its second one."""
    view = second_view(row) if row.digest == digest else row
    return view if view is not None and view.second_digest == digest else None


def _rollout(session: Session, row: CollectionTable) -> Rollout:
    second = second_view(row)
    rollout = RolloutRepository(session, row)
    return Rollout(
        collection=row.name,
        revision=row.revision,
        serving=model_of(row),
        second=None if second is None else model_of(second),
        switched_at=row.switched_at,
        faces=FaceRepository(session, row).count(),
        without_serving=rollout.count_waiting(row.digest),
        without_second=0 if second is None else rollout.count_waiting(second.digest),
    )


def _named(model: ModelId) -> str:
    return f"{model.name} ({model.digest[:12]})"
