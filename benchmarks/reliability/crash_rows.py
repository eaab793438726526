"""Open each row of an encrypted gallery."""

from typing import Final

from sqlalchemy import func, select

from app.gallery.gallery import Gallery
from app.gallery.store.tables import FaceTable
from app.gallery.vault.master_key import MasterKey
from benchmarks.reliability.crash_check import Verdict
from benchmarks.reliability.crash_ledger import DIMENSION

MASTER: Final = b"crash-benchmark-master-key-crash"
_CLEAR_BYTES = DIMENSION * 4


def masters() -> list[MasterKey]:
    return [MasterKey(MASTER)]


def check_rows(gallery: Gallery, collection: str, verdict: Verdict) -> None:
    """Note each face whose embedding does not open, and each that is not sealed."""
    with gallery.store.reading(collection) as transaction:
        for numbers, vectors in transaction.faces.embeddings():
            for number in numbers[~vectors.any(axis=1)].tolist():
                verdict.note("unopened", f"face {number} does not open")
    with gallery.store.database.reading() as session:
        clear = select(func.count()).where(func.length(FaceTable.embedding) == _CLEAR_BYTES)
        for _ in range(session.scalar(clear) or 0):
            verdict.note("unopened", "a face is in the clear")
