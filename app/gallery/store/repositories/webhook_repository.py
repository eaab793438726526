"""SQL of webhooks; see `TargetRepository` for how far they are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from app.gallery.delivery.webhook_records import NewWebhook
from app.gallery.store.tables import WebhookTable

_COLUMNS = tuple(WebhookTable.__table__.columns)


class WebhookRepository:
    """All webhooks of a database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self, webhook_id: str, new: NewWebhook, *, secret: str, now: datetime, by: str
    ) -> RowMapping:
        self._session.execute(
            insert(WebhookTable).values(
                id=webhook_id,
                name=new.name,
                url=new.url,
                collections=_listed(new.collections),
                types=_listed(new.types),
                with_names=new.with_names,
                secret=secret,
                created_at=now,
                created_by=by,
            )
        )
        row = self.find(webhook_id)
        assert row is not None
        return row

    def everything(self) -> list[RowMapping]:
        """Return all webhooks, oldest first."""
        query = select(*_COLUMNS).order_by(WebhookTable.number)
        return list(self._session.execute(query).mappings())

    def find(self, webhook_id: str, *, lock: bool = False) -> RowMapping | None:
        query = select(*_COLUMNS).where(WebhookTable.id == webhook_id)
        if lock:
            query = query.with_for_update()
        return self._session.execute(query).mappings().first()

    def set(self, webhook_id: str, values: Mapping[str, Any]) -> None:
        if values:
            changed = {
                name: _listed(value) if isinstance(value, tuple) else value
                for name, value in values.items()
            }
            self._session.execute(
                update(WebhookTable).where(WebhookTable.id == webhook_id).values(**changed)
            )


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)
