"""Collections, identities, faces and the change log.

Revision: 0001
After: nothing
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite only grows its own row ids for a column of type INTEGER.
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ATTRIBUTES = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"{target}.number"],
        name=f"fk_{table}_{column}_{target}",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.create_table(
        "collections",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("embedder", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("revision", _NUMBER, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_collections"),
        sa.UniqueConstraint("name", name="uq_collections_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "identities",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("external_id", sa.String(256), nullable=True),
        sa.Column("name", sa.String(256), nullable=True),
        sa.Column("attributes", _ATTRIBUTES, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_identities"),
        sa.UniqueConstraint("id", name="uq_identities_id"),
        sa.UniqueConstraint(
            "collection_number", "external_id", name="uq_identities_collection_number_external_id"
        ),
        _reference("identities", "collection_number", "collections"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_identities_collection_number_number", "identities", ["collection_number", "number"]
    )
    op.create_index(
        "ix_identities_collection_number_name", "identities", ["collection_number", "name"]
    )
    op.create_table(
        "faces",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("identity_number", _NUMBER, nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.Column("embedder", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("box", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("landmarks", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("detection_score", sa.Float(), nullable=True),
        sa.Column("image_sha256", sa.String(64), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_faces"),
        sa.UniqueConstraint("id", name="uq_faces_id"),
        sa.UniqueConstraint(
            "identity_number", "image_sha256", name="uq_faces_identity_number_image_sha256"
        ),
        _reference("faces", "collection_number", "collections"),
        _reference("faces", "identity_number", "identities"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_faces_collection_number_number", "faces", ["collection_number", "number"])
    op.create_table(
        "changes",
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("revision", _NUMBER, nullable=False),
        sa.Column("face_number", _NUMBER, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("collection_number", "revision", "face_number", name="pk_changes"),
        _reference("changes", "collection_number", "collections"),
    )


def downgrade() -> None:
    op.drop_table("changes")
    op.drop_table("faces")
    op.drop_table("identities")
    op.drop_table("collections")
