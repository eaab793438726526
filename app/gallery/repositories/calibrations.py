"""SQL of the collections' own calibrations."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.gallery.tables import CalibrationTable, CollectionTable


class CalibrationRepository:
    """The calibration of one collection, which counts only for the network it was measured on."""

    def __init__(self, session: Session, collection: CollectionTable) -> None:
        self._session = session
        self._collection = collection

    def find(self) -> tuple[Mapping[str, object], datetime] | None:
        """The map as JSON, and when it was measured."""
        query = select(CalibrationTable.map, CalibrationTable.created_at).where(
            CalibrationTable.collection_number == self._collection.number,
            CalibrationTable.digest == self._collection.digest,
        )
        row = self._session.execute(query).one_or_none()
        return None if row is None else (row.map, row.created_at)

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

    def delete(self) -> None:
        self._session.execute(
            delete(CalibrationTable).where(
                CalibrationTable.collection_number == self._collection.number
            )
        )
