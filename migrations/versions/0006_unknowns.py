"""The inbox of unknown faces.

Revision: 0006
After: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"{target}.number"],
        name=f"fk_{table}_{column}_{target}",
        ondelete="CASCADE",
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def upgrade() -> None:
    op.create_table(
        "unknown_inboxes",
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.Column("removed_at", _NUMBER, nullable=False),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("collection_number", name="pk_unknown_inboxes"),
        _reference("unknown_inboxes", "collection_number", "collections"),
    )
    op.create_table(
        "unknown_groups",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.Column("centroid", sa.LargeBinary(), nullable=False),
        sa.Column("seen_count", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", _MOMENT, nullable=False),
        sa.Column("last_seen_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_unknown_groups"),
        sa.UniqueConstraint("id", name="uq_unknown_groups_id"),
        _reference("unknown_groups", "collection_number", "collections"),
        sqlite_autoincrement=True,
    )
    _index("unknown_groups", "collection_number", "sequence")
    _index("unknown_groups", "collection_number", "last_seen_at", "number")
    _index("unknown_groups", "collection_number", "seen_count", "number")
    op.create_table(
        "unknown_faces",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("group_number", _NUMBER, nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.Column("embedder", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("box", sa.JSON(), nullable=True),
        sa.Column("detection_score", sa.Float(), nullable=True),
        sa.Column("similarity", sa.Float(), nullable=True),
        sa.Column("nearest_identity_id", sa.String(32), nullable=True),
        sa.Column("terminal_id", sa.String(64), nullable=True),
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_unknown_faces"),
        sa.UniqueConstraint("id", name="uq_unknown_faces_id"),
        sa.UniqueConstraint(
            "collection_number",
            "image_sha256",
            "place",
            name="uq_unknown_faces_collection_number_image_sha256_place",
        ),
        _reference("unknown_faces", "group_number", "unknown_groups"),
        sqlite_autoincrement=True,
    )
    _index("unknown_faces", "collection_number", "number")
    _index("unknown_faces", "collection_number", "seen_at")
    _index("unknown_faces", "collection_number", "nearest_identity_id")
    _index("unknown_faces", "group_number", "number")


def downgrade() -> None:
    op.drop_table("unknown_faces")
    op.drop_table("unknown_groups")
    op.drop_table("unknown_inboxes")
