"""SQL of the collections' own calibrations."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select

from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.tables import CalibrationTable


class CalibrationRepository(ScopedRepository):
    """The calibration of one collection, valid only for the embedder it was measured with."""

    def find(self) -> Mapping[str, object] | None:
        """Return the similarity map as JSON; None without one."""
        return self._session.scalar(select(CalibrationTable.map).where(*self._valid()))

    def measured_at(self) -> datetime | None:
        return self._session.scalar(select(CalibrationTable.created_at).where(*self._valid()))

    def replace(self, stored: Mapping[str, object]) -> None:
        self.delete()
        self._session.add(
            CalibrationTable(
                collection_number=self._collection.number,
                digest=self._collection.digest,
                map=dict(stored),
            )
        )
        self._session.flush()

    def _valid(self) -> tuple[ColumnElement[bool], ...]:
        return (
            self._here(CalibrationTable),
            CalibrationTable.digest == self._collection.digest,
        )

    def delete(self) -> None:
        self._session.execute(delete(CalibrationTable).where(*self._valid()))
