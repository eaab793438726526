"""Events that are not repeated soon, by subject and terminal.

Revision: 0022
After: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "recent_events",
        sa.Column("collection_number", _NUMBER, nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("terminal_id", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "collection_number", "subject", "terminal_id", name="pk_recent_events"
        ),
        sa.ForeignKeyConstraint(
            ["collection_number"],
            ["collections.number"],
            name="fk_recent_events_collection_number_collections",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_recent_events_at", "recent_events", ["at"])


def downgrade() -> None:
    op.drop_table("recent_events")
