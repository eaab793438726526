"""Secret rotations of vectors that lie outside of the service.

Revision: 0023
After: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "spaces",
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_number"],
            ["collections.number"],
            name="fk_spaces_collection_number_collections",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_number", "digest", "role", name="pk_spaces"),
    )


def downgrade() -> None:
    op.drop_table("spaces")
