"""Options and calibrations of collections, thresholds of people.

Revision: 0003
After: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OBJECT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("collections", sa.Column("options", _OBJECT, nullable=False, server_default="{}"))
    op.add_column("identities", sa.Column("threshold", sa.Float(), nullable=True))
    op.create_table(
        "calibrations",
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("map", _OBJECT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("collection_number", name="pk_calibrations"),
        sa.ForeignKeyConstraint(
            ["collection_number"],
            ["collections.number"],
            name="fk_calibrations_collection_number_collections",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("calibrations")
    op.drop_column("identities", "threshold")
    op.drop_column("collections", "options")
