"""A second embedding of each face, by the next embedder of its collection.

Revision: 0007
After: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_SECOND = ("second_embedder", "second_digest", "second_dimension", "switched_at")


def upgrade() -> None:
    # In place: see 0005.
    op.add_column("collections", sa.Column("second_embedder", sa.String(64), nullable=True))
    op.add_column("collections", sa.Column("second_digest", sa.String(64), nullable=True))
    op.add_column("collections", sa.Column("second_dimension", sa.Integer(), nullable=True))
    op.add_column("collections", sa.Column("switched_at", _MOMENT, nullable=True))
    op.add_column("changes", sa.Column("digest", sa.String(64), nullable=True))
    op.create_table(
        "second_embeddings",
        sa.Column("face_number", _NUMBER, nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.Column("embedder", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("face_number", name="pk_second_embeddings"),
        sa.ForeignKeyConstraint(
            ["face_number"],
            ["faces.number"],
            name="fk_second_embeddings_face_number_faces",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_second_embeddings_collection_number_face_number",
        "second_embeddings",
        ["collection_number", "face_number"],
    )
    _make_calibrations_anew("collection_number", "digest")


def downgrade() -> None:
    """Remove the second embeddings.

    Raises an error if a collection is served by them: roll it back, or purge, first.
    """
    serving = sa.text(
        "SELECT count(*) FROM second_embeddings JOIN collections"
        " ON collections.number = second_embeddings.collection_number"
        " AND collections.digest = second_embeddings.digest"
    )
    if op.get_bind().execute(serving).scalar():
        raise RuntimeError(
            "a collection answers by its second embedder; run vultus reembed purge first"
        )
    op.get_bind().execute(
        sa.text(
            "DELETE FROM calibrations WHERE digest != (SELECT digest FROM collections"
            " WHERE collections.number = calibrations.collection_number)"
        )
    )
    _make_calibrations_anew("collection_number")
    op.drop_table("second_embeddings")
    # Without their digest, these lines would log faces a second time.
    op.get_bind().execute(sa.text("DELETE FROM changes WHERE digest IS NOT NULL"))
    op.drop_column("changes", "digest")
    for column in reversed(_SECOND):
        op.drop_column("collections", column)


def _make_calibrations_anew(*key: str) -> None:
    """Make the table of calibrations again, with another key. Its rows fit into memory."""
    columns = ("collection_number", "digest", "map", "created_at")
    calibrations = sa.table(
        "calibrations",
        sa.column("collection_number", _NUMBER),
        sa.column("digest", sa.String(64)),
        sa.column("map", _JSON),
        sa.column("created_at", _MOMENT),
    )
    rows = [dict(row) for row in op.get_bind().execute(sa.select(calibrations)).mappings()]
    op.drop_table("calibrations")
    op.create_table(
        "calibrations",
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("map", _JSON, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_calibrations"),
        sa.ForeignKeyConstraint(
            ["collection_number"],
            ["collections.number"],
            name="fk_calibrations_collection_number_collections",
            ondelete="CASCADE",
        ),
    )
    if rows:
        op.bulk_insert(calibrations, [{name: row[name] for name in columns} for row in rows])
