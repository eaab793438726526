"""SQL of the moment up to which the clock is believed."""

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.gallery.retention.clock_reading import ClockReading
from app.gallery.store.tables import AuditLineTable, IdentityTable, TrustedClockTable

_ROW = 1


class ClockRepository:
    """The one reading of the clock that all processes keep."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self) -> ClockReading | None:
        """The last reading that was kept; of a database that had none yet, the moment of the newest
        line or person. None: it has neither."""
        row = self._session.get(TrustedClockTable, _ROW)
        if row is not None:
            return ClockReading(row.at, row.running_s, row.boot_id)
        newest = [
            self._session.scalar(select(func.max(AuditLineTable.at))),
            self._session.scalar(
                select(IdentityTable.created_at).order_by(IdentityTable.number.desc()).limit(1)
            ),
        ]
        moments = [moment for moment in newest if moment is not None]
        return ClockReading(max(moments), 0.0, None) if moments else None

    def set(self, reading: ClockReading) -> None:
        row = self._session.get(TrustedClockTable, _ROW, with_for_update=True)
        if row is None:
            row = TrustedClockTable(number=_ROW)
        row.at, row.running_s, row.boot_id = reading.at, reading.running_s, reading.boot_id
        self._session.merge(row)

    def server_now(self) -> datetime | None:
        """The moment by the clock of PostgreSQL's machine; None for SQLite, which has none."""
        if self._session.get_bind().dialect.name != "postgresql":
            return None
        moment: datetime = self._session.scalars(select(func.clock_timestamp())).one()
        return moment.astimezone(UTC)
