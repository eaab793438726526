"""Keys of sealed snapshots.

Revision: 0019
After: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "snapshot_keys",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("folder", sa.String(32), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_number"],
            ["collections.number"],
            name="fk_snapshot_keys_collection_number_collections",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_snapshot_keys"),
    )
    op.create_index("ix_snapshot_keys_collection_number", "snapshot_keys", ["collection_number"])


def downgrade() -> None:
    op.drop_table("snapshot_keys")
