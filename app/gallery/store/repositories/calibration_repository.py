"""SQL of the collections' own calibrations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select

from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.tables import CalibrationTable


@dataclass(frozen=True, slots=True)
class CalibrationDetails:
    """When a calibration was measured, and its histograms as JSON; None for those of an archive, or
    of an earlier version."""

    measured_at: datetime
    histograms: Mapping[str, object] | None


class CalibrationRepository(ScopedRepository):
    """The calibration of one collection, valid only for the embedder it was measured with."""

    def find(self) -> Mapping[str, object] | None:
        """Return the similarity map as JSON; None without one."""
        return self._session.scalar(select(CalibrationTable.map).where(*self._valid()))

    def find_details(self) -> CalibrationDetails | None:
        """Return what is kept beside the map."""
        query = select(CalibrationTable.created_at, CalibrationTable.histograms)
        found = self._session.execute(query.where(*self._valid())).first()
        return None if found is None else CalibrationDetails(*found)

    def measured_at(self) -> datetime | None:
        return self._session.scalar(select(CalibrationTable.created_at).where(*self._valid()))

    def replace(
        self, stored: Mapping[str, object], histograms: Mapping[str, object] | None = None
    ) -> None:
        self.delete()
        self._session.add(
            CalibrationTable(
                collection_number=self._collection.number,
                digest=self._collection.digest,
                map=dict(stored),
                histograms=None if histograms is None else dict(histograms),
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
