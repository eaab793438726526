"""The database and numpy agree on the fingerprint of a set of face numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.gallery.gallery import Gallery
from app.gallery.store.database import Database
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.collection_repository import CollectionRepository
from app.gallery.store.repositories.face_repository import Fingerprint
from app.gallery.store.tables import FaceTable
from tests.gallery.factories import enroll, unit_vectors

NUMBERS = [[], [1], [2, 3, 5, 8], [2**31 - 2, 2**31 - 1, 2**31, 2**32], [1, 10**12, 2**62]]


def test_database_tells_the_fingerprint_of_its_faces(gallery: Gallery, database: Database) -> None:
    for place, numbers in enumerate(NUMBERS):
        name = f"c{place}"
        gallery.collections.create(name, None)
        enroll(gallery, *unit_vectors(len(numbers), seed=place), collection=name)
        give_numbers(database, name, numbers)
        with Store(database).reading(name) as transaction:
            faces = transaction.faces
            assert faces.fingerprint() == Fingerprint.of(np.array(numbers, dtype=np.int64))
            assert faces.numbers().tolist() == numbers
            assert faces.count() == len(numbers)
        gallery.collections.delete(name)


def give_numbers(database: Database, collection: str, numbers: list[int]) -> None:
    with database.writing() as session:
        of_collection = (
            FaceTable.collection_number == CollectionRepository(session).get(collection).number
        )
        # Out of the way first, so that no number is given while another face has it.
        session.execute(update(FaceTable).where(of_collection).values(number=-FaceTable.number))
        old = session.scalars(select(FaceTable.number).where(of_collection)).all()
        for before, number in zip(old, numbers, strict=True):
            session.execute(
                update(FaceTable).where(FaceTable.number == before).values(number=number)
            )


_numbers = st.sets(st.integers(1, 2**62), max_size=20)


@given(one=_numbers, other=_numbers)
def test_different_sets_have_different_fingerprints(one: set[int], other: set[int]) -> None:
    prints = [Fingerprint.of(np.array(sorted(each), dtype=np.int64)) for each in (one, other)]
    assert (prints[0] == prints[1]) == (one == other)


def test_order_does_not_matter() -> None:
    numbers = np.random.default_rng(1).permutation(np.arange(1, 1_000))
    assert Fingerprint.of(numbers) == Fingerprint.of(np.sort(numbers))
