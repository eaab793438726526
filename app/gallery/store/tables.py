"""The tables. The migrations make them; these classes only map them.

`number` is the row's own key: it grows, is never used again, and is what the index stores. `id` is
what users see: random, so that it reveals nothing and cannot be guessed.
"""

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

# SQLite only grows its own row ids for a column of type INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")
JsonObject = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def _exact(length: int) -> String:
    """Text that is compared byte by byte, whatever the database's language."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


# SQLite checks no lengths, and could change one only by writing the table again.
CollectionName = String(64).with_variant(String(255), "postgresql")
Exact128, Exact256, Exact258 = _exact(128), _exact(256), _exact(258)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, kept in UTC; SQLite, which keeps no time zone, gets it back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None or value.tzinfo is None:
            return value
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return uuid4().hex


class Table(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class CollectionTable(Table):
    __tablename__ = "collections"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    name: Mapped[str] = mapped_column(CollectionName, unique=True)
    description: Mapped[str | None] = mapped_column(Text)
    embedder: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    dimension: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Number, default=0)
    """Grows by one with every change of its people or faces; see ChangeTable."""
    log_start: Mapped[int] = mapped_column(Number, default=0, server_default="0")
    """The log of changes is complete above this revision; older entries are pruned."""
    options: Mapped[dict[str, object]] = mapped_column(
        JsonObject, default=dict, server_default="{}"
    )
    """See options.py."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    second_embedder: Mapped[str | None] = mapped_column(String(64))
    second_digest: Mapped[str | None] = mapped_column(String(64))
    second_dimension: Mapped[int | None] = mapped_column(Integer)
    """The embedder that it goes over to, or came from; None while there is only one."""
    switched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it went over; None before, and after it was rolled back."""
    key_generation: Mapped[int | None] = mapped_column(Integer)
    """Of the key under which its rows are sealed; None where they are in the clear. See
    app/gallery/vault."""


class CollectionKeyTable(Table):
    """The key of a collection, wrapped by a master key; see app/gallery/vault."""

    __tablename__ = "collection_keys"

    collection_number: Mapped[int] = mapped_column(
        Number, ForeignKey("collections.number", ondelete="CASCADE"), primary_key=True
    )
    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """Grows by one with each rotation, from 1."""
    master_id: Mapped[str] = mapped_column(String(16))
    """Of the master key that wraps it."""
    is_complete: Mapped[bool] = mapped_column(Boolean)
    """Whether the collection has no embedding in the clear any more."""
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class SnapshotKeyTable(Table):
    """The key of one snapshot file, wrapped by that of its collection; see app/gallery/sync."""

    __tablename__ = "snapshot_keys"
    __table_args__ = (Index(None, "collection_number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    collection_number: Mapped[int] = mapped_column(
        Number, ForeignKey("collections.number", ondelete="CASCADE")
    )
    folder: Mapped[str] = mapped_column(String(32))
    """Identifies the folder of snapshots, and so the machine, that the file lies in."""
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class SpaceTable(Table):
    """A secret rotation of a collection's vectors in Milvus, sealed; see app/gallery/sync."""

    __tablename__ = "spaces"

    collection_number: Mapped[int] = mapped_column(
        Number, ForeignKey("collections.number", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Of the embedder whose vectors are rotated."""
    role: Mapped[str] = mapped_column(String(8), primary_key=True)
    """`current`, or `next` while another one is filled."""
    id: Mapped[str] = mapped_column(String(32))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class CalibrationTable(Table):
    """The error rates of a collection's similarities, measured on its own people."""

    __tablename__ = "calibrations"

    collection_number: Mapped[int] = mapped_column(
        Number, ForeignKey("collections.number", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Of the embedder whose embeddings were measured."""
    map: Mapped[dict[str, object]] = mapped_column(JsonObject)
    histograms: Mapped[dict[str, object] | None] = mapped_column(JsonObject)
    """Of the similarities that were measured; None where only the map is known."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class _Public:
    """Columns of a row that users see."""

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(32), unique=True, default=_new_id)


class _OfCollection:
    """The column of a row that is deleted with its collection."""

    collection_number: Mapped[int] = mapped_column(
        Number, ForeignKey("collections.number", ondelete="CASCADE")
    )


class _Embedded:
    """The columns of an embedding."""

    embedding: Mapped[bytes] = mapped_column(LargeBinary)
    """Little-endian float32, unit length."""
    embedder: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class IdentityTable(_Public, _OfCollection, Table):
    __tablename__ = "identities"
    __table_args__ = (
        UniqueConstraint("collection_number", "external_id"),
        Index(None, "collection_number", "number"),
        Index(None, "collection_number", "name"),
        Index(None, "collection_number", "name_folded"),
        Index(None, "collection_number", "external_id_folded"),
        Index(None, "collection_number", "anonymous", "number"),
        Index(None, "expires_at"),
        Index(None, "consent_until"),
        {"sqlite_autoincrement": True},
    )

    external_id: Mapped[str | None] = mapped_column(String(256))
    name: Mapped[str | None] = mapped_column(String(256))
    """Both in NFC."""
    external_id_folded: Mapped[str | None] = mapped_column(Exact256)
    name_folded: Mapped[str | None] = mapped_column(Exact256)
    """Both as searches by prefix compare them; see text_forms.py."""
    attributes: Mapped[dict[str, object]] = mapped_column(JsonObject, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now, onupdate=_now)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """From then on the person is in no answer, and is erased by the next sweep."""
    threshold: Mapped[float | None] = mapped_column(Float)
    """Below this similarity no face matches the person, whatever threshold a search has."""
    revision: Mapped[int] = mapped_column(Number, default=0, server_default="0")
    """Revision of the collection when the person or their faces changed last."""
    consent_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the last of their consents ends; from then on they are as expired. None: never, or
    they have none."""
    anonymous: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    """Without a name and an external_id; see `Identity.anonymous`."""


class ConsentTable(_Public, Table):
    """A consent of a person, or another legal basis on which they are kept."""

    __tablename__ = "consents"
    __table_args__ = (
        Index(None, "identity_number", "number"),
        Index(None, "collection_number"),
        {"sqlite_autoincrement": True},
    )

    collection_number: Mapped[int] = mapped_column(Number)
    identity_number: Mapped[int] = mapped_column(
        Number, ForeignKey("identities.number", ondelete="CASCADE")
    )
    purpose: Mapped[str] = mapped_column(String(256))
    basis: Mapped[str] = mapped_column(String(32))
    text_version: Mapped[str | None] = mapped_column(String(256))
    source: Mapped[str | None] = mapped_column(Text)
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by: Mapped[str] = mapped_column(String(128))
    """Who recorded it, as in the audit log; so is `withdrawn_by`."""
    withdrawn_by: Mapped[str | None] = mapped_column(String(128))


class _Wrapped:
    """The columns of a key that is wrapped by the key of its collection.

    In a table of its own, which is small: to rewrite it takes a moment.
    """

    collection_number: Mapped[int] = mapped_column(Number)
    generation: Mapped[int] = mapped_column(Integer)
    """Of the collection's key."""
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


class PersonKeyTable(_Wrapped, Table):
    """The key under which the embeddings and crops of a person are sealed."""

    __tablename__ = "person_keys"
    __table_args__ = (Index(None, "collection_number", "generation"),)

    identity_number: Mapped[int] = mapped_column(
        Number, ForeignKey("identities.number", ondelete="CASCADE"), primary_key=True
    )


class AttributeTable(Table):
    """The attributes that filters look at, each in a row that an index finds by its value.

    Kept beside the JSON of `identities.attributes`, which users see; see `attribute_texts.py`.
    """

    __tablename__ = "attributes"
    __table_args__ = (
        Index(None, "collection_number", "key", "value"),
        Index(None, "collection_number", "key", "reversed"),
    )

    identity_number: Mapped[int] = mapped_column(
        Number, ForeignKey("identities.number", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(Exact128, primary_key=True)
    collection_number: Mapped[int] = mapped_column(Number)
    value: Mapped[str] = mapped_column(Exact258)
    """`s:` and a string, `n:` and a number, or `b:` and true or false."""
    reversed: Mapped[str | None] = mapped_column(Exact256)
    """A string read backwards: its suffix is then a prefix, which an index finds."""


class FaceTable(_Public, _OfCollection, _Embedded, Table):
    __tablename__ = "faces"
    __table_args__ = (
        # Also what finds an identity's faces.
        UniqueConstraint("identity_number", "image_sha256"),
        Index(None, "collection_number", "number"),
        Index(None, "collection_number", "image_sha256"),
        {"sqlite_autoincrement": True},
    )

    identity_number: Mapped[int] = mapped_column(
        Number, ForeignKey("identities.number", ondelete="CASCADE")
    )
    box: Mapped[list[float] | None] = mapped_column(JSON(none_as_null=True))
    landmarks: Mapped[list[list[float]] | None] = mapped_column(JSON(none_as_null=True))
    detection_score: Mapped[float | None] = mapped_column(Float)
    quality: Mapped[float | None] = mapped_column(Float)
    """Unified score, 0 to 100; null where no photo was seen, or before it was measured."""
    image_sha256: Mapped[str | None] = mapped_column(String(64))
    forced: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    """Enrolled although a guard advised against it."""
    image_width: Mapped[int | None] = mapped_column(Integer)
    image_height: Mapped[int | None] = mapped_column(Integer)
    """Of the upright photo, in pixels; null where no photo was seen, or before it was kept."""
    image_label: Mapped[str | None] = mapped_column(String(256))
    """What the caller called the photo."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class SecondEmbeddingTable(_Embedded, Table):
    """The embedding of a face by its collection's other embedder; see `embedder_pair.py`.

    Which of the two embeddings of a face lies here, and which in `faces`, has no meaning: their
    digests count.
    """

    __tablename__ = "second_embeddings"
    __table_args__ = (Index(None, "collection_number", "face_number"),)

    face_number: Mapped[int] = mapped_column(
        Number, ForeignKey("faces.number", ondelete="CASCADE"), primary_key=True
    )
    collection_number: Mapped[int] = mapped_column(Number)


class _Crop:
    """The columns of a crop, beside the number of its face."""

    collection_number: Mapped[int] = mapped_column(Number)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    form: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """0: sealed by `CropVault` alone, for the id of the face. Under the key of its owner: 1, the
    crop itself; 2, what `CropVault` has sealed."""


class CropTable(_Crop, Table):
    """A crop of an enrolled face, where its collection keeps them."""

    __tablename__ = "crops"
    __table_args__ = (Index(None, "collection_number"),)

    face_number: Mapped[int] = mapped_column(
        Number, ForeignKey("faces.number", ondelete="CASCADE"), primary_key=True
    )


class ChangeTable(Table):
    """The log that the index follows: which face came or went at which revision of a collection.

    `face_number` is no foreign key: it outlives the face.
    """

    __tablename__ = "changes"

    collection_number: Mapped[int] = mapped_column(
        Number, ForeignKey("collections.number", ondelete="CASCADE"), primary_key=True
    )
    revision: Mapped[int] = mapped_column(Number, primary_key=True)
    face_number: Mapped[int] = mapped_column(Number, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    """`add`, `remove`, or `move` to another person."""
    digest: Mapped[str | None] = mapped_column(String(64))
    """Of the embedder whose index this is for: a face that was there got its embedding by it. None:
    for all."""


class TerminalMatchTable(Table):
    """A person who was matched at a terminal, and when last: the terminal tries them first."""

    __tablename__ = "terminal_matches"
    __table_args__ = (
        Index(None, "collection_number", "terminal_id", "matched_at"),
        Index(None, "identity_number"),
    )

    collection_number: Mapped[int] = mapped_column(
        Number, ForeignKey("collections.number", ondelete="CASCADE"), primary_key=True
    )
    terminal_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    identity_number: Mapped[int] = mapped_column(
        Number, ForeignKey("identities.number", ondelete="CASCADE"), primary_key=True
    )
    matched_at: Mapped[datetime] = mapped_column(UtcDateTime)


class UnknownInboxTable(Table):
    """A collection's inbox of unknown faces; a change holds the lock on its row.

    So writers commit in the order of their sequences, and no two of them begin a group each for the
    same newcomer.
    """

    __tablename__ = "unknown_inboxes"

    collection_number: Mapped[int] = mapped_column(
        Number, ForeignKey("collections.number", ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(Number)
    """Grows by one with every change of its groups."""
    removed_at: Mapped[int] = mapped_column(Number)
    """The sequence at which groups went away last."""
    threshold: Mapped[float | None] = mapped_column(Float)
    """By which its newest face was grouped; None before the first."""


class UnknownGroupTable(_Public, _OfCollection, Table):
    """Unknown faces that are likely of one person."""

    __tablename__ = "unknown_groups"
    __table_args__ = (
        Index(None, "collection_number", "sequence"),
        Index(None, "collection_number", "last_seen_at", "number"),
        Index(None, "collection_number", "seen_count", "number"),
        {"sqlite_autoincrement": True},
    )

    sequence: Mapped[int] = mapped_column(Number)
    """Of the inbox, when the centroid changed last."""
    centroid: Mapped[bytes] = mapped_column(LargeBinary)
    """The mean direction of its faces: little-endian float32, unit length."""
    seen_count: Mapped[int] = mapped_column(Integer)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class UnknownGroupKeyTable(_Wrapped, Table):
    """The key under which the centroid, embeddings and crops of a group are sealed."""

    __tablename__ = "unknown_group_keys"
    __table_args__ = (Index(None, "collection_number", "generation"),)

    group_number: Mapped[int] = mapped_column(
        Number, ForeignKey("unknown_groups.number", ondelete="CASCADE"), primary_key=True
    )


class UnknownFaceTable(_Public, _Embedded, Table):
    """A face that matched no enrolled person.

    `nearest_identity_id` is no foreign key: it hinders no erasure, and is emptied by it.
    """

    __tablename__ = "unknown_faces"
    __table_args__ = (
        # The same face of the same photo is seen once.
        UniqueConstraint("collection_number", "image_sha256", "place"),
        Index(None, "collection_number", "number"),
        Index(None, "collection_number", "seen_at"),
        Index(None, "collection_number", "nearest_identity_id"),
        Index(None, "group_number", "number"),
        {"sqlite_autoincrement": True},
    )

    collection_number: Mapped[int] = mapped_column(Number)
    group_number: Mapped[int] = mapped_column(
        Number, ForeignKey("unknown_groups.number", ondelete="CASCADE")
    )
    box: Mapped[list[float] | None] = mapped_column(JSON(none_as_null=True))
    detection_score: Mapped[float | None] = mapped_column(Float)
    similarity: Mapped[float | None] = mapped_column(Float)
    nearest_identity_id: Mapped[str | None] = mapped_column(String(32))
    terminal_id: Mapped[str | None] = mapped_column(String(64))
    image_sha256: Mapped[str] = mapped_column(String(64))
    place: Mapped[int] = mapped_column(Integer)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class UnknownCropTable(_Crop, Table):
    """A crop of an unknown face, where its collection keeps them."""

    __tablename__ = "unknown_crops"
    __table_args__ = (Index(None, "collection_number"),)

    face_number: Mapped[int] = mapped_column(
        Number, ForeignKey("unknown_faces.number", ondelete="CASCADE"), primary_key=True
    )


class DismissalTable(Table):
    """A finding of the doctor that a person has dismissed.

    Of two people, `identity_number` below `other_number`, or of the face `face_number`.
    """

    __tablename__ = "dismissals"
    __table_args__ = (
        UniqueConstraint("identity_number", "other_number"),
        UniqueConstraint("face_number"),
        Index(None, "collection_number", "number"),
        Index(None, "other_number"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    collection_number: Mapped[int] = mapped_column(
        Number, ForeignKey("collections.number", ondelete="CASCADE")
    )
    identity_number: Mapped[int | None] = mapped_column(
        Number, ForeignKey("identities.number", ondelete="CASCADE")
    )
    other_number: Mapped[int | None] = mapped_column(
        Number, ForeignKey("identities.number", ondelete="CASCADE")
    )
    face_number: Mapped[int | None] = mapped_column(
        Number, ForeignKey("faces.number", ondelete="CASCADE")
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class HoldTable(Table):
    """A legal hold: as long as it is there, the person and their faces are not erased.

    The database itself refuses to delete a person with a hold: the reference does not cascade.
    """

    __tablename__ = "holds"
    __table_args__ = (Index(None, "collection_number", "identity_number"),)

    identity_number: Mapped[int] = mapped_column(
        Number, ForeignKey("identities.number"), primary_key=True, autoincrement=False
    )
    collection_number: Mapped[int] = mapped_column(Number)
    reason: Mapped[str] = mapped_column(Text)
    principal: Mapped[str] = mapped_column(String(128))
    """Who set it, as the audit log names them."""
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class TrustedClockTable(Table):
    """The last moment that a sweep believed; one row. See app/gallery/retention/clock_guard.py."""

    __tablename__ = "trusted_clock"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    running_s: Mapped[float] = mapped_column(Float)
    """How long the machine ran by then."""
    boot_id: Mapped[str | None] = mapped_column(String(36))
    """Of the machine's start."""


class IndexPositionTable(Table):
    """How far an index outside of this process, which outlives it, has followed the log.

    A process that brings it further holds the lock on this row, so that changes stay in order.
    """

    __tablename__ = "index_positions"

    collection_number: Mapped[int] = mapped_column(
        Number, ForeignKey("collections.number", ondelete="CASCADE"), primary_key=True
    )
    store: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Identifies one such index."""
    digest: Mapped[str] = mapped_column(String(64))
    revision: Mapped[int] = mapped_column(Number)
    timestamp: Mapped[int | None] = mapped_column(BigInteger)
    """By the clock of that index, when it had taken the last change; None where it has no clock."""


class IdempotencyKeyTable(Table):
    """The answer to a request that may be sent again; see `idempotency.py`.

    Refers to no other row: it outlives the person, so that a request that comes late enrolls no one
    a second time. When a person is erased, the answer is emptied.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index(None, "collection_number"),
        Index(None, "identity_id"),
        Index(None, "created_at"),
    )

    scope: Mapped[str] = mapped_column(String(256), primary_key=True)
    key_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(Integer)
    body: Mapped[dict[str, object]] = mapped_column(JsonObject)
    collection_number: Mapped[int | None] = mapped_column(Number)
    identity_id: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=_now)


class AuditLineTable(Table):
    """A line of the audit log; see `app/gallery/journal/chain.py`.

    It refers to no other row: it outlives what it is about.
    """

    __tablename__ = "audit_lines"
    __table_args__ = (
        UniqueConstraint("chain", "sequence"),
        Index(None, "at"),
        # Most lines have both or none of them.
        Index(
            None,
            "identity_id",
            sqlite_where=text("identity_id IS NOT NULL"),
            postgresql_where=text("identity_id IS NOT NULL"),
        ),
        Index(
            None,
            "receipt_id",
            sqlite_where=text("receipt_id IS NOT NULL"),
            postgresql_where=text("receipt_id IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    chain: Mapped[int] = mapped_column(Number)
    """Number of the collection; 0: of none, and reads."""
    sequence: Mapped[int] = mapped_column(Number)
    """In the chain, from 1."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    principal: Mapped[str] = mapped_column(String(128))
    action: Mapped[str] = mapped_column(String(32))
    collection: Mapped[str | None] = mapped_column(CollectionName)
    identity_id: Mapped[str | None] = mapped_column(String(32))
    receipt_id: Mapped[str | None] = mapped_column(String(32))
    request_id: Mapped[str | None] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(64))
    details: Mapped[str] = mapped_column(Text)
    """JSON, as it was chained; further ids and counts."""
    key_id: Mapped[str] = mapped_column(String(16))
    mac: Mapped[str] = mapped_column(String(64))


class AuditHeadTable(Table):
    """The last line of a chain; a transaction that continues the chain holds the lock on its row.

    `pruned_...` are of the last line that the retention has deleted, None before the first.
    """

    __tablename__ = "audit_heads"

    chain: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(Number)
    mac: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(16))
    seal: Mapped[str] = mapped_column(String(64))
    pruned_sequence: Mapped[int] = mapped_column(Number, default=0, server_default="0")
    pruned_mac: Mapped[str | None] = mapped_column(String(64))
    pruned_key_id: Mapped[str | None] = mapped_column(String(16))
    pruned_seal: Mapped[str | None] = mapped_column(String(64))


class SignedHeadTable(Table):
    """How far a chain of the audit log is signed; see `app/gallery/journal/head_signer.py`."""

    __tablename__ = "signed_heads"

    chain: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(Number)
    start: Mapped[int] = mapped_column(Number)
    """The last line that the retention had deleted by then."""


class ApiKeyTable(Table):
    """An API key: the digest of its text, and what it may do. See app/gallery/keys."""

    __tablename__ = "api_keys"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(256))
    role: Mapped[str] = mapped_column(String(32))
    rights: Mapped[list[str]] = mapped_column(JsonObject)
    collections: Mapped[list[str] | None] = mapped_column(JsonObject)
    """Names of those where it may act; None: all."""
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the whole text of the key, in hexadecimal."""
    prefix: Mapped[str] = mapped_column(String(32))
    """The beginning of its text, which is no secret."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    successor_id: Mapped[str | None] = mapped_column(String(32))
    """The id of the key that replaces it."""
    requests_per_min: Mapped[float | None] = mapped_column(Float)
    aws_access_key_id: Mapped[str | None] = mapped_column(String(20), unique=True, index=True)
    aws_secret_sealed: Mapped[str | None] = mapped_column(String(256))
    revision: Mapped[int] = mapped_column(Integer)
    """Grows by one with every change of the row, except of `last_used_at`."""


class EventTable(Table):
    """A line of the audit log that is an event, in the order in which all events are delivered."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "chain", "sequence"), {"sqlite_autoincrement": True})

    position: Mapped[int] = mapped_column(Number, primary_key=True)
    chain: Mapped[int] = mapped_column(Number)
    sequence: Mapped[int] = mapped_column(Number)


class RecentEventTable(Table):
    """When there was an event about a subject at a terminal, so that it is not one again soon."""

    __tablename__ = "recent_events"
    __table_args__ = (Index(None, "at"),)

    collection_number: Mapped[int] = mapped_column(
        Number, ForeignKey("collections.number", ondelete="CASCADE"), primary_key=True
    )
    subject: Mapped[str] = mapped_column(String(128), primary_key=True)
    """The id of a group of unknown faces, or what was rejected."""
    terminal_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Empty: no terminal."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class EventHeadTable(Table):
    """The last line of a chain that was looked at for events."""

    __tablename__ = "event_heads"

    chain: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(Number)


class EventTargetTable(Table):
    """How far events are delivered to a target, such as a webhook; see app/gallery/delivery."""

    __tablename__ = "event_targets"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    position: Mapped[int] = mapped_column(Number)
    """Of the last event that was taken over from `events`."""
    stopped_because: Mapped[str | None] = mapped_column(String(16))
    """None while events are delivered."""
    holder: Mapped[str | None] = mapped_column(String(32))
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The process that delivers, until then; another one takes over afterwards."""
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_count: Mapped[int] = mapped_column(Number)
    last_delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    missed_count: Mapped[int] = mapped_column(Number)
    """Events that were deleted with old lines before they were delivered."""


class WaitingEventTable(Table):
    """An event that could not be delivered yet: it failed, or follows one that failed."""

    __tablename__ = "waiting_events"

    target: Mapped[str] = mapped_column(
        String(64), ForeignKey("event_targets.name", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=False)
    subjects: Mapped[list[str]] = mapped_column(JsonObject)
    attempts: Mapped[int] = mapped_column(Integer)
    first_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(256))
    dead_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DeliveryAttemptTable(Table):
    """An attempt to deliver an event; the newest of each target are kept."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (Index(None, "target", "number"), {"sqlite_autoincrement": True})

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    target: Mapped[str] = mapped_column(
        String(64), ForeignKey("event_targets.name", ondelete="CASCADE")
    )
    event_id: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    seconds: Mapped[float] = mapped_column(Float)
    status: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(String(256))


class WebhookTable(Table):
    """A webhook: where events are sent, and which. How far it is, is in `event_targets`."""

    __tablename__ = "webhooks"
    __table_args__ = (UniqueConstraint("id"), {"sqlite_autoincrement": True})

    number: Mapped[int] = mapped_column(Number, primary_key=True)
    id: Mapped[str] = mapped_column(
        String(64), ForeignKey("event_targets.name", ondelete="CASCADE")
    )
    name: Mapped[str] = mapped_column(String(256))
    url: Mapped[str] = mapped_column(String(2048))
    collections: Mapped[list[str] | None] = mapped_column(JsonObject)
    types: Mapped[list[str] | None] = mapped_column(JsonObject)
    """None: all."""
    with_names: Mapped[bool] = mapped_column(Boolean)
    secret: Mapped[str] = mapped_column(String(512))
    former_secret: Mapped[str | None] = mapped_column(String(512))
    former_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until then, messages are signed by the former secret, too."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(128))
