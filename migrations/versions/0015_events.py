"""Events: the lines of the audit log that are delivered, in one order.

Revision: 0015
After: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("position", _NUMBER, nullable=False),
        sa.Column("chain", _NUMBER, nullable=False),
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_chain_sequence", "events", ["chain", "sequence"])
    op.create_table(
        "event_heads",
        sa.Column("chain", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("sequence", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("chain", name="pk_event_heads"),
    )


def downgrade() -> None:
    op.drop_table("event_heads")
    op.drop_table("events")
