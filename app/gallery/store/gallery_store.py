"""The transactions on the collections of a database, by what they hold."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.gallery.store.database import Database
from app.gallery.store.transaction import Collections, Transaction


class Store:
    """The collections of a database. Each method that takes a name raises CollectionNotFound.

    A reading transaction sees one state of the database throughout. A writing one is committed when
    the block ends, and undone when it raises; see `Database` for what both raise.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    @contextmanager
    def reading(self, name: str) -> Iterator[Transaction]:
        """Read a collection."""
        with self.database.reading() as session:
            yield Transaction(session, *Collections(session).get_calibrated(name))

    @contextmanager
    def changing(self, name: str) -> Iterator[Transaction]:
        """Hold a collection at its next revision, under which people and faces are changed."""
        with self.writing_all() as collections:
            yield collections.within(collections.advance(name))

    @contextmanager
    def locking(self, name: str) -> Iterator[Transaction]:
        """Hold a collection to change its row or its calibrations; its revision stays."""
        with self.writing_all() as collections:
            yield collections.within(collections.lock(name))

    @contextmanager
    def writing_beside(self, name: str) -> Iterator[Transaction]:
        """Write rows that refer to a collection, without a lock on it."""
        with self.writing_all() as collections:
            yield collections.within(collections.get(name))

    @contextmanager
    def reading_all(self) -> Iterator[Collections]:
        """Read all collections."""
        with self.database.reading() as session:
            yield Collections(session)

    @contextmanager
    def writing_all(self) -> Iterator[Collections]:
        """Write, and lock which collections the block asks for.

        What the block notes is written with it, last.
        """
        with self.database.writing() as session:
            yield Collections(session)
            self.database.journal.write(session)
