"""SQL of the API keys."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, insert, inspect, or_, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from app.errors import KeyNotFound
from app.gallery.keys.key_records import ApiKey, NewKey
from app.gallery.keys.key_texts import KeyText, digest_of
from app.gallery.keys.rights import Right, Role
from app.gallery.store.repositories.announcement import announce
from app.gallery.store.tables import ApiKeyTable

_COLUMNS = tuple(ApiKeyTable.__table__.columns)


class KeyRepository:
    """All API keys of a database. They are never deleted: what was done by them stays known."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def have_a_table(self) -> bool:
        """Return whether the schema is one with keys."""
        return inspect(self._session.connection()).has_table(ApiKeyTable.__tablename__)

    def version(self) -> int:
        """Return a number that grows with every change of a key, but not with its use.

        Each change adds 1 to the revision of its row, so that two of them at once need no lock.
        """
        return self._session.scalar(select(func.sum(ApiKeyTable.revision))) or 0

    def everything(self) -> list[ApiKey]:
        """Return all keys, oldest first."""
        query = select(*_COLUMNS).order_by(ApiKeyTable.number)
        return [_key(row) for row in self._session.execute(query).mappings()]

    def page(self, *, after: int, limit: int) -> list[ApiKey]:
        query = select(*_COLUMNS).where(ApiKeyTable.number > after)
        query = query.order_by(ApiKeyTable.number).limit(limit)
        return [_key(row) for row in self._session.execute(query).mappings()]

    def get(self, key_id: str, *, lock: bool = False) -> ApiKey:
        """Return a key, which with `lock` no other transaction changes. Raises KeyNotFound."""
        query = select(*_COLUMNS).where(ApiKeyTable.id == key_id)
        if lock:
            query = query.with_for_update()
        row = self._session.execute(query).mappings().first()
        if row is None:
            raise key_not_found(key_id)
        return _key(row)

    def add(
        self,
        made: KeyText,
        new: NewKey,
        now: datetime,
        *,
        aws_access_key_id: str | None = None,
        aws_secret_sealed: str | None = None,
    ) -> ApiKey:
        self._session.execute(
            insert(ApiKeyTable).values(
                id=made.id,
                name=new.name,
                role=new.role.value,
                rights=[right.value for right in new.rights],
                collections=None if new.collections is None else list(new.collections),
                sha256=digest_of(made.text),
                prefix=made.prefix,
                created_at=now,
                expires_at=new.expires_at,
                requests_per_min=new.requests_per_min,
                aws_access_key_id=aws_access_key_id,
                aws_secret_sealed=aws_secret_sealed,
                revision=1,
            )
        )
        announce(self._session)
        return self.get(made.id)

    def revoke(self, key: ApiKey, now: datetime) -> ApiKey:
        self._set(key, revoked_at=now)
        return replace(key, revoked_at=now)

    def replace(self, key: ApiKey, *, successor_id: str, expires_at: datetime) -> None:
        """Let a key expire in favour of another one."""
        self._set(key, successor_id=successor_id, expires_at=expires_at)

    def set_sealed(self, key: ApiKey, sealed: str) -> None:
        """Keep the secret of a pair in another form, which all processes read then."""
        self._set(key, aws_secret_sealed=sealed)

    def note_used(self, used: Mapping[str, datetime]) -> None:
        """Keep when these keys were used last, by id, unless another process noted a later use."""
        for key_id in sorted(used):
            last = ApiKeyTable.last_used_at
            self._session.execute(
                update(ApiKeyTable)
                .where(ApiKeyTable.id == key_id, or_(last.is_(None), last < used[key_id]))
                .values(last_used_at=used[key_id])
            )

    def _set(self, key: ApiKey, **values: object) -> None:
        self._session.execute(
            update(ApiKeyTable)
            .where(ApiKeyTable.number == key.number)
            .values(revision=ApiKeyTable.revision + 1, **values)
        )
        announce(self._session)


def key_not_found(key_id: str) -> KeyNotFound:
    return KeyNotFound(f"there is no key {key_id!r}")


def _key(row: RowMapping) -> ApiKey:
    known = set(Right)
    rights: Sequence[str] = row["rights"]
    collections: Sequence[str] | None = row["collections"]
    return ApiKey(
        number=row["number"],
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        # A right of a later version is none here.
        rights=tuple(Right(right) for right in rights if right in known),
        collections=None if collections is None else tuple(collections),
        sha256=row["sha256"],
        prefix=row["prefix"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
        successor_id=row["successor_id"],
        requests_per_min=row["requests_per_min"],
        aws_access_key_id=row["aws_access_key_id"],
        aws_secret_sealed=row["aws_secret_sealed"],
    )
